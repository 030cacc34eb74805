"""Potential and ion concentrations across the slits and the open space, along one line.

Profiles along x at one y, from the closing wall to the mid-plane, at the cells' centres. In a slit they show a
potential well: where two double layers overlap, the potential between the sheets does not fall to that of the bulk.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from MDAnalysis.analysis.base import AnalysisBase
from scipy import constants

from continuum.frames import Frames


class SlitWells(AnalysisBase):
    """Profiles across the network: `SlitWells(frames).run(start=50, stop=51).results.table`.

    Parameters
    ----------
    frames : of a half cell
    y : of the profile in m; half the slit length when left out, where phi_i is taken

    Results
    -------
    table : one row per (time, cell), by x: time_s, x_m, slit (0 in the open space), phi_V, rho_C_per_m3 and one
        c_<ion>_mol_per_m3 per ion (0 in a resolved Stern layer)
    """

    def __init__(self, frames: Frames, y: float | None = None, verbose: bool = False, **kwargs: Any) -> None:
        super().__init__(frames, verbose=verbose, **kwargs)
        self.frames_reader = frames
        self.y = frames.config.network.slit_length / 2 if y is None else y

    def _prepare(self) -> None:
        mesh, network = self.frames_reader.equations.mesh, self.frames_reader.config.network
        row = int(np.clip(np.searchsorted(mesh.y_lines, self.y, side="right") - 1, 0, mesh.y_lines.size - 2))
        self._cells = mesh.number[:, row][mesh.number[:, row] >= 0]
        self._x = mesh.centres[0, self._cells]
        inside = np.abs(self._x[:, None] - network.slit_centres) < network.slit / 2
        self._slit = (
            np.where(inside.any(axis=1), inside.argmax(axis=1) + 1, 0) if network.slits else np.zeros_like(self._cells)
        )
        self._ions = mesh.ion_number[self._cells]
        self._rows: list[pd.DataFrame] = []

    def _single_frame(self) -> None:
        frame, equations = self._ts, self.frames_reader.equations
        c = np.where(self._ions >= 0, frame.c[:, self._ions], 0.0)
        names = self.frames_reader.config.electrolyte.names

        columns = {"time_s": frame.time, "x_m": self._x, "slit": self._slit, "phi_V": frame.phi[self._cells]}
        columns["rho_C_per_m3"] = constants.value("Faraday constant") * (equations.z @ c)
        columns |= {f"c_{name}_mol_per_m3": c[k] for k, name in enumerate(names)}
        self._rows.append(pd.DataFrame(columns))

    def _conclude(self) -> None:
        self.results.table = pd.concat(self._rows, ignore_index=True)
