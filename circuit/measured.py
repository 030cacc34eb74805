"""Measured curves: time, V_m of the cell and I_m (charging positive) from the columns of an instrument's file.

A column's name is a quantity and its unit: `Ewe/V`, `<I>/mA`, `I_m_A`, `Test_Time(s)`, `Current / A`, `Voltage [V]`.

- V_m is a cell voltage (Ewe-Ece, Ecell, V_m, voltage) where the file has one, else Ewe - Ece, else Ewe alone.
- Of a quantity and its average (`I`, `<I>`), the average is taken. Two other columns that would do are refused.
- Without a current, I_m = dq/dt from `dq` or (Q-Qo): the charge between a row and the one before it, over the time
  between them. As in EC-Lab's own <I> of such files, this mean over the step is assigned to its end, and the first row
  has 0. EC-Lab's `dQ`, a sum over a whole sequence, is not used.
- PyBaMM's discharge current is positive. `Time [s]`, `Current [A]` and a `... voltage [V]`, spelled so, are taken for
  PyBaMM's and the current's sign is turned. Others write so too: with a current in square brackets, sum I_m dV_m must
  not be negative after that (it is positive for anything that charges when its voltage rises), or the file is refused.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from circuit.instruments import SPECTRUM, read_table
from transslit.drive import TableDrive
from transslit.errors import BadInput

Array = np.ndarray
FEWEST = 10  # rows of a curve
PREFIXES = {"": 1.0, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12}
UNITS = {  # SI unit and factor to it
    **{f"{p}{unit}": (unit, factor) for p, factor in PREFIXES.items() for unit in ("s", "V", "A", "C", "Hz")},
    **{f"{p}{hour}": ("C", 3600 * factor) for p, factor in PREFIXES.items() for hour in ("A.h", "Ah")},
    **{"min": ("s", 60.0), "h": ("s", 3600.0)},
    **{"second": ("s", 1.0), "volt": ("V", 1.0), "ampere": ("A", 1.0)},  # the battery data format's
}
NAMES = {  # by role: SI unit, and quantities in lower case
    "time": ("s", ("time", "t", "test time")),
    "cell voltage": ("V", ("ewe-ece", "ecell", "v m", "voltage", "terminal voltage", "v", "u", "potential", "vf")),
    "working electrode": ("V", ("ewe",)),
    "counter electrode": ("V", ("ece", "ecv")),  # galvani calls <Ece> of an .mpr <Ecv>
    "current": ("A", ("i", "i m", "im", "current")),
    "charge increment": ("C", ("dq",)),
    "charge": ("C", ("(q-qo)", "q-qo")),
    "frequency": ("Hz", ("freq", "frequency")),
}
Choices = tuple[tuple[str, ...], ...]  # of roles, by preference
POTENTIALS: Choices = (("cell voltage",), ("working electrode", "counter electrode"), ("working electrode",))
CURRENTS: Choices = (("current",), ("charge increment",), ("charge",))
EXAMPLES = {"time": "time/s", "voltage": "Ewe/V", "current": "<I>/mA"}
NAMED = re.compile(r"(.+?)\s*(?:\[([^][]*)\]|\(([^()]*)\)|/\s*([^][()/_\s]+)|[_\s]([^][()/_\s]+))")


@dataclass(frozen=True)
class Curve:
    """A measured curve: time in s from 0, V_m in V and I_m in A (charging positive), shape (k,) each."""

    time: Array
    voltage: Array
    current: Array


@dataclass(frozen=True)
class Column:
    """Position and name of a column; its quantity (lower case), whether that is an average, and its unit, if any."""

    place: int
    name: str
    quantity: str
    averaged: bool
    unit: str | None

    @classmethod
    def parse(cls, place: int, name: str) -> Column:
        """Parse a name: a quantity, then its unit after a slash, an underscore or a space, or in brackets."""
        plain = re.sub(r"^<(.+)/(\S+)>$", r"<\1>/\2", name.replace("\u00b5", "u").replace("\u03bc", "u"))
        quantity, unit = plain, None
        if split := NAMED.fullmatch(plain):
            *certain, spaced = split.groups()[1:]  # V_m and I Range end in none
            unit = next((text.strip() for text in certain if text is not None), spaced if spaced in UNITS else None)
            quantity = plain if unit is None else split[1]
        return cls(place, name, _quantity(quantity), quantity.startswith("<"), unit)


def read_curve(path: Path) -> Curve:
    """Read a measured cyclic voltammogram or galvanostatic curve.

    Raises
    ------
    BadInput : no such file, of an unknown kind, or a spectrum; a column missing, without a unit or not unique; a cell
        that is not a finite number; fewer than ten rows; time that does not increase
    """
    path = Path(path)
    with _refused("curve", path):
        columns, values = _read(path, {"time": (("time",),), "voltage": POTENTIALS, "current": CURRENTS})
        time, voltage, current = (_difference(values[name]) for name in ("time", "voltage", "current"))
        if len(time) < FEWEST:
            raise ValueError(f"holds {len(time)} rows; needs ten or more")
        if not (rising := time[1:] > time[:-1]).all():
            raise ValueError(f"time must increase; row {int(np.argmin(rising)) + 2} does not")
        source = columns["current"][0]
        if source.quantity in NAMES["charge increment"][1]:
            current = _mean_current(time, current[1:])
        elif source.quantity in NAMES["charge"][1]:
            current = _mean_current(time, np.diff(current))
        elif "[" in source.name:
            current = _charging(current, voltage, {column.name for read in columns.values() for column in read})
        curve = Curve(time - time[0], voltage, current)
        if not all(np.isfinite(numbers).all() for numbers in (curve.time, curve.voltage, curve.current)):
            raise ValueError("holds numbers too large to be those of a cell")
        return curve


def read_drive(path: Path) -> TableDrive:
    """A drive from columns of time and V_m or I_m, whose names include their units.

    Raises
    ------
    BadInput : unreadable, a column missing, without its unit or not unique, both V_m and I_m, a current of unknown
        sign, or time that does not increase
    """
    path = Path(path)
    with _refused("drive_table", path):
        wanted: dict[str, Choices] = {"time": (("time",),), "voltage": POTENTIALS, "current": CURRENTS[:1]}
        columns, values = _read(path, wanted, needed=("time",))
        for column in columns["current"]:
            if "[" in column.name:
                raise ValueError(f"{column.name} may be PyBaMM's, which discharges the cell; write I_m_A, charging it")
    return TableDrive.read(
        str(path), **{name: tuple(_difference(numbers).tolist()) for name, numbers in values.items() if numbers}
    )


@contextmanager
def _refused(field: str, path: Path) -> Iterator[None]:
    """Raise errors of a reader as `BadInput`; readers themselves refuse numbers that overflow."""
    try:
        with np.errstate(all="ignore"):
            yield
    except (ValueError, OSError, csv.Error) as error:
        message = " ".join(str(error).split())
        raise BadInput(field, path, message if len(message) < 400 else f"{message[:400]} ...") from None


def _read(
    path: Path, wanted: Mapping[str, Choices], needed: Collection[str] = ("time", "voltage", "current")
) -> tuple[dict[str, list[Column]], dict[str, list[Array]]]:
    """The columns of each quantity, and their numbers in SI, (k,) each; empty lists where the file lacks them."""
    table = read_table(path)
    columns = [Column.parse(place, name) for place, name in enumerate(table.names)]
    for column in columns:  # EC-Lab's modulo bat writes a frequency with its curves: 0
        if column.quantity in NAMES["frequency"][1] and any(table.numbers([column.place])[0]):
            raise ValueError(f"holds {SPECTRUM} (it has {column.name})")
    chosen = {name: _first(columns, choices) for name, choices in wanted.items()}
    for name in needed:
        if not chosen[name]:
            have = ", ".join(name for name in table.names if name)
            raise ValueError(f"needs a column such as {EXAMPLES[name]}, with its unit; it has {have}")
    places = [column.place for read in chosen.values() for column in read]
    numbers = iter(table.numbers(places))  # read together: one decimal mark for all
    return chosen, {name: [UNITS[c.unit or ""][1] * next(numbers) for c in read] for name, read in chosen.items()}


def _first(columns: list[Column], choices: Choices) -> list[Column]:
    """The columns of the first choice of which every role has a column, or none."""
    for roles in choices:
        matches = [column for role in roles if (column := _of_role(columns, role))]
        if len(matches) == len(roles):
            return matches
    return []


def _of_role(columns: list[Column], role: str) -> Column | None:
    unit, quantities = NAMES[role]
    named = [column for column in columns if column.quantity in quantities]
    matches = [column for column in named if UNITS.get(column.unit or "", ("",))[0] == unit]
    averages = {column.quantity for column in matches if column.averaged}
    matches = [column for column in matches if column.averaged or column.quantity not in averages]
    if len(matches) > 1:
        raise ValueError(f"{matches[0].name} and {matches[1].name} would both do as {role}; keep one")
    if named and not matches:
        wrong = named[0]
        fault = "names no unit" if wrong.unit is None else f"has a unit, {wrong.unit}, that is not one of {role}"
        raise ValueError(f"{wrong.name} {fault}; write {wrong.quantity.replace(' ', '_')}/{unit}, or with a prefix")
    return matches[0] if matches else None


def _difference(values: list[Array]) -> Array:
    """The only array, or the first minus the second (Ewe - Ece)."""
    return values[0] - values[1] if len(values) == 2 else values[0]


def _mean_current(time: Array, charge: Array) -> Array:
    """The mean current (k,) up to each row from the charge (k - 1,) that passed since the row before."""
    return np.concatenate([[0.0], charge / np.diff(time)])


def _charging(current: Array, voltage: Array, names: set[str]) -> Array:
    """The current (charging positive) of a column in [A], which discharges the cell in PyBaMM's files."""
    pybamm = {"Time [s]", "Current [A]"} <= names and bool({"Voltage [V]", "Terminal voltage [V]"} & names)
    current = -current if pybamm else current
    if not np.sum((current[1:] + current[:-1]) * np.diff(voltage)) >= 0:
        taken = "discharging, as PyBaMM's" if pybamm else "charging"
        raise ValueError(f"its current, taken for {taken}, does not fit its voltage; write I_m_A, charging positive")
    return current


def _quantity(name: str) -> str:
    name = name.strip("<> ").replace("_", " ")
    return name if name == "dQ" else name.lower()
