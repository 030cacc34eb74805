"""Intervals of constants hold the truth as often as they say: all of a law at once, in white and in coloured noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from discovery import DiscoveryConfig, forms, publish
from discovery.fit import fit_form
from discovery.planted import LISTED, planted_table
from discovery.problem import make_problem

CURRENT, CHARGE = ((("x", 0), 2),), ((("x", 1), 2),)
FORM = forms.make_form([forms.ONE, CURRENT, forms.multiply((CURRENT,), (CHARGE,))[0]])
TRUTH = {"c0": 3e-4, "c1": 0.12, "c2": -0.06}
CONFIG = DiscoveryConfig(held_out="none", bootstrap=400)


@pytest.mark.parametrize(("rows", "phi"), [(30, 0.0), (500, 0.0), (500, 0.8)])
def test_intervals_hold_all_constants_together(rows: int, phi: float) -> None:
    """95 % of sixty tables, less three standard errors and what estimating the blocks costs."""
    exact = planted_table(LISTED["offset"], 0.0, 0, rows)
    hits = 0
    for seed in range(60):
        noise = lfilter([1], [1, -phi], np.random.default_rng(seed).standard_normal(rows + 200))[200:]
        problem = make_problem(exact.assign(dphi_V=exact["dphi_V"] + 3e-5 * noise), CONFIG)
        fit = fit_form(FORM, problem.rows)
        assert fit is not None
        _, told = publish.constants_of(FORM, fit, problem, CONFIG)
        hits += all(low <= TRUTH[name] <= high for name, (low, high) in told["intervals"].items())
    assert hits / 60 >= 0.85


def test_rows_without_noise_leave_round_off() -> None:
    problem = make_problem(planted_table(LISTED["offset"], 0.0, 0, 100), CONFIG)
    fit = fit_form(FORM, problem.rows)
    assert fit is not None
    _, told = publish.constants_of(FORM, fit, problem, CONFIG)
    assert all(low <= TRUTH[name] <= high for name, (low, high) in told["intervals"].items())
