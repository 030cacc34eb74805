"""A CV cycle of the default network, in units of one factorisation and solve of its own Jacobian."""

import math
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from continuum import ContinuumConfig, Frames, TransSlitFlux, run
from continuum.mpnp import ModifiedPNP
from continuum.newton import factorise
from transslit import SlitNetwork, TriangularCV, load_electrolyte
from transslit.progress import Progress


@pytest.fixture(scope="module")
def config():
    return ContinuumConfig(
        network=SlitNetwork(slit=2e-9, layers=6), electrolyte=load_electrolyte("KCl"), drive=TriangularCV(), steps=200
    )


def unit(equations):
    """Processor seconds of one SuperLU factorisation and solve, best of five."""
    x = equations.uniform(0.1)
    matrix, right = equations.jacobian(x, 0.005), np.ones(x.size)
    taken = []
    for _ in range(5):
        began = time.process_time()
        factorise(matrix).solve(right)
        taken.append(time.process_time() - began)
    return min(taken)


def cost(benchmark, config, folder):
    """Units of a run, by processor time, so that a busy machine counts for both."""
    spent = []

    def cycle():
        began = time.process_time()
        run(config, folder, Progress(quiet=True))
        spent.append(time.process_time() - began)

    before = unit(ModifiedPNP(config))
    benchmark.pedantic(cycle, rounds=1, iterations=1)
    one = min(before, unit(ModifiedPNP(config)))
    benchmark.extra_info.update(unit_s=one, units=spent[0] / one)
    return spent[0] / one


def test_cycle_in_units_of_a_factorisation(benchmark, config, tmp_path):
    """At most 400 units all in: assembly, steps, frames on disk, analysis."""
    assert cost(benchmark, config, tmp_path) < 400
    with Frames(tmp_path) as frames:
        assert len(frames) == 201
        assert len(TransSlitFlux(frames).run().results.record.crossings) == 4 * 201


def test_adaptive_cycle_in_units_of_a_factorisation(benchmark, config, tmp_path):
    """At most 200 units, for R_c and gamma within 1 % (which `tests/continuum/test_convergence.py` holds)."""
    assert cost(benchmark, config.model_copy(update={"stepping": "adaptive"}), tmp_path) < 200


CYCLE = """
import sys
from pathlib import Path
from continuum import ContinuumConfig, run
from transslit import SlitNetwork, load_electrolyte
from transslit.progress import Progress
network = SlitNetwork(slit=2e-9, layers=int(sys.argv[1]))
config = ContinuumConfig(network=network, electrolyte=load_electrolyte("KCl"))
record = run(config, Path(sys.argv[2]), Progress(quiet=True))
print(record.metadata["cells"])
"""


def spent(layers, folder):
    """Cells, processor seconds and peak memory (GiB) of a cycle in a process of its own, imports and all."""
    command = [sys.executable, "-c", CYCLE, str(layers), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        cells = int(process.stdout.read())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    return cells, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 2**20


def test_fifty_layers(benchmark, tmp_path):
    """Under 10 minutes and 4 GiB, and no faster growth than cells^1.3 from 6 layers on."""
    cells, seconds, _ = spent(6, tmp_path / "6")
    many, taken, memory = benchmark.pedantic(spent, args=(50, tmp_path / "50"), rounds=1, iterations=1)
    growth = math.log(taken / seconds) / math.log(many / cells)
    benchmark.extra_info.update(cells=many, seconds=taken, gib=memory, growth=growth)
    assert taken < 600
    assert memory < 4
    assert growth < 1.3
