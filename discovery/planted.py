"""Synthetic tables with a planted law, for tests, benchmarks and examples of the search.

    y = f(x; a, b, ...) + noise rms(f) N(0, 1)

The inputs of slit laws follow a cyclic voltammogram (I is a trapezoid with RC transients and q its integral) or are
uniform random numbers; those of other laws are uniform random numbers in the ranges of the inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import sympy
from scipy.optimize import least_squares

from discovery.fit import Array
from transslit.law import Law

RESISTANCE = 0.12  # ohm m, the order of a 20 nm slit in 1 M KCl
PEAK = 0.05  # A/m
SLIT_RANGES = {"I_A_per_m": (-PEAK, PEAK), "q": (0.0, 1.0)}
EXACT = 1e-6  # largest difference from the planted law, relative to its root mean square, of an equal law


@dataclass(frozen=True)
class PlantedLaw:
    """`target` = `expression` (SymPy syntax) of `constants` and of inputs in `ranges`."""

    expression: str
    constants: Mapping[str, float]
    ranges: Mapping[str, tuple[float, float]]
    target: str

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(self.ranges)

    def __call__(self, table: pd.DataFrame) -> Array:
        """The law without noise at the rows of `table`, shape (rows,)."""
        return _compiled(self.expression, (*self.inputs, *self.constants))(
            *(table[name].to_numpy(dtype=float) for name in self.inputs), *self.constants.values()
        ) + np.zeros(len(table))


def slit_law(resistance: str, offset: str = "0", **constants: float) -> PlantedLaw:
    """dphi = a I `resistance` + `offset`, with a the resistance of an empty slit."""
    expression = f"a*I_A_per_m*({resistance}) + {offset}"
    return PlantedLaw(expression, {"a": RESISTANCE, **constants}, SLIT_RANGES, "dphi_V")


BENCHMARK_LAWS = {
    "ohmic": slit_law("1"),
    "paper": slit_law("1 - b*q", b=0.5),
    "quadratic": slit_law("1 - b*q + c*q**2", b=0.9, c=0.6),
    "exponential": slit_law("exp(-b*q)", b=1.2),
    "reciprocal": slit_law("1/(1 + b*q)", b=2.0),
    "root": slit_law("1 - b*sqrt(q)", b=0.5),
    "offset": slit_law("1 - b*q", "c", b=0.5, c=3e-4),
}
FURTHER_LAWS = {
    "charge alone": slit_law("q"),
    "square alone": slit_law("1 - b*q**2", b=0.5),
    "cubic": slit_law("1 - b*q**3", b=0.6),
    "to the power 3/2": slit_law("1 - b*q*sqrt(q)", b=0.6),
    "any power": slit_law("1 - b*q**c", b=0.7, c=0.3),
    "root and linear": slit_law("1 - b*sqrt(q) + c*q", b=1.2, c=0.6),
    "squared reciprocal": slit_law("1/(1 + b*q)**2", b=1.5),
    "reciprocal of a root": slit_law("1/sqrt(1 + b*q)", b=4.0),
    "saturating": slit_law("1 - b*tanh(c*q)", b=0.6, c=4.0),
    "decaying to a rest": slit_law("b + exp(-c*q)", b=0.4, c=5.0),
    "logarithmic": slit_law("1 - b*log(1 + c*q)", b=0.3, c=8.0),
    "gaussian": slit_law("exp(-b*q**2)", b=1.5),
    "rectifying": slit_law("1 - b*q", "c*I_A_per_m**2", b=0.5, c=0.9),
    "current limited": slit_law("1/(1 + b*Abs(I_A_per_m))", b=30.0),
    "current and charge": slit_law("1 - b*q + c*Abs(I_A_per_m)", b=0.5, c=8.0),
    "capacitor in series": slit_law("1", "b*q", b=3e-3),
    "saturating current": PlantedLaw("a*tanh(b*I_A_per_m)", {"a": 4e-3, "b": 50.0}, SLIT_RANGES, "dphi_V"),
    "ratio": PlantedLaw("a*x_m/y_s", {"a": 3.0}, {"x_m": (-2, 2), "y_s": (1, 3)}, "v_m_per_s"),
    "powers": PlantedLaw("a*x_m**2*sqrt(y_s)/z", {"a": 2.0}, {"x_m": (0.5, 2), "y_s": (0, 3), "z": (1, 4)}, "w_m2"),
    "any powers": PlantedLaw(
        "a*(x_m/2)**b*(y_s/3)**c", {"a": 2.0, "b": 1.8, "c": -0.7}, {"x_m": (0.5, 2), "y_s": (1, 3)}, "w_m2"
    ),
    "logarithm": PlantedLaw("a + b*log(x_m)", {"a": 0.2, "b": 0.06}, {"x_m": (0.1, 5.0)}, "v_V"),
    "activated": PlantedLaw(
        "a*I_A_per_m*exp(b/T_K)*(1 - c*q)",
        {"a": 1e-3, "b": 1500.0, "c": 0.5},
        {**SLIT_RANGES, "T_K": (280.0, 350.0)},
        "dphi_V",
    ),
    "width": PlantedLaw(
        "I_A_per_m*(a + b/d)*(1 - c*q)", {"a": 0.1, "b": 0.2, "c": 0.5}, {**SLIT_RANGES, "d": (1.0, 5.0)}, "dphi_V"
    ),
}


def voltammogram(rows: int = 400, slits: int = 5) -> pd.DataFrame:
    """I and q of one cycle in every slit: columns time_s, I_A_per_m, q (0 to 1 and back), group, i."""
    time = np.linspace(0, 2, rows + 1)[1:]
    tables = []
    for i in range(1, slits + 1):
        lag, peak = 0.04 + 0.03 * i, PEAK * (1.2 - 0.18 * i)  # deep slits carry less and lag more
        rise, fall = 1 - np.exp(-time / lag), -1 + 2 * np.exp(-np.maximum(time - 1, 0) / lag)
        current = peak * np.where(time <= 1, rise, fall) * (1 + 0.15 * np.cos(time))
        charge = np.cumsum(current)
        columns = {"time_s": time * 1e-5, "I_A_per_m": current, "q": np.abs(charge) / np.abs(charge).max()}
        tables.append(pd.DataFrame(columns).assign(group=f"0.{i}", i=i))
    return pd.concat(tables, ignore_index=True)


def planted_table(planted: PlantedLaw, noise: float, seed: int, rows: int = 2000, even: bool = False) -> pd.DataFrame:
    """Inputs and noisy target of `planted`, with `rows` rows; slit laws follow a voltammogram unless `even`."""
    rng = np.random.default_rng(seed)
    if planted.ranges is SLIT_RANGES and not even:
        table = voltammogram(rows // 5)
    else:
        table = pd.DataFrame({name: rng.uniform(*ends, rows) for name, ends in planted.ranges.items()})
    exact = planted(table)
    return table.assign(
        **{planted.target: exact + noise * np.sqrt(np.mean(exact**2)) * rng.standard_normal(len(table))}
    )


def _compiled(expression: str, names: tuple[str, ...]) -> Callable[..., Any]:
    symbols = {name: sympy.Symbol(name, real=True) for name in names}
    return sympy.lambdify(list(symbols.values()), sympy.sympify(expression, locals=symbols), "numpy")


def true_constants(law: Law, planted: PlantedLaw) -> dict[str, float] | None:
    """Values of the constants of `law` at which it equals the planted law; None if it has another form.

    The form is that of the planted law if it has as many constants and, once these are fitted, differs from it by
    less than `EXACT` everywhere.
    """
    if len(law.constants) != len(planted.constants):
        return None
    table = planted_table(planted, 0.0, 0, 300, even=True)
    exact = planted(table)
    scale = float(np.sqrt(np.mean(exact**2)))
    start = np.array([c.value for c in law.constants.values()])
    function = _compiled(law.expression, (*law.inputs, *law.constants))
    inputs = [table[name].to_numpy(dtype=float) for name in law.inputs]

    def difference(p: Array) -> Array:
        with np.errstate(all="ignore"):
            value = np.nan_to_num((function(*inputs, *(p * start)) - exact) / scale, nan=1e3, posinf=1e3, neginf=-1e3)
        return np.broadcast_to(value, exact.shape)

    fit = least_squares(difference, np.ones(len(start)), xtol=1e-15, ftol=1e-15, gtol=1e-15)
    if np.abs(fit.fun).max() > EXACT:
        return None
    return dict(zip(law.constants, (fit.x * start).tolist(), strict=True))


def inside_intervals(law: Law, truth: Mapping[str, float]) -> list[bool]:
    """Whether the confidence interval of each constant contains its true value."""
    intervals = law.provenance["intervals_95"]
    return [intervals[name][0] <= value <= intervals[name][1] for name, value in truth.items()]
