"""Resistances that follow prescribed charges, against an analytic ramp response and the circuit's own integrator."""

import numpy as np
import pandas as pd
import pytest

from circuit import CircuitConfig, simulate
from circuit.prescribed import prescribed_line
from transslit import BadInput, TriangularCV
from transslit.drive import PotentialStep

# Steps of 20 ns: the trapezoidal rule errs by (20 ns / R_open C_open)^2 / 12 = 3e-5 of a transient of the open space.
SMALL = {"layers": 6, "open_capacitance": 1e-6, "points": 4001}


def charges(result):
    return result.slits.pivot_table(index="time_s", columns="slit", values="q_C").abs()


def largest_difference(current, result):
    exact = result.terminal["I_m_A"].to_numpy()
    return np.abs(current - exact).max() / np.abs(exact).max()


def test_a_slit_of_constant_resistance_is_an_rc_circuit_at_second_order():
    """C_open = 1 F behind R_open = 2 ohm, C_slit = 0.5 F behind R = 3 ohm, under a ramp of 1 V/s.

    C du/dt = A u + b t has u = (exp(C^-1 A t) - 1) A^-1 C A^-1 b - A^-1 b t. Without gamma the charge has no effect.
    """
    config = CircuitConfig(
        layers=2,
        resistance=3.0,
        slit_capacitance=0.5,
        open_resistance=2.0,
        open_capacitance=1.0,
        full_cell=False,
        drive=TriangularCV(scan_rate=1.0, window=10.0),
    )
    A, C, b = np.array([[-1 / 2 - 1 / 3, 1 / 3], [1 / 3, -1 / 3]]), np.diag([1.0, 0.5]), np.array([0.5, 0.0])
    rates, modes = np.linalg.eig(np.linalg.solve(C, A))
    inverse, errors = np.linalg.inv(A), []
    for steps in (50, 100, 200):
        time = np.linspace(0, 10, steps + 1)
        decay = np.einsum("ij,jt,jk->tik", modes, np.expm1(np.outer(rates, time)), np.linalg.inv(modes))
        u = (decay @ inverse @ C @ inverse @ b) - np.outer(time, inverse @ b)
        current = prescribed_line(config, time, pd.DataFrame({1: [1.0, 2.0]}, index=[0.0, 10.0]))
        errors.append(np.abs(current - (time - u[:, 0]) / 2).max())
    assert np.log2(np.array(errors[:-1]) / errors[1:]) == pytest.approx([2, 2], abs=0.1)
    assert errors[-1] < 1e-4 * current.max()


@pytest.mark.parametrize("changes", [{}, {"half_entrance_resistor": True, "polarity": -1}, {"full_cell": False}])
def test_a_line_without_gamma_is_the_tlm(paper, changes):
    tlm = simulate(paper(**SMALL, model="tlm", **changes))
    time = tlm.terminal["time_s"].to_numpy()
    current = prescribed_line(paper(**SMALL, gamma=0.0, **changes), time, charges(tlm))
    assert largest_difference(current, tlm) < 1e-4


def test_a_line_with_the_charges_of_the_ncm_is_the_ncm(paper):
    """q is over the largest charge of each slit here, over the full charge there: gamma takes up their ratio."""
    ncm = simulate(paper(**SMALL))
    charge = charges(ncm)
    gamma = tuple((0.9 * charge.max() / ncm.config.full_charge).tolist())
    current = prescribed_line(paper(**SMALL, gamma=gamma), ncm.terminal["time_s"].to_numpy(), charge)
    assert largest_difference(current, ncm) < 1e-4
    assert largest_difference(current, simulate(paper(**SMALL, model="tlm"))) > 0.1


def test_only_the_voltammogram_of_equal_half_cells_has_a_prescribed_line(paper):
    config = paper(layers=3)
    for field, value in (("drive", PotentialStep(voltage=0.4, duration=1e-5)), ("counter", config)):
        with pytest.raises(BadInput, match=field):
            prescribed_line(config.model_copy(update={field: value}), np.zeros(2), pd.DataFrame())
