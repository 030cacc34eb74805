"""Ions in implicit water: the cell of `md.cell` with water as a dielectric, by Langevin dynamics.

The model is that of the continuum with one thing changed: ions are particles.

    Coulomb's law        over eps_r of the electrolyte everywhere, sheets included
    friction             kT / D_k: with one relaxation time of the velocity for all ions, from their masses
    ions                 repel each other by kT at the mean of their diameters a (Weeks, Chandler & Andersen 1971,
                         doi:10.1063/1.1674820), as spheres of diameter a would
    sheets               their charge acts as a field phi(x, y), averaged along z (`md.sheet_field`); they are walls to
                         the ions' centres, as in the continuum: rectangles t thick and L - g long

A wall is a harmonic force over a depth of some 0.02 nm. It begins off the face by as much as makes the ions' mean
number that of an even density up to the face (the Gibbs dividing surface), so that the width of slits and gaps for
ions is that of the continuum.

The integrator moves free particles by D = (kT / m) (h / 2) coth(Gamma h / 2) at a timestep h; m is chosen such that
this is D_k. Masses do not affect equilibrium, and at times beyond 1 / Gamma the motion depends on D_k alone.
"""

from __future__ import annotations

import numpy as np
import openmm
from openmm import app
from scipy.spatial import cKDTree

from md.atoms import step_between
from md.cell import Cell
from md.config import MDConfig
from md.forcefield import PER_SHEET_ATOM, add_liquid, check_neutral, topology
from md.ions import IonSites
from md.propagate import GAS_CONSTANT, choose_platform, positions_of
from md.sheet_field import add_sheet_field, potential_map
from transslit.errors import BadInput

SOFTNESS = 0.02  # nm, depth of a wall at which it costs kT / 2
REACH = np.sqrt(np.pi / 2) * SOFTNESS  # nm, from the face to where the wall begins: Gibbs dividing surface
CUTOFF_OF_REPULSION = 2 ** (1 / 6)  # of a, where the repulsion ends
APART = 0.85  # of a, least distance of ions at random places, before energy minimisation
ATTEMPTS = 10_000  # at random places, for one ion


def masses(config: MDConfig) -> np.ndarray:
    """Mass of each kind of ion in Da, with which the integrator gives it D_k; shape (kinds,)."""
    step = config.timestep * 1e12  # ps
    diffusion = config.electrolyte.diffusion_coefficients * 1e6  # nm^2/ps
    return thermal(config) * step / 2 / np.tanh(config.friction * step / 2) / diffusion


def thermal(config: MDConfig) -> float:
    """kT in kJ/mol."""
    return GAS_CONSTANT * config.temperature


def ions_topology(cell: Cell) -> app.Topology:
    """The particles in a periodic box: the ions, after the sites of the sheets at constant potential."""
    if cell.frozen:
        return topology(cell, 0)
    structure = app.Topology()
    add_liquid(structure, cell.electrolyte, cell.ion_numbers, 0)
    structure.setPeriodicBoxVectors(np.diag(cell.box * 1e9))
    return structure


def build_ions(cell: Cell) -> openmm.System:
    """The ions of `cell` in implicit water; the context parameter `PER_SHEET_ATOM` charges the electrodes.

    At constant potential the sites of the sheets, which `md.constant_potential` charges, come before the ions.

    Raises
    ------
    BadInput : ions of several sites, a liquid without a solvent, ions too large for the box, or one that is not neutral
    """
    electrolyte, sites = cell.electrolyte, cell.ion_sites
    if electrolyte.solvent.model == "none":
        raise BadInput("water", "implicit", f"{electrolyte.name} is a liquid of ions alone; give explicit")
    if sites.molecular:
        raise BadInput("water", "implicit", "takes ions of one site; give explicit")
    reach, narrowest = _reach_of_repulsion(cell.config), cell.box.min() * 1e9
    if narrowest < 2 * reach:
        fits = f"the ions' repulsion, to {reach:.3g} nm, needs a box of twice that; give a larger depth or slit_length"
        raise BadInput("depth", f"box of {narrowest:.3g} nm", fits)
    check_neutral(sites.charge, allowed=electrolyte.allow_charged)
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*np.diag(cell.box * 1e9))
    for _ in range(cell.frozen):
        system.addParticle(0.0)
    add_ions(system, cell.config, sites, cell.frozen)
    system.addForce(_walls(cell))
    if cell.config.fixed_charge:
        sign = cell.sheet_atoms["sign"].astype(float)
        add_sheet_field(system, cell, potential_map(cell, sign, cell.permittivity), PER_SHEET_ATOM, sites.charge)
    return system


def add_ions(system: openmm.System, config: MDConfig, sites: IonSites, frozen: int = 0) -> None:
    """Add ions in the dielectric to a periodic box: particles, Coulomb's law and repulsion, without sheets.

    `frozen` particles, which neither force acts on, come before them.
    """
    for mass in masses(config)[sites.kind]:
        system.addParticle(mass)
    system.addForce(_coulomb(config, sites, frozen))
    system.addForce(_repulsion(config, sites, frozen))


def _reach_of_repulsion(config: MDConfig) -> float:
    """Distance in nm from which on no two ions repel each other."""
    return CUTOFF_OF_REPULSION * max(ion.diameter.value for ion in config.electrolyte.ions) * 1e9 + 1e-3


def _coulomb(config: MDConfig, sites: IonSites, frozen: int) -> openmm.NonbondedForce:
    force = openmm.NonbondedForce()
    force.setNonbondedMethod(force.PME)
    force.setCutoffDistance(config.cutoff * 1e9)
    force.setEwaldErrorTolerance(config.ewald_tolerance)
    force.setUseDispersionCorrection(False)
    for charge in (*np.zeros(frozen), *sites.charge):
        force.addParticle(charge / np.sqrt(config.electrolyte.solvent.permittivity.value), 1.0, 0.0)
    return force


