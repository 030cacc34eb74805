"""The discovery stage: search a table for a `Law`; the folder gets the law, the hall of fame and a checkpoint."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from discovery import choice, forms, neighbours, publish
from discovery.config import GENERAL, DiscoveryConfig
from discovery.fit import Fit, fit_form, identifiable, predict
from discovery.forms import Form
from discovery.formula_fit import fit_formula
from discovery.hall import Finalist, hall_of_fame, latex_table
from discovery.problem import Problem, make_problem
from discovery.search import CHECKPOINT, Leaders, Search, admitted, mapper_of, primitive_set
from transslit.errors import BadInput
from transslit.files import write_text
from transslit.law import Law
from transslit.progress import Progress

FINALISTS = 40  # forms of the shortest descriptions that are refitted on all training rows
CENTRES = 6  # of these, those whose neighbours are fitted, too,
CENTRES_COMPLEXITY = 10  # beside those of the most accurate form of each complexity up to this


def _digest(problem: Problem, config: DiscoveryConfig) -> str:
    """SHA-256 of configuration and scaled data (to nine digits, so that units and round-off do not matter)."""
    digest = hashlib.sha256(config.digest.encode())
    for rows in (problem.rows, problem.held_out):
        if rows is not None:
            for array in (rows.x, rows.y, rows.w):
                digest.update((array * 1e9).round().tobytes())
    return digest.hexdigest()


def _neighbours(form: Form, problem: Problem, config: DiscoveryConfig) -> list[Form]:
    """Neighbours of a form within the limits of the configuration."""
    count, signed = len(config.inputs), problem.signed
    logarithms = [j for j in range(count) if j not in problem.vanishing] if "log" in config.functions else []
    found = [
        *neighbours.simplifications(form),
        *neighbours.exchanges(form, config.functions, logarithms),
        *neighbours.fitted_powers(form, signed),
        *neighbours.extensions(form, count, signed, logarithms),
        *neighbours.factorisations(form, count),
    ]
    return [other for other in found if admitted(other, config, problem.vanishing)]


def finalists_of(
    leaders: Leaders, problem: Problem, config: DiscoveryConfig, symbols: int
) -> tuple[list[Finalist], float]:
    """Fit the best forms and their neighbours to all training rows.

    Returns
    -------
    finalists in order of description length, and the number of independent rows
    """
    rows = problem.rows
    count = rows.x.shape[1]
    fits: dict[Form, Fit] = {}

    def consider(form: Form, start: tuple[float, ...] | None) -> None:
        fit = None if form in fits else fit_form(form, rows, start or None, precise=True)
        if fit is not None and is_usable(form, fit, problem, config):
            fits[form] = fit

    def by_length(n: float) -> list[Form]:
        return sorted(fits, key=lambda f: (choice.description_of(f, fits[f], n, symbols, config.tolerance), repr(f)))

    found = [pair for kept in leaders.values() for pair in kept]
    found.sort(key=lambda pair: (choice.description_of(pair[0], pair[1], count, symbols, config.tolerance), repr(pair)))
    best_of_each = [kept[0] for kept in leaders.values()]
    for form, fit in [*found[:FINALISTS], *best_of_each]:
        consider(form, fit.inner)
    for reference in ((forms.ONE,), publish.ohmic_form(config)):
        if reference is not None:
            consider(reference, None)
    for _ in range(2):
        simple = [f for f in fits if forms.complexity(f) <= CENTRES_COMPLEXITY]
        most_accurate = {forms.complexity(f): f for f in sorted(simple, key=lambda f: (-fits[f].loss, repr(f)))}
        for form in dict.fromkeys([*by_length(count)[:CENTRES], *most_accurate.values()]):
            for other in _neighbours(form, problem, config):
                consider(other, None)
    if not fits:
        return [], float(count)
    closest = min(fits, key=lambda f: (fits[f].loss, repr(f)))
    independent = choice.independent_rows(
        predict(closest, fits[closest], rows.x), rows, problem.groups, config.tolerance
    )
    return [
        Finalist(
            form,
            fits[form],
            forms.complexity(form),
            choice.description_of(form, fits[form], independent, symbols, config.tolerance),
            publish.loss_on(form, fits[form], problem.held_out),
        )
        for form in by_length(independent)
    ], independent


def is_usable(form: Form, fit: Fit, problem: Problem, config: DiscoveryConfig) -> bool:
    """Whether a fitted form is determined by the rows, defined at the held-out inputs, and of the form asked for.

    The held-out targets are not used.
    """
    if fit.inner and (has_pole(form, fit, problem) or not identifiable(form, fit, problem.rows)):
        return False
    if config.restricted and form != (forms.ONE,) and not is_positive(form, fit, problem, config):
        return False
    return problem.held_out is None or math.isfinite(publish.loss_on(form, fit, problem.held_out))


def has_pole(form: Form, fit: Fit, problem: Problem) -> bool:
    """Whether an input that passes through or near zero is raised to a negative fitted power."""
    return any(
        atom[0] == forms.POWER and value < 0 and inner[0][0][1] in problem.vanishing
        for (atom, inner), value in zip(forms.parameters(form), fit.inner, strict=True)
    )


def is_positive(form: Form, fit: Fit, problem: Problem, config: DiscoveryConfig) -> bool:
    """Whether the resistance, f over the current, is positive in all rows, those held out too, and of an empty slit."""
    if forms.has_zero_divisor(form, problem.vanishing):
        return False
    x = np.hstack([rows.x for rows in (problem.rows, problem.held_out) if rows is not None])
    x[config.current] = 1.0
    empty = x.copy()
    empty[list(problem.vanishing - {config.current})] = 0.0
    resistances = [predict(form, fit, each) for each in (x, empty)]
    return all(resistance is not None and bool(resistance.min() > 0) for resistance in resistances)


def choose(finalists: list[Finalist], without_law: float) -> Finalist | None:
    """The simplest finalist within `choice.MARGIN` of the shortest description; None if that is y = 0.

    `without_law` is the description length of y = 0.
    """
    shortest = min([without_law, *(f.description_length for f in finalists)])
    if without_law <= shortest + choice.MARGIN:
        return None
    near = [f for f in finalists if f.description_length <= shortest + choice.MARGIN]
    return min(near, key=lambda f: (f.nodes, f.description_length))


@dataclass(frozen=True)
class Found:
    """What a search ends with; `chosen` is None if no form explains the target better than noise."""

    finalists: list[Finalist]
    chosen: Finalist | None
    independent: float
    symbols: int

    def law(self, hall: pd.DataFrame, problem: Problem, config: DiscoveryConfig) -> Law:
        """The law that was chosen."""
        best = self.chosen
        law = None
        if best is not None:
            law = publish.candidate(best.form, best.fit, best.description_length, problem, config)
        return publish.make_law(law, hall, problem, config, self.independent, self.symbols)


def symbols_of(problem: Problem, config: DiscoveryConfig) -> int:
    """Number of operators and inputs that a formula of an unrestricted search is made of."""
    pset = primitive_set(config.general, problem.signed)
    return sum(len(found) for found in (*pset.primitives.values(), *pset.terminals.values()))


def find(
    problem: Problem, config: DiscoveryConfig, checkpoint: Path | None, progress: Progress, mapper: Any = map
) -> Found:
    """Search, and choose among the finalists; raises as `discover`."""
    search = Search(problem, config, mapper_of(mapper))
    symbols = symbols_of(problem, config)
    title = "Searching for the law" if config.form != GENERAL else "Searching for a general law"
    with progress.task(title, config.generations) as advance:
        leaders = search.run(checkpoint, _digest(problem, config), advance)
        finalists, independent = finalists_of(leaders, problem, config, symbols)
        advance(config.generations, "choosing")
    chosen = choose(finalists, choice.without_law(independent, symbols, config.tolerance))
    return Found(finalists, chosen, independent, symbols)


def discover(
    table: pd.DataFrame,
    config: DiscoveryConfig,
    folder: Path | None = None,
    progress: Progress | None = None,
    mapper: Any = map,
) -> Law:
    """Search for the law `config.target` = f(`config.inputs`) in a table.

    A search that is restricted to a resistance is followed by one that is not, whose law stands beside it in
    `provenance["general"]` with what it gains.

    Parameters
    ----------
    table : one row per observation, units in the column names; `group` (or `replica` and `i`) identifies the slit,
        `<target>_std` is the standard error of the target
    folder : gets law.json, hall_of_fame.csv, .json and .tex, and checkpoints from which the same call resumes
    mapper : a `map`, or an object that has one: a pool of processes, a Dask client

    Returns
    -------
    law in the table's units; `provenance["found"]` is False, and the expression 0 or a constant, if no form explains
    the target better than noise about a constant

    Raises
    ------
    BadInput : a table that cannot be searched, or a folder with another search
    """
    problem, progress = make_problem(table, config), progress or Progress(quiet=True)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    if config.formula is not None:
        law, hall = fit_formula(config.formula, problem, config, symbols_of(problem, config))
    else:
        found = find(problem, config, folder and folder / CHECKPOINT, progress, mapper)
        hall = hall_of_fame(found.finalists, found.chosen, problem, config)
        law = found.law(hall, problem, config)
    if config.restricted:
        beside = find(problem, config.general, folder and folder / f"general-{CHECKPOINT}", progress, mapper)
        told = general_law(law, found, beside, problem, config)
        law = replace(law, provenance={**law.provenance, "general": told})
    if folder is not None:
        write_text(folder / "hall_of_fame.csv", hall.to_csv(index=False))
        write_text(folder / "hall_of_fame.json", hall.to_json(orient="records", indent=1) + "\n")
        write_text(folder / "hall_of_fame.tex", latex_table(hall, config.target))
        law.write(folder / "law.json")
    return law


def general_law(law: Law, found: Found, beside: Found, problem: Problem, config: DiscoveryConfig) -> dict[str, Any]:
    """The law of a search without restriction, as law.json tells it: formula, constants and metrics.

    `resistance` says whether it is one all the same, `same` whether it is the restricted law itself;
    `delta_dl` is how much longer the description of the restricted law is, with the independent rows of the general
    search; above `choice.MARGIN` the general law is refuted by nothing but a circuit's needs.
    """
    general = beside.law(pd.DataFrame(), problem, config.general)
    told = {name: general.metrics[name] for name in ("r2", "r2_held_out", "rmse") if name in general.metrics}
    if found.chosen is not None and beside.chosen is not None:
        restricted = choice.description_of(
            found.chosen.form, found.chosen.fit, beside.independent, beside.symbols, config.tolerance
        )
        told["delta_dl"] = restricted - beside.chosen.description_length
    constants = {name: {"value": c.value, "std": c.std, "unit": c.unit} for name, c in general.constants.items()}
    try:
        takes = general.resistance_expression is not None
    except BadInput:
        takes = False
    return {
        "resistance": takes,
        "expression": general.expression,
        "constants": constants,
        "same": general.expression == law.expression,
        **told,
    }
