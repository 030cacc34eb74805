"""Settings to judge: points that fill the box, points around the best of them, and points that look promising.

What looks promising is that of 16,384 places of the box where all parts are most likely to lie in their tolerances, by
emulators of each, parts taken as independent and normal. None is nearer than `APART` (in coordinates) to one judged or
taken before, so that one place is not judged many times.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm, qmc

from studies.missing_methods.analysis import ranking
from studies.missing_methods.judged import Part, places
from studies.missing_methods.setting import NAMES, READINGS, Setting
from transslit.emulator import Emulator

CANDIDATES, APART = 2**14, 0.25
EACH, STEP = 4, 0.1  # settings around each of the best, and how far they stray in a coordinate (standard deviation)


def space_filling(count: int, seed: int = 2010, **changes: Any) -> list[Setting]:
    """The first `count` scrambled Sobol points of the box; a larger sample begins with a smaller one."""
    return [Setting.at(place, **changes) for place in _sobol(count, seed)]


def around(table: pd.DataFrame, parts: Sequence[Part], count: int, seed: int = 0, **changes: Any) -> list[Setting]:
    """`count` settings near the best of a judged `table`, `EACH` of them around each; readings are kept."""
    best = places(ranking(table, parts).head(-(-count // EACH)))
    moved = np.repeat(best, EACH, axis=0)[:count]
    steps = np.random.default_rng(seed).normal(0.0, STEP, moved.shape)
    steps[:, [NAMES.index(name) for name in READINGS]] = 0.0
    return [Setting.at(row, **changes) for row in np.clip(moved + steps, 0.0, 1.0)]


def promising(table: pd.DataFrame, parts: Sequence[Part], count: int, seed: int = 0, **changes: Any) -> list[Setting]:
    """`count` settings where all `parts` are most likely to hold, by emulators of a judged `table`."""
    candidates = _sobol(CANDIDATES, seed)
    reading = [NAMES.index(name) for name in READINGS]
    candidates[:, reading] = np.where(candidates[:, reading] < 0.5, 0.25, 0.75)
    expected = chances(table, parts, candidates).clip(lower=1e-12).prod(axis=1)
    taken = places(table)
    for row in candidates[np.argsort(-expected, kind="stable")]:
        if len(taken) == len(table) + count:
            break
        if np.linalg.norm(taken - row, axis=1).min() > APART:
            taken = np.vstack([taken, row])
    return [Setting.at(row, **changes) for row in taken[len(table) :]]


def chances(table: pd.DataFrame, parts: Sequence[Part], at: np.ndarray) -> pd.DataFrame:
    """Chance that each claim holds at places of the box, a column per claim, shape (m, claims)."""
    found: dict[str, np.ndarray] = {}
    x = places(table)
    for part in parts:
        column = table[part.id].to_numpy(dtype=float)
        known = np.isfinite(column)
        if known.sum() < 2 * x.shape[1] or np.ptp(column[known]) == 0:
            chance = np.full(len(at), np.mean((column >= part.low) & (column <= part.high)))
        else:
            fitted = Emulator.fit(x[known], column[known])
            mean, std = fitted(at), fitted.std(at)
            chance = norm.cdf((part.high - mean) / std) - norm.cdf((part.low - mean) / std)
        found[part.claim] = found.get(part.claim, np.ones(len(at))) * chance
    return pd.DataFrame(found)


def _sobol(count: int, seed: int) -> np.ndarray:
    sampler = qmc.Sobol(len(NAMES), scramble=True, seed=seed)
    return sampler.random_base2(int(np.ceil(np.log2(count))))[:count]


def unique(settings: Sequence[Setting]) -> list[Setting]:
    """Each setting once, in order."""
    return list({setting.digest: setting for setting in settings}.values())
