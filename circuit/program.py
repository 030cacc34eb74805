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


@dataclass(frozen=True)
class Segment:
    """One stretch of a drive: what is commanded, for how long (s, at most), and the V_m (V) that ends it."""

    mode: Literal["voltage", "current", "power"]
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
    return list(_segments(config))


def _segments(config: CircuitConfig) -> Iterator[Segment]:
    drive, sign = config.drive, config.polarity
    if isinstance(drive, SmoothedCV):
        yield from _smoothed(drive, sign)
    elif isinstance(drive, TriangularCV):
        for k in range(2 * drive.cycles):
            slope = sign * drive.scan_rate
            yield Segment("voltage", drive.half_period, sign * drive.window * (k % 2), -slope if k % 2 else slope)
    elif isinstance(drive, RateSeries):
        for rate in drive.scan_rates:
            for k in range(2 * drive.cycles):
                slope = sign * rate * (-1 if k % 2 else 1)
                yield Segment("voltage", drive.window / rate, sign * drive.window * (k % 2), slope)
    elif isinstance(drive, PotentialStep):
        yield Segment("voltage", drive.duration, sign * drive.voltage)
        if drive.rest:
            yield Segment("voltage", drive.rest, 0.0)
    elif isinstance(drive, TableDrive):
        values = sign * np.array(drive.voltage if drive.voltage is not None else drive.current)
        steps = np.diff(drive.time)
        for a, b, step in zip(values, np.diff(values) / steps, steps, strict=False):
            yield Segment("voltage" if drive.voltage is not None else "current", float(step), float(a), float(b))
    else:
        yield from _cycled(config, drive)


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
    mode: Literal["current", "power"] = "current"
    if isinstance(drive, Galvanostatic):
        size, longest = drive.current, 4 * capacitance * span / drive.current
    else:
        mode, size, longest = "power", drive.power, 40 * capacitance * span**2 / drive.power
    sign = config.polarity
    for k in range(2 * drive.cycles):
        charging = k % 2 == 0
        limit = sign * (drive.upper if charging else drive.lower)
        value = sign * (size if charging else -size)
        yield Segment(mode, longest, value, until=limit, rising=charging == (sign > 0))