def _repulsion(config: MDConfig, sites: IonSites, frozen: int) -> openmm.CustomNonbondedForce:
    """4 kT [(a / r)^12 - (a / r)^6] + kT up to its minimum; a is the mean of two ions' diameters."""
    diameters = np.array([ion.diameter.value for ion in config.electrolyte.ions]) * 1e9
    force = openmm.CustomNonbondedForce(
        "ion1 * ion2 * step(reach * a - r) * kT * (4 * (s^2 - s) + 1); s = (a / r)^6; a = (a1 + a2) / 2"
    )
    force.addGlobalParameter("kT", thermal(config))
    force.addGlobalParameter("reach", CUTOFF_OF_REPULSION)
    force.addPerParticleParameter("a")
    force.addPerParticleParameter("ion")
    force.setNonbondedMethod(force.CutoffPeriodic)
    force.setCutoffDistance(_reach_of_repulsion(config))
    for _ in range(frozen):
        force.addParticle([1.0, 0.0])
    for kind in sites.kind:
        force.addParticle([diameters[kind], 1.0])
    return force


def rectangles(cell: Cell) -> list[tuple[float, float, float, float]]:
    """Sheets as the ions meet them in one half-cell, in nm: (distance of the centre plane from the wall's, y of the
    centre, half of the thickness, half of the length along y); the first is the wall, without ends.
    """
    network = cell.network
    half = network.sheet_thickness / 2
    shape = (half, network.slit_length - network.edge_gap)
    ribbons = [
        (half + x, 0.0 if j % 2 == 0 else network.slit_length, *shape) for j, x in enumerate(network.sheet_centres)
    ]
    wall = (0.0, 0.0, half, 2 * network.slit_length)
    return [(x * 1e9, y * 1e9, w * 1e9, v * 1e9) for x, y, w, v in (wall, *ribbons)]


def distances(cell: Cell, positions: np.ndarray) -> np.ndarray:
    """Distance in nm of `positions` (n, 2 or 3; nm) from the nearest sheet's surface, negative inside; shape (n,)."""
    half, period = cell.half * 1e9, cell.box[1] * 1e9
    from_wall = np.abs(positions[:, 0] % (2 * half) - half)
    found = np.full(len(positions), np.inf)
    for x, y, thickness, length in rectangles(cell):
        off = np.stack(
            [np.abs(from_wall - x) - thickness, np.abs(step_between(np.asarray(y), positions[:, 1], period)) - length]
        )
        outside, inside = np.linalg.norm(np.maximum(off, 0), axis=0), np.minimum(off.max(axis=0), 0)
        found = np.minimum(found, outside + inside)
    return found


def _walls(cell: Cell) -> openmm.CustomExternalForce:
    """kT / 2 (depth / SOFTNESS)^2, depth from `REACH` off the surface on, of every sheet."""
    half, period = cell.half * 1e9, cell.box[1] * 1e9
    tiny = 1e-12  # nm^2, so that the root has a derivative inside
    terms, definitions = [], []
    for n, (x, y, thickness, length) in enumerate(rectangles(cell)):
        terms.append(f"max(0, {REACH} - s{n})^2")
        definitions += [
            f"s{n} = sqrt(max(0, p{n})^2 + max(0, v{n})^2 + {tiny}) + min(0, max(p{n}, v{n}))",
            f"p{n} = abs(u - {x}) - {thickness}",
            f"v{n} = abs(w{n} - {period} * floor(w{n} / {period} + 0.5)) - {length}",
            f"w{n} = y - {y}",
        ]
    definitions += [f"u = abs(x - {2 * half} * floor(x / {2 * half}) - {half})"]
    force = openmm.CustomExternalForce("; ".join([f"stiffness / 2 * ({' + '.join(terms)})", *definitions]))
    force.addGlobalParameter("stiffness", thermal(cell.config) / SOFTNESS**2)
    for i in range(len(cell.ion_sites)):
        force.addParticle(cell.frozen + i, [])
    return force


def random_places(cell: Cell, seed: int) -> np.ndarray:
    """Ions at random outside the sheets, apart from one another, then at an energy minimum; (ions, 3) in nm.

    Both compartments of the cell are neutral.

    Raises
    ------
    BadInput : the ions do not fit at random
    """
    random = np.random.default_rng([seed, 2])
    box = cell.box * 1e9
    diameters = np.array([ion.diameter.value for ion in cell.electrolyte.ions])[cell.ion_sites.kind] * 1e9
    apart, own = APART * diameters.max(), cell.compartments_of_ions(random)
    placed = np.empty((0, 3))
    while len(placed) < cell.ion_sites.ions:
        trials = random.uniform(size=(ATTEMPTS, 3)) * box
        trials = trials[cell.compartment(trials[:, 0] * 1e-9) == own[len(placed)]]
        trials = trials[distances(cell, trials) > REACH]
        if len(placed):
            trials = trials[cKDTree(placed, boxsize=box).query(trials)[0] > apart]
        if not len(trials):
            raise BadInput("concentration", f"{cell.ion_sites.ions} ions", "do not fit at random; ask for less")
        placed = np.vstack([placed, trials[:1]])
    alone = Cell(cell.config.model_copy(update={"drive": "charge-step"}))  # without sites, which are not charged yet
    platform = choose_platform(cell.config.platform)
    sim = app.Simulation(ions_topology(alone), build_ions(alone), openmm.VerletIntegrator(1e-3), *platform)
    sim.context.setPositions(placed)
    sim.minimizeEnergy(maxIterations=100)
    return positions_of(sim)
