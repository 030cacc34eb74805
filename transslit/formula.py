"""Formulas of laws: a grammar of numbers, declared names and a few functions, read into SymPy.

    sum      = product {(+ | -) product}
    product  = signed {(* | /) signed}
    signed   = {+ | -} power
    power    = atom [** signed]
    atom     = number | name | function(sum {, sum}) | (sum)

SymPy gets no text, and every subexpression without an input is first evaluated in floating point: it must be real and
at most `LARGEST`, so that the length of a formula bounds the time and the memory that it takes.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Collection, Mapping
from functools import partial, reduce
from typing import Any, NamedTuple

import numpy as np
import sympy

LENGTH = 5_000  # characters
NODES = 200  # numbers, names, operations and functions
DEPTH = 24  # of brackets, signs and powers in one another
LARGEST = 1e100  # of a number
STEEPEST = 64  # of a power
POINTS = 1025  # of q from 0 to 1
LOWEST, REFINED = 8, 8  # number of these around which the grid is refined, and refinements, each twentyfold
NEAR_ZERO = 1e-6  # of the largest value of a divisor; smaller values count as zero
TOKEN = re.compile(
    r"\s*(?:([0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)|([^\W\d]\w*)|(\*\*|[-+*/(),]))"
)


class _Extreme(sympy.Function):
    """Larger or smaller of two expressions, unevaluated: SymPy's own compare them, for minutes with a few terms."""

    nargs = 2
    is_extended_real = True
    sign = 1

    @classmethod
    def eval(cls, first: sympy.Expr, second: sympy.Expr) -> sympy.Expr | None:
        """The larger or smaller of two numbers; other expressions stay as they are."""
        if not (first.is_number and second.is_number):
            return None
        return first if cls.sign * (float(first) - float(second)) >= 0 else second

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """One where the argument is the value of the function, else zero."""
        first, second = self.args if argindex == 1 else self.args[::-1]
        return sympy.Heaviside(self.sign * (first - second))


class Max(_Extreme):
    """The larger of two."""


class Min(_Extreme):
    """The smaller of two."""

    sign = -1


# Modules of `sympy.lambdify`, for the functions of a formula and their derivatives.
NUMERIC: list[Any] = [
    {
        "Max": np.maximum,
        "Min": np.minimum,
        "Heaviside": lambda x, *_: np.where(np.asarray(x) > 0, 1.0, 0.0),
        "DiracDelta": lambda x, *_: np.zeros(np.shape(x)),  # the slope at a jump, taken as that beside it
    },
    "numpy",
]


FUNCTIONS: dict[str, tuple[Callable[..., sympy.Expr], Callable[..., float], int]] = {  # SymPy's, float's, arguments
    "exp": (sympy.exp, math.exp, 1),
    "log": (sympy.log, math.log, 1),
    "sqrt": (sympy.sqrt, math.sqrt, 1),
    "Abs": (sympy.Abs, abs, 1),
    "sign": (sympy.sign, lambda x: math.copysign(bool(x), x), 1),
    "sin": (sympy.sin, math.sin, 1),
    "cos": (sympy.cos, math.cos, 1),
    "tanh": (sympy.tanh, math.tanh, 1),
    "sinh": (sympy.sinh, math.sinh, 1),
    "cosh": (sympy.cosh, math.cosh, 1),
    "Max": (lambda *parts: reduce(Max, parts), max, 2),
    "Min": (lambda *parts: reduce(Min, parts), min, 2),
}


class Value(NamedTuple):
    """A subexpression as SymPy, and its value if it has no input."""

    symbolic: sympy.Expr
    constant: float | None


def read_formula(text: str, inputs: Collection[str], constants: Mapping[str, float]) -> sympy.Expr:
    """The formula as SymPy in real symbols by the names of `inputs` and `constants`.

    Raises
    ------
    ValueError : not of the grammar, an unknown name, too long, or a part is not real and finite; the message says which
    """
    if len(text) > LENGTH:
        raise ValueError(f"has {len(text)} characters; {LENGTH} are read")
    reader = _Reader(text, inputs, constants)
    found = reader.sum()
    if reader.token:
        raise ValueError(f"nothing can follow before {reader.token!r}")
    if found.symbolic.has(sympy.nan, sympy.zoo, sympy.oo, sympy.I):
        raise ValueError("is not real and finite")
    return found.symbolic


