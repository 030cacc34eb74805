"""A drive as a sequence of segments, in each of which one quantity of the cell is commanded smoothly.

    V_m(t), I_m(t) or P(t) = a + b (t - t_k) + c (t - t_k)^2,   t_k <= t < t_{k+1}

A segment lasts its time, or ends earlier where V_m meets its limit (galvanostatic and constant-power cycling).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from circuit.config import CircuitConfig
from transslit.drive import (
    ConstantPower,
    Galvanostatic,
    PotentialStep,
    RateSeries,
    SmoothedCV,
    TableDrive,
    TriangularCV,
)

Array = np.ndarray
Mode = Literal["voltage", "current", "power"]


@dataclass(frozen=True)
class Segment:
    """One stretch of a drive: what is commanded, for how long (s, at most), and the V_m (V) that ends it."""

    mode: Mode
    duration: float
    a: float
    b: float = 0.0
    c: float = 0.0
    until: float | None = None  # V
    rising: bool = True  # whether `until` is met from below


def corners_of(config: CircuitConfig) -> Array:
    """Times in s at which the segments begin and end if none ends early, shape (segments + 1,)."""
    drive = config.drive
    if isinstance(drive, TriangularCV) and not isinstance(drive, SmoothedCV):
        return np.arange(2 * drive.cycles + 1) * drive.half_period
    if isinstance(drive, TableDrive):
        return np.array(drive.time)
    return np.concatenate([[0.0], np.cumsum([segment.duration for segment in segments_of(config)])])


def segments_of(config: CircuitConfig) -> list[Segment]:
    """The drive of `config`, polarity included."""
    drive, sign = config.drive, config.polarity
    if isinstance(drive, SmoothedCV):
        return list(_smoothed(drive, sign))
    if isinstance(drive, TriangularCV | RateSeries):
        rates = drive.scan_rates if isinstance(drive, RateSeries) else (drive.scan_rate,)
        return [
            Segment("voltage", drive.window / rate, sign * drive.window * (k % 2), sign * rate * (-1 if k % 2 else 1))
            for rate in rates
            for k in range(2 * drive.cycles)
        ]
    if isinstance(drive, PotentialStep):
        rest = [Segment("voltage", drive.rest, 0.0)] if drive.rest else []
        return [Segment("voltage", drive.duration, sign * drive.voltage), *rest]
    if isinstance(drive, TableDrive):
        mode: Mode = "current" if drive.voltage is None else "voltage"
        values, steps = sign * np.array(drive.voltage or drive.current), np.diff(drive.time)
        rows = zip(steps.tolist(), values.tolist(), (np.diff(values) / steps).tolist(), strict=False)
        return [Segment(mode, step, a, b) for step, a, b in rows]
    return list(_cycled(config, drive))


def _smoothed(drive: SmoothedCV, sign: int) -> Iterator[Segment]:
    """Parabolas at the corners, straight lines between them."""
    half, width = drive.half_period, drive.smoothing * drive.half_period
    starts = np.arange(2 * drive.cycles + 1) * half
    edges = np.unique(np.round(np.concatenate([starts, starts + width]) / half, 12)) * half
    for start, stop in pairwise(edges):
        v0, v1, v2 = drive.cell_voltage(np.array([start, (start + stop) / 2, stop]))
        step = stop - start
        c = 2 * (v0 - 2 * v1 + v2) / step**2
        yield Segment("voltage", step, sign * v0, sign * ((v2 - v0) / step - c * step), sign * c)


def _cycled(config: CircuitConfig, drive: Galvanostatic | ConstantPower) -> Iterator[Segment]:
    """Charge and discharge in turn; the cell's capacitance gives an upper bound of the time of either."""
    capacitance = 0.0  # F, of a half-cell or, an upper bound, of both in parallel
    for cell in config.electrodes:
        tables = cell.tables("capacitance_table")
        capacitance += sum(max(t.value) for t in tables) if tables else float(cell.per_slit("slit_capacitance").sum())
        opened = cell.open_capacitance_table
        capacitance += max(opened.value) if opened else cell.open_capacitance
    span = max(drive.upper, abs(config.initial_voltage))
    mode: Mode = "current" if isinstance(drive, Galvanostatic) else "power"
    if isinstance(drive, Galvanostatic):
        size, longest = drive.current, 4 * capacitance * span / drive.current
    else:
        size, longest = drive.power, 40 * capacitance * span**2 / drive.power
    sign = config.polarity
    for k in range(2 * drive.cycles):
        charging = k % 2 == 0
        limit = sign * (drive.upper if charging else drive.lower)
        value = sign * (size if charging else -size)
        yield Segment(mode, longest, value, until=limit, rising=charging == (sign > 0))
