"""The analyzer on planted motion: what crosses is counted once, with its sign, and closes with the contents."""

from __future__ import annotations

import numpy as np
import pytest
from MDAnalysis.analysis.results import Results
from scipy import constants

from md import TransSlitFlux
from md.cell import Cell
from md.poisson import ChargeMap
from md.reduction import Counts, current_parts, moving_average, record_of
from md.slit_diffusion import SlitDiffusion, fit, in_slit
from transslit import BadInput, StageFailed
from transslit.decomposition import decompose, steric_excess
from transslit.series import places, series

E = constants.e


def straight(cell, half_cell, start, end, frames, y=None):
    """Path from network coordinate `start` to `end` in a half-cell, through mid-gap, wrapped into the box."""
    x = cell.to_box(half_cell, np.linspace(start, end, frames)) % cell.box[0]
    return np.column_stack([x, np.full(frames, y if y is not None else 0.0), np.full(frames, 0.1e-9)])


def charge_moved(table, column, cell, half_cell, interval=0.05e-12):
    chosen = table[table["replica"] == half_cell]
    return (
        chosen.groupby("i")[column].sum() * interval * 2 * cell.depth / E
        if "i" in chosen
        else (chosen[column].sum() * interval * 2 * cell.depth / E)
    )


@pytest.mark.parametrize("half_cell", range(4))
@pytest.mark.parametrize(("ion", "charge"), [("K", 1), ("Cl", -1)])
@pytest.mark.parametrize("inward", [True, False])
def test_one_ion_is_one_charge(cell, make_universe, half_cell, ion, charge, inward):
    """Across the mid-plane (twice the box's end) to the deepest slit, or back: one e through each plane."""
    network = cell.network
    ends = [network.depth + network.reservoir_length * 1.2, network.slit_centres[-1]]
    path = straight(cell, cell.half_cells[half_cell], *(ends if inward else ends[::-1]), 60)
    record = TransSlitFlux(make_universe(cell, [(ion, path)]), cell).run().results.record
    expected = charge * (-1 if inward else 1)  # towards the bulk is positive
    assert charge_moved(record.crossings, "I_A_per_m", cell, half_cell)[1] == pytest.approx(expected, abs=1e-9)
    for column in ("I_m_A_per_m", "I_0_A_per_m"):
        assert charge_moved(record.terminal, column, cell, half_cell) == pytest.approx(expected, abs=1e-9)
    for other in set(range(4)) - {half_cell}:
        assert charge_moved(record.crossings, "I_A_per_m", cell, other)[1] == 0
        assert charge_moved(record.terminal, "I_0_A_per_m", cell, other) == 0
    last = record.slits[(record.slits["replica"] == half_cell) & (record.slits["i"] == network.slits)]["Q_C_per_m"]
    held = last.to_numpy() * 2 * cell.depth / E
    assert held[-1 if inward else 0] == pytest.approx(charge)
    assert held[0 if inward else -1] == 0


def test_mid_plane_current_belongs_to_both_electrodes_with_opposite_sign(cell, make_universe):
    """A cation through the shared mid-plane leaves one half and enters the other."""
    half_cell = cell.half_cells[1]  # right face of the positive electrode; its mid-plane is that of half-cell 2
    reach = cell.network.depth + cell.network.reservoir_length
    path = straight(cell, half_cell, reach - 0.2e-9, reach + 0.2e-9, 9)
    terminal = TransSlitFlux(make_universe(cell, [("K", path)]), cell).run().results.record.terminal
    assert charge_moved(terminal, "I_m_A_per_m", cell, 1) == pytest.approx(1)
    assert charge_moved(terminal, "I_m_A_per_m", cell, 2) == pytest.approx(-1)


