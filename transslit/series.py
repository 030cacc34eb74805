"""Series of one quantity out of a record, block by block, and statistics of their means.

A block is one half-cell of one box: the faces of an electrode are equivalent by symmetry, so each contributes a sample.
Series are in the charging frame: multiplied by the electrode's polarity, so that both electrodes charge with positive
current.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from transslit.record import PARTS, TransSlitRecord
from transslit.resampling import Layout, spread

SMOOTHING = 0.3e-12  # s, running mean over thermal noise before signs are taken from atoms
POLARITY = {"positive": 1.0, "negative": -1.0}


@dataclass(frozen=True)
class Series:
    """Values of one quantity: `time` in s (times,); `blocks` (blocks, times); `boxes`, `halves` (blocks,).

    `boxes` are each block's box, or start where boxes share one, and `halves` its half-electrode; None where unknown.
    """

    time: np.ndarray
    blocks: np.ndarray
    boxes: np.ndarray | None = None
    halves: np.ndarray | None = None

    @property
    def mean(self) -> np.ndarray:
        """Mean over blocks, shape (times,)."""
        return self.blocks.mean(axis=0)

    @property
    def layout(self) -> Layout:
        """Box and half-electrode of each block."""
        return self.boxes, self.halves

    def band(self) -> tuple[np.ndarray, np.ndarray]:
        """95 % band of the mean, time by time, two arrays of shape (times,); NaN where blocks of one box have none."""
        half = spread(self.blocks, *self.layout).half_width
        half[~np.isfinite(half)] = np.nan
        return self.mean - half, self.mean + half

    def smoothed(self, window: float) -> Series:
        """Centred running mean over `window` (s), for data on a uniform grid; edges use what is there."""
        width = max(1, round(window / np.median(np.diff(self.time))))
        kernel = np.ones(width)
        norm = np.convolve(np.ones(self.time.size), kernel, mode="same")
        smooth = [np.convolve(row, kernel, mode="same") / norm for row in self.blocks]
        return replace(self, blocks=np.array(smooth))

    def until(self, end: float) -> Series:
        """The part up to `end` (s)."""
        keep = self.time <= end * (1 + 1e-9)
        return replace(self, time=self.time[keep], blocks=self.blocks[:, keep])

    def after(self, start: float) -> Series:
        """The part with time > start (s)."""
        keep = self.time > start
        return replace(self, time=self.time[keep], blocks=self.blocks[:, keep])


def half_cells(record: TransSlitRecord, electrode: str) -> list[int]:
    """Labels (column `replica`) of the half-cells of one electrode ("positive", "negative" or "both")."""
    known = record.metadata.get("half_cells", {})
    if not known:
        return sorted(record.terminal["replica"].unique()) if electrode != "negative" else []
    return [int(label) for label, half in known.items() if electrode in ("both", half["electrode"])]


def places(record: TransSlitRecord, labels: Sequence[int]) -> Layout:
    """Box (start, where the metadata tell it) and half-electrode of each half-cell, arrays (labels,)."""
    known = record.metadata.get("half_cells", {})
    if not known:
        return np.asarray(labels), None
    entries = [known[str(label)] for label in labels]
    start = "start" if _starts_are_known(known) else "box"
    faces = sorted({(entry["electrode"], entry["face"]) for entry in known.values()})
    halves = [entry.get("half", faces.index((entry["electrode"], entry["face"]))) for entry in entries]
    return np.array([entry[start] for entry in entries]), np.array(halves)


def layout(record: TransSlitRecord, labels: Sequence[int]) -> Layout:
    """What half-cells have in common for intervals: box and half-electrode, or the start alone where it is told.

    Boxes of different starts have nothing in common but by symmetry, their half-electrodes neither; the required check
    `verify.md.starts` holds them to it.
    """
    boxes, halves = places(record, labels)
    return boxes, None if _starts_are_known(record.metadata.get("half_cells", {})) else halves


def _starts_are_known(half_cells: Mapping[str, Mapping[str, object]]) -> bool:
    return bool(half_cells) and all(entry.get("start") is not None for entry in half_cells.values())


def series(record: TransSlitRecord, column: str, i: int, electrode: str = "positive", signed: bool = True) -> Series:
    """`column` of slit or crossing `i` as blocks of one electrode (or of both).

    `signed` multiplies by the electrode's polarity: right for currents, charges and voltages, wrong for
    concentrations.
    """
    table = record.crossings if column in record.crossings.columns else record.slits
    wanted = half_cells(record, electrode)
    part = table[(table["i"] == i) & table["replica"].isin(wanted)]
    wide = part.pivot_table(index="replica", columns="time_s", values=column).loc[wanted]
    values = wide.to_numpy(dtype=float)
    known = record.metadata.get("half_cells", {})
    if signed:
        sign = [POLARITY[known[str(label)]["electrode"]] if known else 1.0 for label in wanted]
        values = values * np.array(sign)[:, None]
    return Series(wide.columns.to_numpy(dtype=float), values, *layout(record, wanted))


def difference(record: TransSlitRecord, column: str, i: int, electrode: str, signed: bool = True) -> Series:
    """Slit quantity of i + 1 minus that of i."""
    outer, inner = (series(record, column, k, electrode, signed) for k in (i, i + 1))
    return replace(outer, blocks=inner.blocks - outer.blocks)


def stored(record: TransSlitRecord, i: int) -> Series:
    """Charge stored on the sheets' side of slit i since the drive began, positive while charging (C/m)."""
    ionic = series(record, "Q_C_per_m", i, "both")
    before = ionic.time <= 0
    start = ionic.blocks[:, before].mean(axis=1, keepdims=True) if before.any() else ionic.blocks[:, :1]
    return replace(ionic, blocks=start - ionic.blocks).after(0.0)


