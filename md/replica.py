"""One box: a start with velocities of its own, an uncharged leg, then the drive.

Time is zero at the onset of the drive. The uncharged frames before it are the baseline; the frame at zero is the last
of them, since no charge has acted on its positions yet. `md.legs` defines the legs and their thermostats.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from openmm import app, unit

from md.cell import Cell
from md.checkpoint import AFRESH, segment_paths
from md.config import MDConfig
from md.constant_potential import ConstantPotential
from md.files import load_array, readable_frames
from md.fixed_charge import FixedCharge
from md.legs import UNCHARGED, replica_legs
from md.propagate import SEGMENT_WALL, frames_in, propagate, simulation
from md.starts import Starts, set_constrained_positions
from md.system import build
from transslit.errors import StageFailed
from transslit.files import whole, write_table


def seed_of(config: MDConfig, box: int) -> int:
    """Seed of the velocities and the noise of a box; both boxes of a pair have the same."""
    return (config.seed * 1009 + 7919 * (config.start_of(box) + 1)) % 2**31


def run_replica(
    cell: Cell,
    starts: Starts,
    box: int,
    folder: Path,
    advance: Callable[[float], None] = lambda done: None,
    interval: float = SEGMENT_WALL,
) -> Path:
    """Run box number `box`, or finish it, and write `replica-<box>.xtc` and its temperatures to `folder`.

    At constant potential `charges-<box>.npz` holds the sheet atoms' charges at each frame. The table of temperatures
    has `attrs["continued_from_state"]`: where the run could not be continued exactly.

    Returns
    -------
    path of the trajectory

    Raises
    ------
    StageFailed : the simulation blew up, and its last good checkpoint is kept; or a file of an earlier call is damaged
    """
    trajectory = folder / f"replica-{box}.xtc"
    config, cell = cell.config, cell.of_box(box)
    legs = replica_legs(config)
    if trajectory.exists():
        if (frames := readable_frames(trajectory)) != frames_in(legs):
            fault = f"has {frames or 'no readable'} frames, not {frames_in(legs)}"
            raise StageFailed("md", f"{trajectory}: {fault}; move it away to run the replica again")
        return trajectory
    structure, system = build(cell, starts.waters)
    drive = drive_of(cell)
    drive.force(system)
    sim = simulation(structure, system, cell, seed_of(config, box))

    def start(sim: app.Simulation) -> None:
        set_constrained_positions(sim, starts.positions[config.start_of(box) % len(starts.positions)])
        sim.context.setVelocitiesToTemperature(config.temperature, seed_of(config, box) + 1)
        before = sum(leg.steps * leg.timestep for leg in legs if leg.name in UNCHARGED)
        sim.context.setTime(-before * 1e12 * unit.picosecond)

    work = folder / f"replica-{box}"
    counters = propagate(sim, cell, legs, work, drive=drive, start=start, advance=advance, interval=interval)
    table = pd.DataFrame(counters.rows, columns=["time_s", "T_K"])
    table["time_s"] = (table["time_s"] / config.frame_interval).round() * config.frame_interval
    table.attrs["continued_from_state"] = counters.continued
    write_table(folder / f"replica-{box}.temperature.parquet", table)
    segments = segment_paths(work, counters, frames_in(legs))
    if not config.fixed_charge:
        sheet_atoms = len(cell.sheet_atoms["sign"])
        charges = [
            load_array(path.with_suffix(".npy"), AFRESH, (readable_frames(path), sheet_atoms)) for path in segments
        ]
        with whole(folder / f"charges-{box}.npz") as partial:
            np.savez_compressed(partial, charge_e=np.concatenate(charges))
    with whole(trajectory) as partial, open(partial, "wb") as joined:  # XTC files can be concatenated
        for path in segments:
            joined.write(path.read_bytes())
    shutil.rmtree(work)
    return trajectory


def drive_of(cell: Cell) -> FixedCharge | ConstantPotential:
    """The drive of `cell`: imposed charge or imposed potential."""
    return FixedCharge(cell) if cell.config.fixed_charge else ConstantPotential(cell)
