"""Run a ladder through its drive, in memory; `circuit.stage` leaves tables on disk."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from scipy.optimize import brentq

from circuit.config import CircuitConfig
from circuit.ladder import Ladder
from circuit.program import Segment, corners_of, segments_of
from circuit.resistance import slit_resistance
from circuit.result import SIGN, CircuitResult
from circuit.rosenbrock import integrate
from transslit.law import Law
from transslit.progress import Progress

Array = np.ndarray


def output_times(corners: Array, points: int) -> Array:
    """`points` times (s) that include every corner, shared among the segments as evenly as whole numbers allow.

    Where the segments are many (a table), evenly spaced times.
    """
    segments = len(corners) - 1
    if points < 4 * segments:
        return np.linspace(corners[0], corners[-1], points)
    edges = np.round(np.linspace(0, points - 1, segments + 1))
    return np.interp(np.arange(points), edges, corners)


def at_rest(ladder: Ladder, voltage: float) -> Array:
    """State of a cell at rest at `voltage` (V of V_m); two different half-cells carry the same charge."""
    y = np.zeros(ladder.size)
    if not voltage:
        return y
    split = ladder.inside + 1 if ladder.pair else 0

    def charges(share: float) -> Array:
        """Charges of the capacitors when the fraction `share` of V_m falls on the first half-cell."""
        u = np.full(ladder.nodes, voltage / ladder.half_cells)
        if ladder.pair:
            u[:split] *= share
            u[split:] *= 1 - share
        charge = u * ladder.capacitance
        for _ in range(60 if ladder.curves is not None else 0):
            now, slope = ladder.voltages(charge)
            charge = charge - (now - u) / slope
        return charge

    share = 1.0
    if ladder.pair:
        share = float(brentq(lambda x: charges(x)[:split].sum() - charges(x)[split:].sum(), 0, 1, xtol=1e-15))
    y[ladder.first :] = charges(share)
    return y


def prepare(
    config: CircuitConfig,
    law: Law | None = None,
    counter_law: Law | None = None,
    segments: Sequence[Segment] | None = None,
) -> Ladder:
    """The ladder of `config` under its drive (or under `segments`); raises as `simulate`."""
    laws = (law, counter_law)
    resistances = [slit_resistance(config, laws[i], cell) for i, cell in enumerate(config.electrodes)]
    return Ladder(config, resistances, segments_of(config) if segments is None else segments)


def simulate(
    config: CircuitConfig,
    law: Law | None = None,
    progress: Progress | None = None,
    counter_law: Law | None = None,
    discharge_only: bool = False,
) -> CircuitResult:
    """A ladder under its drive; some 30 ms for a CV of 50 layers, two cycles and 2,000 points.

    Parameters
    ----------
    config : elements, drive, grid
    law : replaces `resistance` and `gamma`; the TLM takes R(0) from it
    progress : shows a progress bar
    counter_law : as `law`, of the counter electrode where there is one
    discharge_only : of a galvanostatic or constant-power cycling, its first discharge alone

    Returns
    -------
    tables and accounts; I_m_A is within about ten times `config.tolerance` of its peak, and at the scan rates of a
    laboratory, where it follows from the charge passed, within a thousandth

    Raises
    ------
    BadInput : no resistance, or one that reaches zero during the run (slit, time and q named), or a drive that is at
        its limit when it begins
    StageFailed : the integrator's step underflows
    """
    ladder = prepare(config, law, counter_law)
    corners = corners_of(config)
    if discharge_only:
        ladder = prepare(config, law, counter_law, ladder.segments[1:2])
        corners = corners[1:3] - corners[1]
    started = time.perf_counter()
    # A trial step may leave the model's domain (R <= 0) before it is rejected; charges of far slits may underflow.
    quietly = np.errstate(all="ignore")
    with quietly, (progress or Progress(quiet=True)).task("circuit", total=float(corners[-1])) as advance:
        trajectory = integrate(ladder, at_rest(ladder, config.initial_voltage), corners, advance)
    elapsed = time.perf_counter() - started
    expression = ladder.resistance[0].expression(1)
    metadata = {
        "sign": SIGN,
        "model": config.model,
        "cell": (
            "two different half-cells in series, V_m = phi_m - phi_counter"
            if config.counter
            else "two equal half-cells in series, V_m = 2 phi_m"
            if config.full_cell
            else "half-cell, V_m = phi_m"
        ),
        "depth": "values per metre of depth or absolute: the depth is 1 m",
        "resistance": "table" if expression is None else str(expression),
        "charge_max_C": config.full_charge if ladder.per_charge.size and (ladder.per_charge != 1).any() else None,
        "steps": len(trajectory.t),
        "steps_rejected": trajectory.rejected,
        "integration_s": elapsed,
    }
    return CircuitResult(config, ladder, trajectory, output_times(trajectory.corners, config.points), metadata)
