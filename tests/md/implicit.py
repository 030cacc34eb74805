"""Salts and boxes of ions in implicit water whose properties are known in closed form."""

from __future__ import annotations

import MDAnalysis
import numpy as np
import openmm
from MDAnalysis.coordinates.memory import MemoryReader
from openmm import app
from scipy import constants

from md.cell import Cell
from md.config import MDConfig
from md.forcefield import add_liquid
from md.implicit_water import add_ions, build_ions, ions_topology
from md.ions import IonSites
from md.propagate import GAS_CONSTANT, simulation
from transslit import SlitNetwork, load_electrolyte

KT = GAS_CONSTANT * 298.15  # kJ/mol
COULOMB = constants.e**2 * constants.N_A / (4 * np.pi * constants.epsilon_0) * 1e6  # kJ/mol nm per e^2
FAST = {"friction": 0.25}  # 1/ps: with D_k of FAST_DIFFUSION ions have some 39 Da, and configurations change quickly
FAST_DIFFUSION = 2.56e-7  # m^2/s


def salt(*, diameter=0.5e-9, permittivity=78.4, diffusion=None, charge=1.0):
    """Potassium chloride with other values: of both ions, or of each of them (diameter)."""
    base = load_electrolyte("KCl").with_permittivity(permittivity)
    ions = []
    for ion, sign, width in zip(base.ions, (1, -1), np.broadcast_to(diameter, 2), strict=True):
        md = ion.md.model_copy(update={"charge": ion.md.charge.model_copy(update={"value": sign * charge})})
        changed = {"md": md, "diameter": ion.diameter.model_copy(update={"value": float(width)})}
        if diffusion is not None:
            changed["diffusion_coefficient"] = ion.diffusion_coefficient.model_copy(update={"value": diffusion})
        ions.append(with_values(ion, **changed))
    return with_values(base, ions=tuple(ions))


def with_values(model, **values):
    """A validated copy of an ion or electrolyte, without what it has cached."""
    return model.__class__(**{**{name: getattr(model, name) for name in model.__class__.model_fields}, **values})


def configured(electrolyte, *, layers=3, network=None, **changes):
    """A cell in implicit water of two slits a face, or of bare walls (`layers` = 1, which a run refuses)."""
    shape = {"slit": 0.59e-9, "layers": 3, "slit_length": 0.852e-9, "edge_gap": 0.5325e-9, "reservoir_length": 0.6e-9}
    fields = {
        "network": SlitNetwork(**{**shape, **(network or {})}),
        "electrolyte": electrolyte,
        "concentration": 1000.0,
        "water": "implicit",
        "depth": 1.23e-9,
        "cutoff": 0.6e-9,
        "charge_per_carbon": 0.02,
        "electrode_uptake_fraction": 0.0,
        "replicas": 1,
    }
    config = MDConfig(**{**fields, **changes})
    if layers == 3:
        return config
    return config.model_copy(update={"network": config.network.model_copy(update={"layers": layers})})


def cell_simulation(cell, seed, system=None):
    return simulation(ions_topology(cell), build_ions(cell) if system is None else system, cell, seed)


class Bulk:
    """Ions in a periodic cube of `side` nm without sheets."""

    def __init__(self, config, number, side):
        self.config, self.side = config, side
        self.sites = IonSites(config.electrolyte, {ion.name: number for ion in config.electrolyte.ions})
        self.structure = app.Topology()
        add_liquid(self.structure, config.electrolyte, {ion.name: number for ion in config.electrolyte.ions}, 0)
        self.structure.setPeriodicBoxVectors(np.eye(3) * side)
        self.system = openmm.System()
        self.system.setDefaultPeriodicBoxVectors(*(np.eye(3) * side))
        add_ions(self.system, config, self.sites)

    def simulation(self, seed):
        return simulation(self.structure, self.system, Cell(self.config), seed)

    def started(self, seed):
        """A simulation from random sites of a cubic lattice."""
        sim, each = self.simulation(seed), int(np.ceil(len(self.sites) ** (1 / 3)))
        sites = np.stack(np.meshgrid(*[np.arange(each)] * 3), axis=-1).reshape(-1, 3) * self.side / each
        sim.context.setPositions(np.random.default_rng(seed).permutation(sites)[: len(self.sites)])
        sim.context.setVelocitiesToTemperature(self.config.temperature, seed)
        return sim


def positions(sim):
    return sim.context.getState(getPositions=True).getPositions(asNumpy=True)._value


def energy(sim, groups=-1):
    return sim.context.getState(getEnergy=True, groups=groups).getPotentialEnergy()._value


def forces(sim, groups=-1):
    return sim.context.getState(getForces=True, groups=groups).getForces(asNumpy=True)._value


def velocities(sim):
    return sim.context.getState(getVelocities=True).getVelocities(asNumpy=True)._value


def universe_of_ions(cell, frames, interval):
    """Universe of the ions alone from `frames` (T, ions, 3) in nm, every `interval` s, the last one at t = 0."""
    names = [cell.electrolyte.ions[k].molecule.residue for k in cell.ion_sites.kind]
    universe = MDAnalysis.Universe.empty(
        len(names), n_residues=len(names), atom_resindex=np.arange(len(names)), trajectory=True
    )
    universe.add_TopologyAttr("resnames", names)
    universe.add_TopologyAttr("names", names)
    time = {"dt": interval * 1e12, "time_offset": -(len(frames) - 1) * interval * 1e12}
    dimensions = np.array([*(cell.box * 1e10), 90, 90, 90])
    universe.load_new(np.asarray(frames) * 10, format=MemoryReader, dimensions=dimensions, **time)
    return universe
