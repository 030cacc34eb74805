"""Lattices of the sheets: honeycombs of frozen atoms of one kind, by the name that `MDConfig.lattice` takes.

A honeycomb of bond b has two atoms in a cell of area 3 sqrt(3) b^2 / 2. Its zigzag chains are 3b/2 apart and have the
period sqrt(3) b. Another lattice is another entry of `LATTICES`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import constants


@dataclass(frozen=True)
class SheetLattice:
    """A honeycomb: `bond` and `thickness` of a sheet in m; `element`, `sigma` (m) and `epsilon` (kJ/mol) of its atoms.

    `name` is that of the atoms' type in the force field. Charges are those of the drive; the atoms do not move.
    """

    name: str
    bond: float
    thickness: float
    element: str
    sigma: float
    epsilon: float

    @property
    def chain_width(self) -> float:
        """Width of a zigzag chain along y in m."""
        return 1.5 * self.bond

    @property
    def chain_period(self) -> float:
        """Period of a zigzag chain along z in m."""
        return float(np.sqrt(3) * self.bond)

    @property
    def atoms_per_area(self) -> float:
        """Atoms per area of a sheet in 1/m^2."""
        return float(4 / (3 * np.sqrt(3) * self.bond**2))


GRAPHENE = SheetLattice(
    name="graphene",
    bond=1.42e-10,  # A. H. Castro Neto et al., Rev. Mod. Phys. 81, 109 (2009), doi:10.1103/RevModPhys.81.109
    thickness=0.34e-9,  # interlayer distance of graphite, PHYSICS section 1
    element="C",
    sigma=0.3407e-9,  # arXiv 2010.08151, Extended Data Table 1
    epsilon=0.068 * constants.calorie,  # 0.068 kcal/mol, as sigma
)

LATTICES = {each.name: each for each in (GRAPHENE,)}
