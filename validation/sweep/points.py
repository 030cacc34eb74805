"""A point of a sweep: its task, how the task is run, and its outcome.

The worker leaves OUT/points/<key>.json when the point has ended, done or failed; one that is killed leaves none. The
key is a digest of stage, configuration and inputs. Points that are kept or that can resume run in OUT/runs/<key>.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

import numpy as np
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from transslit.config import Config, digest
from transslit.errors import StageFailed, TransslitError
from transslit.runs import Results, open_run, stage_digest

if TYPE_CHECKING:
    from discovery import DiscoveryConfig

Value = float | int | bool | str | None


class Outcome(TypedDict):
    """How a point ended; `error` is one line, `values` are the measured columns."""

    key: str
    status: Literal["done", "failed"]
    error: str
    wall_s: float | None
    cpu_s: float | None
    values: dict[str, Value]
    code: str
    worker: str


@dataclass(frozen=True)
class Work:
    """What is run at a point; it pickles.

    Parameters
    ----------
    config : configuration of the stage
    row : runs the stage in a folder and returns the measured columns
    inputs : digests of what is read beside the configuration
    """

    config: Config
    row: Callable[[Path], Mapping[str, object]]
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """A point that can be run, by any worker.

    Parameters
    ----------
    law : settings of a search for the law of the record, if any
    keep : whether the run folder is kept
    resumes : whether the stage continues in the folder of an interrupted run
    code : version of the code
    """

    stage: str
    work: Work
    law: DiscoveryConfig | None = None
    keep: bool = False
    resumes: bool = False
    code: str = ""

    @cached_property
    def key(self) -> str:
        """Digest by which the point is recognised."""
        inputs = dict(self.work.inputs) | ({} if self.law is None else {"law": self.law.digest})
        return digest([self.stage, stage_digest(self.work.config, inputs)])[:20]


def results(out: Path) -> Results[Outcome]:
    """The outcomes in the folder of a sweep, by key."""
    return Results(out / "points", Outcome, "sweep")


def run_points(tasks: Sequence[Task], out: Path) -> list[Outcome]:
    """Run points one after another, each of which leaves its outcome in `out`; those that have one are not run again.

    Raises
    ------
    StageFailed : this worker does not see `out`, or cannot write there
    """
    if not (out / "points").is_dir():
        where = f"{socket.gethostname()} does not see {out}"
        raise StageFailed("sweep", f"{where}; give an --out on a file system that all workers share")
    return [results(out).read(task.key) or _run(task, out) for task in tasks]


def _run(task: Task, out: Path) -> Outcome:
    began, cpu = time.time(), time.process_time()
    values: dict[str, Value] = {}
    error = ""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            values = _values(task, out / "runs" / task.key)
        except Exception as fault:  # any fault is the point's own
            error = one_line(fault)
    outcome = ended(task, error, values)
    outcome["wall_s"], outcome["cpu_s"] = round(time.time() - began, 4), round(time.process_time() - cpu, 4)
    results(out).write(task.key, outcome)
    if not task.keep:
        shutil.rmtree(out / "runs" / task.key, ignore_errors=True)
    return outcome


def ended(task: Task, error: str, values: dict[str, Value]) -> Outcome:
    """The outcome of a point that failed with `error`, or is done ("")."""
    return {
        "key": task.key,
        "status": "failed" if error else "done",
        "error": error,
        "wall_s": None,
        "cpu_s": None,
        "values": values,
        "code": task.code,
        "worker": f"{socket.gethostname()}:{os.getpid()}",
    }


def _values(task: Task, folder: Path) -> dict[str, Value]:
    with ExitStack() as stack:
        if task.keep or task.resumes:
            stack.enter_context(open_run(folder))
        else:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="transslit-", ignore_cleanup_errors=True)))
        row = dict(task.work.row(folder))
        if task.law is not None:
            from validation.sweep.law import record_law  # loads the libraries of the search

            row |= record_law(folder, task.law)
        return {name: _plain(value) for name, value in row.items()}


def one_line(error: BaseException) -> str:
    """An error as one line, of its kind unless it is one of ours."""
    text = " ".join(str(error).split())
    return text if isinstance(error, TransslitError) else f"{type(error).__name__}: {text}".rstrip(": ")


def _plain(value: object) -> Value:
    """A number or text that JSON knows; None for what is missing or not finite."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if isinstance(value, bool | int | str) or value is None else str(value)
