"""Ions in implicit water against closed forms: parts of the energy, walls, motion, and liquids at low coupling.

Tolerances of averages are four standard errors or more, with the standard error from independent blocks.
"""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import openmm
import pytest
from scipy import constants

from md.cell import Cell
from md.forcefield import PER_SHEET_ATOM
from md.implicit_water import CUTOFF_OF_REPULSION, SOFTNESS, build_ions, distances, masses, random_places
from md.sheet_field import VOLT, potential_map
from md.starts import slit_contents
from transslit.errors import BadInput

from .implicit import (
    COULOMB,
    FAST,
    FAST_DIFFUSION,
    KT,
    Bulk,
    cell_simulation,
    configured,
    energy,
    forces,
    positions,
    salt,
    with_values,
)


def bare(cell, charge=0.0):
    """A simulation on the Reference platform, one force group per force in the order of `build_ions`."""
    system = build_ions(cell)
    for group, force in enumerate(system.getForces()):
        force.setForceGroup(group)
    sim = cell_simulation(cell, 1, system)
    sim.context.setParameter(PER_SHEET_ATOM, charge)
    return sim


COULOMB_GROUP, REPULSION_GROUP, WALL_GROUP, FIELD_GROUP = 1, 2, 4, 8  # masks of `bare`


def test_two_ions_have_coulombs_energy_over_the_permittivity():
    """E = -e^2 / (4 pi eps_r eps0) [1 / r + 2 pi r^2 / (3 A^3)] of a pair in a cube of side A in conducting
    surroundings (the next order is (r / A)^5 of it, 1e-4 at most).

    Tolerance 2e-3 of its part 1 / r: that of the mesh at the runs' Ewald tolerance, 1e-3.
    """
    side, permittivity = 8.0, 20.0
    config = configured(salt(permittivity=permittivity), platform="Reference", cutoff=0.6e-9)
    sim = Bulk(config, 1, side).simulation(1)
    random = np.random.default_rng(3)
    for r in (0.6, 0.8, 1.0, 1.3):
        for _ in range(3):
            first, direction = random.uniform(0, side, 3), random.normal(size=3)
            sim.context.setPositions([first, first + r * direction / np.linalg.norm(direction)])
            known = -COULOMB / permittivity * (1 / r + 2 * np.pi * r**2 / (3 * side**3))
            assert energy(sim) == pytest.approx(known, abs=2e-3 * COULOMB / permittivity / r)


def test_ions_repel_each_other_as_spheres_of_the_mean_diameter():
    """Weeks, Chandler & Andersen: kT at r = a, zero from 2^(1/6) a on, a the mean of the diameters 0.3 and 0.6 nm."""
    config = configured(salt(diameter=(0.3e-9, 0.5e-9), charge=0.0), platform="Reference")
    bulk = Bulk(config, 2, 5.0)
    sim = bulk.simulation(1)
    for pair, a in (((0, 1), 0.3), ((2, 3), 0.5), ((0, 2), 0.4), ((1, 3), 0.4)):
        for r, known in ((a, KT), (CUTOFF_OF_REPULSION * a * 1.0001, 0.0), (0.95 * a, None)):
            s = (a / r) ** 6
            place = np.array([[0.0, 0, 0], [2.4, 0, 0], [0, 2.4, 0], [0, 0, 2.4]])
            place[pair[1]] = place[pair[0]] + np.array([0.0, 0.0, r])
            sim.context.setPositions(place)
            expected = KT * (4 * (s**2 - s) + 1) if known is None else known
            assert energy(sim) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def around_the_sheets(cell, number, random):
    """Places in nm within 0.05 nm of the walls' onset, at faces, tips and corners, wherever sheets are."""
    found = np.empty((0, 3))
    while len(found) < number:
        trials = random.uniform(size=(200_000, 3)) * cell.box * 1e9
        near = np.abs(distances(cell, trials)) < 0.04
        found = np.vstack([found, trials[near]])
    return found[:number]


def test_forces_are_minus_the_gradient_of_the_energy():
    """Central differences over 2e-5 nm at random places on faces, tips and corners of walls and ribbons.

    Relative tolerance 1e-4 of the largest force, that of the differences in double precision.
    """
    cell = Cell(configured(salt(), platform="Reference"))
    sim, random, step = bare(cell, 0.02), np.random.default_rng(5), 2e-5
    ions = len(cell.ion_sites)
    place = around_the_sheets(cell, ions, random)
    assert distances(cell, place).min() < 0 < distances(cell, place).max()
    sim.context.setPositions(place)
    for group in (WALL_GROUP, FIELD_GROUP):
        known = np.empty((ions, 3))
        for ion, axis in np.ndindex(ions, 3):
            ends = []
            for sign in (1, -1):
                moved = place.copy()
                moved[ion, axis] += sign * step
                sim.context.setPositions(moved)
                ends.append(energy(sim, group))
            known[ion, axis] = -(ends[0] - ends[1]) / (2 * step)
        sim.context.setPositions(place)
        assert np.abs(known).max() > 1.0
        np.testing.assert_allclose(forces(sim, group), known, atol=1e-4 * np.abs(known).max())


