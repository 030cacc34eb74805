"""Finished work survives checkpoints that cannot be loaded, kills between any two renames, and files that are torn."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import mdtraj
import numpy as np
import openmm
import pandas as pd
import pytest

import md.replica
import md.stage
from md.cell import Cell
from md.checkpoint import Counters, restore
from md.files import load_arrays
from md.fixed_charge import FixedCharge
from md.forcefield import PER_SHEET_ATOM, build_system, topology
from md.legs import replica_legs
from md.packing import pack
from md.propagate import Leg, propagate, simulation
from md.replica import run_replica
from md.sheet_atom_charge import solved_charges
from md.stage import analyse, describe, ensure_starts
from md.starts import find_starts
from transslit import BadInput, StageFailed, TransSlitRecord
from transslit.progress import Progress
from transslit.runs import write_json

LEGS = [Leg("a", 6, 1e-15, 298.15, 2), Leg("b", 6, 1e-15, 298.15, 2)]  # six frames, every 2 fs
NAMES = [(leg.name, leg.steps) for leg in LEGS]
GARBAGE = b"\x93garbage" * 100


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the package may catch it."""


class Ions:
    """A few ions between the sheets, no water: cheap enough for the Reference platform."""

    def __init__(self, make_config, platform="Reference"):
        self.cell = Cell(make_config(platform=platform))
        fixed = len(self.cell.sheet_atoms["sign"]) + sum(self.cell.ion_numbers.values())
        self.positions = pack(self.cell, 0)[0][:fixed] * 1e9
        self.structure = topology(self.cell, 0)
        self.system = build_system(self.cell, self.structure)

    def simulation(self, seed=5):
        return simulation(self.structure, self.system, self.cell, seed)

    def go(self, folder, advance=lambda done: None, drive=None):
        """The whole run, or what is left of it, a segment per frame; the simulation and what `propagate` returns."""
        sim = self.simulation()

        def start(sim):
            sim.context.setPositions(self.positions)
            sim.context.setVelocitiesToTemperature(298.15, 6)
            sim.context.setParameter(PER_SHEET_ATOM, 0.01)

        at = propagate(sim, self.cell, LEGS, folder, start=start, advance=advance, drive=drive, interval=1e-9)
        return sim, at

    def killed(self, folder, stop):
        """A run that is killed after `stop` steps, before the segment that ends there is closed."""

        def kill(done):
            if done >= stop:
                raise Killed

        with pytest.raises(Killed):
            self.go(folder, kill)


@pytest.fixture(scope="module")
def ions(make_config):
    return Ions(make_config)


@pytest.fixture(scope="module")
def whole(ions, tmp_path_factory):
    """Frames of the undisturbed run."""
    folder = tmp_path_factory.mktemp("whole")
    _, at = ions.go(folder)
    assert at.continued == []
    return frames(ions, folder)


def frames(ions, folder):
    paths = sorted(folder.glob("segment-*.xtc"))
    return mdtraj.load([str(path) for path in paths], top=mdtraj.Topology.from_openmm(ions.structure))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def every_frame_once(ions, folder, at):
    times = np.arange(1, 7) * 2e-3  # ps
    np.testing.assert_allclose(frames(ions, folder).time, times, rtol=1e-6)
    np.testing.assert_allclose([time for time, _ in at.rows], times * 1e-12, rtol=1e-6)


def spoil_garbage(ions, path):
    path.write_bytes(GARBAGE)


def spoil_cut(ions, path):
    path.write_bytes(path.read_bytes()[:-1000])


