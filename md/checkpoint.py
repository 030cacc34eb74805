"""Checkpoints of a run: OpenMM's own, which continues it exactly, and a portable State.

`checkpoint.npz` holds a binary checkpoint with the state of the random numbers. It loads only with the same version of
OpenMM, platform and number of threads. `state.npz` holds positions, velocities, box, time and context parameters as the
XML of an `openmm.State`, which loads anywhere; the noise is then another one. Both hold the same counters.

Order of writing: a segment of frames, the State that counts it, the checkpoint that counts it, each under a temporary
name and then renamed. Whenever the process is killed, one readable file therefore counts the finished segments.
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


class Continuation(TypedDict):
    """Continuation of a run from its State: leg, step of the leg, time in s, and why the checkpoint did not load."""

    leg: str
    step: int
    time_s: float
    reason: str


@dataclass
class Counters:
    """Counters of a run: `step` steps of leg number `leg` and `segments` files of frames are finished.

    rows : (time in s, temperature in K) of each frame
    continued : continuations from a State
    """

    leg: int = 0
    step: int = 0
    segments: int = 0
    rows: list[tuple[float, float]] = field(default_factory=list)
    continued: list[Continuation] = field(default_factory=list)


def segment_path(folder: Path, number: int) -> Path:
    """File of the frames of a segment."""
    return folder / f"segment-{number:04d}.xtc"


def segment_paths(folder: Path, counters: Counters, frames: int) -> list[Path]:
    """The segments of a finished run, in order; raises `StageFailed` unless they hold `frames` frames in all."""
    paths = [segment_path(folder, number) for number in range(counters.segments)]
    counts = [readable_frames(path) for path in paths]
    if 0 in counts:
        raise StageFailed("md", f"{paths[counts.index(0)]}: cannot be read; {AFRESH}")
    if sum(counts) != frames:
        raise StageFailed("md", f"{folder}: its segments have {sum(counts)} frames, not {frames}; {AFRESH}")
    return paths


def save(sim: app.Simulation, folder: Path, counters: Counters) -> None:
    """Write the State and then the checkpoint."""
    state = sim.context.getState(positions=True, velocities=True, parameters=True)
    at = np.array([counters.leg, counters.step, counters.segments])
    rows = np.array(counters.rows, dtype=float).reshape(-1, 2)
    continued = _bytes(json.dumps(counters.continued).encode())
    xml = _bytes(openmm.XmlSerializer.serialize(state).encode())
    with whole(folder / PORTABLE) as partial:
        np.savez_compressed(partial, state=xml, at=at, rows=rows, continued=continued)
    binary, threads = _bytes(sim.context.createCheckpoint()), np.array(_threads(sim.context))
    with whole(folder / EXACT) as partial:
        np.savez(partial, state=binary, threads=threads, at=at, rows=rows, continued=continued)


def restore(sim: app.Simulation, folder: Path, legs: Sequence[tuple[str, int]]) -> Counters | None:
    """Continue from the checkpoint in `folder` or, if it cannot be loaded, from the State with new noise.

    Parameters
    ----------
    legs : name and number of steps of each

    Returns
    -------
    None if the folder holds neither of them, and no segment that one of them could have counted

    Raises
    ------
    StageFailed : neither can be loaded; the folder is left unchanged
    """
    faults: dict[str, str] = {}
    loaders: dict[str, Callable[..., None]] = {EXACT: _load_exact, PORTABLE: _load_portable}
    for name, load in loaders.items():
        try:
            saved = read_arrays(folder / name, state=(None,), at=(3,), rows=(None, 2))
            counters = _counters(saved, folder, legs)
            load(sim, saved, counters)
        except (ValueError, openmm.OpenMMException) as error:
            faults[name] = f"{name}: {first_line(error)}"
            continue
        if name == PORTABLE:
            time = sim.context.getTime().value_in_unit(unit.picosecond) * 1e-12
            leg = legs[counters.leg][0]
            counters.continued.append({"leg": leg, "step": counters.step, "time_s": time, "reason": faults[EXACT]})
        return counters
    segments = {path.name for path in folder.glob("segment-*.xtc") if path.stem[8:].isdigit()}
    if (folder / EXACT).exists() or (folder / PORTABLE).exists() or segments - {segment_path(folder, 0).name}:
        raise StageFailed("md", f"{folder}: cannot be continued ({' and '.join(faults.values())}); {AFRESH}")
    return None


def _load_exact(sim: app.Simulation, saved: dict[str, np.ndarray], _: Counters) -> None:
    sim.context.loadCheckpoint(saved["state"].tobytes())
    here = _threads(sim.context)
    if (there := int(saved.get("threads", here))) != here:  # OpenMM would load it with other random numbers
        raise ValueError(f"is of {there} threads, and here are {here}")


def _load_portable(sim: app.Simulation, saved: dict[str, np.ndarray], counters: Counters) -> None:
    state = openmm.XmlSerializer.deserialize(saved["state"].tobytes().decode())
    if not isinstance(state, openmm.State):
        raise ValueError("holds no State")
    key = [sim.integrator.getRandomNumberSeed(), counters.leg, counters.step, counters.segments]
    seed = int(np.random.SeedSequence(key).generate_state(1)[0]) % 2**31 or 1  # zero would mean a random seed
    sim.integrator.setRandomNumberSeed(seed)
    sim.context.reinitialize()  # so that the new seed is used; this also discards a partially loaded checkpoint
    sim.context.setState(state)


def _counters(saved: dict[str, np.ndarray], folder: Path, legs: Sequence[tuple[str, int]]) -> Counters:
    leg, step, segments = (int(value) for value in saved["at"])
    if not (0 <= leg < len(legs) and 0 <= step <= legs[leg][1]):
        raise ValueError("is of another run")
    for number in range(segments):
        if not (path := segment_path(folder, number)).exists():
            raise ValueError(f"counts {path.name}, which is missing")
    rows = [(time, kelvin) for time, kelvin in saved["rows"].tolist()]
    return Counters(leg, step, segments, rows, json.loads(saved["continued"].tobytes()) if "continued" in saved else [])


def _bytes(data: bytes) -> np.ndarray:
    return np.frombuffer(data, dtype=np.uint8)


def _threads(context: openmm.Context) -> int:
    """Threads of the CPU platform, each of which has its own random numbers; 0 on other platforms."""
    platform = context.getPlatform()
    return int(platform.getPropertyValue(context, "Threads")) if "Threads" in platform.getPropertyNames() else 0
