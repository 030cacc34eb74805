"""Analyzer: concentration of the ions and density of water in the middle of the reservoirs against time.

The middle is the inner half of the space between the outermost sheets of the electrodes, both reservoirs together.
c is the mean over ions of c_k / stoichiometry, the concentration of formula units.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import constants

from md.atoms import ANGSTROM, FramewiseAnalysis, frame_time
from md.filling import reservoir_count, reservoir_volume, water_density


class Reservoir(FramewiseAnalysis):
    """`.results.table`: time_s, c_mol_per_m3, c_<ion>_mol_per_m3, water_kg_per_m3."""

    framewise = ("rows",)

    def _single_frame(self) -> None:
        cell, x = self.cell, self._ts.positions[:, 0].astype(float) * ANGSTROM
        salt = self.atoms.ion_positions(self._ts)[:, 0]
        number = [reservoir_count(cell, salt[self.atoms.kind == k]) for k in range(len(cell.electrolyte.ions))]
        each = np.array(number) / constants.N_A / reservoir_volume(cell)
        formula = float(np.mean(each / [ion.stoichiometry for ion in cell.electrolyte.ions]))
        water = water_density(cell, float(reservoir_count(cell, x[self.atoms.oxygens])))
        self.results.rows.append([frame_time(self._ts, cell.config.frame_interval), formula, *each.tolist(), water])

    def _conclude(self) -> None:
        ions = [f"c_{name}_mol_per_m3" for name in self.cell.electrolyte.names]
        self.results.table = pd.DataFrame(
            self.results.rows, columns=["time_s", "c_mol_per_m3", *ions, "water_kg_per_m3"]
        )