def test_dither_on_a_plane_nets_zero(cell, make_universe):
    plane = cell.to_box(cell.half_cells[0], cell.network.sheet_centres[1])
    x = np.asarray(plane) + 0.03e-9 * (-1.0) ** np.arange(41)
    path = np.column_stack([x, np.zeros(41), np.zeros(41)])
    record = TransSlitFlux(make_universe(cell, [("K", path)]), cell).run().results.record
    assert record.crossings["I_A_per_m"].abs().sum() > 0
    assert abs(charge_moved(record.crossings, "I_A_per_m", cell, 0)[1]) < 1e-9


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("half_cell", range(4))
def test_motion_along_the_sheets_counts_nothing(cell, make_universe, half_cell, axis, direction):
    """Round the box twice along y or z, in mid-slit: x alone decides."""
    path = np.tile(
        [float(cell.to_box(cell.half_cells[half_cell], cell.network.slit_centres[0])), 0.1e-9, 0.1e-9], (41, 1)
    )
    path[:, axis] = (path[:, axis] + direction * np.linspace(0, 2, 41) * cell.box[axis]) % cell.box[axis]
    results = TransSlitFlux(make_universe(cell, [("K", path)]), cell).run().results
    assert np.abs(results.counts.crossed).sum() == 0
    assert results.counts.contents[:, half_cell, 0, 0].sum() == 41


@pytest.mark.parametrize("direction", [1, -1])
def test_ion_crossing_periodic_boundaries(cell, make_universe, direction):
    """Over the ends of the box in x, y and z at once: one charge from one electrode's half to the other's, no more."""
    s = np.linspace(-0.25e-9, 0.25e-9, 11)[::direction]  # x = 0 is the mid-plane of half-cells 0 and 3
    path = np.column_stack([s % cell.box[0], s % cell.box[1], -s % cell.box[2]])
    terminal = TransSlitFlux(make_universe(cell, [("K", path)]), cell).run().results.record.terminal
    assert charge_moved(terminal, "I_m_A_per_m", cell, 0) == pytest.approx(-direction)  # in is against the bulk
    assert charge_moved(terminal, "I_m_A_per_m", cell, 3) == pytest.approx(direction)
    assert charge_moved(terminal, "I_m_A_per_m", cell, 1) == charge_moved(terminal, "I_m_A_per_m", cell, 2) == 0


@pytest.fixture
def wandering(cell, make_universe):
    """Random walks of 30 ions, the box's ends included."""
    random = np.random.default_rng(3)
    ions = []
    for n in range(30):
        half_cell = cell.half_cells[n % 4]
        walk = np.cumsum(random.normal(0, 0.15e-9, 80))
        reach = cell.network.depth + cell.network.reservoir_length
        s = np.abs((walk + random.uniform(0, 2 * reach)) % (2 * reach) - 0.0)  # may pass the mid-plane, not the wall
        s = np.clip(s, 0.1e-9, None)
        s[np.abs(np.diff(s, prepend=s[0])) > 1e-9] = np.nan
        good = ~np.isnan(s)
        s = np.interp(np.arange(80), np.flatnonzero(good), s[good])
        s = np.clip(s, 0.1e-9, 2 * reach - 0.1e-9)
        x = cell.to_box(half_cell, s) % cell.box[0]
        ions.append(("K" if n % 2 else "Cl", np.column_stack([x, np.zeros(80), np.zeros(80)])))
    ions.sort(key=lambda ion: ion[0] == "Cl")
    return TransSlitFlux(make_universe(cell, ions), cell).run().results


def test_contents_and_currents_close_frame_by_frame(wandering):
    """dN_i = crossings in less crossings out, exactly, for each ion, slit and frame."""
    counted = wandering.counts
    moved = counted.crossed[:, :, :-1]
    inflow = -moved[1:].copy()
    inflow[:, :, :-1] += moved[1:, :, 1:]
    change = np.diff(counted.contents, axis=0)
    np.testing.assert_array_equal(change, inflow)
    assert np.abs(change).sum() > 20


