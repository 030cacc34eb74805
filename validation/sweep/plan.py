"""The plan of a sweep: every point with its parameters and, if its options can be used, its task."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from transslit.config import digest
from transslit.errors import BadInput, TransslitError
from transslit.options import nearest
from transslit.runs import surroundings
from transslit.tasks import Task, Work, one_line
from validation.sweep.grid import columns, settings

if TYPE_CHECKING:
    from discovery import DiscoveryConfig


@dataclass(frozen=True)
class Stage:
    """A stage that can be swept.

    Parameters
    ----------
    read : the work that texts of options, by name, and arguments describe
    options : names of the options that can be set or varied
    argument : name by which the stage's argument is varied, if it has one
    leaves_record : whether a trans-slit record is left in the folder
    resumes : whether points that are interrupted continue, in a folder of the sweep; others have a temporary folder
    """

    name: str
    read: Callable[[Mapping[str, str], Sequence[str]], Work]
    options: Collection[str]
    argument: str = ""
    leaves_record: bool = False
    resumes: bool = False


@dataclass(frozen=True)
class Point:
    """A row of the table: its parameters (SI, units in their names), and its task or the reason why there is none."""

    parameters: dict[str, float | str]
    task: Task | None
    refused: str = ""

    @cached_property
    def key(self) -> str:
        """Digest by which the point is recognised."""
        return self.task.key if self.task else digest([self.parameters, self.refused])[:20]


def plan(
    stage: Stage,
    vary: Sequence[str],
    fixed: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    table: Path | None = None,
    law: DiscoveryConfig | None = None,
    keep: bool = False,
) -> list[Point]:
    """Points of `stage` at every combination of `vary` and row of `table`.

    Parameters
    ----------
    fixed : texts of the options that are the same at all points, by name
    arguments : arguments of the stage
    law : settings of a search for the law of each record
    keep : whether the run folders are kept

    Raises
    ------
    BadInput : an option that the stage does not have, or none of the points can be run; one that cannot be run, among
        others that can, is a point without a task
    """
    chosen, code = settings(vary, table), code_version()
    for name in [*chosen[0], *(fixed or {})]:
        if name not in stage.options and name != stage.argument:
            near = ", ".join(nearest(name, sorted(stage.options)) or sorted(stage.options))
            raise BadInput("vary", name, f"cannot be set in a sweep; options of transslit {stage.name}: {near}")
    points: list[Point] = []
    first: TransslitError | None = None
    for setting in chosen:
        texts = {name: text for name, text in {**(fixed or {}), **setting}.items() if name != stage.argument}
        words = [setting[stage.argument]] if stage.argument in setting else arguments
        try:
            work = stage.read(texts, words)
            if law is not None:
                work = replace(
                    work, row=partial(_row_and_law, work.row, law), inputs={**work.inputs, "law": law.digest}
                )
            task = Task(stage.name, work, keep, stage.resumes, code)
            points.append(Point(columns(setting), task))
        except TransslitError as error:
            first = first or error
            points.append(Point(columns(setting), None, one_line(error)))
    if first is not None and not any(point.task for point in points):
        raise first
    return points


def _row_and_law(row: Callable[[Path], Mapping[str, object]], law: DiscoveryConfig, folder: Path) -> dict[str, object]:
    from validation.sweep.law import record_law  # loads the libraries of the search

    return {**row(folder), **record_law(folder, law)}


def code_version() -> str:
    """Version of the code and, in a checkout, its revision."""
    content = surroundings()
    return " ".join(filter(None, (content["versions"].get("transslit", ""), content.get("revision", ""))))
