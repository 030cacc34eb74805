"""Three levels of one small step side by side: atoms, ions in implicit water, continuum; at the same instants.

The step is a tenth of the paper's, in pairs of opposite sign, whose mean in the charging frame is the linear response.
Ions in implicit water differ from the continuum by one thing, that they are particles, and from the atoms by one
thing, the water: a disagreement has an address. Levels are means over the fifth of the time before each instant, of
all levels alike, and absolute: a run that has not arrived has no final level of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from transslit import TransSlitRecord
from transslit.series import Course, Series, courses
from validation.verdicts.verdict import Estimate, Verdict, judge

LEVELS = ("atoms", "ions", "continuum")
INSTANTS = (10e-12, 30e-12, 60e-12, 150e-12, 300e-12)  # s
BEFORE = 0.2  # of an instant, over which its level is the mean
QUANTITIES = ("stored", "dphi", "total", "migration", "diffusion")
ALIKE = 0.25  # relative difference that counts as none


class Level(NamedTuple):
    """A quantity of one level at an instant."""

    estimate: Estimate
    series: Series


def level(course: Course, instant: float) -> Level | None:
    """Mean over the time before an instant (s); None where the run ends before it."""
    data = course.data
    if data.time[-1] < instant * (1 - 1e-9):
        return None
    window = (data.time > (1 - BEFORE) * instant) & (data.time <= instant * (1 + 1e-9))
    if not window.any():  # a continuum's steps may be longer
        values = np.array([np.interp(instant, data.time, block) for block in data.blocks])[:, None]
    else:
        values = data.blocks[:, window].mean(axis=1, keepdims=True)
    return Level(Estimate.of(lambda mean: float(mean[0]), values, layout=data.layout), data)


def three_levels(records: Mapping[str, TransSlitRecord]) -> pd.DataFrame:
    """Every quantity of the records of a small step, by level, at every instant that its run reaches.

    Returns
    -------
    table : quantity, i, time_ps, unit, for each of `LEVELS` value, _low, _high (empty where there is none), and
        `particles` and `water`: ions less continuum, and atoms less ions, in words
    """
    found = {name: {(c.quantity, c.i): c for c in courses(record)} for name, record in records.items()}
    rows = []
    for (quantity, i), reference in found["continuum"].items():
        if quantity not in QUANTITIES:
            continue
        for instant in INSTANTS:
            row: dict[str, object] = {"quantity": quantity, "i": i, "time_ps": instant * 1e12, "unit": reference.unit}
            known: dict[str, Estimate] = {}
            for name in LEVELS:
                course = found.get(name, {}).get((quantity, i))
                if course is not None and (at := level(course, instant)) is not None:
                    known[name] = at.estimate
                    values = (at.estimate.value, at.estimate.low, at.estimate.high)
                    row |= dict(zip((name, f"{name}_low", f"{name}_high"), np.multiply(values, reference.scale), strict=True))
            scale = abs(known["continuum"].value) if "continuum" in known else np.nan
            row["particles"] = apart(known.get("ions"), known.get("continuum"), scale)
            row["water"] = apart(known.get("atoms"), known.get("ions"), scale)
            rows.append(row)
    return pd.DataFrame(rows)


def apart(first: Estimate | None, second: Estimate | None, scale: float) -> str:
    """Whether two levels differ: by how much of the continuum's, "none", or "not resolved"; empty where one lacks."""
    if first is None or second is None:
        return ""
    difference = first.value - second.value
    reach = float(np.hypot(first.half_width, second.half_width))
    if abs(difference) > reach:
        return f"{difference / scale:+.0%}"
    return "none" if abs(difference) + reach < ALIKE * scale else "not resolved"
