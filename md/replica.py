"""One replica: from a snapshot of the equilibrium with fresh velocities, uncharged for a while, then the step.

Time is zero at the step. The frames before it (uncharged) are the baseline; the frame at zero is the last of
them, whose atoms have not yet felt the charge.

Heat. In vacuum the step puts a field of some 10 V/nm across slits and reservoirs; the dipoles of the water take
up most of its energy, several eV per molecule, within a tenth of a picosecond. The first `careful` after
the step therefore runs at a short timestep and with a strong local thermostat (Langevin, `friction_after_step`),
which slows all motion in that time; without it the liquid stays at thousands of kelvin for picoseconds. The rest of
the heat comes over picoseconds. Friction Gamma adds to the liquid's own: 1/D' = 1/D + m Gamma / kT, so that 5/ps
slows K+ and Cl- by some 15 %; the D_k that enter the decomposition are measured under the same thermostat.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import openmm
import pandas as pd
from openmm import app, unit

from md.cell import Cell
from md.charge_step import set_charge
from md.config import MDConfig
from md.equilibrium import Equilibrium, constrained
from md.forcefield import build_system, nonbonded, topology
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
    system = build_system(cell, structure)
    sim = simulation(structure, system, cell, seed_of(config, run))

    def start(sim: app.Simulation) -> None:
        constrained(sim, equilibrium.snapshots[run % len(equilibrium.snapshots)])
        sim.context.setVelocitiesToTemperature(config.temperature, seed_of(config, run) + 1)
        sim.context.setTime(-_duration(replica_legs(config)[0]) * 1e12 * unit.picosecond)

    def begin(sim: app.Simulation, leg: Leg) -> None:
        charge(sim, system, cell, 0.0 if leg.name == "decorrelate" else config.charge_per_carbon)

    work = folder / f"replica-{run}"
    options = {} if interval is None else {"interval": interval}
    rows = propagate(sim, cell, replica_legs(config), work, begin=begin, start=start, advance=advance, **options)
    table = pd.DataFrame(rows, columns=["time_s", "T_K"])
    table["time_s"] = (table["time_s"] / config.frame_interval).round() * config.frame_interval
    table.insert(0, "replica", run)
    table.to_parquet(folder / f"replica-{run}.temperature.parquet", index=False)  # made again unless the next is
    partial = folder / f"replica-{run}-part.xtc"
    with open(partial, "wb") as joined:  # XTC frames stand alone, so files join end to end
        for path in sorted(work.glob("segment-*.xtc")):
            joined.write(path.read_bytes())
    partial.replace(finished)
    shutil.rmtree(work)
    return finished


def charge(sim: app.Simulation, system: openmm.System, cell: Cell, per_carbon: float) -> None:
    """Put the charge on the carbons of a live simulation."""
    set_charge(system, cell, per_carbon)
    nonbonded(system).updateParametersInContext(sim.context)


def _duration(leg: Leg) -> float:
    return leg.steps * leg.timestep
