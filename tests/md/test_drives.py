"""Fixed-charge drives: the sheets carry what was asked at each frame, neutral at every instant, and resume alike."""

from __future__ import annotations

import mdtraj
import numpy as np
import openmm
import pandas as pd
import pytest
from openmm import unit
from scipy import constants

from md import quick
from md.cell import Cell
from md.forcefield import PER_SHEET_ATOM, build_system, charges, nonbonded, topology
from md.legs import replica_legs
from md.replica import run_replica
from md.sheet_lattice import GRAPHENE
from md.stage import analyse, describe
from transslit import BadInput, load_electrolyte
from transslit.progress import Progress

DRIVES = {
    "charge-ramp": {"ramp": 0.2e-12, "duration": 0.1e-12},
    "charge-pulse": {"duration": 0.15e-12, "rest": 0.15e-12},
}


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the package may catch it."""


def expected_charge(drive, time):
    """e per sheet atom, written apart from the code under test; t = 0.15 ps ends the pulse."""
    if drive == "charge-ramp":
        return 0.02 * np.clip(time / 0.2e-12, 0, 1)
    return np.where((time > -1e-18) & (time < 0.15e-12 - 1e-18), 0.02, 0.0)


@pytest.fixture(scope="module", params=DRIVES)
def driven(request, make_config, relaxed_start, tmp_path_factory):
    """Drive, cell, folder of a whole run, and (time in s, charge in e, span in ps) of each stretch of its steps."""
    drive, seen = request.param, []
    cell = Cell(make_config(platform="CPU", drive=drive, friction=20.0, **DRIVES[drive]))
    folder, original = tmp_path_factory.mktemp(drive), openmm.app.Simulation.step

    def step(sim, steps):
        now = sim.context.getTime().value_in_unit(unit.picosecond) * 1e-12
        seen.append((now, sim.context.getParameter(PER_SHEET_ATOM), steps * sim.integrator.getStepSize()._value))
        original(sim, steps)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openmm.app.Simulation, "step", step)
        run_replica(cell, relaxed_start, 0, folder)
    return drive, cell, folder, np.array(seen).T


def test_the_box_is_neutral_at_any_charge(make_config, relaxed_start):
    """A sheet atom's charge hangs on the parameter by the sign of its electrode, and those signs add up to nothing."""
    cell = Cell(make_config())
    system = build_system(cell, topology(cell, relaxed_start.waters))
    force = nonbonded(system)
    offsets = [force.getParticleParameterOffset(i)[1:3] for i in range(force.getNumParticleParameterOffsets())]
    np.testing.assert_array_equal(offsets, list(enumerate(cell.sheet_atoms["sign"])))
    assert cell.sheet_atoms["sign"].sum() == 0
    assert abs(charges(system).sum()) < 1e-9


def test_the_sheet_atoms_have_what_was_asked(driven):
    """Read back from the context before every stretch of steps: the charge asked for, no older than an update."""
    drive, _, _, (time, charge, span) = driven
    np.testing.assert_allclose(charge, expected_charge(drive, time), atol=1e-9)
    assert charge.max() == pytest.approx(0.02)
    if drive == "charge-ramp":
        assert span[(time > -1e-18) & (time < 0.199e-12)].max() <= 0.0101
    else:
        assert charge[-1] == 0


def test_the_record_has_the_charge_of_each_frame(driven, relaxed_start):
    drive, cell, folder, _ = driven
    describe(cell, relaxed_start, folder)
    record = analyse(cell, relaxed_start, folder, Progress(quiet=True))
    terminal = record.terminal
    sign = np.where(terminal["replica"] < 2, 1, -1)
    sigma = sign * expected_charge(drive, terminal["time_s"].to_numpy()) * GRAPHENE.atoms_per_area * constants.e
    np.testing.assert_allclose(terminal["sigma_C_per_m2"], sigma, atol=1e-9)
    assert record.metadata["drive"]["kind"] == drive
    assert terminal["time_s"].max() == pytest.approx(0.3e-12)


def test_a_killed_drive_goes_on_where_it_was(driven, relaxed_start, tmp_path):
    """Killed in mid-ramp, and after the pulse: frames and temperatures are those of the whole run.

    The CPU platform adds forces in an order that is not fixed, so paths part by picometres.
    """
    _, cell, folder, _ = driven
    total = sum(leg.steps for leg in replica_legs(cell.config))

    def kill(done):
        if done >= 0.75 * total:
            raise Killed

    with pytest.raises(Killed):
        run_replica(cell, relaxed_start, 0, tmp_path, kill, interval=1e-3)
    run_replica(cell, relaxed_start, 0, tmp_path)
    structure = mdtraj.Topology.from_openmm(topology(cell, relaxed_start.waters))
    whole, cut = (mdtraj.load(str(where / "replica-0.xtc"), top=structure) for where in (folder, tmp_path))
    np.testing.assert_allclose(cut.time, whole.time, atol=1e-6)
    move = cut.xyz - whole.xyz
    move -= np.round(move / (cell.box * 1e9)) * cell.box * 1e9
    assert np.sqrt((move**2).mean()) < 2e-3
    heat = [pd.read_parquet(where / "replica-0.temperature.parquet") for where in (folder, tmp_path)]
    np.testing.assert_allclose(heat[1]["T_K"], heat[0]["T_K"], rtol=0.02)


def test_legs_last_as_long_as_the_drive(make_config):
    for drive, changes in {"charge-step": {}, "potential-step": {}, "cv": {}, **DRIVES}.items():
        config = make_config(drive=drive, **changes)
        legs = replica_legs(config)
        assert sum(leg.steps * leg.timestep for leg in legs) == pytest.approx(config.decorrelation + config.driven)
        assert all(leg.frame_every % (leg.update_every or 1) == 0 for leg in legs)


def test_gentle_drives_have_a_weak_thermostat():
    salt = load_electrolyte("KCl")
    assert quick(0.59e-9, salt, 1000.0).friction == 5.0
    assert quick(0.59e-9, salt, 1000.0, drive="charge-ramp").friction == 1.0
    assert quick(0.59e-9, salt, 1000.0, drive="charge-ramp", friction=0.5).friction == 0.5


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("drive", {"drive": "galvanostatic"}),
        ("rest", {"drive": "charge-pulse", "rest": 0.0}),
        ("ramp", {"drive": "charge-ramp", "ramp": 0.07e-12}),
        ("voltage", {"drive": "potential-step", "voltage": -1.0}),
    ],
)
def test_what_cannot_be_driven_is_refused(field, changes):
    with pytest.raises(BadInput) as caught:
        quick(0.59e-9, load_electrolyte("KCl"), 1000.0, **changes)
    assert caught.value.field == field
