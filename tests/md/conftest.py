"""Cells that are small enough for tests, and universes whose ions move as planted."""

from __future__ import annotations

import MDAnalysis
import numpy as np
import pytest
from MDAnalysis.coordinates.memory import MemoryReader

from md.cell import Cell
from md.config import MDConfig
from md.forcefield import build_system, topology
from md.packing import pack
from md.propagate import positions_of, simulation
from md.replica import run_replica
from md.starts import Starts
from transslit import SlitNetwork, load_electrolyte


def small(**changes):
    """Two slits a face, box 1.70 x 1.23 nm across, cutoff 0.6 nm: about fifteen hundred atoms."""
    network = SlitNetwork(slit=0.59e-9, layers=3, slit_length=0.852e-9, edge_gap=0.5325e-9, reservoir_length=0.6e-9)
    fields = {
        "network": network,
        "electrolyte": load_electrolyte("KCl"),
        "concentration": 1000.0,
        "depth": 1.23e-9,
        "cutoff": 0.6e-9,
        "charge_per_carbon": 0.02,
        "decorrelation": 0.1e-12,
        "post_step_duration": 0.1e-12,
        "duration": 0.3e-12,
        "anneal": 0.0,
        "equilibration": 0.5e-12,
        "force_frames": 0.0,
        "replicas": 1,
        "start": "fresh",
    }
    return MDConfig(**{**fields, **changes})


@pytest.fixture(scope="session")
def make_config():
    return small


@pytest.fixture(scope="session")
def make_universe():
    return universe_of


@pytest.fixture(scope="session")
def make_walks():
    return langevin_walks


def minimised():
    """The small cell on the CPU platform, its number of waters, and a simulation of its packed and minimised atoms."""
    cell = Cell(small(platform="CPU"))
    positions, waters = pack(cell, 0)
    structure = topology(cell, waters)
    sim = simulation(structure, build_system(cell, structure), cell, 3)
    sim.context.setPositions(positions * 1e9)
    sim.minimizeEnergy(maxIterations=60)
    return cell, waters, sim


@pytest.fixture(scope="session")
def relaxed():
    """Cell, and a start relaxed for 0.4 ps."""
    cell, waters, sim = minimised()
    sim.context.setVelocitiesToTemperature(298.15, 4)
    sim.integrator.setStepSize(0.001)
    sim.integrator.setFriction(20.0)  # carries off the heat of a packed start
    sim.step(400)
    return cell, Starts(positions_of(sim)[None], waters, {"source": "test"})


@pytest.fixture(scope="session")
def relaxed_start():
    """A packed and minimised start of the small cell: enough to be run for a few hundred steps."""
    _, waters, sim = minimised()
    return Starts(positions_of(sim)[None], waters, {"source": "test"})


@pytest.fixture(scope="session")
def finished(relaxed, tmp_path_factory):
    """Folder of an uninterrupted replica, in segments of a frame or two."""
    cell, starts = relaxed
    folder = tmp_path_factory.mktemp("whole")
    run_replica(cell, starts, 0, folder, interval=0.2)
    return folder


@pytest.fixture
def config():
    return small()


@pytest.fixture
def cell(config):
    return Cell(config)


def universe_of(cell, ions, interval=0.05, start=0.0):
    """Universe of the cell's sheet atoms and of ions [(name, path (T, 3) in m)], frames every `interval` ps."""
    sheet_atoms = cell.sheet_atoms["positions"]
    names = ["GRA"] * len(sheet_atoms)
    by_name = {ion.name: ion.molecule.residue for ion in cell.electrolyte.ions}
    paths = []
    for name, path in ions:
        names.append(by_name[name])
        paths.append(np.asarray(path, dtype=float))
    frames = len(paths[0])
    universe = MDAnalysis.Universe.empty(
        len(names), n_residues=len(names), atom_resindex=np.arange(len(names)), trajectory=True
    )
    universe.add_TopologyAttr("resnames", names)
    universe.add_TopologyAttr("names", ["C"] * len(sheet_atoms) + [name for name, _ in ions])
    frozen = np.broadcast_to(sheet_atoms, (frames, *sheet_atoms.shape))
    positions = np.concatenate([frozen, np.stack(paths, axis=1)], axis=1)
    dimensions = np.array([*(cell.box * 1e10), 90, 90, 90])
    universe.load_new(
        (positions * 1e10).astype(np.float64),
        format=MemoryReader,
        dt=interval,
        time_offset=start,
        dimensions=dimensions,
    )
    return universe


def langevin_walks(frames, interval, diffusion, relaxation, number):
    """Paths of free Langevin particles in one dimension, (frames, number) in m, whose mean squares are exact.

    <(x(t + s) - x(t))^2> = 2 D [s - T + T exp(-s / T)], with T the velocity's `relaxation` time: ballistic at first.
    The covariance of positions, averaged over the walks, is that of the process to round-off; `number` >= `frames`.
    """
    time = interval * np.arange(1, frames)

    def moved(s):
        return 2 * diffusion * (s + relaxation * np.expm1(-s / relaxation))

    covariance = (moved(time)[:, None] + moved(time) - moved(np.abs(time[:, None] - time))) / 2
    independent = np.linalg.qr(np.random.default_rng(7).normal(size=(number, frames - 1)))[0].T * np.sqrt(number)
    return np.concatenate([np.zeros((1, number)), np.linalg.cholesky(covariance) @ independent])
