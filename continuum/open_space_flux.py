"""Ionic current and its parts through planes x = const of the open space outside the electrode.

I(x) = F sum_k z_k J_k over the faces of the plane nearest to each given distance from the outermost sheet,
positive towards the bulk, with the exact parts of `transslit.decomposition`. The total differs from the
terminal current by the displacement current, which matters within the double layer only.

Where ions of unequal mobility leave a gradient of neutral salt, its diffusion carries a current, and the diffusion
potential of that gradient drives a drift that cancels it: a liquid junction, which carries no net current and does not
depend on the voltage. It is separated from the rest of migration by the neutral part of the ions' chemical forces (in
kT),

    h_k = grad c_k + c_k grad mu,    n_k = h_k - z_k c_k (sum_j z_j h_j) / (sum_j z_j^2 c_j),    sum_k z_k n_k = 0,
    I_junction = F sum_k z_k D_k n_k.

With ions at rest h_k = -z_k c_k grad psi, so that a double layer has no junction; with equal D there is none at all.
In neutral salt I_junction is the field of P. Henderson (Z. Phys. Chem. 59, 118 (1907)) times the conductivity.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from continuum.frames import FrameAnalysis, Frames
from continuum.mesh import Array
from continuum.trans_slit_flux import CURRENTS, PlaneCurrents
from transslit.decomposition import drift_mean

JUNCTION = "I_junction_A_per_m"


class OpenSpaceFlux(FrameAnalysis):
    """Parts of the current in the open space: `OpenSpaceFlux(frames).run().results.table`.

    Parameters
    ----------
    frames : of a half cell, or of a full cell (whose positive electrode's side is taken)
    distances : from the outer face of the electrode, in m; all grid planes of the reservoir when left out

    Results
    -------
    table : one row per (time, plane): time_s, x_m (from the electrode's outer face), I_A_per_m and its parts, of
        which I_junction_A_per_m is liquid-junction drift, and I_migration_A_per_m all other drift in the field
    """

    def __init__(
        self, frames: Frames, distances: Sequence[float] | None = None, verbose: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(frames, verbose=verbose, **kwargs)
        self.distances = distances

    def _prepare(self) -> None:
        super()._prepare()
        equations = self.frames_reader.equations
        network, mesh = self.frames_reader.config.network, equations.mesh
        lines = mesh.x_lines - network.depth
        lines = lines[(lines > 1e-15) & (lines < network.reservoir_length - 1e-15)]
        if self.distances is not None:
            lines = lines[np.unique([np.argmin(np.abs(lines - distance)) for distance in self.distances])]
        faces = equations.inner_ion_faces
        away = np.abs(faces.position[0][:, None] - network.depth - lines[None, :]) < 1e-15
        chosen, group = np.nonzero(away & (faces.axis == 0)[:, None])
        self._planes = lines
        self._currents = PlaneCurrents(equations, chosen, group, np.ones(chosen.size), lines.size)

    def _single_frame(self) -> None:
        x = self.frames_reader.equations.from_si(self._ts.phi, self._ts.c)
        currents, drift = self._currents(x), junction(self._currents, x)
        currents[CURRENTS.index("I_migration_A_per_m")] -= drift
        self._rows.append(np.vstack([currents, drift]))

    def _conclude(self) -> None:
        currents = np.array(self._rows)  # (frames, 6, planes)
        time, x = np.meshgrid(self.times, self._planes, indexing="ij")
        columns = {name: currents[:, n].ravel() for n, name in enumerate([*CURRENTS, JUNCTION])}
        self.results.table = pd.DataFrame({"time_s": time.ravel(), "x_m": x.ravel(), **columns})


def junction(planes: PlaneCurrents, x: Array) -> Array:
    """Liquid-junction drift in A/m through `planes`, shape (groups,), of unknowns `x`: the equation above."""
    below, above, migration, steric = planes.across(x)
    carried = drift_mean(migration + steric, below, above)
    z, force = planes.equations.z[:, None], above - below + carried * steric
    neutral = force - z * carried * (z * force).sum(axis=0) / (z**2 * carried).sum(axis=0)
    return planes.summed(planes.conductance * neutral)
