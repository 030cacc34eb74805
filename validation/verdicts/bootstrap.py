"""Interval of a statistic over the independent blocks of a record.

Half-cells share their box and its start: how much they are alike beyond the mean is measured, and they count for as
many independent blocks as that leaves (`transslit.resampling`; percentile interval: Efron & Tibshirani, An Introduction
to the Bootstrap, 1993).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from transslit.resampling import PERCENTILES, draws, effective_samples, independent_blocks
from validation.verdicts.verdict import Estimate


def bootstrap(
    statistic: Callable[..., float],
    *arrays: np.ndarray,
    seed: int = 0,
    boxes: np.ndarray | None = None,
    factors: Sequence[float] = (),
) -> Estimate:
    """`statistic` of the block means of `arrays` (each (blocks, ...)), with its 95 % percentile interval.

    `boxes` (blocks,) names each block's box; without it blocks count as independent. With a single block the
    value is deterministic (a continuum run) and the interval has no width. `factors` are relative standard errors of
    measured factors that `statistic` takes after the arrays: one for the value, log-normal about it in the draws.
    """
    value = float(statistic(*(a.mean(axis=0) for a in arrays), *np.ones(len(factors))))
    count = len(arrays[0])
    if count == 1:
        return Estimate.exact(value)
    groups = np.arange(count) if boxes is None else boxes
    flat = [np.asarray(a, dtype=float).reshape(count, -1) for a in arrays]
    weights = draws(count, min(independent_blocks(a, groups) for a in flat), seed)
    means = [np.tensordot(weights, a, axes=1) for a in arrays]
    drawn = np.exp(np.random.default_rng(seed + 1).normal(size=(len(weights), len(factors))) * factors)
    values = [float(statistic(*draw)) for draw in zip(*means, *drawn.T, strict=True)]
    low, high = np.nanpercentile(values, PERCENTILES)
    samples = min(effective_samples(a, groups) for a in flat)
    # A statistic that is not linear can lie outside the draws of few blocks: such an interval must not decide.
    return replace(Estimate.around(value, low, high), samples=samples, boxes=len(np.unique(groups)))
