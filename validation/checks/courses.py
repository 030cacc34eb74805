"""Molecular dynamics beside the continuum, as tables: courses over time with bands, and levels with ratios.

Courses and levels are in the charging frame, both electrodes pooled: stored charge Q_i(t) since the step, ion
concentration c_i(t), the differences dphi_i, drho_i, dc_i between neighbouring slits, and the charge that each
mechanism has carried from slit i + 1 to slit i, int I_i dt. Bands are 95 % intervals over boxes and half-electrodes;
the continuum is deterministic and has none. A comparison of two models: neither is the reference.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from transslit import TransSlitRecord
from transslit.record import PARTS
from transslit.series import Series, courses, final_level, first_passage, same_level
from validation.checks.against import Statistic
from validation.verdicts.verdict import Estimate

WORDS = {
    "stored": "stored charge",
    "t63": "time in which the slit fills to one level",
    "content": "ion concentration",
    "dphi": "potential difference",
    "drho": "difference of net charge density",
    "dc": "difference of ion concentration",
    "total": "charge carried",
    "migration": "charge carried by migration",
    "diffusion": "charge carried by diffusion",
    "steric": "charge carried by steric flux",
    "residual": "charge carried otherwise",
}


CARRIED = ("total", *(part.split("_")[1] for part in PARTS))


def curves(records: dict[str, TransSlitRecord]) -> pd.DataFrame:
    """All courses: one row per (source, quantity, i, time).

    Returns
    -------
    table : source, quantity, i, time_ps, value, low, high, unit; low and high are empty without statistics
    """
    rows = []
    for source, record in records.items():
        for course in courses(record):
            data, scale = course.data, course.scale
            low, high = data.band()
            rows.append(
                pd.DataFrame(
                    {
                        "source": source,
                        "quantity": course.quantity,
                        "i": course.i,
                        "time_ps": data.time * 1e12,
                        "value": data.mean * scale,
                        "low": low * scale,
                        "high": high * scale,
                        "unit": course.unit,
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)


def levels(md: TransSlitRecord, continuum: TransSlitRecord) -> pd.DataFrame:
    """Levels in the last quarter of the atoms' time, charges carried by its end, times to one level; and their ratio.

    Both are taken at the same time, since a run that has not arrived has no final level of its own. The time in which a
    slit fills is that to one level, `series.same_level` of both.

    Returns
    -------
    table : quantity, i, unit, atoms, atoms_low, atoms_high, continuum_then, ratio, ratio_low, ratio_high, and
        continuum, at the end of its own run (empty for times)
    """
    reference = {(c.quantity, c.i): c.data for c in courses(continuum)}
    rows = []
    for quantity, i, unit, scale, data in courses(md):
        if (quantity, i) not in reference:
            continue
        other = reference[quantity, i]
        same = Series(data.time, np.interp(data.time, other.time, other.mean)[None])
        statistic = _last if quantity in CARRIED else final_level
        end = statistic(other.time, other.mean) * scale
        rows.append((quantity, i, unit, *_compared(data, same, statistic, scale), end))
        if quantity == "stored":
            level = same_level((data.time, data.mean), (same.time, same.mean))
            rows.append(("t63", i, "ps", *_compared(data, same, partial(first_passage, level=level), 1e12), np.nan))
    columns = ["quantity", "i", "unit", "atoms", "atoms_low", "atoms_high", "continuum_then", "ratio", "ratio_low"]
    table = pd.DataFrame(rows, columns=[*columns, "ratio_high", "continuum"])
    order = {quantity: place for place, quantity in enumerate(WORDS)}
    return table.sort_values("quantity", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def _last(time: np.ndarray, value: np.ndarray) -> float:
    """What has been carried by the end; a sum needs no average."""
    return float(value[-1])


def _compared(data: Series, same: Series, statistic: Statistic, scale: float) -> tuple[float, ...]:
    """A statistic of the atoms with its interval, of the continuum at the same times, and the ratio with its own."""
    result = Estimate.of(lambda mean: statistic(data.time, mean), data.blocks, layout=data.layout)
    then = statistic(same.time, same.mean)
    reference = then or np.nan
    low, high = sorted((result.low / reference, result.high / reference))
    levels = (result.value, result.low, result.high, then)
    return (*(level * scale for level in levels), result.value / reference, low, high)


def as_text(levels: pd.DataFrame) -> list[tuple[str, ...]]:
    """Rows of `levels` as a person reads them: quantity, slit, atoms, continuum then, continuum at its end, ratio."""
    rows: list[tuple[str, ...]] = []
    for row in levels.to_dict("records"):
        i = int(row["i"])
        place = f"{i}" if row["quantity"] in ("stored", "t63", "content") else f"{i} and {i + 1}"
        atoms, low, high, then = (_short(row[name]) for name in ("atoms", "atoms_low", "atoms_high", "continuum_then"))
        end = "" if np.isnan(row["continuum"]) else _short(row["continuum"])
        ratio = f"{_ratio(row['ratio'])} [{_ratio(row['ratio_low'])}, {_ratio(row['ratio_high'])}]"
        if row["ratio_low"] < 0 < row["ratio_high"]:
            ratio = "sign undecided"
        rows.append((WORDS[row["quantity"]], place, f"{atoms} [{low}, {high}] {row['unit']}", then, end, ratio))
    return rows


def _ratio(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"


def _short(value: float) -> str:
    return f"{value:.0f}" if 1000 <= abs(value) < 1e5 else f"{value:.3g}"
