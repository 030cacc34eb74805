"""Tasks on a pool of workers, each with an outcome of its own that is kept.

A worker leaves OUT/points/<key>.json when its task has ended, done or failed; one that is killed leaves none. The key
is a digest of stage, configuration and inputs. Tasks that are kept or that can resume run in OUT/runs/<key>. A task of
a chunk that ended its worker is run again alone after all others, so that only the task that does it fails.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from transslit.config import Config, digest
from transslit.errors import StageFailed, TransslitError
from transslit.executor import KILLS, run_chunks
from transslit.runs import Results, open_run, stage_digest

Value = float | int | bool | str | None


class Outcome(TypedDict):
    """How a task ended; `error` is one line, `values` are the measured columns."""

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
    """What a task runs; it pickles.

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
    """A task that can be run, by any worker.

    Parameters
    ----------
    keep : whether the run folder is kept
    resumes : whether the stage continues in the folder of an interrupted run
    code : version of the code
    """

    stage: str
    work: Work
    keep: bool = False
    resumes: bool = False
    code: str = ""

    @cached_property
    def key(self) -> str:
        """Digest by which the task is recognised."""
        return digest([self.stage, stage_digest(self.work.config, self.work.inputs)])[:20]


def results(out: Path) -> Results[Outcome]:
    """The outcomes in the folder of a sweep, by key."""
    return Results(out / "points", Outcome, "sweep")


def run_tasks(tasks: Sequence[Task], out: Path, pool: Executor) -> Iterator[tuple[list[Outcome], int]]:
    """Outcomes as they come, and every second at least, with the number of tasks that run at present.

    Raises
    ------
    StageFailed : the connection to the scheduler was lost, or outcomes cannot be written
    """
    function, alone = partial(_run_here, out=out), list[Task]()
    try:
        for chunk, outcomes, running in run_chunks(pool, function, tasks):
            if outcomes is None:  # of a chunk whose workers were killed there are those that were written before
                outcomes = [outcome for task in chunk if (outcome := results(out).read(task.key))]
                keys = {outcome["key"] for outcome in outcomes}
                alone += [task for task in chunk if task.key not in keys]
            yield outcomes, running
        for task in alone:  # one at a time: a worker that dies counts against all tasks that it has
            for _, outcomes, running in run_chunks(pool, function, [task]):
                yield [results(out).read(task.key) or _killed(task, out)] if outcomes is None else outcomes, running
    except TransslitError:
        raise
    except ConnectionError as error:
        reason = "the scheduler went away; what was finished is kept, and the same command resumes"
        raise StageFailed("sweep", reason) from error
    except Exception as error:
        raise StageFailed("sweep", one_line(error)) from error


def _killed(task: Task, out: Path) -> Outcome:
    """The outcome of a task that ends every worker that runs it."""
    outcome = _ended(task, f"KilledWorker: it ended {KILLS} workers that ran it alone (out of memory, perhaps)", {})
    results(out).write(task.key, outcome)
    return outcome


def _run_here(tasks: Sequence[Task], out: Path) -> list[Outcome]:
    """Run tasks one after another, each of which leaves its outcome in `out`; those that have one are not run again.

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
        except Exception as fault:  # any fault is the task's own
            error = one_line(fault)
    outcome = _ended(task, error, values)
    outcome["wall_s"], outcome["cpu_s"] = round(time.time() - began, 4), round(time.process_time() - cpu, 4)
    results(out).write(task.key, outcome)
    if not task.keep:
        shutil.rmtree(out / "runs" / task.key, ignore_errors=True)
    return outcome


def _ended(task: Task, error: str, values: dict[str, Value]) -> Outcome:
    """The outcome of a task that failed with `error`, or is done ("")."""
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
        return {name: _plain(value) for name, value in task.work.row(folder).items()}


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
