"""The netlist: run by ngspice for every kind of element and drive, against the ladder's own integrator."""

import re
import shutil
import subprocess

import numpy as np
import pytest

from circuit import HalfCell, Table, simulate
from circuit.resistance import Q
from circuit.spice import spice_expression, to_spice
from transslit import BadInput, Law
from transslit.drive import ConstantPower, Galvanostatic, PotentialStep, RateSeries, SmoothedCV, TableDrive

needs_ngspice = pytest.mark.skipif(
    shutil.which("ngspice") is None, reason="ngspice is not installed (apt-get install ngspice)"
)


def ngspice(netlist, folder):
    """Time in s, V_m in V and, where it is not given, the charging current in A, each (k,), of a batch run."""
    (folder / "cell.cir").write_text(netlist)
    command = ["ngspice", "-b", "-r", "cv.raw", "cell.cir"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)
    assert (folder / "cv.raw").exists(), done.stderr  # its exit status is 0 whatever happens
    head, body = (folder / "cv.raw").read_bytes().split(b"Binary:\n")
    names = re.findall(r"^\t\d+\t(\S+)\t", head.decode(), re.M)
    assert names == ["time", "v(p)", "i(v1)"][: len(names)]
    time, voltage, *current = np.frombuffer(body).reshape(-1, len(names)).T
    return time, voltage, *(-i for i in current)


LAW = Law("dphi_V", ("I_A_per_m", "q"), "5*I_A_per_m*(exp(-2*q) + q**2/(1 + sqrt(q)) - (q - 1)**3/10)", {})
GROWN = Table(over="potential", at=(0.0, 0.05, 0.1, 0.2), value=(60e-9, 70e-9, 85e-9, 90e-9))
FILLED = Table(over="q", at=(0.0, 0.3, 1.0), value=(60e-9, 90e-9, 70e-9))
FALLING = Table(at=(0.0, 0.2, 0.6, 1.0), value=(5.0, 4.5, 1.0, 0.6))
OPEN = Table(over="potential", at=(0.0, 0.2), value=(10e-9, 20e-9))
COUNTER = HalfCell(
    layers=4, resistance=3.0, gamma=-0.4, slit_capacitance=150e-9, open_resistance=2.0, open_capacitance=20e-9
)
SAW = {"time": (0.0, 1e-5, 3e-5)}


QUICK = [
    ({}, None),
    ({"polarity": -1}, None),
    ({"model": "tlm", "half_entrance_resistor": True}, None),
    ({"layers": 6, "half_entrance_resistor": True, "gamma": -0.9}, None),
    ({"layers": 6, "full_cell": False}, LAW),
    ({"layers": 4, "charge_max": 10e-9}, LAW),  # q up to 1.6, beyond which the law keeps its value
    ({"layers": 4, "capacitance_table": FILLED, "open_capacitance_table": OPEN, "resistance_table": FALLING}, None),
    ({"layers": 6, "drive": TableDrive(**SAW, voltage=(0.1, 0.3, -0.2)), "initial_voltage": 0.1}, None),
]
LONGER = [
    ({"layers": 6, "resistance_table": FALLING, "half_entrance_resistor": True}, None),
    ({"layers": 6, "capacitance_table": GROWN, "polarity": -1}, None),
    ({"layers": 4, "capacitance_table": (GROWN, FILLED, GROWN), "resistance": (5.0, 4.0, 6.0)}, None),
    ({"layers": 6, "counter": COUNTER, "charge_max": 16e-9}, None),
    ({"layers": 6, "drive": SmoothedCV(cycles=1, smoothing=0.3)}, None),
    ({"layers": 6, "drive": RateSeries(scan_rates=(2e4, 4e4))}, None),
    ({"layers": 6, "drive": TableDrive(**SAW, voltage=(0.1, 0.3, -0.2)), "capacitance_table": GROWN}, None),
]


