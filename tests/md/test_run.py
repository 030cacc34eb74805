"""A real run of a small cell: neutral, frozen where it should be, at its temperature, and resumed after a kill."""

from __future__ import annotations

import mdtraj
import numpy as np
import openmm
import pytest
from openmm import unit

from md.cell import Cell
from md.filling import _add, _remove, heavy_hydrogens, reservoir_count
from md.forcefield import build_system, charges, forcefield_xml, nonbonded, topology
from md.legs import replica_legs
from md.packing import check_overlaps, pack
from md.propagate import Leg, propagate, simulation
from md.replica import run_replica, seed_of
from md.stage import analyse, describe
from md.starts import Starts, ship, shipped_starts, slit_contents
from transslit import TransSlitRecord, load_electrolyte
from transslit.progress import Progress


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the package may catch it."""


def load(folder, cell, starts):
    structure = mdtraj.Topology.from_openmm(topology(cell, starts.waters))
    return mdtraj.load(str(folder / "replica-0.xtc"), top=structure)


def test_system_is_neutral_before_and_after_the_step(relaxed):
    cell, starts = relaxed
    system = build_system(cell, topology(cell, starts.waters))
    assert abs(charges(system).sum()) < 1e-9
    nonbonded(system).setGlobalParameterDefaultValue(0, 0.041)
    after = charges(system)
    assert abs(after.sum()) < 1e-9
    positive = after[: len(cell.sheet_atoms["sign"])][cell.sheet_atoms["sign"] > 0]
    np.testing.assert_allclose(positive, 0.041)
    heavy_hydrogens(system, starts.waters)
    masses = [system.getParticleMass(i).value_in_unit(unit.dalton) for i in range(system.getNumParticles())]
    assert sum(masses[-3:]) == pytest.approx(15.9994 + 2 * 1.00794)


def test_forcefield_is_the_electrolytes_file(relaxed):
    """Sigma, epsilon and charge in the OpenMM system are those of the file, in OpenMM's units; mixing is its own."""
    cell, starts = relaxed
    system = build_system(cell, topology(cell, starts.waters))
    first = len(cell.sheet_atoms["sign"])
    for index, ion in ((first, cell.electrolyte.ions[0]), (first + cell.ion_numbers["K"], cell.electrolyte.ions[1])):
        q, sigma, epsilon = nonbonded(system).getParticleParameters(index)
        assert q.value_in_unit(unit.elementary_charge) == ion.md.charge.value
        assert sigma.value_in_unit(unit.angstrom) == pytest.approx(ion.md.sigma.value * 1e10)
        assert epsilon.value_in_unit(unit.kilocalorie_per_mole) == pytest.approx(ion.md.epsilon.value / 4.184)
        assert system.getParticleMass(index).value_in_unit(unit.dalton) == pytest.approx(ion.md.mass.value)
    assert "ion-Na" in forcefield_xml(load_electrolyte("NaCl"))


def test_sheets_stay_and_waters_are_rigid(relaxed, finished):
    cell, starts = relaxed
    frames = load(finished, cell, starts)
    sheet_atoms = len(cell.sheet_atoms["sign"])
    assert np.abs(frames.xyz[:, :sheet_atoms] - frames.xyz[0, :sheet_atoms]).max() < 1e-6
    water = frames.xyz[:, -3 * starts.waters :].reshape(len(frames), -1, 3, 3)
    arms = np.linalg.norm(water[:, :, 1:] - water[:, :, :1], axis=-1)
    np.testing.assert_allclose(arms, 0.1, atol=2.5e-3)  # two XTC roundings of 0.5 pm a coordinate
    assert np.abs(np.diff(frames.xyz[:, sheet_atoms:], axis=0)).max() > 0.01


def test_times_are_on_one_grid_through_the_step(relaxed, finished):
    cell, starts = relaxed
    times = load(finished, cell, starts).time
    np.testing.assert_allclose(times, np.arange(-1, 7) * 0.05, atol=1e-5)


def test_temperature_before_the_step(relaxed, finished):
    """Two standard deviations of the kinetic temperature of N degrees of freedom are 2 T sqrt(2 / N); four allowed."""
    import pandas as pd

    _, starts = relaxed
    table = pd.read_parquet(finished / "replica-0.temperature.parquet")
    before = table[table["time_s"] < 1e-15]["T_K"]
    freedom = 6 * starts.waters
    assert abs(before.mean() - 298.15) < 4 * 298.15 * np.sqrt(2 / freedom) + 15  # 15 K: relaxed for 0.4 ps only
    assert len(table) == 8


@pytest.mark.parametrize("when", [30, 130])
def test_a_killed_replica_continues_where_it_was(relaxed, finished, tmp_path, when):
    """Killed before and after the step: same frames, none lost or doubled.

    The CPU platform adds forces in an order that is not fixed, so paths part slowly: picometres over 0.4 ps, where a
    wrong velocity or a lost step would show as tens of them.
    """
    cell, starts = relaxed

    def kill(done):
        if done >= when:
            raise Killed

    with pytest.raises(Killed):
        run_replica(cell, starts, 0, tmp_path, kill, interval=1e-3)
    assert not (tmp_path / "replica-0.xtc").exists()
    (tmp_path / "replica-0" / "segment-0099.xtc").write_bytes(b"torn")  # a segment that no checkpoint counts
    run_replica(cell, starts, 0, tmp_path, interval=0.2)
    whole, resumed = load(finished, cell, starts), load(tmp_path, cell, starts)
    np.testing.assert_allclose(resumed.time, whole.time, atol=1e-6)
    move = resumed.xyz - whole.xyz
    move -= np.round(move / (cell.box * 1e9)) * cell.box * 1e9
    assert np.sqrt((move**2).mean()) < 2e-3
    assert np.abs(move).max() < 3e-2
    assert not (tmp_path / "replica-0").exists()


