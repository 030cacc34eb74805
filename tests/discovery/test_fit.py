"""Constants by variable projection, against planted values, numpy's least squares and finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from discovery import DiscoveryConfig, forms
from discovery.fit import Fit, Rows, fit_form, full_jacobian, identifiable, predict
from discovery.problem import make_problem
from discovery.stage import has_pole

X0, X1 = ((("x", 0), 2),), ((("x", 1), 2),)
SQUARE = ((("x", 1), 4),)


def atom(name: str, *inner: forms.Monomial, halves: int = 2) -> forms.Form:
    return forms.multiply((X0,), ((((name, inner), halves),),))


@pytest.fixture
def points() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.stack([rng.uniform(-1, 1, 200), rng.uniform(0, 1, 200)])


def rows_of(x: np.ndarray, y: np.ndarray) -> Rows:
    return Rows(x, y, np.ones(len(y)))


@pytest.mark.parametrize(
    ("form", "law", "linear", "inner"),
    [
        (atom("exp", X1), lambda i, q: 0.7 * i * np.exp(-1.2 * q), 0.7, -1.2),
        (atom("sum", X1, halves=-2), lambda i, q: 0.7 * i / (1 + 2 * q), 0.7, 2.0),
        (atom("sum", X1, halves=-2), lambda i, q: 0.7 * i / (1 - 0.9 * q), 0.7, -0.9),
        (atom("sum", X1, halves=1), lambda i, q: 0.7 * i * np.sqrt(1 + 3 * q), 0.7, 3.0),
        (atom("log", X1), lambda i, q: 0.7 * i * np.log(1 + 5 * q), 0.7, 5.0),
        (atom("power", X1), lambda i, q: 0.7 * i * q**0.3, 0.7, 0.3),
        (atom("tanh", X1), lambda i, q: 0.7 * i * np.tanh(2.5 * q), 0.7, 2.5),
    ],
)
def test_planted_constants_are_recovered(points, form, law, linear, inner) -> None:
    fit = fit_form(form, rows_of(points, law(*points)), precise=True)
    assert fit is not None
    assert fit.loss < 1e-16
    assert abs(fit.inner[0]) == pytest.approx(abs(inner), rel=1e-6)
    assert abs(fit.linear[0]) == pytest.approx(linear, rel=1e-6)


def test_two_inner_constants(points) -> None:
    form = atom("exp", X1, SQUARE)
    fit = fit_form(form, rows_of(points, points[0] * np.exp(1.5 * points[1] - 2 * points[1] ** 2)), precise=True)
    assert fit is not None
    np.testing.assert_allclose(fit.inner, [1.5, -2.0], rtol=1e-5)


def test_linear_fit_is_weighted_least_squares(points) -> None:
    rng = np.random.default_rng(1)
    y, w = rng.standard_normal(200), rng.uniform(0.5, 1.5, 200)
    form = forms.make_form([forms.ONE, X0, X1])
    fit = fit_form(form, Rows(points, y, w))
    phi = np.stack([np.ones(200), *points], axis=1)
    expected = np.linalg.lstsq(phi * w[:, None], y * w, rcond=None)[0]
    assert fit is not None
    np.testing.assert_allclose(fit.linear, expected, rtol=1e-10)
    assert fit.loss == pytest.approx(np.sum((w * (y - phi @ expected)) ** 2) / np.sum((w * y) ** 2), rel=1e-7)


def test_linearly_dependent_terms_are_refused(points) -> None:
    points = np.stack([points[0], points[0] * (1 + 1e-9)])
    assert fit_form(forms.make_form([X0, X1]), rows_of(points, points[0])) is None


def test_a_pole_in_the_data_is_refused(points) -> None:
    fit = Fit(0.0, (1.0,), (-2.0,))
    assert predict(atom("sum", X1, halves=-2), fit, points) is None  # 1 - 2 q changes sign
    assert predict(((((("x", 0), -2),)),), Fit(0.0, (1.0,), ()), np.zeros((1, 3))) is None


def test_jacobian_agrees_with_finite_differences(points) -> None:
    form = forms.make_form([*atom("exp", X1), X0, *atom("sum", X1, halves=-2)])
    y = np.sin(points[0])
    fit = Fit(0.0, (0.4, -0.3, 0.8), (1.1, 0.6))
    rows = Rows(points, y, np.linspace(0.5, 1.5, 200))
    _, jacobian = full_jacobian(form, fit, rows)
    theta = np.array([*fit.linear, *fit.inner])
    for k in range(5):
        moved = [theta + sign * 1e-5 * np.eye(5)[k] for sign in (1, -1)]
        up, down = (predict(form, Fit(0.0, tuple(t[:3]), tuple(t[3:])), points) for t in moved)
        np.testing.assert_allclose(jacobian[:, k], rows.w * (up - down) / 2e-5, rtol=1e-4, atol=1e-6)


def test_constants_are_identifiable_if_the_rows_determine_them(points) -> None:
    """a I tanh(p q): a and p are known when tanh bends, and only their product when it does not."""
    form = atom("tanh", X1)
    assert identifiable(form, Fit(0.0, (1.0,), (2.0,)), rows_of(points, points[0]))
    assert not identifiable(form, Fit(0.0, (100.0,), (0.01,)), rows_of(points, points[0]))


@pytest.mark.parametrize(("power", "pole"), [(-0.3, True), (0.3, False)])
def test_fitted_powers_have_no_poles_in_the_data(make_table, power: float, pole: bool) -> None:
    """q begins at zero."""
    problem = make_problem(make_table(lambda q: 1 + 0 * q), DiscoveryConfig())
    of_charge = forms.make_form([forms.make_monomial([(forms.power(1), 2)])])
    assert has_pole(of_charge, Fit(0.0, (1.0,), (power,)), problem) == pole
