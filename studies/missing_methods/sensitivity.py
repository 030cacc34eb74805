"""Which parameter decides a number: Sobol indices on its emulator, and a check that needs no emulator.

First-order index: share of the variance over the box that goes with the coordinate alone; total: the share that goes
with it in any company (I. M. Sobol, Math. Comput. Simul. 55, 271 (2001); estimators of A. Saltelli et al., Comput.
Phys. Commun. 181, 259 (2010), as in scipy.stats.sobol_indices). The interval holds the estimator's bootstrap and, by
the jackknife over tenths of the sample, what other settings would have made of the emulator.
`main_effect` takes the rows as they are: the variance of the means of bins of the coordinate over the whole, and what
95 % of permutations of the rows stay below.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import sobol_indices, uniform

from transslit.emulator import Emulator

BELIEVED = 0.7  # R2 of leaving one row out, below which indices of an emulator are not quoted
GROUPS, BINS, PERMUTATIONS = 10, 8, 400


def indices(
    function: Callable[[np.ndarray], np.ndarray], dimensions: int, samples: int = 2048, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """First-order and total indices of `function` ((m, d) -> (m,)) over the unit box, each (3, d): value, low, high."""
    found = sobol_indices(
        func=lambda x: function(x.T)[None],
        n=samples,
        dists=[uniform()] * dimensions,
        rng=np.random.default_rng(seed),
    )
    interval = found.bootstrap(n_resamples=200)
    first, total = interval.first_order, interval.total_order
    return tuple(  # type: ignore[return-value]
        np.nan_to_num([np.ravel(part) for part in (value, low, high)])
        for value, low, high in (
            (found.first_order, first.confidence_interval.low, first.confidence_interval.high),
            (found.total_order, total.confidence_interval.low, total.confidence_interval.high),
        )
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
        kept = group != k
        part = Emulator.fit(x[kept], y[kept], whole.hyper)
        parts.append([found[0] for found in indices(part, x.shape[1], samples=512, seed=seed)])
    spread = 1.96 * np.sqrt((GROUPS - 1) / GROUPS * np.sum((np.array(parts) - np.mean(parts, axis=0)) ** 2, axis=0))
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
    return share[0], np.quantile(share[1:], 0.95, axis=0)