def mean_force_over_y(cell, sim, x):
    """Mean force along x on a cation at `x` (nm) over a period along y, kJ/mol/nm."""
    place, found = np.zeros((len(cell.ion_sites), 3)), []
    cations = int((cell.ion_sites.kind == 0).sum())
    for start in np.arange(32) / 32 / cations:
        place[:cations, 0], place[:cations, 1] = x, (start + np.arange(cations) / cations) * cell.box[1] * 1e9
        sim.context.setPositions(place)
        found.append(forces(sim, FIELD_GROUP)[:cations, 0])
    return float(np.mean(found))


@pytest.mark.parametrize("exchanged", [False, True])
def test_field_of_charged_sheets_is_that_of_gauss(exchanged):
    """Every sheet adds sigma / (2 eps_r eps0) on either side, a ribbon its share 1 - g / L of it in the mean over y.

    The two faces of a wall are mirror images, so that the mean of E_x between the wall and the mid-plane is (sigma / 2
    + those of the ribbons passed) / eps, away from a positive electrode, wherever it stands. By the Fourier map and by
    the force on a cation. Tolerance 1e-3: the grid of the tabulated potential.
    """
    cell = Cell(configured(salt(), platform="Reference"), exchanged=exchanged)
    charge = 0.02
    sim = bare(cell, charge)
    sigma = cell.sheet_lattice.atoms_per_area * charge * constants.e
    phi = charge * potential_map(cell, cell.sheet_atoms["sign"].astype(float), cell.permittivity)
    spacing = cell.box[0] / len(phi)
    across = phi.mean(axis=1)
    network = cell.network
    share = 1 - network.edge_gap / network.slit_length
    depths = np.append(network.slit_centres[::-1], network.depth + network.reservoir_length / 2)
    for half_cell in cell.half_cells:
        sign = 1 if half_cell.electrode == "positive" else -1
        assert (half_cell.wall < cell.box[0] / 2) == ((sign > 0) != exchanged)
        for passed, depth in enumerate(depths):
            outward = sign * (sigma / 2 + passed * sigma * share) / (cell.permittivity * constants.epsilon_0)
            x = float(cell.to_box(half_cell, depth))
            force = half_cell.direction * mean_force_over_y(cell, sim, x * 1e9)
            assert force == pytest.approx(outward * 1e-9 * VOLT, rel=1e-3)
            n = round(x / spacing)
            slope = (across[(n + 1) % len(phi)] - across[n - 1]) / (2 * spacing)
            assert -half_cell.direction * slope == pytest.approx(outward, rel=1e-3)


def test_a_system_that_cannot_be_built_is_refused():
    """Molecular ions, liquids without a solvent, charges that do not add up to zero, and ions
    that reach across half of the box."""
    electrolyte = salt()
    cell = Cell(configured(electrolyte))
    charged = electrolyte.ions[0].md.model_copy(
        update={"charge": electrolyte.ions[0].md.charge.model_copy(update={"value": 2.0})}
    )
    ion = with_values(electrolyte.ions[0], md=charged)
    cell.electrolyte = electrolyte.model_copy(update={"ions": (ion, electrolyte.ions[1])})
    with pytest.raises(BadInput, match="neutral"):
        build_ions(cell)
    cell = Cell(configured(electrolyte))
    cell.ion_sites = SimpleNamespace(molecular=True)
    with pytest.raises(BadInput, match="one site"):
        build_ions(cell)
    cell.electrolyte = electrolyte.model_copy(
        update={"solvent": electrolyte.solvent.model_copy(update={"model": "none"})}
    )
    with pytest.raises(BadInput, match="liquid of ions alone"):
        build_ions(cell)
    large = {"slit": 0.6e-9, "slit_length": 1.2e-9, "edge_gap": 0.639e-9}
    with pytest.raises(BadInput, match="larger depth"):
        build_ions(Cell(configured(salt(diameter=0.58e-9), network=large)))


