"""Ionic current and its parts through planes x = const of the open space outside the electrode.

I(x) = F sum_k z_k J_k over the faces of the plane nearest to each asked distance from the outermost sheet,
positive towards the bulk, with the exact parts of `transslit.decomposition`. The total differs from the
terminal current by the displacement current, which matters within the double layer only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from MDAnalysis.analysis.base import AnalysisBase

from continuum.frames import Frames
from continuum.trans_slit_flux import CURRENTS, PlaneCurrents


class OpenSpaceFlux(AnalysisBase):
    """Parts of the current in the open space: `OpenSpaceFlux(frames).run().results.table`.

    Parameters
    ----------
    frames : of a half cell, or of a full cell (whose positive electrode's side is taken)
    distances : from the outer face of the electrode, in m; all grid planes of the reservoir when left out

    Results
    -------
    table : one row per (time, plane): time_s, x_m (from the electrode's outer face), I_A_per_m and its parts
    """

    def __init__(
        self, frames: Frames, distances: Sequence[float] | None = None, verbose: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(frames, verbose=verbose, **kwargs)
        self.frames_reader = frames
        self.distances = distances

    def _prepare(self) -> None:
        equations = self.frames_reader.equations
        network, mesh = self.frames_reader.config.network, equations.mesh
        lines = mesh.x_lines - network.depth
        lines = lines[(lines > 1e-15) & (lines < network.reservoir - 1e-15)]
        if self.distances is not None:
            lines = lines[np.unique([np.argmin(np.abs(lines - distance)) for distance in self.distances])]
        faces = equations.inner_ion_faces
        away = np.abs(faces.position[0][:, None] - network.depth - lines[None, :]) < 1e-15
        chosen, group = np.nonzero(away & (faces.axis == 0)[:, None])
        self._planes = lines
        self._currents = PlaneCurrents(equations, chosen, group, np.ones(chosen.size), lines.size)
        self._rows: list[np.ndarray] = []

    def _single_frame(self) -> None:
        self._rows.append(self._currents(self.frames_reader.equations.from_si(self._ts.phi, self._ts.c)))

    def _conclude(self) -> None:
        currents = np.array(self._rows)  # (frames, 5, planes)
        time, x = np.meshgrid(self.times, self._planes, indexing="ij")
        columns = {name: currents[:, n].ravel() for n, name in enumerate(CURRENTS)}
        self.results.table = pd.DataFrame({"time_s": time.ravel(), "x_m": x.ravel(), **columns})
