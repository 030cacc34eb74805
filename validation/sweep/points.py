"""One point of a sweep: what it is a function of, running it, and the file that says how it ended.

OUT/points/<key>.json is written whole by the worker when the point has ended, well or not, under the digest of stage,
configuration and what else it reads (as in `transslit.runs`); one that is killed leaves none. Molecular dynamics, and
whatever is to be kept, runs in OUT/runs/<key>, where a point that was killed goes on.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from transslit.config import Config, digest
from transslit.errors import BadInput, StageFailed, TransslitError
from transslit.files import read_sealed, write_sealed
from transslit.runs import open_run
from validation.sweep.stages import STAGES, Values, Work, record_law


class Outcome(TypedDict):
    """How a point ended; `error` is one line, `values` makes a row of the table."""

    key: str
    status: Literal["done", "failed"]
    error: str
    wall_s: float | None
    cpu_s: float | None
    values: dict[str, float | int | bool | str | None]
    code: str
    worker: str


OUTCOME = TypeAdapter(Outcome)


@dataclass(frozen=True)
class Task:
    """A point ready to run, wherever its worker is.

    `law` are the settings of the search for each record's law, where one is wanted; `code` says what runs.
    """

    stage: str
    work: Work
    law: Config | None = None
    keep: bool = False
    code: str = ""

    @property
    def key(self) -> str:
        """The digest that the point is recognised by."""
        inputs = dict(self.work.inputs or {})
        if self.law is not None:
            inputs["law"] = self.law.digest
        return digest([self.stage, self.work.config.model_dump(mode="json"), inputs])[:20]


def run_points(tasks: Sequence[Task], out: Path) -> list[Outcome]:
    """Run points one by one, each leaving its file in `out`; those that have one already are not run again.

    Raises
    ------
    StageFailed : this worker does not see `out`, or cannot write there
    """
    if not (out / "points").is_dir():
        where = f"{socket.gethostname()} does not see {out}"
        raise StageFailed("sweep", f"{where}; give an --out on a file system that all workers share")
    return [read_outcome(out, task.key) or _run(task, out) for task in tasks]


def read_outcome(out: Path, key: str) -> Outcome | None:
    """How a point ended; None where it has not."""
    try:
        content = read_sealed(out / "points" / f"{key}.json")
        return OUTCOME.validate_python(content, strict=True) if content else None
    except (BadInput, ValidationError):
        return None  # a damaged file is no answer: the point is run again


def _run(task: Task, out: Path) -> Outcome:
    began, cpu = time.time(), time.process_time()
    values: Values = {}
    error = ""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            found = _values(task, out / "runs" / task.key)
            values = {name: _plain(value) for name, value in found.items()}
        except Exception as fault:  # whatever it is, it is this point's
            error = one_line(fault)
    outcome: Outcome = {
        "key": task.key,
        "status": "failed" if error else "done",
        "error": error,
        "wall_s": round(time.time() - began, 4),
        "cpu_s": round(time.process_time() - cpu, 4),
        "values": values,
        "code": task.code,
        "worker": f"{socket.gethostname()}:{os.getpid()}",
    }
    write_outcome(out, outcome)
    if not task.keep:
        shutil.rmtree(out / "runs" / task.key, ignore_errors=True)
    return outcome


def _values(task: Task, folder: Path) -> Values:
    stage = STAGES[task.stage]
    with ExitStack() as stack:
        if task.keep or stage.resumes:
            stack.enter_context(open_run(folder))
        else:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="transslit-", ignore_cleanup_errors=True)))
        values = stage.run(task.work, folder)
        return values if task.law is None else values | record_law(folder, task.law)


def write_outcome(out: Path, outcome: Outcome) -> None:
    """Write a point's file whole, by a name of this process's own: two workers may run a point that seemed lost.

    Raises
    ------
    StageFailed : it cannot be written
    """
    part = out / "points" / f".{outcome['key']}.{socket.gethostname()}.{os.getpid()}"
    try:
        write_sealed(part, outcome)
        part.replace(out / "points" / f"{outcome['key']}.json")
    except OSError as error:
        part.unlink(missing_ok=True)
        fault = f"{out / 'points'} cannot be written ({error.strerror}); what was finished is kept"
        raise StageFailed("sweep", fault) from None


def one_line(error: BaseException) -> str:
    """An error as one line, of its kind unless it is one of ours."""
    text = " ".join(str(error).split())
    return text if isinstance(error, TransslitError) else f"{type(error).__name__}: {text}".rstrip(": ")


def _plain(value: Any) -> Any:
    """A number or text that JSON knows; None for what is not there or not finite."""
    if value is None:
        return None
    if isinstance(value, str | bool | np.bool_):
        return value if isinstance(value, str) else bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    return float(value) if np.isfinite(value) else None
