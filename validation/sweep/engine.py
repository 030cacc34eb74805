"""Run the points of a sweep on a pool of workers, and keep its table.

Points travel in chunks of a few seconds, a few chunks ahead of the workers, so that neither the scheduler nor this
process holds more the longer the sweep is. A point of a chunk that killed its worker is tried again by itself, when all
others are done, so that only the one that does it is blamed.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from pathlib import Path

import pandas as pd

from transslit.errors import StageFailed, TransslitError
from transslit.executor import KILLS, Inline, killed, slots
from transslit.progress import Progress
from transslit.runs import open_run
from validation.sweep.plan import Point
from validation.sweep.points import Outcome, Task, one_line, read_outcome, run_points, write_outcome
from validation.sweep.table import tabled, write_plan, write_tables

CHUNK = 2.0  # s of one worker that a chunk of points should take,
MANY = 100  # and of this many more, in proportion: a scheduler hands out some hundred chunks a second
LARGEST = 1000  # points of a chunk
TABLE = 20.0  # s between two writings of the table, at least


def sweep(
    points: Sequence[Point],
    out: Path,
    pool: Executor,
    retry: bool = False,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Run what is not there yet of `points` in `out`, and return the table of all; however it ends, the table is kept.

    Parameters
    ----------
    points : of one stage, from `validation.sweep.plan`
    pool : workers, as `transslit.executor.executor` gives them
    retry : whether points that failed are run again

    Raises
    ------
    BadInput : `out` cannot be written or is in use
    StageFailed : the scheduler went away, or the points cannot be written
    """
    out = Path(out).resolve()
    with open_run(out):
        (out / "points").mkdir(exist_ok=True)
        stage = next(point.task.stage for point in points if point.task)
        write_plan(out, stage, points)
        progress = progress or Progress()
        outcomes, tasks = _left(points, out, retry)
        rows = [{"key": point.key, "parameters": point.parameters, "refused": point.refused} for point in points]
        try:
            with progress.task(f"Sweep: {stage}", len(rows)) as advance:
                pace = _Pace(0.5 if sys.stderr.isatty() else 30.0)
                saved = _Pace(TABLE)
                for ended, running in _ended(tasks, out, pool):
                    outcomes |= {outcome["key"]: outcome for outcome in ended}
                    if pace.due():
                        advance(*_told(points, outcomes, running))
                    if saved.due():
                        write_tables(out, tabled(rows, outcomes))
                        saved.rest()
                advance(*_told(points, outcomes, 0))
        finally:  # of points that ended while nobody listened there are the files
            unheard = {point.key for point in points if point.task} - outcomes.keys()
            outcomes |= {key: found for key in unheard if (found := read_outcome(out, key))}
            table = tabled(rows, outcomes)
            write_tables(out, table)
    return table


class _Pace:
    """Something to be done now and then: not more often than each `period` s, nor for more than a tenth of the time."""

    def __init__(self, period: float) -> None:
        self.period, self.next, self.began = period, time.monotonic() + period, 0.0

    def due(self) -> bool:
        self.began = time.monotonic()
        if self.began < self.next:
            return False
        self.next = self.began + self.period
        return True

    def rest(self) -> None:
        now = time.monotonic()
        self.next = max(self.next, now + 10 * (now - self.began))


def _left(points: Sequence[Point], out: Path, retry: bool) -> tuple[dict[str, Outcome], list[Task]]:
    """How the points that have run ended, and the others' tasks, each once."""
    outcomes: dict[str, Outcome] = {}
    tasks: dict[str, Task] = {}
    for point in points:
        if point.task is None or point.key in outcomes or point.key in tasks:
            continue
        found = read_outcome(out, point.key)
        if found is not None and retry and found["status"] == "failed":
            (out / "points" / f"{point.key}.json").unlink()
            found = None
        if found is None:
            tasks[point.key] = point.task
        else:
            outcomes[point.key] = found
    return outcomes, list(tasks.values())


def _told(points: Sequence[Point], outcomes: dict[str, Outcome], running: int) -> tuple[int, str]:
    """How many points have ended, and in words how."""
    refused = sum(point.task is None for point in points)
    ended = [outcomes[point.key]["status"] for point in points if point.key in outcomes]
    done = ended.count("done")
    return refused + len(ended), f"{done} done, {refused + len(ended) - done} failed, {running} running"


def _ended(tasks: Sequence[Task], out: Path, pool: Executor) -> Iterator[tuple[list[Outcome], int]]:
    """Outcomes as they come, every second or so if only to look up, with the number of points that run now."""
    waiting = deque(tasks)
    suspects: list[Task] = []
    running: dict[Future, list[Task]] = {}
    spent = count = 0.0
    looked, width, shared = time.monotonic(), slots(pool), not isinstance(pool, Inline)
    while waiting or running:
        if time.monotonic() - looked > 5:
            looked, width = time.monotonic(), _slots(pool)
        while waiting and len(running) < max(1, 2 * width if shared else width):
            usual = CHUNK * max(1.0, width / MANY) * count / spent if spent and shared else 1.0
            size = max(1, int(min(usual, LARGEST, len(waiting) / (4 * max(1, width)))))
            chunk = [waiting.popleft() for _ in range(min(size, len(waiting)))]
            running[pool.submit(run_points, chunk, out)] = chunk
        done, _ = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
        ended: list[Outcome] = []
        for future in done:
            chunk = running.pop(future)
            found = _result(future, chunk, out)
            ended += found
            spent, count = spent + sum(o["wall_s"] or 0.0 for o in found), count + len(found)
            keys = {outcome["key"] for outcome in found}
            suspects += [task for task in chunk if task.key not in keys]
        yield ended, min(width, sum(map(len, running.values())))
    for task in suspects:
        future = pool.submit(run_points, [task], out)
        while not future.done():
            yield [], 1
            wait([future], timeout=1.0)
        yield _result(future, [task], out) or [_given_up(task, out)], 0


def _result(future: Future, chunk: list[Task], out: Path) -> list[Outcome]:
    """Outcomes of a chunk; of one that lost its workers, those that were written before."""
    if future.cancelled():
        raise _gone()
    error = future.exception()
    if error is None:
        return list(future.result())
    if killed(error):
        return [found for task in chunk if (found := read_outcome(out, task.key))]
    if isinstance(error, TransslitError):
        raise error
    if isinstance(error, OSError):
        raise _gone() from error
    raise StageFailed("sweep", one_line(error)) from error


def _given_up(task: Task, out: Path) -> Outcome:
    """The outcome of a point that kills its worker whenever it is run."""
    error = f"KilledWorker: its worker died {KILLS} times under it alone (out of memory, perhaps)"
    outcome: Outcome = {
        "key": task.key,
        "status": "failed",
        "error": error,
        "wall_s": None,
        "cpu_s": None,
        "values": {},
        "code": task.code,
        "worker": "",
    }
    write_outcome(out, outcome)
    return outcome


def _slots(pool: Executor) -> int:
    try:
        return slots(pool)
    except Exception as error:
        raise _gone() from error


def _gone() -> StageFailed:
    return StageFailed("sweep", "the scheduler went away; what was finished is kept, and the same command resumes")
