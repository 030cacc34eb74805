"""What a sweep runs at each point: a stage by its own options, and what of its result makes a row of the table.

Sources of the numbers: `continuum.extract` (R_c, gamma, C_slit, ... of equation 1), `validation.claims.measures` and
`validation.crosscheck` (signs of the parts of the current), `circuit.measures`, and the law of `discovery`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transslit import BadInput, TransSlitRecord
from transslit.config import Config
from transslit.errors import TransslitError
from transslit.progress import Progress
from transslit.runs import RunFolder

QUIET = Progress(quiet=True)
Values = dict[str, Any]  # of a row: numbers, or short texts


@dataclass(frozen=True)
class Work:
    """A stage ready to run: its configuration, what else it reads, and by what digest that goes."""

    config: Config
    given: Any = None
    inputs: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Stage:
    """How a stage is read from its options, and run in a folder to the values of a row.

    `resumes`: a run is so long that one that is killed is to go on where it was, in a folder of `out`; any other has a
    folder of its own machine's, unless it is to be kept.
    """

    work: Callable[[dict[str, Any]], Work]
    run: Callable[[Work, Path], Values]
    refuses: tuple[str, ...] = ()  # options that have no place in a sweep
    resumes: bool = False


def _continuum(given: dict[str, Any]) -> Work:
    from validation.commands.continuum import configured

    return Work(configured(given))


def _run_continuum(work: Work, folder: Path) -> Values:
    import continuum

    continuum.run(work.config, folder, QUIET)  # type: ignore[arg-type]
    return continuum_values(work.config, folder)


def continuum_values(config: Any, folder: Path) -> Values:
    """Elements of the ladder, resistivity per slit cell, and signs of the parts of the current, of a finished run.

    A `_with_migration` is the share of the cycle during which the part has the sign of migration, `_by_charge` that of
    the charge that crosses meanwhile; both are means over the crossings. `filling_spread` is the largest
    (largest - smallest) / mean over the crossings of R at equal q. Only voltammetry has a ladder and resistivities.
    """
    from transslit import TriangularCV
    from validation.claims.measures import agreement, extremes, spread, spread_at_equal_filling
    from validation.simulations.runs import Run

    run = Run(folder, config, {})
    values: Values = {}
    if isinstance(config.drive, TriangularCV):
        ladder = run.ladder
        values = {
            "R_c_ohm_m": ladder.resistance,
            "R_c_std_ohm_m": ladder.resistance_std,
            "gamma": ladder.gamma,
            "gamma_std": ladder.gamma_std,
            "C_slit_F_per_m": ladder.slit_capacitance,
            "C_slit_std_F_per_m": ladder.slit_capacitance_std,
            "R_open_ohm_m": ladder.open_resistance,
            "C_open_F_per_m": ladder.open_capacitance,
            "Q_max_C_per_m": ladder.charge_max,
            "r_squared": min(ladder.r_squared),
            **{name: value for name, value in extremes(run).items() if name.startswith(("R_min", "r_"))},
        }
        equal = spread_at_equal_filling(run)
        values["filling_spread"] = float(equal.groupby("q")["R_ohm_m"].apply(spread).max())
    shares = agreement(run).groupby("part")[["cycle", "charge"]].mean()
    for part, row in shares.iterrows():
        values[f"{part}_with_migration"] = float(row["cycle"])
        values[f"{part}_with_migration_by_charge"] = float(row["charge"])
    return values


def _md(given: dict[str, Any]) -> Work:
    from validation.commands.md import configured

    return Work(configured(given))


def _run_md(work: Work, folder: Path) -> Values:
    import md
    from validation.checks.mechanism import mechanism
    from validation.checks.unexplained_charge import residual

    record = md.run(work.config, folder, QUIET)  # type: ignore[arg-type]
    values: Values = {}
    for verdict in [*mechanism(record, "A", ""), residual(record, "")]:
        name = verdict.id.removeprefix("A.").replace(".", "_")
        values |= {name: verdict.value, f"{name}_u95": verdict.uncertainty}
    return values


def _discover(given: dict[str, Any]) -> Work:
    from validation.commands.discover import configured, table_digest

    config, table = configured(given)
    return Work(config, table, {"table": table_digest(table)})


def _run_discover(work: Work, folder: Path) -> Values:
    import discovery

    return law_values(discovery.discover(work.given, work.config, folder, QUIET))  # type: ignore[arg-type]


def law_values(law: Any) -> Values:
    """A law as columns: its expression, whether it is one, constants with their errors, and metrics."""
    values: Values = {"law": law.expression, "law_found": bool(law.provenance.get("found", True))}
    for name, constant in law.constants.items():
        values |= {f"law_{name}": constant.value, f"law_{name}_std": constant.std}
    return values | {name: float(value) for name, value in law.metrics.items()}


def record_law(folder: Path, settings: Any) -> Values:
    """The law that the search finds in the record in `folder`, or why it cannot search."""
    import discovery

    try:
        table = discovery.table_from_records([TransSlitRecord.read(folder).resampled()])
        return law_values(discovery.discover(table, settings, folder / "law", QUIET))
    except TransslitError as error:  # the rest of the row stands
        return {"law": "", "law_found": False, "law_error": str(error)}


def _circuit(given: dict[str, Any]) -> Work:
    from validation.commands.circuit import configured

    config, law = configured(given)
    return Work(config, law, {} if law is None else {"law": str(law.numeric)})


def _run_circuit(work: Work, folder: Path) -> Values:
    from circuit import simulate
    from circuit.measures import summary

    return dict(summary(simulate(work.config, work.given)))  # type: ignore[arg-type]


def _methods(given: dict[str, Any]) -> Work:
    from validation.commands.methods import configured

    return configured(given)


def _run_methods(work: Work, folder: Path) -> Values:
    from studies.missing_methods.judged import flat
    from studies.missing_methods.point import judge

    return flat(judge(work.config, folder))  # type: ignore[arg-type]


def _claims(given: dict[str, Any]) -> Work:
    from validation.commands.claims import configured

    config, ids = configured(given)
    return Work(config, ids, {"claims": ",".join(ids)})


def _run_claims(work: Work, folder: Path) -> Values:
    """Verdict, number and 95 % half-width of each claim; a claim's number is that of its worst part."""
    from validation.claims.judge import judge_claims

    values: Values = {}
    for found in judge_claims(RunFolder(folder), work.config, work.given, QUIET):  # type: ignore[arg-type]
        values |= {found.id: found.verdict, f"{found.id}_value": found.value, f"{found.id}_u95": found.uncertainty}
    return values


STAGES = {
    "md": Stage(_md, _run_md, ("remake_equilibrium",), resumes=True),
    "continuum": Stage(_continuum, _run_continuum, ("figures",)),
    "discover": Stage(_discover, _run_discover),
    "circuit": Stage(_circuit, _run_circuit, ("impedance", "ragone", "fit", "export", "figure")),
    "claims": Stage(_claims, _run_claims, ("md", "tolerances", "strict"), resumes=True),
    "methods": Stage(_methods, _run_methods, ("searched", "sample", "refine", "elements")),
}


def stage_named(name: str) -> Stage:
    """The stage of that name; `BadInput` where there is none."""
    if name not in STAGES:
        raise BadInput("stage", name, f"give {', '.join(STAGES)}")
    return STAGES[name]
