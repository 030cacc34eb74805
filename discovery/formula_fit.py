"""Constants of a given formula, with the intervals and the tests of a law that a search finds.

Constants in which the formula is linear, given the others, are fitted by linear least squares (variable projection)
at scattered values of the others, over twelve decades; from the best of these, all together by Levenberg-Marquardt.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import sympy
from scipy.optimize import least_squares
from scipy.stats import qmc

from discovery import choice, publish
from discovery.config import DiscoveryConfig
from discovery.fit import SMALLEST_SINGULAR_VALUE, Array, Rows
from discovery.hall import latex_formula
from discovery.problem import Problem
from transslit.columns import preferred_unit, stem_of, unit_of
from transslit.errors import BadInput
from transslit.formula import FUNCTIONS, NUMERIC, TOKEN, read_formula
from transslit.law import Law
from transslit.units import registry

WORD = r"(?<![\w.])[^\W\d]\w*"  # a name, but no exponent of a number
STARTS, POLISHED = 512, 6
DECADES = (-6.0, 6.0)  # of the starting values of constants that are not linear, in the units of the table
EXPONENT_MISFIT = 1e-6  # relative; above, a constant's unit does not follow from those of the columns


@dataclass(frozen=True)
class Formula:
    """A formula in names of columns and constants, and the derivatives that its fit needs."""

    text: str
    inputs: tuple[str, ...]
    constants: tuple[str, ...]
    nodes: int

    @classmethod
    def read(cls, text: str, inputs: Sequence[str]) -> Formula:
        """The formula with its inputs by their full names; other names are constants.

        Raises
        ------
        BadInput : not of the grammar of laws
        """
        short = {stem_of(name): name for name in inputs} | {name: name for name in inputs}
        full = re.sub(WORD, lambda word: short.get(word[0], word[0]), text)
        names = dict.fromkeys(word for word in re.findall(WORD, full) if word not in FUNCTIONS)
        constants = tuple(name for name in names if name not in inputs)
        nodes = sum(match[0].strip() not in "()," for match in TOKEN.finditer(full))
        formula = cls(full, tuple(inputs), constants, nodes)
        try:
            unused = set(inputs) - {str(symbol) for symbol in formula.expression.free_symbols}
        except ValueError as error:
            raise BadInput("form", text, str(error)) from None
        if len(unused) == len(inputs):
            raise BadInput("form", text, f"needs one of the inputs {', '.join(inputs)}")
        return formula

    def with_numbers(self, values: Array) -> str:
        """The formula with its constants' values, in six digits."""
        known = {name: f"{v:.6g}" if v >= 0 else f"({v:.6g})" for name, v in zip(self.constants, values, strict=True)}
        return re.sub(WORD, lambda word: known.get(word[0], word[0]), self.text)

    @cached_property
    def expression(self) -> sympy.Expr:
        """As SymPy in real symbols."""
        return read_formula(self.text, self.inputs, dict.fromkeys(self.constants, 1.0))

    def function(self, *expressions: sympy.Expr) -> Callable[[Array, Array], Array]:
        """Of inputs (inputs, rows) and constants, in the table's units: `expressions`, shape (expressions, rows)."""
        symbols = [sympy.Symbol(name, real=True) for name in (*self.inputs, *self.constants)]
        compiled = sympy.lambdify(symbols, list(expressions), NUMERIC)

        def evaluated(x: Array, constants: Array) -> Array:
            with np.errstate(all="ignore"):
                values = compiled(*x, *constants)
            out = np.empty((len(expressions), x.shape[1]))
            for row, value in zip(out, values, strict=True):
                value = np.asarray(value)
                row[:] = np.where(value.imag == 0, value.real, np.nan) if np.iscomplexobj(value) else value
            return out

        return evaluated

    @cached_property
    def value(self) -> Callable[[Array, Array], Array]:
        """The formula's values, shape (1, rows)."""
        return self.function(self.expression)

    @cached_property
    def slopes(self) -> Callable[[Array, Array], Array]:
        """Derivatives by each constant, shape (constants, rows)."""
        return self.function(*(self.expression.diff(sympy.Symbol(name, real=True)) for name in self.constants))

    @cached_property
    def linear(self) -> list[int]:
        """Positions of constants in which, together, the formula is linear; the first ones of several choices."""
        symbols = [sympy.Symbol(name, real=True) for name in self.constants]
        chosen: list[int] = []
        for k, symbol in enumerate(symbols):
            slope = self.expression.diff(symbol)
            if all(sympy.simplify(slope.diff(symbols[j])) == 0 for j in (*chosen, k)):
                chosen.append(k)
        return chosen


