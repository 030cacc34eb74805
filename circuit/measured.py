"""Measured curves: time, V_m and I_m from EC-Lab text (`.mpt`), EC-Lab binary (`.mpr`, by galvani) or CSV.

A CSV's columns must name their units, as in `time/s`, `time_s`, `Ewe/V`, `V_m_V`, `<I>/mA`, `I_m_A`; lines that begin
with # are passed over. The charging current is positive.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from transslit.drive import TableDrive
from transslit.errors import BadInput

Array = np.ndarray
SCALES = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "k": 1e3}
NAMES = {
    "s": ("time", "t"),
    "V": ("Ewe", "V_m", "V", "U", "Ecell", "Ewe-Ece", "voltage", "potential"),
    "A": ("<I>", "I_m", "I", "current"),
}


@dataclass(frozen=True)
class Curve:
    """What an instrument recorded: time in s, V_m in V and I_m in A, shape (k,) each."""

    time: Array
    voltage: Array
    current: Array


def read_curve(path: Path) -> Curve:
    """Read a measured cyclic voltammogram or galvanostatic curve.

    Raises
    ------
    BadInput : unknown kind of file, unreadable, a column missing or without its unit, or time that does not increase
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput("curve", path, "no such file")
    kind = path.suffix.lower()
    if kind not in (".mpt", ".mpr", ".csv"):
        raise BadInput("curve", path, "give an EC-Lab .mpt or .mpr file, or .csv")
    try:
        table = {".mpt": _mpt, ".mpr": _mpr, ".csv": _csv}[kind](path)
    except (ValueError, OSError, KeyError, pd.errors.ParserError, AssertionError) as error:
        raise BadInput("curve", path, f"cannot be read as {kind} ({str(error).splitlines()[0]})") from None
    time, voltage, current = (_column(table, unit, path) for unit in NAMES)
    if len(time) < 10:
        raise BadInput("curve", path, f"holds {len(time)} rows; needs ten or more")
    if not all(np.isfinite(column).all() for column in (time, voltage, current)):
        raise BadInput("curve", path, "holds values that are not finite numbers")
    if not (np.diff(time) > 0).all():
        row = int(np.argmin(np.diff(time) > 0)) + 2
        raise BadInput("curve", path, f"time must increase; row {row} does not")
    return Curve(time - time[0], voltage, current)


def read_drive(path: Path) -> TableDrive:
    """A drive from a CSV of time and V_m or I_m, whose columns name their units.

    Raises
    ------
    BadInput : unreadable, a column missing, both V_m and I_m, or time that does not increase
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput("drive_table", path, "no such file")
    try:
        table = _csv(path)
    except (ValueError, OSError, pd.errors.ParserError) as error:
        raise BadInput("drive_table", path, f"cannot be read as .csv ({str(error).splitlines()[0]})") from None
    columns: dict[str, tuple[float, ...]] = {"time": tuple(_column(table, "s", path).tolist())}
    for field, unit in (("voltage", "V"), ("current", "A")):
        try:
            columns[field] = tuple(_column(table, unit, path).tolist())
        except BadInput:
            continue
    return TableDrive.read(str(path), **columns)


def _mpt(path: Path) -> pd.DataFrame:
    lines = path.read_text(encoding="latin-1").splitlines()
    if not lines or not lines[0].startswith("EC-Lab ASCII FILE"):
        raise ValueError("its first line is not EC-Lab's")
    count = int(lines[1].split(":")[1])
    return pd.read_csv(StringIO("\n".join(lines[count - 1 :])), sep="\t")


def _mpr(path: Path) -> pd.DataFrame:
    try:
        from galvani import BioLogic
    except ImportError:
        raise BadInput("curve", path, "an .mpr file needs galvani (pip install galvani); .mpt does not") from None
    return pd.DataFrame(BioLogic.MPRfile(str(path)).data)


def _csv(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, comment="#")


def _column(table: pd.DataFrame, unit: str, path: Path) -> Array:
    """The column of a quantity in SI; its name ends with its unit, after a slash or an underscore."""
    for name in NAMES[unit]:
        for prefix, scale in SCALES.items():
            for column in (f"{name}/{prefix}{unit}", f"{name}_{prefix}{unit}"):
                if column in table:
                    return pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=float) * scale
    have = ", ".join(map(str, table.columns))
    raise BadInput("curve", path, f"needs a column such as {NAMES[unit][0]}/{unit} with its unit; it has {have}")
