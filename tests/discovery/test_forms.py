"""Canonical forms: trees of one function have one form, and a form contains the function of its tree."""

from __future__ import annotations

import random

import numpy as np
import pytest
import sympy
from deap import gp

from discovery import forms
from discovery.config import DiscoveryConfig
from discovery.fit import columns
from discovery.functions import NUMERIC
from discovery.search import form_of, primitive_set

CONFIG = DiscoveryConfig(form="general")
PSET = primitive_set(CONFIG, frozenset({0}))


def form(text: str) -> forms.Form:
    found = form_of(gp.PrimitiveTree.from_string(text, PSET), PSET, CONFIG)
    assert found is not None
    return found


def formula(text: str) -> str:
    found = form(text)
    inner = [f"p{k}" for k in range(len(forms.parameters(found)))]
    return forms.formula(found, ["I", "q"], [f"a{k}" for k in range(len(found))], inner)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mul(x0, add(one, x1))", "add(mul(x1, x0), x0)"),
        ("square(add(x1, one))", "add(add(square(x1), x1), one)"),
        ("div(x0, div(one, x1))", "mul(x1, x0)"),
        ("mul(exp(x1), exp(square(x1)))", "exp(add(x1, square(x1)))"),
        ("div(x0, exp(x1))", "mul(x0, exp(add(x1, one)))"),
        ("square(sqrt(add(one, x1)))", "add(x1, one)"),
        ("sqrt(square(x1))", "x1"),
        ("add(x0, x0)", "x0"),
        ("log(one)", "one"),
    ],
)
def test_trees_of_one_function_have_one_form(one: str, other: str) -> None:
    assert form(one) == form(other)


def test_root_of_an_input_of_both_signs_is_of_its_magnitude() -> None:
    assert formula("sqrt(x0)") == "a0*sqrt(Abs(I))"
    assert formula("sqrt(square(x0))") == "a0*Abs(I)"
    assert formula("square(sqrt(square(x0)))") == "a0*I**2"
    assert formula("sqrt(x1)") == "a0*sqrt(q)"


@pytest.mark.parametrize(
    ("tree", "text", "nodes"),
    [
        ("one", "a0", 1),
        ("x0", "a0*I", 3),
        ("div(x0, x1)", "a0*I/q", 5),
        ("mul(x0, add(one, x1))", "I*(a0 + a1*q)", 7),
        ("mul(x0, add(square(x1), add(one, x1)))", "I*(a0 + a1*q + a2*q**2)", 12),
        ("div(x0, add(one, x1))", "a0*I/(1 + p0*q)", 9),
        ("mul(x0, exp(x1))", "a0*I*exp(p0*q)", 10),  # eight, and two more for being transcendental
        ("mul(x0, add(one, sqrt(x1)))", "I*(a0 + a1*sqrt(q))", 8),
        ("log(x1)", "a0*log(1 + p0*q)", 10),
    ],
)
def test_formula_and_its_nodes(tree: str, text: str, nodes: int) -> None:
    assert formula(tree) == text
    assert forms.complexity(form(tree)) == nodes


def test_the_factored_formula_is_the_sum_of_its_terms() -> None:
    rng = np.random.default_rng(3)
    random.seed(3)
    names = sympy.symbols("I q")
    checked = 0
    while checked < 60:
        found = form_of(gp.PrimitiveTree(gp.genHalfAndHalf(PSET, min_=1, max_=4)), PSET, CONFIG)
        if found is None:
            continue
        a = rng.uniform(0.5, 2, len(found))
        p = rng.uniform(0.5, 2, len(forms.parameters(found)))
        x = rng.uniform(0.3, 1, (2, 5))
        phi = columns(found, x, p)
        assert phi is not None
        text = forms.formula(found, ["I", "q"], [repr(float(v)) for v in a], [repr(float(v)) for v in p])
        value = sympy.lambdify(names, sympy.sympify(text, locals=dict(zip(["I", "q"], names, strict=True))), NUMERIC)
        np.testing.assert_allclose(phi @ a, np.broadcast_to(value(*x), 5), rtol=1e-10)
        checked += 1


def test_a_polynomial_tree_lies_in_the_span_of_its_form() -> None:
    config = DiscoveryConfig(form="general", functions=("square",))
    pset = primitive_set(config, frozenset())
    rng = np.random.default_rng(5)
    random.seed(5)
    arithmetic = {"add": np.add, "mul": np.multiply, "square": np.square}
    x = rng.uniform(0.2, 1, (2, 40))
    checked = 0
    while checked < 60:
        tree = gp.PrimitiveTree(gp.genHalfAndHalf(pset, min_=1, max_=4))
        found = form_of(tree, pset, config)
        if found is None or "div" in str(tree):
            continue
        value = eval(str(tree), {}, {**arithmetic, "x0": x[0], "x1": x[1], "one": 1.0})
        phi = columns(found, x, ())
        assert phi is not None
        target = np.broadcast_to(value, 40)
        fitted = phi @ np.linalg.lstsq(phi, target, rcond=None)[0]
        np.testing.assert_allclose(fitted, target, rtol=1e-8)
        checked += 1


def test_forms_beyond_the_limits_are_refused() -> None:
    config = DiscoveryConfig(form="general", max_complexity=7, max_parameters=0)
    pset = primitive_set(config, frozenset())
    trees = ["mul(x0, add(square(x1), add(one, x1)))", "exp(x1)", "sqrt(sqrt(x1))"]
    assert all(form_of(gp.PrimitiveTree.from_string(text, pset), pset, config) is None for text in trees)
