"""Integrate a simulation leg by leg; a kill at any moment loses at most the current segment.

A leg is a number of steps at one timestep and temperature. Every half minute or so the new frames become a segment
file, which a checkpoint (`md.checkpoint`) then counts. On a restart, segments that the loaded checkpoint does not count
are removed, so that no frame is lost or doubled; if no checkpoint loads, nothing is removed. A simulation that blows up
ends in `StageFailed` and keeps the last good checkpoint.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import openmm
from mdtraj.reporters import XTCReporter
from openmm import app, unit

from md.cell import Cell
from md.checkpoint import Counters, restore, save, segment_path
from md.files import readable_frames
from md.packing import nearest
from transslit.errors import BadInput, StageFailed
from transslit.executor import cores

PICOSECOND = 1e-12  # s
GAS_CONSTANT = 8.31446261815324e-3  # kJ/mol/K, CODATA 2018
SEGMENT_WALL = 25.0  # s of wall time between checkpoints
OVERHEATED = 6000.0  # K, more than the heat of a charge step explains
LOST = 0.15  # nm from a sheet atom, well inside its repulsive core


@dataclass(frozen=True)
class Leg:
    """`steps` of `timestep` (s) at `temperature` (K) and `friction` (1/ps).

    A frame is written every `frame_every` steps (0: none). The drive is updated every `update_every` steps (0: 100).
    """

    name: str
    steps: int
    timestep: float
    temperature: float
    frame_every: int = 0
    friction: float = 5.0
    update_every: int = 0


def frames_in(legs: list[Leg]) -> int:
    """Number of frames of `legs`."""
    return sum(leg.steps // leg.frame_every for leg in legs if leg.frame_every)


def choose_platform(name: str, threads: int | None = None) -> tuple[openmm.Platform, dict[str, str]]:
    """The fastest platform that works on this machine (CUDA, OpenCL, CPU), or the named one, and its properties.

    `threads` are those of the CPU; as many as cores if None.

    Raises
    ------
    BadInput : the named platform is not installed
    """
    present = [openmm.Platform.getPlatform(i).getName() for i in range(openmm.Platform.getNumPlatforms())]
    for candidate in ("CUDA", "OpenCL", "CPU") if name == "auto" else (name,):
        if candidate not in present:
            continue
        platform = openmm.Platform.getPlatform(candidate)
        number = str(threads or os.environ.get("OPENMM_CPU_THREADS") or cores())
        properties = {"Threads": number} if candidate == "CPU" else {}
        if candidate in ("CUDA", "OpenCL"):
            properties = {"Precision": "mixed"}
            if name == "auto" and not _works(platform):
                continue
        return platform, properties
    raise BadInput("platform", name, f"installed here: {', '.join(present)}")


def _works(platform: openmm.Platform) -> bool:
    system = openmm.System()
    system.addParticle(1.0)
    try:
        openmm.Context(system, openmm.VerletIntegrator(0.001), platform)
    except openmm.OpenMMException:
        return False
    return True


def simulation(structure: app.Topology, system: openmm.System, cell: Cell, seed: int) -> app.Simulation:
    """A Langevin (middle) simulation at the config's temperature and friction on the chosen platform."""
    config = cell.config
    integrator = openmm.LangevinMiddleIntegrator(config.temperature, config.friction, config.timestep * 1e12)
    integrator.setRandomNumberSeed(seed % 2**31 or 1)  # zero would mean a random seed
    few = config.water == "implicit"  # hundreds of particles: threads would wait for one another
    platform, properties = choose_platform(config.platform, 1 if few else None)
    return app.Simulation(structure, system, integrator, platform, properties)


def seconds_per_step(sim: app.Simulation, positions: np.ndarray) -> float:
    """Wall time of a step on this machine, from a few force evaluations at `positions` (nm), which are set."""
    sim.context.setPositions(positions)
    sim.context.getState(getForces=True)  # compiles kernels and builds the neighbour list
    began = time.monotonic()
    for _ in range(5):
        sim.context.setPositions(positions)
        sim.context.getState(getForces=True)
    return (time.monotonic() - began) / 5


