"""A planted circuit comes back from its noisy curve."""

import numpy as np
import pytest

from circuit import simulate
from circuit.fit import fit, sparse
from circuit.measured import Curve
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
