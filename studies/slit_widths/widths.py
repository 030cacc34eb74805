"""Voltammograms of four layers at each slit width, and their resistances during the charging sweep."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from continuum import ContinuumConfig
from transslit import SlitNetwork, TransSlitRecord, load_electrolyte
from transslit.progress import Progress
from transslit.runs import open_run
from validation.presets import NARROW, WIDTHS
from validation.simulations.runs import Simulations


def simulate_widths(folder: Path, progress: Progress) -> dict[float, TransSlitRecord]:
    """The record at each slit width in m, of KCl 1 M with adaptive time steps; finished runs in `folder` are reused.

    Raises
    ------
    BadInput : `folder` cannot be written, or holds other runs
    """
    records = {}
    with open_run(folder) as opened:
        simulations = Simulations(opened, progress)
        for width in (NARROW, *WIDTHS):
            network = SlitNetwork(slit=width, layers=4)
            config = ContinuumConfig(network=network, electrolyte=load_electrolyte("KCl"), stepping="adaptive")
            records[width] = simulations.continuum(f"{width * 1e9:g}nm", config).raw
    return records


def charging(resistances: Mapping[float, pd.DataFrame]) -> pd.DataFrame:
    """Rows of the charging sweep of tables of `continuum.resistances` by slit width in m, with the column `d_m`."""
    tables = [table[table["I_A_per_m"] > 0].assign(d_m=width) for width, table in resistances.items()]
    return pd.concat(tables, ignore_index=True)


def conductivity_ratios(table: pd.DataFrame) -> pd.Series:
    """Largest over smallest conductivity by slit width in m; `table` from `charging`."""
    conductivity = table.groupby("d_m")["conductivity_S_per_m"]
    return conductivity.max() / conductivity.min()
