"""Intervals of means and of statistics of means over blocks that share boxes and half-electrodes.

A block is one half-electrode (face of an electrode) of one box. The faces are equivalent by symmetry, but a box shares
its start and its fluctuations, the faces of an electrode in it share more, and where boxes fork from one trajectory a
half-electrode has the same ions in every box. These effects cross,

    y_bh = mu + B_b + E_b,electrode(h) + H_h + noise,

and the two-way layout of n boxes and m half-electrodes gives the variance of its mean (Searle, Casella & McCulloch,
Variance Components, 1992; for clusters that cross, Cameron, Gelbach & Miller, J. Bus. Econ. Stat. 29, 238 (2011),
doi:10.1198/jbes.2010.07136)

    var(mean) = [MS_box + max(MS_half - MS_residual, 0)] / (n m).

E is in MS_box in full, and in the other two alike. The interval is that of Student's t with Satterthwaite's degrees of
freedom (Biometrics Bull. 2, 110 (1946)), at least the fewer of n - 1 and m - 1. Two or three half-electrodes are too
few to tell H from noise: there the wider of the intervals by MS_box and n - 1, and by MS_half and m - 1, is taken. It
covers 95 % or more, whichever effect prevails. One box has no interval.

Statistics that are not means take the jackknife's pseudo-values of their blocks in place of y (L. Jaeckel's
infinitesimal jackknife; B. Efron, The Jackknife, the Bootstrap and Other Resampling Plans, 1982, chapter 6), with
differences as wide as a standard error: signs and first passages change in steps, which narrower ones would miss.
Nothing is drawn at random.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from scipy.special import fdtri, stdtrit

CONFIDENCE = 0.95  # of every interval and half-width that the suite reports
PERCENTILES = (
    round(50 * (1 - CONFIDENCE), 6),
    round(50 * (1 + CONFIDENCE), 6),
)  # between which a central interval lies
STANDARD_ERRORS = round(NormalDist().inv_cdf((1 + CONFIDENCE) / 2), 2)  # half-width of a normal's interval
ENOUGH_HALVES = 4  # half-electrodes from which on their effects are told from noise
ALIKE_STARTS = (0.95, 0.999)  # probabilities that unrelated starts are less alike than the limits of `alike_halves`

Layout = tuple[np.ndarray | None, np.ndarray | None]  # box and half-electrode of each block, (blocks,); None: unknown


class Spread(NamedTuple):
    """Variance of a mean and its degrees of freedom, arrays of the shape of the mean; infinite where unknowable."""

    variance: np.ndarray
    freedom: np.ndarray

    @property
    def half_width(self) -> np.ndarray:
        """Half the width of the interval of the mean, by Student's t."""
        return np.asarray(stdtrit(self.freedom, (1 + CONFIDENCE) / 2) * np.sqrt(self.variance))


class _Crossed(NamedTuple):
    """Sums of deviations from the mean over the blocks of each cell, (boxes, halves, ...), and blocks in each."""

    sums: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, boxes: np.ndarray, halves: np.ndarray) -> _Crossed:
        (b, of_box), (h, of_half) = (np.unique(labels, return_inverse=True) for labels in (boxes, halves))
        sums, counts = np.zeros((len(b), len(h), *values.shape[1:])), np.zeros((len(b), len(h)))
        np.add.at(sums, (of_box, of_half), values - values.mean(axis=0))
        np.add.at(counts, (of_box, of_half), 1)
        return cls(sums, counts)

    def residual(self) -> tuple[np.ndarray, int]:
        """What neither boxes nor half-electrodes explain of the cells' sums, (cells, ...); degrees of freedom."""
        box, half = np.nonzero(self.counts)
        design = np.concatenate([np.eye(len(self.counts))[box], np.eye(self.counts.shape[1])[half]], axis=1)
        left, singular, _ = np.linalg.svd(design, full_matrices=False)
        basis = left[:, singular > 1e-9 * singular[0]]
        cells = self.sums[box, half]
        return cells - np.tensordot(basis, np.tensordot(basis.T, cells, axes=1), axes=1), len(cells) - basis.shape[1]


def _cluster_variance(sums: np.ndarray) -> np.ndarray:
    """Variance of the sum of `sums` (clusters, ...) that are independent and of mean zero."""
    return np.asarray(len(sums) / (len(sums) - 1) * (sums**2).sum(axis=0))


