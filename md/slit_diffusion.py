"""Analyzer: diffusion coefficients of the ions along the slits, from their mean square displacement in z.

D_k = (1/2) d<(z(t + tau) - z(t))^2>/d tau, fitted over 0.5 ps <= tau <= 2 ps (past the ballistic part), over
ions that are in the same slit, clear of the gaps' planes, at t and t + tau. z has no obstacle, unlike y.
The value is that of the thermostatted liquid at the frequencies of the transient, not of long times.

Displacements that overlap in time are no independent samples, so the interval is drawn from half-electrodes:
a bootstrap over the four blocks of every replica, whose alikeness within a replica is allowed for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from md.atoms import FramewiseAnalysis, frame_time, step_between
from md.cell import Cell
from transslit.resampling import draws, independent_blocks

LAGS = (0.5e-12, 2e-12)  # s
ENOUGH = 200  # displacement samples at the longest lag below which there is no measurement


class SlitDiffusion(FramewiseAnalysis):
    """`.results`: `lags` (s); `squares`, `samples` (lags, blocks, ions): sums of squares (m^2) and their numbers."""

    framewise = ("times", "z", "slit")

    def _single_frame(self) -> None:
        place = self.atoms.ion_positions(self._ts)
        self.results.z.append(place[:, 2])
        self.results.slit.append(in_slit(self.cell, place[:, 0]))
        self.results.times.append(frame_time(self._ts, self.cell.config.frame_interval))

    def _conclude(self) -> None:
        z, slit, times = (np.array(self.results[name]) for name in ("z", "slit", "times"))
        z = np.cumsum(np.concatenate([z[:1], step_between(z[:-1], z[1:], self.cell.box[2])]), axis=0)
        interval = times[1] - times[0] if len(times) > 1 else np.inf
        first, last = (round(lag / interval) for lag in LAGS)
        lags = np.arange(max(first, 1), min(last, len(z) - 1) + 1)
        blocks, kinds = len(self.cell.blocks), len(self.cell.electrolyte.ions)
        squares, samples = np.zeros((2, len(lags), blocks, kinds))
        for n, lag in enumerate(lags):
            same = (slit[lag:] == slit[:-lag]) & (slit[lag:] >= 0)
            label = (slit[lag:] // self.cell.network.slits * kinds + self.atoms.kind)[same]
            square = ((z[lag:] - z[:-lag]) ** 2)[same]
            squares[n] = np.bincount(label, square, blocks * kinds).reshape(blocks, kinds)
            samples[n] = np.bincount(label, minlength=blocks * kinds).reshape(blocks, kinds)
        self.results.lags, self.results.squares, self.results.samples = lags * interval, squares, samples


def in_slit(cell: Cell, x: np.ndarray) -> np.ndarray:
    """Index of the slit (block by block) in whose free width `x` (m) lies, or -1."""
    centres = np.concatenate([cell.to_box(block, cell.network.slit_centres) for block in cell.blocks])
    away = np.abs(step_between(centres, x[:, None], cell.box[0]))
    nearest = away.argmin(axis=1)
    return np.where(away.min(axis=1) < cell.network.slit / 2, nearest, -1)


class Measured(NamedTuple):
    """D_k in m^2/s of each ion, its standard error and 95 % interval; NaN where too few samples. Shape (ions,)."""

    value: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray


def fit(results: Sequence[Any], seed: int = 0) -> Measured:
    """D_k from the pooled displacements of the given results (replicas), with a bootstrap over their blocks."""
    lags = results[0].lags
    squares, samples = (np.concatenate([r[name] for r in results], axis=1) for name in ("squares", "samples"))
    value = _slope(lags, squares.sum(axis=1), samples.sum(axis=1))
    error, low, high = (np.full(value.shape, np.nan) for _ in range(3))
    if len(lags) < 2:
        return Measured(value, error, low, high)
    count = squares.shape[1]
    runs = np.repeat(np.arange(len(results)), count // len(results))
    excess = squares - samples * (squares.sum(axis=1) / np.maximum(samples.sum(axis=1), 1))[:, None]
    for k in np.flatnonzero(np.isfinite(value)):
        weights = draws(count, independent_blocks(excess[..., k].T, runs), seed)
        weighted = [(weights @ total[..., k].T).T * count for total in (squares, samples)]
        slopes = np.polyfit(lags, weighted[0] / np.maximum(weighted[1], 1e-9), 1)[0] / 2
        error[k] = slopes.std()
        low[k], high[k] = np.percentile(slopes, [2.5, 97.5])
    return Measured(value, error, low, high)


def _slope(lags: np.ndarray, squares: np.ndarray, samples: np.ndarray) -> np.ndarray:
    if len(lags) < 2:
        return np.full(squares.shape[1], np.nan)
    enough = samples[-1] >= ENOUGH
    mean = squares / np.maximum(samples, 1)
    slope = np.polyfit(lags, mean, 1)[0] / 2
    return np.where(enough & (slope > 0), slope, np.nan)
