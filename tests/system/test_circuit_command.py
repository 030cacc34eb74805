"""`transslit circuit` as a user calls it: drives, impedance and fit; every fault is one line and exit code 2."""

import json

import pandas as pd
import pytest

from circuit.fit import NETWORK_TIME
from circuit.surrogate import Surrogate

ELEMENTS = ["--resistance", "5ohm", "--gamma", "0.6", "--layers", "6", "--points", "400"]


def call(inside, *words):
    done = inside("transslit", "circuit", *ELEMENTS, *words, "--out", "run", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["summary"]


@pytest.mark.parametrize(
    "words",
    [
        ["--drive", "smoothed-cv", "--smoothing", "0.2", "--polarity", "-1"],
        ["--drive", "rates", "--scan-rates", "20mV/us,4mV/us"],
        [
            "--drive",
            "potential-step",
            "--voltage",
            "400mV",
            "--duration",
            "10us",
            "--half-cell",
            "--electrode",
            "tables.json",
        ],
        ["--drive", "power", "--power", "1mW", "--cycles", "1"],
    ],
)
def test_drives_run(inside, tmp_path, words):
    tables = {"resistance_table": {"at": [0, 1], "value": [5, 2]}, "charge_max": "32nC"}
    (tmp_path / "tables.json").write_text(json.dumps(tables))
    assert call(inside, *words)["peak_current"]["value"] > 1e-3
    assert list(pd.read_parquet(tmp_path / "run" / "terminal.parquet")) == ["time_s", "V_m_V", "phi_m_V", "I_m_A"]


def test_a_slit_width_gives_every_element_and_its_interval(inside):
    """As the fit has them at the operation of the drive, with half-widths of 1.96 standard errors."""
    words = ["--slit", "2nm", "--concentration", "0.5M", "--window", "300mV", "--layers", "6", "--out", "run", "--json"]
    summary = json.loads(inside("transslit", "circuit", *words).stdout)["summary"]
    values, errors = Surrogate.shipped().at(2e-9, 500.0, 0.3)
    units = {"resistance": "ohm*m", "gamma": "1", "slit_capacitance": "F/m", "charge_max": "C/m"}
    for name, unit in units.items():
        number = summary[name]
        assert number["unit"] == unit
        assert number["value"] == pytest.approx(values[name], rel=1e-9)
        assert number["high"] - number["value"] == pytest.approx(1.96 * errors[name], rel=1e-6)
        assert number["value"] - number["low"] == pytest.approx(1.96 * errors[name], rel=1e-6)


def test_galvanostatic_turns_at_its_limits_and_impedance_starts_at_the_entrance(inside, tmp_path):
    probes = ["--impedance", "1kHz:100GHz", "--ragone", "1uW:100uW"]
    call(inside, "--drive", "galvanostatic", "--current", "5mA", "--cycles", "1", *probes)
    segments = pd.read_parquet(tmp_path / "run" / "segments.parquet")
    assert segments["V_end_V"].tolist() == pytest.approx([0.4, 0.0], abs=1e-8)
    spectrum = pd.read_parquet(tmp_path / "run" / "impedance.parquet")
    assert len(spectrum) == 81
    assert spectrum["Z_real_ohm"].iloc[-1] == pytest.approx(2.0, rel=1e-3)  # both R_open
    given = pd.read_parquet(tmp_path / "run" / "ragone.parquet")
    assert len(given) == 21
    assert given["efficiency"].iloc[0] == pytest.approx(1, abs=2e-2)


def test_a_fit_returns_what_was_exported(inside, tmp_path):
    call(inside, "--export", "mpt")
    (tmp_path / "run" / "circuit.mpt").rename(tmp_path / "cv.mpt")
    guess = ["--resistance", "2ohm", "--slit-capacitance", "50nF", "--open-resistance", "2ohm", "--layers", "6"]
    done = inside("transslit", "circuit", *guess, "--fit", "cv.mpt", "--out", "fit", "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["parameter"]: row for row in json.loads((tmp_path / "fit" / "fit.json").read_text())["parameters"]}
    assert rows["resistance"]["value"] == pytest.approx(5.0, rel=0.02)
    assert rows["gamma"]["value"] == pytest.approx(0.6, abs=0.02)
    assert rows["slit_capacitance"]["value"] == pytest.approx(80e-9, rel=0.01)
    correlation = pd.read_csv(tmp_path / "fit" / "correlation.csv", index_col=0)
    assert [*correlation, NETWORK_TIME] == [*correlation.index, NETWORK_TIME] == list(rows)
    assert rows[NETWORK_TIME]["value"] == pytest.approx(25 * 5.0 * 80e-9, rel=0.03)  # five slits
    overlay = pd.read_csv(tmp_path / "fit" / "overlay.csv")
    assert overlay["fitted_I_m_A"].to_numpy() == pytest.approx(overlay["I_m_A"], abs=0.01 * overlay["I_m_A"].max())
    assert (tmp_path / "fit" / "overlay.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--drive", "dance"], ["drive", "galvanostatic"]),
        (["--drive", "galvanostatic"], ["current", "--current"]),
        (["--drive", "galvanostatic", "--current", "5"], ["current", "mA"]),
        (["--drive", "galvanostatic", "--current", "5mA", "--lower", "1V"], ["below the upper"]),
        (["--drive", "galvanostatic", "--current", "5A"], ["drive", "limit"]),
        (["--drive", "table"], ["drive_table"]),
        (["--drive", "table", "--drive-table", "none.csv"], ["none.csv", "no such file"]),
        (["--drive", "table", "--drive-table", "bare.csv"], ["bare.csv", "unit"]),
        (["--drive", "table", "--drive-table", "back.csv"], ["back.csv", "row 3"]),
        (["--fit", "none.mpt"], ["none.mpt", "no such file"]),
        (["--fit", "cv.xlsx"], ["cv.xlsx", ".mpt"]),
        (["--impedance", "1:2"], ["impedance", "kHz"]),
        (["--impedance", "1kHz:1Hz"], ["impedance", "increase"]),
        (["--impedance", "1Hz:1kHz", "--bias", "1"], ["bias", "mV"]),
        (["--slit-capacitance", "0nF"], ["slit_capacitance: 0nF", "greater than 0"]),
        (["--electrode", "colour.json"], ["electrode", "colour.json", "capacitance_table"]),
        (["--counter", "none.json"], ["counter", "none.json"]),
        (["--counter", "bad.json"], ["bad.json", "open_resistance"]),
        (["--slit-capacitance", "80nF,70nF"], ["slit_capacitance", "5 slits"]),
        (["--gamma", "much"], ["gamma", "much"]),
        (["--gamma", "2"], ["resistance", "slit 1", "zero"]),
        (["--drive", "power", "--power", "1mW", "--export", "spice"], ["export", "power"]),
    ],
)
def test_faults_are_one_line(inside, tmp_path, words, said):
    (tmp_path / "bare.csv").write_text("t,V\n0,0\n1,1\n")
    (tmp_path / "back.csv").write_text("time_us,V_m_mV\n0,0\n2,5\n1,1\n")
    (tmp_path / "cv.xlsx").write_text("")
    (tmp_path / "colour.json").write_text('{"colour": "red"}')
    (tmp_path / "bad.json").write_text('{"layers": 4, "slit_capacitance": "80nF", "open_capacitance": "1nF"}')
    done = inside("transslit", "circuit", *ELEMENTS, *words, "--out", "run")
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    for word in said:
        assert word in done.stderr
