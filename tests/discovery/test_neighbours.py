"""Neighbours of a form, against lists of them."""

from __future__ import annotations

from discovery import forms, neighbours

X0, X1, X2 = (((("x", j), 2),) for j in range(3))


def atom(name: str, inner: forms.Monomial, halves: int = 2) -> forms.Form:
    return forms.multiply((X0,), ((((name, (inner,)), halves),),))


def texts(found: list[forms.Form]) -> set[str]:
    names = ["I", "q", "d"]
    return {forms.formula(f, names, list("abcd")[: len(f)], list("pr")[: len(forms.parameters(f))]) for f in found}


def test_an_atom_is_simplified_to_its_argument_and_a_common_factor_left_out() -> None:
    assert texts(neighbours.simplifications(atom("sum", X1, -2))) == {"a*I", "a*I/q", "a/(1 + p*q)"}
    assert texts(neighbours.simplifications(atom("tanh", X1))) == {"a*I", "a*I*q", "a*tanh(p*q)"}
    assert texts(neighbours.simplifications(atom("exp", X1))) == {"a*I", "a*exp(p*q)"}


def test_an_atom_is_exchanged_for_others_of_its_argument() -> None:
    form = forms.make_form([X0, *atom("tanh", X1)])
    assert texts(neighbours.exchanges(form, ("exp",))) == {
        "I*(a + b*exp(p*q))",
        "I*(a + b*sqrt(1 + p*q))",
        "I*(a + b/sqrt(1 + p*q))",
        "I*(a + b/(1 + p*q))",
        "I*(a + b/(1 + p*q)**2)",
        "I*(a + b*tanh(p/q))",
        "I*(a + b*tanh(p*q**2))",
        "I*(a + b*tanh(p*sqrt(q)))",
    }


def test_a_sum_of_products_is_factorised() -> None:
    inverse = ((("x", 2), -2),)
    form = forms.multiply((X0,), forms.multiply((forms.ONE, X1), (forms.ONE, inverse)))
    found = texts(neighbours.factorisations(form, 0))
    assert found == {"I*(1 + p*q)*(a + b/d)", "I*(1 + p/d)*(a + b*q)"}
    assert texts(neighbours.factorisations(forms.make_form([X0, X1]), 0)) == set()
    current_and_charge = forms.multiply((X0,), (forms.ONE, X1))  # with no fewer constants
    assert texts(neighbours.factorisations(current_and_charge, 3)) == {
        "I*(1 + p*I)*(a + b*q)",
        "I*(1 + p/I)*(a + b*q)",
        "I*(1 + p*d)*(a + b*q)",
        "I*(1 + p/d)*(a + b*q)",
    }


def test_simplifications_have_one_constant_less() -> None:
    exponential = ((("exp", (X1, ((("x", 1), 4),))), 2),)
    form = forms.make_form([X0, forms.multiply((X0,), (exponential,))[0]])
    texts = {
        forms.formula(f, ["I", "q"], list("ab")[: len(f)], list("pr")[: len(forms.parameters(f))])
        for f in neighbours.simplifications(form)
    }
    assert texts == {
        "a*I",
        "a*I*exp(p*q + r*q**2)",
        "I*(a + b*exp(p*q))",
        "I*(a + b*exp(p*q**2))",
        "a + b*exp(p*q + r*q**2)",
    }


def test_extensions_have_powers_of_each_input_alone_and_times_the_common_factor() -> None:
    form = forms.make_form([X0, forms.multiply((X0,), (X1,))[0]])
    others = neighbours.extensions(form, 2, frozenset({0}))
    texts = {forms.formula(f, ["I", "q"], list("abc"), []) for f in others}
    assert "I*(a + b*q + c*q**2)" in texts
    assert "a + b*I + c*I*q" in texts
    assert "I*(a + b*q + c*sqrt(q))" in texts
    assert all(len(other) == 3 for other in others)


def test_logarithms_are_of_inputs_that_stay_clear_of_zero() -> None:
    line = forms.make_form([X0])
    plain = neighbours.extensions(line, 3, frozenset())
    added = [form for form in neighbours.extensions(line, 3, frozenset(), [2]) if form not in plain]
    assert texts(added) == {"a*I + b*log(d)", "I*(a + b*log(d))"}
    root = atom("sum", ((("x", 2), 1),), -1)
    assert "a*I*log(d)" in texts(neighbours.exchanges(root, ("log",), [2]))
    assert "a*I*log(d)" not in texts(neighbours.exchanges(root, ("log",), [1]))
    assert forms.divisors(added[0]) == {2}


def test_extensions_leave_out_powers_beyond_the_limit() -> None:
    form = (((("x", 1), forms.MAX_HALVES),),)
    assert neighbours.extensions(form, 2, frozenset())


def test_powers_are_fitted_one_by_one_and_together() -> None:
    """The power of the current, which takes both signs, is not fitted."""
    form = (forms.make_monomial([(("x", 0), 2), (("x", 1), 1), (("x", 2), -2)]),)
    assert texts(neighbours.fitted_powers(form, frozenset({0}))) == {
        "a*I*q**p/d",
        "a*I*sqrt(q)*d**p",
        "a*I*q**p*d**r",
    }
