"""The hall of fame: the forms that the law was chosen from, in physical units, as a table and in LaTeX.

Constants: scaled a, p become a y_s / S(m), p / S(m) with S(m) = prod s_j^(n/2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import sympy

from discovery import forms
from discovery.config import DiscoveryConfig
from discovery.fit import Array, Fit
from discovery.forms import Form
from discovery.problem import Problem
from transslit.columns import stem_of
from transslit.formula import read_formula

FAME = 60
BETTER = 1e-6  # a smaller relative gain is round-off


@dataclass(frozen=True)
class Finalist:
    """A form fitted on all training rows; `loss_held_out` is NaN where nothing is held out."""

    form: Form
    fit: Fit
    nodes: int
    description_length: float
    loss_held_out: float


def scalings(form: Form, problem: Problem) -> Array:
    """Factors that take the scaled constants (a, p) to physical ones."""
    linear = [problem.y_scale / forms.scale_of(m, problem.x_scales) for m in form]
    inner = [
        1.0 if atom[0] == forms.POWER else 1.0 / forms.scale_of(m, problem.x_scales)
        for atom, m in forms.parameters(form)
    ]
    return np.array([*linear, *inner])


def written(form: Form, problem: Problem, config: DiscoveryConfig, constants: Array) -> str:
    """The formula with numbers in physical units."""
    text = [f"({value:.6g})" if value < 0 else f"{value:.6g}" for value in constants]
    return forms.write(form, config.inputs, text[: len(form)], text[len(form) :], scales=problem.x_scales)


def latex_of(expression: str, inputs: Sequence[str]) -> str:
    """The formula in LaTeX, inputs without their units."""
    symbols = {sympy.Symbol(name, real=True): sympy.latex(sympy.Symbol(stem_of(name))) for name in inputs}
    return sympy.latex(read_formula(expression, inputs, {}), symbol_names=symbols)


def latex_table(hall: pd.DataFrame, target: str) -> str:
    """The hall of fame as a LaTeX tabular in the units of its table; a star marks the law."""
    shown = hall.assign(score=[f"{s:.3g}" for s in hall["score"]], mark=np.where(hall["chosen"], r"$\star$", ""))
    rows = [
        f"{row['complexity']} & {row['loss']:.3g} & {row['score'].replace('nan', '')} & "
        f"{row['description_length']:.1f} & ${row['latex']}$ & {row['mark']}"
        for row in shown.to_dict("records")
    ]
    symbol = sympy.latex(sympy.Symbol(stem_of(target)))
    head = f"complexity & loss & score & description length & ${symbol}$ & "
    return "\n".join([r"\begin{tabular}{rrrrll}", *(f"{row} \\\\" for row in [head, *rows]), r"\end{tabular}"]) + "\n"


def front_of(
    finalists: Sequence[Finalist], chosen: Finalist | None, problem: Problem, config: DiscoveryConfig
) -> pd.DataFrame:
    """Hall of fame: the front, and the `FAME` finalists of the shortest descriptions (finalists come in that order).

    By complexity; `score` is -d ln(loss) / d complexity along the front.

    Columns: complexity, loss, loss_held_out, score (NaN off the front), description_length, on_front,
    chosen, expression, latex.
    """
    ranked = sorted(finalists, key=lambda f: (f.nodes, f.fit.loss, repr(f.form)))
    rows: list[dict[str, Any]] = []
    best, nodes = math.inf, 0
    famous = {finalist.form for finalist in finalists[:FAME]}
    for finalist in ranked:
        loss = max(finalist.fit.loss, 1e-16)
        on_front = loss < best * (1 - BETTER)
        score = math.log(best / loss) / (finalist.nodes - nodes) if on_front and math.isfinite(best) else math.nan
        if on_front:
            best, nodes = loss, finalist.nodes
        elif finalist.form not in famous and finalist is not chosen:
            continue
        constants = np.array([*finalist.fit.linear, *finalist.fit.inner]) * scalings(finalist.form, problem)
        expression = written(finalist.form, problem, config, constants)
        rows.append(
            {
                "complexity": finalist.nodes,
                "loss": finalist.fit.loss,
                "loss_held_out": finalist.loss_held_out,
                "score": score,
                "description_length": finalist.description_length,
                "on_front": on_front,
                "chosen": finalist is chosen,
                "expression": expression,
                "latex": latex_of(expression, config.inputs),
            }
        )
    return pd.DataFrame(rows)
