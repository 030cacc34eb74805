"""Nanoscale numbers from a macroscopic curve: R_c, gamma, C_slit and R_open fitted to a measured CV or galvanostatics.

    x = (ln R_c, gamma, ln C_slit, ln R_open),   minimise sum (model(x) - measured)^2 over the curve

The measured V_m(t) drives the model and the current is compared; where the current is piecewise constant
(galvanostatic charge-discharge) the measured I_m(t) drives the model and the voltage is compared. Bounds, covariance
s^2 (J^T J)^-1 (s^2 is the mean squared residual; errors are taken as alike and independent), standard errors and
correlations are lmfit's. An interval is x -+ `STANDARD_ERRORS` standard errors, within the bounds of the search; the
standard errors and correlations show which parameters the curve determines (compare the paper's Fig. 4e). q = 1 is
where a slit is full at the largest |V_m|, whatever the fitted C_slit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from lmfit import Minimizer, Parameters
from lmfit.minimizer import MinimizerResult

from circuit.config import CircuitConfig
from circuit.measured import Curve
from circuit.simulate import simulate
from transslit.drive import TableDrive
from transslit.errors import BadInput
from transslit.resampling import STANDARD_ERRORS

Array = np.ndarray
PARAMETERS = {"resistance": "ohm", "gamma": "1", "slit_capacitance": "F", "open_resistance": "ohm"}
TYPICAL_CHANGE = {"resistance": 1.0, "gamma": 0.3, "slit_capacitance": 0.3, "open_resistance": 1.0}  # of x in a step
LOGARITHMIC = np.array([name != "gamma" for name in PARAMETERS])
REACH = 1e3  # factor either way of the guess within which R_c, C_slit and R_open are sought
GAMMA_BOUNDS = (-3.0, 0.99)
INFEASIBLE = 10.0  # residual, over the peak of the curve: penalise infeasible R <= 0
DIFFERENCE = 1e-2  # relative step of the finite differences in J
LINEAR = 1e-3  # of a drive's span: largest error of its piecewise linear approximation
NETWORK_TIME = "n^2*resistance*slit_capacitance"
KNOWN = 0.3  # standard error (relative; of gamma absolute) up to which a parameter counts as identified


@dataclass(frozen=True)
class Fit:
    """A fitted circuit.

    `table` has one row per parameter: parameter, value, low, high (ends of the interval), std, unit, identified; and
    one of the product n^2 R_c C_slit of n slits in s, which does not depend on how many slits are assumed.
    `correlation` is (4, 4) in the parameters' order. `config` is the fitted circuit under the measured drive;
    `residual` (k,) is model - measured, in A or V (`compared`), and `rms_over_peak` its root mean square over the
    curve's peak.
    """

    table: pd.DataFrame
    correlation: pd.DataFrame
    config: CircuitConfig
    residual: Array
    compared: str
    rms_over_peak: float


def fit(curve: Curve, guess: CircuitConfig, points: int = 400, evaluations: int = 25) -> Fit:
    """Fit a circuit of known layers and C_open, from `guess`, to `points` rows of a measured curve.

    `evaluations` is the largest number of steps; the model runs for the derivatives are not counted.

    Raises
    ------
    BadInput : the guess has no resistance or is not of equal elements, or the curve has no current to speak of
    """
    for name in ("resistance", "slit_capacitance", "gamma"):
        if not isinstance(getattr(guess, name), float | int):
            raise BadInput(name, getattr(guess, name), "a fit starts from one number for all slits")
    if not np.abs(curve.current).max() > 0 or not np.ptp(curve.voltage) > 0:
        raise BadInput("curve", "flat", "a fit needs a current, and a voltage that changes")
    by_current = is_galvanostatic(curve)
    compared = curve.voltage if by_current else curve.current
    rows = np.unique(np.linspace(0, len(curve.time) - 1, points).round().astype(int))
    times, measured = curve.time[rows], compared[rows]
    peak = float(np.abs(compared).max())
    largest = float(np.abs(curve.voltage).max()) / (2 if guess.full_cell else 1)
    base = _under_measured_drive(guess, curve, by_current)

    def circuit(parameters: Parameters) -> CircuitConfig:
        x = np.array(list(parameters.valuesdict().values()))
        elements = dict(zip(PARAMETERS, _physical(x).tolist(), strict=True))
        return base.model_copy(update={**elements, "charge_max": elements["slit_capacitance"] * largest})

    def residual(parameters: Parameters) -> Array:
        try:
            voltage, current = simulate(circuit(parameters)).terminals(times)
        except BadInput:  # R <= 0
            return np.full(len(times), INFEASIBLE)
        return ((base.half_cells * voltage if by_current else current) - measured) / peak

    parameters = _parameters(guess)
    scale = [TYPICAL_CHANGE[name] for name, parameter in parameters.items() if parameter.vary]
    minimizer = Minimizer(residual, parameters, x_scale=scale, diff_step=DIFFERENCE)
    minimizer.kws["max_nfev"] = evaluations  # SciPy's: a fit that meets lmfit's own limit has no covariance
    with np.errstate(all="ignore"):  # the inverse of J^T J may overflow where a parameter is not determined
        result = minimizer.least_squares()
    return Fit(
        pd.concat([_table(result), _network_time(result, guess.slits)], ignore_index=True),
        _correlation(result),
        circuit(result.params).model_copy(update={"points": guess.points, "tolerance": guess.tolerance}),
        result.residual * peak,
        "V_m_V" if by_current else "I_m_A",
        float(np.sqrt(np.mean(result.residual**2))),
    )


def is_galvanostatic(curve: Curve) -> bool:
    """Whether |I_m| stays within a twentieth of its median for nine tenths of the rows."""
    size = np.abs(curve.current)
    middle = np.median(size)
    return bool(middle > 0 and np.mean(np.abs(size - middle) < 0.05 * middle) > 0.9)


def piecewise_constant(time: Array, value: Array) -> tuple[Array, Array]:
    """Rows that keep each value until the next: a galvanostat's jump lies at the first row that shows it."""
    jump = np.flatnonzero(np.abs(np.diff(value)) > 0.05 * np.ptp(value)) + 1
    before = time[jump] - 1e-6 * (time[jump] - time[jump - 1])
    return np.insert(time, jump, before), np.insert(value, jump, value[jump - 1])


