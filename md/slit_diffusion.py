"""Analyzer: diffusion coefficients of the ions along the slits, from their mean square displacement in z.

D_k = (1/2) d<(z(t + tau) - z(t))^2>/d tau, fitted over 0.5 ps <= tau <= 2 ps (past the ballistic part), over ions that
are in the free width of the same slit at t and t + tau. Motion along z meets no obstacle, unlike motion along y. The
value is that of the thermostatted liquid on the time scale of the transient, not at long times.

Displacements that overlap in time are not independent samples. The interval is therefore a bootstrap over the
half-cells, with allowance for their correlation within a box.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from MDAnalysis.analysis.results import Results

from md.atoms import FramewiseAnalysis, frame_time, step_between
from md.cell import Cell
from transslit.resampling import PERCENTILES, draws, independent_blocks

LAGS = (0.5e-12, 2e-12)  # s
ENOUGH = 200  # least number of displacements at the longest lag for a measurement


class SlitDiffusion(FramewiseAnalysis):
    """`.results`: `lags` (s); `squares`, `samples` (lags, half-cells, ions): sums of squares (m^2), their numbers."""

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
        shape = len(self.cell.half_cells), len(self.cell.electrolyte.ions)
        bins = shape[0] * shape[1]
        squares, samples = np.zeros((2, len(lags), *shape))
        for n, lag in enumerate(lags):
            same = (slit[lag:] == slit[:-lag]) & (slit[lag:] >= 0)
            label = (slit[lag:] // self.cell.network.slits * shape[1] + self.atoms.kind)[same]
            square = ((z[lag:] - z[:-lag]) ** 2)[same]
            squares[n] = np.bincount(label, square, bins).reshape(shape)
            samples[n] = np.bincount(label, minlength=bins).reshape(shape)
        self.results.lags, self.results.squares, self.results.samples = lags * interval, squares, samples


def in_slit(cell: Cell, x: np.ndarray) -> np.ndarray:
    """Index of the slit, half-cell by half-cell, in whose free width `x` (m) lies; -1 for none."""
    centres = np.concatenate([cell.to_box(half_cell, cell.network.slit_centres) for half_cell in cell.half_cells])
    away = np.abs(step_between(centres, x[:, None], cell.box[0]))
    nearest = away.argmin(axis=1)
    return np.where(away.min(axis=1) < cell.network.slit / 2, nearest, -1)


class DiffusionEstimate(NamedTuple):
    """D_k in m^2/s of each ion, its standard error and interval; NaN for too few samples. Shape (ions,)."""

    value: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray


def fit(results: Sequence[Results], seed: int = 0) -> DiffusionEstimate:
    """D_k from the pooled displacements of `SlitDiffusion.results` of several boxes."""
    lags = results[0].lags
    squares, samples = (np.concatenate([r[name] for r in results], axis=1) for name in ("squares", "samples"))
    value = _slope(lags, squares.sum(axis=1), samples.sum(axis=1))
    error, low, high = (np.full(value.shape, np.nan) for _ in range(3))
    if len(lags) < 2:
        return DiffusionEstimate(value, error, low, high)
    count = squares.shape[1]
    boxes = np.repeat(np.arange(len(results)), count // len(results))
    excess = squares - samples * (squares.sum(axis=1) / np.maximum(samples.sum(axis=1), 1))[:, None]
    for k in np.flatnonzero(np.isfinite(value)):
        weights = draws(count, independent_blocks(excess[..., k].T, boxes), seed)
        weighted = [(weights @ total[..., k].T).T * count for total in (squares, samples)]
        slopes = np.polyfit(lags, weighted[0] / np.maximum(weighted[1], 1e-9), 1)[0] / 2
        error[k] = slopes.std()
        low[k], high[k] = np.percentile(slopes, PERCENTILES)
    return DiffusionEstimate(value, error, low, high)


def _slope(lags: np.ndarray, squares: np.ndarray, samples: np.ndarray) -> np.ndarray:
    if len(lags) < 2:
        return np.full(squares.shape[1], np.nan)
    enough = samples[-1] >= ENOUGH
    mean = squares / np.maximum(samples, 1)
    slope = np.polyfit(lags, mean, 1)[0] / 2
    return np.where(enough & (slope > 0), slope, np.nan)
