"""What may be imposed on a cell, each against an answer known beforehand."""

import numpy as np
import pytest
from scipy import constants

from continuum import ContinuumConfig, Frames, run
from transslit import BadInput, ChargeStep, TriangularCV
from transslit.drive import ChargeRamp, Galvanostatic, PotentialStep, SmoothedCV
from transslit.progress import Progress

from .conftest import alike, equilibrium, flat_wall

QUIET = Progress(quiet=True)
DIFFUSION = 2e-9  # m^2/s
LINEAR = 1e-4  # V: far below kT/e


@pytest.fixture(scope="module")
def salt(kcl):
    """Point-like ions of one diffusion coefficient: closed forms hold."""
    return alike(kcl.with_diameter(1e-12), DIFFUSION)


def thin_layer(salt, **settings):
    """A wall without Stern layer 100 Debye lengths off the mid-plane: an RC circuit, tau = lambda_D L / D."""
    debye = salt.debye_length(100.0)
    return flat_wall(
        salt,
        concentration=100.0,
        length=100 * debye,
        stern_thickness=0.0,
        surface_cell=debye / 20,
        growth=1.1,
        **settings,
    )


def series(folder):
    with Frames(folder) as frames:
        rows = [(f.time, f.drive, f.terminal_current, f.electrode_charge) for f in frames]
    return np.array(rows).T


def test_potential_step_charges_like_an_rc_circuit(salt, tmp_path):
    """At once the geometric charge eps phi / L, then 1 - exp(-t / tau) of the double layer's eps phi / lambda_D."""
    debye = salt.debye_length(100.0)
    length = 100 * debye
    tau = debye * length / DIFFUSION
    config = thin_layer(salt, drive=PotentialStep(voltage=2 * LINEAR, duration=8 * tau, rest=8 * tau))
    run(config.model_copy(update={"step_tolerance": 1e-5}), tmp_path, QUIET)
    time, drive, _, charge = series(tmp_path)
    eps = salt.solvent.permittivity.value * constants.epsilon_0
    held = time <= 8 * tau
    per_depth = config.network.slit_length * LINEAR * eps
    assert charge[0] == pytest.approx(per_depth / length, rel=1e-6)
    assert charge[held][-1] == pytest.approx(per_depth / debye, rel=5e-3)
    relaxed = charge[held][-1] * (1 - np.exp(-time[held] / tau))
    np.testing.assert_allclose(charge[held], relaxed, rtol=0, atol=0.02 * relaxed.max())
    assert np.all(drive[held] == LINEAR)
    assert np.all(drive[~held] == 0)
    assert abs(charge[-1]) < 2e-3 * relaxed.max()  # discharged again
    after = charge[~held]
    assert after[0] == pytest.approx(charge[held][-1] - per_depth / length, rel=1e-3)  # the jump back


def test_imposed_current_raises_the_potential_by_charge_and_resistance(salt, tmp_path):
    """phi_m = I (t / C + R) once the layer has formed, with C = eps / lambda_D and R = L / conductivity per area."""
    debye = salt.debye_length(100.0)
    length, width = 100 * debye, 2e-9
    tau = debye * length / DIFFUSION
    eps = salt.solvent.permittivity.value * constants.epsilon_0
    current = eps / debye * width * LINEAR / (5 * tau)
    drive = Galvanostatic(current=current, upper=2 * LINEAR, cycles=1)
    config = thin_layer(salt, drive=drive)
    record = run(config.model_copy(update={"step_tolerance": 1e-6}), tmp_path, QUIET)
    time, phi, measured, charge = series(tmp_path)
    turn = int(np.argmax(phi))
    assert phi[turn] == pytest.approx(LINEAR, abs=1.1e-6)
    assert phi[-1] == pytest.approx(0.0, abs=1.1e-6)
    np.testing.assert_allclose(charge[: turn + 1], current * time[: turn + 1], rtol=1e-9, atol=0)
    np.testing.assert_allclose(
        charge[turn:], current * (2 * time[turn] - time[turn:]), rtol=0, atol=1e-9 * charge.max()
    )
    # The volume form of the terminal current, which knows nothing of the electrode's charge.
    np.testing.assert_allclose(np.abs(measured[1:]), current, rtol=1e-5)
    assert set(np.sign(measured[1 : turn + 1])) == {1.0}
    assert set(np.sign(measured[turn + 1 :])) == {-1.0}
    late = (time > 2 * tau) & (np.arange(time.size) <= turn)
    slope, offset = np.polyfit(time[late], phi[late], 1)
    conductivity = eps * DIFFUSION / debye**2
    assert slope == pytest.approx(current * debye / (eps * width), rel=0.01)
    assert offset == pytest.approx(current * length / (conductivity * width), rel=0.02)
    assert len(record.metadata["cycle_changes"]) == 1


