"""Which atoms of a universe are what: the analyzers' common ground.

A universe is read from the PDB topology and an XTC trajectory of this package (or made in memory) with
residues GRA (carbon, in the cell's order), one residue name per ion, and HOH. MDAnalysis gives angstrom
and ps; analyzers compute in SI.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import constants

from md.cell import Cell
from md.forcefield import WATER, residue_name

ANGSTROM = 1e-10  # m
PICOSECOND = 1e-12  # s


class Atoms:
    """Indices and charges of the ions, carbons and waters of `universe` in `cell`."""

    def __init__(self, universe: Any, cell: Cell) -> None:
        names = universe.atoms.resnames
        self.cell = cell
        self.ions = np.concatenate([np.flatnonzero(names == residue_name(ion)) for ion in cell.electrolyte.ions])
        self.kind = np.concatenate(
            [np.full(np.count_nonzero(names == residue_name(ion)), k) for k, ion in enumerate(cell.electrolyte.ions)]
        )
        self.carbons = np.flatnonzero(names == "GRA")
        water = np.flatnonzero(names == "HOH")
        element = np.array([name[0] for name in universe.atoms.names[water]], dtype="U1")
        self.oxygens = water[element == "O"]
        self.mobile = np.concatenate([self.ions, water])
        ion_charge = np.array([ion.md.charge.value for ion in cell.electrolyte.ions])[self.kind]
        water_charge = np.where(element == "O", WATER["O"]["charge"], WATER["H"]["charge"])
        self.mobile_charge = np.concatenate([ion_charge, water_charge]) * constants.e  # C

    def ion_positions(self, timestep: Any) -> np.ndarray:
        """Positions of the ions in m, shape (ions, 3)."""
        return timestep.positions[self.ions].astype(float) * ANGSTROM


def frame_time(timestep: Any, interval: float) -> float:
    """Time of a frame in s, put on the grid of `interval` that single precision has lost."""
    return float(np.round(timestep.time * PICOSECOND / interval) * interval)


def step_between(old: np.ndarray, new: np.ndarray, length: np.ndarray | float) -> np.ndarray:
    """Displacement between frames by the nearest image, for atoms that move less than half a box a frame."""
    move = new - old
    return move - length * np.round(move / length)
