"""Run a ladder through its cyclic voltammetry: `simulate` in memory, `run` as a stage that leaves tables."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd

from circuit.config import CircuitConfig
from circuit.ladder import Ladder
from circuit.resistance import slit_resistance
from circuit.result import SIGN, CircuitResult
from circuit.rosenbrock import integrate
from transslit.law import Law
from transslit.progress import Progress

Array = np.ndarray


def drive_corners(config: CircuitConfig) -> tuple[Array, Array]:
    """Times in s and phi_m in V of the corners of the sweep, shape (2 cycles + 1,) each."""
    count = 2 * config.drive.cycles + 1
    top = config.polarity * config.drive.window / config.half_cells
    return np.arange(count) * config.drive.half_period, np.where(np.arange(count) % 2, top, 0.0)


def output_times(corners: Array, points: int) -> Array:
    """`points` times that hold every corner, spread over the sweeps as evenly as whole numbers allow."""
    sweeps = len(corners) - 1
    edges = np.round(np.linspace(0, points - 1, sweeps + 1))
    return np.interp(np.arange(points), edges, corners)


def simulate(config: CircuitConfig, law: Law | None = None, progress: Progress | None = None) -> CircuitResult:
    """CV of a ladder; some tens of ms for 50 layers, two cycles and 2,000 points.

    Parameters
    ----------
    config : elements, drive, grid
    law : takes the place of `resistance` and `gamma`; the TLM takes R(0) from it
    progress : where to show a bar

    Returns
    -------
    tables and accounts; I_m_A is within about 50 times `config.tolerance` of its peak

    Raises
    ------
    BadInput : no resistance, or one that reaches zero during the run (slit, time and q named)
    StageFailed : the integrator's step underflows
    """
    resistance = slit_resistance(config, law)
    corners, potential = drive_corners(config)
    ladder = Ladder(config, resistance, corners, potential)
    began = time.perf_counter()
    # A trial step may leave the model's domain (R <= 0) before it is rejected, and far slits hold next to nothing.
    quietly = np.errstate(all="ignore")
    with quietly, (progress or Progress(quiet=True)).task("circuit", total=float(corners[-1])) as advance:
        trajectory = integrate(ladder, np.zeros(config.slits + 2), corners, advance)
    wall = time.perf_counter() - began
    times = output_times(corners, config.points)
    states = trajectory(times)
    phi_m = np.interp(times, corners, potential)
    terminal = pd.DataFrame(
        {
            "time_s": times,
            "V_m_V": config.half_cells * phi_m,
            "phi_m_V": phi_m,
            "I_m_A": states[:, 1] * ladder.open_conductance,
        }
    )
    phi = states[:, 2:]
    u = phi_m[:, None] - phi
    slits = pd.DataFrame(
        {
            "time_s": np.repeat(times, config.slits),
            "slit": np.tile(np.arange(1, config.slits + 1), len(times)),
            "q_C": (config.slit_capacitance * u).ravel(),
            "R_ohm": ladder.resistances(u).ravel(),
            "phi_V": phi.ravel(),
        }
    )
    metadata = {
        "sign": SIGN,
        "model": config.model,
        "cell": "two equal half-cells in series, V_m = 2 phi_m" if config.full_cell else "half-cell, V_m = phi_m",
        "depth": "values per metre of depth or absolute: the depth is 1 m",
        "resistance": str(resistance.expression),
        "charge_max_C": config.full_charge,
        "steps": len(trajectory.t),
        "steps_rejected": trajectory.rejected,
        "integration_s": wall,
    }
    for table in (terminal, slits):
        table.attrs["sign"] = SIGN
    return CircuitResult(config, terminal, slits, metadata, ladder, trajectory)


def run(config: CircuitConfig, folder: Path, progress: Progress, law: Law | None = None) -> CircuitResult:
    """`simulate`, leaving `terminal.parquet` and `slits.parquet` in `folder`; too short to need checkpoints."""
    result = simulate(config, law, progress)
    for name, table in (("terminal", result.terminal), ("slits", result.slits)):
        partial = folder / f".{name}.parquet.part"
        table.to_parquet(partial, index=False)
        partial.replace(folder / f"{name}.parquet")
    return result