def test_the_resumed_path_is_bitwise_on_the_reference_platform(make_config, tmp_path):
    """A few ions between the sheets, no water: cheap enough for Reference."""
    cell = Cell(make_config(platform="Reference"))
    positions = pack(cell, 0)[0][: len(cell.sheet_atoms["sign"]) + sum(cell.ion_numbers.values())] * 1e9
    runs = [Leg("a", 6, 1e-15, 298.15, 2), Leg("b", 6, 1e-15, 298.15, 2)]

    def go(folder, stop=None):
        structure = topology(cell, 0)
        sim = simulation(structure, build_system(cell, structure), cell, 5)

        def start(sim):
            sim.context.setPositions(positions)
            sim.context.setVelocitiesToTemperature(298.15, 6)

        def advance(done):
            if stop is not None and done >= stop:
                raise Killed

        propagate(sim, cell, runs, folder, start=start, advance=advance, interval=1e-9)
        return sim.context.getState(getPositions=True).getPositions(asNumpy=True)._value

    whole = go(tmp_path / "whole")
    with pytest.raises(Killed):
        go(tmp_path / "cut", stop=8)
    np.testing.assert_array_equal(go(tmp_path / "cut"), whole)


def test_analysis_leaves_the_record_and_its_tables(relaxed, finished):
    import pandas as pd

    cell, starts = relaxed
    describe(cell, starts, finished)
    record = analyse(cell, starts, finished, Progress(quiet=True))
    again = TransSlitRecord.read(finished)
    pd.testing.assert_frame_equal(again.crossings, record.crossings)
    ions = record.slits.groupby(["replica", "time_s"])["Q_C_per_m"].sum()
    assert np.isfinite(ions).all()
    assert {"time_s", "c_mol_per_m3", "c_K_mol_per_m3", "water_kg_per_m3", "box"} <= set(
        pd.read_parquet(finished / "reservoir.parquet").columns
    )
    assert list(pd.read_parquet(finished / "temperature.parquet").columns) == ["box", "time_s", "T_K"]
    with np.load(finished / "cell_after.npz") as after:
        assert after["positions_nm"].shape == (len(after["residue"]), 3)
    step = record.slits[record.slits["time_s"].abs() < 1e-15].groupby("replica")["phi_V"].mean()
    end = record.slits[record.slits["time_s"] > 1e-13].groupby("replica")["phi_V"].mean()
    assert (step[[0, 1]].mean() - step[[2, 3]].mean()) > (end[[0, 1]].mean() - end[[2, 3]].mean()) > 0


def test_waters_are_removed_and_added_whole(relaxed):
    cell, starts = relaxed
    random = np.random.default_rng(0)
    positions, waters = starts.positions[0], starts.waters
    fewer = _remove(positions, waters, 20, random)
    assert len(fewer) == len(positions) - 60
    more = _add(cell, fewer, 3, random)
    assert len(more) == len(fewer) + 9
    check_overlaps(cell, more * 1e-9, least=0.15e-9)
    x = np.array([0.0, 0.29e-9, 0.31e-9, -0.29e-9, cell.box[0] / 2 + 0.1e-9, cell.walls[0]])
    assert reservoir_count(cell, x) == 4  # the middle is 0.3 nm either side of both mid-planes


def test_shipping_keeps_positions_to_the_picometre(relaxed, tmp_path, monkeypatch):
    import md.starts as module

    cell, starts = relaxed
    provenance = {
        "geometry_key": module.geometry_key(cell),
        "ions_key": module.ions_key(cell),
        "temperature_K": 298.15,
        "lattice": "graphene",
        "waters": starts.waters,
    }
    ship(cell, Starts(starts.positions, starts.waters, provenance), tmp_path / "cell")
    monkeypatch.setattr(module, "SHIPPED", tmp_path)
    found = shipped_starts(cell)
    move = found.positions - starts.positions
    box = cell.box * 1e9
    assert np.abs(move - box * np.round(move / box)).max() < 2e-4
    structure = topology(cell, found.waters)
    sim = simulation(structure, build_system(cell, structure), cell, 1)
    module.set_constrained_positions(sim, found.positions[0])
    sim.step(5)  # a water cut by the box's end would not survive its constraints
    assert np.isfinite(sim.context.getState(getPositions=True).getPositions(asNumpy=True)._value).all()


def test_contents_are_those_of_each_half_cell(cell):
    """Ions one by one from the wall on outwards, and one in each reservoir's half."""
    for number, half_cell in enumerate(cell.half_cells):
        places = [*cell.network.slit_centres, cell.network.depth + 0.5e-9]
        x = np.array([float(cell.to_box(half_cell, x)) for x in np.repeat(places, [2, 3, 1])])
        expected = np.zeros((4, 3), dtype=int)
        expected[number] = [2, 3, 1]
        np.testing.assert_array_equal(slit_contents(cell, x), expected)
        np.testing.assert_array_equal(slit_contents(cell, x % cell.box[0]), expected)


def test_seeds_and_legs_differ_by_replica(config):
    assert len({seed_of(config, box) for box in range(50)}) == 50
    total = sum(leg.steps * leg.timestep for leg in replica_legs(config))
    assert total == pytest.approx(config.decorrelation + config.duration)
    assert openmm.Platform.getNumPlatforms() >= 2
