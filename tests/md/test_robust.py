"""What can go wrong goes wrong in one typed error, keeps what was finished, and can be gone on with.

Blow-ups, lost ions, heat, a full disk, a kill; water inside graphene and overlapping insertions, before dynamics.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time

import mdtraj
import numpy as np
import pytest

import md.filling
import md.propagate
import md.starts
from md.forcefield import build_system, topology
from md.propagate import Leg, positions_of, propagate, simulation
from md.replica import run_replica
from md.starts import Starts, set_constrained_positions, ship, shipped_starts
from transslit import BadInput, StageFailed
from transslit.files import read_json, write_json
from transslit.runs import open_run

GOOD = Leg("good", 4, 1e-15, 298.15, 2)


class Harm:
    """A drive that does its harm in the second leg, once."""

    def __init__(self, harm):
        self.harm = harm

    def apply(self, sim, time):
        if self.harm is not None and time > 4.5e-15:
            harm, self.harm = self.harm, None
            harm(sim)

    def solved(self, sim):
        """Solves for no charges."""


def burst(relaxed, folder, harm=None, leg=None):
    """A good leg of two frames, to 4 fs, then one in which `harm` (or an absurd leg) makes it blow up."""
    cell, starts = relaxed
    structure = topology(cell, starts.waters)
    sim = simulation(structure, build_system(cell, structure), cell, 5)

    def start(sim):
        set_constrained_positions(sim, starts.positions[0])
        sim.context.setVelocitiesToTemperature(298.15, 6)

    legs = [GOOD, leg or Leg("bad", 40, 1e-15, 298.15, 2)]
    return propagate(sim, cell, legs, folder, start=start, drive=Harm(harm))


def overheat(sim):
    """Five times the velocities are 25 times the temperature."""
    sim.context.setVelocities(sim.context.getState(getVelocities=True).getVelocities(asNumpy=True) * 5)


def put_ion_into_sheet(relaxed):
    cell, _ = relaxed
    sheet_atoms = len(cell.sheet_atoms["sign"])

    def harm(sim):
        place = positions_of(sim)
        place[sheet_atoms] = place[0] + 0.005
        sim.context.setPositions(place)

    return harm


@pytest.mark.parametrize("what", ["timestep", "overlap", "heat"])
def test_a_blow_up_keeps_the_checkpoint_and_can_be_gone_on_with(relaxed, tmp_path, what):
    """Steps of 50 fs; an ion put into a sheet; 7,000 K. The good frames stay, and a sane leg then goes on from them."""
    harm = {"timestep": None, "overlap": put_ion_into_sheet(relaxed), "heat": overheat}[what]
    absurd = Leg("bad", 200, 50e-15, 298.15, 2) if what == "timestep" else None
    with pytest.raises(StageFailed, match=r"blew up|overheated|entered a sheet") as caught:
        burst(relaxed, tmp_path, harm, absurd)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.glob("segment-*")] == ["segment-0000.xtc"]
    rows = burst(relaxed, tmp_path).rows  # no harm now
    assert len(rows) == 22
    assert np.isfinite(rows).all()
    assert sorted(path.name for path in tmp_path.glob("segment-*")) == ["segment-0000.xtc", "segment-0001.xtc"]


def test_a_lost_ion_is_named(relaxed):
    cell, starts = relaxed
    positions = starts.positions[0].copy()
    md.propagate.check_lost(cell, positions)
    positions[len(cell.sheet_atoms["sign"])] = positions[0] + 0.1
    with pytest.raises(StageFailed, match="entered a sheet"):
        md.propagate.check_lost(cell, positions)


def test_an_overlapping_insertion_is_found_before_dynamics(relaxed, monkeypatch):
    """A water on another, and one in graphene, as a bad insertion would leave them."""
    cell, starts = relaxed

    def never(*_):
        raise AssertionError("dynamics was reached")

    monkeypatch.setattr(md.filling, "simulation", never)
    spoiled = starts.positions[0].copy()
    spoiled[-3:] += spoiled[-6] - spoiled[-3] + 0.05
    with pytest.raises(StageFailed, match="overlap"):
        md.filling._relax(cell, spoiled, starts.waters, 0)
    spoiled[-3:] += spoiled[0] - spoiled[-3] + 0.05
    with pytest.raises(StageFailed, match="sheet atom"):
        md.filling._relax(cell, spoiled, starts.waters, 0)


def test_a_spoiled_shipped_start_is_found(relaxed, tmp_path, monkeypatch):
    cell, starts = relaxed
    spoiled = starts.positions[0].copy()
    spoiled[-3:] += spoiled[0] - spoiled[-3] + 0.05
    keys = {"geometry_key": md.starts.geometry_key(cell), "ions_key": md.starts.ions_key(cell)}
    facts = {"temperature_K": 298.15, "lattice": "graphene", "waters": starts.waters}
    made = Starts(spoiled[None], starts.waters, {**keys, **facts})
    ship(cell, made, tmp_path / "cell")
    monkeypatch.setattr(md.starts, "SHIPPED", tmp_path)
    with pytest.raises(StageFailed, match="sheet atom"):
        shipped_starts(cell)


def no_space(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_at_the_checkpoint_loses_nothing_finished(relaxed, finished, tmp_path, monkeypatch):
    """The disk fills as the second checkpoint is written: one line; the same call later goes on, and ends the same."""
    cell, starts = relaxed
    real, calls = np.savez, []

    def fills(*args, **keywords):
        calls.append(args)
        return no_space() if len(calls) == 2 else real(*args, **keywords)

    monkeypatch.setattr(np, "savez", fills)
    with pytest.raises(BadInput, match="No space left"), open_run(tmp_path) as opened:
        run_replica(cell, starts, 0, opened.path, interval=0.2)
    run_replica(cell, starts, 0, tmp_path, interval=0.2)
    same_frames(cell, starts, tmp_path, finished)


def test_a_full_disk_at_the_trajectory_loses_nothing_finished(relaxed, finished, tmp_path, monkeypatch):
    """A file whose end did not reach the disk is not counted, though closing it said nothing."""
    cell, starts = relaxed
    made = []

    class Torn(md.propagate.XTCReporter):
        """The second file loses its end as it is closed; a reporter closes itself again when it goes."""

        def __init__(self, file, *args):
            super().__init__(file, *args)
            made.append(file)
            self.file = file if len(made) == 2 else None

        def close(self):
            super().close()
            if self.file is not None:
                os.truncate(self.file, os.path.getsize(self.file) - 100)
                self.file = None

    monkeypatch.setattr(md.propagate, "XTCReporter", Torn)
    with pytest.raises(StageFailed, match="could not be written"):
        run_replica(cell, starts, 0, tmp_path, interval=0.2)
    run_replica(cell, starts, 0, tmp_path, interval=0.2)
    same_frames(cell, starts, tmp_path, finished)


def same_frames(cell, starts, folder, other):
    """Same times; positions to 2 pm on average, since checkpoints on the CPU are exact to rounding only."""
    structure = mdtraj.Topology.from_openmm(topology(cell, starts.waters))
    one, two = (mdtraj.load(str(path / "replica-0.xtc"), top=structure) for path in (folder, other))
    np.testing.assert_allclose(one.time, two.time, atol=1e-6)
    move = one.xyz - two.xyz
    move -= np.round(move / (cell.box * 1e9)) * cell.box * 1e9
    assert np.sqrt((move**2).mean()) < 2e-3


COMMAND = """
import sys
from pathlib import Path
import md
from validation.commands.common import run_stage
config = md.MDConfig.model_validate_json(Path(sys.argv[1]).read_text())
run_stage("md", Path(sys.argv[2]), config, md.run, 0)
"""


def test_a_killed_command_resumes(relaxed, finished, tmp_path):
    """SIGKILL once a checkpoint is there; the same command then ends like one that was left alone."""
    cell, starts = relaxed
    (tmp_path / "config.json").write_text(cell.config.model_dump_json())
    folder = tmp_path / "run"
    with open_run(folder) as opened:
        opened.claim(cell.config)
    np.savez_compressed(folder / "starts.npz", positions=starts.positions, waters=starts.waters)
    write_json(folder / "starts.json", starts.provenance)
    command = [sys.executable, "-c", COMMAND, str(tmp_path / "config.json"), str(folder)]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    checkpoint, until = folder / "replica-0" / "checkpoint.npz", time.monotonic() + 120
    while not checkpoint.exists() and first.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    first.send_signal(signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    assert checkpoint.exists()
    assert not (folder / "replica-0.xtc").exists()
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    same_frames(cell, starts, folder, finished)
    assert read_json(folder / "manifest.json")["seed"] == 0
