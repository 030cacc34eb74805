"""Figures of a circuit's run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from transslit.files import read_table
from transslit.plot import terminal_curves
from transslit.style import COLOURS, legend, panels, scaled, styled

MILLI, MICRO = 1e3, 1e6


@styled
def draw_overlay(table: pd.DataFrame) -> Figure:
    """A measured curve, grey, and the circuit fitted to it: I_m on V_m, or V_m in time where the current was held."""
    figure, axes = panels(1, width=4.6, height=3.6)
    ax = axes[0, 0]
    if "fitted_I_m_A" in table:
        ax.plot(MILLI * table["V_m_V"], MILLI * table["I_m_A"], color="0.6", lw=3, label="measured")
        ax.plot(MILLI * table["V_m_V"], MILLI * table["fitted_I_m_A"], color=COLOURS[0], label="fitted")
        ax.set(xlabel="$V_m$ / mV", ylabel="$I_m$ / mA")
    else:
        ax.plot(MICRO * table["time_s"], MILLI * table["V_m_V"], color="0.6", lw=3, label="measured")
        ax.plot(MICRO * table["time_s"], MILLI * table["fitted_V_m_V"], color=COLOURS[0], label="fitted")
        ax.set(xlabel="t / µs", ylabel="$V_m$ / mV")
    legend(ax)
    return figure


def draw_terminal(table: pd.DataFrame) -> Figure:
    """A voltammogram, I_m over V_m; of another drive, both over time."""
    return terminal_curves(table["time_s"], (table["V_m_V"], "$V_m$", "V"), (table["I_m_A"], "$I_m$", "A"))


@styled
def draw_nyquist(table: pd.DataFrame) -> Figure:
    """-Im Z over Re Z, to one scale."""
    factor, _ = scaled(table["Z_real_ohm"].to_numpy(), "", "")
    _, label = scaled(table["Z_real_ohm"].to_numpy(), "Re Z", "$\\Omega$")
    figure, axes = panels(1, width=4.2, height=3.6)
    ax = axes[0, 0]
    ax.plot(factor * table["Z_real_ohm"], -factor * table["Z_imag_ohm"], ".-", color=COLOURS[0])
    highest = 3 * factor * table["Z_real_ohm"].max()  # of the blocking branch, which rises without end
    ax.set(xlabel=label, ylabel=label.replace("Re", "-Im"), aspect="equal", ylim=(0, highest), xlim=(0, None))
    return figure


@styled
def draw_bode(table: pd.DataFrame) -> Figure:
    """|Z| and the phase over the frequency."""
    figure, axes = panels(2, width=4.0, height=3.2)
    Z = table["Z_real_ohm"].to_numpy() + 1j * table["Z_imag_ohm"].to_numpy()
    for ax, values, label in (
        (axes[0, 0], np.abs(Z), "|Z| / $\\Omega$"),
        (axes[0, 1], np.angle(Z, deg=True), "phase / °"),
    ):
        ax.plot(table["frequency_Hz"], values, color=COLOURS[0])
        ax.set(xlabel="f / Hz", ylabel=label, xscale="log")
    axes[0, 0].set_yscale("log")
    return figure


DRAWS = {
    "voltammogram": ("terminal", draw_terminal),
    "nyquist": ("impedance", draw_nyquist),
    "bode": ("impedance", draw_bode),
}


def figures_of(folder: Path) -> dict[str, Callable[[], Figure]]:
    """What draws the figures of a circuit's tables in a folder, by file name."""
    paths = {name: folder / f"{table}.parquet" for name, (table, _) in DRAWS.items()}
    return {name: partial(_drawn, path, DRAWS[name][1]) for name, path in paths.items() if path.exists()}


def _drawn(path: Path, draw: Callable[[pd.DataFrame], Figure]) -> Figure:
    return draw(read_table(path, "out"))