@needs_ngspice
@pytest.mark.parametrize(
    ("changes", "law"), [*QUICK, *(pytest.param(*case, marks=pytest.mark.slow) for case in LONGER)]
)
def test_ngspice_agrees_to_1e_4_of_the_peak(paper, tmp_path, changes, law):
    """CVs are of two cycles."""
    config = paper(**changes)
    table = simulate(config, law).terminal
    time, voltage, current = ngspice(to_spice(config, law), tmp_path)
    assert time[-1] == pytest.approx(table["time_s"].iloc[-1])
    peak = np.abs(table["I_m_A"]).max()
    table = table[table["time_s"] > 0]  # when a jump is not yet made in SPICE
    assert np.abs(np.interp(table["time_s"], time, current) - table["I_m_A"]).max() < 1e-4 * peak
    assert np.abs(np.interp(table["time_s"], time, voltage) - table["V_m_V"]).max() < 2e-6


@needs_ngspice
@pytest.mark.parametrize(
    "changes",
    [
        {"drive": Galvanostatic(current=5e-3, cycles=2)},
        {"drive": TableDrive(**SAW, current=(0.0, 5e-3, -5e-3))},
        {"drive": Galvanostatic(current=5e-3, lower=0.1, cycles=1), "initial_voltage": 0.1, "capacitance_table": GROWN},
    ],
)
def test_ngspice_agrees_on_the_voltage_where_the_current_is_given(paper, tmp_path, changes):
    config = paper(layers=6, charge_max=16e-9, **changes)
    table = simulate(config).terminal
    time, voltage = ngspice(to_spice(config), tmp_path)
    corners = simulate(config).trajectory.corners
    away = np.abs(table["time_s"].to_numpy()[:, None] - corners).min(axis=1) > 1e-5 * time[-1]  # from the jumps
    apart = np.abs(np.interp(table["time_s"], time, voltage) - table["V_m_V"])[away]
    assert apart.max() < 1e-4 * np.abs(table["V_m_V"]).max()


@needs_ngspice
def test_ngspice_agrees_on_a_step(paper, tmp_path):
    """But for the rows at the jumps, which SPICE makes in a picosecond."""
    config = paper(layers=6, drive=PotentialStep(voltage=0.4, duration=1e-6, rest=1e-6), points=4001)
    table = simulate(config).terminal
    time, _, current = ngspice(to_spice(config), tmp_path)
    table = table[(table["time_s"] % 1e-6 > 1e-10) & (table["time_s"] % 1e-6 < 0.9999e-6)]
    assert np.abs(np.interp(table["time_s"], time, current) - table["I_m_A"]).max() < 1e-4 * 0.2


def test_what_a_netlist_cannot_hold_is_refused(paper):
    with pytest.raises(BadInput, match="spice of a power drive"):
        to_spice(paper(drive=ConstantPower(power=1e-3)))


@needs_ngspice
def test_netlist_follows_the_charge(paper, tmp_path):
    """A constant R in its place would be the TLM: the two differ by far more than the agreement above."""
    ncm, tlm = (ngspice(to_spice(paper(layers=6, model=m)), tmp_path) for m in ("ncm", "tlm"))
    grid = np.linspace(1e-7, 79e-6, 500)
    apart = np.abs(np.interp(grid, ncm[0], ncm[2]) - np.interp(grid, tlm[0], tlm[2])).max()
    assert apart > 0.1 * np.abs(ncm[2]).max()


def test_spice_expression_means_the_same():
    """Evaluated as Python with ngspice's names: `LAW` and every function that has a counterpart."""
    import sympy

    names = {name: getattr(np, name) for name in ("exp", "sin", "cos", "tanh", "sinh", "cosh", "abs")}
    names |= {"ln": np.log, "sgn": np.sign, "max": np.maximum, "min": np.minimum}
    everything = sympy.sympify(
        "log(1+q) + Abs(q-1) + sign(q-2) + sin(q) + cos(q)*tanh(q) + sinh(q)/cosh(q) + Max(q, 0.5, 0.1) - Min(q, 0.3)"
        "+ q**2.5 + (q-2)**3 + 1/(q+1)**2 + sqrt(q) + pi*q",
        locals={"q": Q},
    )
    q = np.linspace(0, 1.2, 25)
    for expression in (LAW.resistance_expression, everything):
        text = spice_expression(expression, "x")
        expected = sympy.lambdify(Q, expression, "numpy")(q)
        assert eval(text, {**names, "x": q}) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    with pytest.raises(BadInput, match="SPICE"):
        spice_expression(sympy.gamma(Q + 1), "x")