def test_current_through_the_deepest_gap_integrates_to_the_content_behind_it(cell, wandering):
    slits = wandering.record.slits.set_index(["replica", "i", "time_s"])["Q_C_per_m"]
    deepest = slits.xs(cell.network.slits, level="i").unstack("replica")
    current = wandering.record.crossings.set_index(["replica", "i", "time_s"])["I_A_per_m"]
    through = current.xs(cell.network.slits - 1, level="i").unstack("replica")
    assert np.ptp(deepest.to_numpy()) > E / cell.depth
    np.testing.assert_allclose(
        (deepest - deepest.iloc[0]).to_numpy(),
        -np.cumsum(through.to_numpy() * 0.05e-12, axis=0),
        atol=1e-6 * E / cell.depth,
    )


def test_an_ion_through_a_wall_is_lost(cell, make_universe):
    x = np.linspace(cell.walls[0] - 0.2e-9, cell.walls[0] + 0.2e-9, 5)
    path = np.column_stack([x, np.zeros(5), np.zeros(5)])
    with pytest.raises(StageFailed, match="wall"):
        TransSlitFlux(make_universe(cell, [("K", path)]), cell).run()


def test_potential_follows_the_charge(cell, make_universe):
    """With charged sheets and no liquid the positive electrode's slits are above their reservoir, and mirror-odd."""
    path = np.tile([0.01e-9, 0.0, 0.0], (2, 1))
    bare = TransSlitFlux(make_universe(cell, [("K", path)]), cell).run().results.counts.phi[-1]
    none = np.zeros((2, len(cell.sheet_atoms["sign"])))
    uncharged = TransSlitFlux(make_universe(cell, [("K", path)]), cell, solved=none).run().results.counts.phi[-1]
    sheets = bare - uncharged
    assert (sheets[:2] > 0).all()
    np.testing.assert_allclose(sheets[:2], -sheets[2:], rtol=1e-3, atol=1e-3 * np.abs(sheets).max())
    np.testing.assert_allclose(sheets[0], sheets[1], rtol=2e-2)  # left and right face, up to the grid
    # between a half-cell's planes of sheets the y-mean field is the charge behind over eps0 A: check the outermost step
    assert sheets[0, -1] > sheets[0, 0]


@pytest.mark.parametrize("half_cell", range(4))
@pytest.mark.parametrize(("ion", "charge"), [("K", 1), ("Cl", -1)])
def test_one_ion_in_a_slit_is_one_over_the_volume_between_the_sheets_surfaces(
    cell, make_universe, half_cell, ion, charge
):
    """Free width d by the box's 2 L by its depth; nothing of the other ion, and nothing in other slits."""
    x = float(cell.to_box(cell.half_cells[half_cell], cell.network.slit_centres[1]))
    record = (
        TransSlitFlux(make_universe(cell, [(ion, np.tile([x, 0.2e-9, 0.1e-9], (3, 1)))]), cell).run().results.record
    )
    volume = cell.network.slit * cell.box[1] * cell.box[2]
    here = (record.slits["replica"] == half_cell) & (record.slits["i"] == 2)
    own, other = f"c_{ion}_mol_per_m3", f"c_{'Cl' if ion == 'K' else 'K'}_mol_per_m3"
    for column, expected in (
        ("c_mol_per_m3", 1 / constants.N_A / volume),
        (own, 1 / constants.N_A / volume),
        (other, 0.0),
        ("rho_C_per_m3", charge * E / volume),
        ("Q_C_per_m", charge * E / (2 * cell.depth)),
    ):
        np.testing.assert_allclose(record.slits[column], np.where(here, expected, 0.0), rtol=1e-12, err_msg=column)