def neutralisation(record: TransSlitRecord) -> tuple[Series, Series] | None:
    """Charge (C/m per half-cell) of the ions that came past the mid-planes since the onset, and of the sheets.

    Both in the charging frame, from the onset to the last time at which the sheets hold 90 % of their largest charge.
    A half-cell has half of the closing wall, which its two faces share, and n ribbons, for each mirror half:

        Q = sigma [L / 2 + n (L - g)].

    The faces of two electrodes share a mid-plane, so that blocks of one box are not independent. None without the
    network or the charge of the sheets.
    """
    network, known = record.metadata.get("network"), record.metadata.get("half_cells", {})
    if network is None or not known or "sigma_C_per_m2" not in record.terminal:
        return None
    length, slits = network["slit_length"], network["layers"] - 1
    per_depth = length / 2 + slits * (length - network["edge_gap"])
    labels = half_cells(record, "both")
    sign = np.array([POLARITY[known[str(label)]["electrode"]] for label in labels])[:, None]
    current, sigma = (
        record.terminal.pivot_table(index="replica", columns="time_s", values=name, dropna=False).loc[labels]
        for name in ("I_m_A_per_m", "sigma_C_per_m2")
    )
    time = current.columns.to_numpy(dtype=float)
    before = time < 0  # at zero the charge is there, but has moved nothing yet
    sheets = sign * sigma.to_numpy() * per_depth
    sheets = sheets - sheets[:, before].mean(axis=1, keepdims=True) if before.any() else sheets
    span = np.where(time <= 0, 0.0, np.diff(time, prepend=time[0]))  # a current stands for the interval that it ends
    ions = np.cumsum(sign * current.to_numpy() * span, axis=1)
    held = np.abs(sheets.mean(axis=0))
    last = 1 + int(np.flatnonzero(held >= 0.9 * held.max())[-1]) if np.isfinite(held).all() else len(time)
    series_of = (Series(time[:last], each[:, :last], *layout(record, labels)) for each in (ions, sheets))
    first, second = (each.after(0.0) for each in series_of)
    return (first, second) if held.max() > 0 and first.time.size else None


