"""Impedance against the open finite Warburg element, a ladder's continued fraction, and the time domain."""

import numpy as np
import pytest

from circuit import CircuitConfig, HalfCell, simulate
from circuit.impedance import impedance, impedance_during
from transslit import BadInput
from transslit.drive import TableDrive


def complex_of(table):
    return table["Z_real_ohm"].to_numpy() + 1j * table["Z_imag_ohm"].to_numpy()


def test_a_long_ladder_is_coth_over_six_decades():
    """R = C = 1: Z = R_open + coth(sqrt(j omega)) / sqrt(j omega); 4,000 slits leave omega / (12 n^2) < 1e-4."""
    n = 4000
    config = CircuitConfig(
        layers=n + 1, resistance=1 / n, slit_capacitance=1 / n, open_resistance=1e-3, open_capacitance=1e-9,
        full_cell=False, half_entrance_resistor=True,
    )  # fmt: skip
    omega = np.geomspace(1e-2, 1e4, 31)
    root = np.sqrt(1j * omega)
    assert (
        np.abs(complex_of(impedance(config, omega / (2 * np.pi))) / (1e-3 + 1 / root / np.tanh(root)) - 1).max() < 1e-4
    )


def fraction(cell, resistances, omega):
    """Z of one half-cell of constant elements from its far end, by hand."""
    below = np.inf
    for R in resistances[::-1]:
        below = R + 1 / (1j * omega * cell.slit_capacitance + 1 / below)
    return cell.open_resistance + 1 / (1j * omega * cell.open_capacitance + 1 / below)


def test_state_of_charge_and_both_electrodes_enter(paper):
    """At rest at V every slit is at q = V / window: a continued fraction with R (1 - gamma q), halves in series."""
    omega = np.geomspace(1e3, 1e9, 13)
    config = paper(layers=6)
    for bias in (0.0, 0.3, -0.3):
        R = 5 * (1 - 0.9 * abs(bias) / 0.4) * np.ones(5)
        expected = 2 * np.array([fraction(config, R, w) for w in omega])
        assert complex_of(impedance(config, omega / 2 / np.pi, bias)) == pytest.approx(expected, rel=1e-9)
    counter = HalfCell(layers=4, resistance=3.0, slit_capacitance=150e-9, open_resistance=2.0, open_capacitance=2e-8)
    both = paper(layers=6, counter=counter, gamma=0.0)
    expected = [fraction(both, [5.0] * 5, w) + fraction(counter, [3.0] * 3, w) for w in omega]
    assert complex_of(impedance(both, omega / 2 / np.pi)) == pytest.approx(np.array(expected), rel=1e-9)


@pytest.mark.parametrize("bias", [0.0, 0.2])
def test_a_small_sine_in_time_gives_the_same(paper, bias):
    """2 mV on the bias, the last of eight periods, by projection; the response's own curvature is of order (u/V)^2."""
    config = paper(layers=6, initial_voltage=bias, charge_max=16e-9, tolerance=1e-9)
    frequency = 3e5
    time = np.linspace(0, 8 / frequency, 8 * 64 + 1)
    drive = TableDrive(time=tuple(time), voltage=tuple(bias + 2e-3 * np.sin(2 * np.pi * frequency * time)))
    result = simulate(config.model_copy(update={"drive": drive, "points": 8 * 64 + 1}))
    last = result.terminal.iloc[-65:-1]
    wave = np.exp(-2j * np.pi * frequency * last["time_s"])
    measured = (last["V_m_V"] * wave).sum() / (last["I_m_A"] * wave).sum()
    expected = complex_of(impedance(config, [frequency], bias))[0]
    assert measured == pytest.approx(expected, rel=2e-2 if bias == 0 else 5e-3)


def test_in_the_middle_of_a_run_the_fast_limit_is_the_entrance(paper):
    result = simulate(paper())
    Z = complex_of(impedance_during(result, 3e-5, np.array([1e12, 1e5])))
    assert Z[0] == pytest.approx(2.0, rel=1e-3)  # both R_open
    resting = complex_of(impedance(paper(), [1e5], 0.2))[0]
    assert abs(Z[1] / resting - 1) > 0.01  # the slits are charged unevenly


def test_impossible_requests_are_refused(paper):
    with pytest.raises(BadInput, match="frequencies"):
        impedance(paper(), [0.0])
    with pytest.raises(BadInput, match="resistance"):
        impedance(paper(), [1.0], bias=0.6)
