"""The grammar of formulas: precedence, bounds, and where a formula is proportional, real and finite."""

import math
import time

import numpy as np
import pytest
import sympy

from transslit.formula import DEPTH, LENGTH, NODES, NUMERIC, proportional, read_formula, undefined_at

Q, CURRENT = sympy.symbols("q I", real=True)


def read(text, **constants):
    return read_formula(text, ("I", "q"), constants)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 - 2 - 3", -4),
        ("2*3 + 4", 10),
        ("2 + 3*4", 14),
        ("8/2/2", 2),
        ("2**3**2", 512),
        ("-2**2", -4),
        ("2**-1", 0.5),
        ("(-2)**2", 4),
        ("--3", 3),
        ("+3 - -2", 5),
        (".5e1 + 1.", 6),
        ("exp(0) + log(1) + sqrt(9) + Abs(-2) + sign(-5)", 5),
        ("Max(1, 2, 3) - Min(4, 5)", -1),
        ("sin(0) + cos(0) + tanh(0) + sinh(0) + cosh(0)", 2),
        ("a*b", 6),
    ],
)
def test_a_formula_of_numbers_is_its_value(text, value):
    names = {sympy.Symbol("a", real=True): 2.0, sympy.Symbol("b", real=True): 3.0}
    assert float(read(text, a=2.0, b=3.0).subs(names)) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("q +", "ends too early"),
        ("", "ends too early"),
        ("(q", "closing bracket"),
        ("q)", "nothing can follow"),
        ("q q", "nothing can follow"),
        ("2q", "nothing can follow"),
        ("*q", "cannot begin"),
        ("q.real", "no place"),
        ("q[0]", "no place"),
        ("q == 1", "no place"),
        ("'q'", "no place"),
        ("open(q)", "unknown function open"),
        ("exp(q, 1)", "one argument"),
        ("exp()", "cannot begin"),
        ("Max(q)", "two arguments"),
        ("x", "unknown name x"),
        ("1e400", "not real and finite"),
        ("9**64**2", "power of"),
        ("(1e60)**2", "not real and finite"),
        ("(-8)**0.5", "not real and finite"),
        ("log(-1)", "not real and finite"),
        ("sqrt(-1)", "not real and finite"),
        ("1/0", "not real and finite"),
        ("q/(q - q)", "not real and finite"),
        ("exp(exp(9))", "not real and finite"),
        ("q**65", "power of 65"),
        ("q" * (LENGTH + 1), f"{LENGTH} are read"),
        ("+".join(["q"] * (NODES // 2 + 1)), f"more than {NODES}"),
        ("(" * (DEPTH + 1) + "q" + ")" * (DEPTH + 1), f"more than {DEPTH} deep"),
        ("-" * (DEPTH + 1) + "q", f"more than {DEPTH} deep"),
        ("q" + "**q" * (DEPTH + 1), f"more than {DEPTH} deep"),
    ],
)
def test_what_is_no_formula_is_refused_with_the_reason(text, said):
    with pytest.raises(ValueError, match=said.replace("*", r"\*")):
        read(text)


def test_the_largest_formula_is_read():
    terms = NODES // 2
    assert read("+".join(["q"] * terms)) == terms * Q
    assert read("(" * (DEPTH - 1) + "q" + ")" * (DEPTH - 1)) == Q


def test_constants_count_by_their_values():
    assert read("q**p", p=3.0).free_symbols == {Q, sympy.Symbol("p", real=True)}
    with pytest.raises(ValueError, match="power of 100"):
        read("q**p", p=100.0)
    with pytest.raises(ValueError, match="real and finite"):
        read("q*log(p)", p=-1.0)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("I*(1 - 0.5*q)", True),
        ("I + I*q**2", True),
        ("(I*q + I)/(1 + q)", True),
        ("I**2/I", True),
        ("I*tanh(q)", True),
        ("Abs(I)*sign(I)", True),
        ("Abs(I)", False),
        ("I*sign(I)", False),
        ("I**2", False),
        ("I + 1", False),
        ("I + I**3", False),
        ("tanh(I)", False),
        ("sqrt(I)", False),
        ("Max(I, 2*I)", False),
        ("q", False),
    ],
)
def test_a_resistance_is_proportional_to_the_current(text, holds):
    assert proportional(read(text), CURRENT) is holds


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("1 - 0.5*q", None),
        ("sqrt(q)", None),
        ("1/(q + 0.1)", None),
        ("exp(10*q)", None),
        ("log(q)", 0.0),
        ("log(q - 0.5)", 0.0),
        ("1/q", 0.0),
        ("sqrt(0.25 - q)", 0.25),
        ("1/(q - 0.3)", 0.3),
        ("(q - 1/3)**(-2)", 1 / 3),
        ("1/Abs(q - 0.7001)", 0.7001),
        ("1/sqrt(Abs(q - 0.3))", 0.3),
        ("1/Max(q - 0.3, 0.3 - q)", 0.3),
        ("1/tanh(Abs(q - 0.3))", 0.3),
        ("Abs(q - 0.3)**(-q)", 0.3),
        ("log((q - 0.3)**2)**2", 0.3),
        ("sqrt((q - 0.30005)**2 - 1e-12)", 0.30005),
        ("Max(q, 0.2) + sign(q - 0.5) + sqrt(q)", None),
        ("1/(1.001 - q)", None),
        ("exp(1/(q - 0.4))", 0.4),
    ],
)
def test_where_a_formula_is_not_defined_it_says_so(text, where):
    found = undefined_at(read(text), Q)
    assert found is None if where is None else math.isclose(found, where, abs_tol=2e-3)


def test_many_extremes_take_no_time_and_have_their_slopes():
    terms = ", ".join(f"sin({k}*q)" for k in range(1, 8))
    began = time.process_time()
    formula = read(f"Max({terms}, 0.5) + Min(q, 0.2)")
    q = np.linspace(0.01, 0.99, 9801)
    value, slope = (sympy.lambdify(Q, part, NUMERIC)(q) for part in (formula, sympy.diff(formula, Q)))
    assert time.process_time() - began < 1
    expected = np.max([np.sin(k * q) for k in range(1, 8)] + [np.full(q.size, 0.5)], axis=0) + np.minimum(q, 0.2)
    np.testing.assert_allclose(value, expected)
    smooth = np.abs(np.diff(expected, 2)) < 1e-6  # away from the kinks
    assert smooth.mean() > 0.99
    np.testing.assert_allclose(slope[1:-1][smooth], np.gradient(expected, q)[1:-1][smooth], atol=0.02)
