"""The plan of a sweep: every point with its parameters and, where its options can be used, what is to run.

A stage has one list of options, that of its own command: the words of a point are put together and read by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transslit.config import Config, digest
from transslit.errors import BadInput, TransslitError
from transslit.runs import surroundings
from validation.sweep.grid import Setting, columns, settings
from validation.sweep.points import Task, one_line
from validation.sweep.stages import stage_named

SHARED = ("out", "as_json", "workers", "scheduler")  # options of a stage that a sweep has for itself


@dataclass(frozen=True)
class Point:
    """A row to be: its parameters (SI, units in their names), and its task, or why there is none."""

    parameters: dict[str, float | str]
    task: Task | None
    refused: str = ""

    @property
    def key(self) -> str:
        """What the point is recognised by."""
        return self.task.key if self.task else digest([self.parameters, self.refused])[:20]


def plan(
    stage: str,
    vary: Sequence[str],
    words: Sequence[str] = (),
    table: Path | None = None,
    law: Config | None = None,
    keep: bool = False,
) -> list[Point]:
    """Points of `stage` at every combination of `vary` (and row of `table`), all else as `words` say.

    Parameters
    ----------
    words : options and arguments of `transslit <stage>`, as on a command line
    law : settings of a search for the law of each record
    keep : whether the run folders are kept

    Raises
    ------
    BadInput : no such stage or option, or none of the points can be run; one that cannot be, among others, is a point
        without a task
    """
    read = stage_named(stage)
    command, code = _command(stage), code_version()
    refuses = {*SHARED, *read.refuses}
    options = {param.name: param for param in command.params if param.name not in refuses}
    chosen = settings(vary, table)
    for name in chosen[0]:
        if name not in options:
            known = ", ".join(sorted(options))
            raise BadInput("vary", name, f"give options of transslit {stage}: {known}")
    points, first = [], None
    for setting in chosen:
        try:
            given = _read(command, stage, [*words, *_words(options, setting)])
            for name in refuses - {"as_json"}:
                if given.get(name) not in (None, False, 1):
                    raise BadInput(name, given[name], "has no place in a sweep")
            points.append(Point(columns(setting), Task(stage, read.work(given), law, keep, code)))
        except TransslitError as error:
            first = first or error
            points.append(Point(columns(setting), None, one_line(error)))
    if first is not None and not any(point.task for point in points):
        raise first
    return points


def code_version() -> str:
    """What computes: version, and in a checkout its revision."""
    found = surroundings()
    return " ".join(filter(None, (found["versions"].get("transslit", ""), found.get("revision", ""))))


def _command(stage: str) -> Any:
    """The command of a stage, as the command line knows it."""
    import typer

    from validation.commands import app

    return typer.main.get_command(app).commands[stage]  # type: ignore[attr-defined]


def _words(options: dict[str, Any], setting: Setting) -> list[str]:
    words = []
    for name, text in setting.items():
        option = options[name]
        words.append(text if option.param_type_name == "argument" else f"{option.opts[0]}={text}")
    return words


def _read(command: Any, stage: str, words: list[str]) -> dict[str, Any]:
    """Every option of the command by its name, from words."""
    try:
        return dict(command.make_context(stage, words).params)
    except Exception as error:
        message = getattr(error, "format_message", None)
        if message is None:
            raise
        raise BadInput(f"transslit {stage}", " ".join(words), " ".join(str(message()).split())) from None