def spoil_flip(ions, path):
    """One byte in the middle, which OpenMM itself does not notice."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 64
    path.write_bytes(bytes(data))


def spoil_other_system(ions, path):
    """A checkpoint of one particle less."""
    system = openmm.System()
    for _ in range(ions.system.getNumParticles() - 1):
        system.addParticle(1.0)
    reference = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), reference)
    with np.load(path) as saved:
        arrays = {**saved, "state": np.frombuffer(context.createCheckpoint(), np.uint8)}
    np.savez(path, **arrays)


def spoil_shape(ions, path):
    with np.load(path) as saved:
        arrays = {**saved, "at": np.array(["a", "b"])}
    np.savez(path, **arrays)


def spoil_gone(ions, path):
    path.unlink()


SPOILT = {
    spoil_garbage: "File is not a zip file",
    spoil_cut: "File is not a zip file",
    spoil_flip: "Bad CRC-32",
    spoil_other_system: "wrong number of particles",
    spoil_shape: "at is not numeric",
    spoil_gone: "is missing",
}


@pytest.mark.parametrize("spoil", SPOILT)
def test_what_cannot_be_continued_exactly_is_continued_from_the_state(ions, tmp_path, spoil):
    """Killed after two saves: both segments stay as they are, every frame is there once, and the place is noted."""
    ions.killed(tmp_path, 6)
    before = contents(tmp_path)
    assert {"segment-0000.xtc", "segment-0001.xtc", "state.npz", "checkpoint.npz"} <= set(before)
    spoil(ions, tmp_path / "checkpoint.npz")
    _, at = ions.go(tmp_path)
    after = contents(tmp_path)
    for name in ("segment-0000.xtc", "segment-0001.xtc"):
        assert after[name] == before[name]
    every_frame_once(ions, tmp_path, at)
    (place,) = at.continued
    assert (place["leg"], place["step"]) == ("a", 4)
    assert place["time_s"] == pytest.approx(4e-15)
    assert place["reason"].startswith("checkpoint.npz: ")
    assert SPOILT[spoil] in place["reason"]


@pytest.mark.parametrize("here", ["platform", "threads"])
def test_another_platform_or_number_of_threads(ions, make_config, tmp_path, monkeypatch, here):
    """OpenMM refuses the one and loads the other, with noise that is not that of an undisturbed run."""
    monkeypatch.setenv("OPENMM_CPU_THREADS", "1")
    there = Ions(make_config, "CPU")
    there.killed(tmp_path, 6)
    monkeypatch.setenv("OPENMM_CPU_THREADS", "2")
    _, at = (ions if here == "platform" else there).go(tmp_path)
    every_frame_once(ions, tmp_path, at)
    assert here in at.continued[0]["reason"].lower()


def test_the_note_is_carried_by_later_checkpoints(ions, tmp_path):
    ions.killed(tmp_path, 4)
    spoil_garbage(ions, tmp_path / "checkpoint.npz")
    ions.killed(tmp_path, 8)  # continued from the State after 2 steps, killed again
    ions.killed(tmp_path, 10)  # continued exactly
    spoil_cut(ions, tmp_path / "checkpoint.npz")
    _, at = ions.go(tmp_path)
    assert [(place["leg"], place["step"]) for place in at.continued] == [("a", 2), ("b", 2)]
    every_frame_once(ions, tmp_path, at)


def test_a_checkpoint_without_state_notes_and_threads_is_continued_exactly(ions, whole, tmp_path):
    """As runs left it that were begun before there were any."""
    ions.killed(tmp_path, 6)
    (tmp_path / "state.npz").unlink()
    with np.load(tmp_path / "checkpoint.npz") as saved:
        arrays = {name: saved[name] for name in ("state", "at", "rows")}
    np.savez(tmp_path / "checkpoint.npz", **arrays)
    _, at = ions.go(tmp_path)
    assert at.continued == []
    np.testing.assert_array_equal(frames(ions, tmp_path).xyz, whole.xyz)


def moving(sim):
    """Positions, velocities, energies, time and parameter."""
    state = sim.context.getState(positions=True, velocities=True, energy=True, parameters=True)
    return (
        state.getPositions(asNumpy=True)._value,
        state.getVelocities(asNumpy=True)._value,
        [state.getPotentialEnergy()._value, state.getKineticEnergy()._value],
        state.getTime()._value,
        state.getParameters()[PER_SHEET_ATOM],
    )


def test_the_state_holds_positions_velocities_energies_and_parameters(ions, tmp_path):
    """As they were at the last save, 4 fs from the start, which a drive notes before every segment."""
    seen = []

    class Watch:
        def apply(self, sim, time):
            seen.append(moving(sim))

        def solved(self, sim):
            """Solves for no charges."""

    def kill(done):
        if done > 4:
            raise Killed

    with pytest.raises(Killed):
        ions.go(tmp_path, kill, Watch())
    (saved, *_) = [each for each in seen if each[3] == pytest.approx(4e-3)]
    seen.clear()
    spoil_garbage(ions, tmp_path / "checkpoint.npz")
    with pytest.raises(Killed):
        ions.go(tmp_path, kill, Watch())
    restored = seen[0]
    assert restored[4] == 0.01
    for one, other in zip(saved, restored, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-6, atol=1e-6)


def test_the_noise_is_not_that_of_the_beginning(ions, tmp_path):
    """One step from the same State with the seed of the beginning, and twice as it is continued."""
    ions.killed(tmp_path, 6)
    spoil_garbage(ions, tmp_path / "checkpoint.npz")
    state = openmm.XmlSerializer.deserialize(load_arrays(tmp_path / "state.npz", "")["state"].tobytes().decode())
    velocities, seeds = [], []
    for continued in (False, True, True):
        sim = ions.simulation()
        if continued:
            assert restore(sim, tmp_path, NAMES).segments == 2
        else:
            sim.context.setState(state)
        sim.step(1)
        velocities.append(moving(sim)[1])
        seeds.append(sim.integrator.getRandomNumberSeed())
    beginning, once, again = velocities
    np.testing.assert_array_equal(again, once)
    mobile = np.abs(beginning).max(axis=1) > 0
    kick = np.sqrt(2 * 5.0 * 0.001) * 0.25  # nm/ps: noise of a step of 1 fs at 5/ps; 0.25 is sqrt(kT / m) of ions
    assert np.abs(once - beginning)[mobile].std() > 0.3 * kick
    ions.killed(tmp_path, 10)
    spoil_garbage(ions, tmp_path / "checkpoint.npz")
    sim = ions.simulation()
    restore(sim, tmp_path, NAMES)
    assert len({*seeds, sim.integrator.getRandomNumberSeed()}) == 3


RENAMED = ["segment-0000.xtc", "state.npz", "checkpoint.npz", "segment-0001.xtc", "state.npz", "checkpoint.npz"]


def killed_at_rename(ions, folder, monkeypatch, number):
    """A run that is killed right after its `number`-th rename; the names that files were given."""
    real, calls = Path.replace, []

    def rename(path, target):
        real(path, target)
        calls.append(target.name)
        if len(calls) == number:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", rename)
        with pytest.raises(Killed):
            ions.go(folder)
    return calls


@pytest.mark.parametrize(
    ("renames", "spoilt"),
    [(n, name) for n in range(1, 7) for name in (None, "state.npz", "checkpoint.npz") if name in (None, *RENAMED[:n])],
)
def test_a_kill_after_any_rename_loses_and_doubles_nothing(ions, whole, tmp_path, monkeypatch, renames, spoilt):
    """Killed after so many renames (segment, State, checkpoint, in turn), one of the files then spoilt.

    Continued exactly wherever a checkpoint was left; before the first State a run starts afresh, as it was.
    """
    calls = killed_at_rename(ions, tmp_path, monkeypatch, renames)
    assert calls == RENAMED[:renames]
    if spoilt:
        spoil_cut(ions, tmp_path / spoilt)
    exact, portable = (name in calls and name != spoilt for name in ("checkpoint.npz", "state.npz"))
    before = contents(tmp_path)
    if not exact and not portable and spoilt:
        with pytest.raises(StageFailed, match="move the folder away"):
            ions.go(tmp_path)
        assert contents(tmp_path) == before
        return
    _, at = ions.go(tmp_path)
    every_frame_once(ions, tmp_path, at)
    if exact or renames == 1:
        assert at.continued == []
        np.testing.assert_array_equal(frames(ions, tmp_path).xyz, whole.xyz)
    else:
        counted = calls.count("state.npz")
        assert at.continued[0]["step"] == 2 * counted
        for name in RENAMED[: 3 * counted : 3]:
            assert (tmp_path / name).read_bytes() == before[name]


def test_a_state_ahead_of_the_checkpoint_is_brought_back_before_its_segment_goes(ions, tmp_path, monkeypatch):
    """Killed between State and checkpoint, continued exactly one segment earlier, killed again, the checkpoint torn."""
    killed_at_rename(ions, tmp_path, monkeypatch, 5)
    ions.killed(tmp_path, 4)
    assert not (tmp_path / "segment-0001.xtc").exists()
    spoil_cut(ions, tmp_path / "checkpoint.npz")
    _, at = ions.go(tmp_path)
    assert at.continued[0]["step"] == 2
    every_frame_once(ions, tmp_path, at)


@pytest.mark.parametrize("lost", ["both torn", "both gone", "a counted segment"])
def test_nothing_is_touched_where_nothing_can_be_continued(ions, tmp_path, lost):
    ions.killed(tmp_path, 6)
    for name in ("checkpoint.npz", "state.npz"):
        if lost == "both torn":
            spoil_cut(ions, tmp_path / name)
        elif lost == "both gone":
            (tmp_path / name).unlink()
    if lost == "a counted segment":
        (tmp_path / "segment-0000.xtc").unlink()
    before = contents(tmp_path)
    with pytest.raises(StageFailed, match="move the folder away") as caught:
        ions.go(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert contents(tmp_path) == before


def test_the_record_says_where_a_replica_was_not_continued_exactly(relaxed, tmp_path):
    """From the killed replica to `record.json`; frames on one grid, as those of a run that was left alone."""
    cell, starts = relaxed
    earlier = {"leg": "equilibrate", "step": 0, "time_s": 0.0, "reason": "planted"}
    starts = replace(starts, provenance={"starts": [{"continued_from_state": [earlier]}]})

    def kill(done):
        if done >= 60:
            raise Killed

    with pytest.raises(Killed):
        run_replica(cell, starts, 0, tmp_path, kill, interval=1e-3)
    spoil_garbage(None, tmp_path / "replica-0" / "checkpoint.npz")
    run_replica(cell, starts, 0, tmp_path)
    describe(cell, starts, tmp_path)
    record = analyse(cell, starts, tmp_path, Progress(quiet=True))
    (place,) = record.metadata["continued_from_state"]
    assert place["box"] == 0
    assert place["leg"] == "decorrelate"
    assert place["time_s"] == pytest.approx(-0.05e-12, rel=1e-4)
    assert TransSlitRecord.read(tmp_path).metadata["continued_from_state"] == [place]
    assert record.metadata["starts_continued_from_state"] == [earlier]
    times = np.sort(record.slits["time_s"].unique())
    np.testing.assert_allclose(times, np.arange(-1, 7) * 0.05e-12, atol=1e-18)


def test_a_start_says_so_too(make_config, relaxed, tmp_path, monkeypatch):
    """Its note is that of its run, here planted; an undisturbed one has none (`tests/md/test_starts.py`)."""
    import md.starts as module

    cell, starts = relaxed
    place = {"leg": "equilibrate", "step": 0, "time_s": 0.0, "reason": "planted"}
    structure = topology(cell, starts.waters)

    def planted(sim, cell, legs, folder, **options):
        folder.mkdir()
        frames = legs[-1].steps // legs[-1].frame_every
        many = mdtraj.Trajectory(np.repeat(starts.positions, frames, axis=0), mdtraj.Topology.from_openmm(structure))
        many.save_xtc(str(folder / "segment-0000.xtc"))
        sim.context.setPositions(starts.positions[0])
        return Counters(len(legs), 0, 1, [(0.0, cell.config.temperature)] * frames, [place])

    monkeypatch.setattr(module, "propagate", planted)
    monkeypatch.setattr(module, "DENSE", 1.0)
    attempt = tmp_path / "start-0" / "attempt-0"
    attempt.mkdir(parents=True)
    np.savez(attempt / "filled.npz", positions=starts.positions[0], waters=starts.waters)
    found = ensure_starts(cell, tmp_path, Progress(quiet=True))
    assert found.provenance["starts"][0]["continued_from_state"] == [place]


def test_arrays_are_read_whole_or_refused(tmp_path):
    """Every byte flipped and every length cut: the same numbers, or one line that names the file."""
    path, values = tmp_path / "values.npz", np.arange(6.0).reshape(2, 3)
    np.savez_compressed(path, values=values, zeros=np.zeros(50))
    data = path.read_bytes()
    faults = []
    flipped = [data[:i] + bytes([data[i] ^ 1 << i % 8]) + data[i + 1 :] for i in range(len(data))]
    for damaged in [*flipped, *(data[:i] for i in range(len(data)))]:
        path.write_bytes(damaged)
        try:
            found = load_arrays(path, "remedy", values=(None, 3), zeros=(50,))
        except StageFailed as error:
            faults.append(str(error))
        else:
            np.testing.assert_array_equal(found["values"], values)
            np.testing.assert_array_equal(found["zeros"], 0)
    assert len(faults) > 1.5 * len(data)  # what is read all the same has its damage in dates and the like
    for fault in faults:
        assert fault.startswith(f"md: {path}: ")
        assert fault.endswith("; remedy")
        assert "\n" not in fault


@pytest.mark.parametrize(
    "arrays",
    [{"values": np.array(["a"])}, {"values": np.zeros(3)}, {"values": np.zeros((2, 2))}, {"values": np.zeros((0, 3))},
     {"values": np.full((1, 3), np.nan)}, {"other": np.zeros((1, 3))}, {"values": np.array([{}], dtype=object)}],
    ids=["text", "one axis", "two columns", "empty", "nan", "name", "object"],
)  # fmt: skip
def test_arrays_of_another_kind_are_refused(tmp_path, arrays):
    np.savez(tmp_path / "values.npz", **arrays)
    with pytest.raises(StageFailed, match=r"values\.npz"):
        load_arrays(tmp_path / "values.npz", "remedy", values=(None, 3))


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of the finished replica."""
    for path in finished.glob("replica-0*"):
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.mark.parametrize("cut", [0, 1000, -100, None])
def test_a_torn_or_short_trajectory_is_not_taken_for_finished(relaxed, copied, cut):
    """Emptied, cut in its first frame and in its last, and one frame short."""
    cell, starts = relaxed
    path = copied / "replica-0.xtc"
    run_replica(cell, starts, 0, copied)  # whole, it is
    if cut is None:
        mdtraj.load(str(path), top=mdtraj.Topology.from_openmm(topology(cell, starts.waters)))[:-1].save(str(path))
    else:
        path.write_bytes(path.read_bytes()[:cut])
    before = contents(copied)
    with pytest.raises(StageFailed, match=r"replica-0\.xtc: .*not 8; move it away"):
        run_replica(cell, starts, 0, copied)
    assert contents(copied) == before


