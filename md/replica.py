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
from md.config import MDConfig
from md.constant_potential import ConstantPotential
from md.equilibrium import Equilibrium, constrained
from md.fixed_charge import FixedCharge
from md.forcefield import build_system, topology
from md.legs import replica_legs
from md.propagate import Leg, propagate, simulation


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

    At constant potential `charges-<run>.npz` holds the carbons' charges at each frame beside it.

    Returns
    -------
    path of the trajectory

    Raises
    ------
    StageFailed : the run blew up; its last good checkpoint is kept
    """
    finished = folder / f"replica-{run}.xtc"
    config = cell.config
    if finished.exists():
        return finished
    structure = topology(cell, equilibrium.waters)
    drive = drive_of(cell)
    system = build_system(cell, structure)
    drive.force(system)
    sim = simulation(structure, system, cell, seed_of(config, run))

    def start(sim: app.Simulation) -> None:
        constrained(sim, equilibrium.snapshots[run % len(equilibrium.snapshots)])
        sim.context.setVelocitiesToTemperature(config.temperature, seed_of(config, run) + 1)
        sim.context.setTime(-_duration(replica_legs(config)[0]) * 1e12 * unit.picosecond)

    work = folder / f"replica-{run}"
    options: dict[str, Any] = {} if interval is None else {"interval": interval}
    rows = propagate(sim, cell, replica_legs(config), work, drive=drive, start=start, advance=advance, **options)
    table = pd.DataFrame(rows, columns=["time_s", "T_K"])
    table["time_s"] = (table["time_s"] / config.frame_interval).round() * config.frame_interval
    table.insert(0, "replica", run)
    table.to_parquet(folder / f"replica-{run}.temperature.parquet", index=False)  # made again unless the next is
    solved = [np.load(path) for path in sorted(work.glob("segment-*.npy"))]
    if solved:
        np.savez_compressed(folder / f".charges-{run}.npz", charge_e=np.concatenate(solved))
        (folder / f".charges-{run}.npz").replace(folder / f"charges-{run}.npz")
    partial = folder / f"replica-{run}-part.xtc"
    with open(partial, "wb") as joined:  # XTC frames stand alone, so files join end to end
        for path in sorted(work.glob("segment-*.xtc")):
            joined.write(path.read_bytes())
    partial.replace(finished)
    shutil.rmtree(work)
    return finished


def drive_of(cell: Cell) -> FixedCharge | ConstantPotential:
    """What acts on the electrodes of `cell`."""
    return FixedCharge(cell) if cell.config.fixed_charge else ConstantPotential(cell)


def _duration(leg: Leg) -> float:
    return leg.steps * leg.timestep
