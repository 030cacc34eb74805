"""A circuit run on disk: its tables, and on request a netlist, a potentiostat file or CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import circuit
import circuit.export as formats
from circuit.fit import fit
from circuit.impedance import impedance
from circuit.measured import Curve
from circuit.measures import half_cycles, one_cycle, peak_measures
from transslit import BadInput, Law
from transslit.runs import write_json, write_text
from transslit.units import parse

TABLES = ("terminal", "slits")


def write_circuit(
    folder: Path,
    config: circuit.CircuitConfig,
    law: Law | None,
    export: str | None = None,
    frequencies: np.ndarray | None = None,
    bias: float = 0.0,
) -> dict[str, Any]:
    """Simulate, write the tables as Parquet (the export, the impedance), return a summary for the manifest."""
    result = circuit.simulate(config, law, counter_law=law if config.counter else None)
    spice = formats.to_spice(config, law) if export == "spice" else ""  # refused before anything is written
    mpt = formats.to_mpt(result) if export == "mpt" else ""
    probed = None if frequencies is None else impedance(config, frequencies, bias, law)
    folder.mkdir(parents=True, exist_ok=True)
    if probed is not None:
        write_table(folder / "impedance.parquet", probed)
    write_table(folder / "segments.parquet", half_cycles(result))
    for name in TABLES:
        write_table(folder / f"{name}.parquet", getattr(result, name))
    if export == "spice":
        write_text(folder / "circuit.cir", spice)
    elif export == "mpt":
        write_text(folder / "circuit.mpt", mpt)
    elif export == "csv":
        for name in TABLES:
            write_text(folder / f"{name}.csv", getattr(result, name).to_csv(index=False))
    terminal = result.terminal
    return {
        "summary": {
            "peak_current_A": float(terminal["I_m_A"].abs().max()),
            "largest_charge_C": float(result.slits["q_C"].abs().max()),
            "smallest_resistance_ohm": float(result.slits["R_ohm"].min()) if len(result.slits) else 0.0,
            **_of_last_cycle(result),
        }
    }


def _of_last_cycle(result: circuit.CircuitResult) -> dict[str, float]:
    """Area, asymmetry and peak of the last cycle of a CV; nothing of other drives."""
    if result.config.drive.kind != "cv":
        return {}
    measures = peak_measures(one_cycle(result.terminal, result.config))
    return {name: measures[name] for name in ("area_W", "asymmetry", "peak_over_plateau")}


def fit_circuit(folder: Path, guess: circuit.CircuitConfig, curve: Curve) -> dict[str, Any]:
    """Fit a measured curve, leave `fit.json`, `correlation.csv` and the fitted `terminal.parquet`; the numbers."""
    found = fit(curve, guess)
    fitted = circuit.simulate(found.config)
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "terminal.parquet", fitted.terminal)
    rows = found.table.to_dict("records")
    write_json(folder / "fit.json", {"parameters": rows, "compared": found.compared, "rms": found.rms_over_peak})
    write_text(folder / "correlation.csv", found.correlation.to_csv())
    summary: dict[str, Any] = {"rms_over_peak": found.rms_over_peak}
    for row in rows:
        known = "" if row["identified"] else ", not identified by this curve"
        summary[row["parameter"]] = f"{row['value']:.4g} ({row['low']:.4g} to {row['high']:.4g}) {row['unit']}{known}"
    return {"summary": summary}


def spectrum(frequencies: str | None, bias: str) -> tuple[np.ndarray | None, float]:
    """Ten frequencies a decade (Hz) from text such as 1kHz:1GHz, and the bias in V.

    Raises
    ------
    BadInput : not two frequencies that increase, or without a unit
    """
    if frequencies is None:
        return None, 0.0
    try:
        low, high = (parse(part, "frequency") for part in frequencies.split(":"))
    except ValueError:
        raise BadInput("impedance", frequencies, "give two frequencies with units, as 1kHz:1GHz") from None
    if not 0 < low < high <= 1e15:
        raise BadInput("impedance", frequencies, "must increase from above 0 Hz to 1e15 Hz at most")
    try:
        volts = parse(bias, "voltage")
    except ValueError as error:
        raise BadInput("bias", bias, str(error)) from None
    return np.geomspace(low, high, 1 + round(10 * np.log10(high / low))), volts


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a Parquet table whole or not at all."""
    partial = path.with_name(f".{path.name}.part")
    table.to_parquet(partial, index=False)
    partial.replace(path)


def read_terminal(folder: Path) -> pd.DataFrame:
    """The terminal table that `write_circuit` left."""
    return pd.read_parquet(folder / "terminal.parquet")
