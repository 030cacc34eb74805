"""A circuit run on disk: its tables, and on request a netlist, a potentiostat file or CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

import circuit
import circuit.export as formats
from transslit import Law
from transslit.runs import write_text

TABLES = ("terminal", "slits")


def write_circuit(
    folder: Path, config: circuit.CircuitConfig, law: Law | None, export: str | None = None
) -> dict[str, Any]:
    """Simulate, write the tables as Parquet (and the export), return a summary for the manifest."""
    result = circuit.simulate(config, law)
    folder.mkdir(parents=True, exist_ok=True)
    for name in TABLES:
        partial = folder / f".{name}.parquet.part"
        getattr(result, name).to_parquet(partial, index=False)
        partial.replace(folder / f"{name}.parquet")
    if export == "spice":
        write_text(folder / "circuit.cir", formats.to_spice(config, law))
    elif export == "mpt":
        write_text(folder / "circuit.mpt", formats.to_mpt(result))
    elif export == "csv":
        for name in TABLES:
            write_text(folder / f"{name}.csv", getattr(result, name).to_csv(index=False))
    terminal = result.terminal
    return {
        "summary": {
            "peak_current_A": float(terminal["I_m_A"].abs().max()),
            "largest_charge_C": float(result.slits["q_C"].abs().max()),
            "smallest_resistance_ohm": float(result.slits["R_ohm"].min()),
        }
    }


def read_terminal(folder: Path) -> pd.DataFrame:
    """The terminal table that `write_circuit` left."""
    return pd.read_parquet(folder / "terminal.parquet")
