"""A planted circuit comes back from its noisy curve; files are read in SI, and refused in one line."""

import numpy as np
import pytest

from circuit import simulate
from circuit.export import to_csv, to_mpt
from circuit.fit import fit, sparse
from circuit.measured import Curve, read_curve
from transslit import BadInput
from transslit.drive import Galvanostatic

TRUTH = {"resistance": 5.0, "gamma": 0.6, "slit_capacitance": 80e-9, "open_resistance": 1.0}
GUESS = {"resistance": 2.0, "gamma": 0.2, "slit_capacitance": 50e-9, "open_resistance": 3.0}


def planted(config, noise, seed=1):
    table = simulate(config).terminal
    rng = np.random.default_rng(seed)
    time, voltage, current = (table[name].to_numpy() for name in ("time_s", "V_m_V", "I_m_A"))
    if isinstance(config.drive, Galvanostatic):
        voltage = voltage + noise * np.abs(voltage).max() * rng.normal(size=len(time))
    else:
        current = current + noise * np.abs(current).max() * rng.normal(size=len(time))
    return Curve(time, voltage, current)


@pytest.mark.parametrize("drive", [None, Galvanostatic(current=5e-3, cycles=1)], ids=["cv", "galvanostatic"])
def test_planted_numbers_lie_in_their_intervals(paper, drive):
    """1 % noise, 800 rows; three standard errors, and the guess is off by factors of 2 to 3."""
    config = paper(layers=10, points=800, **TRUTH, **({"drive": drive} if drive else {}))
    found = fit(planted(config, 0.01), config.model_copy(update=GUESS))
    assert found.compared == ("V_m_V" if drive else "I_m_A")
    assert found.rms_over_peak == pytest.approx(0.01, rel=0.15)
    for row in found.table.itertuples():
        assert abs(row.value - TRUTH[row.parameter]) < 3 * row.std + 0.01 * abs(TRUTH[row.parameter]), row
        assert row.low < row.value < row.high
    assert found.table["identified"].all()
    assert np.diag(found.correlation) == pytest.approx(np.ones(4))


def test_a_curve_too_slow_to_hold_resistances_says_so(paper):
    """A ten-thousandth of the rate: the CV is a box, of which only C_slit can be read."""
    slow = paper().drive.model_copy(update={"scan_rate": 2.0, "cycles": 1})
    config = paper(layers=4, points=400, drive=slow, **TRUTH)
    table = fit(planted(config, 0.01), config, evaluations=2).table
    known = dict(zip(table["parameter"], table["identified"], strict=True))
    assert known["slit_capacitance"]
    assert not known["resistance"]
    assert not known["gamma"]


def test_a_triangle_is_kept_by_its_corners(paper):
    table = simulate(paper(points=401)).terminal
    time, value = sparse(table["time_s"].to_numpy(), table["V_m_V"].to_numpy())
    assert value == pytest.approx([0, 0.4, 0, 0.4, 0], abs=1e-9)
    assert np.diff(time) == pytest.approx([2e-5] * 4)


def test_an_mpr_is_read_by_galvani(tmp_path, monkeypatch):
    """What galvani hands over of a binary file, with EC-Lab's names and units; the reading of bytes is galvani's."""
    biologic = pytest.importorskip("galvani.BioLogic", reason="galvani is not installed (pip install galvani)")

    class File:
        def __init__(self, path):
            self.data = np.zeros(12, dtype=[("time/s", "f8"), ("Ewe/V", "f4"), ("<I>/mA", "f4"), ("mode", "u1")])
            self.data["time/s"] = 2 + np.arange(12)
            self.data["Ewe/V"] = 0.1
            self.data["<I>/mA"] = 3.0

    (tmp_path / "cv.mpr").write_bytes(b"BIO-LOGIC MODULAR FILE")
    with pytest.raises(BadInput, match=r"cannot be read as \.mpr"):
        read_curve(tmp_path / "cv.mpr")
    monkeypatch.setattr(biologic, "MPRfile", File)
    curve = read_curve(tmp_path / "cv.mpr")
    assert curve.time[[0, -1]].tolist() == [0, 11]
    assert curve.current == pytest.approx(np.full(12, 3e-3))
    assert curve.voltage == pytest.approx(np.full(12, 0.1))


def test_files_are_read_in_si(paper, tmp_path):
    result = simulate(paper(points=101))
    to_mpt(result, tmp_path / "cv.mpt")
    to_csv(result, tmp_path / "cv.csv")
    for name in ("cv.mpt", "cv.csv"):
        curve = read_curve(tmp_path / name)
        for mine, column in ((curve.time, "time_s"), (curve.voltage, "V_m_V"), (curve.current, "I_m_A")):
            assert mine == pytest.approx(result.terminal[column].to_numpy(), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("cv.xlsx", "", "mpt"),
        ("cv.csv", "time,V,I\n0,0,0\n", "unit"),
        ("cv.csv", "time/s,Ewe/V,<I>/mA\n" + "".join(f"{t},0,0\n" for t in [*range(12), 5]), "row 13"),
        ("cv.csv", "time/s,Ewe/V,<I>/mA\n" + "".join(f"{t},x,0\n" for t in range(12)), "finite"),
        ("cv.csv", "time/s,Ewe/V,<I>/mA\n0,0,0\n", "ten"),
        ("cv.mpt", "something else\n", "EC-Lab"),
        ("cv.csv", "", "cannot be read"),
    ],
)
def test_files_that_will_not_do_are_refused(tmp_path, name, text, word):
    (tmp_path / name).write_text(text)
    with pytest.raises(BadInput, match=word):
        read_curve(tmp_path / name)
