"""Analyzer: diffusion coefficients of the ions along the slits, from their mean square displacement in z.

D_k = (1/2) d<(z(t + tau) - z(t))^2>/d tau, fitted over 0.5 ps <= tau <= 2 ps (past the ballistic part), over ions that
are in the free width of the same slit at t and t + tau. Motion along z meets no obstacle, unlike motion along y. The
value is that of the thermostatted liquid on the time scale of the transient, not at long times.

Displacements that overlap in time are not independent samples. The interval is therefore that of the half-cells: the
jackknife's pseudo-values, over boxes and half-electrodes (`transslit.resampling`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from MDAnalysis.analysis.results import Results

from md.atoms import FramewiseAnalysis, frame_time, step_between
from md.cell import Cell
from transslit.resampling import STANDARD_ERRORS, pseudo_values, spread

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
    """D_k in m^2/s of each ion and its interval; NaN for too few samples or, of the interval, one box. Shape (ions,).

    `error` is the standard error of a normal distribution with that interval.
    """

    value: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray


def fit(results: Sequence[Results], starts: Sequence[int] | None = None) -> DiffusionEstimate:
    """D_k from the pooled displacements of `SlitDiffusion.results` of several boxes, whose `starts` may be the same."""
    lags = results[0].lags
    squares, samples = (np.concatenate([r[name] for r in results], axis=1) for name in ("squares", "samples"))
    value = _slope(lags, squares.sum(axis=1), samples.sum(axis=1))
    half_width = np.full(value.shape, np.nan)
    each = squares.shape[1] // len(results)
    boxes, halves = (
        np.repeat(np.arange(len(results)) if starts is None else starts, each),
        np.tile(np.arange(each), len(results)),
    )
    for k in np.flatnonzero(np.isfinite(value)):
        pseudo = pseudo_values(partial(_mean_slope, lags), [total[..., k].T for total in (squares, samples)])
        half_width[k] = spread(pseudo, boxes, halves).half_width
    half_width[~np.isfinite(half_width)] = np.nan
    return DiffusionEstimate(value, half_width / STANDARD_ERRORS, value - half_width, value + half_width)


def _slope(lags: np.ndarray, squares: np.ndarray, samples: np.ndarray) -> np.ndarray:
    if len(lags) < 2:
        return np.full(squares.shape[1], np.nan)
    slope = _mean_slope(lags, squares, samples)
    return np.where((samples[-1] >= ENOUGH) & (slope > 0), slope, np.nan)


def _mean_slope(lags: np.ndarray, squares: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Slope over `lags` of half the mean squares, from sums or means of both over the same blocks, (lags, ...)."""
    return np.asarray(np.polyfit(lags, squares / np.maximum(samples, 1e-9), 1)[0] / 2)
