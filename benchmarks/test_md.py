"""What a run costs over bare integration of the same system, in one process, and where its time goes.

pytest benchmarks/test_md.py --benchmark-only

Processor time is compared, so that other work on the machine does not count; on a GPU it would be wall time.
"""

import itertools
import time

import pytest

from md import Cell, quick
from md.fixed_charge import FixedCharge
from md.forcefield import build_system, topology
from md.propagate import Leg, propagate, simulation
from md.starts import set_constrained_positions, shipped_starts
from transslit import load_electrolyte

STEPS = 200  # 0.4 ps, eight frames and a checkpoint; runs write one every half minute


@pytest.fixture(scope="module")
def live():
    """The default cell at its shipped equilibrium."""
    cell = Cell(quick(0.59e-9, load_electrolyte("KCl"), 1000.0, platform="CPU"))
    starts = shipped_starts(cell)
    structure = topology(cell, starts.waters)
    drive = FixedCharge(cell)
    system = build_system(cell, structure)
    drive.force(system)
    sim = simulation(structure, system, cell, 1)
    set_constrained_positions(sim, starts.positions[0])
    sim.context.setVelocitiesToTemperature(298.15, 2)
    sim.step(20)
    return cell, sim, drive


def spent(work):
    began = time.process_time()
    work()
    return time.process_time() - began


def test_reporting_costs_at_most_a_tenth(benchmark, live, tmp_path):
    """Frames, temperatures, checks, drive and checkpoint against `integrator.step`, turn by turn; the least of each."""
    cell, sim, drive = live
    legs = [Leg("hold", STEPS, 2e-15, 298.15, 25, 5.0)]
    folders = (tmp_path / str(n) for n in itertools.count())
    bare, run = [], []

    def turn():
        bare.append(spent(lambda: sim.integrator.step(STEPS)))
        run.append(spent(lambda: propagate(sim, cell, legs, next(folders), drive=drive, interval=1e9)))

    benchmark.pedantic(turn, rounds=4, iterations=1)
    overhead = min(run) / min(bare) - 1
    benchmark.extra_info.update(overhead=overhead, bare_s_per_step=min(bare) / STEPS)
    assert overhead < 0.1
