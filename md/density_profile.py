"""Analyzer: concentration of each ion across the width of each slit, and its profiles before and after charging.

    c_k(x) = < ions of kind k in the bin at x > / (bin width * 2 L * depth * N_A)

x is measured from the slit's centre plane towards the bulk; the bins span the free width d. The average is over the
analysed frames and the length L of the slit, both mirror halves.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import constants

from md.atoms import FramewiseAnalysis, frame_time, open_universe, step_between
from md.cell import ELECTRODES, Cell
from transslit.resampling import spread

BINS = 16  # across a slit: some 0.04 nm at 0.59 nm, a third of a contact layer
MOMENTS = ("before", "after")


class DensityProfile(FramewiseAnalysis):
    """Profiles of one box, averaged over the frames of the run: `DensityProfile(universe, cell).run(frames=...)`.

    Attributes
    ----------
    results.c_M : concentrations in mol/l, shape (half-cells, slits, ions, bins)
    results.x_nm : centres of the bins in nm, from the slit's centre plane towards the bulk, shape (bins,)
    """

    framewise = ("counts",)  # ions per bin, as of `results.c_M`

    def _single_frame(self) -> None:
        cell, kind = self.cell, self.atoms.kind
        centres = np.array([cell.to_box(half_cell, cell.network.slit_centres) for half_cell in cell.half_cells])
        direction = np.array([half_cell.direction for half_cell in cell.half_cells])[:, None, None]
        x = self.atoms.ion_positions(self._ts)[:, 0]
        across = direction * step_between(centres[..., None], x, cell.box[0])  # (half-cells, slits, ions)
        index = np.floor((across / cell.network.slit + 0.5) * BINS).astype(int)
        inside = (index >= 0) & (index < BINS)
        half_cell, slit, ion = np.nonzero(inside)
        counts = np.zeros((*centres.shape, len(cell.electrolyte.ions), BINS))
        np.add.at(counts, (half_cell, slit, kind[ion], index[inside]), 1)
        self.results.counts.append(counts)

    def _conclude(self) -> None:
        network, box = self.cell.network, self.cell.box
        litres = network.slit / BINS * box[1] * box[2] * constants.N_A * 1e3  # of a bin, times N_A
        self.results.c_M = np.sum(self.results.counts, axis=0) / len(self.results.counts) / litres
        self.results.x_nm = ((np.arange(BINS) + 0.5) / BINS - 0.5) * network.slit * 1e9


def density_profiles(folder: Path, cell: Cell) -> pd.DataFrame:
    """Profiles of the trajectories in `folder`, averaged over boxes and both faces of an electrode.

    `before` is the time before the onset of the drive, `after` the last quarter of the run.

    Returns
    -------
    table : source, moment, electrode, i, ion, x_nm, c_M, and low, high: interval of c_M over boxes and half-electrodes
        (NaN for one box)
    """
    interval = cell.config.frame_interval
    profiles: dict[str, list[np.ndarray]] = {moment: [] for moment in MOMENTS}
    for box in range(cell.config.replicas):
        universe = open_universe(folder, box)
        times = np.array([frame_time(frame, interval) for frame in universe.trajectory])
        for moment, frames in zip(MOMENTS, (times <= 0, times >= times[-1] * 0.75), strict=True):
            results = DensityProfile(universe, cell).run(frames=np.flatnonzero(frames)).results
            profiles[moment].append(results.c_M)
    count = len(cell.half_cells)
    electrodes = np.array(
        [half_cell.electrode for box in range(cell.config.replicas) for half_cell in cell.of_box(box).half_cells]
    )
    boxes = np.repeat([cell.config.start_of(box) for box in range(cell.config.replicas)], count)
    halves = np.tile(np.arange(count), cell.config.replicas)
    tables = []
    for moment in MOMENTS:
        density = np.concatenate(profiles[moment])
        for electrode in ELECTRODES:
            of = electrodes == electrode
            mean, half = density[of].mean(axis=0), spread(density[of], boxes[of], halves[of]).half_width
            half[~np.isfinite(half)] = np.nan
            slit, ion, place = (index.ravel() for index in np.indices(mean.shape))
            keys = {"source": "atoms", "moment": moment, "electrode": electrode, "i": slit + 1}
            places = {"ion": np.array(cell.electrolyte.names)[ion], "x_nm": results.x_nm[place]}
            ends = {"low": np.maximum(mean - half, 0.0).ravel(), "high": (mean + half).ravel()}
            tables.append(pd.DataFrame({**keys, **places, "c_M": mean.ravel(), **ends}))
    return pd.concat(tables, ignore_index=True)