def piecewise_linear(time: Array, value: Array) -> tuple[Array, Array]:
    """Rows (Ramer-Douglas-Peucker) between which straight lines stay within `LINEAR` of the span of `value`."""
    allowed = LINEAR * np.ptp(value)
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


def _under_measured_drive(guess: CircuitConfig, curve: Curve, by_current: bool) -> CircuitConfig:
    """The guess, driven by the measured current or voltage."""
    if by_current:
        time, value = piecewise_linear(*piecewise_constant(curve.time, curve.current))
    else:
        time, value = piecewise_linear(curve.time, curve.voltage)
    name = "current" if by_current else "voltage"
    drive = TableDrive.model_validate({"time": tuple(time.tolist()), name: tuple(value.tolist())})
    at_zero = by_current or abs(curve.voltage[0]) < 0.02 * np.ptp(curve.voltage)
    start = 0.0 if at_zero else float(curve.voltage[0])
    return guess.model_copy(update={"drive": drive, "tolerance": 1e-7, "initial_voltage": start, "points": 3})


def _parameters(guess: CircuitConfig) -> Parameters:
    """x at the guess, with its bounds, by the names of `PARAMETERS`; fixed where the circuit does not depend on it."""
    parameters = Parameters()
    for name in PARAMETERS:
        value, (low, high) = guess.gamma, GAMMA_BOUNDS
        if name != "gamma":
            value = np.log(getattr(guess, name))
            low, high = value - np.log(REACH), value + np.log(REACH)
        matters = name == "open_resistance" or (guess.slits > 0 and (name != "gamma" or guess.model == "ncm"))
        parameters.add(name, value, vary=matters, min=low, max=high)
    return parameters


def _physical(x: Array) -> Array:
    """R_c, gamma, C_slit and R_open of x."""
    return np.where(LOGARITHMIC, np.exp(x), x)


def _table(result: MinimizerResult) -> pd.DataFrame:
    """The table of a `Fit`; a standard error is at most the distance of the bounds, also where there is none."""
    x, low, high, std = (
        np.array([getattr(parameter, name) for parameter in result.params.values()], dtype=float)
        for name in ("value", "min", "max", "stderr")
    )
    std = np.fmin(np.where(std > 0, std, np.inf), high - low)
    value, reach = _physical(x), STANDARD_ERRORS * std
    return pd.DataFrame(
        {
            "parameter": list(PARAMETERS),
            "value": value,
            "low": _physical(np.maximum(x - reach, low)),
            "high": _physical(np.minimum(x + reach, high)),
            "std": np.where(LOGARITHMIC, value * std, std),
            "unit": list(PARAMETERS.values()),
            "identified": std < KNOWN,
        }
    )


def _network_time(result: MinimizerResult, slits: int) -> pd.DataFrame:
    """The row of n^2 R_c C_slit, whose logarithm is the sum of two parameters."""
    resistance, capacitance = (result.params[name] for name in ("resistance", "slit_capacitance"))
    reach = np.log(REACH)
    errors = [float(p.stderr) if p.vary and p.stderr else np.inf for p in (resistance, capacitance)]
    both = (resistance.correl or {}).get("slit_capacitance", 0.0)
    variance = errors[0] ** 2 + errors[1] ** 2 + 2 * both * errors[0] * errors[1] if max(errors) < np.inf else np.inf
    std = min(float(np.sqrt(max(variance, 0.0))), 2 * reach)
    value = slits**2 * np.exp(resistance.value + capacitance.value)
    low, high = (value * np.exp(sign * min(STANDARD_ERRORS * std, 2 * reach)) for sign in (-1, 1))
    row = {"parameter": NETWORK_TIME, "value": value, "low": low, "high": high, "std": value * std, "unit": "s"}
    return pd.DataFrame([{**row, "identified": std < KNOWN}])


def _correlation(result: MinimizerResult) -> pd.DataFrame:
    """Correlations of x (4, 4); zero where a parameter is fixed or the covariance is singular."""
    names = list(PARAMETERS)
    columns = {name: {name: 1.0, **(result.params[name].correl or {})} for name in names}
    return pd.DataFrame(columns).reindex(index=names, columns=names).fillna(0.0)
