"""gamma of a law: the planted one, with an interval from the constants' covariance, whatever the law's form."""

import math

import pandas as pd
import pytest

from transslit import Law
from transslit.law import Constant
from validation.checks.law import gamma, law, usable_by_circuit

ROWS = pd.DataFrame({"replica": 0, "i": 1, "time_s": [0.0, 1.0], "I_A_per_m": 1.0, "q": [0.0, 1.0], "dphi_V": 1.0})
INPUTS = ("I_A_per_m", "q")
FITTED = {"constants": {"gamma": {"value": 0.75}}, "intervals": {"gamma": [0.7, 0.86]}}


def curved(**more):
    """R = c0 exp(c1 q), so that gamma = 1 - exp(c1), and its standard error exp(c1) times that of c1."""
    constants = {"c0": Constant(1.4, 0.01), "c1": Constant(-1.25, 0.02)}
    covariance = ((1e-4, 0.0), (0.0, 4e-4))
    return Law("dphi_V", INPUTS, "c0*I_A_per_m*exp(c1*q)", constants, covariance=covariance, **more)


def test_a_curved_law_has_a_gamma_with_the_error_of_its_constants():
    found = gamma(curved())
    assert found.value == pytest.approx(1 - math.exp(-1.25))
    assert found.half_width == pytest.approx(1.96 * 0.02 * math.exp(-1.25), rel=1e-3)


def test_beside_another_law_equation_one_is_named_as_such():
    verdicts = {
        verdict.id: verdict for verdict in law(curved(provenance={"references": {"paper": FITTED}}), ROWS, "planted")
    }
    assert set(verdicts) == {"law.held_out", "law.gamma", "law.gamma_eq1"}
    assert "not equation 1" in verdicts["law.gamma"].reason
    fit = verdicts["law.gamma_eq1"]
    assert "equation 1" in fit.title
    assert (fit.value, fit.interval, fit.verdict) == (0.75, (0.7, 0.86), "pass")


def test_equation_one_itself_needs_no_second_gamma():
    verdicts = {verdict.id: verdict for verdict in law(Law.paper(1.0, 1.3), ROWS, "planted")}
    assert set(verdicts) == {"law.held_out", "law.gamma"}
    assert (verdicts["law.gamma"].value, verdicts["law.gamma"].verdict) == (1.3, "fail")
    assert "of equation 1" in verdicts["law.gamma"].reason


def test_what_is_no_resistance_has_no_gamma():
    found = Law("dphi_V", INPUTS, "c0*I_A_per_m + c1", {"c0": Constant(1.0), "c1": Constant(0.1)})
    assert math.isnan(gamma(found).value)
    assert law(found, ROWS, "planted")[1].verdict == "inconclusive"


@pytest.mark.parametrize(
    ("expression", "usable"),
    [
        ("c0*I_A_per_m*(1 - q/2)", True),
        ("c0*I_A_per_m*(1 - 2*q)", False),  # no resistance below zero
        ("c0*I_A_per_m*log(q)", False),
        ("c0*I_A_per_m**2", False),
        ("c0*q", False),
        ("c0", False),
        ("0", False),  # nothing found
    ],
)
def test_what_a_circuit_can_take(expression, usable):
    """Positive and finite from empty to full; what is not has its verdicts all the same."""
    found = Law("dphi_V", INPUTS, expression, {"c0": Constant(1.0)})
    assert usable_by_circuit(found) == usable
    held_out, fall = law(found, ROWS, "planted")
    assert len(held_out.evidence) == len(ROWS)
    assert (fall.verdict == "pass") == usable