@pytest.mark.parametrize("damage", ["cut", "text", "column"])
def test_a_torn_table_of_temperatures_is_named(relaxed, copied, damage):
    cell, starts = relaxed
    describe(cell, starts, copied)
    path = copied / "replica-0.temperature.parquet"
    table = pd.read_parquet(path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-50])
    elif damage == "text":
        table.assign(T_K="warm").to_parquet(path)
    else:
        table.drop(columns="T_K").to_parquet(path)
    with pytest.raises(BadInput, match=r"replica-0\.temperature\.parquet"):
        analyse(cell, starts, copied, Progress(quiet=True))


@pytest.mark.parametrize("damage", ["cut", "frames", "gone"])
def test_torn_charges_are_named(make_config, tmp_path, damage):
    """Also if they are gone: at constant potential nothing else says what the sheet atoms carry."""
    cell = Cell(make_config(drive="potential-step"))
    path, sheet_atoms = tmp_path / "charges-3.npz", len(cell.sheet_atoms["sign"])
    np.savez_compressed(path, charge_e=np.full((4, sheet_atoms), 0.1, np.float32))
    assert solved_charges(tmp_path, 3, cell, 4).shape == (4, sheet_atoms)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-50])
    elif damage == "gone":
        path.unlink()
    with pytest.raises(StageFailed, match=r"charges-3\.npz.*replica-3\.xtc"):
        solved_charges(tmp_path, 3, cell, 5 if damage == "frames" else 4)


