"""The two-point flux against high precision, its limits, and its exact decomposition."""

import mpmath
import numpy as np
import pytest

from transslit.decomposition import bernoulli, bernoulli_derivative, decompose, drift_mean, steric_excess

POINTS = [-700.0, -50.0, -2.0, -0.3, -1e-3, -1e-9, 0.0, 1e-12, 1e-6, 5e-3, 1.5e-2, 0.7, 3.0, 40.0, 600.0]


def exact(v):
    with mpmath.workdps(60):
        v = mpmath.mpf(v)
        return mpmath.mpf(1) if v == 0 else v / mpmath.expm1(v)


@pytest.mark.parametrize("v", POINTS)
def test_bernoulli_against_high_precision(v):
    assert float(bernoulli(v)) == pytest.approx(float(exact(v)), rel=1e-14)


@pytest.mark.parametrize("v", POINTS)
def test_derivative_against_high_precision(v):
    with mpmath.workdps(60):
        h = mpmath.mpf(10) ** -20
        slope = float((exact(mpmath.mpf(v) + h) - exact(mpmath.mpf(v) - h)) / (2 * h))
    assert float(bernoulli_derivative(v)) == pytest.approx(slope, rel=1e-10, abs=1e-250)


def test_no_flux_in_boltzmann_equilibrium():
    """c exp(z psi + mu) constant means no flux, whatever the size of the step."""
    c_k, drop = 3.0, np.array([-30.0, -1.0, 1e-4, 2.0, 30.0])
    parts = decompose(1.0, np.full(5, c_k), c_k * np.exp(-drop), 0.8 * drop, 0.2 * drop)
    scale = np.abs(parts.migration) + np.abs(parts.steric)
    assert np.abs(parts.total / scale).max() < 1e-12


def test_parts_are_the_scharfetter_gummel_flux():
    rng = np.random.default_rng(1)
    c_k, c_l = rng.uniform(0.01, 5, (2, 200))
    migration, steric = rng.normal(0, 5, (2, 200))
    v = migration + steric
    flux = 2.0 * (bernoulli(v) * c_k - bernoulli(-v) * c_l)
    parts = decompose(2.0, c_k, c_l, migration, steric)
    np.testing.assert_allclose(parts.total, flux, rtol=0, atol=1e-13 * np.abs(flux).max())


def test_signs_of_the_parts():
    """Ions flow down their concentration and, if positive, down the potential."""
    parts = decompose(1.0, np.array([2.0]), np.array([1.0]), np.array([-0.5]), np.array([0.1]))
    assert parts.diffusion > 0
    assert parts.migration > 0
    assert parts.steric < 0


def test_drift_mean_is_arithmetic_without_drift_and_upwind_with_much():
    assert drift_mean(0.0, 1.0, 3.0) == pytest.approx(2.0)
    assert drift_mean(1e5, 1.0, 3.0) == pytest.approx(3.0, rel=1e-4)  # drift goes from L to K
    assert drift_mean(-1e5, 1.0, 3.0) == pytest.approx(1.0, rel=1e-4)
    step = [float(drift_mean(v, 1.0, 3.0)) for v in (0.999e-3, 1.001e-3)]
    assert step[1] - step[0] == pytest.approx(2 / 12 * 2e-6, rel=1e-3)  # no jump where the series takes over


def test_steric_excess_at_half_filling():
    assert steric_excess(np.array(0.5)) == pytest.approx(np.log(2))
