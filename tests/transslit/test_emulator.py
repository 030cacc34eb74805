"""The Gaussian process: exact where it was fitted, honest where it was not."""

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.stats import qmc

from transslit.emulator import Emulator, _cost


@pytest.fixture(scope="module")
def sample():
    return qmc.Sobol(3, seed=1).random(64)


def wavy(x):
    """Linear in the first coordinate, curved in the second, without the third."""
    return 3 * x[:, 0] + np.sin(5 * x[:, 1])


def test_reproduces_smooth_data_and_predicts_between(sample):
    fitted = Emulator.fit(sample, wavy(sample))
    assert fitted(sample) == pytest.approx(wavy(sample), abs=1e-3)
    elsewhere = np.random.default_rng(0).random((500, 3))
    missed = fitted(elsewhere) - wavy(elsewhere)
    assert np.abs(missed).max() < 0.05
    assert fitted.r2 > 0.999
    assert fitted.lengths[1] < fitted.lengths[2]  # the coordinate without effect is not followed


def test_a_straight_line_goes_on_beyond_the_data():
    x = np.linspace(0, 1, 9)[:, None]
    fitted = Emulator.fit(x, 2 * x[:, 0] + 1)
    assert fitted(np.array([[1.5]])) == pytest.approx(4.0, abs=0.02)


def test_the_gradient_is_that_of_the_likelihood(sample):
    target = wavy(sample) - wavy(sample).mean()
    hyper = np.log([0.5, 0.8, 2.0, 0.01])
    error = check_grad(lambda h: _cost(h, sample, target)[0], lambda h: _cost(h, sample, target)[1], hyper)
    assert error < 1e-3 * np.linalg.norm(_cost(hyper, sample, target)[1])


def test_errors_are_those_of_leaving_rows_out(sample):
    rng = np.random.default_rng(3)
    y = wavy(sample) + 0.2 * rng.normal(size=len(sample))
    fitted = Emulator.fit(sample, y)
    for left in (0, 17, 40):
        others = np.arange(len(y)) != left
        without = Emulator.fit(sample[others], y[others] - fitted.mean, fitted.hyper)
        assert y[left] - fitted.mean - without(sample[left]) == pytest.approx(fitted.missed[left], rel=0.02)
    elsewhere = rng.random((2000, 3))
    noisy = wavy(elsewhere) + 0.2 * rng.normal(size=2000)
    spread = np.std((noisy - fitted(elsewhere)) / fitted.std(elsewhere))
    assert 0.8 < spread < 1.25  # one, if a standard error is one
