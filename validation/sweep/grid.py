"""The points of a sweep: every combination of some options' values, as `--vary` and `--table` give them:

slit=1.5nm,2nm,3nm           these values
ion-diameter=0.3nm:0.7nm:5   five of them, evenly spaced, both ends included
scan-rate=1mV/us:1V/us:7:log seven of them, evenly spaced in their logarithm
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np

from transslit.errors import BadInput
from transslit.units import SI_UNITS, in_unit, number, parse, split

MOST = 1_000_000  # points of one sweep
FORM = "give NAME=VALUE,VALUE,... or NAME=LOW:HIGH:COUNT, with :log for even ratios, as slit=1.5nm:5nm:8"
COUNT = re.compile("[0-9]{1,18}")
Setting = dict[str, str]  # of a point: texts of the options that vary, by their names


def settings(vary: Sequence[str], table: Path | None = None) -> list[Setting]:
    """Every combination of the values of `vary`, the last quickest, at every row of `table` if there is one.

    Raises
    ------
    BadInput : not of the form above, a name given twice, or too many points
    """
    axes = [axis(text) for text in vary]
    rows = [{}] if table is None else read_rows(table)
    names = [name for name, _ in axes] + list(rows[0])
    if not names:
        raise BadInput("vary", "missing", FORM)
    if repeated := [name for name in names if names.count(name) > 1]:
        raise BadInput("vary", repeated[0], "is given twice")
    if math.prod(len(values) for _, values in axes) * len(rows) > MOST:
        raise BadInput("vary", " ".join(vary), f"are more than {MOST} points")
    grid = [dict(zip(names, values, strict=False)) for values in product(*(values for _, values in axes))]
    return [row | point for row in rows for point in grid]


def axis(text: str) -> tuple[str, list[str]]:
    """Name and values (as texts) of one `--vary`."""
    name, _, right = text.partition("=")
    name, parts = option_name(name), [part.strip() for part in right.split(":")]
    values = [part.strip() for part in right.split(",")]
    if not name or "" in parts or "" in values or len(parts) == 2:
        raise BadInput("vary", text, FORM)
    if len(parts) == 1:
        bare = [value for value in values if re.fullmatch(r"[^A-Za-z]*[0-9.]", value)]
        if 0 < len(bare) < len(values) and any(value[:1].isdigit() for value in values if value not in bare):
            raise BadInput("vary", text, f"{bare[0]} has no unit; a comma parts values, and is no decimal point")
        return name, list(dict.fromkeys(values))
    low, high, count, *log = parts
    if log not in ([], ["log"]) or not COUNT.fullmatch(count):
        raise BadInput("vary", text, FORM)
    if not 2 <= int(count) <= MOST:
        raise BadInput("vary", text, f"the count must be 2 to {MOST}")
    try:  # both in the unit of the first, so that 1nm:2nm:3 gives the texts that a list would
        first, unit = split(low)
        ends = number(first), in_unit(high, unit)
    except ValueError as error:
        raise BadInput("vary", text, f"{error}; {FORM}") from None
    if log and min(ends) <= 0:
        raise BadInput("vary", text, "even ratios need two values above zero")
    spaced = np.geomspace if log else np.linspace
    return name, [f"{value:.12g}{unit}" for value in spaced(*ends, int(count))]


def read_rows(path: Path) -> list[Setting]:
    """A CSV with a column per option and a row per point, values as the options take them (quantities with units).

    Raises
    ------
    BadInput : cannot be read, is empty, or has rows of another length than its head
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            head, *rows = [[cell.strip() for cell in row] for row in csv.reader(file) if row]
    except (OSError, ValueError, csv.Error) as error:
        raise BadInput("table", path, f"cannot be read as CSV ({str(error).splitlines()[0]})") from None
    names = [option_name(name) for name in head]
    if not rows or "" in names or len(set(names)) < len(names):
        raise BadInput("table", path, "needs a row of names of options, each once, and a row per point")
    for line, row in enumerate(rows, start=2):
        if len(row) != len(names) or "" in row:
            raise BadInput("table", f"{path}, row {line}", f"needs {len(names)} values")
    return [dict(zip(names, row, strict=True)) for row in rows]


def option_name(text: str) -> str:
    """An option's name in the configurations, from `ion-diameter`, `--ion-diameter` or `ion_diameter`."""
    return text.strip().removeprefix("--").replace("-", "_")


def columns(setting: Mapping[str, str]) -> dict[str, float | str]:
    """A point's settings as columns of a table: quantities in SI with the unit in the name, other texts unchanged."""
    return dict(_column(name, text) for name, text in setting.items())


@cache
def _column(name: str, text: str) -> tuple[str, float | str]:
    try:
        written, unit = split(text)
        if not unit:
            return name, int(text) if COUNT.fullmatch(text) else number(written)
    except ValueError:
        return name, text
    for kind in ("elementary charge", *SI_UNITS) if unit == "e" else SI_UNITS:
        try:
            value = float(f"{parse(text, kind):.12g}")
        except ValueError:
            continue
        return f"{name}_{SI_UNITS[kind][0].replace('/', '_per_').replace('^', '')}", value  # V/s: V_per_s
    return name, text