class Thermometer:
    """Kinetic temperature of the mobile atoms at every frame: `rows` of (time in s, K)."""

    def __init__(self, system: openmm.System, every: int) -> None:
        self.every = every
        self.rows: list[tuple[float, float]] = []
        self.masses = np.array(
            [system.getParticleMass(i).value_in_unit(unit.dalton) for i in range(system.getNumParticles())]
        )
        self.freedom = 3 * int((self.masses > 0).sum()) - system.getNumConstraints()

    def describeNextReport(self, simulation: app.Simulation) -> tuple[int, bool, bool, bool, bool]:  # noqa: N802
        """Steps to the next report, which needs velocities (OpenMM's reporter interface)."""
        return self.every - simulation.currentStep % self.every, False, True, False, False

    def report(self, simulation: app.Simulation, state: openmm.State) -> None:
        """Store the temperature; raises `StageFailed` if it is out of range."""
        velocities = state.getVelocities(asNumpy=True).value_in_unit(unit.nanometer / unit.picosecond)
        kelvin = float((self.masses[:, None] * velocities**2).sum() / (self.freedom * GAS_CONSTANT))
        now = state.getTime().value_in_unit(unit.picosecond) * 1e-12
        if not kelvin < OVERHEATED:
            raise StageFailed("md", f"overheated to {kelvin:.3g} K at {now * 1e12:.3f} ps")
        self.rows.append((now, kelvin))


def positions_of(sim: app.Simulation) -> np.ndarray:
    """Positions in nm, shape (atoms, 3); `StageFailed` if they are not finite."""
    try:
        state = sim.context.getState(getPositions=True)
        positions = state.getPositions(asNumpy=True).value_in_unit(unit.nanometer)
    except openmm.OpenMMException as error:
        raise StageFailed("md", f"blew up: {error}") from None
    if not np.isfinite(positions).all():
        raise StageFailed("md", "blew up: positions are not finite")
    return positions


def check_lost(cell: Cell, positions: np.ndarray) -> None:
    """Raise `StageFailed` if an ion or water oxygen has entered a sheet. `positions` in nm.

    In implicit water sheets are no atoms; crossings of a closed wall are refused by `md.trans_slit_flux`.
    """
    if cell.config.water == "implicit":
        return
    sheet_atoms, ions = len(cell.sheet_atoms["sign"]), len(cell.ion_sites)
    heavy = np.concatenate([positions[sheet_atoms : sheet_atoms + ions], positions[sheet_atoms + ions :: 3]])
    near = nearest(heavy, positions[:sheet_atoms], cell.box * 1e9).min()
    if near < LOST:
        raise StageFailed("md", f"an ion or water entered a sheet ({near:.3f} nm from an atom of it)")


class Drive(Protocol):
    """The drive of a running simulation: `md.fixed_charge.FixedCharge`, `md.constant_potential.ConstantPotential`."""

    def apply(self, sim: app.Simulation, time: float) -> None:
        """Bring the electrodes to their state at `time` (s)."""

    def solved(self, sim: app.Simulation) -> np.ndarray | None:
        """Charge of every sheet atom in e, shape (sheet atoms,), if it is solved for; None if it is imposed."""


class ChargeReporter:
    """Charges that were solved for at every frame: `rows` of (sheet atoms,) in e; none if they are imposed."""

    def __init__(self, drive: Drive, every: int) -> None:
        self.drive, self.every = drive, every
        self.rows: list[np.ndarray] = []

    def describeNextReport(self, simulation: app.Simulation) -> tuple[int, bool, bool, bool, bool]:  # noqa: N802
        """Steps to the next report (OpenMM's reporter interface)."""
        return self.every - simulation.currentStep % self.every, False, False, False, False

    def report(self, simulation: app.Simulation, state: openmm.State) -> None:
        """Store the charges for the positions and the drive of the frame."""
        self.drive.apply(simulation, _now(state))
        solved = self.drive.solved(simulation)
        if solved is not None:
            self.rows.append(solved.astype(np.float32))


def _now(state: openmm.State | openmm.Context) -> float:
    return float(state.getTime().value_in_unit(unit.picosecond)) * PICOSECOND


