"""Forces on ions with known answers, the path's field, and a momentum balance that closes on planted Langevin motion.

`langevin` integrates in plain numpy (kick, thermostat, drift), independent of OpenMM.
"""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import openmm
import pandas as pd
import pytest
from scipy import constants

from md import TransSlitFlux, run
from md.cell import Cell
from md.force_balance import PARTS, force_balance, force_currents, friction_at, mean_forces
from md.forcefield import PER_SHEET_ATOM, build_system, topology
from md.ion_forces import FORCE, INTERVAL, KINDS, IonForces, charge_sheet_atoms, contact_context, electrostatic_context
from md.packing import pack
from md.path_field import PathField, Paths
from transslit import SlitNetwork
from transslit.progress import Progress

E = constants.e
COULOMB = E**2 / (4 * np.pi * constants.epsilon_0)


# the path


def test_conductance_is_that_of_the_network():
    """From middle to middle: centre to centre less what an even source saves, 2 (L/4) / (3 d)."""
    network = SlitNetwork(slit=0.59e-9, layers=4, slit_length=1.491e-9, edge_gap=0.5325e-9)
    saved = 2 * network.slit_length / 4 / 3 / network.slit
    expected = 1 / (1 / network.geometric_conductance - saved)
    assert PathField(network).conductance == pytest.approx(expected, rel=0.01)  # the network's own grid: 1 %