def spread(values: np.ndarray, boxes: np.ndarray | None = None, halves: np.ndarray | None = None) -> Spread:
    """Spread of the mean of `values` (blocks, ...) over blocks of which `boxes` and `halves` (blocks,) are known.

    Without `boxes` every block is one of its own; without `halves`, or with one, blocks are alike within boxes alone.
    Cells of several blocks (boxes of one start) count once, and cells may be missing.
    """
    values = np.asarray(values, dtype=float)
    count, shape = len(values), values.shape[1:]
    boxes = np.arange(count) if boxes is None else np.asarray(boxes)
    table = _Crossed.of(values, boxes, np.zeros(count) if halves is None else halves)
    n, m = table.counts.shape
    if n < 2 or not np.isfinite(values).all():
        return Spread(np.full(shape, np.inf), np.ones(shape))
    of_box = _cluster_variance(table.sums.sum(axis=1)) / count**2
    if m == 1:
        return Spread(of_box, np.full(shape, n - 1.0))
    of_half = _cluster_variance(table.sums.sum(axis=0)) / count**2
    by_box, by_half = (Spread(v, np.full(shape, k - 1.0)) for v, k in ((of_box, n), (of_half, m)))
    if m < ENOUGH_HALVES:
        wider = by_half.half_width > by_box.half_width
        return Spread(*(np.where(wider, of_h, of_b) for of_h, of_b in zip(by_half, by_box, strict=True)))
    left, freedom = table.residual()
    cells = len(left)
    noise = (left**2).sum(axis=0) / max(freedom, 1) * cells / count**2
    further = np.where(of_half > noise, of_half, 0.0)
    less = np.where(of_half > noise, noise, 0.0)
    variance = of_box + further - less
    uncertain = of_box**2 / (n - 1) + further**2 / (m - 1) + less**2 / max(freedom, 1)
    satterthwaite = np.divide(variance**2, uncertain, out=np.zeros(shape), where=uncertain > 0)
    return Spread(variance, np.maximum(satterthwaite, min(n, m) - 1))