def propagate(
    sim: app.Simulation,
    cell: Cell,
    legs: list[Leg],
    folder: Path,
    *,
    drive: Drive | None = None,
    start: Callable[[app.Simulation], None] | None = None,
    advance: Callable[[float], None] = lambda done: None,
    interval: float = SEGMENT_WALL,
) -> Counters:
    """Run `legs`, continuing from the checkpoint in `folder` if there is one.

    Parameters
    ----------
    drive : updated as time goes on; charges that it solves for are written as `segment-*.npy`
    start : sets positions and velocities if there is no checkpoint
    advance : called with the number of steps done
    interval : wall time between checkpoints in s

    Returns
    -------
    counters with a row (time, temperature) per frame, and where the run could not be continued exactly; the frames are
    `segment-*.xtc` in `folder`

    Raises
    ------
    StageFailed : the simulation blew up, and the last good checkpoint is kept; or no checkpoint of an earlier run loads
    """
    folder.mkdir(parents=True, exist_ok=True)
    at = _resume(sim, legs, folder, start)
    done = sum(leg.steps for leg in legs[: at.leg]) + at.step
    speed = 20.0  # steps per s, until it is measured
    while at.leg < len(legs):
        leg = legs[at.leg]
        sim.integrator.setStepSize(leg.timestep * 1e12)
        sim.integrator.setTemperature(leg.temperature)
        sim.integrator.setFriction(leg.friction)
        sim.currentStep = at.step  # frames are due at multiples of the leg's own steps
        while at.step < leg.steps:
            unit_steps = leg.frame_every or 100
            chunk = min(max(1, round(speed * interval / unit_steps)) * unit_steps, leg.steps - at.step)
            began = time.monotonic()
            at.rows += _segment(sim, cell, folder, leg, chunk, at, _offset(done, advance), drive)
            speed = chunk / max(time.monotonic() - began, 1e-3)
            at.step += chunk
            done += chunk
            save(sim, folder, at)
        at.leg, at.step = at.leg + 1, 0
    return at


def _resume(
    sim: app.Simulation, legs: list[Leg], folder: Path, start: Callable[[app.Simulation], None] | None
) -> Counters:
    """Load the checkpoint, or call `start` if there is none; remove segments that are not counted."""
    at = restore(sim, folder, [(leg.name, leg.steps) for leg in legs])
    if at is not None:
        save(sim, folder, at)  # State and checkpoint count the same segments before others are removed
    else:
        at = Counters()
        if start is not None:
            start(sim)
    for stale in folder.glob("segment-*.*"):
        if not stale.stem[8:].isdigit() or int(stale.stem[8:]) >= at.segments:
            stale.unlink()
    return at


def _offset(base: float, advance: Callable[[float], None]) -> Callable[[float], None]:
    return lambda n: advance(base + n)


def _segment(
    sim: app.Simulation,
    cell: Cell,
    folder: Path,
    leg: Leg,
    chunk: int,
    at: Counters,
    advance: Callable[[float], None],
    drive: Drive | None,
) -> list[tuple[float, float]]:
    """Run `chunk` steps, write their segment file and count it in `at`."""
    final = segment_path(folder, at.segments)
    partial = final.with_name(f"{final.stem}-part.xtc")
    thermometer = Thermometer(sim.system, leg.frame_every or 100)
    sim.reporters = [thermometer]
    writer, charges = None, None
    if leg.frame_every:
        writer = XTCReporter(str(partial), leg.frame_every)
        sim.reporters.append(writer)
    if leg.frame_every and drive is not None:
        charges = ChargeReporter(drive, leg.frame_every)
        sim.reporters.append(charges)
    bite = leg.update_every or 100  # few, so that the progress bar moves
    finished = False
    try:
        for first in range(0, chunk, bite):
            if drive is not None:
                drive.apply(sim, _now(sim.context))
            sim.step(min(bite, chunk - first))
            advance(min(first + bite, chunk))
        check_lost(cell, positions_of(sim))
        if charges is not None and charges.rows:
            np.save(final.with_suffix(".npy"), np.array(charges.rows))
        finished = True
    except (openmm.OpenMMException, ValueError) as error:
        now = sim.context.getTime().value_in_unit(unit.picosecond)
        raise StageFailed("md", f"blew up near {now:.3f} ps ({error})") from None
    except (RuntimeError, OSError) as error:  # mdtraj raises RuntimeError when writing fails
        raise StageFailed("md", f"the trajectory could not be written ({error}); what was finished is kept") from None
    finally:
        sim.reporters = []
        if writer is not None:
            writer.close()
        if not finished:
            partial.unlink(missing_ok=True)
    if writer is not None:
        if readable_frames(partial) != chunk // leg.frame_every:  # closing a file on a full disk raises nothing
            partial.unlink(missing_ok=True)
            raise StageFailed(
                "md", "the trajectory could not be written (is the disk full?); what was finished is kept"
            )
        partial.replace(final)
        at.segments += 1
    return thermometer.rows
