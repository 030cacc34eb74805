"""Selection by description length: independent rows, and the cost of nodes and constants."""

from __future__ import annotations

import numpy as np
import pytest

from discovery import choice, forms
from discovery.fit import Rows, fit_form, predict

X0, X1 = ((("x", 0), 2),), ((("x", 1), 2),)


def tau(residual: np.ndarray, tolerance: float = 0.01) -> float:
    x = np.random.default_rng(9).uniform(size=(1, len(residual)))  # an input in no relation to the rows' order
    return choice.autocorrelation_time(
        residual, Rows(x, residual, np.ones_like(residual)), np.zeros(len(residual)), tolerance
    )


def test_rows_of_white_noise_are_independent() -> None:
    times = [tau(np.random.default_rng(seed).standard_normal(2000)) for seed in range(20)]
    assert 1 <= np.mean(times) < 1.15


@pytest.mark.parametrize("phi", [0.5, 0.8])
def test_autoregressive_noise_has_its_known_time(phi: float) -> None:
    """AR(1): tau = (1 + phi) / (1 - phi)."""
    from scipy.signal import lfilter

    times = [tau(lfilter([1], [1, -phi], np.random.default_rng(s).standard_normal(20000))) for s in range(5)]
    assert np.mean(times) == pytest.approx((1 + phi) / (1 - phi), rel=0.1)


def test_a_smooth_misfit_is_found_in_rows_of_any_order() -> None:
    x = np.random.default_rng(2).uniform(size=(1, 1000))
    residual = 0.05 * np.sin(7 * x[0])
    rows = Rows(x, residual, np.ones(1000))
    assert choice.autocorrelation_time(residual, rows, np.zeros(1000), 0.01) > 100


def test_every_slit_counts_as_ten_rows() -> None:
    """A smooth misfit in five slits of 200 rows, the same in all: 50 independent rows; in one slit of 1000 rows 10."""
    x = np.tile(np.linspace(-1, 1, 200), 5)[None]
    y = x[0] + 0.1 * x[0] ** 2
    rows, form = Rows(x, y, np.ones(1000)), forms.make_form([X0])
    fit = fit_form(form, rows)
    assert fit is not None
    assert choice.independent_rows(predict(form, fit, rows.x), rows, np.repeat(np.arange(5), 200), 0.01) == 50
    assert choice.independent_rows(predict(form, fit, rows.x), rows, np.zeros(1000), 0.01) == 10


def test_the_autocorrelation_of_round_off_is_not_counted() -> None:
    assert tau(1e-13 * np.sin(np.arange(1000) / 50)) == pytest.approx(1.0, abs=1e-6)
    assert tau(0.05 * np.sin(np.arange(1000) / 50)) > 50


def test_a_constant_must_reduce_the_misfit_by_its_cost() -> None:
    """A formula of four more nodes and one more constant must gain (n/2) ln(ratio) > 4 ln(symbols) + ln(n)/2."""
    n, symbols = 1000.0, 10
    cost = 4 * np.log(symbols) + 0.5 * np.log(n)

    def gain(ratio: float) -> float:
        before = choice.description_length(1.0, 1, 3, n, symbols, 1e-6)
        return before - choice.description_length(1 / ratio, 2, 7, n, symbols, 1e-6)

    ratio_of_equal_length = np.exp(2 * cost / n)
    assert gain(ratio_of_equal_length * 1.001) > 0 > gain(ratio_of_equal_length * 0.999)


def test_better_fits_below_the_tolerance_hardly_shorten_the_description() -> None:
    def length(error: float) -> float:
        return choice.description_length(error**2, 2, 7, 20, 10, 0.01)

    assert length(0.1) - length(0.01) > 10 * (length(0.001) - length(0.0001))
