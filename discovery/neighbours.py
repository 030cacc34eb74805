"""Neighbours of a form: forms that differ from it by one change, tried after the search for the best forms."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from discovery import forms
from discovery.forms import Form, Monomial

# Atoms of one argument that are exchanged for one another, (name, exponent in halves)
ATOMS = (("exp", 2), ("tanh", 2), ("log", 2), *((forms.UNIT_BASE, halves) for halves in (1, -1, -2, -4)))
POWERS = (-2, 4, 1)  # of an argument, in halves: its inverse, square and root


def _replace(form: Form, monomial: Monomial, factor: forms.Factor, product: Iterable[Monomial]) -> Form:
    """The form with one factor of one monomial replaced by the product of some monomials."""
    rest = tuple(pair for pair in monomial if pair[0] != factor)
    changed: Form = (rest,)
    for other in product:
        changed = forms.multiply(changed, (other,))
    return forms.make_form([*(m for m in form if m != monomial), *changed])


def _power(monomial: Monomial, halves: int) -> Monomial:
    """m^(halves/2).

    Raises
    ------
    RefusedError : fourth roots
    """
    if any(power * halves % 2 for _, power in monomial):
        raise forms.RefusedError
    return tuple((factor, power * halves // 2) for factor, power in monomial)


def simplifications(form: Form) -> list[Form]:
    """Forms with one constant less, or without an input that multiplies all terms.

    A constant less: without a term, of the form or inside an atom, or with the argument in place of its atom, since
    1/(1 + p m) with a large p is proportional to 1/m, and tanh(p m) with a small one to m.
    """
    found: list[Form] = []
    for shared in [factor for factor, _ in forms.common_factor(form) if factor[0] in {"x", "abs"}]:
        found.append(forms.make_form([tuple(pair for pair in m if pair[0] != shared) for m in form]))
    for monomial in form:
        if len(form) > 1:
            found.append(tuple(m for m in form if m != monomial))
        for factor, halves in monomial:
            if factor[0] in {"x", "abs"}:
                continue
            with suppress(forms.RefusedError):
                for inner in factor[1]:
                    rest = tuple(m for m in factor[1] if m != inner)
                    found.append(_replace(form, monomial, factor, [(((factor[0], rest), halves),)] if rest else []))
                if len(factor[1]) == 1 and factor[0] not in {"exp", "cos"}:
                    found.append(_replace(form, monomial, factor, [_power(factor[1][0], halves)]))
    return list(dict.fromkeys(found))


def exchanges(form: Form, functions: Iterable[str], logarithms: Iterable[int] = ()) -> list[Form]:
    """Forms with another atom of the same argument, or with a power of the argument, in all terms that have the atom.

    An atom whose argument is one of the inputs `logarithms` is exchanged for the logarithm of the input, too.
    """
    known = {*functions, forms.UNIT_BASE}
    found = []
    for atom, exponent in dict.fromkeys(pair for m in form for pair in m if pair[0][0] not in {"x", "abs"}):
        others = [((name, atom[1]), halves) for name, halves in ATOMS if name in known]
        inside = {factor for m in atom[1] for factor, _ in m}
        others += [(forms.logarithm(j), 2) for j in logarithms if inside == {("x", j)}]
        for power in () if atom[0] in {forms.POWER, forms.LOGARITHM} else POWERS:
            with suppress(forms.RefusedError):
                others.append(((atom[0], forms.make_form([_power(m, power) for m in atom[1]])), exponent))
        for other in others:
            with suppress(forms.RefusedError):
                changed: list[Monomial] = []
                for monomial in form:
                    rest = tuple(pair for pair in monomial if pair[0] != atom)
                    changed += forms.multiply((rest,), ((other,),)) if len(rest) < len(monomial) else (rest,)
                found.append(forms.make_form(changed))
    return [other for other in dict.fromkeys(found) if other != form]


def fitted_powers(form: Form, signed: frozenset[int]) -> list[Form]:
    """Forms in which the exponent of one input of a term is fitted, or of all its inputs that are not `signed`."""
    found = []
    for monomial in form:
        free = [factor for factor, _ in monomial if factor[0] == "x" and factor[1] not in signed]
        for chosen in [*([factor] for factor in free), free]:
            powers = [(forms.power(f[1]), 2) if f in chosen else (f, halves) for f, halves in monomial]
            others = [m for m in form if m != monomial]
            found.append(forms.make_form([*others, forms.make_monomial(powers)]))
    return [other for other in dict.fromkeys(found) if other != form]


def _times(a: Monomial, b: Monomial) -> Monomial:
    """a b, powers added."""
    powers = dict(a)
    for factor, halves in b:
        powers[factor] = powers.get(factor, 0) + halves
    return forms.make_monomial(powers.items())


def factorisations(form: Form, inputs: int) -> list[Form]:
    """Forms C (sum_a a) (1 + p m): the factors of C (sum_a a + sum_a a m), or with (1 + p x_j) or (1 + p/x_j) added.

    The sum has two terms or more, so that the product has fewer constants than its expansion.
    """
    found = []
    common, rest = forms.split(form)
    for m in rest:
        if m == forms.ONE:
            continue
        multiplied = {a: _times(a, m) for a in rest}
        kept = [a for a in rest if multiplied[a] in rest]
        if len(kept) > 1 and 2 * len(kept) == len(rest) and {*kept, *(multiplied[a] for a in kept)} == {*rest}:
            found.append([*(_times(common, a) for a in kept), m])
    if len(form) > 1:
        others = [j for j in range(inputs) if not any(factor == ("x", j) for m in rest for factor, _ in m)]
        found += [[*form, ((("x", j), halves),)] for j in others for halves in (2, -2)]
    products = []
    for *sums, m in found:
        base = ((forms.UNIT_BASE, (m,)), 2)
        if all(factor[0] != base[0] for monomial in sums for factor, _ in monomial):
            products.append(forms.make_form([forms.make_monomial([*monomial, base]) for monomial in sums]))
    return products


def extensions(form: Form, inputs: int, signed: frozenset[int], logarithms: Iterable[int] = ()) -> list[Form]:
    """Forms with a further term 1, x, x^2, sqrt(x) or log(x) of an input, alone or times the inputs of all terms."""
    library = [forms.ONE, *(((("x", j), halves),) for j in range(inputs) for halves in (2, 4))]
    library += [((("x", j), 1),) for j in range(inputs) if j not in signed]
    library += [((forms.logarithm(j), 2),) for j in logarithms]
    found = []
    for common in dict.fromkeys([forms.ONE, tuple(pair for pair in forms.common_factor(form) if pair[0][0] == "x")]):
        for monomial in library:
            with suppress(forms.RefusedError):  # a power beyond the limit
                found.append(forms.make_form([*form, *forms.multiply((common,), (monomial,))]))
    return [other for other in dict.fromkeys(found) if other != form]
