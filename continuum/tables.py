"""Elements of a half-cell ladder that follow its state, as tables from the record of a voltage-driven run.

    Q_i = sign(u_i) integral_0^|u_i| C_i(u) du,   C_i(|u|) = sum_k C_ik h_k(|u|)        slit by slit
    Q_open the same over u_0 = phi_m - I_m R_open, with Q_open = integral of I_m dt - sum |Q_i|

u_i is the voltage on the ladder's capacitor i, as in `continuum.extract`; h_k are piecewise linear. In a 1.5 nm slit C
grows by about a tenth from 0 to 0.2 V, the largest effect on the voltammogram that a ladder of constant elements lacks.

`ladder_tables` lets the resistances follow the charge, too, and takes from each slit its own potential at rest:

    phi_1 = phi_eq(q_1) + I_m R_open + s I_0 R(q_1),   V_i = phi_i - phi_eq(q_i),   u_i = phi_m - V_i
    V_{i+1} - V_i = I_i sum_k R_k h_k(q_i),   q_i = |Q_i| / max |Q|        all crossings together

Where slits of a deep network are filled unequally, phi_eq(q_{i+1}) - phi_eq(q_i), which drives no current, is a good
part of dphi_i: at 0.1 M and 2.5 nm R = (V_{i+1} - V_i) / I_i is 1.6 times dphi_i / I_i. The largest |Q| is that of all
slits. Of neighbours filled nearly alike both are functions of q, so that

    R(q) = [1 + (d phi_eq / dq) / (d (phi_m - phi) / dq)] dphi_i / I_i

turns a law of dphi into the resistance of this ladder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline, PchipInterpolator
from scipy.optimize import lsq_linear

from continuum.extract import FILLED, LadderParameters, between_sweeps, extract
from transslit import TransSlitRecord
from transslit.config import Config

Array = np.ndarray
POINTS, KNOTS = 25, 11  # of C(|u|) and R(q)
STIFFNESS, LEAST = 1e-3, 0.01  # weight of second differences; the least value, of the largest R or the mean C
AT_REST = 21  # points of phi_eq(q)
PASSES = 6  # over R(q) and phi_eq(q), each with the other as it is
COVERED = 0.5  # of the largest q_1, down to which it must return for phi_eq to be told from I_m R_open


class CapacitanceTable(Config):
    """Differential capacitance in F/m at voltages |u| in V."""

    at: tuple[float, ...]
    value: tuple[float, ...]


class QTable(Config):
    """Trans-slit resistance in ohm m, or a factor of it, over q; and the charge in C/m at which q = 1."""

    at: tuple[float, ...]
    value: tuple[float, ...]
    charge_max: float


class LadderTables(Config):
    """C(|u|) of each slit, slit 1 first, and of the open space; `misfit` is the rms of Q over its largest, likewise.

    `resistance` and the `open_resistance` that goes with it are those of `ladder_tables`, and so is `over_centres`: R
    over dphi_i / I_i, None where it cannot be told.
    """

    slits: tuple[CapacitanceTable, ...]
    open_space: CapacitanceTable
    misfit: tuple[float, ...]
    resistance: QTable | None = None
    open_resistance: float | None = None
    over_centres: QTable | None = None


@dataclass(frozen=True)
class _HalfCell:
    """Columns of replica 0 on even times: (times,), (times, slits) and, of `crossing`, (times, slits - 1).

    `passed` is the charge that I_m has passed; at the end of an implicit step I_m is that of the whole step.
    """

    time: Array
    phi_m: Array
    current: Array
    passed: Array
    stored: Array  # Q of the electrode
    phi: Array
    crossing: Array  # I

    @classmethod
    def of(cls, record: TransSlitRecord) -> _HalfCell:
        record = record.resampled()
        terminal = record.terminal[record.terminal["replica"] == 0].sort_values("time_s")

        def wide(table: str, column: str) -> Array:
            rows = getattr(record, table)
            return rows[rows["replica"] == 0].pivot_table(index="time_s", columns="i", values=column).to_numpy()

        time, phi_m, current = (terminal[name].to_numpy() for name in ("time_s", "phi_m_V", "I_m_A_per_m"))
        of_step = current[1:] if record.metadata.get("time_order", 1) == 1 else (current[1:] + current[:-1]) / 2
        passed = np.concatenate([[0.0], np.cumsum(of_step * np.diff(time))])
        slits = -wide("slits", "Q_C_per_m"), wide("slits", "phi_V")
        return cls(time, phi_m, current, passed, *slits, wide("crossings", "I_A_per_m"))

    def entrance(self, ladder: LadderParameters) -> Array:
        """s I_0, of which the first resistor takes its drop."""
        return (0.5 if ladder.half_entrance_resistor else 1.0) * np.gradient(self.stored.sum(axis=1), self.time)

    def capacitances(self, voltage: Array, open_resistance: float) -> LadderTables:
        """Of slits with `voltage` on their capacitors, (times, slits)."""
        largest = np.abs(self.stored).max(axis=0)
        fits = [_table(u, Q) for u, Q in zip(voltage.T, self.stored.T, strict=True)]
        for i in np.flatnonzero(largest < FILLED * largest.max()):
            fits[i] = fits[i - 1]  # of the deepest slit that tells its own
        open_space, misfit = _table(self.phi_m - self.current * open_resistance, self.passed - self.stored.sum(axis=1))
        return LadderTables(
            slits=tuple(table for table, _ in fits), open_space=open_space, misfit=(*(m for _, m in fits), misfit)
        )


def capacitance_tables(record: TransSlitRecord, ladder: LadderParameters | None = None) -> LadderTables:
    """Tables of replica 0 of a voltage-driven record, beside the R_c and gamma of `ladder`, the result of `extract`.

    Raises
    ------
    BadInput : as `extract`
    """
    ladder, cell = ladder or extract(record), _HalfCell.of(record)
    q = np.abs(cell.stored[:, 0]) / np.abs(cell.stored[:, 0]).max()
    entrance = cell.entrance(ladder) * ladder.resistance * (1 - ladder.gamma * q)
    open_voltage = cell.phi_m - cell.current * ladder.open_resistance
    return cell.capacitances((open_voltage - entrance)[:, None] - (cell.phi - cell.phi[:, :1]), ladder.open_resistance)


def ladder_tables(record: TransSlitRecord, ladder: LadderParameters | None = None) -> LadderTables:
    """Tables of replica 0 of a voltage-driven record, R(q) among them; values of R below a hundredth count as that.

    Where slit 1 does not return to half of its charge, or a resistance would not be positive, potentials at rest are
    those of slit 1 in all slits, as in `capacitance_tables`.

    Raises
    ------
    BadInput : as `extract`
    """
    ladder, cell = ladder or extract(record), _HalfCell.of(record)
    largest = float(np.abs(cell.stored).max())
    q, at = np.abs(cell.stored) / largest, np.linspace(0, 1, KNOTS)
    value = ladder.resistance * (1 - ladder.gamma * at * largest / ladder.charge_max)
    into = cell.entrance(ladder)
    for _ in range(PASSES):
        drop = into * np.interp(q[:, 0], at, np.maximum(value, LEAST * value.max()))
        rest = _at_rest(q[:, 0], cell.current, cell.phi[:, 0] - drop)
        if rest is None:
            break
        value = _resistances(q, cell.crossing, np.diff(cell.phi - rest[1](q), axis=1))
    least, over_centres = LEAST * float(value.max()), None
    if rest is None or value.min() <= least or rest[0] < -least:
        tables, open_resistance = capacitance_tables(record, ladder), ladder.open_resistance
        value = _resistances(q, cell.crossing, np.diff(cell.phi, axis=1))
    else:
        open_resistance = max(rest[0], least)
        tables = cell.capacitances(cell.phi_m[:, None] - (cell.phi - rest[1](q)), open_resistance)
        centres = _smooth(q.ravel(), (cell.phi_m[:, None] - cell.phi).ravel(), at)
        ratio = 1 + np.gradient(rest[1](at), at) / np.gradient(centres, at)
        over_centres = _over_q(at, ratio, largest) if ratio.min() > LEAST else None
    value = np.maximum(value, LEAST * value.max())
    found = {
        "resistance": _over_q(at, value, largest),
        "open_resistance": open_resistance,
        "over_centres": over_centres,
    }
    return tables.model_copy(update=found)


def _over_q(at: Array, value: Array, charge_max: float) -> QTable:
    return QTable(at=tuple(map(float, at)), value=tuple(map(float, value)), charge_max=charge_max)


def _resistances(q: Array, current: Array, drop: Array) -> Array:
    """R at `KNOTS` even points by least squares of drop = I R(q), all crossings, between sweeps where q returns."""
    parts = []
    for column in range(current.shape[1]):
        rows = (q[1:, column], current[1:, column], drop[1:, column])
        parts.append(between_sweeps(*rows) or rows)
    of_q, of_current, known = (np.concatenate(each) for each in zip(*parts, strict=True))
    size = np.abs(of_current).max()
    return _smooth(of_q, known, np.linspace(0, 1, KNOTS), of_current / size) / size


def _smooth(x: Array, y: Array, at: Array, factor: Array | float = 1.0) -> Array:
    """Values at the points `at` of the piecewise linear f, of little bend, with y = factor f(x) by least squares."""
    hats = np.stack([np.interp(x, at, hat) for hat in np.eye(at.size)], axis=1)
    return _fitted(hats * np.reshape(factor, (-1, 1)), y)


def _fitted(design: Array, y: Array, least: float = -np.inf) -> Array:
    """Coefficients of `design` by least squares, of small second differences and not below `least`."""
    count = design.shape[1]
    bends = np.diff(np.eye(count), 2, axis=0) * STIFFNESS * np.linalg.norm(design) / np.sqrt(count)
    padded = np.concatenate([y, np.zeros(count - 2)])
    return np.asarray(lsq_linear(np.vstack([design, bends]), padded, (least, np.inf), tol=1e-12).x)


def _at_rest(q: Array, current: Array, potential: Array) -> tuple[float, Callable[[Array], Array]] | None:
    """R_open and phi_eq of potential = phi_eq(q) + I_m R_open; None where q does not return far enough to tell them."""
    differences = between_sweeps(q, current, potential)
    if differences is None or differences[0].min() > COVERED * q.max():
        return None
    _, rise, drop = differences
    resistance = float((rise / np.abs(rise).max()) @ drop / ((rise / np.abs(rise).max()) @ rise))
    at = np.linspace(0, q.max(), AT_REST)
    curve = PchipInterpolator(at, _smooth(q, potential - resistance * current, at))
    return resistance, lambda x: curve(np.minimum(x, at[-1]))


def _table(u: Array, charge: Array) -> tuple[CapacitanceTable, float]:
    """C(|u|) of Q(u) by least squares, of little bend and positive; the misfit of Q."""
    at, size = np.linspace(0, np.abs(u).max(), POINTS), np.abs(charge).max() / np.abs(u).max()
    hats = BSpline(np.r_[at[0], at, at[-1]], np.eye(POINTS), 1)
    design = np.sign(u)[:, None] * hats.antiderivative()(np.abs(u)) * size
    value = _fitted(design, charge, LEAST)
    misfit = float(np.std(charge - design @ value) / np.abs(charge).max())
    return CapacitanceTable(at=tuple(map(float, at)), value=tuple(map(float, size * value))), misfit
