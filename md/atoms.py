"""Selection of atoms from a universe, and the base class of the analyzers whose frames are independent.

A universe is read from the PDB topology and an XTC trajectory of this package (or made in memory) with residues GRA
(sheet atoms, in the cell's order), one residue name per ion, and HOH. MDAnalysis uses angstrom and ps; analyzers
compute in SI.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from MDAnalysis import Universe
from MDAnalysis.analysis.base import AnalysisBase
from MDAnalysis.analysis.results import ResultsGroup
from MDAnalysis.coordinates.timestep import Timestep
from scipy import constants

from md.cell import Cell
from md.forcefield import WATER
from md.ions import IonSites

ANGSTROM = 1e-10  # m
PICOSECOND = 1e-12  # s


def open_universe(folder: Path, box: int) -> Universe:
    """MDAnalysis universe of the trajectory of a box, from `topology.pdb` and `replica-<box>.xtc`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the PDB holds no masses and counts residues modulo 10,000
        return Universe(str(folder / "topology.pdb"), str(folder / f"replica-{box}.xtc"))


class Atoms:
    """Indices and charges of the ions' sites, sheet atoms and waters of `universe` in `cell`; `kind` of each ion."""

    def __init__(self, universe: Universe, cell: Cell) -> None:
        names = universe.atoms.resnames
        self.cell = cell
        sites = {ion.name: np.flatnonzero(names == ion.molecule.residue) for ion in cell.electrolyte.ions}
        self.sites = np.concatenate(list(sites.values()))
        numbers = {ion.name: len(sites[ion.name]) // len(ion.sites) for ion in cell.electrolyte.ions}
        self.ions = IonSites(cell.electrolyte, numbers)
        self.kind = self.ions.kind
        self.sheet_atoms = np.flatnonzero(names == "GRA")
        water = np.flatnonzero(names == "HOH")
        element = np.array([name[0] for name in universe.atoms.names[water]], dtype="U1")
        self.oxygens = water[element == "O"]
        self.mobile = np.concatenate([self.sites, water])
        water_charge = np.where(element == "O", WATER["O"]["charge"], WATER["H"]["charge"])
        self.mobile_charge = np.concatenate([self.ions.charge, water_charge]) * constants.e  # C

    def ion_positions(self, timestep: Timestep) -> np.ndarray:
        """Centres of mass of the ions in m, shape (ions, 3)."""
        return self.ions.centres(timestep.positions[self.sites].astype(float) * ANGSTROM)


class FramewiseAnalysis(AnalysisBase):
    """An analyzer that reduces each frame independently, so that parallel runs equal serial ones.

    Each frame appends to the lists `results.<name>` of `framewise`; what needs several frames is done in `_conclude`.
    """

    framewise: ClassVar[tuple[str, ...]] = ()
    _analysis_algorithm_is_parallelizable = True

    def __init__(self, universe: Universe, cell: Cell, **options: Any) -> None:
        super().__init__(universe.trajectory, **options)
        self.cell, self.atoms = cell, Atoms(universe, cell)

    @classmethod
    def get_supported_backends(cls) -> tuple[str, ...]:
        """MDAnalysis's names of the backends that this analyzer supports."""
        return ("serial", "multiprocessing", "dask")

    def _prepare(self) -> None:
        for name in self.framewise:
            self.results[name] = []

    def _get_aggregator(self) -> ResultsGroup:
        return ResultsGroup(dict.fromkeys(self.framewise, ResultsGroup.flatten_sequence))


def frame_time(timestep: Timestep, interval: float) -> float:
    """Time of a frame in s, rounded to a multiple of `interval` (s), which single precision misses."""
    return float(np.round(timestep.time * PICOSECOND / interval) * interval)


def step_between(old: np.ndarray, new: np.ndarray, length: np.ndarray | float) -> np.ndarray:
    """Displacement between frames by the nearest image, for atoms that move by less than half a box a frame."""
    move = new - old
    return move - length * np.round(move / length)
