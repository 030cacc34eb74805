"""Elements of a half-cell ladder that follow its state, as tables from the record of a voltage-driven run.

    Q_i = sum_k c_k u_i |u_i|^k,   C_i(u) = dQ_i/du = sum_k (k + 1) c_k |u|^k        slit by slit
    Q_open the same over u_0 = phi_m - I_m R_open, with Q_open = integral of I_m dt - sum |Q_i|

    dphi_i = I_i sum_k R_k h_k(q_i), h_k piecewise linear, q_i = |Q_i| / max |Q|       all crossings together

u_i is the voltage on the ladder's capacitor i, as in `continuum.extract`; the largest |Q| is that of all slits. In a
1.5 nm slit C grows by about a tenth from 0 to 0.2 V, the largest effect on the voltammogram that a ladder of constant
elements lacks.
"""

from __future__ import annotations

import numpy as np

from continuum.extract import FILLED, LadderParameters, between_sweeps, extract
from transslit import TransSlitRecord
from transslit.config import Config

Array = np.ndarray
TERMS, POINTS = 6, 25
KNOTS, STIFFNESS, LEAST = 11, 1e-3, 0.01  # of R(q): points, weight of its second differences, of its largest value


class CapacitanceTable(Config):
    """Differential capacitance in F/m at voltages |u| in V."""

    at: tuple[float, ...]
    value: tuple[float, ...]


class ResistanceTable(Config):
    """Trans-slit resistance in ohm m over q, and the charge in C/m at which q = 1."""

    at: tuple[float, ...]
    value: tuple[float, ...]
    charge_max: float


class LadderTables(Config):
    """C(|u|) of each slit, slit 1 first, and of the open space; `misfit` is the rms of Q over its largest, likewise."""

    slits: tuple[CapacitanceTable, ...]
    open_space: CapacitanceTable
    misfit: tuple[float, ...]


def capacitance_tables(record: TransSlitRecord, ladder: LadderParameters | None = None) -> LadderTables:
    """Tables of replica 0 of a voltage-driven record; `ladder` is the result of `extract` for it.

    Raises
    ------
    BadInput : as `extract`
    """
    ladder, record = ladder or extract(record), record.resampled()
    terminal = record.terminal[record.terminal["replica"] == 0].sort_values("time_s")
    slits = record.slits[record.slits["replica"] == 0]
    charge, phi = (slits.pivot_table(index="time_s", columns="i", values=v).to_numpy() for v in ("Q_C_per_m", "phi_V"))
    time, current = terminal["time_s"].to_numpy(), terminal["I_m_A_per_m"].to_numpy()
    stored = -charge  # of the electrode
    q = np.abs(charge[:, 0]) / np.abs(charge[:, 0]).max()
    share = 0.5 if ladder.half_entrance_resistor else 1.0
    entrance = share * np.gradient(stored.sum(axis=1), time) * ladder.resistance * (1 - ladder.gamma * q)
    open_voltage = terminal["phi_m_V"].to_numpy() - current * ladder.open_resistance
    voltage = (open_voltage - entrance)[:, None] - (phi - phi[:, :1])
    total = np.concatenate([[0.0], np.cumsum((current[1:] + current[:-1]) / 2 * np.diff(time))])
    largest = np.abs(stored).max(axis=0)
    fits = [_table(u, Q) for u, Q in zip(voltage.T, stored.T, strict=True)]
    for i in np.flatnonzero(largest < FILLED * largest.max()):
        fits[i] = fits[i - 1]  # of the deepest slit that tells its own
    open_space, misfit = _table(open_voltage, total - stored.sum(axis=1))
    return LadderTables(
        slits=tuple(table for table, _ in fits), open_space=open_space, misfit=(*(m for _, m in fits), misfit)
    )


def resistance_table(record: TransSlitRecord) -> ResistanceTable:
    """R(q) of replica 0, all crossings together; values below a hundredth of the largest count as that.

    Potentials at rest are left out as in `continuum.extract`.
    """
    joined = record.resampled().joined()
    joined = joined[(joined["replica"] == 0) & (joined["time_s"] > 0)]
    largest = float(joined["Q_C_per_m"].abs().max())
    parts = []
    for _, crossing in joined.groupby("i"):
        q = crossing["Q_C_per_m"].abs().to_numpy() / largest
        columns = [crossing[name].to_numpy() for name in ("I_A_per_m", "dphi_V")]
        parts.append(between_sweeps(q, *columns) or (q, *columns))
    q, current, drop = (np.concatenate(column) for column in zip(*parts, strict=True))
    at = np.linspace(0, 1, KNOTS)
    design = np.stack([np.interp(q, at, hat) for hat in np.eye(KNOTS)], axis=1)
    design *= (current / np.abs(current).max())[:, None]
    bends = np.diff(np.eye(KNOTS), 2, axis=0) * STIFFNESS * np.linalg.norm(design) / np.sqrt(KNOTS)
    known = np.concatenate([drop, np.zeros(KNOTS - 2)])
    value = np.linalg.lstsq(np.vstack([design, bends]), known, rcond=None)[0] / np.abs(current).max()
    value = np.maximum(value, LEAST * value.max())
    return ResistanceTable(at=tuple(map(float, at)), value=tuple(map(float, value)), charge_max=largest)


def _table(u: Array, charge: Array) -> tuple[CapacitanceTable, float]:
    """C(|u|) of the odd polynomial Q(u) of the highest order, up to `TERMS`, that rises throughout; its misfit."""
    at = np.linspace(0, np.abs(u).max(), POINTS)
    for terms in range(TERMS, 0, -1):
        powers = np.arange(terms)
        design = u[:, None] * (np.abs(u) / at[-1])[:, None] ** powers
        c, *_ = np.linalg.lstsq(design, charge, rcond=None)
        value = ((at / at[-1])[:, None] ** powers) @ ((powers + 1) * c)
        if value.min() > 0.3 * c[0] > 0:
            break
    misfit = float(np.std(charge - design @ c) / np.abs(charge).max())
    return CapacitanceTable(at=tuple(map(float, at)), value=tuple(map(float, value))), misfit