def pseudo_values(statistic: Callable[..., float | np.ndarray], arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Pseudo-values (blocks,) of `statistic` of the block means of `arrays`, each (blocks, ...).

    For block j of n with the deviations d_j from the means a,

        theta_j = theta(a) + [theta(a + s d_j) - theta(a - s d_j)] / 2 s,   s = n^(-1/2).
    """
    step = len(arrays[0]) ** -0.5
    means = [a.mean(axis=0) for a in arrays]
    moved = [
        [statistic(*(mean + sign * step * (a[j] - mean) for mean, a in zip(means, arrays, strict=True)))
         for j in range(len(arrays[0]))] for sign in (1, -1)
    ]  # fmt: skip
    up, down = (np.array(each, dtype=float) for each in moved)
    return np.asarray(statistic(*means) + (up - down) / (2 * step))


class Scale(NamedTuple):
    """Scale on which a statistic has its interval, and the way back."""

    there: Callable[[float], float]
    back: Callable[[float], float]


LINEAR = Scale(float, float)
SHARE = Scale(float, lambda x: min(max(x, 0.0), 1.0))
POSITIVE = Scale(float, lambda x: max(x, 0.0))
FISHER = Scale(lambda r: float(np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))), math.tanh)  # of correlations


class Interval(NamedTuple):
    """A value, its interval, effective samples, and the boxes (or starts) that they come from; 0 where it is exact."""

    value: float
    low: float
    high: float
    samples: float = 0.0
    boxes: int = 0


def interval(
    statistic: Callable[..., float],
    *arrays: np.ndarray,
    layout: Layout = (None, None),
    factors: Sequence[float] = (),
    scale: Scale = LINEAR,
) -> Interval:
    """`statistic` of the block means of `arrays` (each (blocks, ...)), with its 95 % interval.

    `layout` names each block's box and half-electrode; without it blocks are independent. A single block is
    deterministic (a continuum run) and its interval has no width; that of one box is infinite. `factors` are relative
    standard errors of measured factors that `statistic` takes after the arrays: one for the value.
    """
    known = np.ones(len(factors))

    def of(*means: np.ndarray, factors: np.ndarray = known) -> float:
        return scale.there(float(statistic(*means, *factors)))

    means, count = [a.mean(axis=0) for a in arrays], len(arrays[0])
    value = float(statistic(*means, *known))
    if count == 1:
        return Interval(value, value, value)
    pseudo = pseudo_values(of, arrays)
    variance, freedom = spread(pseudo, *layout)
    samples = min(effective_samples(a, pseudo.var(ddof=1), float(variance)) for a in arrays)
    boxes = count if layout[0] is None else len(np.unique(layout[0]))
    if not np.isfinite(variance):
        return Interval(value, -math.inf, math.inf, samples, boxes)
    steps = np.exp(np.diag(factors))
    measured = sum((of(*means, factors=step) - of(*means, factors=1 / step)) ** 2 / 4 for step in steps)
    share = variance / (variance + measured) if measured else np.ones(())
    half = float(Spread(variance + measured, freedom / np.maximum(share, 1e-6) ** 2).half_width)
    centre = scale.there(value)
    return Interval(value, scale.back(centre - half), scale.back(centre + half), samples, boxes)


class Alike(NamedTuple):
    """Intraclass correlation of one half-electrode across boxes, and what 95 and 99.9 % of unrelated starts stay below.

    The correlation is NaN where it cannot be known.
    """

    correlation: float
    usual: float = 0.0
    largest: float = 0.0


def alike_halves(values: np.ndarray, layout: Layout) -> Alike:
    """How alike the same half-electrode is in all boxes, beyond others: `values` (blocks, variables) pooled.

    r = (F - 1) / (F - 1 + n) with F = sum MS_half / sum MS_residual over variables, n boxes. Variables are correlated
    and count for k = (tr S)^2 / tr S^2 of them, S the residual's covariance (G. E. P. Box, Ann. Math. Stat. 25, 290
    (1954), doi:10.1214/aoms/1177728786); the limits are those of F with k (m - 1) and k (n - 1)(m - 1) degrees of
    freedom.
    """
    boxes, halves = layout
    if boxes is None or halves is None:
        return Alike(math.nan)
    table = _Crossed.of(np.asarray(values, dtype=float), boxes, halves)
    n, m = table.counts.shape
    left, freedom = table.residual()
    if n < 2 or m < 2 or freedom < 1:
        return Alike(math.nan)
    noise = float((left**2).sum()) / freedom
    of_half = float(_cluster_variance(table.sums.sum(axis=0)).sum()) / len(left)
    covariance = left.T @ left
    square = float((covariance**2).sum())
    worth = float(np.trace(covariance)) ** 2 / square if square > 0 else 1.0
    usual, largest = (float(fdtri(worth * (m - 1), worth * freedom, level)) for level in ALIKE_STARTS)
    total = of_half + (n - 1) * noise
    correlation = (of_half - noise) / total if total > 0 else 0.0
    return Alike(correlation, *((limit - 1) / (limit - 1 + n) for limit in (usual, largest)))


def correlation_time(values: np.ndarray) -> float:
    """1 + 2 sum of autocorrelations, in samples, of the deviations of `values` (blocks, times) from their mean."""
    values = np.asarray(values, dtype=float)
    if len(values) < 2 or values.shape[1] < 2:
        return 1.0
    deviation = values - values.mean(axis=0)
    times = values.shape[1]
    power = np.abs(np.fft.rfft(deviation, 2 * times, axis=1)) ** 2
    covariance = np.fft.irfft(power.mean(axis=0))[:times] / np.arange(times, 0, -1)
    if covariance[0] <= 0:
        return 1.0
    correlation = covariance[1 : max(2, times // 2)] / covariance[0]
    negative = np.flatnonzero(correlation <= 0)
    return float(1 + 2 * correlation[: negative[0] if negative.size else None].sum())


def effective_samples(values: np.ndarray, variance: float, of_mean: float) -> float:
    """Independent samples in `values` (blocks, times): independent blocks times independent moments.

    The blocks are worth the `variance` of one over that `of_mean`, the mean of all: from one to their number.
    """
    values = np.asarray(values, dtype=float).reshape(len(values), -1)
    worth = min(max(variance / of_mean, 1.0), len(values)) if of_mean > 0 else len(values)
    return float((worth if math.isfinite(of_mean) else 1) * values.shape[1] / correlation_time(values))


def wanted(boxes: int, reach: float, distance: float) -> float:
    """Boxes with which an interval that reaches `reach` now would reach only `distance`: widths go as n^(-1/2).

    Right for boxes of their own starts: what boxes of one start have in common stays, however many there are.
    """
    return float(np.ceil(boxes * (reach / distance) ** 2)) if distance > 0 else math.inf