def test_smoothed_sweep_is_the_mean_of_triangular_ones(salt, tmp_path):
    """Linear response: the charge under the mean of a drive is the mean of the charge under the drive."""
    debye = salt.debye_length(100.0)
    tau = 100 * debye**2 / DIFFUSION
    steps, share = 80, 0.25
    settings = {"scan_rate": 2 * LINEAR / (3 * tau), "window": 2 * LINEAR, "cycles": 2}
    charges = {}
    for name, drive in (("sharp", TriangularCV(**settings)), ("smooth", SmoothedCV(**settings, smoothing=share))):
        run(thin_layer(salt, drive=drive, steps=steps), tmp_path / name, QUIET)
        time, phi, current, charges[name] = series(tmp_path / name)
        np.testing.assert_allclose(phi, drive.electrode_potential(time), rtol=0, atol=1e-12)
    assert np.abs(np.diff(current)).max() < 0.2 * np.ptp(current)  # nowhere a jump
    width = int(share * steps / 2)
    sharp = np.concatenate([np.zeros(width), charges["sharp"]])
    weights = np.full(width + 1, 1 / width)
    weights[[0, -1]] /= 2
    mean = np.convolve(sharp, weights, mode="valid")
    np.testing.assert_allclose(charges["smooth"][: mean.size], mean, rtol=0, atol=1e-6 * mean.max())


def test_charge_ramp_ends_where_the_step_does(kcl, small, tmp_path):
    """The sheets' charge follows the ramp; after it the cell forgets how its charge came about."""
    step = ChargeStep(sigma=0.05, duration=4e-9)
    ramp = ChargeRamp(sigma=0.05, duration=4e-9, ramp=1e-10)
    settings = {"cell": "full", "surface_cell": 1e-10, "record_interval": 2e-12, "record_growth": 1.2}
    last = {}
    for name, drive in (("step", step), ("ramp", ramp)):
        record = run(ContinuumConfig(network=small, electrolyte=kcl, drive=drive, **settings), tmp_path / name, QUIET)
        terminal = record.terminal[record.terminal["replica"] == 0]
        expected = np.asarray(drive.sheet_charge(terminal["time_s"].to_numpy()))
        np.testing.assert_allclose(terminal["sigma_C_per_m2"], expected, rtol=1e-12)
        assert record.metadata["ion_drift"] < 1e-10
        charge = record.slits.pivot_table(index="time_s", columns=["replica", "i"], values="Q_C_per_m").to_numpy()
        last[name] = charge[-1]
        if name == "ramp":
            assert np.abs(charge[0]).max() == 0
            assert np.abs(charge[3]).max() < 0.1 * np.abs(charge[-1]).max()  # still rising
    np.testing.assert_allclose(last["ramp"], last["step"], rtol=2e-3)


@pytest.mark.parametrize(
    "drive",
    [
        TriangularCV(scan_rate=2e6, window=0.4, cycles=6),
        Galvanostatic(current=0.02, upper=0.3, lower=0.1, cycles=6),
    ],
    ids=lambda drive: drive.kind,
)
def test_run_stops_at_the_first_periodic_cycle(kcl, drive, tmp_path):
    config = flat_wall(kcl, drive=drive, steps=40, surface_cell=1e-10, step_tolerance=0.05)
    record = run(config.model_copy(update={"until_periodic": 1e-2}), tmp_path / "some", QUIET)
    changes = record.metadata["cycle_changes"]
    assert 2 <= len(changes) < 6
    assert changes[-1] <= 1e-2 < changes[-2]
    every = run(config, tmp_path / "all", QUIET)
    assert every.metadata["cycle_changes"][: len(changes)] == changes
    assert len(every.metadata["cycle_changes"]) == 6
    shared = every.terminal.iloc[: len(record.terminal)]
    assert shared.equals(record.terminal)


def test_quasi_static_current_charges_to_equilibrium(kcl, tmp_path):
    """A slow current meets the potential at which the double layer holds its charge at rest."""
    drive = Galvanostatic(current=1e-4, upper=0.4)
    run(flat_wall(kcl, drive=drive, surface_cell=1e-10, step_tolerance=0.2), tmp_path, QUIET)
    _, phi, _, charge = series(tmp_path)
    top = int(np.argmax(phi))
    equations, found = equilibrium(flat_wall(kcl, surface_cell=1e-10), np.linspace(0, phi[top], 6))
    assert charge[top] == pytest.approx(equations.electrode_charge(found[-1], phi[top]), rel=1e-3)


def test_drives_that_do_not_fit_the_cell_are_refused(kcl, small):
    with pytest.raises(BadInput, match="potential or current"):
        ContinuumConfig.read(network=small, electrolyte=kcl, drive=ChargeStep(sigma=0.1, duration=1e-12))
    with pytest.raises(BadInput, match="charge-ramp"):
        ContinuumConfig.read(network=small, electrolyte=kcl, drive=TriangularCV(), cell="full")
    with pytest.raises(BadInput, match="ramp"):
        ChargeRamp.read(sigma=0.1, duration=1e-12, ramp=2e-12)