def wall_energy(cell):
    """U / kT of the walls, evaluated with numpy from the force's own expression: a function of x and y in nm."""
    system = build_ions(cell)
    force = system.getForce(2)
    assert isinstance(force, openmm.CustomExternalForce)
    result, *definitions = force.getEnergyFunction().replace("^", "**").split(";")
    known = {"max": np.maximum, "min": np.minimum, "abs": np.abs, "sqrt": np.sqrt, "floor": np.floor}
    known["stiffness"] = force.getGlobalParameterDefaultValue(0)

    def value(x, y):
        names = known | {"x": x, "y": y}
        for definition in reversed(definitions):  # each uses those behind it
            name, expression = definition.split("=")
            names[name.strip()] = eval(expression.strip(), {"__builtins__": {}}, names)
        return eval(result, {"__builtins__": {}}, names) / KT

    return value


def test_walls_have_the_energy_of_their_expression():
    """Energy of the simulation against numpy's, at places on faces, tips and corners: round-off."""
    cell = Cell(configured(salt(), platform="Reference"))
    sim, place = bare(cell), around_the_sheets(cell, len(cell.ion_sites), np.random.default_rng(6))
    sim.context.setPositions(place)
    known = KT * wall_energy(cell)(place[:, 0], place[:, 1]).sum()
    assert known > 1.0
    assert energy(sim, WALL_GROUP) == pytest.approx(known, rel=1e-9)


def test_slits_and_gaps_are_as_wide_to_ions_as_in_the_continuum():
    """The integral of exp(-U / kT) from sheet to sheet is d, and along y through a gap 2 g (both mirror halves).

    To 1e-3, by quadrature: the wall begins at the Gibbs dividing surface.
    """
    cell = Cell(configured(salt(), network={"slit_length": 1.491e-9}))
    network, length, walls = cell.network, cell.box[1] * 1e9, wall_energy(cell)
    for half_cell in (cell.half_cells[0], cell.half_cells[3]):
        planes = np.append(network.sheet_centres, -network.sheet_thickness / 2)
        ends = cell.to_box(half_cell, planes) * 1e9
        for start, stop in pairwise(ends):
            across = np.linspace(start, stop, 4001)
            width = abs(np.trapezoid(np.exp(-walls(across, length / 4)), across))
            assert width == pytest.approx(network.slit * 1e9, rel=1e-3)
        for number, x in enumerate(ends[:-1]):
            middle = 0.0 if number % 2 == 0 else length / 2
            along = np.linspace(middle, middle + length, 4001)
            width = np.trapezoid(np.exp(-walls(x, along)), along)
            assert width == pytest.approx(2e9 * network.edge_gap, rel=1e-3)


def test_random_places_are_outside_the_sheets_and_apart():
    """No ion in a sheet or within 0.85 a of another, whatever the seed, in a crowded cell (3 mol/l)."""
    cell = Cell(configured(salt(), concentration=3000.0))
    for seed in (1, 2):
        place = random_places(cell, seed) % (cell.box * 1e9)
        assert place.shape == (len(cell.ion_sites), 3)
        assert distances(cell, place).min() > -SOFTNESS
        apart = place[:, None] - place
        apart -= cell.box * 1e9 * np.round(apart / (cell.box * 1e9))
        assert np.linalg.norm(apart, axis=-1)[np.triu_indices(len(place), 1)].min() > 0.8 * 0.5


def compartment_volumes(cell):
    """Volumes in m^3 of slits 1 ... n and the reservoir of a half-cell, from sheet centre to sheet centre, ends of the
    gaps included, as bounded in the continuum; shape (n + 1,)."""
    network, area = cell.network, cell.box[1] * cell.box[2]
    gap = network.sheet_thickness * area * network.edge_gap / network.slit_length
    slits = np.full(network.slits, network.slit * area + gap)
    slits[-1] -= gap / 2  # beside the closed wall
    return np.append(slits, network.reservoir_length * area + gap / 2)


def test_slits_are_as_large_to_ions_as_in_the_continuum():
    """The integral of exp(-U / kT) over (x, y) between sheets' centre planes is the slit with its halves of the gaps.

    To 2e-3, by quadrature: around corners a wall's surfaces meet at 270 degrees, where the dividing
    surface is off by some REACH^2 each, 5e-4 of a slit.
    """
    cell = Cell(configured(salt(diameter=0.4e-9), network={"slit_length": 1.278e-9, "edge_gap": 0.426e-9}))
    half_cell, network = cell.half_cells[1], cell.network
    known = compartment_volumes(cell) / cell.box[2] * 1e18
    planes = np.append(network.sheet_centres, -network.sheet_thickness / 2)
    ends = cell.to_box(half_cell, planes) * 1e9
    along, walls = np.linspace(0.0, cell.box[1] * 1e9, 1001), wall_energy(cell)
    for slit, (stop, start) in enumerate(pairwise(ends)):
        across = np.linspace(start, stop, 401)
        widths = np.trapezoid(np.exp(-walls(across[:, None], along)), along)
        assert np.trapezoid(widths, across) == pytest.approx(known[slit], rel=2e-3)


