"""Map of potential and current density: both in every cell of a frame.

The density in a cell is the mean of those of its faces, along x and along y: j = F sum_k z_k J_k.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from continuum.frames import FrameAnalysis


class FieldMap(FrameAnalysis):
    """Maps of the fields: `FieldMap(frames).run(start=50, stop=51).results.table`.

    Results
    -------
    table : one row per (time, ion cell): time_s, x_m, y_m, width_m, height_m, phi_V, jx_A_per_m2, jy_A_per_m2
    """

    def _single_frame(self) -> None:
        equations, frame = self.frames_reader.equations, self._ts
        mesh, faces = equations.mesh, equations.inner_ion_faces
        density = equations.current_density(frame.phi, frame.c)
        cells = mesh.ion_cells
        columns = np.clip(np.searchsorted(mesh.x_lines, mesh.centres[0, cells]) - 1, 0, None)
        rows = np.clip(np.searchsorted(mesh.y_lines, mesh.centres[1, cells]) - 1, 0, None)
        table = {
            "time_s": frame.time,
            "x_m": mesh.centres[0, cells],
            "y_m": mesh.centres[1, cells],
            "width_m": np.diff(mesh.x_lines)[columns],
            "height_m": np.diff(mesh.y_lines)[rows],
            "phi_V": frame.phi[cells],
        }
        lower, upper = equations.lower[: equations.crossing], equations.upper[: equations.crossing]
        for axis, name in enumerate(("jx_A_per_m2", "jy_A_per_m2")):
            along = np.where(faces.axis == axis, density, 0.0)
            sums = np.bincount(lower, along, equations.m) + np.bincount(upper, along, equations.m)
            table[name] = sums / 2  # no current crosses walls and mirror planes
        self._rows.append(pd.DataFrame(table))
