"""Local resistance of a crossing: potential, current density and resistivity along x through one edge gap.

    r(x) = -(dphi/dx) / j_x,   j_x = F sum_k z_k J_k,x

face by face on the grid line nearest to the gap's centre, from the centre of slit i + 1 to that of slit i. r is the
local resistivity, negative where ions accumulated by overlapping double layers turn the field against the current.
The table `gap` holds j_x over y on the sheet's centre plane: larger at the sheet's edge than at the mirror plane.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from continuum.frames import FrameAnalysis, Frames
from transslit import BadInput


class CrossingLine(FrameAnalysis):
    """Local resistance of crossing i: `CrossingLine(frames, i=1).run(start=50, stop=51).results.table`.

    Parameters
    ----------
    frames : of a half cell
    i : crossing, from slit i + 1 to slit i

    Results
    -------
    table : one row per (time, face): time_s, x_m, y_m, phi_V, j_A_per_m2, resistivity_ohm_m
    gap : one row per (time, face): time_s, from_edge_m (distance from the sheet's edge), height_m (of the face),
        j_A_per_m2

    Raises
    ------
    BadInput : no such crossing
    """

    def __init__(self, frames: Frames, i: int = 1, verbose: bool = False, **kwargs: Any) -> None:
        super().__init__(frames, verbose=verbose, **kwargs)
        network = frames.config.network
        if not 1 <= i < network.slits:
            raise BadInput("i", i, f"give a crossing, 1 to {network.slits - 1}")
        self.i = i

    def _prepare(self) -> None:
        super()._prepare()
        equations, network = self.frames_reader.equations, self.frames_reader.config.network
        faces, mesh = equations.inner_ion_faces, equations.mesh
        low, high = network.gap(self.i)
        x, y = faces.position
        rows = (mesh.y_lines[1:] + mesh.y_lines[:-1]) / 2
        row = rows[np.argmin(np.abs(rows - (low + high) / 2))]
        ends = network.slit_centres[self.i] - 1e-15, network.slit_centres[self.i - 1] + 1e-15
        along = np.flatnonzero((faces.axis == 0) & (np.abs(y - row) < 1e-15) & (x > ends[0]) & (x < ends[1]))
        self._along = along[np.argsort(x[along])]
        plane = network.sheet_centres[self.i]
        across = np.flatnonzero((faces.axis == 0) & (np.abs(x - plane) < 1e-15) & (y > low) & (y < high))
        edge = low if high >= network.slit_length else high
        self._distance = np.abs(y[across] - edge)
        self._across = across[np.argsort(self._distance)]
        self._distance = np.sort(self._distance)
        self._height = faces.area[self._across]
        self._gaps: list[pd.DataFrame] = []

    def _single_frame(self) -> None:
        equations, frame = self.frames_reader.equations, self._ts
        density = equations.current_density(frame.phi, frame.c)
        on = equations.inner_ion_faces[self._along]
        width = on.to_lower + on.to_upper
        before, after = frame.phi[on.lower], frame.phi[on.upper]
        j = density[self._along]
        with np.errstate(divide="ignore", invalid="ignore"):
            resistivity = (before - after) / width / j
        phi = (before * on.to_upper + after * on.to_lower) / width
        line = {"time_s": frame.time, "x_m": on.position[0], "y_m": on.position[1], "phi_V": phi, "j_A_per_m2": j}
        self._rows.append(pd.DataFrame(line | {"resistivity_ohm_m": resistivity}))
        gap = {"time_s": frame.time, "from_edge_m": self._distance, "height_m": self._height}
        self._gaps.append(pd.DataFrame(gap | {"j_A_per_m2": density[self._across]}))

    def _conclude(self) -> None:
        super()._conclude()
        self.results.gap = pd.concat(self._gaps, ignore_index=True)
