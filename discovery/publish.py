"""From the chosen form to a `Law` in physical units, with intervals, metrics and the front it was chosen from.

The uncertainty of the constants is a block bootstrap of the training rows (blocks of 1 + 3 (tau - 1) rows of a group,
tau the autocorrelation time of the residual), each resample refitted by one Gauss-Newton step from the optimum. The
intervals hold *all* constants of a law with 95 %: those of k constants are at 1 - 0.05/k each (Bonferroni), widened
from the normal to Student's distribution with as many degrees of freedom as there are blocks more than constants.

Sources: H. Kuensch, Ann. Statist. 17, 1217 (1989), doi:10.1214/aos/1176347265; E. Carlstein, Ann. Statist. 14, 1171
(1986), doi:10.1214/aos/1176350057 (blocks that do not overlap).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from discovery import choice, forms
from discovery.config import DiscoveryConfig
from discovery.fit import Array, Fit, Rows, fit_form, full_jacobian, predict
from discovery.forms import Form
from discovery.hall import Finalist, scalings
from discovery.problem import DRAWN, Problem
from transslit.columns import combined_unit
from transslit.law import Constant, Law
from transslit.runs import versions

FEWEST_BLOCKS = 10
ROUND_OFF = 1e-8  # of a constant: where rows have no noise, what the fit of constants inside functions stops at


def monomial_of(inputs: Sequence[int]) -> forms.Monomial:
    """The product of some inputs."""
    return tuple((("x", j), 2) for j in sorted(inputs))


def current_and_charge(config: DiscoveryConfig) -> tuple[int | None, int | None]:
    """Positions of I and of q (or of q_I, the same by the integral of I) among the inputs."""
    current = [j for j, name in enumerate(config.inputs) if name == "I" or name.startswith("I_")]
    charge = [j for j, name in enumerate(config.inputs) if name in {"q", "q_I"}]
    return (current[0] if len(current) == 1 else None), (charge[0] if len(charge) == 1 else None)


def ohmic_form(config: DiscoveryConfig) -> Form | None:
    """dphi = R I."""
    current, _ = current_and_charge(config)
    return None if current is None else (monomial_of([current]),)


def paper_form(config: DiscoveryConfig) -> Form | None:
    """dphi = I (R_c - gamma R_c q)."""
    current, charge = current_and_charge(config)
    if current is None or charge is None:
        return None
    return forms.make_form([monomial_of([current]), monomial_of([current, charge])])


def loss_on(form: Form, fit: Fit, rows: Rows | None) -> float:
    """Weighted mean square misfit over that of the target, NaN without rows or outside the domain."""
    value = None if rows is None else predict(form, fit, rows.x)
    if rows is None or value is None:
        return math.nan
    return float(np.sum((rows.w * (rows.y - value)) ** 2) / np.sum((rows.w * rows.y) ** 2))


def resample(form: Form, fit: Fit, problem: Problem, config: DiscoveryConfig) -> tuple[Array, int]:
    """Bootstrapped scaled constants (a, p), shape (resamples, constants), and the number of blocks."""
    residual, jacobian = full_jacobian(form, fit, problem.rows)
    relative = residual / math.sqrt(float(np.mean((problem.rows.w * problem.rows.y) ** 2)))
    tau = choice.autocorrelation_time(relative, problem.rows, problem.groups, config.tolerance)
    length = int(np.clip(round(1 + 3 * (tau - 1)), 1, max(len(residual) // FEWEST_BLOCKS, 1)))
    order = np.argsort(problem.groups, kind="stable")
    residual, jacobian, groups = residual[order], jacobian[order], problem.groups[order]
    position = np.arange(len(groups)) - np.searchsorted(groups, groups)  # within the group
    starts = np.flatnonzero(position % length == 0)
    scale = np.sqrt(np.einsum("rk,rk->k", jacobian, jacobian))
    jacobian = jacobian / scale  # columns of different units
    normal = np.add.reduceat(np.einsum("rk,rl->rkl", jacobian, jacobian), starts)
    gradient = np.add.reduceat(jacobian * residual[:, None], starts)
    rng = np.random.default_rng(config.seed)
    counts = rng.multinomial(len(starts), np.full(len(starts), 1 / len(starts)), size=config.bootstrap).astype(float)
    matrices = np.einsum("sb,bkl->skl", counts, normal)
    steps = np.linalg.solve(matrices + 1e-12 * np.eye(len(scale)), np.einsum("sb,bk->sk", counts, gradient)[..., None])
    return np.array([*fit.linear, *fit.inner]) + steps[..., 0] / scale, len(starts)


def _monomial_powers(monomial: forms.Monomial, config: DiscoveryConfig) -> list[tuple[str, float]]:
    return [(config.inputs[f[1]], h / 2) for f, h in monomial if f[0] in {"x", "abs"}]


def _r_squared(form: Form | None, fit: Fit | None, rows: Rows) -> float:
    value = predict(form, fit, rows.x) if form is not None and fit is not None else np.zeros_like(rows.y)
    weight = rows.w**2
    mean = float(np.sum(weight * rows.y) / np.sum(weight))
    spread = float(np.sum(weight * (rows.y - mean) ** 2))
    if value is None or not spread > 0:
        return math.nan
    return 1 - float(np.sum(weight * (rows.y - value) ** 2)) / spread


def paper_constants(samples: Array) -> Array:
    """(a_0, a_1) of a_0 I + a_1 I q as (R_c, gamma) = (a_0, -a_1/a_0), shape (..., 2)."""
    return np.stack([samples[..., 0], -samples[..., 1] / samples[..., 0]], axis=-1)


def describe(values: Array, samples: Array, blocks: int, names: Sequence[str], units: Sequence[str]) -> dict[str, Any]:
    """Constants, their covariance and joint 95 % intervals from resamples of `blocks` blocks."""
    spare = max(blocks - len(values), 1)
    covariance = np.atleast_2d(np.cov(samples, rowvar=False)) * blocks / spare
    tail = 0.025 / len(values)
    wider = math.sqrt(blocks / spare) * stdtrit(spare, tail) / ndtri(tail)
    low, high = values + wider * (np.quantile(samples, [tail, 1 - tail], axis=0) - values)
    least = ROUND_OFF * np.abs(values)
    low, high = np.minimum(low, values - least), np.maximum(high, values + least)
    std = np.sqrt(np.diag(covariance))
    return {
        "constants": {n: Constant(float(v), float(s), u) for n, v, s, u in zip(names, values, std, units, strict=True)},
        "covariance": tuple(tuple(map(float, row)) for row in covariance),
        "intervals": {n: [float(a), float(b)] for n, a, b in zip(names, low, high, strict=True)},
    }


def constants_of(form: Form, fit: Fit, problem: Problem, config: DiscoveryConfig) -> tuple[str, dict[str, Any]]:
    """Expression with named constants, and what `describe` says of them."""
    factors = scalings(form, problem)
    values = np.array([*fit.linear, *fit.inner]) * factors
    samples, blocks = resample(form, fit, problem, config)
    samples = samples * factors
    units = [combined_unit(config.target, _monomial_powers(m, config)) for m in form]
    units += [
        "1" if atom[0] == forms.POWER else combined_unit("", _monomial_powers(m, config))
        for atom, m in forms.parameters(form)
    ]
    if form == ohmic_form(config):
        name = config.inputs[form[0][0][0][1]]
        return f"{name}*R_c", describe(values, samples, blocks, ["R_c"], units)
    if form == paper_form(config):
        current, charge = current_and_charge(config)
        assert current is not None, "the paper's form has I"
        assert charge is not None, "and q"
        if form[0] != monomial_of([current]):  # (a_0 I, a_1 I q) whatever their sorted order
            values, samples, units = values[::-1], samples[:, ::-1], units[::-1]
        text = f"{config.inputs[current]}*R_c*(1 - gamma*{config.inputs[charge]})"
        return text, describe(
            paper_constants(values), paper_constants(samples), blocks, ["R_c", "gamma"], [units[0], "1"]
        )
    names = [f"c{k}" for k in range(len(values))]
    text = forms.write(form, config.inputs, names[: len(form)], names[len(form) :], scales=problem.x_scales)
    return text, describe(values, samples, blocks, names, units)


def _numbers(metrics: dict[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items() if math.isfinite(value)}


def make_law(
    chosen: Finalist | None,
    finalists: Sequence[Finalist],
    hall: pd.DataFrame,
    problem: Problem,
    config: DiscoveryConfig,
    independent: float,
    symbols: int,
) -> Law:
    """The law of the chosen form; None is y = 0. A constant is no law either."""
    rows, held = problem.rows, problem.held
    form, fit = (chosen.form, chosen.fit) if chosen else (None, None)
    found = form is not None and form != (forms.ONE,)
    expression, told = ("0", {}) if form is None or fit is None else constants_of(form, fit, problem, config)
    nothing = choice.without_law(independent, symbols, config.tolerance)
    loss = fit.loss if fit else 1.0
    scale = problem.y_scale * math.sqrt(float(np.mean((rows.w * rows.y) ** 2)))
    metrics = {
        "r2": _r_squared(form, fit, rows),
        "r2_held_out": math.nan if held is None else _r_squared(form, fit, held),
        "rmse": scale * math.sqrt(loss),
        "n_rows": rows.x.shape[1],
        "n_held_out": 0 if held is None else held.x.shape[1],
        "n_independent": independent,
        "delta_dl_no_law": nothing - (chosen.description_length if chosen else nothing),
    }
    references: dict[str, Any] = {}
    for name, reference in (("ohmic", ohmic_form(config)), ("paper", paper_form(config))):
        reference_fit = fit_form(reference, rows) if reference is not None else None
        if reference is None or reference_fit is None:
            continue
        _, about = constants_of(reference, reference_fit, problem, config)
        length = choice.description_of(reference, reference_fit, independent, symbols, config.tolerance)
        delta = length - (chosen.description_length if chosen else nothing)
        references[name] = {
            "constants": {n: {"value": c.value, "std": c.std, "unit": c.unit} for n, c in about["constants"].items()},
            "intervals": about["intervals"],
            **_numbers(
                {
                    "r2": _r_squared(reference, reference_fit, rows),
                    "r2_held_out": math.nan if held is None else _r_squared(reference, reference_fit, held),
                    "delta_dl": delta,
                }
            ),
        }
        if name == "ohmic":
            count = len(told["constants"]) if told else 0
            misfit = math.log((reference_fit.loss + config.tolerance**2) / (loss + config.tolerance**2))
            metrics["delta_bic_ohmic"] = independent * misfit + (1 - count) * math.log(independent)
            metrics["delta_dl_ohmic"] = delta
    if form is not None and form == paper_form(config):
        metrics["gamma"] = told["constants"]["gamma"].value
        metrics["gamma_std"] = told["constants"]["gamma"].std
    front = hall[hall["on_front"]] if len(hall) else hall
    judges = problem.judges or ({DRAWN: held} if held is not None else {})
    return Law(
        config.target,
        config.inputs,
        expression,
        told.get("constants", {}),
        _numbers(metrics),
        tuple(
            {
                str(key): (None if isinstance(value, float) and math.isnan(value) else value)
                for key, value in row.items()
                if key != "on_front"
            }
            for row in front.to_dict("records")
        ),
        told.get("covariance", ()),
        {
            "found": found,
            "rule": choice.RULE,
            "intervals_95": told.get("intervals", {}),
            "references": references,
            "held_out": list(problem.judges) or (DRAWN if held is not None else "none"),
            "judged": {
                name: _numbers({"r2": _r_squared(form, fit, judge), "rows": judge.x.shape[1]})
                for name, judge in judges.items()
            },
            "inputs": dict(problem.meaning),
            "weighted": problem.weighted,
            "versions": versions(),
            "seed": config.seed,
            "config": config.model_dump(mode="json"),
        },
    )
