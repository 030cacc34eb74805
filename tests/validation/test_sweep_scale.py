"""Ten thousand circuits in one sweep: memory of scheduler and workers stays where it was."""

import threading
import time

import psutil
import pytest

from transslit.executor import executor
from transslit.progress import Progress
from validation.commands.circuit import STAGE
from validation.sweep import plan, sweep

POINTS = 10_000
MOST = 5e3  # bytes per point that this process may come to hold: its row


class Watch(threading.Thread):
    """Resident memory of this process, which holds the scheduler, and of the workers, by how many points are done."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder, self.stop, self.seen = folder, threading.Event(), []

    def run(self):
        own = psutil.Process()
        while not self.stop.wait(1.0):
            done = sum(1 for _ in self.folder.glob("*.json"))
            workers = [child for child in own.children(recursive=True) if "spawn_main" in " ".join(child.cmdline())]
            self.seen.append((done, own.memory_info().rss, sum(child.memory_info().rss for child in workers)))

    def growth(self, which, first, last):
        """Change of the memory of (1) this process or (2) the workers between two numbers of points."""
        at = [min(self.seen, key=lambda row: abs(row[0] - count)) for count in (first, last)]
        return at[1][which] - at[0][which]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_thousand_points_do_not_fill_the_memory(tmp_path):
    fixed = {"resistance": "5ohm", "points": "11", "layers": "2", "cycles": "1"}
    began = time.process_time()
    points = plan(STAGE, ["gamma=0:0.9:100", "slit-capacitance=10nF:100nF:100"], fixed)
    planned = time.process_time() - began
    (tmp_path / "points").mkdir()
    with executor(2) as pool:
        watch = Watch(tmp_path / "points")
        watch.start()
        began, cpu = time.time(), time.process_time()
        table = sweep(points, tmp_path, pool, progress=Progress())
        wall, cpu = time.time() - began, time.process_time() - cpu
        watch.stop.set()
    grown = watch.growth(1, POINTS / 5, POINTS), watch.growth(2, POINTS / 5, POINTS)
    print(f"planned in {planned:.1f} s; {wall:.0f} s wall, {cpu:.1f} s here, {table['cpu_s'].sum():.1f} s in points")
    print(f"at the end {watch.seen[-1]}; grown by {grown[0] / 1e6:.1f} MB here, {grown[1] / 1e6:.1f} MB in the workers")
    assert (table["status"] == "done").all()
    assert table["key"].nunique() == POINTS
    assert grown[0] < MOST * POINTS
    assert grown[1] < 20e6  # of the workers together: what an allocator does, not 4/5 of the points
