"""The table of judged settings, a row each, and what is computed from it without an emulator.

Columns are the setting's fields, R_c and gamma by width (`R_c 1.5`, `gamma 1.5`, nm), the steric share by
width (`steric 3`), and a number for each part of a claim (`C09.c`). A claim holds where all of its parts lie within
their tolerances, as single numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from studies.missing_methods.judge import JudgedSetting
from studies.missing_methods.setting import Setting
from validation.claims.resistance import FLAT
from validation.presets import WIDTHS


class Part(NamedTuple):
    """A number of a claim, and its tolerance."""

    id: str
    title: str
    low: float = -math.inf
    high: float = math.inf

    @property
    def claim(self) -> str:
        """C09 of C09.c."""
        return self.id.split(".")[0]


SETTING = tuple(Setting.model_fields)


def table_row(judged: JudgedSetting) -> dict[str, float | str]:
    """A row of the table; a part without a value is NaN."""
    values: dict[str, float | str] = judged.setting.model_dump()
    for width, (resistance, gamma) in judged.laws.items():
        values |= {f"R_c {width}": resistance, f"gamma {width}": gamma}
    values |= {f"steric {width}": share for width, share in judged.steric.items()}
    return values | {part.id: math.nan if part.value is None else part.value for part in judged.parts}


def parts_of(judged: JudgedSetting) -> list[Part]:
    """The parts of a judged setting, by id."""
    return [
        Part(
            part.id,
            part.title,
            -math.inf if part.low is None else part.low,
            math.inf if part.high is None else part.high,
        )
        for part in sorted(judged.parts, key=lambda part: part.id)
    ]


def finished_rows(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a sweep's table that could be judged."""
    return table[table["status"] == "done"].reset_index(drop=True)


def coordinates(table: pd.DataFrame) -> np.ndarray:
    """Coordinates in the box of each row, shape (rows, 8)."""
    return np.array([Setting(**{name: row[name] for name in SETTING}).coordinates for _, row in table.iterrows()])


def claims_hold(table: pd.DataFrame, parts: Sequence[Part]) -> pd.DataFrame:
    """Whether each claim holds, a column per claim; a part that could not be judged does not hold."""
    inside = {part.id: table[part.id].between(part.low, part.high) for part in parts}
    return pd.DataFrame({claim: pd.DataFrame(inside)[ids].all(axis=1) for claim, ids in _by_claim(parts).items()})


def margins(table: pd.DataFrame, parts: Sequence[Part]) -> pd.DataFrame:
    """How far each claim's worst part lies inside its tolerance, in units of the tolerance; negative is outside.

    The unit is half the width between two limits, and for one limit its own size (the distance to 1 for a share near
    1), or 1 where it is zero.
    """
    margin = {}
    for part in parts:
        ends = [end for end in (part.low, part.high) if math.isfinite(end)]
        unit = (ends[1] - ends[0]) / 2 if len(ends) == 2 else abs(sum(ends))
        if len(ends) == 1 and 0.9 <= ends[0] < 1:
            unit = 1 - ends[0]
        margin[part.id] = np.minimum(table[part.id] - part.low, part.high - table[part.id]) / (unit or 1.0)
    return pd.DataFrame({claim: pd.DataFrame(margin)[ids].min(axis=1) for claim, ids in _by_claim(parts).items()})


def _by_claim(parts: Sequence[Part]) -> dict[str, list[str]]:
    claims: dict[str, list[str]] = {}
    for part in parts:
        claims.setdefault(part.claim, []).append(part.id)
    return claims


def with_resistivity_slopes(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the slopes d ln / d ln d of resistivities r = R d / L, which neglect the edge gap.

    How the paper computes a resistivity from a resistance is not in its text; `C09` takes r = R G, with the Laplace
    conductance G of slit and gap. Columns: `slope r_max`, `slope r_min`, `slope dr`, `slope dkappa`.
    """
    log_d = np.log(WIDTHS)
    largest = np.array([table[f"R_c {d * 1e9:g}"] for d in WIDTHS]).T
    smallest = largest * (1 - np.array([table[f"gamma {d * 1e9:g}"] for d in WIDTHS]).T)
    centred = log_d - log_d.mean()

    def slope(values: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log(values) @ centred / (centred @ centred)

    return table.assign(
        **{
            "slope r_max": slope(largest) + 1,
            "slope r_min": slope(smallest) + 1,
            "slope dr": slope(largest - smallest) + 1,
            "slope dkappa": slope(1 / smallest - 1 / largest) - 1,
        }
    )


# What should hold at one setting together, by columns of `with_resistivity_slopes`: gamma near 0.5; R_max flat while
# R_min falls as d falls; steric flux with migration below 2 nm and mostly against it from 3 nm on; dr flat; one R for
# every slit.
STATEMENTS = {
    "gamma about 0.5 at 1.5 nm": (Part("gamma 1.5", "", 0.45, 0.55),),
    "R_max flat, R_min falls": (Part("C10.a", "", -FLAT, FLAT), Part("C10.b", "", low=FLAT)),
    "steric flux turns at 2 nm": (
        *(Part(f"steric {width}", "", low=0.95) for width in ("1", "1.5")),
        *(Part(f"steric {width}", "", high=0.5) for width in ("3", "4", "5")),
    ),
    "dr flat": (Part("slope dr", "", -FLAT, FLAT),),
    "same R in every slit": tuple(Part(f"C08.{letter}", "", high=0.05) for letter in "abcd"),
}


def statements_hold(table: pd.DataFrame) -> pd.DataFrame:
    """Whether each of the `STATEMENTS` holds, a column each."""
    table = with_resistivity_slopes(table)
    inside = {
        label: [table[part.id].between(part.low, part.high) for part in parts] for label, parts in STATEMENTS.items()
    }
    return pd.DataFrame({label: np.logical_and.reduce(columns) for label, columns in inside.items()})
