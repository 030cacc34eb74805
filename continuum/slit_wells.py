"""Potential and ion concentrations across the slits and the open space, along one line.

Profiles along x at half the slit length, where phi_i is taken, from the closing wall to the mid-plane, at the cells'
centres. In a slit they show a potential well: where two double layers overlap, the potential between the sheets does
not fall to that of the bulk.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import constants

from continuum.frames import FrameAnalysis


class SlitWells(FrameAnalysis):
    """Profiles across the network: `SlitWells(frames).run(start=50, stop=51).results.table`.

    Parameters
    ----------
    frames : of a half cell

    Results
    -------
    table : one row per (time, cell), by x: time_s, x_m, slit (0 in the open space), phi_V, rho_C_per_m3 and one
        c_<ion>_mol_per_m3 per ion (0 in a resolved Stern layer)
    """

    def _prepare(self) -> None:
        super()._prepare()
        mesh, network = self.frames_reader.equations.mesh, self.frames_reader.config.network
        row = int(np.searchsorted(mesh.y_lines, network.slit_length / 2, side="right")) - 1
        self._cells = mesh.number[:, row][mesh.number[:, row] >= 0]
        self._x = mesh.centres[0, self._cells]
        inside = np.abs(self._x[:, None] - network.slit_centres) < network.slit / 2
        self._slit = (
            np.where(inside.any(axis=1), inside.argmax(axis=1) + 1, 0) if network.slits else np.zeros_like(self._cells)
        )
        self._ions = mesh.ion_number[self._cells]

    def _single_frame(self) -> None:
        frame, equations = self._ts, self.frames_reader.equations
        c = np.where(self._ions >= 0, frame.c[:, self._ions], 0.0)
        names = self.frames_reader.config.electrolyte.names
        columns = {"time_s": frame.time, "x_m": self._x, "slit": self._slit, "phi_V": frame.phi[self._cells]}
        columns["rho_C_per_m3"] = constants.value("Faraday constant") * (equations.z @ c)
        columns |= {f"c_{name}_mol_per_m3": c[k] for k, name in enumerate(names)}
        self._rows.append(pd.DataFrame(columns))
