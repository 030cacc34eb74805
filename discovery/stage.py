"""The discovery stage: table in, `Law` out, with the hall of fame and a checkpoint in the folder."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import pandas as pd

from discovery import choice, forms, neighbours, publish
from discovery.config import DiscoveryConfig
from discovery.fit import Fit, determined, fit_form
from discovery.forms import Form
from discovery.hall import Finalist, front_of, latex_table
from discovery.problem import Problem, make_problem
from discovery.search import Leaders, Search, admitted, mapper_of
from transslit.files import write_text
from transslit.law import Law
from transslit.progress import Progress

FINALISTS = 40
# Of these, the neighbours are tried as well:
AMENDED = 6  # the best finalists,
SHORT = 10  # and the most accurate form of each complexity up to this


def _key(problem: Problem, config: DiscoveryConfig) -> str:
    """SHA-256 of configuration and scaled data (to nine digits, so that units and round-off do not matter)."""
    key = hashlib.sha256(config.digest.encode())
    for rows in (problem.rows, problem.held):
        if rows is not None:
            for array in (rows.x, rows.y, rows.w):
                key.update((array * 1e9).round().tobytes())
    return key.hexdigest()


def finalists_of(
    leaders: Leaders, problem: Problem, config: DiscoveryConfig, symbols: int
) -> tuple[list[Finalist], float]:
    """Refit the best forms on all training rows, try their neighbours, and describe them; best first.

    Returns
    -------
    finalists, number of independent rows
    """
    rows = problem.rows
    count = rows.x.shape[1]
    fits: dict[Form, Fit] = {}

    def consider(form: Form, start: tuple[float, ...] | None) -> None:
        if form in fits:
            return
        fit = fit_form(form, rows, start or None, precise=True)
        if fit is not None and fit.inner and (has_pole(form, fit, problem) or not determined(form, fit, rows)):
            return
        # A form that is undefined for held-out inputs is no law for them; their targets stay unseen.
        if fit is not None and (problem.held is None or math.isfinite(publish.loss_on(form, fit, problem.held))):
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
    logarithms = [j for j in range(len(rows.x)) if j not in problem.vanishing] if "log" in config.functions else []
    for _ in range(2):
        short = [f for f in fits if forms.complexity(f) <= SHORT]
        best_short = {forms.complexity(f): f for f in sorted(short, key=lambda f: (-fits[f].loss, repr(f)))}
        for form in dict.fromkeys([*by_length(count)[:AMENDED], *best_short.values()]):
            around = neighbours.simpler(form) + neighbours.swapped(form, config.functions, logarithms)
            around += neighbours.loosened(form, problem.signed)
            around += neighbours.longer(form, len(config.inputs), problem.signed, logarithms)
            for other in [*around, *neighbours.factored(form, len(config.inputs))]:
                if admitted(other, config, problem.vanishing):
                    consider(other, None)
    if not fits:
        return [], float(count)
    closest = min(fits, key=lambda f: (fits[f].loss, repr(f)))
    independent = choice.independent_rows(closest, fits[closest], rows, problem.groups, config.tolerance)
    return [
        Finalist(
            form,
            fits[form],
            forms.complexity(form),
            choice.description_of(form, fits[form], independent, symbols, config.tolerance),
            publish.loss_on(form, fits[form], problem.held),
        )
        for form in by_length(independent)
    ], independent


def has_pole(form: Form, fit: Fit, problem: Problem) -> bool:
    """Whether an input that passes through or near zero is raised to a negative fitted power."""
    return any(
        atom[0] == forms.POWER and value < 0 and inner[0][0][1] in problem.vanishing
        for (atom, inner), value in zip(forms.parameters(form), fit.inner, strict=True)
    )


def choose(finalists: list[Finalist], nothing: float) -> Finalist | None:
    """The simplest finalist within `choice.MARGIN` of the shortest description; None where that is y = 0."""
    shortest = min([nothing, *(f.description_length for f in finalists)])
    if nothing <= shortest + choice.MARGIN:
        return None
    near = [f for f in finalists if f.description_length <= shortest + choice.MARGIN]
    return min(near, key=lambda f: (f.nodes, f.description_length))


def discover(
    table: pd.DataFrame,
    config: DiscoveryConfig,
    folder: Path | None = None,
    progress: Progress | None = None,
    mapper: Any = map,
) -> Law:
    """Find the law of `config.target` in `config.inputs` that the table supports, if there is one.

    Parameters
    ----------
    table : one row per observation, units in the column names; `group` (or `replica` and `i`) tells slits apart,
        `<target>_std` weighs the rows
    folder : gets law.json, hall_of_fame.csv, .json and .tex, and a checkpoint from which the same call resumes exactly
    mapper : a `map`, or what has one: a pool of processes, a Dask client

    Returns
    -------
    law in the table's units; `provenance["found"]` is False, and the expression 0 or a constant, where nothing
    beats noise

    Raises
    ------
    BadInput : a table that cannot be searched, or a folder with another search
    """
    problem = make_problem(table, config)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    search = Search(problem, config, mapper_of(mapper))
    symbols = sum(len(found) for found in (*search.pset.primitives.values(), *search.pset.terminals.values()))
    with (progress or Progress(quiet=True)).task("Searching for the law", config.generations) as advance:
        leaders = search.run(folder, _key(problem, config), advance)
        finalists, independent = finalists_of(leaders, problem, config, symbols)
        advance(config.generations, "choosing")
    chosen = choose(finalists, choice.without_law(independent, symbols, config.tolerance))
    hall = front_of(finalists, chosen, problem, config)
    law = publish.make_law(chosen, finalists, hall, problem, config, independent, symbols)
    if folder is not None:
        write_text(folder / "hall_of_fame.csv", hall.to_csv(index=False))
        write_text(folder / "hall_of_fame.json", hall.to_json(orient="records", indent=1) + "\n")
        write_text(folder / "hall_of_fame.tex", latex_table(hall, config.target))
        law.write(folder / "law.json")
    return law
