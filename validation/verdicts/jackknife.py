"""Jackknife interval of a statistic over blocks that share boxes and half-electrodes (`transslit.resampling`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from transslit.resampling import Layout, Spread, effective_samples, pseudo_values, spread
from validation.verdicts.verdict import Estimate


class Scale(NamedTuple):
    """Scale on which a statistic has its interval, and the way back."""

    there: Callable[[float], float]
    back: Callable[[float], float]


LINEAR = Scale(float, float)
SHARE = Scale(float, lambda x: min(max(x, 0.0), 1.0))
POSITIVE = Scale(float, lambda x: max(x, 0.0))
FISHER = Scale(lambda r: float(np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))), math.tanh)  # of correlations


def jackknife(
    statistic: Callable[..., float],
    *arrays: np.ndarray,
    layout: Layout = (None, None),
    factors: Sequence[float] = (),
    scale: Scale = LINEAR,
) -> Estimate:
    """`statistic` of the block means of `arrays` (each (blocks, ...)), with its 95 % interval.

    `layout` names each block's box and half-electrode; without it blocks are independent. A single block is
    deterministic (a continuum run) and its interval has no width; one box has none. `factors` are relative standard
    errors of measured factors that `statistic` takes after the arrays: one for the value.
    """
    known = np.ones(len(factors))

    def of(*means: np.ndarray, factors: np.ndarray = known) -> float:
        return scale.there(float(statistic(*means, *factors)))

    means, count = [a.mean(axis=0) for a in arrays], len(arrays[0])
    value = float(statistic(*means, *known))
    if count == 1:
        return Estimate.exact(value)
    pseudo = pseudo_values(of, arrays)
    variance, freedom = spread(pseudo, *layout)
    samples = min(effective_samples(a, pseudo.var(ddof=1), float(variance)) for a in arrays)
    steps = np.exp(np.diag(factors))
    measured = sum((of(*means, factors=step) - of(*means, factors=1 / step)) ** 2 / 4 for step in steps)
    share = variance / (variance + measured) if 0 < measured < math.inf else np.ones(())
    whole = Spread(variance + measured, freedom / np.maximum(share, 1e-6) ** 2)
    half = float(whole.half_width)
    low, high = (scale.back(scale.there(value) + sign * half) for sign in (-1, 1))
    if not math.isfinite(half):
        low, high = -math.inf, math.inf
    return Estimate(value, low, high, samples, count if layout[0] is None else len(np.unique(layout[0])))