class _Reader:
    """Recursive-descent parser with a method for each rule of the grammar."""

    def __init__(self, text: str, inputs: Collection[str], constants: Mapping[str, float]) -> None:
        self.text, self.inputs, self.constants = text, inputs, constants
        self.place = self.nodes = self.depth = 0
        self.token = self.kind = ""
        self.advance()

    def advance(self) -> str:
        """Return the current token and go to the next one, which is empty at the end of the text."""
        token = self.token
        rest = self.text[self.place :]
        if not rest.strip():
            self.token = self.kind = ""
            return token
        match = TOKEN.match(self.text, self.place)
        if match is None:
            raise ValueError(f"{rest.strip()[0]!r} has no place in a formula")
        self.place = match.end()
        self.token = match[match.lastindex or 0]
        self.kind = ("", "number", "name", "operator")[match.lastindex or 0]
        return token

    def made(self, symbolic: sympy.Expr, constant: float | complex | None) -> Value:
        """Count a node of the formula, and check its value.

        Raises
        ------
        ValueError : too many nodes, or a value that is not real and finite
        """
        self.nodes += 1
        if self.nodes > NODES:
            raise ValueError(f"has more than {NODES} numbers, names and operations")
        if constant is not None and not (isinstance(constant, float) and abs(constant) <= LARGEST):
            raise ValueError("holds a part that is not real and finite")
        return Value(symbolic, constant)

    def sum(self) -> Value:
        """A sum."""
        return self.chain({"+": operator.add, "-": operator.sub}, self.product)

    def product(self) -> Value:
        """A product."""
        return self.chain({"*": operator.mul, "/": operator.truediv}, self.signed)

    def chain(self, operations: Mapping[str, Callable[..., Any]], operand: Callable[[], Value]) -> Value:
        """Operands with `operations` of one precedence between them, from left to right."""
        value = operand()
        while self.token in operations:
            operation = operations[self.advance()]
            other = operand()
            value = self.made(operation(value.symbolic, other.symbolic), _of(operation, value, other))
        return value

    def signed(self) -> Value:
        """A power with the signs before it."""
        self.depth += 1
        if self.depth > DEPTH:
            raise ValueError(f"is nested more than {DEPTH} deep")
        if self.token in ("+", "-"):
            minus = self.advance() == "-"
            value = self.signed()
            value = self.made(-value.symbolic, _of(operator.neg, value)) if minus else value
        else:
            value = self.power()
        self.depth -= 1
        return value

    def power(self) -> Value:
        """An atom or its power."""
        base = self.atom()
        if self.token != "**":
            return base
        self.advance()
        exponent = self.signed()
        if exponent.constant is not None and abs(exponent.constant) > STEEPEST:
            raise ValueError(f"has a power of {exponent.constant:g}; at most {STEEPEST} is read")
        return self.made(base.symbolic**exponent.symbolic, _of(operator.pow, base, exponent))

    def atom(self) -> Value:
        """A number, a name, a function of arguments, or a sum in brackets."""
        kind, token = self.kind, self.advance()
        if kind == "number":
            value = float(token)
            short = token.isdigit() and len(token) <= 15
            return self.made(sympy.Integer(int(token)) if short else sympy.Float(value), value)
        if kind == "name" and self.token == "(":
            return self.function(token)
        if kind == "name":
            if token not in self.inputs and token not in self.constants:
                raise ValueError(f"unknown name {token}; known are {', '.join([*self.inputs, *self.constants])}")
            return self.made(sympy.Symbol(token, real=True), self.constants.get(token))
        if token == "(":
            inner = self.sum()
            self.close()
            return inner
        raise ValueError(f"{token!r} cannot begin a term" if token else "ends too early")

    def function(self, name: str) -> Value:
        """The arguments of the function `name`, which is the token before."""
        if name not in FUNCTIONS:
            raise ValueError(f"unknown function {name}; known are {', '.join(FUNCTIONS)}")
        symbolic, numeric, least = FUNCTIONS[name]
        self.advance()
        arguments = [self.sum()]
        while self.token == ",":
            self.advance()
            arguments.append(self.sum())
        self.close()
        if len(arguments) < least or (least == 1 and len(arguments) > 1):
            raise ValueError(f"{name} takes {'one argument' if least == 1 else 'two arguments or more'}")
        return self.made(symbolic(*(a.symbolic for a in arguments)), _of(numeric, *arguments))

    def close(self) -> None:
        """Go past a closing bracket."""
        if self.token != ")":
            raise ValueError(f"needs ) before {self.token!r}" if self.token else "lacks a closing bracket")
        self.advance()


def _of(function: Callable[..., float], *values: Value) -> float | None:
    """The function of constant values; NaN if it is not defined, None if a value is not constant."""
    numbers = [value.constant for value in values]
    if None in numbers:
        return None
    try:
        found = function(*numbers)
    except (ValueError, ArithmeticError):
        return math.nan
    return math.nan if isinstance(found, complex) else float(found)


