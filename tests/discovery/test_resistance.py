"""A search restricted to a resistance, and given formulas: a circuit takes their laws; intervals hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from discovery import DiscoveryConfig, discover, forms
from discovery.formula_fit import Formula
from discovery.planted import RESISTANCE
from transslit import BadInput
from transslit.law import Constant, Law

QUICK = DiscoveryConfig(population=48, generations=6, islands=2, search_rows=200)
I_X, Q_X = ((("x", 0), 2),), ((("x", 1), 2),)


def with_history(make_table, part=0.15):
    """R(q) of the paper, and a part in I|I| that no resistance has, as the salt's lag leaves in a deep network."""
    table = make_table(lambda q: 1 - 0.5 * q, noise=0.002)
    largest = table["I_A_per_m"].abs().max()
    return table.assign(dphi_V=table["dphi_V"] * (1 + part * table["I_A_per_m"] / largest))


def test_a_resistance_is_found_where_the_general_law_has_a_square_of_the_current(make_table, tmp_path) -> None:
    law = discover(with_history(make_table), QUICK, tmp_path)
    assert law.provenance["config"]["form"] is None
    resistance, _ = law.resistance()
    q = np.linspace(0, 1, 5)
    assert resistance(q) == pytest.approx(RESISTANCE * (1 - 0.5 * q), rel=0.08)
    general = law.provenance["general"]
    assert not general["same"]
    assert general["rmse"] < 0.5 * law.metrics["rmse"]
    assert general["delta_dl"] > 5
    constants = {name: Constant(c["value"]) for name, c in general["constants"].items()}
    unrestricted = Law(law.target, law.inputs, general["expression"], constants)
    with pytest.raises(BadInput, match="proportional"):
        unrestricted.resistance()
    again = discover(with_history(make_table), QUICK, tmp_path)  # from both checkpoints
    assert again.to_json() == law.to_json()


def test_every_entry_of_a_restricted_hall_of_fame_is_a_positive_resistance(make_table) -> None:
    law = discover(with_history(make_table), QUICK)
    q = np.linspace(0, 1, 101)
    for row in law.front:
        if not row["expression"].replace(".", "").replace("e-", "").isdigit():  # the constant, which is no law
            resistance, _ = Law(law.target, law.inputs, row["expression"], {}).resistance()
            assert (resistance(q) > 0).all(), row["expression"]


def test_the_current_multiplies_every_term_and_is_in_no_function() -> None:
    product = forms.multiply((I_X,), (Q_X,))
    assert forms.proportional(forms.add((I_X,), product), 0)
    assert not forms.proportional(forms.add((I_X,), (Q_X,)), 0)
    assert not forms.proportional(forms.multiply(product, (I_X,)), 0)
    assert not forms.proportional(forms.multiply((I_X,), forms.apply("tanh", (I_X,))), 0)
    assert not forms.proportional(forms.multiply((I_X,), forms.absolute((I_X,), frozenset({0}))), 0)


def test_a_function_that_vanishes_is_no_divisor() -> None:
    """1/tanh(p q) has a pole in an empty slit, 1/(1 + p q) and tanh(p q) have none, nor 1/tanh(p d) of a width."""
    tanh = forms.apply("tanh", (Q_X,))
    assert forms.has_zero_divisor(forms.multiply((I_X,), forms.reciprocal(tanh)), {1})
    assert forms.has_zero_divisor(forms.multiply((I_X,), forms.apply("tanh", forms.reciprocal(tanh))), {1})
    assert not forms.has_zero_divisor(forms.multiply((I_X,), tanh), {1})
    assert not forms.has_zero_divisor(forms.multiply((I_X,), forms.reciprocal(forms.add((forms.ONE,), (Q_X,)))), {1})
    assert not forms.has_zero_divisor(forms.reciprocal(tanh), {0})


def test_form_is_a_resistance_only_where_the_table_has_one() -> None:
    assert DiscoveryConfig().restricted
    assert not DiscoveryConfig(form="general").restricted
    assert not DiscoveryConfig(inputs=("I_A_per_m",)).restricted
    assert not DiscoveryConfig(target="Q_C_per_m").restricted
    assert DiscoveryConfig(target="U_mV", inputs=("I_mA", "q"), form="resistance").restricted
    with pytest.raises(BadInput, match="needs a voltage, one current"):
        DiscoveryConfig.read(target="y", inputs=("x", "z"), form="resistance")


