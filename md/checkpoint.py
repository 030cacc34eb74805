"""Checkpoints of a run: OpenMM's own, which continues it exactly, and beside it a portable State.

`checkpoint.npz` holds a binary checkpoint with the state of the random numbers. It loads with the same version of
OpenMM, platform and number of threads only. `state.npz` holds positions, velocities, box, time and context parameters
as the XML of an `openmm.State`, which loads anywhere; noise is drawn anew from there. Both hold the same counters.

Order of writing: a segment of frames, the State that counts it, the checkpoint that counts it, each under a temporary
name and then renamed. So one readable file counts the finished segments whenever the process is killed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import numpy as np
import openmm
from openmm import app, unit

from md.files import read_arrays, readable_frames
from transslit.errors import StageFailed, first_line
from transslit.files import whole

EXACT, PORTABLE = "checkpoint.npz", "state.npz"
AFRESH = "move the folder away to start afresh"


class Continued(TypedDict):
    """Where a run was continued from its State: leg, step of it, time in s, and why not from the checkpoint."""

    leg: str
    step: int
    time_s: float
    reason: str


@dataclass
class Reached:
    """How far a run has come: `step` steps of leg number `leg`, `segments` files of frames.

    rows : (time in s, temperature in K) of each frame
    continued : where it was continued from a State
    """

    leg: int = 0
    step: int = 0
    segments: int = 0
    rows: list[tuple[float, float]] = field(default_factory=list)
    continued: list[Continued] = field(default_factory=list)


def segment_path(folder: Path, number: int) -> Path:
    """Frames of a segment."""
    return folder / f"segment-{number:04d}.xtc"


def segment_paths(folder: Path, reached: Reached, frames: int) -> list[Path]:
    """The segments of a finished run, in order; raises `StageFailed` unless they hold `frames` frames in all."""
    paths = [segment_path(folder, number) for number in range(reached.segments)]
    counts = [readable_frames(path) for path in paths]
    if 0 in counts:
        raise StageFailed("md", f"{paths[counts.index(0)]}: cannot be read; {AFRESH}")
    if sum(counts) != frames:
        raise StageFailed("md", f"{folder}: its segments have {sum(counts)} frames, not {frames}; {AFRESH}")
    return paths


def save(sim: app.Simulation, folder: Path, reached: Reached) -> None:
    """Write the State and then the checkpoint."""
    state = sim.context.getState(positions=True, velocities=True, parameters=True)
    at = np.array([reached.leg, reached.step, reached.segments])
    rows = np.array(reached.rows, dtype=float).reshape(-1, 2)
    continued = _bytes(json.dumps(reached.continued).encode())
    xml = _bytes(openmm.XmlSerializer.serialize(state).encode())
    with whole(folder / PORTABLE) as partial:
        np.savez_compressed(partial, state=xml, at=at, rows=rows, continued=continued)
    binary, threads = _bytes(sim.context.createCheckpoint()), np.array(_threads(sim.context))
    with whole(folder / EXACT) as partial:
        np.savez(partial, state=binary, threads=threads, at=at, rows=rows, continued=continued)


def restore(sim: app.Simulation, folder: Path, legs: Sequence[tuple[str, int]]) -> Reached | None:
    """Continue from the checkpoint in `folder` or, if it cannot be loaded, from the State with new noise.

    Parameters
    ----------
    legs : name and number of steps of each

    Returns
    -------
    None if the folder holds neither of them, and no segment that one of them may have counted

    Raises
    ------
    StageFailed : neither can be loaded; nothing in the folder is touched
    """
    faults: dict[str, str] = {}
    loaders: dict[str, Callable[..., None]] = {EXACT: _load_exact, PORTABLE: _load_portable}
    for name, load in loaders.items():
        try:
            saved = read_arrays(folder / name, state=(None,), at=(3,), rows=(None, 2))
            reached = _counters(saved, folder, legs)
            load(sim, saved, reached)
        except (ValueError, openmm.OpenMMException) as error:
            faults[name] = f"{name}: {first_line(error)}"
            continue
        if name == PORTABLE:
            time = sim.context.getTime().value_in_unit(unit.picosecond) * 1e-12
            leg = legs[reached.leg][0]
            reached.continued.append({"leg": leg, "step": reached.step, "time_s": time, "reason": faults[EXACT]})
        return reached
    kept = {path.name for path in folder.glob("segment-*.xtc") if path.stem[8:].isdigit()}
    if (folder / EXACT).exists() or (folder / PORTABLE).exists() or kept - {segment_path(folder, 0).name}:
        told = " and ".join(faults.values())
        raise StageFailed("md", f"{folder}: cannot be continued ({told}); {AFRESH}")
    return None


def _load_exact(sim: app.Simulation, saved: dict[str, np.ndarray], _: Reached) -> None:
    sim.context.loadCheckpoint(saved["state"].tobytes())
    here = _threads(sim.context)
    if (there := int(saved.get("threads", here))) != here:  # OpenMM loads it, but deals the random numbers out anew
        raise ValueError(f"is of {there} threads, and here are {here}")


def _load_portable(sim: app.Simulation, saved: dict[str, np.ndarray], reached: Reached) -> None:
    state = openmm.XmlSerializer.deserialize(saved["state"].tobytes().decode())
    if not isinstance(state, openmm.State):
        raise ValueError("holds no State")
    place = [sim.integrator.getRandomNumberSeed(), reached.leg, reached.step, reached.segments]
    seed = int(np.random.SeedSequence(place).generate_state(1)[0]) % 2**31 or 1  # zero would mean a random seed
    sim.integrator.setRandomNumberSeed(seed)
    sim.context.reinitialize()  # a context takes up a seed only as it is made; this also drops a half-loaded checkpoint
    sim.context.setState(state)


def _counters(saved: dict[str, np.ndarray], folder: Path, legs: Sequence[tuple[str, int]]) -> Reached:
    leg, step, segments = (int(value) for value in saved["at"])
    if not (0 <= leg < len(legs) and 0 <= step <= legs[leg][1]):
        raise ValueError("is of another run")
    for number in range(segments):
        if not (path := segment_path(folder, number)).exists():
            raise ValueError(f"counts {path.name}, which is missing")
    rows = [(time, kelvin) for time, kelvin in saved["rows"].tolist()]
    return Reached(leg, step, segments, rows, json.loads(saved["continued"].tobytes()) if "continued" in saved else [])


def _bytes(data: bytes) -> np.ndarray:
    return np.frombuffer(data, dtype=np.uint8)


def _threads(context: openmm.Context) -> int:
    """Threads of the CPU platform, each of which has random numbers of its own; 0 elsewhere."""
    platform = context.getPlatform()
    return int(platform.getPropertyValue(context, "Threads")) if "Threads" in platform.getPropertyNames() else 0