@pytest.mark.slow
def test_ideal_ions_fill_slits_and_reservoirs_evenly():
    """Numbers of uncharged ions without size are in proportion to the continuum's volumes; four standard errors of ten
    blocks of 40 ps, in which half of the ions change slits, some 4 % of each number."""
    electrolyte = salt(diameter=0.05e-9, charge=0.0, diffusion=FAST_DIFFUSION)
    times = {"timestep": 20e-15, "frame_interval": 1e-12}
    network = {"slit_length": 1.278e-9, "edge_gap": 0.426e-9}
    cell = Cell(configured(electrolyte, concentration=50_000.0, network=network, **times, **FAST))
    system = build_ions(cell)
    system.removeForce(1)
    system.removeForce(0)  # without charge and size they cost time alone
    sim, random = cell_simulation(cell, 3, system), np.random.default_rng(1)
    trials = random.uniform(size=(20_000, 3)) * cell.box * 1e9
    sim.context.setPositions(trials[distances(cell, trials) > 0][: len(cell.ion_sites)])
    sim.context.setVelocitiesToTemperature(298.15, 3)
    contents = []
    for _ in range(200):
        sim.step(100)
        contents.append(slit_contents(cell, positions(sim)[:, 0] * 1e-9).mean(axis=0))
    known = compartment_volumes(cell)
    known *= len(cell.ion_sites) / 4 / known.sum()
    blocks = np.array(contents).reshape(10, 20, -1).mean(axis=1)
    error = blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks))
    assert (error < 0.02 * known).all()
    assert (np.abs(blocks.mean(axis=0) - known) < 4 * np.maximum(error, 0.005 * known)).all()


def free_displacements(config, each, lag, lags, seed):
    """Mean square displacement per dimension of each kind of free ions over `lag` (s), nm^2, and its relative error."""
    system = openmm.System()
    for mass in np.repeat(masses(config), each):
        system.addParticle(mass)
    integrator = openmm.LangevinMiddleIntegrator(config.temperature, config.friction, config.timestep * 1e12)
    integrator.setRandomNumberSeed(seed)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatform("CPU"), {"Threads": "1"})
    context.setPositions(np.zeros((2 * each, 3)))
    context.setVelocitiesToTemperature(config.temperature, seed)
    path = []
    for _ in range(lags + 1):
        integrator.step(round(lag / config.timestep))
        path.append(context.getState(getPositions=True).getPositions(asNumpy=True)._value)
    squares = np.mean(np.diff(path, axis=0) ** 2, axis=(0, 2))
    return squares.reshape(2, each).mean(axis=1), np.sqrt(2 / (3 * each * lags))


@pytest.mark.parametrize("step", [5e-15, 10e-15, 20e-15])
def test_free_ions_diffuse_as_the_electrolyte_says(step):
    """<dx^2> = 2 D t [1 - T / t (1 - exp(-t / T))] with the masses of every timestep, T = 1 / Gamma.

    The bracket is that of continuous time, to 2e-3 at 20 fs. Tolerance 1 %, of which four standard errors of 650,000
    displacements are 0.7 %.
    """
    config = configured(salt(), timestep=step, frame_interval=0.2e-12)
    lag, relaxation = 0.5, 1 / config.friction  # ps
    squares, error = free_displacements(config, 8000, lag * 1e-12, 27, 7)
    ballistic = 1 - relaxation / lag * -np.expm1(-lag / relaxation)
    measured = squares / (2 * lag * ballistic) * 1e-6
    assert 4 * error < 0.01
    np.testing.assert_allclose(measured, config.electrolyte.diffusion_coefficients, rtol=0.01)


def test_walls_are_where_the_sheets_are():
    """Every sheet atom is deep in a wall: by half a sheet's thickness, or less at the edges of ribbons."""
    for exchanged in (False, True):
        cell = Cell(configured(salt(), network={"slit_length": 1.491e-9}), exchanged=exchanged)
        depth = -distances(cell, cell.sheet_atoms["positions"] * 1e9)
        half = cell.network.sheet_thickness * 5e8
        assert depth.min() > 0.02
        assert depth.max() == pytest.approx(half)
        assert np.median(depth) == pytest.approx(half)
