"""Time of a circuit run, alone and against `ngspice -b` on the exported netlist.

pytest benchmarks/test_circuit.py --benchmark-only
"""

import shutil
import subprocess
import time

import pytest

from circuit import CircuitConfig, simulate
from circuit.spice import to_spice
from transslit import TriangularCV


def circuit(layers, gamma=0.9):
    """The paper's scale (Extended Data Fig. 13), two cycles, 2,000 points."""
    return CircuitConfig(
        layers=layers,
        resistance=5.0,
        gamma=gamma,
        slit_capacitance=80e-9,
        open_resistance=1.0,
        open_capacitance=10e-9,
        drive=TriangularCV(cycles=2),
    )


@pytest.mark.parametrize("gamma", [0.0, 0.9])
@pytest.mark.parametrize("layers", [6, 50, 1000])
def test_simulate(benchmark, layers, gamma):
    benchmark.extra_info["steps"] = benchmark(simulate, circuit(layers, gamma)).metadata["steps"]


@pytest.mark.skipif(shutil.which("ngspice") is None, reason="ngspice is not installed")
def test_against_ngspice(benchmark, tmp_path):
    """50 layers by NCM, both within 1e-4 of the peak current; the ratio is in the extra info."""
    config = circuit(50)
    (tmp_path / "cell.cir").write_text(to_spice(config))
    began = time.perf_counter()
    subprocess.run(["ngspice", "-b", "-r", "cv.raw", "cell.cir"], cwd=tmp_path, capture_output=True, check=True)
    spice = time.perf_counter() - began
    benchmark(simulate, config)
    benchmark.extra_info["ngspice_s"] = spice
    if benchmark.stats is not None:
        benchmark.extra_info["times_faster"] = spice / benchmark.stats.stats.median
        assert spice > 5 * benchmark.stats.stats.median
