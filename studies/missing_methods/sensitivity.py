"""Which parameter a number depends on: Sobol indices of its emulator, and a check without an emulator.

First-order index: share of the variance over the box that is due to the coordinate alone; total: that with all its
interactions (I. M. Sobol, Math. Comput. Simul. 55, 271 (2001); estimators of A. Saltelli et al., Comput. Phys. Commun.
181, 259 (2010), as in scipy.stats.sobol_indices). The interval holds the estimator's bootstrap and, by the jackknife
over tenths of the sample, the variation of the emulator with the settings.
`main_effect` uses the rows alone: the variance of the means of bins of the coordinate over the whole variance, and the
95 % quantile of the same over permutations of the rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import sobol_indices, uniform

from transslit.emulator import Emulator
from transslit.resampling import CONFIDENCE, STANDARD_ERRORS

TRUSTED_R2 = 0.7  # of predicting each row from the others, below which indices of an emulator are not quoted
GROUPS, BINS, PERMUTATIONS = 10, 8, 400


def indices(
    function: Callable[[np.ndarray], np.ndarray], dimensions: int, samples: int = 2048, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """First-order and total indices of `function` ((m, d) -> (m,)) over the unit box, each (3, d): value, low, high."""
    result = sobol_indices(
        func=lambda x: function(x.T)[None],
        n=samples,
        dists=[uniform()] * dimensions,
        rng=np.random.default_rng(seed),
    )
    bootstrap = result.bootstrap(confidence_level=CONFIDENCE, n_resamples=200)
    first, total = (part.confidence_interval for part in (bootstrap.first_order, bootstrap.total_order))
    return (
        np.nan_to_num([np.ravel(part) for part in (result.first_order, first.low, first.high)]),
        np.nan_to_num([np.ravel(part) for part in (result.total_order, total.low, total.high)]),
    )


def emulated_indices(x: np.ndarray, y: np.ndarray, names: list[str], seed: int = 0) -> pd.DataFrame:
    """Indices of the emulator through `y` (n,) at `x` (n, d) with 95 % half-widths, and its own R2.

    Returns
    -------
    table : name, first, total, first_half, total_half, r2; and main, chance of `main_effect`
    """
    whole = Emulator.fit(x, y)
    first, total = indices(whole, x.shape[1], seed=seed)
    group = np.random.default_rng(seed).permutation(len(x)) % GROUPS
    parts = []
    for k in range(GROUPS):
        rest = group != k
        part = Emulator.fit(x[rest], y[rest], whole.hyper)
        parts.append([values[0] for values in indices(part, x.shape[1], samples=512, seed=seed)])
    spread = STANDARD_ERRORS * np.sqrt((GROUPS - 1) * np.var(parts, axis=0))  # of the jackknife
    main, chance = main_effect(x, y, seed)
    return pd.DataFrame(
        {
            "name": names,
            "first": first[0],
            "total": total[0],
            "first_half": np.hypot((first[2] - first[1]) / 2, spread[0]),
            "total_half": np.hypot((total[2] - total[1]) / 2, spread[1]),
            "r2": whole.r2,
            "main": main,
            "chance": chance,
        }
    )


def main_effect(x: np.ndarray, y: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Share of the variance of `y` (n,) between bins of each coordinate, and its 95 % quantile by chance, (d,) each."""
    rng = np.random.default_rng(seed)
    ranks = np.argsort(np.argsort(x, axis=0), axis=0)
    bins = ranks * BINS // len(x)
    member = bins[:, :, None] == np.arange(BINS)  # (n, d, bins)
    size = member.sum(axis=0)
    centred = y - y.mean()
    rows = np.stack([centred, *(rng.permutation(centred) for _ in range(PERMUTATIONS))])
    sums = np.einsum("pn,ndb->pdb", rows, member.astype(float))
    share = np.sum(sums**2 / size, axis=2) / max(float(centred @ centred), np.finfo(float).tiny)
    return share[0], np.quantile(share[1:], CONFIDENCE, axis=0)
