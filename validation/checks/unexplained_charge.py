"""Charge that Nernst-Planck between slit centres does not explain of what is counted among atoms.

    s = int (I - I_migration - I_diffusion - I_steric) dt / int I dt,

signed: positive where more crosses than Nernst-Planck has it, negative where less. The parts are proportional to
each ion's D in the slits, whose own error enters the interval with that of the half-cells.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from transslit import TransSlitRecord
from transslit.series import as_table, series
from validation.verdicts.verdict import Estimate, Verdict, judge


def explained(record: TransSlitRecord) -> dict[str, float]:
    """Columns of what Nernst-Planck explains of each ion's current, with the relative error of the ion's D."""
    known, error = (record.metadata.get(name, {}) for name in ("D_used_m2_per_s", "D_in_slit_error_m2_per_s"))
    return {
        f"I_{ion}_explained_A_per_m": float(error.get(ion) or 0.0) / known[ion]
        for ion in record.ions
        if ion in known and f"I_{ion}_explained_A_per_m" in record.crossings
    }


def unexplained(left: np.ndarray, total: np.ndarray, *explained_and_factors: Any) -> float:
    """s from the charges left over and counted; then what each ion explains of it, and by how much its D is off."""
    half = len(explained_and_factors) // 2
    charges, factors = explained_and_factors[:half], explained_and_factors[half:]
    missed = sum((1 - factor) * charge.sum() for charge, factor in zip(charges, factors, strict=True))
    counted = total.sum()
    return float((left.sum() + missed) / counted) if counted else math.nan


def unexplained_share(record: TransSlitRecord, i: int = 1, window: tuple[float, float] = (0.0, math.inf)) -> Estimate:
    """s of crossing `i` of both electrodes over the `window` in s after onset, with its 95 % interval.

    A current stands for the interval that its frame ends.
    """
    names = explained(record)
    arrays = []
    for column in ("I_residual_A_per_m", "I_A_per_m", *names):
        data = series(record, column, i, "both").after(0.0)
        inside = (data.time > window[0] + 1e-18) & (data.time <= window[1] + 1e-18)
        arrays.append((data.blocks * np.diff(data.time, prepend=0.0))[:, inside])
    return Estimate.of(unexplained, *arrays, layout=data.layout, factors=list(names.values()))


def residual(md: TransSlitRecord, family: str, setting: str) -> Verdict:
    """Share of the counted charge that Nernst-Planck between slit centres does not explain."""
    currents = {column: series(md, column, 1, "both").after(0.0) for column in ("I_A_per_m", "I_residual_A_per_m")}
    return judge(
        f"{family}.residual",
        "Charge that Nernst-Planck leaves unexplained in molecular dynamics",
        unexplained_share(md),
        low=-0.5,
        high=0.5,
        reason="residual over counted charge, the error of D in the slits included; within one half the two-point flux"
        " describes more than it leaves",
        setting=f"{setting}, between slits 1 and 2",
        evidence=as_table(**currents),
    )
