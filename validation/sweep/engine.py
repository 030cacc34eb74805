"""Run the points of a sweep on a pool of workers, and write its table."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import ParamSpec

import pandas as pd

from transslit.progress import Progress
from transslit.runs import open_run
from transslit.tasks import Outcome, Task, results, run_tasks
from validation.sweep.plan import Point
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
                for done, running in run_tasks(tasks, out, pool):
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
