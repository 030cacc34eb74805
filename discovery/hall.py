"""The hall of fame: the forms that the law was selected from, in physical units, as a table and in LaTeX.

The constants a and p of scaled variables are a y_s / S(m) and p / S(m) in physical units, with S(m) = prod s_j^(n/2).
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

SHORTEST = 60  # descriptions in the table beside the front
LEAST_GAIN = 1e-6  # relative, in loss; less is round-off


@dataclass(frozen=True)
class Finalist:
    """A form fitted on all training rows; `loss_held_out` is NaN where nothing is held out."""

    form: Form
    fit: Fit
    nodes: int
    description_length: float
    loss_held_out: float


def scalings(form: Form, problem: Problem) -> Array:
    """Factors that convert the constants (a, p) of scaled variables to physical units, shape (constants,)."""
    linear = [problem.y_scale / forms.scale_of(m, problem.x_scales) for m in form]
    inner = [
        1.0 if atom[0] == forms.POWER else 1.0 / forms.scale_of(m, problem.x_scales)
        for atom, m in forms.parameters(form)
    ]
    return np.array([*linear, *inner])


def numeric_formula(form: Form, constants: Array, problem: Problem, config: DiscoveryConfig) -> str:
    """The formula of a form with the values of its `constants`, which are in physical units."""
    text = [f"({value:.6g})" if value < 0 else f"{value:.6g}" for value in constants]
    return forms.formula(form, config.inputs, text[: len(form)], text[len(form) :], scales=problem.x_scales)


def latex_formula(expression: str, inputs: Sequence[str]) -> str:
    """A formula in LaTeX; its inputs are written without their units."""
    symbols = {sympy.Symbol(name, real=True): sympy.latex(sympy.Symbol(stem_of(name))) for name in inputs}
    return sympy.latex(read_formula(expression, inputs, {}), symbol_names=symbols)


def latex_table(hall: pd.DataFrame, target: str) -> str:
    """The hall of fame as a LaTeX table in the units of the data; a star marks the law."""
    shown = hall.assign(score=[f"{s:.3g}" for s in hall["score"]], mark=np.where(hall["chosen"], r"$\star$", ""))
    rows = [
        f"{row['complexity']} & {row['loss']:.3g} & {row['score'].replace('nan', '')} & "
        f"{row['description_length']:.1f} & ${row['latex']}$ & {row['mark']}"
        for row in shown.to_dict("records")
    ]
    symbol = sympy.latex(sympy.Symbol(stem_of(target)))
    head = f"complexity & loss & score & description length & ${symbol}$ & "
    return "\n".join([r"\begin{tabular}{rrrrll}", *(f"{row} \\\\" for row in [head, *rows]), r"\end{tabular}"]) + "\n"


def hall_of_fame(
    finalists: Sequence[Finalist], chosen: Finalist | None, problem: Problem, config: DiscoveryConfig
) -> pd.DataFrame:
    """The Pareto front and the first `SHORTEST` of the finalists, which are in order of description length.

    Rows are in order of complexity. Columns: entry (from 1), complexity, loss, loss_held_out,
    score = -d ln(loss) / d complexity along the front (NaN off it), description_length, on_front, chosen, expression,
    latex.
    """
    ranked = sorted(finalists, key=lambda f: (f.nodes, f.fit.loss, repr(f.form)))
    rows: list[dict[str, Any]] = []
    best, nodes = math.inf, 0
    shortest = {finalist.form for finalist in finalists[:SHORTEST]}
    for finalist in ranked:
        loss = max(finalist.fit.loss, 1e-16)
        on_front = loss < best * (1 - LEAST_GAIN)
        score = math.log(best / loss) / (finalist.nodes - nodes) if on_front and math.isfinite(best) else math.nan
        if on_front:
            best, nodes = loss, finalist.nodes
        elif finalist.form not in shortest and finalist is not chosen:
            continue
        constants = np.array([*finalist.fit.linear, *finalist.fit.inner]) * scalings(finalist.form, problem)
        expression = numeric_formula(finalist.form, constants, problem, config)
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
                "latex": latex_formula(expression, config.inputs),
            }
        )
    return pd.DataFrame(rows).assign(entry=range(1, len(rows) + 1))
