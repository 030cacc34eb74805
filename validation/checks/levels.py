"""Three levels of one small step side by side: atoms, ions in implicit water, continuum; at the same instants.

The step is a tenth of the paper's, in pairs of opposite sign, whose mean in the charging frame is the linear response.
Ions in implicit water differ from the continuum by one thing, that they are particles, and from the atoms by one
thing, the water: a disagreement has an address. Levels are means over the fifth of the time before each instant, of
all levels alike, and absolute: a run that has not arrived has no final level of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from md.shipped import small_steps
from transslit import SlitNetwork, TransSlitRecord
from transslit.series import Course, courses
from validation.checks.courses import WORDS
from validation.checks.judge import Source
from validation.verdicts.verdict import Estimate, Verdict, judge

LEVELS = ("atoms", "ions", "continuum")
INSTANTS = (10e-12, 30e-12, 60e-12, 150e-12, 300e-12)  # s
BEFORE = 0.2  # of an instant, over which its level is the mean
QUANTITIES = ("stored", "dphi", "total", "migration", "diffusion")
SATURATED = 0.26  # C/m^2, polarisation of water with all dipoles aligned: 33.3 /nm^3 of SPC/E's 2.35 D
ALIKE = 0.25  # relative difference that counts as none
ADDRESSES = {  # of a difference: the two levels that differ by one thing
    "particles": ("ions", "continuum", "ions are particles, with correlations and a shape of their own"),
    "water": ("atoms", "ions", "water is molecules, not a dielectric"),
}


def displaced(network: SlitNetwork, sheet_charge: float) -> float:
    """Charge in C/m^2 that a step to `sheet_charge` (C/m^2) displaces through a mid-plane: half an electrode's."""
    length = network.slit_length
    return sheet_charge * (2 * length + 4 * network.slits * (length - network.edge_gap)) / (4 * length)


def of_small_step(sources: Mapping[str, Source]) -> dict[str, TransSlitRecord]:
    """Records of the small step by level: this run's, and atoms as they come with the suite, where they fit."""
    ions = sources["ions"].record
    found = {"ions": ions, "continuum": sources["small"].record}
    atoms = small_steps(ions)
    return {"atoms": atoms[-1], **found} if atoms else found


def level(course: Course, instant: float, deterministic: bool) -> Estimate | None:
    """Mean over the time before an instant (s) in the course's unit; None where the run ends before it."""
    data = course.data
    if data.time[-1] < instant * (1 - 1e-9):
        return None
    window = np.linspace((1 - BEFORE) * instant, instant, 21)
    values = np.array([np.interp(window, data.time, block).mean(keepdims=True) for block in data.blocks])
    if deterministic:
        return Estimate.exact(course.scale * float(values.mean()))
    return Estimate.of(lambda mean: course.scale * float(mean[0]), values, layout=data.layout)


def difference(first: Estimate, second: Estimate, scale: float) -> Estimate:
    """First less second over a scale."""
    value = (first.value - second.value) / scale
    reach = float(np.hypot(first.half_width, second.half_width)) / abs(scale)
    boxes = min((each.boxes for each in (first, second) if each.boxes), default=0)
    return Estimate(value, value - reach, value + reach, max(first.samples, second.samples), boxes)


def three_levels(records: Mapping[str, TransSlitRecord]) -> pd.DataFrame:
    """Every quantity of the records of a small step, by level, at every instant that its run reaches.

    Returns
    -------
    table : quantity, i, time_ps, unit; of each of `LEVELS` the value and its interval, <level>, _low and _high; and
        `particles` and `water`, whether two levels differ, in words; empty where a level is lacking
    """
    found = {name: {(c.quantity, c.i): c for c in courses(record)} for name, record in records.items()}
    rows = []
    for (quantity, i), reference in found["continuum"].items():
        if quantity not in QUANTITIES:
            continue
        for instant in INSTANTS:
            row: dict[str, object] = {"quantity": quantity, "i": i, "time_ps": instant * 1e12, "unit": reference.unit}
            known = _known(found, quantity, i, instant)
            for name in LEVELS:
                at = known.get(name)
                row[name], row[f"{name}_low"], row[f"{name}_high"] = (
                    (np.nan,) * 3 if at is None else (at.value, at.low, at.high)
                )
            for address, (first, second, _) in ADDRESSES.items():
                both = first in known and second in known
                row[address] = apart(known[first], known[second], known["continuum"].value) if both else ""
            rows.append(row)
    return pd.DataFrame(rows)


def _known(
    found: Mapping[str, Mapping[tuple[str, int], Course]], quantity: str, i: int, instant: float
) -> dict[str, Estimate]:
    """The levels of a quantity at an instant, by name."""
    at = {
        name: level(by[quantity, i], instant, name == "continuum") for name, by in found.items() if (quantity, i) in by
    }
    return {name: estimate for name, estimate in at.items() if estimate is not None}


def apart(first: Estimate, second: Estimate, scale: float) -> str:
    """Whether two levels differ: by how much of `scale`, "none", or "not resolved"."""
    found = difference(first, second, scale)
    if abs(found.value) > found.half_width:
        return f"{found.value:+.0%}"
    return "none" if abs(found.value) + found.half_width < ALIKE else "not resolved"


def compare_levels(records: Mapping[str, TransSlitRecord], setting: str) -> list[Verdict]:
    """Verdicts on the stored charge of each slit: neighbouring levels at the last instant that all of them reach."""
    found = {name: {(c.quantity, c.i): c for c in courses(record)} for name, record in records.items()}
    verdicts = []
    for (quantity, i), reference in found["continuum"].items():
        if quantity != "stored":
            continue
        known = [_known(found, quantity, i, instant) for instant in INSTANTS]
        for address, (first, second, thing) in ADDRESSES.items():
            both = [(t, at) for t, at in zip(INSTANTS, known, strict=True) if {first, second, "continuum"} <= set(at)]
            if not both:
                continue
            instant, at = both[-1]
            verdicts.append(
                judge(
                    f"levels.{i}.{address}",
                    f"Charge stored {instant * 1e12:g} ps after a small step, {first} less {second}",
                    difference(at[first], at[second], at["continuum"].value),
                    low=-ALIKE,
                    high=ALIKE,
                    reason=f"over the continuum's level then; they differ by one thing: {thing}",
                    setting=f"{setting}, slit {i}, both electrodes",
                    evidence=pd.DataFrame(
                        [
                            {"level": name, "stored": e.value, "low": e.low, "high": e.high, "unit": reference.unit}
                            for name, e in at.items()
                        ]
                    ),
                )
            )
    return verdicts


def as_text(table: pd.DataFrame) -> list[tuple[str, ...]]:
    """Rows of `three_levels` as a person reads them."""
    rows: list[tuple[str, ...]] = []
    for row in table.to_dict("records"):
        i, unit = int(row["i"]), row["unit"]
        place = f"{i}" if row["quantity"] == "stored" else f"{i} and {i + 1}"
        cells = ["" if np.isnan(row[name]) else _cell(row, name, unit) for name in LEVELS]
        rows.append((WORDS[row["quantity"]], place, f"{row['time_ps']:g}", *cells, row["particles"], row["water"]))
    return rows


def _cell(row: dict[str, float], name: str, unit: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    spread = f" [{low:.2g}, {high:.2g}]" if high > low else ""
    return f"{row[name]:.3g}{spread} {unit}"
