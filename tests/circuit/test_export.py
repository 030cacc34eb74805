"""Exports: the EC-Lab file and the CSV read back."""

import re

import numpy as np
import pandas as pd
import pytest

from circuit import simulate
from circuit.export import to_csv, to_mpt
from transslit import TriangularCV


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
    assert table["time/s"].to_numpy() == pytest.approx(terminal["time_s"].to_numpy(), rel=1e-9, abs=0)
    assert table["<I>/mA"].to_numpy() == pytest.approx(1e3 * terminal["I_m_A"].to_numpy(), rel=1e-9, abs=1e-15)
    assert table["Ewe/V"].to_numpy() == pytest.approx(terminal["V_m_V"].to_numpy(), rel=1e-9)
    assert table["cycle number"].iloc[[0, 199, 201, 400]].tolist() == [1, 1, 2, 2]
    assert table["(Q-Qo)/C"].iloc[-1] == pytest.approx(result.balance().charge_passed, rel=1e-3, abs=0)
    assert table["ox/red"].to_numpy().tolist() == (terminal["I_m_A"] > 0).astype(int).tolist()  # 1 is oxidation


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
