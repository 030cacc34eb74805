"""The continuum stage: from a configuration to its trans-slit record."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from continuum.config import ContinuumConfig
from continuum.frames import Frames, thin
from continuum.integrator import TimeIntegrator
from continuum.trans_slit_flux import TransSlitFlux
from transslit import BadInput, TransSlitRecord
from transslit.progress import Progress


def run(config: ContinuumConfig, folder: Path, progress: Progress) -> TransSlitRecord:
    """Solve `config` in `folder` and reduce it, leaving `frames.h5` and `record/`; an interrupted run is resumed.

    Raises
    ------
    BadInput : the folder holds another configuration's run
    StageFailed : the equations could not be solved; names time, drive and place, and keeps the frames up to there
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    finished = _finished(config, folder)
    if finished is not None:
        return finished
    integrator = TimeIntegrator(config, folder)
    integrator.run(progress)
    with Frames(folder) as frames:
        frames.equations = integrator.equations
        analysis = TransSlitFlux(frames, config.network, config.electrolyte).run()
        drift = {"ion_drift": ion_drift(frames)} if config.cell == "full" else {}
        if config.store_every > 1:
            thin(frames, config.store_every)
    record: TransSlitRecord = analysis.results.record
    record.metadata.update(
        steps=integrator.count.steps,
        retries=integrator.count.retries,
        cells=integrator.equations.n,
        factorisations=integrator.newton.factorisations,
        cycle_changes=integrator.count.cycle_changes,
        **drift,
    )
    record.write(folder / "record")
    integrator.discard_checkpoints()
    return record


def ion_drift(frames: Frames) -> float:
    """Largest relative change of any ion's number over the frames of a closed cell."""
    numbers = np.array([frame.c @ frames.equations.ion_volumes for frame in frames])  # (frames, ions)
    return float(np.abs(numbers / numbers[0] - 1).max())


def _finished(config: ContinuumConfig, folder: Path) -> TransSlitRecord | None:
    """The record of the finished run in `folder`, if there is one."""
    if not (folder / "frames.h5").exists() or not (folder / "record" / "record.json").exists():
        return None
    with Frames(folder) as frames:
        if frames.config.digest != config.digest:
            raise BadInput("out", folder, "holds a continuum run of another configuration; choose another folder")
        return TransSlitRecord.read(folder / "record") if frames.complete else None