def test_potential_is_the_mean_of_both_mirror_images_over_that_of_the_mid_plane(cell, make_universe, monkeypatch):
    """phi = 0.7 + 0.2 sin(2 pi x / Lx) + 0.3 sin(2 pi y / Ly) + 0.1 cos(2 pi y / Ly), in V: 0.2 sin(2 pi x / Lx)."""
    nx, ny = ChargeMap(cell.box).shape
    x, y = (2 * np.pi * np.arange(n) / n for n in (nx, ny))
    planted = 0.7 + 0.2 * np.sin(x)[:, None] + 0.3 * np.sin(y) + 0.1 * np.cos(y)
    monkeypatch.setattr(ChargeMap, "solve", lambda self, density: planted)
    path = np.tile([0.01e-9, 0.0, 0.0], (2, 1))
    counts = TransSlitFlux(make_universe(cell, [("K", path)]), cell).run().results.counts
    for number, half_cell in enumerate(cell.half_cells):
        places = cell.to_box(half_cell, cell.network.slit_centres)
        expected = 0.2 * np.sin(2 * np.pi * places / cell.box[0])
        np.testing.assert_allclose(counts.phi[:, number], np.tile(expected, (2, 1)), atol=2e-4)  # bilinear


@pytest.mark.parametrize("half_cell", range(4))
def test_potential_is_higher_at_a_cation_than_at_an_anion(cell, make_universe, half_cell):
    """Uncharged sheets, K in slit 2 and Cl in slit 1; exchanged, they give the opposite."""
    none = np.zeros((2, len(cell.sheet_atoms["sign"])))
    x, y = cell.to_box(cell.half_cells[half_cell], cell.network.slit_centres), cell.network.slit_length / 2
    paths = [np.tile([float(place), y, 0.0], (2, 1)) for place in x]
    dphi = []
    for deeper in (1, 0):
        ions = [("K", paths[deeper]), ("Cl", paths[1 - deeper])]
        phi = TransSlitFlux(make_universe(cell, ions), cell, solved=none).run().results.counts.phi[-1]
        dphi.append(phi[half_cell, 1] - phi[half_cell, 0])
    assert dphi[0] > 1.0  # V
    assert dphi[1] == pytest.approx(-dphi[0], rel=1e-6)


def test_mean_potential_is_that_of_the_frames_under_charge(cell, make_universe):
    """Nothing but charge sheets that appear at t = 0: the map is that of any later frame."""
    path = np.tile([0.01e-9, 0.0, 0.0], (4, 1))
    all_frames, later = (
        TransSlitFlux(make_universe(cell, [("K", path)], start=-0.1), cell).run(start=start).results for start in (0, 2)
    )
    np.testing.assert_allclose(all_frames.phi_map, later.phi_map, atol=1e-9 * np.abs(later.phi_map).max())


def made_up(cell, seed, box=0, frames=40):
    random = np.random.default_rng(seed)
    n, kinds = cell.network.slits, 2
    return Counts(
        box=box,
        time=(np.arange(frames) - 10) * 0.05e-12,
        contents=random.integers(0, 9, (frames, 4, n, kinds)).astype(float),
        crossed=random.integers(-1, 2, (frames, 4, n + 1, kinds)).astype(float),
        phi=random.normal(0, 1, (frames, 4, n)),
    )