@pytest.mark.parametrize("torn", ["segment-0000.xtc", "segment-0000.npy"])
@pytest.mark.parametrize("damage", ["cut", "garbage", "short"])
def test_torn_segments_do_not_become_a_replica(make_config, relaxed, finished, tmp_path, monkeypatch, torn, damage):
    """At constant potential each has its frames and its charges; here they are planted."""
    starts = relaxed[1]
    cell = Cell(make_config(platform="CPU", drive="potential-step", electrode_uptake_fraction=0.275))
    work, sheet_atoms = tmp_path / "replica-0", len(cell.sheet_atoms["sign"])
    work.mkdir()
    shutil.copy(finished / "replica-0.xtc", work / "segment-0000.xtc")
    np.save(work / "segment-0000.npy", np.zeros((8, sheet_atoms), np.float32))
    path = work / torn
    if damage == "short" and torn.endswith("xtc"):
        structure = mdtraj.Topology.from_openmm(topology(cell, starts.waters))
        mdtraj.load(str(path), top=structure)[:-1].save(str(path))
    elif damage == "short":
        np.save(path, np.zeros((7, sheet_atoms), np.float32))
    else:
        path.write_bytes(GARBAGE if damage == "garbage" else path.read_bytes()[:-100])
    rows = [(time, 298.15) for time in np.arange(-1, 7) * 0.05e-12]
    monkeypatch.setattr(md.replica, "propagate", lambda *_, **__: Counters(len(replica_legs(cell.config)), 0, 1, rows))
    monkeypatch.setattr(md.replica, "drive_of", FixedCharge)
    before = contents(work)
    with pytest.raises(StageFailed, match="away") as caught:
        run_replica(cell, starts, 0, tmp_path)
    assert str(work) in str(caught.value)
    told = {"segment-0000.xtc": "7 frames, not 8", "segment-0000.npy": torn}[torn] if damage == "short" else torn
    assert told in str(caught.value)
    assert contents(work) == before
    assert not (tmp_path / "replica-0.xtc").exists()


