"""A trans-slit law: dphi = f(I, q) with q = |Q| / Q_max, as an expression with fitted constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
import sympy
from pydantic import Field, model_validator

from transslit.columns import unit_of
from transslit.config import Config
from transslit.errors import BadInput
from transslit.files import checked, read_json, write_json
from transslit.formula import FUNCTIONS, LARGEST, NUMERIC, proportional, read_formula, undefined_at
from transslit.units import registry

Name = Annotated[str, Field(pattern=r"^[^\W\d]\w*$", max_length=100)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


@dataclass(frozen=True)
class Constant:
    """A fitted constant with its standard error and unit; the bounds are those of law.json."""

    value: Annotated[Number, Field(ge=-LARGEST, le=LARGEST)]
    std: Annotated[Number, Field(ge=0)] = 0.0
    unit: str = "1"


@dataclass(frozen=True)
class Law:
    """`target` as a SymPy `expression` in the names of `inputs` and `constants`.

    `covariance` is that of the constants in their order; `front` lists the Pareto front of the search (complexity,
    loss, score, expression); `metrics` has r2, r2_held_out and others.
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
        _ = self.symbolic  # raises BadInput if the expression cannot be read

    @cached_property
    def symbolic(self) -> sympy.Expr:
        """The expression as SymPy, constants by name."""
        try:
            return read_formula(self.expression, self.inputs, {n: c.value for n, c in self.constants.items()})
        except ValueError as error:
            raise BadInput("law expression", self.expression, str(error)) from None

    @cached_property
    def numeric(self) -> sympy.Expr:
        """The expression with the values of the constants."""
        return self.symbolic.subs({sympy.Symbol(n, real=True): c.value for n, c in self.constants.items()})

    def _input(self, prefix: str) -> sympy.Symbol:
        match = [name for name in self.inputs if name == prefix or name.startswith(prefix + "_")]
        if len(match) != 1:
            raise BadInput("law inputs", ", ".join(self.inputs), f"one of them must be {prefix}")
        return sympy.Symbol(match[0], real=True)

    def predict(self, **inputs: np.ndarray) -> np.ndarray:
        """Target at `inputs` (arrays by name, broadcast to one shape); NaN where the law is not defined."""
        symbols = [sympy.Symbol(name, real=True) for name in self.inputs]
        with np.errstate(all="ignore"):
            value = np.asarray(sympy.lambdify(symbols, self.numeric, NUMERIC)(*(inputs[n] for n in self.inputs)))
        real = np.where(value.imag == 0, value.real, np.nan).astype(float)
        return np.broadcast_to(real, np.broadcast(*inputs.values()).shape)

    @cached_property
    def resistance_expression(self) -> sympy.Expr:
        """R(q) = dphi / I as SymPy in the symbol `q`, in ohm, or in ohm m for a current per depth.

        Raises
        ------
        BadInput : the target is no voltage or the input no current, dphi is not proportional to I, or the ratio is not
            real and finite for every q from 0 to 1
        """
        current, q = self._input("I"), sympy.Symbol("q", real=True)
        if not proportional(self.numeric, current):
            hint = "" if self.provenance.get("found", True) else "; the search found none, so leave it out"
            raise BadInput("law", self.expression, f"a circuit needs a law proportional to {current}{hint}")
        ratio = self.numeric.subs(current, 1)
        if ratio.free_symbols - {q}:
            raise BadInput("law", self.expression, "a circuit needs a law in I and q alone")
        undefined = undefined_at(ratio, q)
        if undefined is not None:
            raise BadInput("law", self.expression, f"is not real and finite at q = {undefined:.4g}")
        return ratio if (scale := self._ohms(str(current))) == 1 else ratio * scale

    def _ohms(self, current: str) -> float:
        """The unit of the target over that of the current, from their names, in ohm or ohm m."""
        ureg = registry()
        volt, ampere = (ureg.Quantity(1.0, unit_of(name)) for name in (self.target, current))
        ratio = volt / ampere
        unit = next((unit for unit in ("ohm", "ohm*m") if ratio.is_compatible_with(unit)), None)
        if unit is None or not volt.is_compatible_with("V"):
            what = "a circuit needs a voltage over a current, units in the names, as dphi_V and I_A_per_m"
            raise BadInput("law", f"{self.target} over {current}", what)
        return float(f"{ratio.to(unit).magnitude:.12g}")

    def resistance(self) -> tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]:
        """R(q) and dR/dq as vectorised functions, in ohm, or ohm m for a current per depth."""
        q = sympy.Symbol("q", real=True)
        ratio = self.resistance_expression

        def vectorised(expression: sympy.Expr) -> Callable[[np.ndarray], np.ndarray]:
            function = sympy.lambdify(q, expression, NUMERIC)
            return lambda charge: np.broadcast_to(np.asarray(function(charge), dtype=float), np.shape(charge)).copy()

        return vectorised(ratio), vectorised(sympy.diff(ratio, q))

    @classmethod
    def paper(cls, resistance: float, gamma: float, unit: str = "ohm*m", **extra: Any) -> Self:
        """The paper's equation 1, dphi = I R_c (1 - gamma q)."""
        constants = {"R_c": Constant(resistance, unit=unit), "gamma": Constant(gamma)}
        return cls("dphi_V", ("I_A_per_m", "q"), "I_A_per_m*R_c*(1 - gamma*q)", constants, **extra)

    def to_json(self) -> dict[str, Any]:
        """The content of law.json."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any], path: Path = Path("law.json")) -> Self:
        """The law from the content of law.json; errors name the file `path`.

        Raises
        ------
        BadInput : a field is missing or of another type, or the expression cannot be read
        """
        return cls(**dict(checked(content, LawFile, path, "law")))

    def write(self, path: Path) -> None:
        """Write law.json atomically."""
        write_json(path, self.to_json())

    @classmethod
    def read(cls, path: Path, entry: int | None = None) -> Self:
        """Read law.json, or the one in a run folder; with `entry`, another formula of the hall of fame beside it.

        Raises
        ------
        BadInput : missing, truncated, or not a law; no such entry, which count from 1
        """
        path = Path(path)
        path = path / "law.json" if path.is_dir() else path
        if not path.exists():
            raise BadInput("law", path, "no such file")
        law = cls.from_json(read_json(path, "law"), path)
        if entry is None:
            return law
        hall = path.parent / "hall_of_fame.json"
        rows = read_json(hall, "entry") if hall.exists() else []
        if not 0 < entry <= len(rows):
            raise BadInput("entry", entry, f"{hall} has 1 to {len(rows)}" if rows else f"there is no {hall}")
        return replace(law, expression=rows[entry - 1]["expression"], constants={}, covariance=())


class LawFile(Config):
    """The content of law.json."""

    target: Name
    inputs: Annotated[tuple[Name, ...], Field(min_length=1, max_length=20)]
    expression: str
    constants: dict[Name, Constant]
    covariance: tuple[tuple[Number, ...], ...] = ()
    metrics: dict[str, Number | None] = Field(default_factory=dict)
    front: tuple[dict[str, Any], ...] = ()
    provenance: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [*self.inputs, *self.constants]
        if len(set(names)) < len(names) or set(names) & set(FUNCTIONS):
            raise ValueError("inputs and constants need names of their own")
        if self.covariance and {len(self.constants)} != {len(self.covariance), *map(len, self.covariance)}:
            raise ValueError("covariance: needs a row and a column for each constant")
        matrix = np.array(self.covariance)
        if matrix.size and not (
            np.allclose(matrix, matrix.T) and np.linalg.eigvalsh(matrix).min() > -1e-9 * matrix.max()
        ):
            raise ValueError("covariance: must be symmetric, without a negative eigenvalue")
        return self
