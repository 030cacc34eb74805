"""Exports: the netlist run by ngspice, the EC-Lab file and the CSV read back."""

import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from circuit import simulate
from circuit.export import spice_expression, to_csv, to_mpt, to_spice
from circuit.resistance import Q
from transslit import BadInput, Law, TriangularCV

needs_ngspice = pytest.mark.skipif(
    shutil.which("ngspice") is None, reason="ngspice is not installed (apt-get install ngspice)"
)


def ngspice(netlist, folder):
    """Time in s, V_m in V and charging current in A, each (k,), of a batch run of `netlist`."""
    (folder / "cell.cir").write_text(netlist)
    command = ["ngspice", "-b", "-r", "cv.raw", "cell.cir"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)
    assert (folder / "cv.raw").exists(), done.stderr  # its exit status is 0 whatever happens
    head, body = (folder / "cv.raw").read_bytes().split(b"Binary:\n")
    names = re.findall(r"^\t\d+\t(\S+)\t", head.decode(), re.M)
    assert names == ["time", "v(p)", "i(v1)"]
    time, voltage, current = np.frombuffer(body).reshape(-1, 3).T
    return time, voltage, -current


LAW = Law("dphi_V", ("I_A_per_m", "q"), "5*I_A_per_m*(exp(-2*q) + q**2/(1 + sqrt(q)) - (q - 1)**3/10)", {})


@needs_ngspice
@pytest.mark.parametrize(
    ("changes", "law"),
    [
        ({}, None),
        ({"polarity": -1}, None),
        ({"model": "tlm", "half_resistor_mouth": True}, None),
        ({"layers": 6, "half_resistor_mouth": True, "gamma": -0.9}, None),
        ({"layers": 6, "full_cell": False}, LAW),
    ],
)
def test_ngspice_agrees_to_1e_4_of_the_peak_over_two_cycles(paper, tmp_path, changes, law):
    config = paper(**changes)
    table = simulate(config, law).terminal
    time, voltage, current = ngspice(to_spice(config, law), tmp_path)
    assert time[-1] == pytest.approx(table["time_s"].iloc[-1])
    peak = np.abs(table["I_m_A"]).max()
    assert np.abs(np.interp(table["time_s"], time, current) - table["I_m_A"]).max() < 1e-4 * peak
    assert np.abs(np.interp(table["time_s"], time, voltage) - table["V_m_V"]).max() < 1e-6


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


def test_mpt_is_an_ec_lab_file_and_says_simulated(paper, tmp_path):
    result = simulate(paper(points=401))
    text = to_mpt(result, tmp_path / "cv.mpt")
    raw = (tmp_path / "cv.mpt").read_bytes()
    assert raw == text.encode("latin-1")
    assert raw.count(b"\n") == raw.count(b"\r\n")
    lines = text.split("\r\n")
    assert lines[0] == "EC-Lab ASCII FILE"
    count = int(re.fullmatch(r"Nb header lines : (\d+) *", lines[1])[1])
    assert [lines[2], lines[3], lines[4]] == ["", "Cyclic Voltammetry", ""]
    assert lines[5].startswith("Acquisition started on : ")
    assert any("SIMULATED" in line for line in lines[:count])
    header = lines[count - 1]
    assert header.split("\t")[:3] == ["mode", "ox/red", "error"]
    assert not header.endswith("\t")
    table = pd.read_csv(tmp_path / "cv.mpt", sep="\t", skiprows=count - 1, encoding="latin-1")
    terminal = result.terminal
    assert table["time/s"].to_numpy() == pytest.approx(terminal["time_s"].to_numpy(), rel=1e-9)
    assert table["<I>/mA"].to_numpy() == pytest.approx(1e3 * terminal["I_m_A"].to_numpy(), rel=1e-9, abs=1e-15)
    assert table["Ewe/V"].to_numpy() == pytest.approx(terminal["V_m_V"].to_numpy(), rel=1e-9)
    assert table["cycle number"].iloc[[0, 199, 201, 400]].tolist() == [1, 1, 2, 2]
    assert table["(Q-Qo)/C"].iloc[-1] == pytest.approx(result.balance().charge_passed, rel=1e-3)
    assert set(table["ox/red"]) == {0, 1}


def test_mpt_opens_in_galvani(paper, tmp_path):
    galvani = pytest.importorskip("galvani", reason="galvani is not installed (pip install galvani)")
    result = simulate(paper(points=101))
    to_mpt(result, tmp_path / "cv.mpt")
    table, _ = galvani.MPTfile(str(tmp_path / "cv.mpt"))
    assert np.asarray(table["Ewe/V"]) == pytest.approx(result.terminal["V_m_V"].to_numpy())


def test_csv_reads_back_to_the_last_digit(paper, tmp_path):
    result = simulate(paper(points=101, drive=TriangularCV(cycles=1)))
    text = to_csv(result, tmp_path / "cv.csv")
    assert "charging current positive" in text
    assert "simulated" in text
    back = pd.read_csv(tmp_path / "cv.csv", comment="#")
    pd.testing.assert_frame_equal(back, result.terminal, rtol=1e-15, atol=0)
