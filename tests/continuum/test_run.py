"""Whole runs of a small network: what must add up adds up, and a killed run goes on as if nothing had happened."""

import json

import numpy as np
import pytest

from continuum import ContinuumConfig, Frames, OpenSpaceFlux, TransSlitFlux, run
from continuum.mpnp import ModifiedPNP
from continuum.newton import Newton, NewtonFailed
from transslit import BadInput, ChargeStep, SlitNetwork, StageFailed, TransSlitRecord, TriangularCV
from transslit.drive import Galvanostatic
from transslit.progress import Progress

from .conftest import alike

QUIET = Progress(quiet=True)
SWEEP = TriangularCV(scan_rate=1e6, window=0.4)
STEP = ChargeStep(sigma=0.25, duration=2e-12)


@pytest.fixture(scope="module")
def cv(kcl, small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cv")
    config = ContinuumConfig(network=small, electrolyte=kcl, drive=SWEEP, steps=40, checkpoint_every=7)
    return config, folder, run(config, folder, QUIET)


@pytest.fixture(scope="module")
def step(kcl, small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("step")
    salt = alike(kcl, 2e-9)
    config = ContinuumConfig(network=small, electrolyte=salt, drive=STEP, cell="full", surface_cell=8e-11)
    return config, folder, run(config, folder, QUIET)


@pytest.fixture(scope="module")
def current(kcl, small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("current")
    drive = Galvanostatic(current=0.1, upper=0.2, cycles=1)
    config = ContinuumConfig(network=small, electrolyte=kcl, drive=drive, surface_cell=1e-10, step_tolerance=0.1)
    config = config.model_copy(update={"checkpoint_every": 4})
    return config, folder, run(config, folder, QUIET)


def grid(table, column, replica=0):
    """Column as (times, i)."""
    rows = table[table["replica"] == replica]
    return rows.pivot_table(index="time_s", columns="i", values=column).to_numpy()


def test_contents_change_by_the_currents_that_cross(cv):
    """dQ_i/dt = I_i - I_{i-1}, with I_0 through the entrance and nothing through the wall."""
    config, folder, record = cv
    with Frames(folder) as frames:
        entrance = TransSlitFlux(frames, config.network, config.electrolyte).run().results.entrance
    charge = grid(record.slits, "Q_C_per_m")
    times = np.unique(record.slits["time_s"])
    inner = grid(record.crossings, "I_A_per_m")
    current = np.column_stack([entrance["I_A_per_m"], inner, np.zeros(times.size)])
    gained = np.diff(charge, axis=0) / np.diff(times)[:, None]
    crossed = current[1:, 1:] - current[1:, :-1]
    np.testing.assert_allclose(gained, crossed, rtol=0, atol=1e-8 * np.abs(gained).max())
    assert np.abs(gained).min(axis=0).max() > 1e-3  # A/m: currents did flow


def test_terminal_current_is_the_rate_of_charge(cv):
    _, folder, record = cv
    with Frames(folder) as frames:
        charge = np.array([frame.electrode_charge for frame in frames])
        times = frames.times
    current = record.terminal["I_m_A_per_m"].to_numpy()[1:]
    rate = np.diff(charge) / np.diff(times)
    np.testing.assert_allclose(current, rate, rtol=0, atol=1e-8 * np.abs(rate).max())
    assert rate[1] > 0 > rate[-1]


def test_currents_of_a_slow_sweep_are_not_round_off(kcl, small, tmp_path):
    """At 1 mV/s, where fluxes of 1 A/m leave currents of 1 nA/m: still what changes the charges, to 1e-4."""
    config = ContinuumConfig(
        network=small, electrolyte=kcl, drive=TriangularCV(scan_rate=1e-3, window=0.4), steps=40, surface_cell=1e-10
    )
    record = run(config, tmp_path, QUIET)
    with Frames(tmp_path) as frames:
        charge, times = np.array([frame.electrode_charge for frame in frames]), frames.times
        entrance = TransSlitFlux(frames, config.network, config.electrolyte).run().results.entrance
    rate = np.diff(charge) / np.diff(times)
    current = record.terminal["I_m_A_per_m"].to_numpy()[1:]
    np.testing.assert_allclose(current, rate, rtol=0, atol=1e-4 * np.abs(rate).max())
    filled = -np.diff(grid(record.slits, "Q_C_per_m").sum(axis=1)) / np.diff(times)
    np.testing.assert_allclose(entrance["I_A_per_m"][1:], filled, rtol=0, atol=1e-4 * np.abs(filled).max())


def test_charging_draws_counter_ions_slit_by_slit(cv):
    """Signs of the conventions: positive phi_m, negative slits, current towards the bulk that falls with depth."""
    _, _, record = cv
    time = np.unique(record.slits["time_s"])[15]
    mid = record.crossings[record.crossings["time_s"] == time].sort_values("i")
    slits = record.slits[record.slits["time_s"] == time].sort_values("i")
    assert (slits["Q_C_per_m"] < 0).all()
    assert (slits["phi_V"].diff().dropna() > 0).all()
    assert (mid["I_A_per_m"] > 0).all()
    assert (mid["I_A_per_m"].diff().dropna() < 0).all()
    np.testing.assert_allclose(mid["dphi_V"], np.diff(slits["phi_V"]), rtol=1e-9)
    assert (mid["I_migration_A_per_m"] > 0).all()  # down the potential: migration carries charge to the bulk
    assert (record.crossings["I_residual_A_per_m"] == 0).all()


def test_currents_of_the_open_space_carry_the_terminal_current(cv):
    _, folder, record = cv
    with Frames(folder) as frames:
        table = OpenSpaceFlux(frames, [0.3e-9, 5.0e-9]).run().results.table
    near, far = (group for _, group in table.groupby("x_m"))
    parts = [column for column in table.columns if column.startswith("I_") and column != "I_A_per_m"]
    assert "I_junction_A_per_m" in parts
    np.testing.assert_allclose(table[parts].sum(axis=1), table["I_A_per_m"], rtol=0, atol=1e-9)
    current = record.terminal["I_m_A_per_m"].to_numpy()
    # The rest is displacement current, largest where the sweep turns.
    np.testing.assert_allclose(far["I_A_per_m"], current, rtol=0, atol=5e-3 * current.max())
    # Far off the electrode migration is nearly all of it; next to it diffusion opposes migration.
    assert far["I_migration_A_per_m"].abs().sum() > 10 * far["I_diffusion_A_per_m"].abs().sum()
    opposed = near["I_migration_A_per_m"] * near["I_diffusion_A_per_m"] < 0
    assert opposed[near["time_s"] > 0].mean() > 0.9


def test_closed_cell_keeps_every_ion(step):
    _, folder, _ = step
    with Frames(folder) as frames:
        mesh = frames.equations.mesh
        numbers = np.array([frame.c @ mesh.volumes[mesh.ion_cells] for frame in frames])
        moved = np.abs(frames[-1].c - frames[0].c).max()
    np.testing.assert_allclose(numbers, numbers[:1].repeat(len(numbers), axis=0), rtol=1e-10)
    assert moved > 100  # mol/m^3: and yet they moved


def test_terminal_current_of_a_closed_cell_carries_cations_off_the_positive_electrode(step):
    """I_m = -dQ/dt of the ions from the positive electrode's wall to the mid-plane; the other electrode's is -I_m."""
    _, folder, record = step
    with Frames(folder) as frames:
        mesh, z = frames.equations.mesh, frames.equations.z
        own = mesh.centres[0, mesh.ion_cells] < mesh.length / 2
        volumes = mesh.volumes[mesh.ion_cells[own]]
        charge = 96485.33212 * np.array([z @ frame.c[:, own] @ volumes for frame in frames])
        times = frames.times
    positive, negative = (rows["I_m_A_per_m"].to_numpy() for _, rows in record.terminal.groupby("replica"))
    rate = -np.diff(charge) / np.diff(times)
    assert rate.min() > 0
    np.testing.assert_allclose(positive[1:], rate, rtol=1e-3)  # at first there are several steps from frame to frame
    np.testing.assert_allclose(positive[10:], rate[9:], rtol=1e-8)
    np.testing.assert_array_equal(negative, -positive)


def test_electrodes_of_equal_ions_mirror_each_other(step):
    """With equal diffusion coefficients the negative electrode is the positive one with the ions exchanged."""
    _, _, record = step
    for table, column in (("slits", "Q_C_per_m"), ("slits", "phi_V"), ("crossings", "I_A_per_m")):
        positive, negative = (grid(getattr(record, table), column, replica) for replica in (0, 1))
        np.testing.assert_allclose(positive, -negative, rtol=0, atol=1e-7 * np.abs(positive).max())
    assert record.terminal.groupby("replica")["sigma_C_per_m2"].first().tolist() == [0.25, -0.25]
    assert grid(record.slits, "Q_C_per_m")[-1].max() < 0


def test_field_of_charged_sheets_obeys_gauss(step):
    """At t = 0 the ions are uniform: the flux of eps E through any plane is the sheets' charge behind it."""
    config, folder, _ = step
    with Frames(folder) as frames:
        equations, first = frames.equations, frames[0]
    mesh, network = equations.mesh, config.network
    psi = first.phi / equations.thermal_voltage
    faces = mesh.inner
    through = equations.between * (psi[faces.lower] - psi[faces.upper]) * equations.charge_unit
    L, g = network.slit_length, network.edge_gap
    for i, centre in enumerate(network.slit_centres, start=1):
        line = mesh.x_lines[np.argmin(np.abs(mesh.x_lines - centre))]
        plane = (faces.axis == 0) & (np.abs(faces.position[0] - line) < 1e-15)
        behind = STEP.sigma * (L / 2 + (network.slits - i) * (L - g))
        assert through[plane].sum() == pytest.approx(behind, rel=1e-9)


def test_field_between_walls_is_analytic(kcl, tmp_path):
    """Two bare walls: phi drops by sigma/2 times 2 R / eps between them, and E = sigma / (2 eps) everywhere."""
    network = SlitNetwork(slit=1e-9, layers=1, slit_length=2e-9, reservoir_length=3e-9)
    equations = ModifiedPNP(ContinuumConfig(network=network, electrolyte=kcl, drive=STEP, cell="full"))
    phi, _ = equations.to_si(equations.uniform(STEP.sigma))
    x = equations.mesh.centres[0]
    free = ~equations.mesh.solid
    field = STEP.sigma / 2 / (equations.config.relative_permittivity * 8.8541878128e-12)
    np.testing.assert_allclose(np.polyfit(x[free], phi[free], 1)[0], -field, rtol=1e-9)


def test_field_in_a_wall_is_that_of_its_permittivity(kcl):
    """From the centre plane of a wall of eps = 4 half of its charge's field goes out: E = sigma / (2 eps eps0)."""
    network = SlitNetwork(slit=1e-9, layers=1, slit_length=2e-9, reservoir_length=3e-9)
    config = ContinuumConfig(network=network, electrolyte=kcl, drive=STEP, cell="full", sheet_permittivity=4.0)
    equations = ModifiedPNP(config)
    phi, _ = equations.to_si(equations.uniform(STEP.sigma))
    x = equations.mesh.centres[0]
    for wall in (x < 0, x > equations.mesh.length):
        assert np.unique(x[wall]).size > 2
        slope = np.polyfit(x[wall], phi[wall], 1)[0]
        assert slope == pytest.approx(-STEP.sigma / 2 / (4 * 8.8541878128e-12), rel=1e-9)


class Killed(BaseException):
    pass


class Killing(Progress):
    """Raises out of the march after some steps, leaving what a kill would leave."""

    def __init__(self, steps):
        super().__init__(quiet=True)
        self.left = steps

    def task(self, title, total):
        from contextlib import contextmanager

        @contextmanager
        def counted():
            def advance(done, note=""):
                self.left -= 1
                if self.left == 0:
                    raise Killed

            yield advance

        return counted()


@pytest.mark.parametrize("which", ["cv", "step", "current"])
def test_resumed_run_is_the_same_to_the_last_bit(which, request, tmp_path):
    config, folder, record = request.getfixturevalue(which)
    for steps in (3, 9, 5):  # the first before any checkpoint
        with pytest.raises(Killed):
            run(config, tmp_path, Killing(steps))
    (tmp_path / f"segment-{999:07d}.npz").write_bytes(b"torn")
    again = run(config, tmp_path, QUIET)
    for table in ("crossings", "slits", "terminal"):
        assert getattr(again, table).equals(getattr(record, table))
    with Frames(folder) as one, Frames(tmp_path) as other:
        assert all(np.array_equal(a.phi, b.phi) and np.array_equal(a.c, b.c) for a, b in zip(one, other, strict=True))
    assert [path.name for path in tmp_path.glob("segment-*")] == ["segment-0000999.npz.unreadable"]


def test_finished_run_is_reused_and_guarded(cv, monkeypatch):
    config, folder, record = cv
    monkeypatch.setattr(Newton, "solve", None)  # nothing may be solved again
    assert run(config, folder, QUIET).crossings.equals(record.crossings)
    with pytest.raises(BadInput, match="another configuration"):
        run(config.model_copy(update={"steps": 20}), folder, QUIET)


def test_failed_step_is_retried_and_reported(kcl, small, tmp_path, monkeypatch):
    solve, failures = Newton.solve, iter([False] * 5 + [True, True])

    def sometimes(self, *args):
        if next(failures, False):
            raise NewtonFailed("made to fail", 7)
        return solve(self, *args)

    monkeypatch.setattr(Newton, "solve", sometimes)
    config = ContinuumConfig(network=small, electrolyte=kcl, drive=SWEEP, steps=10)
    record = run(config, tmp_path, QUIET)
    assert len(record.terminal) == 11
    assert len(record.metadata["retries"]) == 2
    assert "made to fail at t = " in record.metadata["retries"][0]["reason"]
    json.dumps(record.metadata)


def test_breakdown_names_time_place_and_keeps_frames(kcl, small, tmp_path, monkeypatch):
    solve = Newton.solve

    def broken(self, guess, rate, history, drive):
        if drive > 0.1:
            raise NewtonFailed("made to fail", 7)
        return solve(self, guess, rate, history, drive)

    monkeypatch.setattr(Newton, "solve", broken)
    config = ContinuumConfig(network=small, electrolyte=kcl, drive=SWEEP, steps=10)
    with pytest.raises(StageFailed, match=r"t = .* s, phi_m = 0\.1.* V, worst at x = .* nm, y = .* nm"):
        run(config, tmp_path, QUIET)
    with Frames(tmp_path) as frames:
        assert not frames.complete
        assert 1 < len(frames) < 11
        assert max(frame.drive for frame in frames) <= 0.1


@pytest.mark.parametrize("fault", ["nan", "singular"])
def test_numerical_breakdown_ends_in_one_line(kcl, small, tmp_path, monkeypatch, fault):
    """From phi_m = 0.1 V on cell 7 holds NaN, or no equation; the line names it, and what was solved is kept."""
    residual, jacobian, potential = ModifiedPNP.residual, ModifiedPNP.jacobian, [0.0]

    def poisoned(self, x, rate, history, drive, state=None):
        potential[0] = drive
        out = residual(self, x, rate, history, drive, state)
        if fault == "nan" and drive > 0.1:
            out[7] = np.nan
        return out

    def emptied(self, x, rate, state=None):
        matrix = jacobian(self, x, rate, state)
        if fault == "singular" and potential[0] > 0.1:
            matrix.data[matrix.indices == 7] = 0.0
        return matrix

    monkeypatch.setattr(ModifiedPNP, "residual", poisoned)
    monkeypatch.setattr(ModifiedPNP, "jacobian", emptied)
    config = ContinuumConfig(network=small, electrolyte=kcl, drive=SWEEP, steps=10, checkpoint_every=1)
    x, y = ModifiedPNP(config).mesh.centres[:, 7] * 1e9
    reason = {"nan": "not finite", "singular": "singular"}[fault]
    with pytest.raises(StageFailed) as caught:
        run(config, tmp_path, QUIET)
    line = str(caught.value)
    assert reason in line
    assert "at t = " in line
    assert "phi_m = 0.1" in line
    assert f"worst at x = {x:.3f} nm, y = {y:.3f} nm" in line
    assert "\n" not in line
    with Frames(tmp_path) as frames:
        assert not frames.complete
        assert 1 < len(frames) < 11
        assert np.isfinite(frames[-1].phi).all()


def test_thinned_frames_give_the_same_rows(cv):
    _, folder, record = cv
    with Frames(folder) as frames:
        thin = TransSlitFlux(frames).run(start=2, stop=30, step=4).results.record
    times = thin.terminal["time_s"]
    kept = record.crossings[record.crossings["time_s"].isin(times)].reset_index(drop=True)
    np.testing.assert_array_equal(thin.crossings.to_numpy(), kept.to_numpy())


def test_stored_frames_may_be_thinned(cv, tmp_path):
    """The record has every frame; the file keeps every seventh and the last, and gives the same numbers again."""
    config, _, record = cv
    again = run(config.model_copy(update={"store_every": 7}), tmp_path, QUIET)
    assert again.crossings.equals(record.crossings)
    with Frames(tmp_path) as frames:
        assert frames.complete
        np.testing.assert_array_equal(frames.times, again.terminal["time_s"].to_numpy()[[0, 7, 14, 21, 28, 35, 40]])
        kept = TransSlitFlux(frames).run().results.record
    whole = record.crossings[record.crossings["time_s"].isin(frames.times)].reset_index(drop=True)
    np.testing.assert_array_equal(kept.crossings.to_numpy(), whole.to_numpy())


def test_record_survives_the_disk(cv):
    _, folder, record = cv
    again = TransSlitRecord.read(folder)
    assert again.metadata["source"] == "continuum"
    assert again.slits.equals(record.slits)


def test_truncated_frames_are_refused(tmp_path):
    (tmp_path / "frames.h5").write_bytes(b"\x89HDF")
    with pytest.raises(BadInput, match="frames"):
        Frames(tmp_path)
