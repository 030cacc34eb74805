"""The elements of a half-cell ladder, extracted from the record of a voltage-driven run.

    R_c, gamma   least squares of dphi_i = f_i(q_i) + I_i R_c (1 - gamma q_i), crossing by crossing, f_i the
                 difference of two slits' potentials at rest (not zero at both ends of the network)
    R_open       least squares of phi_1 = phi_eq(q_1) + I_m R_open + s I_0 R(q_1), with s the share of a
                 trans-slit resistor that lies at the entrance: a half, since R(q_i) spans two half slits;
                 a value below a hundredth of R_c counts as that
    u_i          = phi_m - [I_m R_open + s I_0 R(q_1) + sum_{j<i} dphi_j], the voltage on the ladder's capacitor i
    C_slit       slope of |Q_i| on u_i, slit by slit
    C_open       slope of the charge outside the slits, Q_m - sum |Q_i|, on phi_m - I_m R_open

phi_eq(q) is the potential of a slit's centre at rest, where double layers overlap (a Donnan potential): it drives no
current, so that it belongs to the capacitor and not to a node of the ladder. At the scan rates of a laboratory it
exceeds I_m R_open a millionfold. It and f_i, of any form, cancel in differences between the sweeps up and down at equal
q, to which both fits are made; where q does not return, phi_eq is a polynomial and f_i zero. A record with uneven steps
is resampled uniformly in time first. `centre_capacitances` are the slopes of |Q_i| on |phi_m - phi_i|,
without this correction; in wide slits the two agree.
Q_m is the time integral of the terminal current, which includes the displacement current; the elements thus store
all the charge that the terminal delivers. The current of the entrance fills the slits, I_0 = -d(sum Q_i)/dt.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator

from transslit import BadInput, TransSlitRecord
from transslit.config import Config

Array = np.ndarray
FEWEST = 8  # rows of the sweep up that have their like on the sweep down
AT_REST = 6  # degree of a polynomial phi_eq(q)
LEAST_OPEN = 0.01  # of R_c
FILLED = 0.2  # of the largest charge: slits with less, where a cycle is too short to reach them, tell no elements


class LadderParameters(Config):
    """Elements of one half-cell per depth: resistances in ohm m, capacitances in F/m, charge in C/m.

    A `_std` is the standard error of the fit and, of slits, the spread between them, in quadrature; the tuples hold
    each crossing's or slit's own value, numbered from the bulk. `half_entrance_resistor`: `open_resistance` belongs to
    a ladder whose first resistor (open space to slit 1) is half of R(q_1).
    """

    resistance: float
    resistance_std: float
    gamma: float
    gamma_std: float
    slit_capacitance: float
    slit_capacitance_std: float
    open_resistance: float
    open_resistance_std: float
    open_capacitance: float
    open_capacitance_std: float
    charge_max: float  # mean over filled slits of max |Q_i|, where q = 1
    half_entrance_resistor: bool = True
    resistances: tuple[float, ...] = ()
    gammas: tuple[float, ...] = ()
    r_squared: tuple[float, ...] = ()
    slit_capacitances: tuple[float, ...] = ()
    charges_max: tuple[float, ...] = ()  # max |Q_i|
    centre_capacitances: tuple[float, ...] = ()


def extract(record: TransSlitRecord, half_entrance_resistor: bool = True) -> LadderParameters:
    """Ladder elements of replica 0 of a voltage-driven record.

    Raises
    ------
    BadInput : the record has no voltage or fewer than two slits
    """
    if "phi_m_V" not in record.terminal:
        raise BadInput("record", "driven by charge", "a ladder is extracted from a voltage-driven run")
    record = record.resampled()
    terminal = record.terminal[record.terminal["replica"] == 0].sort_values("time_s")
    times = terminal["time_s"].to_numpy()
    slits = record.slits[record.slits["replica"] == 0]
    if slits["i"].nunique() < 2:
        raise BadInput("record", f"{slits['i'].nunique()} slits", "a ladder needs at least two (three layers)")
    charge = slits.pivot_table(index="time_s", columns="i", values="Q_C_per_m").to_numpy()
    phi = slits.pivot_table(index="time_s", columns="i", values="phi_V").to_numpy()
    phi_m, current = terminal["phi_m_V"].to_numpy(), terminal["I_m_A_per_m"].to_numpy()
    fitted_laws = laws(record, at_rest=True)
    values, errors = fitted_laws[:, :2], fitted_laws[:, 2:4]
    stored = np.abs(charge)
    largest = stored.max(axis=0)
    filled = largest >= FILLED * largest.max()
    values, errors = values[filled[:-1]], errors[filled[:-1]]
    resistance, gamma = values.mean(axis=0)
    # Implicit steps: the current at the end of a step is that of the whole step.
    total = np.concatenate([[0.0], np.cumsum(current[1:] * np.diff(times))])
    into = np.concatenate([[0.0], np.diff(-charge.sum(axis=1)) / np.diff(times)])
    q = stored[:, 0] / largest[0]
    entrance = (0.5 if half_entrance_resistor else 1.0) * into * resistance * (1 - gamma * q)
    open_resistance, open_error = _beside_rest(q, current, phi[:, 0] - entrance)
    if (least := LEAST_OPEN * abs(resistance)) > open_resistance:
        open_resistance, open_error = least, max(open_error, least - open_resistance)
    open_node = current * open_resistance
    nodes = (open_node + entrance)[:, None] + (phi - phi[:, :1])
    lines = _slopes(phi_m[:, None] - nodes, stored)
    slopes = lines[filled]
    outside = _slopes((phi_m - open_node)[:, None], (total + charge.sum(axis=1))[:, None])[0]
    spread = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(2)
    std = np.hypot(errors.mean(axis=0), spread)
    return LadderParameters(
        resistance=resistance,
        resistance_std=std[0],
        gamma=gamma,
        gamma_std=std[1],
        slit_capacitance=slopes[:, 0].mean(),
        slit_capacitance_std=float(np.hypot(slopes[:, 1].mean(), slopes[:, 0].std(ddof=min(1, len(slopes) - 1)))),
        open_resistance=open_resistance,
        open_resistance_std=open_error,
        open_capacitance=outside[0],
        open_capacitance_std=outside[1],
        charge_max=largest[filled].mean(),
        half_entrance_resistor=half_entrance_resistor,
        resistances=tuple(fitted_laws[:, 0]),
        gammas=tuple(fitted_laws[:, 1]),
        r_squared=tuple(laws(record)[:, 4]),
        slit_capacitances=tuple(lines[:, 0]),
        charges_max=tuple(largest),
        centre_capacitances=tuple(_slopes(np.abs(phi_m[:, None] - phi), stored)[:, 0]),
    )


def told(ladder: LadderParameters) -> dict[str, tuple[float, float, str]]:
    """The elements by their symbols, each with its standard error and unit, as they are printed."""
    return {
        "R_c": (ladder.resistance, ladder.resistance_std, "ohm*m"),
        "gamma": (ladder.gamma, ladder.gamma_std, "1"),
        "C_slit": (ladder.slit_capacitance, ladder.slit_capacitance_std, "F/m"),
        "R_open": (ladder.open_resistance, ladder.open_resistance_std, "ohm*m"),
        "C_open": (ladder.open_capacitance, ladder.open_capacitance_std, "F/m"),
    }


def laws(record: TransSlitRecord, at_rest: bool = False) -> Array:
    """R_c, gamma, their standard errors and R^2 of each crossing by equation 1, shape (crossings, 5).

    `at_rest` lets slits differ in their potentials at rest, f_i(q_i): the differences between sweeps are fitted.
    """
    joined = record.joined()
    joined = joined[(joined["replica"] == 0) & (joined["time_s"] > 0)]
    rows = []
    for _, crossing in joined.groupby("i"):
        current, q = crossing["I_A_per_m"].to_numpy(), crossing["q"].to_numpy()
        drop = crossing["dphi_V"].to_numpy()
        if at_rest and (differences := between_sweeps(q, current, drop)) is not None:
            q, current, drop = differences
        design = np.column_stack([current, -current * q])
        (a, b), *_ = np.linalg.lstsq(design / np.abs(current).max(), drop, rcond=None)
        a, b = a / np.abs(current).max(), b / np.abs(current).max()
        residual = drop - design @ [a, b]
        covariance = np.linalg.inv(design.T @ design) * (residual @ residual) / (drop.size - 2)
        gradient = np.array([-b / a**2, 1 / a])  # of gamma = b / a
        rows.append(
            [
                a,
                b / a,
                np.sqrt(covariance[0, 0]),
                np.sqrt(gradient @ covariance @ gradient),
                1 - (residual @ residual) / np.sum((drop - drop.mean()) ** 2),
            ]
        )
    return np.array(rows)


def _beside_rest(q: Array, x: Array, y: Array) -> tuple[float, float]:
    """a of y = f(q) + a x with any f, and its standard error; f is a polynomial where q does not return."""
    differences = between_sweeps(q, x, y)
    if differences is None:
        at_rest = np.vander(q, AT_REST + 1)
        dx, dy = (each - at_rest @ np.linalg.lstsq(at_rest, each, rcond=None)[0] for each in (x, y))
    else:
        _, dx, dy = differences
    size = np.abs(dx).max()
    slope = (dx / size) @ dy / ((dx / size) @ (dx / size)) / size
    error = np.linalg.norm(dy - slope * dx) / np.linalg.norm(dx) / np.sqrt(dx.size - 1)
    return float(slope), float(error)


def between_sweeps(q: Array, *columns: Array) -> tuple[Array, ...] | None:
    """q from its rise to its largest value, and how much each column is larger there than at equal q of the fall after.

    None where q does not fall back through the values of its rise.
    """
    top, rises = int(np.argmax(q)), np.diff(q) > 0
    before, after = np.flatnonzero(~rises[:top]), np.flatnonzero(rises[top:])
    first = int(before[-1]) + 1 if before.size else 0
    last = top + (int(after[0]) if after.size else len(q) - 1 - top)
    fall = np.arange(last, top - 1, -1)
    fall = fall[np.append(True, np.diff(q[fall]) > 0)]
    rise = np.arange(first, top)
    rise = rise[(q[rise] >= q[fall[0]]) & (q[rise] > 0)]
    if rise.size < FEWEST or fall.size < FEWEST:
        return None
    return q[rise], *(each[rise] - PchipInterpolator(q[fall], each[fall])(q[rise]) for each in columns)


def _slopes(x: Array, y: Array) -> Array:
    """Slopes of the lines y(x) with free intercept and their standard errors, column by column, (columns, 2)."""
    fits = [np.polyfit(a, b, 1, cov=True) for a, b in zip(x.T, y.T, strict=True)]
    return np.array([[line[0], np.sqrt(covariance[0, 0])] for line, covariance in fits])
