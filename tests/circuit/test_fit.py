"""A planted circuit comes back from its noisy curve."""

import numpy as np
import pytest

from circuit import simulate
from circuit.fit import NETWORK_TIME, fit, piecewise_linear
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
    truth = TRUTH | {NETWORK_TIME: 9**2 * TRUTH["resistance"] * TRUTH["slit_capacitance"]}
    for row in found.table.itertuples():
        assert abs(row.value - truth[row.parameter]) < 3 * row.std + 0.01 * abs(truth[row.parameter]), row
        assert row.low < row.value < row.high
    assert found.table["identified"].all()
    assert np.diag(found.correlation) == pytest.approx(np.ones(4))


@pytest.mark.parametrize("full_cell", [True, False])
def test_a_slit_is_full_at_the_largest_potential_of_its_half_cell(paper, full_cell):
    """q = 1 at C_slit max |phi_m|, where V_m = 2 phi_m of a full cell; from the truth a fit does not move."""
    config = paper(layers=3, points=200, full_cell=full_cell, **TRUTH)
    found = fit(planted(config, 0.0), config, points=100, evaluations=2)
    largest = 0.4 / (2 if full_cell else 1)
    assert found.config.charge_max == pytest.approx(TRUTH["slit_capacitance"] * largest, rel=1e-2)
    table = found.table.set_index("parameter")["value"]
    assert table["gamma"] == pytest.approx(TRUTH["gamma"], rel=0.01)


def test_the_networks_time_does_not_depend_on_the_assumed_layers(paper):
    """A curve of 20 layers, fitted as 30 and 40: a slit's R_c and C_slit fall with their number, n^2 R_c C_slit not."""
    config = paper(layers=20, points=800, **TRUTH)
    curve = planted(config, 0.0)
    tables = {
        layers: fit(curve, config.model_copy(update={"layers": layers, **GUESS})).table.set_index("parameter")["value"]
        for layers in (20, 30, 40)
    }
    exact = 19**2 * TRUTH["resistance"] * TRUTH["slit_capacitance"]
    assert tables[20][NETWORK_TIME] == pytest.approx(exact, rel=0.01)
    for layers in (30, 40):
        assert tables[layers][NETWORK_TIME] == pytest.approx(exact, rel=0.1)
        share = tables[layers]["slit_capacitance"] / TRUTH["slit_capacitance"]
        assert share == pytest.approx(19 / (layers - 1), rel=0.1)


def test_a_slow_curve_does_not_identify_resistances(paper):
    """A ten-thousandth of the rate: the CV is a box, of which only C_slit can be read."""
    slow = paper().drive.model_copy(update={"scan_rate": 2.0, "cycles": 1})
    config = paper(layers=4, points=400, drive=slow, **TRUTH)
    table = fit(planted(config, 0.01), config, evaluations=2).table
    known = dict(zip(table["parameter"], table["identified"], strict=True))
    assert known["slit_capacitance"]
    assert not known["resistance"]
    assert not known["gamma"]


@pytest.mark.parametrize(
    ("changes", "undetermined"),
    [({"model": "tlm"}, {"gamma"}), ({"layers": 1}, {"resistance", "gamma", "slit_capacitance"})],
)
def test_parameters_that_the_circuit_does_not_have_are_not_identified(paper, changes, undetermined):
    """The others come back; these keep their guess, are uncorrelated, and may be anything within the bounds."""
    config = paper(**{**TRUTH, "layers": 10, "points": 400, "open_capacitance": 1e-6, **changes})
    guess = config.model_copy(update=GUESS)
    found = fit(planted(config, 0.001), guess)
    table = found.table[found.table["parameter"] != NETWORK_TIME]
    assert set(table.query("not identified")["parameter"]) == undetermined
    for row in table.itertuples():
        known = row.parameter not in undetermined
        assert row.value == pytest.approx(TRUTH[row.parameter] if known else GUESS[row.parameter], rel=0.02 * known)
        ends = (-3, 0.99) if row.parameter == "gamma" else (GUESS[row.parameter] / 1e3, GUESS[row.parameter] * 1e3)
        assert known or (row.low, row.high) == pytest.approx(ends)
        assert known or (found.correlation[row.parameter].drop(row.parameter) == 0).all()


def test_infeasible_parameters_end_a_fit_without_an_answer(paper):
    """A current that fills the slits to q = 50: R < 0 for any gamma near the guess, so that nothing is identified."""
    config = paper(layers=4, points=400, drive=Galvanostatic(current=5e-3), **TRUTH)
    curve = planted(config, 0.0)
    found = fit(Curve(curve.time, curve.voltage / 50, curve.current), config.model_copy(update={"gamma": 0.9}))
    assert found.rms_over_peak == pytest.approx(10)
    assert not found.table["identified"].any()


def test_a_triangle_is_kept_by_its_corners(paper):
    table = simulate(paper(points=401)).terminal
    time, value = piecewise_linear(table["time_s"].to_numpy(), table["V_m_V"].to_numpy())
    assert value == pytest.approx([0, 0.4, 0, 0.4, 0], abs=1e-9)
    assert np.diff(time) == pytest.approx([2e-5] * 4)
