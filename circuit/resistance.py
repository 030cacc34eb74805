"""Trans-slit resistance R(q) of one slit, with its slope, from the paper's equation 1 or from any `Law`.

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

from circuit.config import CircuitConfig
from transslit.errors import BadInput
from transslit.law import Law

Function = Callable[[np.ndarray], np.ndarray]
Q = sympy.Symbol("q", real=True)


@dataclass(frozen=True)
class SlitResistance:
    """R(q) and dR/dq (ohm, or ohm m; q dimensionless) as vectorised functions, and R(q) as SymPy in `q`."""

    value: Function
    slope: Function
    expression: sympy.Expr


def linear(resistance: float, gamma: float = 0.0) -> SlitResistance:
    """R_c (1 - gamma q); `resistance` is R_c in ohm (or ohm m)."""
    fall = -resistance * gamma
    return SlitResistance(
        lambda q: resistance + fall * q,
        lambda q: np.full(np.shape(q), fall),
        sympy.Float(resistance) + sympy.Float(fall) * Q,
    )


def slit_resistance(config: CircuitConfig, law: Law | None = None) -> SlitResistance:
    """R(q) of `law` where one is given, of the configuration's R_c and gamma otherwise; R(0) alone for the TLM.

    Raises
    ------
    BadInput : neither a law nor a resistance is given, the law is not a resistance, or R(0) is not positive
    """
    if law is None:
        if config.resistance is None:
            raise BadInput("resistance", "missing", "give a slit's resistance (5ohm) or a law")
        chosen = linear(config.resistance, config.gamma)
    else:
        chosen = SlitResistance(*law.resistance(), law.resistance_expression)
    uncharged = float(chosen.value(np.zeros(1))[0])
    if not (np.isfinite(uncharged) and uncharged > 0):
        raise BadInput("resistance", f"{uncharged:g} of an uncharged slit (q = 0)", "must be positive and finite")
    return linear(uncharged) if config.model == "tlm" else chosen