def test_field_carries_unit_drop(cell):
    """int |w|^2 = int h s = g, through the gap flows g, and what wells up drains."""
    field = PathField(cell.network)
    du, dv = np.diff(field.u), np.diff(field.v)
    u, v = (field.u[1:] + field.u[:-1]) / 2, (field.v[1:] + field.v[:-1]) / 2
    w_u, w_v, divergence = field.at(*np.meshgrid(u, v, indexing="ij"))
    area = du[:, None] * dv
    assert ((w_u**2 + w_v**2) * area).sum() == pytest.approx(field.conductance, rel=5e-3)  # interpolation
    assert (w_u[len(u) // 2] * dv).sum() == pytest.approx(field.conductance, rel=1e-6)
    assert abs((divergence * area).sum()) < 1e-9
    assert divergence[0].max() > 0  # the deeper slit is the source
    assert (w_u[:, v > cell.network.slit_length - cell.network.edge_gap] >= -1e-3).all()


def around(cell, half_cell, i, back):
    """Straight lines from mid-slit i+1 along the slit, through the edge gap, and back to mid-slit i; (n, 2)."""
    network = cell.network
    s = network.slit_centres[[i, i, i - 1, i - 1]]
    gap = np.mean(network.gap(i))
    y = np.array([network.slit_length / 2, gap, gap, network.slit_length / 2])
    y = cell.box[1] - y if back else y
    corners = np.column_stack([cell.to_box(cell.half_cells[half_cell], s), y])
    return np.concatenate([np.linspace(a, b, 400)[:-1] for a, b in pairwise(corners)])


@pytest.mark.parametrize("half_cell", range(4))
@pytest.mark.parametrize("back", [False, True])
def test_every_path_leads_towards_the_bulk(make_config, half_cell, back):
    """Along both mirror halves of each half-cell, for sheets fixed on either side, w adds up to the same drop."""
    network = SlitNetwork(slit=0.59e-9, layers=4, slit_length=0.852e-9, edge_gap=0.5325e-9, reservoir_length=0.6e-9)
    cell = Cell(make_config(network=network))
    paths, first = Paths(cell), None
    for i in (1, 2):
        line = around(cell, half_cell, i, back)
        w, _ = paths.at(half_cell, i, (line[1:] + line[:-1]) / 2 % cell.box[:2])
        drop = (w * np.diff(line, axis=0)).sum()
        first = drop if first is None else first
        assert drop == pytest.approx(first, rel=1e-3)
        assert 1.0 < drop < 1.1  # of the centres; the middles' means lie a little inwards
        for other in set(range(4)) - {half_cell}:
            assert np.abs(paths.at(other, i, line)[0]).max() == 0


# the forces


@pytest.fixture(scope="module")
def pair_cell(make_config):
    """One K and one Cl in 3 nm of reservoir."""
    network = SlitNetwork(slit=0.59e-9, layers=3, slit_length=1.491e-9, edge_gap=0.5325e-9, reservoir_length=1.5e-9)
    return Cell(make_config(network=network, concentration=1.0, electrode_uptake_fraction=0.0, depth=2.46e-9))


def forces(cell, ions, sheet_atoms=0.0, waters=0, water=None):
    """Forces by kind on the ions at `ions` (n, 3) in m, N."""
    place = np.concatenate([cell.sheet_atoms["positions"], ions, np.zeros((0, 3)) if water is None else water])
    context, contact = electrostatic_context(cell, waters), contact_context(cell, waters)
    charge_sheet_atoms(context, cell, cell.sheet_atoms["sign"] * sheet_atoms)
    at = slice(len(cell.sheet_atoms["sign"]), len(cell.sheet_atoms["sign"]) + len(ions))
    found = []
    for each, groups in ((context, (0,)), (contact, (1, 2, 3))):
        each.setPositions(place * 1e9)
        for group in groups:
            state = each.getState(getForces=True, groups={group})
            found.append(np.asarray(state.getForces(asNumpy=True))[at] * FORCE)
    return dict(zip(KINDS, found, strict=True))


def test_field_of_charged_sheets(pair_cell):
    """Each electrode sends half its charge's field to either side: E = Q / (2 eps0 Ly Lz) between the two."""
    cell = pair_cell
    assert cell.ion_numbers == {"K": 1, "Cl": 1}
    ions = np.array([[2 * cell.walls[0], part * cell.box[1], 0.2e-9] for part in (0.25, 0.75)])  # nodes of the ribbons
    field = forces(cell, ions, 0.02)["electrostatic"] - forces(cell, ions)["electrostatic"]
    per_sheet_atom = (cell.sheet_atoms["sign"] > 0).sum() * 0.02 * E
    expected = E * per_sheet_atom / (2 * constants.epsilon_0 * cell.box[1] * cell.box[2])
    # x = half the box: right of the positive electrode, left of the negative one; the ribbons' pattern, whose first
    # harmonic has its nodes here, fades as exp(-4 pi x / Ly), to 1e-3
    np.testing.assert_allclose(field[:, 0], [expected, -expected], rtol=2e-3)


def test_two_ions(pair_cell):
    """Coulomb's law (to the images' 1 %) and Lennard-Jones with Lorentz-Berthelot mixing (exact) at 0.35 nm."""
    cell, distance = pair_cell, 0.35e-9
    middle = np.array([2 * cell.walls[0], 1.5e-9, 1.2e-9])
    found = forces(cell, np.array([middle, middle + np.array([0, distance, 0])]))
    np.testing.assert_allclose(found["electrostatic"][:, 1], np.array([1, -1]) * COULOMB / distance**2, rtol=0.01)
    potassium, chloride = (ion.md for ion in cell.electrolyte.ions)
    sigma = (potassium.sigma.value + chloride.sigma.value) / 2
    epsilon = np.sqrt(potassium.epsilon.value * chloride.epsilon.value) * 1e3 / constants.N_A
    push = 24 * epsilon / distance * (2 * (sigma / distance) ** 12 - (sigma / distance) ** 6)
    assert push > 0
    np.testing.assert_allclose(found["ions"][:, 1], np.array([-push, push]), rtol=1e-4)
    for kind in ("water", "carbon"):
        np.testing.assert_allclose(found[kind], 0, atol=1e-18)


def lennard_jones(place, others, epsilon, sigma, cell):
    """Force in N on `place` by `others` within the cutoff, nearest images; epsilon in kcal/mol, sigma in angstrom."""
    away = place - others
    away -= cell.box * np.round(away / cell.box)
    away = away[np.linalg.norm(away, axis=1) < cell.config.cutoff]
    share = (sigma * 1e-10 / np.linalg.norm(away, axis=1)) ** 6
    size = 24 * epsilon * 4184 / constants.N_A * (2 * share**2 - share)
    return ((size / (away**2).sum(axis=1))[:, None] * away).sum(axis=0)


def test_water_and_carbon_push_as_the_paper_has_them(pair_cell):
    """K 0.31 nm from an oxygen and Cl 0.33 nm off a wall: Lennard-Jones, arXiv 2010.08151, Extended Data Table 1."""
    cell = pair_cell
    potassium = np.array([2 * cell.walls[0], 1.5e-9, 1.2e-9])
    chloride = np.array([cell.walls[0] + 0.33e-9, 1.5e-9, 1.2e-9])
    oxygen = np.add(potassium, [0.0, 0.31e-9, 0.0])
    water = oxygen + np.array([[0.0, 0.0, 0.0], [0.0, 0.1e-9, 0.0], [0.0, 0.0, 0.1e-9]])
    found = forces(cell, np.array([potassium, chloride]), waters=1, water=water)
    push = lennard_jones(potassium, oxygen[None], np.sqrt(0.087 * 0.155), (3.143 + 3.166) / 2, cell)
    np.testing.assert_allclose(found["water"], [push, np.zeros(3)], atol=1e-4 * np.abs(push).max())
    carbon = cell.sheet_atoms["positions"]
    push = lennard_jones(chloride, carbon, np.sqrt(0.150 * 0.068), (4.045 + 3.407) / 2, cell)
    assert push[0] > 0
    np.testing.assert_allclose(found["carbon"], [np.zeros(3), push], atol=1e-4 * np.abs(push).max())


def test_kinds_add_up_to_the_force_of_the_run(config, make_universe):
    """On a packed cell with charged sheets, and from positions rounded as XTC rounds them."""
    cell = Cell(config)
    positions, waters = pack(cell, 1)
    system = build_system(cell, topology(cell, waters))
    context = openmm.Context(system, openmm.VerletIntegrator(1e-3), openmm.Platform.getPlatform("CPU"))
    context.setPositions(positions * 1e9)
    context.setParameter(PER_SHEET_ATOM, 0.02)
    openmm.LocalEnergyMinimizer.minimize(context, maxIterations=60)
    state = context.getState(getPositions=True, getForces=True)
    place = np.asarray(state.getPositions(asNumpy=True)._value) * 1e-9
    sheet_atoms, count = len(cell.sheet_atoms["sign"]), sum(cell.ion_numbers.values())
    whole = np.asarray(state.getForces(asNumpy=True)._value)[sheet_atoms : sheet_atoms + count] * FORCE
    ions, water = place[sheet_atoms : sheet_atoms + count], place[sheet_atoms + count :]
    exact = forces(cell, ions, 0.02, waters, water)
    scale = np.sqrt((whole**2).mean())
    parts = np.sqrt(sum((part**2).mean() for part in exact.values()))
    np.testing.assert_allclose(sum(exact.values()), whole, atol=2e-3 * max(scale, parts))
    rounded = forces(cell, np.round(ions, 12), 0.02, waters, np.round(water, 12))
    noise = np.sqrt(np.mean((sum(rounded.values()) - sum(exact.values())) ** 2))
    assert noise < 100e-12  # N; 50 to 60 by processor, where thermal motion makes several hundred


# the balance


@pytest.fixture(scope="module")
def langevin(make_config):
    """K ions that drift and spread from slit 2 to slit 1 of one half: 10 ps of Langevin motion, between hard walls.

    The force is that of an even field along the path, 6 kT from middle to middle; all start in the deeper slit. The
    thermostat's noise, which only a simulation of our own knows, stands in as the force of `carbon`.
    """
    friction = 20.0
    options = {"friction": friction, "post_step_friction": friction, "duration": 10e-12, "frame_interval": 0.02e-12}
    network = SlitNetwork(slit=0.59e-9, layers=3, slit_length=0.852e-9, edge_gap=0.5325e-9, reservoir_length=6e-9)
    cell = Cell(
        make_config(network=network, concentration=6000.0, electrode_uptake_fraction=0.0, **options)
    )  # many ions of either kind
    network, half_cell = cell.network, 0
    count = cell.ion_numbers["K"]
    mass = cell.electrolyte.ions[0].md.mass.value * constants.atomic_mass
    energy, step, every = constants.k * cell.config.temperature, 4e-15, 5
    random, field = np.random.default_rng(11), PathField(network)
    half, edge = network.sheet_thickness / 2, network.slit_length - network.edge_gap
    u = random.uniform(-half - network.slit, -half, count)
    v = random.uniform(0, network.slit_length, count)
    velocity = random.normal(0, np.sqrt(energy / mass), (2, count))
    kept, kick = np.exp(-friction * 1e12 * step), np.sqrt(energy / mass * (1 - np.exp(-2 * friction * 1e12 * step)))

    def free(u, v):
        slit = (np.abs(u) > half) & (np.abs(u) < half + network.slit)
        return ((v > 0) & (v < network.slit_length)) & (slit | ((np.abs(u) <= half) & (v > edge)))

    frames, pushes, noise = [], [], []
    impulse = np.zeros((2, count))
    for n in range(round(10e-12 / step) + 1):
        w = np.array(field.at(u, v)[:2])
        if n % every == 0:
            frames.append(np.array([u, v]))
            pushes.append(6 * energy * w)
            noise.append(impulse / (step * every))
            impulse = np.zeros((2, count))
        velocity += 6 * energy * w / mass * step
        kicks = kick * random.normal(size=velocity.shape)
        impulse += mass * kicks
        velocity = velocity * kept + kicks
        for axis in range(2):  # hard walls turn one component round
            moved = np.array([u, v])
            moved[axis] += velocity[axis] * step
            good = free(*moved)
            velocity[axis] = np.where(good, velocity[axis], -velocity[axis])
            u, v = np.where(good, moved, [u, v])
    # the noise that follows a frame does not know its positions; the one before has moved them
    frames, pushes, noise = np.array(frames)[1:-1], np.array(pushes)[1:-1], np.array(noise)[2:]
    direction = cell.half_cells[half_cell].direction
    x = cell.to_box(cell.half_cells[half_cell], network.sheet_centres[1]) + direction * frames[:, 0]
    y = network.slit_length - frames[:, 1]  # the sheet between slits 2 and 1 is fixed at y = L
    place = np.zeros((len(frames), 2 * count, 3))
    place[:, :count, 0], place[:, :count, 1] = x, y
    force = np.zeros((len(frames), len(KINDS), 2 * count, 3))
    for kind, each in (("electrostatic", pushes), ("carbon", noise)):
        at = KINDS.index(kind)
        force[:, at, :count, 0], force[:, at, :count, 1] = direction * each[:, 0], -each[:, 1]
    time = np.arange(1, len(frames) + 1) * step * every
    phi = {n: np.zeros(Grid(cell)) for n in range(20)}
    results = SimpleNamespace(box=0, time=time, positions=place, forces=force, phi=phi)
    return cell, force_balance([results], cell)


def Grid(cell):  # noqa: N802
    from md.poisson import ChargeMap

    return ChargeMap(cell.box).shape


def test_momentum_balance_closes(langevin):
    """Field + thermal + friction + inertia leave nothing but noise, while each of the first three is far above it."""
    table = langevin[1].query("replica == 0 and i == 1 and ion == 'K'")
    total = table[[f"{part}_pN" for part in PARTS if part != "residual"]].sum(axis=1)
    np.testing.assert_allclose(total, table["residual_pN"], atol=1e-6)
    residual = table["residual_pN"]
    error = residual.std() / np.sqrt(len(residual))
    assert abs(residual.mean()) < 3 * error
    for part in ("local_field", "thermal", "friction"):  # turned round, each would be seen
        assert 2 * abs(table[f"{part}_pN"].mean()) > 8 * error, part
    assert table["local_field_pN"].mean() > 0
    assert table["thermal_pN"].iloc[:5].mean() > 0  # from where there are more
    assert table["friction_pN"].mean() < 0  # against the way they go
    assert table["I_path_A_per_m"].mean() > 0


def test_forces_drive_what_flows_at_the_mobility_of_free_ions(langevin):
    """D = kT / (m Gamma): field and concentrations drive the current along the path, the noise of it aside."""
    cell, table = langevin
    table = table.query("replica == 0 and i == 1 and ion == 'K'")
    free = constants.k * 298.15 / (39.0983 * constants.atomic_mass * 20e12)
    flows = force_currents(table.assign(mean_field_pN=table["local_field_pN"]), cell, np.array([free, free]))
    driven = flows[["I_mean_field_A_per_m", "I_thermal_A_per_m", "I_contact_A_per_m"]].sum(axis=1)
    assert (driven - flows["I_path_A_per_m"]).abs().mean() < 0.2 * driven.abs().mean()  # inertia: 0.05 ps of 0.5


def test_nothing_moves_on_the_other_paths(langevin):
    table = langevin[1].query("replica != 0")
    assert table["I_path_A_per_m"].abs().max() == 0
    assert table["friction_pN"].abs().max() == 0


def test_mean_forces_are_per_ion(langevin):
    _, table = langevin
    mean = mean_forces(table).loc[("positive", 1, "K")]
    own = table.query("i == 1 and ion == 'K' and replica < 2")
    assert mean["local_field_pN"] == pytest.approx(own["local_field_pN"].mean() / own["ions"].mean())
    assert mean["ions"] == pytest.approx(own["ions"].mean())


def test_migration_is_the_mean_field(cell):
    """Ions in an even potential gradient: the force is z e times it, whatever their own electrostatic force."""
    counts = sum(cell.ion_numbers.values())
    random = np.random.default_rng(2)
    place = random.uniform(0, 1, (3, counts, 3)) * cell.box
    nx, ny = Grid(cell)
    wave = 0.3 * np.cos(4 * np.pi * np.arange(nx) / nx)[:, None] * np.ones(ny)  # even about both walls
    time = np.array([0.1, 0.2, 0.3]) * 1e-12
    results = SimpleNamespace(
        box=0, time=time, positions=place, forces=np.zeros((3, len(KINDS), counts, 3)), phi={0: wave}
    )
    table = force_balance([results], cell).query("ion == 'Cl' and i == 1").set_index("replica")
    paths, charge = Paths(cell), -E
    wavenumber = 4 * np.pi / cell.box[0]
    for half_cell in range(4):
        ions = place[:, cell.ion_numbers["K"] :]
        w, _ = paths.at(half_cell, 1, ions)
        push = charge * 0.3 * wavenumber * np.sin(wavenumber * ions[..., 0]) * w[..., 0]
        expected = push.sum(axis=1).mean() * paths.field.length * 1e12
        assert table.loc[half_cell, "mean_field_pN"] == pytest.approx(expected, rel=2e-3, abs=1e-3)
        assert table.loc[half_cell, "local_field_pN"] == pytest.approx(-expected, rel=2e-3, abs=1e-3)


def test_mean_field_is_the_mean_over_boxes_and_mirror_images(cell):
    """Of 0.3 cos(4 pi x / Lx) + 0.2 cos(2 pi y / Ly) and parts that are odd about the mirror planes or the boxes' mean.

    Grid differences and interpolation of cos(2 pi y / Ly) are good to (k h)^2 / 3 = 0.5 %.
    """
    number, kinds = sum(cell.ion_numbers.values()), cell.ion_sites.kind
    random = np.random.default_rng(4)
    nx, ny = Grid(cell)
    x, y = 2 * np.pi * np.arange(nx)[:, None] / nx, 2 * np.pi * np.arange(ny) / ny
    even = 0.3 * np.cos(2 * x) + 0.2 * np.cos(y)
    odd = 0.4 * np.sin(2 * x) + 0.5 * np.sin(y) + 0.25 * np.cos(x) * np.cos(y)
    results = [
        SimpleNamespace(
            box=box,
            time=np.array([0.1, 0.2]) * 1e-12,
            positions=np.tile(random.uniform(0, 1, (number, 3)) * cell.box, (2, 1, 1)),
            forces=np.zeros((2, len(KINDS), number, 3)),
            phi={0: even + odd + share * np.cos(2 * x) * np.cos(y)},
        )
        for box, share in ((0, 0.6), (1, -0.6))
    ]
    table = force_balance(results, cell).query("i == 1").set_index(["replica", "ion"])["mean_field_pN"]
    paths, k = Paths(cell), 2 * np.pi / cell.box
    expected = {}
    for each in results:
        place = each.positions[0]
        for half_cell in range(4):
            w, _ = paths.at(half_cell, 1, place)
            field = 0.6 * k[0] * np.sin(2 * k[0] * place[:, 0]), 0.2 * k[1] * np.sin(k[1] * place[:, 1])
            along = (w * np.stack(field, axis=-1)).sum(axis=-1) * paths.field.length * 1e12
            for ion, charge in ((0, E), (1, -E)):
                name = cell.electrolyte.names[ion]
                expected[4 * each.box + half_cell, name] = charge * along[kinds == ion].sum()
    assert len(table) == len(expected) == 16
    size = np.abs(list(expected.values())).max()
    for key, value in expected.items():
        assert table[key] == pytest.approx(value, abs=0.01 * size), key


def test_thermal_force_and_scatter_by_hand(cell):
    """Ions at rest in the deeper slit: kT div w at the T of their box, w F of a force of known scatter, by interval.

    Water pushes by 1 and 3, then by 5 and 7 pN along x: means of 2 and 6, sqrt(2 / 2) = 1 the error of both.
    """
    number = sum(cell.ion_numbers.values())
    place = np.array([float(cell.to_box(cell.half_cells[1], cell.network.slit_centres[1])), 0.4e-9, 0.1e-9])
    time = np.array([0.1, 0.5, 0.6, 1.0]) * 1e-12
    forces = np.zeros((4, len(KINDS), number, 3))
    forces[:, KINDS.index("water"), :, 0] = np.array([1.0, 3.0, 5.0, 7.0])[:, None] * 1e-12
    results = [
        SimpleNamespace(
            box=box, time=time, positions=np.tile(place, (4, number, 1)), forces=forces,
            phi={0: np.zeros(Grid(cell)), 1: np.zeros(Grid(cell))},
        )
        for box in (0, 1)
    ]  # fmt: skip
    rows = [(0, 0.0, 300.0), (0, 1e-12, 300.0), (1, 0.0, 600.0), (1, 1e-12, 600.0)]
    table = force_balance(results, cell, pd.DataFrame(rows, columns=["box", "time_s", "T_K"]))
    paths = Paths(cell)
    w, divergence = paths.at(1, 1, place)
    assert divergence > 0
    for box, temperature in ((0, 300.0), (1, 600.0)):
        for ion in cell.electrolyte.names:
            own = table.query(f"replica == {4 * box + 1} and i == 1 and ion == '{ion}'")
            scale = cell.ion_numbers[ion] * paths.field.length
            np.testing.assert_allclose(own["time_s"], [0.25e-12, 0.75e-12])
            thermal = scale * constants.k * temperature * divergence * 1e12
            np.testing.assert_allclose(own["thermal_pN"], thermal, rtol=1e-9)
            np.testing.assert_allclose(own["water_pN"], scale * w[0] * np.array([2.0, 6.0]), rtol=1e-6)
            np.testing.assert_allclose(own["water_error_pN"], scale * abs(w[0]), rtol=1e-6)
            np.testing.assert_allclose(own["ions"], scale * np.hypot(*w), rtol=1e-9)


def test_inertia_is_the_momentum_lost(cell):
    """-d/dt m v.w of K ions that slow down at 2 nm/ps^2 along y in mid-slit; and their current, e v.w."""
    number, acceleration = sum(cell.ion_numbers.values()), 2e15
    time = np.arange(1, 10) * 0.05e-12
    y = 0.4e-9 + 150.0 * time - acceleration * time**2 / 2
    x = float(cell.to_box(cell.half_cells[0], cell.network.slit_centres[1]))
    path = np.column_stack([np.full(9, x), y, np.zeros(9)])
    results = SimpleNamespace(
        box=0,
        time=time,
        positions=np.repeat(path[:, None], number, axis=1),
        forces=np.zeros((9, len(KINDS), number, 3)),
        phi={0: np.zeros(Grid(cell))},
    )
    own = force_balance([results], cell).query("replica == 0 and i == 1 and ion == 'K'").iloc[0]
    paths = Paths(cell)
    w = paths.at(0, 1, path)[0][:, 1]
    mass = 39.0983 * constants.atomic_mass
    momentum = cell.ion_numbers["K"] * mass * np.gradient(y, time) * w * paths.field.length * 1e12
    expected = -np.gradient(momentum, time).mean()
    assert abs(expected) > 0
    assert own["inertia_pN"] == pytest.approx(expected, rel=1e-6)
    speed = cell.ion_numbers["K"] * (np.gradient(y, time) * w).mean()
    assert own["I_path_A_per_m"] == pytest.approx(E * speed / (2 * cell.depth), rel=1e-6)


def test_mean_forces_are_those_of_the_electrode_and_scatter_over_its_half_cells():
    """Two boxes: half-cells 0, 1, 4 and 5 are the positive electrode's, each with two ions and its number in pN."""
    rows = [
        {
            "replica": replica,
            "time_s": 0.0,
            "i": 1,
            "ion": "K",
            "ions": 2.0,
            **{f"{part}_pN": replica for part in PARTS},
        }
        for replica in range(8)
    ]
    table = mean_forces(pd.DataFrame(rows))
    for electrode, replicas in (("positive", [0, 1, 4, 5]), ("negative", [2, 3, 6, 7])):
        found = table.loc[(electrode, 1, "K")]
        for part in PARTS:
            assert found[f"{part}_pN"] == pytest.approx(np.mean(replicas) / 2)
            assert found[f"{part}_error_pN"] == pytest.approx(np.std(replicas, ddof=1) / np.sqrt(4) / 2)


def test_currents_of_forces_by_hand(cell):
    """I = z e (D / kT) F / (length of the path) / (2 Lz), summed over the ions; contact is ions + carbon."""
    keys = {"replica": 0, "time_s": 0.0, "i": 1, "I_path_A_per_m": 5.0, "water_pN": 9.0}
    rows = [
        {**keys, "ion": "K", "mean_field_pN": 1.0, "thermal_pN": 2.0, "ions_pN": 3.0, "carbon_pN": 4.0},
        {**keys, "ion": "Cl", "mean_field_pN": 10.0, "thermal_pN": 20.0, "ions_pN": 30.0, "carbon_pN": 40.0},
    ]
    found = force_currents(pd.DataFrame(rows), cell, np.array([2e-9, 1e-9])).iloc[0]
    length = cell.network.slit_length - cell.network.edge_gap + cell.network.pitch
    unit = E * 1e-9 / (constants.k * 298.15) * 1e-12 / length / (2 * cell.depth)
    assert found["I_mean_field_A_per_m"] == pytest.approx(unit * (2 * 1 - 10))
    assert found["I_thermal_A_per_m"] == pytest.approx(unit * (2 * 2 - 20))
    assert found["I_contact_A_per_m"] == pytest.approx(unit * (2 * 7 - 70))
    assert found["I_path_A_per_m"] == 10.0


def test_friction_follows_the_legs(make_config):
    cell = Cell(make_config(friction=5.0, post_step_friction=20.0, post_step_duration=0.2e-12, duration=1e-12))
    np.testing.assert_allclose(friction_at(cell, np.array([0.05, 0.2, 0.25, 1.0]) * 1e-12), [20e12, 20e12, 5e12, 5e12])


def test_analyzer_reads_frames_after_the_onset(pair_cell, make_universe):
    """Three frames from t = 0 on: two are evaluated, with the sheets' charge, and give their interval's potential."""
    cell = pair_cell
    middle = np.array([2 * cell.walls[0], 1.5e-9, 1.2e-9])
    beside = middle + np.array([0, 0.4e-9, 0])
    ions = [("K", np.tile(middle, (3, 1))), ("Cl", np.tile(beside, (3, 1)))]
    found = IonForces(make_universe(cell, ions), cell, box=3).run().results
    np.testing.assert_allclose(found.time, [0.05e-12, 0.1e-12])
    assert found.forces.shape == (2, 4, 2, 3)
    expected = forces(cell, np.array([middle, beside]), cell.config.charge_per_carbon)
    np.testing.assert_allclose(found.forces[0, 0], expected["electrostatic"], rtol=1e-3, atol=1e-13)
    assert list(found.phi) == [0]
    assert found.box == 3


def test_potential_of_an_interval_is_the_mean_over_its_frames(pair_cell, make_universe):
    """That of all charges, as the analyzer of currents has it; frames at 0, 0.25, 0.5, 0.75 and 1 ps, two intervals."""
    cell = pair_cell
    path = np.array([2 * cell.walls[0], 1.0e-9, 1.2e-9]) + 0.1e-9 * np.arange(5)[:, None] * [0.5, 1.0, 0.0]
    ions = [("K", path), ("Cl", np.add(path, [0.1e-9, 0.6e-9, 0.0]))]
    universe = make_universe(cell, ions, interval=0.25)
    found = IonForces(universe, cell, every=2).run().results
    assert INTERVAL == 0.5e-12
    assert list(found.phi) == [0, 1]
    for number in (0, 1):
        first = 2 * number + 1
        expected = TransSlitFlux(universe, cell).run(start=first, stop=first + 2).results.phi_map
        np.testing.assert_allclose(found.phi[number], expected, atol=1e-9 * np.abs(expected).max())
    np.testing.assert_array_equal(np.isnan(found.forces).all(axis=(1, 2, 3)), [True, False, True, False])


def test_charges_that_are_solved_for_pull_as_imposed_ones_do(pair_cell):
    """The same charge on every sheet atom but one, which has a millionth more: the same forces."""
    cell = pair_cell
    ions = np.array([[2 * cell.walls[0], part * cell.box[1], 0.2e-9] for part in (0.25, 0.75)])
    context, found = electrostatic_context(cell, 0), []
    context.setPositions(np.concatenate([cell.sheet_atoms["positions"], ions]) * 1e9)
    imposed = cell.sheet_atoms["sign"] * 0.02
    for charge in (imposed, np.append(imposed[:-1], imposed[-1] * (1 + 1e-6))):
        charge_sheet_atoms(context, cell, charge)
        state = context.getState(getForces=True, groups={0})
        found.append(np.asarray(state.getForces(asNumpy=True))[len(charge) :])
    np.testing.assert_allclose(found[1], found[0], atol=1e-3 * np.abs(found[0]).max())


@pytest.mark.slow
def test_balance_of_a_real_run_closes(make_config, tmp_path):
    """Water, charged sheets and thermostat: what forces of a nanonewton leave is within their sampling error."""
    config = make_config(
        decorrelation=1e-12,
        post_step_duration=0.5e-12,
        duration=4e-12,
        frame_interval=0.02e-12,
        force_frames=0.02e-12,
        replicas=2,
    )
    run(config, tmp_path, Progress(quiet=True))
    table = pd.read_parquet(tmp_path / "force_balance.parquet")
    assert set(table["replica"]) == set(range(8))
    late = table[table["time_s"] > 0.5e-12]  # the sheets' forces change within a frame before
    share = late["residual_pN"] / late["residual_error_pN"]
    # standard errors of frames as if independent; forces of neighbouring frames still correlate a little
    assert abs(share.mean()) < 4 / np.sqrt(len(share))
    assert 0.7 < share.std() < 2.0
    forces = np.sqrt((late[["local_field_pN", "water_pN"]] ** 2).mean().sum())
    assert np.sqrt((late["residual_pN"] ** 2).mean()) < forces
