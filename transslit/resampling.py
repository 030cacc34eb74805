"""Resampling of blocks that come in groups: draws, design effect, effective samples, replicas still wanted.

The four half-electrodes of a replica are equivalent by symmetry but share a box: two faces one electrode, and all
of them one start. How alike the blocks of a replica are beyond the mean is the intraclass correlation

    r = mean over pairs of one group of <d_a d_b> / <d^2>,   d = block - mean of all blocks,

and n blocks in groups of m are worth n_e = n / (1 + (m - 1) r) independent ones (design effect; L. Kish, Survey
Sampling, 1965). The bootstrap weighs blocks by Dirichlet draws (D. B. Rubin, Ann. Stat. 9, 130 (1981),
doi:10.1214/aos/1176345338) so concentrated that a mean varies by s^2 / n_e, s^2 the blocks' variance: few blocks
and alike ones then make an interval as wide as it should be. Samples in time are worth their number over
1 + 2 sum of autocorrelations, cut off at the first that is not positive.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

RESAMPLES = 1000
CONFIDENCE = 0.95  # of every interval and half-width that the suite reports
PERCENTILES = (
    round(50 * (1 - CONFIDENCE), 6),
    round(50 * (1 + CONFIDENCE), 6),
)  # between which a central interval lies
STANDARD_ERRORS = round(NormalDist().inv_cdf((1 + CONFIDENCE) / 2), 2)  # half-width of a normal's interval


def draws(count: int, worth: float | None = None, seed: int = 0, number: int = RESAMPLES) -> np.ndarray:
    """Weights of `number` bootstrap samples of `count` blocks, shape (number, count); each row sums to one.

    `worth` is the number of independent blocks that they amount to (`count` if None). A Dirichlet draw of concentration
    a per block gives a mean the variance s^2 (n - 1) / n / (n a + 1), which is s^2 / worth for the a below.
    """
    worth = count if worth is None else worth
    concentration = max(worth * (count - 1) / count - 1, 1e-3) / count
    return np.random.default_rng(seed).dirichlet(np.full(count, concentration), number)


def intraclass_correlation(values: np.ndarray, groups: np.ndarray) -> float:
    """r of `values` (blocks, times) in `groups` (blocks,): 0 for unrelated blocks, 1 for copies; NaN if unknowable.

    The mean that is taken off makes unrelated deviations correlate by -1/(n - 1) of the variance; r is freed of it.
    """
    groups = np.asarray(groups)
    values = np.asarray(values, dtype=float).reshape(len(groups), -1)
    n = len(groups)
    deviation = values - values.mean(axis=0)
    pairs = (groups[:, None] == groups[None, :]) & ~np.eye(n, dtype=bool)
    product = deviation @ deviation.T
    square = float(np.trace(product))
    if not pairs.any() or pairs.sum() == n * (n - 1) or square == 0:
        return float("nan")
    among = float(product[pairs].mean()) * n / square  # expectation: r' with both moments short of the mean's part
    share = pairs.sum() / (n * (n - 1))  # of all pairs that are within a group
    # with true correlation r in a group: <d_a d_b> = s2 [r - (1 + (n - 1) share r) / n], <d^2> = s2 [1 - (...) / n]
    spread = (n - 1) * share
    denominator = n - spread + among * spread
    return float((among * (n - 1) + 1) / denominator) if denominator > 0 else 1.0


def independent_blocks(values: np.ndarray, groups: np.ndarray) -> float:
    """What the blocks are worth: their number over the design effect; their number where groups are not known."""
    n, kinds = len(groups), len(np.unique(groups))
    correlation = intraclass_correlation(values, groups)
    if not math.isfinite(correlation):
        return float(n)
    return n / (1 + (n / kinds - 1) * min(max(correlation, 0.0), 1.0))


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


def effective_samples(values: np.ndarray, groups: np.ndarray) -> float:
    """Independent samples in `values` (blocks, times): independent blocks times independent moments."""
    values = np.asarray(values, dtype=float).reshape(len(groups), -1)
    return independent_blocks(values, groups) * values.shape[1] / correlation_time(values)


def wanted(replicas: int, reach: float, distance: float) -> float:
    """Replicas with which an interval that reaches `reach` now would reach only `distance`: widths go as n^(-1/2)."""
    return float(math.ceil(replicas * (reach / distance) ** 2)) if distance > 0 else math.inf