def fit_formula(text: str, problem: Problem, config: DiscoveryConfig, symbols: int) -> tuple[Law, pd.DataFrame]:
    """The law of a formula, and its row of a hall of fame; `symbols` is the number of operators and inputs of a search.

    Raises
    ------
    BadInput : the formula cannot be read, is not defined in the table's rows, or has constants that these do not tell
    """
    formula, rows = Formula.read(text, config.inputs), problem.rows
    scales = np.array(problem.x_scales)[:, None]

    def predict(constants: Array, x: Array) -> Array | None:
        value = formula.value(x * scales, constants)[0] / problem.y_scale
        return value if np.isfinite(value).all() else None

    with np.errstate(all="ignore"):  # of constants far from the best ones
        values = _fitted(formula, rows, scales, problem.y_scale)
    value = predict(values, rows.x)
    if value is None or (problem.held_out is not None and predict(values, problem.held_out.x) is None):
        raise BadInput("form", text, "is not defined in every row of the table")
    residual = rows.w * (rows.y - value)
    jacobian = (rows.w * formula.slopes(rows.x * scales, values) / problem.y_scale).T
    fitted = publish.FittedConstants(formula.text)
    if formula.constants:
        _tell_apart(formula, jacobian)
        samples, blocks = publish.bootstrap(values, residual, jacobian, problem, config)
        units = _units(formula, values, rows.x * scales, config)
        fitted = publish.estimate(formula.text, formula.constants, units, values, samples, blocks)
    norm = float(np.sum((rows.w * rows.y) ** 2))
    loss = max(float(residual @ residual) / norm, 1e-20)
    independent = choice.independent_rows(value, rows, problem.groups, config.tolerance)
    length = choice.description_length(loss, len(values), formula.nodes, independent, symbols, config.tolerance)
    known = publish.Candidate(fitted, lambda x: predict(values, x), loss, length)
    hall = pd.DataFrame(
        {
            "entry": [1],
            "complexity": [formula.nodes],
            "loss": [loss],
            "loss_held_out": [publish.misfit(known.predict, problem.held_out)],
            "score": [math.nan],
            "description_length": [length],
            "on_front": [True],
            "chosen": [True],
            "expression": [(written := formula.with_numbers(values))],
            "latex": [latex_formula(written, config.inputs)],
        }
    )
    return publish.make_law(known, hall, problem, config, independent, symbols), hall


def _fitted(formula: Formula, rows: Rows, scales: Array, y_scale: float) -> Array:
    """Constants of least squares, in the table's units."""
    count, target, x = len(formula.constants), rows.w * rows.y, rows.x * scales
    if not count:
        return np.zeros(0)
    linear = formula.linear
    others = [k for k in range(count) if k not in linear]

    def projected(guess: Array) -> tuple[float, Array]:
        constants = np.zeros(count)
        constants[others] = guess
        offset = rows.w * formula.value(x, constants)[0] / y_scale
        design = (rows.w * formula.slopes(x, constants)[linear] / y_scale).T
        if not (np.isfinite(design).all() and np.isfinite(offset).all()):
            return math.inf, constants
        size = np.abs(design).max(axis=0, initial=0.0)
        size[size == 0] = 1.0
        solved = np.linalg.lstsq(design / size, target - offset, rcond=None)[0]
        missed = target - offset - design / size @ solved
        constants[linear] = solved / size
        return float(missed @ missed), constants

    guesses = np.zeros((1, 0))
    if others:
        spread = qmc.Sobol(2 * len(others), seed=0).random(STARTS)
        exponents, signs = spread[:, ::2], np.where(spread[:, 1::2] < 0.5, 1.0, -1.0)
        guesses = signs * 10 ** (DECADES[0] + exponents * (DECADES[1] - DECADES[0]))
    starts = sorted((projected(guess) for guess in guesses), key=_rank)
    best = starts[0]
    for _, start in starts[:POLISHED] if others else []:
        if np.isfinite(formula.slopes(x, start)).all() and math.isfinite(best[0]):
            best = min(best, _polished(formula, rows, x, y_scale, start), key=_rank)
    if not math.isfinite(best[0]):
        raise BadInput("form", formula.text, "is not defined in every row of the table")
    return best[1]


