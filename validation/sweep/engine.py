"""Run the points of a sweep on a pool of workers, and write its table.

A point of a chunk that ended its worker is run again alone after all others, so that only the point that does it fails.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import ParamSpec

import pandas as pd

from transslit.errors import StageFailed, TransslitError
from transslit.executor import KILLS, run_chunks
from transslit.progress import Progress
from transslit.runs import open_run
from validation.sweep.plan import Point
from validation.sweep.points import Outcome, Task, ended, one_line, results, run_points
from validation.sweep.table import Plan, write_tables

P = ParamSpec("P")

TABLE = 20.0  # s between two writings of the table, at least


def sweep(
    points: Sequence[Point], out: Path, pool: Executor, retry: bool = False, progress: Progress | None = None
) -> pd.DataFrame:
    """Run the points of `points` that have no outcome in `out`, and return the table of all, which is always written.

    Parameters
    ----------
    points : of one stage, from `validation.sweep.plan`
    pool : workers, from `transslit.executor.executor`
    retry : whether points that failed are run again

    Raises
    ------
    BadInput : `out` cannot be written or is in use
    StageFailed : the connection to the scheduler was lost, or the points cannot be written
    """
    out = Path(out).resolve()
    with open_run(out):
        (out / "points").mkdir(exist_ok=True)
        stage = next(point.task.stage for point in points if point.task)
        rows = Plan.of(stage, points)
        rows.write(out)
        outcomes: dict[str, Outcome] = {}
        tasks = _open_tasks(points, out, retry, outcomes)
        try:
            with (progress or Progress()).task(f"Sweep: {stage}", len(points)) as advance:
                show = _paced(0.5 if sys.stderr.isatty() else 30.0, lambda now: advance(*_count(points, outcomes, now)))
                save = _paced(TABLE, lambda: write_tables(out, rows.table(outcomes)))
                for done, running in _run(tasks, out, pool):
                    outcomes |= {outcome["key"]: outcome for outcome in done}
                    show(running)
                    save()
                advance(*_count(points, outcomes, 0))
        finally:  # an interrupted loop has not received the outcomes of all points that have ended
            missing = {point.key for point in points if point.task} - outcomes.keys()
            outcomes |= {key: outcome for key in missing if (outcome := results(out).read(key))}
            table = rows.table(outcomes)
            write_tables(out, table)
    return table


def _paced(period: float, function: Callable[P, None]) -> Callable[P, None]:
    """`function`, called at most once every `period` s and for at most a tenth of the time."""
    earliest = time.monotonic() + period

    def call(*arguments: P.args, **options: P.kwargs) -> None:
        nonlocal earliest
        began = time.monotonic()
        if began >= earliest:
            function(*arguments, **options)
            now = time.monotonic()
            earliest = now + max(period, 10 * (now - began))

    return call


def _open_tasks(points: Sequence[Point], out: Path, retry: bool, outcomes: dict[str, Outcome]) -> list[Task]:
    """The tasks of points that have no outcome, each once; outcomes that there are go into `outcomes`."""
    tasks: dict[str, Task] = {}
    for point in points:
        if point.task is None or point.key in outcomes or point.key in tasks:
            continue
        outcome = results(out).read(point.key)
        if outcome is not None and not (retry and outcome["status"] == "failed"):
            outcomes[point.key] = outcome
            continue
        (out / "points" / f"{point.key}.json").unlink(missing_ok=True)
        tasks[point.key] = point.task
    return list(tasks.values())


def _count(points: Sequence[Point], outcomes: dict[str, Outcome], running: int) -> tuple[int, str]:
    """How many points have ended, and in words how."""
    refused = sum(point.task is None for point in points)
    status = [outcomes[point.key]["status"] for point in points if point.key in outcomes]
    failed = refused + status.count("failed")
    return refused + len(status), f"{status.count('done')} done, {failed} failed, {running} running"


def _run(tasks: Sequence[Task], out: Path, pool: Executor) -> Iterator[tuple[list[Outcome], int]]:
    """Outcomes as they come, and every second at least, with the number of points that run at present."""
    function, alone = partial(run_points, out=out), list[Task]()
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
    """The outcome of a point that ends every worker that runs it."""
    outcome = ended(task, f"KilledWorker: it ended {KILLS} workers that ran it alone (out of memory, perhaps)", {})
    results(out).write(task.key, outcome)
    return outcome