def test_parts_sum_to_the_counted_current(cell):
    record = record_of([made_up(cell, 1, 0), made_up(cell, 2, 1)], cell)
    table = record.crossings
    parts = table.filter(regex="I_(migration|diffusion|steric|residual)").sum(axis=1)
    np.testing.assert_allclose(parts, table["I_A_per_m"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(table["I_K_A_per_m"] + table["I_Cl_A_per_m"], table["I_A_per_m"], atol=1e-9)
    explained = table["I_K_explained_A_per_m"] + table["I_Cl_explained_A_per_m"]
    np.testing.assert_allclose(explained, table["I_A_per_m"] - table["I_residual_A_per_m"], rtol=1e-9, atol=1e-9)
    assert sorted(record.slits["replica"].unique()) == list(range(8))
    assert record.metadata["half_cells"]["6"] == {
        "box": 1,
        "start": 1,
        "electrode": "negative",
        "face": "left",
        "half": 2,
    }
    sigma = record.terminal.groupby("replica")["sigma_C_per_m2"].last()
    assert (np.sign(sigma.to_numpy()) == [1, 1, -1, -1] * 2).all()
    assert (record.terminal.query("time_s < 0")["sigma_C_per_m2"] == 0).all()


def test_decomposition_is_the_shared_two_point_flux(cell):
    """Where all half-cells are alike the parts are those of `transslit.decomposition.decompose`, with their signs."""
    n = cell.network.slits
    phi = np.broadcast_to(np.linspace(0.0, 0.05, n), (1, 1, 4, n))
    concentration = np.broadcast_to(np.linspace([900.0, 1500.0], [700.0, 1600.0], n), (1, 1, 4, n, 2))
    diffusion = np.array([2e-9, 1e-9])
    found = current_parts(cell, diffusion, phi, concentration)
    thermal = constants.k * 298.15 / E
    mu = steric_excess(concentration[0, 0, 0] @ cell.electrolyte.molar_volumes)
    expected = np.zeros(3)
    for k, z in enumerate((1, -1)):
        conductance = cell.network.geometric_conductance * diffusion[k]
        deep, near = concentration[0, 0, 0, 1, k], concentration[0, 0, 0, 0, k]
        parts = decompose(conductance, deep, near, z * (phi[0, 0, 0, 0] - phi[0, 0, 0, 1]) / thermal, mu[0] - mu[1])
        expected += z * constants.N_A * E * np.array([float(part) for part in parts])
    np.testing.assert_allclose([part[0, 0, 0, 0].sum() for part in found], expected, rtol=1e-12)
    assert found[0][0, 0, 0, 0].sum() > 0  # phi higher in the deeper slit drives positive charge towards the bulk


def scharfetter_gummel(v, c_k, c_l):
    """B(v) c_K - B(-v) c_L."""
    return v / np.expm1(v) * c_k + v / np.expm1(-v) * c_l


def test_every_column_of_a_record_by_hand(make_config):
    """Known ions, potentials and crossings of two boxes, with noise of period three that averages out.

    c = N / (N_A d 2 L Lz); I_k = F z D g [B(v) c_K - B(-v) c_L] with v of z dphi and of mu = -ln(1 - a^3 N_A sum c);
    counted currents are charge over time, per depth and mirror half.
    """
    cell = Cell(make_config(smoothing=0.1e-12))  # three frames
    network, frames, interval, diffusion = cell.network, 12, 0.05e-12, np.array([2e-9, 1e-9])
    noise = np.resize([-1.0, 0.0, 1.0], frames)[:, None]
    ions = np.array([[1.0, 3.0], [2.0, 4.0]])  # (slits, ions) of the positive electrode; the other has them exchanged
    ions = np.array([ions, ions, ions[:, ::-1], ions[:, ::-1]])
    phi = np.array([0.02, 0.07]) * np.array([[1.0], [1.0], [-1.0], [-1.0]])
    net = 1.0 + np.arange(4 * 3 * 2).reshape(4, 3, 2)  # (half-cells, planes, ions), each frame
    boxes = [
        Counts(
            box=box,
            time=np.arange(1, frames + 1) * interval,
            contents=ions + 0.5 * noise[..., None, None],
            crossed=np.broadcast_to(net, (frames, *net.shape)),
            phi=phi + 0.2 * noise[..., None],
        )
        for box in (0, 1)
    ]
    record = record_of(boxes, cell, diffusion)

    volume, z = network.slit * cell.box[1] * cell.box[2], np.array([1.0, -1.0])
    faraday, thermal = constants.N_A * E, constants.k * 298.15 / E
    c = ions / constants.N_A / volume
    mu = -np.log1p(-c.sum(axis=-1) * constants.N_A * 0.5e-9**3)
    drift = {"migration": z * (phi[:, :1] - phi[:, 1:]) / thermal, "steric": np.outer(mu[:, 0] - mu[:, 1], [1, 1])}
    v = drift["migration"] + drift["steric"]
    scale = faraday * z * diffusion * network.geometric_conductance
    driven = scale * scharfetter_gummel(v, c[:, 1], c[:, 0])
    spread = scale * (c[:, 1] - c[:, 0])
    counted = net * z * E / (2 * cell.depth) / interval
    expected = {
        "I_K_explained_A_per_m": driven[:, 0],
        "I_Cl_explained_A_per_m": driven[:, 1],
        "I_diffusion_A_per_m": spread.sum(axis=1),
        **{f"I_{name}_A_per_m": ((driven - spread) * of / v).sum(axis=1) for name, of in drift.items()},
        "I_residual_A_per_m": (counted[:, 1] - driven).sum(axis=1),
        "I_K_A_per_m": counted[:, 1, 0],
        "I_Cl_A_per_m": counted[:, 1, 1],
        "dphi_V": phi[:, 1] - phi[:, 0],
    }
    inner = record.crossings[record.crossings["time_s"].between(1.5 * interval, (frames - 0.5) * interval)]
    for column, of_half_cell in expected.items():
        found = inner.pivot_table(index="time_s", columns="replica", values=column).to_numpy()
        np.testing.assert_allclose(found, np.tile(of_half_cell, (len(found), 2)), rtol=1e-9, err_msg=column)

    for column, plane in (("I_0_A_per_m", 0), ("I_m_A_per_m", 2)):
        found = record.terminal.pivot_table(index="time_s", columns="replica", values=column).to_numpy()
        np.testing.assert_allclose(found, np.tile(counted[:, plane].sum(axis=-1), (frames, 2)), rtol=1e-9)
    for column, of_slit in (
        ("phi_V", phi),
        ("c_mol_per_m3", c.sum(axis=-1)),
        ("c_K_mol_per_m3", c[..., 0]),
        ("c_Cl_mol_per_m3", c[..., 1]),
        ("rho_C_per_m3", faraday * c @ z),
        ("Q_C_per_m", faraday * c @ z * volume / (2 * cell.depth)),
    ):
        found = record.slits.groupby(["replica", "i"])[column].mean().to_numpy().reshape(2, 4, 2)
        np.testing.assert_allclose(found, np.broadcast_to(of_slit, found.shape), rtol=1e-9, err_msg=column)


def test_noise_of_the_two_faces_does_not_shift_the_drift_upwind(cell):
    """Opposite potentials on the faces of an electrode: both drifts carry the arithmetic mean of the concentrations."""
    n = cell.network.slits
    phi = np.zeros((1, 1, 4, n))
    phi[..., 0] = np.array([0.1, -0.1, 0.1, -0.1])
    concentration = np.broadcast_to(np.linspace([1.0], [1.0 + n - 1], n), (1, 1, 4, n, 2))  # dilute: no steric part
    found = current_parts(cell, np.array([2e-9, 1e-9]), phi, concentration).migration[0, 0, :, 0, 0]
    conductance = constants.N_A * E * cell.network.geometric_conductance * 2e-9
    expected = -conductance * 1.5 * 0.1 / (constants.k * 298.15 / E)
    np.testing.assert_allclose(found, expected * np.array([1, -1, 1, -1]), rtol=1e-3)


def test_noise_that_averages_out_does_not_shift_the_drift_upwind(cell):
    """Opposite potentials in two boxes: both drifts carry the arithmetic mean of the concentrations."""
    n = cell.network.slits
    phi = np.zeros((2, 1, 4, n))
    phi[..., 0] = np.array([0.1, -0.1]).reshape(2, 1, 1)
    concentration = np.broadcast_to(np.linspace([1.0], [1.0 + n - 1], n), (2, 1, 4, n, 2))  # dilute: no steric part
    found = current_parts(cell, np.array([2e-9, 1e-9]), phi, concentration)
    thermal = constants.k * 298.15 / E
    conductance = constants.N_A * E * cell.network.geometric_conductance * 2e-9
    expected = -conductance * 1.5 * 0.1 / thermal
    np.testing.assert_allclose(found.migration[:, 0, 0, 0, 0], [expected, -expected], rtol=1e-3)


def test_moving_average_does_not_cross_the_step():
    time = (np.arange(20) - 10) * 0.05e-12
    values = np.where(time < 0, 1.0, 5.0)[:, None]
    np.testing.assert_array_equal(moving_average(values, time, 0.5e-12), values)
    ramp = np.arange(20.0)[:, None]
    np.testing.assert_allclose(moving_average(ramp, time, 0.2e-12)[12:18], ramp[12:18])


def test_diffusion_of_planted_random_walks(cell, make_universe):
    """Brownian steps of known D in mid-slit, over the box's end in z, give that D within its sampling error."""
    random = np.random.default_rng(5)
    frames, each, planted = 400, 24, 2e-9
    x = float(cell.to_box(cell.half_cells[0], cell.network.slit_centres[0]))
    ions = []
    for name in ("K", "Cl"):
        for _ in range(each):
            z = np.cumsum(random.normal(0, np.sqrt(2 * planted * 0.05e-12), frames)) % cell.box[2]
            ions.append((name, np.column_stack([np.full(frames, x), np.zeros(frames), z])))
    result = SlitDiffusion(make_universe(cell, ions), cell).run().results
    value = fit([result]).value
    # 24 walks of 400 frames hold some 24 * 400 / 40 independent longest displacements: 10 % twice over
    np.testing.assert_allclose(value, planted, rtol=0.25)


def test_diffusion_is_fitted_past_the_ballistic_part(cell, make_universe, make_walks):
    """Langevin walks of exact mean squares, relaxation 0.2 ps: the slope from 0.5 to 2 ps is D to 0.8 %.

    From 0.1 ps on it would be 3 % less than D, up to 0.5 ps a quarter.
    """
    planted = {"K": 2e-9, "Cl": 1.5e-9}
    x = float(cell.to_box(cell.half_cells[2], cell.network.slit_centres[1]))
    ions = [
        (name, np.column_stack([np.full(60, x), np.zeros(60), z % cell.box[2]]))
        for name, d in planted.items()
        for z in make_walks(60, 0.05e-12, d, 0.2e-12, 64).T
    ]
    results = SlitDiffusion(make_universe(cell, ions), cell).run().results
    np.testing.assert_allclose(results.lags[[0, -1]], [0.5e-12, 2e-12])
    np.testing.assert_allclose(fit([results]).value, list(planted.values()), rtol=0.008)


def test_displacements_are_those_within_one_slit(cell, make_universe):
    """An ion that moves to the next slit after half of its 60 frames: of all pairs, those on either side of the move.

    Between the free widths, half the distance to a sheet's plane and more, it is in no slit.
    """
    network, half_cell = cell.network, cell.half_cells[1]
    x = np.repeat(cell.to_box(half_cell, network.slit_centres), 30)
    path = np.column_stack([x, np.zeros(60), np.zeros(60)])
    results = SlitDiffusion(make_universe(cell, [("Cl", path)]), cell).run().results
    lags = np.arange(10, 41)
    expected = np.zeros((len(lags), 4, 2))
    expected[:, 1, 1] = np.maximum(60 - 2 * lags, 0)
    np.testing.assert_array_equal(results.samples, expected)
    for share, slits in ((0.49, [2, 3]), (0.51, [-1, -1])):
        for side in (-1, 1):
            places = cell.to_box(half_cell, network.slit_centres + side * share * network.slit)
            np.testing.assert_array_equal(in_slit(cell, places), slits)


def test_interval_of_diffusion_covers_the_planted_value():
    """Ions that wander with D = 1.5e-9 m^2/s: the error is the scatter of repeated runs, overlap and all."""
    random, planted, interval, frames, each = np.random.default_rng(9), 1.5e-9, 0.05e-12, 130, 6
    lags = np.arange(10, 41)

    def planted_run():
        z = np.cumsum(random.normal(0, np.sqrt(2 * planted * interval), (frames, 4, each, 1)), axis=0)
        squares = np.array([((z[lag:] - z[:-lag]) ** 2).sum(axis=(0, 2)) for lag in lags])
        samples = np.array([np.full((4, 1), (frames - lag) * each) for lag in lags])
        return {"squares": squares, "samples": samples}

    found = [fit([Results(lags=lags * interval, **planted_run()) for _ in range(3)]) for _ in range(200)]
    value, error = (np.array([getattr(each, name)[0] for each in found]) for name in ("value", "error"))
    assert value.mean() == pytest.approx(planted, rel=0.05)
    assert error.mean() > value.std()  # three boxes and four half-electrodes: Student's t of 2 to 11 degrees of freedom
    covered = np.mean([each.low[0] <= planted <= each.high[0] for each in found])
    assert 0.92 <= covered <= 0.99  # nominal 95 % to 97 %; 200 trials: 1.5 %
    one = fit([Results(lags=lags * interval, **planted_run())])
    assert one.value > 0
    assert np.isnan([one.error, one.low, one.high]).all()


def test_too_few_samples_are_no_measurement(cell, make_universe):
    path = np.tile([float(cell.to_box(cell.half_cells[0], cell.network.slit_centres[0])), 0.0, 0.0], (60, 1))
    result = SlitDiffusion(make_universe(cell, [("K", path), ("Cl", path)]), cell).run().results
    assert np.isnan(fit([result]).value).all()


def test_second_boxes_of_pairs_have_their_electrodes_exchanged(make_config):
    """The same sheets with the opposite signs; in the charging frame a pair's mean is odd in the charge."""
    cell = Cell(make_config(pairs=True, replicas=4))
    first, second = cell.of_box(2), cell.of_box(3)
    np.testing.assert_array_equal(first.sheet_atoms["positions"], second.sheet_atoms["positions"])
    np.testing.assert_array_equal(first.sheet_atoms["sign"], -second.sheet_atoms["sign"])
    assert [half_cell[1:] for half_cell in first.half_cells] == [half_cell[1:] for half_cell in second.half_cells]
    even, odd = 7.0, 2.0  # ions of each kind in slit 1 that the sign of the charge leaves, and that go with it
    boxes = []
    for box, sign in ((2, 1.0), (3, -1.0)):
        own = np.array([sign, sign, -sign, -sign])[:, None] * [odd, 0.0]
        contents = np.stack([even - own, even + own], axis=-1)  # K, Cl
        zero = np.zeros((4, 4, 2))
        boxes.append(
            Counts(
                box=box,
                time=np.arange(1, 5) * 0.05e-12,
                contents=np.broadcast_to(contents, (4, 4, 2, 2)),
                crossed=np.zeros((4, 4, 3, 2)),
                phi=zero,
            )
        )
    record = record_of(boxes, cell)
    about = record.metadata["half_cells"]
    assert [about[str(label)]["electrode"][0] for label in range(8, 16)] == list("ppnnnnpp")
    assert {entry["start"] for entry in about.values()} == {1}
    starts, halves = places(record, range(8, 16))
    assert set(starts) == {1}
    np.testing.assert_array_equal(halves, [0, 1, 2, 3, 0, 1, 2, 3])
    charge = series(record, "Q_C_per_m", 1, "both")
    np.testing.assert_allclose(charge.blocks, -2 * odd * E / (2 * cell.depth))
    sigma = record.terminal.groupby("replica")["sigma_C_per_m2"].last()
    assert (np.sign(sigma.to_numpy()) == [1, 1, -1, -1, -1, -1, 1, 1]).all()


def test_pairs_are_refused_where_there_are_none(make_config):
    with pytest.raises(BadInput, match="even"):
        make_config(pairs=True, replicas=3)
    with pytest.raises(BadInput, match="force_frames"):
        make_config(pairs=True, replicas=2, force_frames=0.25e-12)
