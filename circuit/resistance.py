"""Trans-slit resistance R_i(q) of the slits, with slopes, from equation 1 of the paper, a table, or any `Law`.

    R(q) = R_c + R_d,   R_d = -gamma R_c q,   q = |Q| / Q_max          (nano-circuitry model, NCM)
    R(q) = R(0)                                                        (transmission line model, TLM)

Source: the paper's equation 1 and Fig. 4; the transmission line is that of R. de Levie, Electrochim. Acta 8,
751 (1963), doi:10.1016/0013-4686(63)80042-0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy

from circuit.config import CircuitConfig, HalfCell
from circuit.curves import element
from transslit.errors import BadInput
from transslit.formula import NUMERIC
from transslit.law import Law

Function = Callable[[np.ndarray], np.ndarray]
Q = sympy.Symbol("q", real=True)
LEAST = 1e-9  # q at which a law's slope is evaluated for all smaller q: sqrt(q) is infinitely steep at q = 0


@dataclass(frozen=True)
class SlitResistance:
    """R_i(q_i) and dR_i/dq_i (ohm, or ohm m; q dimensionless) of arrays (..., slits); the slope may be (slits,).

    `expressions` is R_i(q) as SymPy in `q`, slit by slit, or once for all slits; empty where it is a table. `held` says
    that R keeps its value beyond q = 1.
    """

    value: Function
    slope: Function
    expressions: tuple[sympy.Expr, ...]
    held: bool = False

    @property
    def follows_charge(self) -> bool:
        """Whether R of any slit depends on q."""
        return not self.expressions or any(expression.free_symbols for expression in self.expressions)

    def expression(self, slit: int) -> sympy.Expr | None:
        """R(q) of a slit (1 is nearest the bulk); None if it is a table."""
        if not self.expressions:
            return None
        return self.expressions[min(slit, len(self.expressions)) - 1]


def linear(resistance: np.ndarray, gamma: np.ndarray) -> SlitResistance:
    """R_c (1 - gamma q); R_c in ohm (or ohm m), slit by slit, shape (slits,) each."""
    slope = -resistance * gamma
    pairs = list(zip(resistance, slope, strict=True))
    if len(set(pairs)) == 1:
        pairs = pairs[:1]
    return SlitResistance(
        lambda q: resistance + slope * q,
        lambda q: slope,
        tuple(sympy.Float(float(a)) + sympy.Float(float(b)) * Q for a, b in pairs),
    )


def of_law(law: Law, slits: int) -> SlitResistance:
    """R(q) of a law, the same for all slits; beyond q = 1, where no law was found, it keeps its value."""
    expression = law.resistance_expression
    slope = sympy.diff(expression, Q)
    if Q in slope.free_symbols:
        steepness, value = (sympy.lambdify(Q, each, NUMERIC) for each in (slope, expression))
        return SlitResistance(
            lambda q: value(np.minimum(q, 1.0)),
            lambda q: np.where(q > 1, 0.0, steepness(np.clip(q, LEAST, 1.0))),
            (expression,),
            held=True,
        )
    constant, empty = (np.full(slits, float(e)) for e in (slope, expression.subs(Q, 0)))
    return SlitResistance(
        lambda q: empty + constant * np.minimum(q, 1.0),
        lambda q: np.where(q > 1, 0.0, constant),
        (expression,),
        held=True,
    )


def slit_resistance(config: CircuitConfig, law: Law | None = None, electrode: HalfCell | None = None) -> SlitResistance:
    """R(q) of `law` where one is given, else of the electrode's table, else of its R_c and gamma; TLM: R(0) alone.

    Raises
    ------
    BadInput : neither a law nor a resistance is given, the law is not a resistance, or R(0) is not positive
    """
    cell = electrode or config
    if law is not None:
        chosen = of_law(law, cell.slits)
    elif cell.resistance_table is not None:
        curves = element(cell.tables("resistance_table"))
        chosen = SlitResistance(lambda q: curves(q)[0], lambda q: curves(q)[1], ())
    elif cell.resistance is not None:
        chosen = linear(cell.per_slit("resistance"), cell.per_slit("gamma"))
    elif cell.slits:
        raise BadInput("resistance", "missing", "give a slit's resistance (5ohm) or a law")
    else:
        chosen = linear(np.zeros(0), np.zeros(0))
    uncharged = chosen.value(np.zeros(cell.slits))
    if not (np.isfinite(uncharged) & (uncharged > 0)).all():
        worst = float(uncharged[np.argmin(np.nan_to_num(uncharged, nan=-np.inf))])
        raise BadInput("resistance", f"{worst:g} of an uncharged slit (q = 0)", "must be positive and finite")
    return linear(uncharged, np.zeros(cell.slits)) if config.model == "tlm" else chosen