@pytest.mark.parametrize("damage", ["cut", "shape", "atoms", "provenance"])
def test_torn_starts_are_named_and_made_again_once_they_are_moved_away(relaxed, tmp_path, monkeypatch, damage):
    cell, starts = relaxed
    path, provenance = tmp_path / "starts.npz", tmp_path / "starts.json"
    snapshots = starts.positions
    np.savez_compressed(path, positions=snapshots, waters=starts.waters + (damage == "atoms"))
    write_json(provenance, starts.provenance)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-50])
    elif damage == "shape":
        np.savez_compressed(path, positions=snapshots[0], waters=starts.waters)
    elif damage == "provenance":
        provenance.write_text('{"source": "te')
    torn = provenance if damage == "provenance" else path
    with pytest.raises((StageFailed, BadInput)) as caught:
        ensure_starts(cell, tmp_path, Progress(quiet=True))
    assert str(torn) in str(caught.value)
    assert "\n" not in str(caught.value)
    torn.unlink()
    monkeypatch.setattr(md.stage, "find_starts", lambda *_: starts)
    found = ensure_starts(cell, tmp_path, Progress(quiet=True))
    assert found.waters == starts.waters
    np.testing.assert_allclose(found.positions, snapshots, atol=1e-6)


@pytest.mark.parametrize("damage", ["cut", "atoms"])
def test_a_torn_filling_is_named(relaxed, tmp_path, damage):
    cell, starts = relaxed
    path = tmp_path / "start-0" / "attempt-0" / "filled.npz"
    path.parent.mkdir(parents=True)
    np.savez(path, positions=starts.positions[0], waters=starts.waters - (damage == "atoms"))
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(StageFailed, match=r"filled\.npz"):
        find_starts(cell, tmp_path, Progress(quiet=True))
