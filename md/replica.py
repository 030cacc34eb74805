"""One replica: from a snapshot of the equilibrium with fresh velocities, uncharged for a while, then the drive.

Time is zero at the drive's onset. The frames before it (uncharged) are the baseline; the frame at zero is the last
of them, whose atoms have not yet felt a charge. The legs, and their thermostats, are those of `md.legs`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from openmm import app, unit

from md.cell import Cell
from md.checkpoint import AFRESH, segment_paths
from md.config import MDConfig
from md.constant_potential import ConstantPotential
from md.equilibrium import Equilibrium, constrained
from md.files import load_array, readable_frames
from md.fixed_charge import FixedCharge
from md.forcefield import build_system, topology
from md.legs import replica_legs
from md.propagate import Leg, frames_in, propagate, simulation
from transslit.errors import StageFailed
from transslit.files import whole, write_table


def seed_of(config: MDConfig, run: int) -> int:
    """Seed of a replica's velocities and noise."""
    return (config.seed * 1009 + 7919 * (run + 1)) % 2**31


def run_replica(
    cell: Cell,
    equilibrium: Equilibrium,
    run: int,
    folder: Path,
    advance: Callable[[float], None] = lambda done: None,
    interval: float | None = None,
) -> Path:
    """Run replica `run` (or finish it) and leave `replica-<run>.xtc` and its temperatures in `folder`.

    At constant potential `charges-<run>.npz` holds the carbons' charges at each frame beside it. The table of
    temperatures has `attrs["continued_from_state"]`: where the replica could not be continued exactly.

    Returns
    -------
    path of the trajectory

    Raises
    ------
    StageFailed : the run blew up, and its last good checkpoint is kept; or a file that it left cannot be read
    """
    finished = folder / f"replica-{run}.xtc"
    config = cell.config
    legs = replica_legs(config)
    if finished.exists():
        if (frames := readable_frames(finished)) != frames_in(legs):
            told = f"has {frames or 'no readable'} frames, not {frames_in(legs)}"
            raise StageFailed("md", f"{finished}: {told}; move it away to run the replica again")
        return finished
    structure = topology(cell, equilibrium.waters)
    drive = drive_of(cell)
    system = build_system(cell, structure)
    drive.force(system)
    sim = simulation(structure, system, cell, seed_of(config, run))

    def start(sim: app.Simulation) -> None:
        constrained(sim, equilibrium.snapshots[run % len(equilibrium.snapshots)])
        sim.context.setVelocitiesToTemperature(config.temperature, seed_of(config, run) + 1)
        sim.context.setTime(-_duration(legs[0]) * 1e12 * unit.picosecond)

    work = folder / f"replica-{run}"
    options: dict[str, Any] = {} if interval is None else {"interval": interval}
    reached = propagate(sim, cell, legs, work, drive=drive, start=start, advance=advance, **options)
    table = pd.DataFrame(reached.rows, columns=["time_s", "T_K"])
    table["time_s"] = (table["time_s"] / config.frame_interval).round() * config.frame_interval
    table.insert(0, "replica", run)
    table.attrs["continued_from_state"] = reached.continued
    write_table(folder / f"replica-{run}.temperature.parquet", table)
    segments = segment_paths(work, reached, frames_in(legs))
    if not config.fixed_charge:
        carbons = len(cell.carbons["sign"])
        solved = [load_array(path.with_suffix(".npy"), AFRESH, (readable_frames(path), carbons)) for path in segments]
        with whole(folder / f"charges-{run}.npz") as partial:
            np.savez_compressed(partial, charge_e=np.concatenate(solved))
    with whole(finished) as partial, open(partial, "wb") as joined:  # XTC frames stand alone: files join end to end
        for path in segments:
            joined.write(path.read_bytes())
    shutil.rmtree(work)
    return finished


def drive_of(cell: Cell) -> FixedCharge | ConstantPotential:
    """What acts on the electrodes of `cell`."""
    return FixedCharge(cell) if cell.config.fixed_charge else ConstantPotential(cell)


def _duration(leg: Leg) -> float:
    return leg.steps * leg.timestep
