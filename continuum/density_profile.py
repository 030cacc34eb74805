"""Concentration of each ion across the width of each slit, averaged along the slit.

    c_k(x) = sum over the cells of the column at x of c_k dy / L

x is measured from the slit's centre plane towards the bulk; the columns of the mesh span the free width d. The
profiles of molecular dynamics (`md`) are averages over bins of the same coordinate.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from continuum.frames import FrameAnalysis, Frames
from continuum.mesh import Array
from transslit import BadInput

ELECTRODES = ("positive", "negative")


class DensityProfile(FrameAnalysis):
    """Profiles across the slits: `DensityProfile(frames).run(start=50, stop=51).results.table`.

    Parameters
    ----------
    frames : of a half cell (the positive electrode) or of a full cell

    Results
    -------
    table : one row per (time, electrode, i, ion, column of cells): time_s, electrode, i, ion, x_m (from the slit's
        centre plane, towards the bulk), c_mol_per_m3

    Raises
    ------
    BadInput : the network has no slit
    """

    def __init__(self, frames: Frames, verbose: bool = False, **kwargs: Any) -> None:
        super().__init__(frames, verbose=verbose, **kwargs)
        if not frames.config.network.slits:
            raise BadInput("frames", frames.path, "the network has no slit; a profile needs two layers or more")

    def _prepare(self) -> None:
        super()._prepare()
        mesh, config = self.frames_reader.equations.mesh, self.frames_reader.config
        x, volumes = mesh.centres[0][mesh.ion_cells], mesh.volumes[mesh.ion_cells]
        self._slits: list[tuple[Array, Array, Array]] = []  # cells, number of the column of each, weight of each
        keys = []
        for electrode in ELECTRODES if mesh.full else ELECTRODES[:1]:
            depth = x if electrode == "positive" else mesh.length - x
            for i, centre in enumerate(config.network.slit_centres, start=1):
                cells = np.flatnonzero(np.abs(depth - centre) < config.network.slit / 2)
                # Compared to 1e-15 m: the positions in a column differ by round-off.
                across = depth[cells] - centre
                _, first, column = np.unique(across.round(15), return_index=True, return_inverse=True)
                weights = volumes[cells] / np.bincount(column, volumes[cells])[column]
                self._slits.append((cells, column, weights))
                for ion in config.electrolyte.names:
                    place = {"time_s": np.nan, "electrode": electrode, "i": i, "ion": ion, "x_m": across[first]}
                    keys.append(pd.DataFrame(place))
        self._keys = pd.concat(keys, ignore_index=True)

    def _single_frame(self) -> None:
        frame = self._ts
        means = [np.bincount(column, c[cells] * weights) for cells, column, weights in self._slits for c in frame.c]
        self._rows.append(self._keys.assign(time_s=frame.time, c_mol_per_m3=np.concatenate(means)))


def density_profiles(folder: Path) -> pd.DataFrame:
    """Profiles of the run in `folder` at its first frame (before charging) and at its last one (after).

    Returns
    -------
    table : source, moment (before, after), electrode, i, ion, x_nm, c_M, and low and high, which are NaN: the
        columns of the profiles of molecular dynamics, whose band has the unit of c_M

    Raises
    ------
    BadInput : the folder has no frames, or they are damaged
    """
    with Frames(folder) as frames:
        table = DensityProfile(frames).run(frames=[0, frames.n_frames - 1]).results.table
    table = table.assign(
        source="continuum",
        moment=np.repeat(["before", "after"], len(table) // 2),
        x_nm=(table["x_m"] * 1e9).round(6),
        c_M=table["c_mol_per_m3"] / 1e3,
        low=np.nan,
        high=np.nan,
    )
    return table[["source", "moment", "electrode", "i", "ion", "x_nm", "c_M", "low", "high"]]
