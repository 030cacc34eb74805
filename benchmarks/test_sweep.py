"""Throughput of a sweep on two workers over that on one, threads pinned to one each.

pytest benchmarks/test_sweep.py --benchmark-only

On a quiet machine by the clock on the wall. Where others compute too (load above `QUIET`), by processor time: two cores
that are never idle finish 2 x (processor time in one process) / (processor time of all processes) times as much.
"""

import os
import time

import psutil

from transslit.executor import Inline, executor
from transslit.progress import Progress
from validation.commands.circuit import STAGE
from validation.sweep import plan, sweep

QUIET = 0.5
LEAST = 1.8
SILENT = Progress(quiet=True)


def processor_time():
    """Of this process and its workers, in s."""
    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def points(count, first):
    """CVs of long ladders; of 30,000 slits each takes more than half a second."""
    fixed = {"resistance": "5ohm", "gamma": "0.5", "cycles": "1"}
    return plan(STAGE, [f"layers={first}:{first + 10 * (count - 1)}:{count}"], fixed)


def spent(where, out, pool):
    """Wall and processor time of a sweep in s."""
    wall, cpu = time.perf_counter(), processor_time()
    table = sweep(where, out, pool, progress=SILENT)
    assert (table["status"] == "done").all()
    return time.perf_counter() - wall, processor_time() - cpu


def test_two_workers_over_one(benchmark, tmp_path):
    """At least 1.8 times as many points in the same time."""
    work, load = points(30, 30_000), os.getloadavg()[0]

    def both():
        sweep(points(4, 2000), tmp_path / "warm", Inline(), progress=SILENT)
        one = spent(work, tmp_path / "one", Inline())
        with executor(2) as pool:
            sweep(points(8, 2000), tmp_path / "warmer", pool, progress=SILENT)
            return one, spent(work, tmp_path / "two", pool)

    one, two = benchmark.pedantic(both, rounds=1)
    ratio = one[0] / two[0] if load < QUIET else 2 * one[1] / two[1]
    how = "the clock" if load < QUIET else "processor time"
    benchmark.extra_info |= {"ratio": ratio, "by": how, "load": load, "one": one, "two": two}
    print(f"two workers over one: {ratio:.2f} by {how}; one {one[0]:.1f} s ({one[1]:.1f} s of processor), ", end="")
    print(f"two {two[0]:.1f} s ({two[1]:.1f} s); load {load:.1f}")
    assert ratio > LEAST