@pytest.mark.parametrize(
    ("formula", "resistance", "truth", "units"),
    [
        ("I*R_c*(1 - gamma*q)", lambda q: 1 - 0.5 * q, {"R_c": RESISTANCE, "gamma": 0.5}, ["ohm*m", "1"]),
        ("I_A_per_m/(g0 + g1*q)", lambda q: 1 / (1 + q), {"g0": 1 / RESISTANCE, "g1": 1 / RESISTANCE}, ["S/m"] * 2),
        ("I*r*exp(-q/w)", lambda q: np.exp(-q / 0.4), {"r": RESISTANCE, "w": 0.4}, ["ohm*m", "1"]),
        ("v*tanh(I/i0)*(1 - q/2)", None, {"v": 2e-3, "i0": 8e-4}, ["V", "A/m"]),
    ],
)
def test_constants_of_a_formula_lie_in_their_intervals(make_table, formula, resistance, truth, units) -> None:
    table = make_table(resistance or (lambda q: 1 + 0 * q))
    if resistance is None:
        exact = 2e-3 * np.tanh(table["I_A_per_m"] / 8e-4) * (1 - table["q"] / 2)
        table["dphi_V"] = exact * (1 + 0.01 * np.random.default_rng(0).standard_normal(len(table)))
    law = discover(table, DiscoveryConfig(form=formula))
    assert list(law.constants) == list(truth)
    for (name, planted), unit in zip(truth.items(), units, strict=True):
        low, high = law.provenance["intervals_95"][name]
        assert low <= planted <= high
        assert high - low < 0.2 * planted
        assert law.constants[name].unit == unit
    assert law.metrics["r2_held_out"] > 0.999
    assert law.metrics["delta_dl_no_law"] > 0


def test_a_formula_has_the_interval_of_the_same_law_of_a_search(make_table) -> None:
    table = make_table(lambda q: 1 - 0.5 * q)
    found = discover(table, DiscoveryConfig(form="general", population=48, generations=4, islands=2))
    given = discover(table, DiscoveryConfig(form="I*R_c*(1 - gamma*q)"))
    assert found.expression == given.expression
    for name in ("R_c", "gamma"):
        assert given.constants[name].value == pytest.approx(found.constants[name].value, rel=1e-6)
        assert given.provenance["intervals_95"][name] == pytest.approx(found.provenance["intervals_95"][name], rel=1e-3)
    gains = [law.metrics["delta_bic_ohmic"] / law.metrics["n_independent"] for law in (given, found)]
    assert gains[0] == pytest.approx(gains[1], rel=1e-3)


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("I*(a + b)", "does not determine a, b"),
        ("I*(a", "bracket"),
        ("a + b", "needs one of the inputs"),
        ("I*frac(q)", "unknown function frac"),
        ("I*a*log(q - 2)", "is not defined in every row"),
        ("I*a**b**c**d**e**f*" + "q" * 2000, "characters"),
    ],
)
def test_formulas_that_cannot_be_fitted_are_refused(make_table, formula, says) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        discover(make_table(lambda q: 1 - 0.5 * q), DiscoveryConfig(form=formula))
    assert caught.value.field == "form"


def test_names_in_a_formula_are_inputs_or_constants() -> None:
    formula = Formula.read("I*(a + 2.5e-3*b/d)*(1 - c*q)", ("I_A_per_m", "q", "d"))
    assert formula.constants == ("a", "b", "c")
    assert formula.text == "I_A_per_m*(a + 2.5e-3*b/d)*(1 - c*q)"
    assert formula.nodes == 15
    assert formula.linear == [0, 1]
    x, constants = np.array([[2.0], [0.5], [1.5]]), np.array([1.0, 3.0, 0.4])
    assert formula.value(x, constants)[0, 0] == pytest.approx(2 * (1 + 2.5e-3 * 3 / 1.5) * 0.8)
    assert formula.slopes(x, constants)[2, 0] == pytest.approx(-2 * (1 + 2.5e-3 * 3 / 1.5) * 0.5)
    assert math.isclose(formula.slopes(x, constants)[1, 0], 2 * 2.5e-3 / 1.5 * 0.8)
