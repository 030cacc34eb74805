"""A circuit's run on disk: tables, exports, and fits of measured curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from circuit.config import CircuitConfig
from circuit.export import EXPORTS, TABLES, Export, Laws
from circuit.figures import draw_overlay
from circuit.fit import fit
from circuit.impedance import impedance
from circuit.measured import Curve
from circuit.measures import half_cycles, ragone, summary
from circuit.simulate import simulate
from transslit.files import whole, write_json, write_table, write_text
from transslit.law import Law


def write_circuit(
    folder: Path,
    config: CircuitConfig,
    law: Law | None,
    export: Export | None = None,
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
    laws: Laws = (law, law if without else None)
    result = simulate(config, law, counter_law=laws[1])
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


def fit_circuit(folder: Path, guess: CircuitConfig, curve: Curve) -> dict[str, Any]:
    """Fit a measured curve; `fit.json`, `correlation.csv`, the fitted `terminal.parquet`, and `overlay` with both."""
    found = fit(curve, guess)
    fitted = simulate(found.config)
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
