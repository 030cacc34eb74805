"""Analyzer: the forces on each ion by kind, evaluated by OpenMM on stored frames.

Kinds: `electrostatic` (particle-mesh Ewald of all charges, with those of the sheet atoms at that frame), and
Lennard-Jones forces of `water`, `ions` and `carbon` (the sheet atoms), all with the force field, cutoff and mixing
rules of the run (`md.forcefield`). Their sum is the force on the ion apart from the thermostat's. XTC rounds positions
to 1e-3 nm, which suffices (tests/md/test_force_balance.py).

The analyzer also averages the potential over intervals of time and over z (`md.poisson`): the field of a continuum.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import openmm
from MDAnalysis import Universe
from MDAnalysis.analysis.base import AnalysisBase
from scipy import constants

from md.atoms import ANGSTROM, Atoms, frame_time
from md.cell import Cell
from md.forcefield import PER_SHEET_ATOM, build_system, nonbonded, topology
from md.poisson import ChargeMap
from md.propagate import choose_platform
from md.sheet_atom_charge import SheetAtomCharge

KINDS = ("electrostatic", "water", "ions", "carbon")
FORCE = 1e12 / constants.N_A  # N per kJ/mol/nm
INTERVAL = 0.5e-12  # s, over which potentials and forces are averaged
LENNARD_JONES = "4*sqrt(e1*e2)*((s/r)^12-(s/r)^6); s=(s1+s2)/2"


class IonForces(AnalysisBase):
    """Forces on the ions of `cell` in the frames of `universe` after the drive's onset.

    Parameters
    ----------
    universe, cell, box, solved : as for `md.TransSlitFlux`
    every : forces are evaluated in every so many frames, since they are expensive, and are NaN in the others

    Attributes
    ----------
    results.time (T,) s; results.positions (T, ions, 3) m; results.forces (T, kinds, ions, 3) N, kinds as `KINDS`;
    results.phi : mean potential in V by number of the interval, each on the grid of `md.poisson.ChargeMap`
    """

    def __init__(
        self,
        universe: Universe,
        cell: Cell,
        *,
        box: int = 0,
        solved: np.ndarray | None = None,
        every: int = 1,
        **options: Any,
    ) -> None:
        super().__init__(universe.trajectory, **options)
        self.cell, self.number, self.every = cell, box, every
        self.atoms = Atoms(universe, cell)
        self.sheet_atom_charge = SheetAtomCharge(cell, solved)
        self._map = ChargeMap(cell.box)

    def _prepare(self) -> None:
        self._electrostatic = electrostatic_context(self.cell, len(self.atoms.oxygens))
        self._contact = contact_context(self.cell, len(self.atoms.oxygens))
        self.results.box = self.number
        self.results.time, self.results.positions, self.results.forces = [], [], []
        self._phi: dict[int, tuple[np.ndarray, int]] = {}

    def _single_frame(self) -> None:
        time = frame_time(self._ts, self.cell.config.frame_interval)
        if time <= 0:
            return
        place = self._ts.positions.astype(float) * ANGSTROM
        sheet_atoms = self.sheet_atom_charge.at(time, self._ts.frame)
        self.results.time.append(time)
        self.results.positions.append(self.atoms.ions.centres(place[self.atoms.sites]))
        due = self._frame_index % self.every == 0
        forces = self._forces(place, sheet_atoms) if due else np.full((len(KINDS), self.atoms.ions.ions, 3), np.nan)
        self.results.forces.append(forces.astype(np.float32))
        density = self._map.deposit(place[self.atoms.mobile], self.atoms.mobile_charge)
        density += self._map.deposit(self.cell.sheet_atoms["positions"], sheet_atoms * constants.e)
        number = interval_of(time)
        total, count = self._phi.get(number, (np.zeros(()), 0))
        self._phi[number] = total + self._map.solve(density), count + 1

    def _forces(self, place: np.ndarray, sheet_atoms: np.ndarray) -> np.ndarray:
        nanometres = place * 1e9
        charge_sheet_atoms(self._electrostatic, self.cell, sheet_atoms)
        found = []
        for context, groups in ((self._electrostatic, (0,)), (self._contact, (1, 2, 3))):
            context.setPositions(nanometres)
            for group in groups:
                forces = context.getState(getForces=True, groups={group}).getForces(asNumpy=True)
                found.append(self.atoms.ions.total(np.asarray(forces)[self.atoms.sites]) * FORCE)
        return np.array(found)

    def _conclude(self) -> None:
        self.results.phi = {number: total / count for number, (total, count) in self._phi.items()}
        for name in ("time", "positions", "forces"):
            self.results[name] = np.array(self.results[name])
        self.results.grid = self._map


def interval_of(time: np.ndarray | float) -> Any:
    """Number of the interval (n INTERVAL, (n + 1) INTERVAL] that holds `time` (s); an int, or an array of them."""
    return np.ceil(np.asarray(time) / INTERVAL - 1e-6).astype(int)[()] - 1


def electrostatic_context(cell: Cell, waters: int) -> openmm.Context:
    """Particle-mesh Ewald of the run with all Lennard-Jones depths set to zero; forces in group 0."""
    system = build_system(cell, topology(cell, waters))
    force = nonbonded(system)
    for index in range(force.getNumParticles()):
        charge, sigma, _ = force.getParticleParameters(index)
        force.setParticleParameters(index, charge, sigma, 0.0)
    for other in system.getForces():
        other.setForceGroup(0 if isinstance(other, openmm.NonbondedForce) else 31)
    return _context(system, cell)


def contact_context(cell: Cell, waters: int) -> openmm.Context:
    """Lennard-Jones forces of water (group 1), ions (2) and sheet atoms (3) on the ions."""
    made = build_system(cell, topology(cell, waters))
    source = nonbonded(made)
    sheet_atoms, ions = len(cell.sheet_atoms["sign"]), len(cell.ion_sites)
    salt = range(sheet_atoms, sheet_atoms + ions)
    oxygens = range(sheet_atoms + ions, source.getNumParticles(), 3)
    parameters = [source.getParticleParameters(index) for index in range(source.getNumParticles())]
    owner = cell.ion_sites.owner
    # forces between the sites of one ion move no centre of mass
    within = np.argwhere(np.triu(owner[:, None] == owner, 1)) if cell.ion_sites.molecular else ()
    plain = [[epsilon._value, sigma._value] for _, sigma, epsilon in parameters]  # kJ/mol and nm, OpenMM's own
    system = openmm.System()
    for index in range(made.getNumParticles()):
        system.addParticle(made.getParticleMass(index))
    system.setDefaultPeriodicBoxVectors(*made.getDefaultPeriodicBoxVectors())
    for group, partners in ((1, oxygens), (2, salt), (3, range(sheet_atoms))):
        force = openmm.CustomNonbondedForce(LENNARD_JONES)
        force.addPerParticleParameter("e")
        force.addPerParticleParameter("s")
        for each in plain:
            force.addParticle(each)
        force.setNonbondedMethod(openmm.CustomNonbondedForce.CutoffPeriodic)
        force.setCutoffDistance(source.getCutoffDistance())
        for a, b in within:
            force.addExclusion(sheet_atoms + int(a), sheet_atoms + int(b))
        force.addInteractionGroup(salt, partners)
        force.setForceGroup(group)
        system.addForce(force)
    return _context(system, cell)


def charge_sheet_atoms(context: openmm.Context, cell: Cell, charge: np.ndarray) -> None:
    """Give the sheet atoms of an electrostatic context their charge in e, shape (sheet atoms,)."""
    per_sheet_atom = float(charge[0] * cell.sheet_atoms["sign"][0])
    if np.array_equal(charge, cell.sheet_atoms["sign"] * per_sheet_atom):
        context.setParameter(PER_SHEET_ATOM, per_sheet_atom)
        return
    context.setParameter(PER_SHEET_ATOM, 0.0)
    force = nonbonded(context.getSystem())
    for index, value in enumerate(charge):
        _, sigma, epsilon = force.getParticleParameters(index)
        force.setParticleParameters(index, float(value), sigma, epsilon)
    force.updateParametersInContext(context)


def _context(system: openmm.System, cell: Cell) -> openmm.Context:
    platform, properties = choose_platform(cell.config.platform)
    return openmm.Context(system, openmm.VerletIntegrator(1e-3), platform, properties)
