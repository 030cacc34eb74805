"""Circuits: of a continuum record, simulated into a folder, or fitted to a measured curve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import circuit
from circuit.export import to_mpt
from circuit.fit import fit
from circuit.impedance import impedance
from circuit.measured import Curve
from circuit.measures import half_cycles, ragone, summary
from circuit.spice import to_spice
from continuum.extract import LadderParameters, extract
from continuum.tables import capacitance_tables
from transslit import Law, TransSlitRecord
from transslit.drive import Drive
from transslit.files import read_table, whole, write_json, write_table, write_text
from validation.figures.circuit import draw_overlay

TABLES = ("terminal", "slits")
ELEMENTS = (
    "resistance",
    "gamma",
    "slit_capacitance",
    "open_resistance",
    "open_capacitance",
    "charge_max",
    "half_entrance_resistor",
)


def extracted_circuit(
    record: TransSlitRecord,
    drive: Drive,
    ladder: LadderParameters | None = None,
    tabled: bool = True,
    **changes: Any,
) -> circuit.CircuitConfig:
    """The ladder of replica 0 of a voltage-driven record, under `drive`; per metre of depth.

    Parameters
    ----------
    ladder : what `extract` gave for the record, where it is known already
    tabled : let the capacitors follow the voltage, C(|u|), as the record's do
    changes : fields of the configuration that are to be others

    Raises
    ------
    BadInput : as `continuum.extract.extract`
    """
    ladder = ladder or extract(record)
    elements: dict[str, Any] = {name: getattr(ladder, name) for name in ELEMENTS}
    elements |= {"layers": record.slits["i"].nunique() + 1, "drive": drive, "points": 4001}
    if tabled:
        tables = capacitance_tables(record, ladder)
        elements["capacitance_table"] = tuple(
            circuit.Table(over="potential", **table.model_dump()) for table in tables.slits
        )
        elements["open_capacitance_table"] = circuit.Table(over="potential", **tables.open_space.model_dump())
    return circuit.CircuitConfig.model_validate(elements | changes)


Laws = tuple[Law | None, Law | None]  # of the electrode and of its counter electrode
EXPORTS: dict[str, Callable[[circuit.CircuitResult, Laws], dict[str, str]]] = {  # texts by file name
    "spice": lambda result, laws: {"circuit.cir": to_spice(result.config, *laws)},
    "mpt": lambda result, laws: {"circuit.mpt": to_mpt(result)},
    "csv": lambda result, laws: {f"{name}.csv": getattr(result, name).to_csv(index=False) for name in TABLES},
}


def write_circuit(
    folder: Path,
    config: circuit.CircuitConfig,
    law: Law | None,
    export: str | None = None,
    frequencies: np.ndarray | None = None,
    bias: float = 0.0,
    powers: np.ndarray | None = None,
) -> dict[str, Any]:
    """Simulate, write the tables as Parquet (export, impedance, Ragone plot), return a summary for the manifest.

    The law is also that of a counter electrode that has no resistance of its own. Nothing is written if an export is
    refused.
    """
    other = config.counter
    without = other is not None and other.resistance is None and other.resistance_table is None
    laws = (law, law if without else None)
    result = circuit.simulate(config, law, counter_law=laws[1])
    texts = EXPORTS[export](result, laws) if export else {}
    tables = {name: getattr(result, name) for name in TABLES} | {"segments": half_cycles(result)}
    if frequencies is not None:
        tables["impedance"] = impedance(config, frequencies, bias, *laws)
    if powers is not None:
        tables["ragone"] = ragone(config, powers, *laws)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        write_table(folder / f"{name}.parquet", table)
    for name, text in texts.items():
        write_text(folder / name, text)
    return {"summary": summary(result)}


def fit_circuit(folder: Path, guess: circuit.CircuitConfig, curve: Curve) -> dict[str, Any]:
    """Fit a measured curve; `fit.json`, `correlation.csv`, the fitted `terminal.parquet`, and `overlay` with both."""
    found = fit(curve, guess)
    fitted = circuit.simulate(found.config)
    voltage, current = fitted.terminals(curve.time)
    model = current if found.compared == "I_m_A" else guess.half_cells * voltage
    measured = {"time_s": curve.time, "V_m_V": curve.voltage, "I_m_A": curve.current}
    overlay = pd.DataFrame({**measured, f"fitted_{found.compared}": model})
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "terminal.parquet", fitted.terminal)
    rows = found.table.to_dict("records")
    write_json(folder / "fit.json", {"parameters": rows, "compared": found.compared, "rms": found.rms_over_peak})
    write_text(folder / "correlation.csv", found.correlation.to_csv())
    write_text(folder / "overlay.csv", overlay.to_csv(index=False))
    with whole(folder / "overlay.png") as partial:
        draw_overlay(overlay).savefig(partial, dpi=150)
    told: dict[str, Any] = {"rms_over_peak": found.rms_over_peak}
    for row in rows:
        known = "" if row["identified"] else ", not identified by this curve"
        told[row["parameter"]] = f"{row['value']:.4g} ({row['low']:.4g} to {row['high']:.4g}) {row['unit']}{known}"
    return {"summary": told}


def read_terminal(folder: Path) -> pd.DataFrame:
    """The terminal table that `write_circuit` left.

    Raises
    ------
    BadInput : missing or damaged
    """
    return read_table(folder / "terminal.parquet", "circuit", ("time_s", "V_m_V", "phi_m_V", "I_m_A"))
