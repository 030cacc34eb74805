"""Settings to judge: points that fill the box, points around the best of them, and promising points.

Promising are those of 16,384 points of the box at which all parts most probably lie within their tolerances, by an
emulator of each; parts are taken as independent and normal. No two are nearer to each other, or to a judged setting,
than `APART` (in coordinates).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import norm, qmc

from studies.missing_methods.analysis import ranking
from studies.missing_methods.setting import NAMES, READINGS, Preset, Setting
from studies.missing_methods.table import Part, coordinates
from transslit.emulator import Emulator

CANDIDATES, APART = 2**14, 0.25
EACH, STEP = 4, 0.1  # settings around each of the best, and their standard deviation in a coordinate


def space_filling(count: int, seed: int = 2010, preset: Preset = "quick") -> list[Setting]:
    """The first `count` scrambled Sobol points of the box; a larger sample begins with a smaller one."""
    return [Setting.at(row, preset) for row in _sobol(count, seed)]


def near_best(
    table: pd.DataFrame, parts: Sequence[Part], count: int, seed: int = 0, preset: Preset = "quick"
) -> list[Setting]:
    """`count` settings near the best of a judged `table`, `EACH` of them around each, with its readings."""
    best = coordinates(ranking(table, parts).head(-(-count // EACH)))
    moved = np.repeat(best, EACH, axis=0)[:count]
    steps = np.random.default_rng(seed).normal(0.0, STEP, moved.shape)
    steps[:, [NAMES.index(name) for name in READINGS]] = 0.0
    return [Setting.at(row, preset) for row in np.clip(moved + steps, 0.0, 1.0)]


def promising(
    table: pd.DataFrame, parts: Sequence[Part], count: int, seed: int = 0, preset: Preset = "quick"
) -> list[Setting]:
    """`count` settings where all `parts` are most likely to hold, by emulators of a judged `table`."""
    candidates = _sobol(CANDIDATES, seed)
    reading = [NAMES.index(name) for name in READINGS]
    candidates[:, reading] = np.where(candidates[:, reading] < 0.5, 0.25, 0.75)
    probability = probabilities(table, parts, candidates).clip(lower=1e-12).prod(axis=1)
    taken = coordinates(table)
    for row in candidates[np.argsort(-probability, kind="stable")]:
        if len(taken) == len(table) + count:
            break
        if np.linalg.norm(taken - row, axis=1).min() > APART:
            taken = np.vstack([taken, row])
    return [Setting.at(row, preset) for row in taken[len(table) :]]


def probabilities(table: pd.DataFrame, parts: Sequence[Part], at: np.ndarray) -> pd.DataFrame:
    """Probability that each claim holds at coordinates `at`, shape (m, 8); a column per claim."""
    columns: dict[str, np.ndarray] = {}
    x = coordinates(table)
    for part in parts:
        column = table[part.id].to_numpy(dtype=float)
        known = np.isfinite(column)
        if known.sum() < 2 * x.shape[1] or np.ptp(column[known]) == 0:
            probability = np.full(len(at), np.mean((column >= part.low) & (column <= part.high)))
        else:
            fitted = Emulator.fit(x[known], column[known])
            mean, std = fitted(at), fitted.std(at)
            probability = norm.cdf((part.high - mean) / std) - norm.cdf((part.low - mean) / std)
        columns[part.claim] = columns.get(part.claim, np.ones(len(at))) * probability
    return pd.DataFrame(columns)


def _sobol(count: int, seed: int) -> np.ndarray:
    sampler = qmc.Sobol(len(NAMES), scramble=True, seed=seed)
    return sampler.random_base2(int(np.ceil(np.log2(count))))[:count]


def unique(settings: Sequence[Setting]) -> list[Setting]:
    """Each setting once, in order."""
    return list({setting.digest: setting for setting in settings}.values())