def as_table(**columns: Series) -> pd.DataFrame:
    """Series of the same blocks and times as a tidy table: box, block, time_s and a column each, as evidence."""
    first = next(iter(columns.values()))
    count, times = first.blocks.shape
    block = np.repeat(np.arange(count), times)
    boxes = np.arange(count) if first.boxes is None else first.boxes
    keys = {"box": boxes[block], "block": block, "time_s": np.tile(first.time, count)}
    return pd.DataFrame(keys | {name: data.blocks.ravel() for name, data in columns.items()})


def pearson(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson correlation; NaN where one of them is constant."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def durations(time: np.ndarray) -> np.ndarray:
    """What each sample stands for in a time integral: half the way to each neighbour (s), shape (times,)."""
    edges = np.concatenate([time[:1], (time[1:] + time[:-1]) / 2, time[-1:]])
    return np.diff(edges)


def same_sign_share(first: np.ndarray, second: np.ndarray, charge: np.ndarray) -> float:
    """Share of the charge (|current| times its duration) during which `first` and `second` have one sign."""
    total = np.abs(charge).sum()
    return float(np.abs(charge)[first * second > 0].sum() / total) if total > 0 else float("nan")


def final_level(time: np.ndarray, value: np.ndarray) -> float:
    """Mean over the last quarter of the time."""
    return float(value[time >= time[0] + 0.75 * (time[-1] - time[0])].mean())


def first_passage(time: np.ndarray, value: np.ndarray, level: float) -> float:
    """First time (s) at which `value`, zero at time zero, reaches `level`, of either sign.

    Linear interpolation between samples; NaN if it never does.
    """
    time, value = np.concatenate([[0.0], time]), np.concatenate([[0.0], value])
    reached = np.flatnonzero(value / level >= 1) if level else np.array([], dtype=int)
    if reached.size == 0:
        return float("nan")
    k = int(reached[0])
    step = (level - value[k - 1]) / (value[k] - value[k - 1])
    return float(time[k - 1] + step * (time[k] - time[k - 1]))


def same_level(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> float:
    """1 - 1/e of the lower of the final levels of two courses (times, values) over the same time."""
    return float((1 - np.exp(-1)) * min((final_level(*each) for each in (a, b)), key=abs))


class Course(NamedTuple):
    """One quantity of slit (or crossing) `i` over time, in SI; `unit` as a person reads it with its `scale`."""

    quantity: str
    i: int
    unit: str
    scale: float  # from SI to `unit`
    data: Series


def courses(record: TransSlitRecord) -> Iterator[Course]:
    """Every quantity of `record` after the step."""
    window = SMOOTHING if record.metadata["source"] == "md" else 0.0
    slits = sorted(int(i) for i in record.slits["i"].unique())
    for i in slits:
        yield Course("stored", i, "nC/m", 1e9, stored(record, i))
        yield Course("content", i, "M", 1e-3, series(record, "c_mol_per_m3", i, "both", signed=False).after(0.0))
    for i in slits[:-1]:
        for quantity, column, unit, scale, signed in (
            ("dphi", "phi_V", "mV", 1e3, True),
            ("drho", "rho_C_per_m3", "MC/m³", 1e-6, True),
            ("dc", "c_mol_per_m3", "M", 1e-3, False),
        ):
            data = difference(record, column, i, "both", signed)
            yield Course(quantity, i, unit, scale, (data.smoothed(window) if window else data).after(0.0))
        for column in ("I_A_per_m", *PARTS):
            current = series(record, column, i, "both").after(0.0)
            if np.any(current.blocks):
                span = np.diff(current.time, prepend=0.0)  # a current stands for the interval that it ends
                name = "total" if column == "I_A_per_m" else column.split("_")[1]
                carried = replace(current, blocks=np.cumsum(current.blocks * span, axis=1))
                yield Course(name, i, "nC/m", 1e9, carried)
