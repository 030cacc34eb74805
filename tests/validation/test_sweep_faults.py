"""A sweep whose workers are killed, as the operating system does it: nothing lost, nothing twice, nothing changed."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from transslit import StageFailed
from transslit import executor as executors
from transslit.executor import PINNED, Inline, executor, slots
from transslit.files import read_json
from transslit.progress import Progress
from validation.commands.circuit import STAGE
from validation.sweep import Point, Task, Work, plan, read_table, sweep

FIXED = {"resistance": "5ohm", "points": "501"}
KILLS = 2  # instead of three, for speed
QUIET = Progress(quiet=True)
DEADLY = """
import os, signal, time

def row(folder):
    '''Kills the process.'''
    with open(os.environ["DEADLY_LOG"], "a") as log:
        log.write("x")
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two workers, which can import `deadly`, and the file that it writes to."""
    pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("deadly")
    (folder / "deadly.py").write_text(DEADLY)
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("DEADLY_LOG", str(folder / "log"))
        changed.syspath_prepend(folder)
        changed.setattr(executors, "KILLS", KILLS)
        with executor(2) as pool:
            yield pool, folder / "log"


def alive(worker):
    """Whether the process of a worker, host:pid, is still there."""
    return Path(f"/proc/{worker.split(':')[1]}").exists()


def test_workers_are_pinned_to_a_thread_each(cluster):
    pool, _ = cluster
    assert slots(pool) == 2
    assert set(pool.map(os.getenv, PINNED)) == {"1"}


def test_workers_that_are_killed_lose_and_double_nothing(cluster, tmp_path):
    """36 points; a worker is killed by SIGKILL at the sixth and one at the eighteenth of them."""
    points = plan(STAGE, ["gamma=0:0.9:9", "layers=100,120,140,160"], FIXED)
    alone = sweep(points, tmp_path / "alone", Inline(), progress=QUIET)
    out, killed = tmp_path / "shared", []

    def kill():
        for count in (6, 18):
            while len(list(out.glob("points/*.json"))) < count:
                time.sleep(0.01)
            ran = Counter(read_json(path)["worker"] for path in out.glob("points/*.json"))
            process = next(int(name.split(":")[1]) for name, _ in ran.most_common() if alive(name))
            os.kill(process, signal.SIGKILL)
            killed.append(process)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    shared = sweep(points, out, cluster[0], progress=QUIET)
    killer.join(10)
    assert len(set(killed)) == 2
    assert shared["status"].tolist() == 36 * ["done"]
    assert len(list(out.glob("points/*.json"))) == shared["key"].nunique() == 36
    times = ["wall_s", "cpu_s"]
    pd.testing.assert_frame_equal(shared.drop(columns=times), alone.drop(columns=times))
    pd.testing.assert_frame_equal(read_table(out), shared)


@pytest.mark.slow
def test_a_point_that_kills_its_workers_is_a_failed_row_and_the_others_are_not(cluster, tmp_path):
    import deadly

    pool, log = cluster
    points = plan(STAGE, ["gamma=0:0.9:6"], FIXED)
    work = points[2].task.work
    points[2] = Point({"gamma": 9.0}, Task("circuit", Work(work.config, deadly.row, {"law": "deadly"})))
    table = sweep(points, tmp_path, pool, progress=QUIET)
    assert table["status"].tolist() == ["done", "done", "failed", "done", "done", "done"]
    assert table["error"].iloc[2].startswith("KilledWorker")
    assert len(log.read_text()) == 2 * KILLS  # in company, and alone


@pytest.mark.slow
def test_a_scheduler_that_goes_away_ends_the_sweep_in_one_line_and_it_resumes(tmp_path):
    """A scheduler and a worker of their own, as on a cluster; the scheduler is killed at the fourth point."""
    dask, address = Path(sys.executable).with_name("dask"), tmp_path / "scheduler.json"
    common = ["--scheduler-file", str(address), "--no-dashboard"]
    started = [
        subprocess.Popen([dask, *words, *common], stderr=subprocess.DEVNULL, cwd=tmp_path)
        for words in (["scheduler", "--port", "0", "--host", "127.0.0.1"], ["worker", "--nthreads", "1", "--no-nanny"])
    ]
    points = plan(STAGE, ["gamma=0:0.9:9", "layers=500,600"], FIXED)
    out = tmp_path / "out"

    def kill():
        while len(list(out.glob("points/*.json"))) < 4:
            time.sleep(0.01)
        started[0].kill()

    try:
        while not (known := read_json(address)):
            time.sleep(0.05)
        threading.Thread(target=kill, daemon=True).start()
        with (
            pytest.raises(StageFailed, match="scheduler went away"),
            executor(scheduler=known["address"]) as pool,
        ):
            sweep(points, out, pool, progress=QUIET)
    finally:
        for process in started:
            process.kill()
            process.wait()
    counts = pd.read_csv(out / "sweep.csv")["status"].value_counts()
    assert counts["done"] >= 4
    assert counts["pending"] > 0
    assert counts.sum() == 18
    before = {path: path.stat().st_mtime_ns for path in out.glob("points/*.json")}
    assert sweep(points, out, Inline(), progress=QUIET)["status"].tolist() == 18 * ["done"]
    assert all(path.stat().st_mtime_ns == at for path, at in before.items())