def _rank(found: tuple[float, Array]) -> tuple[float, int]:
    """The better fit first; of equal ones, as with a tanh(b x) and -a tanh(-b x), that of fewer minus signs."""
    return float(f"{found[0]:.6e}"), int((found[1] < 0).sum())


def _polished(formula: Formula, rows: Rows, x: Array, y_scale: float, start: Array) -> tuple[float, Array]:
    """Sum of squares and constants after Levenberg-Marquardt from `start`, each constant in units of its start."""
    unit = np.where(start == 0, 1.0, np.abs(start))

    def missed(scaled: Array) -> Array:
        value = rows.w * (formula.value(x, scaled * unit)[0] / y_scale - rows.y)
        return np.nan_to_num(value, nan=1e10, posinf=1e10, neginf=-1e10)

    def slopes(scaled: Array) -> Array:
        return np.nan_to_num((rows.w * formula.slopes(x, scaled * unit) / y_scale).T * unit)

    found = least_squares(missed, start / unit, slopes, method="lm", xtol=1e-12, ftol=1e-14, gtol=1e-14)
    return float(2 * found.cost), found.x * unit


def _tell_apart(formula: Formula, jacobian: Array) -> None:
    """Refuse constants that the rows do not determine, each or against each other.

    Raises
    ------
    BadInput : names them
    """
    norms = np.linalg.norm(jacobian, axis=0)
    without = [name for name, norm in zip(formula.constants, norms, strict=True) if not norm > 0]
    if not without:
        _, singular, directions = np.linalg.svd(jacobian / norms, full_matrices=False)
        if singular[-1] > SMALLEST_SINGULAR_VALUE:
            return
        without = [name for name, part in zip(formula.constants, directions[-1], strict=True) if abs(part) > 0.1]
    raise BadInput("form", formula.text, f"the table does not determine {', '.join(without)}")


def _units(formula: Formula, constants: Array, x: Array, config: DiscoveryConfig) -> list[str]:
    """Units of the constants, from those of the columns; "" where they do not follow.

    A formula keeps its values if the unit of a column changes and the constants change with it: with the exponents a_j
    of a unit in the inputs, b in the target and u_k in the constants, sum a_j x_j df/dx_j + sum u_k c_k df/dc_k = b f.
    """
    names = (*config.inputs, config.target)
    ureg = registry()
    parts = [{str(unit): power for unit, power in ureg.Unit(unit_of(n))._units.items()} for n in names]
    by_input = formula.function(*(formula.expression.diff(sympy.Symbol(name, real=True)) for name in config.inputs))
    design = (formula.slopes(x, constants) * constants[:, None]).T
    size = np.linalg.norm(design, axis=0)
    units = [ureg.Quantity(1.0, "")] * len(constants)
    for unit in sorted({unit for part in parts for unit in part}):
        a = np.array([part.get(unit, 0) for part in parts[:-1]], dtype=float)
        right = parts[-1].get(unit, 0) * formula.value(x, constants)[0] - a @ (x * by_input(x, constants))
        powers = np.linalg.lstsq(design / size, right, rcond=None)[0] / size
        missed = np.linalg.norm(design @ powers - right)
        if not missed <= EXPONENT_MISFIT * np.linalg.norm(design) * max(1.0, float(np.abs(powers).max())):
            return [""] * len(constants)
        units = [u * ureg.Quantity(1.0, unit) ** (round(2 * p) / 2) for u, p in zip(units, powers, strict=True)]
    return [preferred_unit(unit) for unit in units]
