"""Analyzer: diffusion coefficients of the ions along the slits, from their mean square displacement in z.

D_k = (1/2) d<(z(t + tau) - z(t))^2>/d tau, fitted over 0.5 ps <= tau <= 2 ps (past the ballistic part), over
ions that are in the same slit, clear of the gaps' planes, at t and t + tau. z has no obstacle, unlike y.
The value is that of the thermostatted liquid at the frequencies of the transient, not of long times.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from MDAnalysis.analysis.base import AnalysisBase

from md.atoms import Atoms, frame_time, step_between
from md.cell import Cell

LAGS = (0.5e-12, 2e-12)  # s
ENOUGH = 200  # displacement samples at the longest lag below which there is no measurement


class SlitDiffusion(AnalysisBase):
    """`.results`: `lags` (s), `squares` and `samples` (lags, ions): sums of squares (m^2) and their numbers."""

    def __init__(self, universe: Any, cell: Cell, **options: Any) -> None:
        super().__init__(universe.trajectory, **options)
        self.cell, self.atoms = cell, Atoms(universe, cell)

    def _prepare(self) -> None:
        self._times: list[float] = []
        self._z: list[np.ndarray] = []
        self._slit: list[np.ndarray] = []
        self._last: np.ndarray | None = None

    def _single_frame(self) -> None:
        place = self.atoms.ion_positions(self._ts)
        z = place[:, 2]
        unwrapped = z if self._last is None else self._z[-1] + step_between(self._last, z, self.cell.box[2])
        self._last = z
        self._z.append(unwrapped)
        self._slit.append(in_slit(self.cell, place[:, 0]))
        self._times.append(frame_time(self._ts, self.cell.config.frame_interval))

    def _conclude(self) -> None:
        z, slit = np.array(self._z), np.array(self._slit)
        interval = self._times[1] - self._times[0] if len(self._times) > 1 else np.inf
        first, last = (round(lag / interval) for lag in LAGS)
        lags = np.arange(max(first, 1), min(last, len(z) - 1) + 1)
        kinds = len(self.cell.electrolyte.ions)
        squares, samples = np.zeros((len(lags), kinds)), np.zeros((len(lags), kinds))
        for n, lag in enumerate(lags):
            same = (slit[lag:] == slit[:-lag]) & (slit[lag:] >= 0)
            square = np.where(same, (z[lag:] - z[:-lag]) ** 2, 0.0)
            for k in range(kinds):
                squares[n, k] = square[:, self.atoms.kind == k].sum()
                samples[n, k] = same[:, self.atoms.kind == k].sum()
        self.results.lags, self.results.squares, self.results.samples = lags * interval, squares, samples


def in_slit(cell: Cell, x: np.ndarray) -> np.ndarray:
    """Index of the slit (block by block) in whose free width `x` (m) lies, or -1."""
    centres = np.concatenate([cell.to_box(block, cell.network.slit_centres) for block in cell.blocks])
    away = np.abs(step_between(centres, x[:, None], cell.box[0]))
    nearest = away.argmin(axis=1)
    return np.where(away.min(axis=1) < cell.network.slit / 2, nearest, -1)


def fit(results: Iterable[Any]) -> tuple[np.ndarray, np.ndarray]:
    """D_k in m^2/s and its standard error over the given results (replicas), NaN where too few samples.

    The value is fitted to the pooled displacements; the error is the spread of the separate fits.
    """
    results = list(results)
    pooled = _slope(results[0].lags, sum(r.squares for r in results), sum(r.samples for r in results))
    each = np.array([_slope(r.lags, r.squares, r.samples) for r in results])
    counted = np.isfinite(each).sum(axis=0)
    error = np.full(pooled.shape, np.nan)
    several = counted > 1
    error[several] = np.nanstd(each[:, several], axis=0, ddof=1) / np.sqrt(counted[several])
    return pooled, error


def _slope(lags: np.ndarray, squares: np.ndarray, samples: np.ndarray) -> np.ndarray:
    if len(lags) < 2:
        return np.full(squares.shape[1], np.nan)
    enough = samples[-1] >= ENOUGH
    mean = squares / np.maximum(samples, 1)
    slope = np.polyfit(lags, mean, 1)[0] / 2
    return np.where(enough & (slope > 0), slope, np.nan)
