"""Nanoscale numbers from a macroscopic curve: R_c, gamma, C_slit and R_open fitted to a measured CV or galvanostatics.

    x = (ln R_c, gamma, ln C_slit, ln R_open),   minimise sum (model(x) - measured)^2 over the curve

The measured V_m(t) drives the model and the current is compared; where the current is stepwise constant (a
galvanostat's) the measured I_m(t) drives and the voltage is compared. The covariance is s^2 (J^T J)^-1 with s^2 the
mean squared residual, for errors that are alike and independent; intervals are +-1.96 standard errors in x, and the
correlation matrix and the standard errors tell which numbers the curve does not hold (the paper's Fig. 4e put to use).
q = 1 is where a slit is full at the largest |V_m|, whatever C_slit comes out as.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from circuit.config import CircuitConfig
from circuit.measured import Curve
from circuit.simulate import simulate
from transslit.drive import TableDrive
from transslit.errors import BadInput

Array = np.ndarray
PARAMETERS = {"resistance": "ohm", "gamma": "1", "slit_capacitance": "F", "open_resistance": "ohm"}
KINK = 1e-3  # of a drive's span: what a straight line may miss of it
KNOWN = 0.3  # standard error (relative; of gamma absolute) up to which a number counts as identified


@dataclass(frozen=True)
class Fit:
    """A fitted circuit.

    `table` has one row per parameter: parameter, value, low, high (95 %), std, unit, identified. `correlation` is
    (4, 4) in that order. `config` is the fitted circuit under the measured drive; `residual` (k,) is model - measured,
    in A or V (`compared`), and `rms_over_peak` its size.
    """

    table: pd.DataFrame
    correlation: pd.DataFrame
    config: CircuitConfig
    residual: Array
    compared: str
    rms_over_peak: float


def fit(curve: Curve, guess: CircuitConfig, points: int = 400, evaluations: int = 25) -> Fit:
    """Fit a circuit of known layers and C_open, from `guess`, to `points` rows of a measured curve.

    Raises
    ------
    BadInput : the guess has no resistance or is not of equal elements, or the curve has no current to speak of
    """
    for name in ("resistance", "slit_capacitance", "gamma"):
        if not isinstance(getattr(guess, name), float | int):
            raise BadInput(name, getattr(guess, name), "a fit starts from one number for all slits")
    if not np.abs(curve.current).max() > 0 or not np.ptp(curve.voltage) > 0:
        raise BadInput("curve", "flat", "holds neither current nor voltage to be fitted")
    by_current = is_galvanostatic(curve)
    given, compared = (curve.current, curve.voltage) if by_current else (curve.voltage, curve.current)
    time, value = sparse(*(held(curve.time, given) if by_current else (curve.time, given)))
    name = "current" if by_current else "voltage"
    drive = TableDrive.model_validate({"time": tuple(time.tolist()), name: tuple(value.tolist())})
    rows = np.unique(np.linspace(0, len(curve.time) - 1, points).round().astype(int))
    times, measured = curve.time[rows], compared[rows]
    largest = float(np.abs(curve.voltage).max()) / (2 if guess.full_cell else 1)
    peak = float(np.abs(compared).max())
    start = 0.0 if abs(curve.voltage[0]) < 0.02 * np.ptp(curve.voltage) or by_current else float(curve.voltage[0])
    base = guess.model_copy(update={"drive": drive, "tolerance": 1e-7, "initial_voltage": start, "points": 3})

    def circuit(x: Array) -> CircuitConfig:
        R, C, opened = (float(v) for v in np.exp(x[[0, 2, 3]]))
        names = {"resistance": R, "gamma": float(x[1]), "slit_capacitance": C, "open_resistance": opened}
        return base.model_copy(update={**names, "charge_max": C * largest})

    def misfit(x: Array) -> Array:
        try:
            found = simulate(circuit(x)).terminals(times)
        except BadInput:  # R <= 0 on the way: a wall, not an answer
            return np.full(len(times), 10.0)
        return ((base.half_cells * found[0] if by_current else found[1]) - measured) / peak

    first = [np.log(guess.resistance), guess.gamma, np.log(guess.slit_capacitance), np.log(guess.open_resistance)]  # type: ignore[arg-type]
    far = np.log(1e3)  # how far from the guess
    low = [-3.0 if i == 1 else value - far for i, value in enumerate(first)]
    high = [0.99 if i == 1 else value + far for i, value in enumerate(first)]
    solution = least_squares(
        misfit, first, bounds=(low, high), x_scale=(1, 0.3, 0.3, 1), diff_step=[1e-2] * 4, max_nfev=evaluations
    )
    freedom = max(len(times) - len(first), 1)
    jacobian = np.asarray(solution.jac)
    squares = jacobian.T @ jacobian
    squares += 1e-14 * squares.max() * np.eye(len(squares))  # what the curve knows nothing of has a wide interval
    covariance = np.linalg.inv(squares) * (2 * solution.cost / freedom)
    std = np.sqrt(np.diag(covariance))
    x = solution.x
    logarithmic = np.array([True, False, True, True])

    def back(values: Array) -> Array:
        return np.where(logarithmic, np.exp(np.clip(np.where(logarithmic, values, 0.0), -600, 600)), values)

    table = pd.DataFrame(
        {
            "parameter": list(PARAMETERS),
            "value": back(x),
            "low": back(x - 1.96 * std),
            "high": back(x + 1.96 * std),
            "std": np.where(logarithmic, back(x) * std, std),
            "unit": list(PARAMETERS.values()),
            "identified": std < KNOWN,
        }
    )
    correlation = covariance / np.outer(std, std)
    return Fit(
        table,
        pd.DataFrame(correlation, index=list(PARAMETERS), columns=list(PARAMETERS)),
        circuit(x).model_copy(update={"points": max(guess.points, 3), "tolerance": guess.tolerance}),
        solution.fun * peak,
        "V_m_V" if by_current else "I_m_A",
        float(np.sqrt(np.mean(solution.fun**2))),
    )


def is_galvanostatic(curve: Curve) -> bool:
    """Whether |I_m| stays within a twentieth of its median for nine tenths of the rows."""
    size = np.abs(curve.current)
    middle = np.median(size)
    return bool(middle > 0 and np.mean(np.abs(size - middle) < 0.05 * middle) > 0.9)


def held(time: Array, value: Array) -> tuple[Array, Array]:
    """Rows that hold each value until the next: a galvanostat's jump lies at the first row that shows it."""
    jump = np.flatnonzero(np.abs(np.diff(value)) > 0.05 * np.ptp(value)) + 1
    before = time[jump] - 1e-6 * (time[jump] - time[jump - 1])
    return np.insert(time, jump, before), np.insert(value, jump, value[jump - 1])


def sparse(time: Array, value: Array) -> tuple[Array, Array]:
    """The fewest rows found (Ramer-Douglas-Peucker) whose straight lines stay within `KINK` of the span."""
    allowed = KINK * np.ptp(value)
    keep = np.zeros(len(time), dtype=bool)
    keep[[0, -1]] = True
    pending = [(0, len(time) - 1)]
    while pending:
        a, b = pending.pop()
        if b - a < 2:
            continue
        line = value[a] + (value[b] - value[a]) * (time[a + 1 : b] - time[a]) / (time[b] - time[a])
        away = np.abs(value[a + 1 : b] - line)
        worst = int(np.argmax(away))
        if away[worst] > allowed:
            keep[a + 1 + worst] = True
            pending += [(a, a + 1 + worst), (a + 1 + worst, b)]
    return time[keep], value[keep]
