"""Selection of the law by the description length of formula and misfit, counting independent rows only.

    DL = (n/2) ln(loss + tolerance^2) + (k/2) ln n + complexity * ln(symbols)      [nats]

loss        weighted mean square misfit over the target's mean square, on the training rows
tolerance   relative root-mean-square misfit that no formula has to explain: the data are taken to have white noise of
            this size
n           independent rows: n = rows / tau, tau = 1 + 2 sum rho_l the autocorrelation time of the residual of
            the most accurate form found (up to the first zero crossing, the longest over the table's own order and the
            order of each input). White noise gives tau = 1; the smooth misfit that a model error leaves on noise-free
            data gives a large tau, so that such data do not favour ever longer formulas. Each group (a slit of a run)
            is an experiment of its own and counts as ten rows or more if it has a hundred.
k           fitted constants;   complexity: nodes of the formula;   symbols: operators and inputs to choose from

The last term accounts for the size of the search: a formula of c nodes is one of symbols^c. The empty formula (y = 0)
and the constant are candidates, too. The law is the simplest formula whose description is longer than the shortest by
`MARGIN` at most: data that prefer a longer formula by less do not refute the simpler one.

Sources: J. Rissanen, Automatica 14, 465 (1978), doi:10.1016/0005-1098(78)90005-5; G. Schwarz, Ann. Statist. 6,
461 (1978), doi:10.1214/aos/1176344136; A. Sokal, in Functional Integration, Springer 1997 (autocorrelation time).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from discovery import forms
from discovery.fit import Array, Fit, Rows
from discovery.forms import Form

RULE = "the simplest formula whose description length is within 5 nats of the shortest"
MARGIN = 5.0  # nats that refute a simpler formula: odds of e^5 = 150 to 1
FEWEST = 10  # independent rows of a group, and rows to each of them
ROUND_OFF = 0.1  # of the tolerance; the autocorrelation of smaller residuals is not counted


def _sum_of_correlations(residual: Array, blocks: Sequence[Array], floor: float) -> float:
    """Sum of rho_l over l >= 1 up to the first zero crossing, pooled over `blocks` of row numbers."""
    longest = max(len(block) for block in blocks)
    size = 2 ** math.ceil(math.log2(2 * longest))
    power = np.zeros(size // 2 + 1)
    for block in blocks:
        power += np.abs(np.fft.rfft(residual[block], size)) ** 2
    covariance = np.fft.irfft(power, size)[:longest]
    rho = covariance[1:] / (covariance[0] + floor * sum(len(block) for block in blocks))
    negative = np.flatnonzero(rho <= 0)
    return float(rho[: negative[0] if len(negative) else len(rho)].sum())


def autocorrelation_time(residual: Array, rows: Rows, groups: Array, tolerance: float) -> float:
    """tau >= 1 of a residual (weighted, relative to the target's root mean square), shape (rows,)."""
    floor = (ROUND_OFF * tolerance) ** 2
    table_order = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    orders = [table_order, *([np.argsort(x, kind="stable")] for x in rows.x)]
    return 1.0 + 2.0 * max(_sum_of_correlations(residual, blocks, floor) for blocks in orders)


def independent_rows(value: Array | None, rows: Rows, groups: Array, tolerance: float) -> float:
    """n = rows / tau of the residual of a prediction; at least `FEWEST`, and as many per group of `FEWEST`^2 rows."""
    assert value is not None, "the form was fitted on these rows"
    count = len(groups)
    residual = rows.w * (rows.y - value) / math.sqrt(float(np.mean((rows.w * rows.y) ** 2)))
    fewest = max(FEWEST, min(FEWEST * len(np.unique(groups)), count / FEWEST))
    return max(count / autocorrelation_time(residual, rows, groups, tolerance), float(fewest))


def description_length(loss: float, constants: int, nodes: int, n: float, symbols: int, tolerance: float) -> float:
    """DL in nats, as at the head of this file."""
    return 0.5 * n * math.log(loss + tolerance**2) + 0.5 * constants * math.log(n) + nodes * math.log(symbols)


def description_of(form: Form, fit: Fit, n: float, symbols: int, tolerance: float) -> float:
    """DL of a fitted form."""
    constants = len(fit.linear) + len(fit.inner)
    return description_length(fit.loss, constants, forms.complexity(form), n, symbols, tolerance)


def without_law(n: float, symbols: int, tolerance: float) -> float:
    """DL of y = 0."""
    return description_length(1.0, 0, 1, n, symbols, tolerance)
