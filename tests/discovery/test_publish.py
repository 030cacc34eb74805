"""Coverage of the joint confidence intervals of a law's constants, in white and in autoregressive noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from discovery import DiscoveryConfig, forms, publish
from discovery.fit import fit_form
from discovery.planted import BENCHMARK_LAWS, planted_table
from discovery.problem import make_problem

CURRENT, CHARGE = ((("x", 0), 2),), ((("x", 1), 2),)
FORM = forms.make_form([forms.ONE, CURRENT, forms.multiply((CURRENT,), (CHARGE,))[0]])
TRUTH = {"c0": 3e-4, "c1": 0.12, "c2": -0.06}
CONFIG = DiscoveryConfig(held_out="none", bootstrap=400)


def test_intervals_of_two_constants_are_at_half_the_tail_of_one() -> None:
    """Resamples spread evenly over [0, 1], so many blocks that Student's t is normal: 1.25 % to 98.75 %."""
    samples = np.tile(np.linspace(0, 1, 10_001)[:, None], 2)
    fitted = publish.estimate("a*b", ["a", "b"], ["1", "V"], np.array([0.5, 0.5]), samples, 10**7)
    assert fitted.intervals == {name: pytest.approx([0.0125, 0.9875], abs=1e-6) for name in "ab"}
    assert fitted.constants["b"].std == pytest.approx(12**-0.5, rel=1e-3)
    assert fitted.constants["b"].unit == "V"


@pytest.mark.parametrize(("rows", "phi"), [(30, 0.0), (500, 0.0), (500, 0.8)])
def test_intervals_contain_all_constants_together(rows: int, phi: float) -> None:
    """95 % of sixty tables, less three standard errors and the loss by blocks whose length is estimated."""
    exact = planted_table(BENCHMARK_LAWS["offset"], 0.0, 0, rows)
    hits = 0
    for seed in range(60):
        noise = lfilter([1], [1, -phi], np.random.default_rng(seed).standard_normal(rows + 200))[200:]
        problem = make_problem(exact.assign(dphi_V=exact["dphi_V"] + 3e-5 * noise), CONFIG)
        fit = fit_form(FORM, problem.rows)
        assert fit is not None
        intervals = publish.fitted_constants(FORM, fit, problem, CONFIG).intervals
        hits += all(low <= TRUTH[name] <= high for name, (low, high) in intervals.items())
    assert hits / 60 >= 0.85


def test_intervals_contain_the_constants_of_rows_without_noise() -> None:
    problem = make_problem(planted_table(BENCHMARK_LAWS["offset"], 0.0, 0, 100), CONFIG)
    fit = fit_form(FORM, problem.rows)
    assert fit is not None
    intervals = publish.fitted_constants(FORM, fit, problem, CONFIG).intervals
    assert all(low <= TRUTH[name] <= high for name, (low, high) in intervals.items())
