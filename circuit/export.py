"""Exports of a result: a netlist (`circuit.spice`), an EC-Lab text file, CSV.

EC-Lab: the text layout of a cyclic voltammetry (`.mpt`) as read by galvani and similar readers, marked as simulated.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from circuit.result import SIGN, CircuitResult
from circuit.spice import to_spice
from transslit import __version__
from transslit.drive import TriangularCV
from transslit.errors import BadInput
from transslit.files import whole
from transslit.law import Law


def to_csv(result: CircuitResult, path: Path | None = None) -> str:
    """Terminal table as CSV, under `#` lines that give the sign convention and the circuit; also written to `path`."""
    head = [f"# transslit {__version__}, simulated", f"# sign: {SIGN}"]
    head += [f"# {key}: {result.metadata[key]}" for key in ("model", "cell", "depth", "resistance", "charge_max_C")]
    text = "\n".join(head) + "\n" + result.terminal.to_csv(index=False, lineterminator="\n")
    return _write(text, path)


def to_mpt(result: CircuitResult, path: Path | None = None, started: datetime = datetime(1970, 1, 1)) -> str:
    """EC-Lab text file of the CV; `started` is the acquisition time in its header. Latin-1, CRLF.

    Columns: mode, ox/red, error, time/s, control/V, Ewe/V (both V_m), <I>/mA, cycle number, (Q-Qo)/C.
    """
    config, table = result.config, result.terminal
    drive = config.drive
    if not isinstance(drive, TriangularCV):
        raise BadInput("export", f"mpt of a {drive.kind} drive", "an .mpt file is of a cyclic voltammetry; export csv")
    time = table["time_s"].to_numpy()
    voltage, current = table["V_m_V"].to_numpy(), table["I_m_A"].to_numpy()
    sweep = np.minimum((time / drive.half_period * (1 + 1e-12)).astype(int), 2 * drive.cycles - 1)
    charge = np.concatenate([[0.0], np.cumsum(np.diff(time) * (current[1:] + current[:-1]) / 2)])
    columns = {
        "mode": np.full(len(time), "2"),
        "ox/red": np.where(current > 0, "1", "0"),
        "error": np.full(len(time), "0"),
        "time/s": _numbers(time),
        "control/V": _numbers(voltage),
        "Ewe/V": _numbers(voltage),
        "<I>/mA": _numbers(1e3 * current),
        "cycle number": _numbers(sweep // 2 + 1.0),
        "(Q-Qo)/C": _numbers(charge),
    }
    top = config.polarity * drive.window
    parameters = {
        "Comments": f"SIMULATED by transslit {__version__}: {config.model.upper()}, {config.layers} layers",
        "Sign": SIGN,
        "Ei (V)": "0.000",
        "dE/dt": f"{drive.scan_rate:.6g}",
        "dE/dt unit": "V/s",
        "E1 (V)": f"{top:.6g}",
        "E2 (V)": "0.000",
        "nc cycles": str(drive.cycles - 1),
    }
    head = [
        "",
        "Cyclic Voltammetry",
        "",
        f"Acquisition started on : {started:%m/%d/%Y %H:%M:%S}",
        *(f"{key:<20}{value}" for key, value in parameters.items()),
        "",
    ]
    lines = ["EC-Lab ASCII FILE", f"Nb header lines : {len(head) + 3:<25}", *head, "\t".join(columns)]
    rows = pd.DataFrame(columns).to_csv(sep="\t", header=False, index=False, lineterminator="\r\n")
    return _write("\r\n".join(lines) + "\r\n" + rows, path)


def _numbers(values: np.ndarray) -> list[str]:
    return [f"{value:.9E}" for value in values]


def _write(text: str, path: Path | None) -> str:
    """Write `text`, whole or not at all and with its line ends unchanged, to `path` if given, and return it."""
    if path is not None:
        with whole(path) as partial:
            partial.write_bytes(text.encode("latin-1", errors="replace"))
    return text


TABLES = ("terminal", "slits")
Laws = tuple[Law | None, Law | None]  # of the electrode and of its counter electrode
Export = Literal["spice", "mpt", "csv"]
EXPORTS: dict[Export, Callable[[CircuitResult, Laws], dict[str, str]]] = {  # texts by file name
    "spice": lambda result, laws: {"circuit.cir": to_spice(result.config, *laws)},
    "mpt": lambda result, laws: {"circuit.mpt": to_mpt(result)},
    "csv": lambda result, laws: {f"{name}.csv": getattr(result, name).to_csv(index=False) for name in TABLES},
}
