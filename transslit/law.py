"""A trans-slit law: dphi = f(I, q) with q = |Q| / Q_max, as an expression with fitted constants."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import sympy

from transslit.errors import BadInput

FUNCTIONS = frozenset({"exp", "log", "sqrt", "Abs", "sign", "sin", "cos", "tanh", "sinh", "cosh", "Max", "Min"})


def _only_arithmetic(expression: str) -> None:
    """Refuse anything but numbers, names, operators and `FUNCTIONS`: SymPy would evaluate it as Python."""
    allowed = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Name, ast.Load, ast.Constant)
    for node in ast.walk(ast.parse(expression, mode="eval")):
        called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS
        if not (called or isinstance(node, allowed)) or isinstance(getattr(node, "value", 0), str):
            raise SyntaxError("not arithmetic")


@dataclass(frozen=True)
class Constant:
    """A fitted constant with its standard error and unit."""

    value: float
    std: float = 0.0
    unit: str = "1"


@dataclass(frozen=True)
class Law:
    """`target` as a SymPy `expression` in the names of `inputs` and `constants`.

    `covariance` is that of the constants in their order; `front` lists the Pareto front the law was chosen
    from (complexity, loss, score, expression); `metrics` holds r2, r2_held_out and their like.
    """

    target: str
    inputs: tuple[str, ...]
    expression: str
    constants: Mapping[str, Constant]
    metrics: Mapping[str, float] = field(default_factory=dict)
    front: tuple[Mapping[str, Any], ...] = ()
    covariance: tuple[tuple[float, ...], ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {*self.inputs, *self.constants}
        unknown = sorted(str(s) for s in self.symbolic.free_symbols if str(s) not in known)
        if unknown:
            raise BadInput("law expression", self.expression, f"unknown names {', '.join(unknown)}")

    @cached_property
    def symbolic(self) -> sympy.Expr:
        """The expression as SymPy, constants by name."""
        names = {name: sympy.Symbol(name, real=True) for name in (*self.inputs, *self.constants)}
        try:
            _only_arithmetic(self.expression)
            return sympy.sympify(self.expression, locals=names)
        except (sympy.SympifyError, SyntaxError, TypeError, AttributeError) as error:
            raise BadInput("law expression", self.expression, "is not SymPy syntax") from error

    @cached_property
    def numeric(self) -> sympy.Expr:
        """The expression with the constants' values put in."""
        return self.symbolic.subs({sympy.Symbol(n, real=True): c.value for n, c in self.constants.items()})

    def _input(self, prefix: str) -> sympy.Symbol:
        match = [name for name in self.inputs if name == prefix or name.startswith(prefix + "_")]
        if len(match) != 1:
            raise BadInput("law inputs", ", ".join(self.inputs), f"one of them must be {prefix}")
        return sympy.Symbol(match[0], real=True)

    def predict(self, **inputs: np.ndarray) -> np.ndarray:
        """Target at `inputs` (arrays by name), broadcast."""
        symbols = [sympy.Symbol(name, real=True) for name in self.inputs]
        value = sympy.lambdify(symbols, self.numeric, "numpy")(*(inputs[name] for name in self.inputs))
        return np.broadcast_to(np.asarray(value, dtype=float), np.broadcast(*inputs.values()).shape)

    @cached_property
    def resistance_expression(self) -> sympy.Expr:
        """R(q) = dphi / I as SymPy in the symbol `q`.

        Raises
        ------
        BadInput : the law is not a resistance, since dphi is not proportional to I
        """
        current = self._input("I")
        ratio = sympy.simplify(self.numeric / current)
        if current in ratio.free_symbols:
            raise BadInput("law", self.expression, f"a circuit needs a law proportional to {current}")
        charge = [s for s in ratio.free_symbols if str(s) != "q"]
        if charge:
            raise BadInput("law", self.expression, "a circuit needs a law in I and q alone")
        return ratio

    def resistance(self) -> tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]:
        """R(q) and dR/dq as vectorised functions, in the unit of dphi over I."""
        q = sympy.Symbol("q", real=True)
        ratio = self.resistance_expression

        def vectorised(expression: sympy.Expr) -> Callable[[np.ndarray], np.ndarray]:
            function = sympy.lambdify(q, expression, "numpy")
            return lambda charge: np.broadcast_to(np.asarray(function(charge), dtype=float), np.shape(charge)).copy()

        return vectorised(ratio), vectorised(sympy.diff(ratio, q))

    @classmethod
    def paper(cls, resistance: float, gamma: float, unit: str = "ohm*m", **extra: Any) -> Self:
        """The paper's equation 1, dphi = I R_c (1 - gamma q)."""
        constants = {"R_c": Constant(resistance, unit=unit), "gamma": Constant(gamma)}
        return cls("dphi_V", ("I_A_per_m", "q"), "I_A_per_m*R_c*(1 - gamma*q)", constants, **extra)

    def to_json(self) -> dict[str, Any]:
        """The content of law.json."""
        return {
            "target": self.target,
            "inputs": list(self.inputs),
            "expression": self.expression,
            "constants": {n: {"value": c.value, "std": c.std, "unit": c.unit} for n, c in self.constants.items()},
            "covariance": [list(row) for row in self.covariance],
            "metrics": dict(self.metrics),
            "front": [dict(row) for row in self.front],
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The law of `to_json`; a KeyError where a field is missing."""
        return cls(
            content["target"],
            tuple(content["inputs"]),
            content["expression"],
            {n: Constant(c["value"], c["std"], c["unit"]) for n, c in content["constants"].items()},
            content.get("metrics", {}),
            tuple(content.get("front", ())),
            tuple(tuple(row) for row in content.get("covariance", ())),
            content.get("provenance", {}),
        )

    def write(self, path: Path) -> None:
        """Write law.json, whole or not at all."""
        partial = path.with_name(f".{path.name}.part")
        partial.write_text(json.dumps(self.to_json(), indent=1, allow_nan=False) + "\n", encoding="utf-8")
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read law.json (or the run folder that holds it).

        Raises
        ------
        BadInput : missing, truncated, or not a law
        """
        path = Path(path)
        path = path / "law.json" if path.is_dir() else path
        try:
            return cls.from_json(json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise BadInput("law", path, f"cannot be read ({error.strerror})") from None
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput("law", path, f"is not a law.json ({error})") from None
