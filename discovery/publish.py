"""From the selected form to a `Law` in physical units, with confidence intervals, metrics and the Pareto front.

The uncertainty of the constants is estimated by a block bootstrap of the training rows (blocks of 1 + 3 (tau - 1) rows
of a group, with the autocorrelation time tau of the residual); each resample is refitted by one Gauss-Newton step from
the optimum. The intervals contain *all* k constants of a law with the probability C of
`transslit.resampling`: each is at 1 - (1 - C)/k (Bonferroni), and is widened from the normal to Student's distribution,
whose degrees of freedom are the number of blocks less that of the constants.

Sources: H. Kuensch, Ann. Statist. 17, 1217 (1989), doi:10.1214/aos/1176347265; E. Carlstein, Ann. Statist. 14, 1171
(1986), doi:10.1214/aos/1176350057 (blocks that do not overlap).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from discovery import choice, forms
from discovery.config import DiscoveryConfig
from discovery.fit import Array, Fit, Rows, fit_form, full_jacobian, predict
from discovery.forms import Form
from discovery.hall import scalings
from discovery.problem import RANDOM_FIFTH, Problem
from transslit.columns import combined_unit
from transslit.law import Constant, Law
from transslit.resampling import PERCENTILES
from transslit.runs import versions

Entry = dict[str, object]  # of law.json

FEWEST_BLOCKS = 10
ROUND_OFF = 1e-8  # relative, of a constant: the precision of the fit of inner constants to rows without noise


def monomial_of(inputs: Sequence[int]) -> forms.Monomial:
    """The product of some inputs."""
    return tuple((("x", j), 2) for j in sorted(inputs))


def ohmic_form(config: DiscoveryConfig) -> Form | None:
    """dphi = R I."""
    return None if config.current is None else (monomial_of([config.current]),)


def paper_form(config: DiscoveryConfig) -> Form | None:
    """dphi = I (R_c - gamma R_c q)."""
    if config.current is None or config.charge is None:
        return None
    return forms.make_form([monomial_of([config.current]), monomial_of([config.current, config.charge])])


def misfit(predicted: Callable[[Array], Array | None], rows: Rows | None) -> float:
    """Weighted mean square misfit over that of the target, NaN without rows or outside the domain."""
    value = None if rows is None else predicted(rows.x)
    if rows is None or value is None:
        return math.nan
    return float(np.sum((rows.w * (rows.y - value)) ** 2) / np.sum((rows.w * rows.y) ** 2))


def loss_on(form: Form, fit: Fit, rows: Rows | None) -> float:
    """The misfit of a fitted form."""
    return misfit(partial(predict, form, fit), rows)


def bootstrap(
    values: Array, residual: Array, jacobian: Array, problem: Problem, config: DiscoveryConfig
) -> tuple[Array, int]:
    """Constants of resamples, shape (resamples, constants), and the number of blocks.

    Parameters
    ----------
    values : (constants,) that fit best
    residual, jacobian : weighted w (y - f), shape (rows,), and d(w f)/d(constants), shape (rows, constants)
    """
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
    return values + steps[..., 0] / scale, len(starts)


def _monomial_powers(monomial: forms.Monomial, config: DiscoveryConfig) -> list[tuple[str, float]]:
    return [(config.inputs[f[1]], h / 2) for f, h in monomial if f[0] in {"x", "abs"}]


def _r_squared(value: Array | None, rows: Rows) -> float:
    """R^2 of predicted values; NaN where there are none or the target is constant."""
    weight = rows.w**2
    mean = float(np.sum(weight * rows.y) / np.sum(weight))
    spread = float(np.sum(weight * (rows.y - mean) ** 2))
    if value is None or not spread > 0:
        return math.nan
    return 1 - float(np.sum(weight * (rows.y - value) ** 2)) / spread


def paper_constants(samples: Array) -> Array:
    """(a_0, a_1) of a_0 I + a_1 I q as (R_c, gamma) = (a_0, -a_1/a_0), shape (..., 2)."""
    return np.stack([samples[..., 0], -samples[..., 1] / samples[..., 0]], axis=-1)


@dataclass(frozen=True)
class FittedConstants:
    """A formula and its constants, in physical units, with their covariance and joint confidence intervals."""

    expression: str = "0"
    constants: Mapping[str, Constant] = field(default_factory=dict)
    covariance: tuple[tuple[float, ...], ...] = ()
    intervals: Mapping[str, list[float]] = field(default_factory=dict)


def estimate(
    expression: str, names: Sequence[str], units: Sequence[str], values: Array, samples: Array, blocks: int
) -> FittedConstants:
    """Covariance and intervals of the constants `values` from `samples`, shape (resamples, constants), of `blocks`."""
    degrees_of_freedom = max(blocks - len(values), 1)
    covariance = np.atleast_2d(np.cov(samples, rowvar=False)) * blocks / degrees_of_freedom
    tail = PERCENTILES[0] / 100 / len(values)
    widening = math.sqrt(blocks / degrees_of_freedom) * stdtrit(degrees_of_freedom, tail) / ndtri(tail)
    low, high = values + widening * (np.quantile(samples, [tail, 1 - tail], axis=0) - values)
    precision = ROUND_OFF * np.abs(values)
    low, high = np.minimum(low, values - precision), np.maximum(high, values + precision)
    std = np.sqrt(np.diag(covariance))
    return FittedConstants(
        expression,
        {n: Constant(float(v), float(s), u) for n, v, s, u in zip(names, values, std, units, strict=True)},
        tuple(tuple(map(float, row)) for row in covariance),
        {n: [float(a), float(b)] for n, a, b in zip(names, low, high, strict=True)},
    )


def fitted_constants(form: Form, fit: Fit, problem: Problem, config: DiscoveryConfig) -> FittedConstants:
    """The formula of a fitted form; Ohm's law and the paper's law have R_c and gamma, other formulas c0, c1, ..."""
    factors, scaled = scalings(form, problem), np.array([*fit.linear, *fit.inner])
    samples, blocks = bootstrap(scaled, *full_jacobian(form, fit, problem.rows), problem, config)
    values, samples = scaled * factors, samples * factors
    units = [combined_unit(config.target, _monomial_powers(m, config)) for m in form]
    units += [
        "1" if atom[0] == forms.POWER else combined_unit("", _monomial_powers(m, config))
        for atom, m in forms.parameters(form)
    ]
    if form == ohmic_form(config):
        expression = f"{config.inputs[form[0][0][0][1]]}*R_c"
        return estimate(expression, ["R_c"], units, values, samples, blocks)
    if form == paper_form(config):
        current, charge = config.current, config.charge
        assert current is not None, "the paper's form has I"
        assert charge is not None, "and q"
        if form[0] != monomial_of([current]):  # (a_0 I, a_1 I q) whatever their sorted order
            values, samples, units = values[::-1], samples[:, ::-1], units[::-1]
        expression = f"{config.inputs[current]}*R_c*(1 - gamma*{config.inputs[charge]})"
        values, samples = paper_constants(values), paper_constants(samples)
        return estimate(expression, ["R_c", "gamma"], [units[0], "1"], values, samples, blocks)
    names = [f"c{k}" for k in range(len(values))]
    expression = forms.formula(form, config.inputs, names[: len(form)], names[len(form) :], scales=problem.x_scales)
    return estimate(expression, names, units, values, samples, blocks)


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items() if math.isfinite(value)}


@dataclass(frozen=True)
class Candidate:
    """A fitted formula: its constants, what it predicts from scaled inputs (inputs, rows), and how well.

    `loss` is that of the training rows, as in `discovery.fit.Fit`; `depends` says whether it depends on an input.
    """

    fitted: FittedConstants
    predict: Callable[[Array], Array | None]
    loss: float
    description_length: float
    depends: bool = True


def candidate(form: Form, fit: Fit, description_length: float, problem: Problem, config: DiscoveryConfig) -> Candidate:
    """A fitted form of the search."""
    fitted = fitted_constants(form, fit, problem, config)
    return Candidate(fitted, partial(predict, form, fit), fit.loss, description_length, form != (forms.ONE,))


def _scores(predicted: Callable[[Array], Array | None], problem: Problem) -> dict[str, float]:
    """R^2 on the training rows and on the held-out rows (NaN without any)."""
    held_out = problem.held_out
    return {
        "r2": _r_squared(predicted(problem.rows.x), problem.rows),
        "r2_held_out": math.nan if held_out is None else _r_squared(predicted(held_out.x), held_out),
    }


def _reference_fits(problem: Problem, config: DiscoveryConfig) -> dict[str, tuple[Form, Fit]]:
    """Fits of Ohm's law and of the paper's law, if the inputs have a current and a charge."""
    known = {"ohmic": ohmic_form(config), "paper": paper_form(config)}
    fits = {name: (form, fit_form(form, problem.rows)) for name, form in known.items() if form is not None}
    return {name: (form, fit) for name, (form, fit) in fits.items() if fit is not None}


def _reference_entry(form: Form, fit: Fit, delta: float, problem: Problem, config: DiscoveryConfig) -> Entry:
    """What law.json says of a reference: `delta` is its description length less that of the law."""
    fitted = fitted_constants(form, fit, problem, config)
    constants = {n: {"value": c.value, "std": c.std, "unit": c.unit} for n, c in fitted.constants.items()}
    metrics = _finite({**_scores(partial(predict, form, fit), problem), "delta_dl": delta})
    return {"constants": constants, "intervals": fitted.intervals, **metrics}


def _front(hall: pd.DataFrame) -> tuple[Entry, ...]:
    """Rows of the hall of fame on the Pareto front; None in place of NaN."""
    front = hall[hall["on_front"]].drop(columns="on_front") if len(hall) else hall
    return tuple(
        {str(key): None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}
        for row in front.to_dict("records")
    )


def _provenance(predicted: Callable[[Array], Array | None], problem: Problem, config: DiscoveryConfig) -> Entry:
    """Held-out rows, R^2 on those of each condition, meaning of the inputs, versions and configuration."""
    held_out = problem.held_out_by_condition or ({} if problem.held_out is None else {RANDOM_FIFTH: problem.held_out})
    return {
        "held_out": list(problem.held_out_by_condition) or ("none" if problem.held_out is None else RANDOM_FIFTH),
        "judged": {
            name: _finite({"r2": _r_squared(predicted(rows.x), rows), "rows": rows.x.shape[1]})
            for name, rows in held_out.items()
        },
        "inputs": dict(problem.meaning),
        "weighted": problem.weighted,
        "versions": versions(),
        "seed": config.seed,
        "config": config.model_dump(mode="json"),
    }


def _nothing(x: Array) -> Array:
    """The prediction of y = 0."""
    return np.zeros(x.shape[1])


def make_law(
    chosen: Candidate | None,
    hall: pd.DataFrame,
    problem: Problem,
    config: DiscoveryConfig,
    independent: float,
    symbols: int,
) -> Law:
    """The law of a candidate; None is y = 0. A constant does not count as a law either."""
    rows = problem.rows
    without_law = choice.without_law(independent, symbols, config.tolerance)
    law = chosen or Candidate(FittedConstants(), _nothing, 1.0, without_law, depends=False)
    fitted = law.fitted
    metrics = {
        **_scores(law.predict, problem),
        "rmse": problem.y_scale * math.sqrt(float(np.mean((rows.w * rows.y) ** 2))) * math.sqrt(law.loss),
        "n_rows": rows.x.shape[1],
        "n_held_out": 0 if problem.held_out is None else problem.held_out.x.shape[1],
        "n_independent": independent,
        "delta_dl_no_law": without_law - law.description_length,
    }
    references: dict[str, Entry] = {}
    for name, (reference, reference_fit) in _reference_fits(problem, config).items():
        delta = choice.description_of(reference, reference_fit, independent, symbols, config.tolerance)
        delta -= law.description_length
        references[name] = _reference_entry(reference, reference_fit, delta, problem, config)
        if name == "ohmic":
            ratio = math.log((reference_fit.loss + config.tolerance**2) / (law.loss + config.tolerance**2))
            fewer = 1 - len(fitted.constants)
            metrics["delta_bic_ohmic"] = independent * ratio + fewer * math.log(independent)
            metrics["delta_dl_ohmic"] = delta
    if set(fitted.constants) == {"R_c", "gamma"}:
        metrics["gamma"], metrics["gamma_std"] = fitted.constants["gamma"].value, fitted.constants["gamma"].std
    provenance = {
        "found": law.depends,
        "rule": choice.RULE,
        "intervals_95": fitted.intervals,
        "references": references,
        **_provenance(law.predict, problem, config),
    }
    return Law(
        config.target,
        config.inputs,
        fitted.expression,
        fitted.constants,
        _finite(metrics),
        _front(hall),
        fitted.covariance,
        provenance,
    )
