"""Which atoms of a universe are what: the analyzers' common ground.

A universe is read from the PDB topology and an XTC trajectory of this package (or made in memory) with
residues GRA (carbon, in the cell's order), one residue name per ion, and HOH. MDAnalysis gives angstrom
and ps; analyzers compute in SI.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from MDAnalysis.analysis.base import AnalysisBase
from MDAnalysis.analysis.results import ResultsGroup
from scipy import constants

from md.cell import Cell
from md.forcefield import WATER, residue_name
from md.ions import IonSites

ANGSTROM = 1e-10  # m
PICOSECOND = 1e-12  # s


class Atoms:
    """Indices and charges of the ions' sites, carbons and waters of `universe` in `cell`; `kind` of each ion."""

    def __init__(self, universe: Any, cell: Cell) -> None:
        names = universe.atoms.resnames
        self.cell = cell
        found = {ion.name: np.flatnonzero(names == residue_name(ion)) for ion in cell.electrolyte.ions}
        self.sites = np.concatenate(list(found.values()))
        present = {ion.name: len(found[ion.name]) // len(ion.sites) for ion in cell.electrolyte.ions}
        self.ions = IonSites(cell.electrolyte, present)
        self.kind = self.ions.kind
        self.carbons = np.flatnonzero(names == "GRA")
        water = np.flatnonzero(names == "HOH")
        element = np.array([name[0] for name in universe.atoms.names[water]], dtype="U1")
        self.oxygens = water[element == "O"]
        self.mobile = np.concatenate([self.sites, water])
        water_charge = np.where(element == "O", WATER["O"]["charge"], WATER["H"]["charge"])
        self.mobile_charge = np.concatenate([self.ions.charge, water_charge]) * constants.e  # C

    def ion_positions(self, timestep: Any) -> np.ndarray:
        """Centres of mass of the ions in m, shape (ions, 3)."""
        return self.ions.centres(timestep.positions[self.sites].astype(float) * ANGSTROM)


class FramewiseAnalysis(AnalysisBase):
    """An analyzer whose frames are reduced independently, so that parallel runs give what serial ones give.

    Each frame appends to the lists `results.<name>` of `framewise`; what needs neighbours waits for `_conclude`.
    """

    framewise: ClassVar[tuple[str, ...]] = ()
    _analysis_algorithm_is_parallelizable = True

    def __init__(self, universe: Any, cell: Cell, **options: Any) -> None:
        super().__init__(universe.trajectory, **options)
        self.cell, self.atoms = cell, Atoms(universe, cell)

    @classmethod
    def get_supported_backends(cls) -> tuple[str, ...]:
        """MDAnalysis's names of the backends that this analyzer may run on."""
        return ("serial", "multiprocessing", "dask")

    def _prepare(self) -> None:
        for name in self.framewise:
            self.results[name] = []

    def _get_aggregator(self) -> ResultsGroup:
        return ResultsGroup(dict.fromkeys(self.framewise, ResultsGroup.flatten_sequence))


def frame_time(timestep: Any, interval: float) -> float:
    """Time of a frame in s, put on the grid of `interval` that single precision has lost."""
    return float(np.round(timestep.time * PICOSECOND / interval) * interval)


def step_between(old: np.ndarray, new: np.ndarray, length: np.ndarray | float) -> np.ndarray:
    """Displacement between frames by the nearest image, for atoms that move less than half a box a frame."""
    move = new - old
    return move - length * np.round(move / length)