def proportional(expression: sympy.Expr, current: sympy.Symbol) -> bool:
    """Whether `expression` is proportional to `current`, whatever its sign: homogeneous of degree one, and odd.

    The test is sufficient, not necessary: it does not see cancellations between sums.
    """
    if _degree(expression, current) != 1:
        return False
    others = sorted(expression.free_symbols - {current}, key=str)
    values = sympy.lambdify(others, [expression.subs(current, 1), expression.subs(current, -1)], NUMERIC)
    points = [np.linspace(0.05 + 0.01 * k, 0.95, 7) for k in range(len(others))]
    with np.errstate(all="ignore"):
        forward, backward = (np.asarray(value, dtype=complex) for value in values(*points))
        even = np.abs(forward + backward) > 1e-9 * np.abs(forward)
    return not even.any()  # `undefined_at` tests where it is defined


def _degree(expression: sympy.Expr, symbol: sympy.Symbol) -> sympy.Expr | None:
    """Degree of homogeneity of `expression` in `symbol` > 0; None if it is not homogeneous."""
    if symbol not in expression.free_symbols:
        return sympy.Integer(0)
    if expression == symbol:
        return sympy.Integer(1)
    found = [_degree(argument, symbol) for argument in expression.args]
    degrees = [degree for degree in found if degree is not None]
    if len(degrees) < len(found):
        return None
    if expression.is_Mul:
        return sympy.Add(*degrees)
    if expression.is_Pow:
        return degrees[0] * expression.exp if degrees[1] == 0 and expression.exp.is_number else None
    if isinstance(expression, sympy.sign):
        return sympy.Integer(0)
    if len(set(degrees)) > 1:
        return None
    if expression.is_Add or isinstance(expression, sympy.Abs | _Extreme):
        return degrees[0]
    return degrees[0] if degrees[0] == 0 else None


def undefined_at(expression: sympy.Expr, symbol: sympy.Symbol) -> float | None:
    """A value of `symbol` in [0, 1] at which `expression` is not real and finite; None if there is none.

    The expression is evaluated on an even grid. Between the points, the arguments of roots, logarithms and negative
    powers are minimised: they must not be negative, or within `NEAR_ZERO` of zero if zero is a pole.
    """
    guards = _guards(expression)
    function = sympy.lambdify(symbol, [expression, *(part for part, _, _ in guards)], NUMERIC)

    def at(x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            values = np.array([np.broadcast_to(np.asarray(value, dtype=complex), x.shape) for value in function(x)])
        return np.where(values.imag == 0, values.real, np.nan)

    grid = np.linspace(0.0, 1.0, POINTS)
    values = at(grid)
    bad = ~np.isfinite(values).all(axis=0)
    if bad.any():
        return float(grid[np.argmax(bad)])
    for number, (_, signed, pole) in enumerate(guards, start=1):
        least = NEAR_ZERO * np.abs(values[number]).max() if pole else 0.0
        size = values[number] if signed else np.abs(values[number])
        changes = np.flatnonzero(np.diff(np.sign(values[number])) != 0)
        if pole and changes.size:
            return float(grid[changes[0]])
        guard = partial(_guard, at, number, signed)
        for start in np.argsort(size)[:LOWEST]:
            x, found = _lowest(guard, grid, int(start))
            if found < least or (pole and found == 0):
                return x
    return None


def _guards(expression: sympy.Expr) -> list[tuple[sympy.Expr, bool, bool]]:
    """Arguments of the roots, logarithms and negative powers in `expression`.

    Returns
    -------
    each with whether it must not be negative, and whether it must not be zero
    """
    found = [(part.args[0], True, True) for part in expression.atoms(sympy.log)]
    for part in sympy.preorder_traversal(expression):
        if part.is_Pow and not (part.exp.is_Integer and part.exp > 0):
            pole = not part.exp.is_number or bool(part.exp < 0)
            found.append((part.base, not part.exp.is_Integer, pole))
    return found


def _guard(at: Callable[[np.ndarray], np.ndarray], number: int, signed: bool, q: np.ndarray) -> np.ndarray:
    values = at(q)[number]
    return values if signed else np.abs(values)


def _lowest(function: Callable[[np.ndarray], np.ndarray], grid: np.ndarray, start: int) -> tuple[float, float]:
    """Position and value of the minimum of `function` about a point of the grid, on ever finer grids."""
    low, high = grid[max(start - 1, 0)], grid[min(start + 1, grid.size - 1)]
    for _ in range(REFINED):
        fine = np.linspace(low, high, 41)
        values = function(fine)
        if not np.isfinite(values).all():
            return float(fine[np.argmin(np.isfinite(values))]), -math.inf
        best = int(np.argmin(values))
        low, high = fine[max(best - 1, 0)], fine[min(best + 1, 40)]
    return float(fine[best]), float(values[best])
