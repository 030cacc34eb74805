"""Rate of change of the ions' concentration in each slit, by migration, diffusion and steric flux.

    d c_i/dt = (N_i - N_{i-1}) / (d L),   N_i = sum_k J_k through the centre plane of sheet i, towards the bulk,

with N_0 through the entrance, nothing through the wall, and each N_i in its exact parts (`transslit.decomposition`).
The current weighs ions by their valence, this rate does not: counter-ions that enter and co-ions that leave have the
same effect on rho_i, and opposite ones on c_i.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import constants

from continuum.frames import FrameAnalysis
from continuum.trans_slit_flux import PlaneCurrents, TransSlitFlux

MECHANISMS = ("total", "migration", "diffusion", "steric")


class Accumulation(FrameAnalysis):
    """Sources of the slits' ion content: `Accumulation(frames).run().results.table`.

    Parameters
    ----------
    frames : of a half cell with one slit or more

    Results
    -------
    table : one row per (time, i): time_s, i, c_mol_per_m3 and rate_<mechanism>_mol_per_m3_s, mechanism one of
        total, migration, diffusion, steric
    """

    def _prepare(self) -> None:
        super()._prepare()
        equations = self.frames_reader.equations
        self._flux = TransSlitFlux(self.frames_reader)
        self._flux._prepare()
        planes = self._flux._currents
        ones = np.ones(equations.ions)
        self._count = PlaneCurrents(equations, planes.chosen, planes.group, planes.sign, planes.groups, ones)
        self._c: list[np.ndarray] = []

    def _single_frame(self) -> None:
        equations, frame = self.frames_reader.equations, self._ts
        crossing = self._count(equations.from_si(frame.phi, frame.c))[:4] / constants.value("Faraday constant")
        inward = np.concatenate([crossing[:, 1:], np.zeros((4, 1))], axis=1)
        volume = self.frames_reader.config.network.slit * self.frames_reader.config.network.slit_length
        self._rows.append((inward - crossing) / volume)
        mesh, bins = equations.mesh, self._flux._bins
        inside = bins >= 0
        weights = frame.c.sum(axis=0)[inside] * mesh.volumes[mesh.ion_cells[inside]]
        self._c.append(np.bincount(bins[inside], weights, self._flux._groups) / volume)

    def _conclude(self) -> None:
        rates = np.array(self._rows)  # (frames, 4, slits)
        time, i = np.meshgrid(self.times, np.arange(1, rates.shape[2] + 1), indexing="ij")
        columns = {f"rate_{name}_mol_per_m3_s": rates[:, n].ravel() for n, name in enumerate(MECHANISMS)}
        self.results.table = pd.DataFrame(
            {"time_s": time.ravel(), "i": i.ravel(), "c_mol_per_m3": np.array(self._c).ravel(), **columns}
        )
