"""Canonical forms: the function that a tree of the search represents once its constants are free.

A form is a sum of terms, each a product of powers. Every sum in it has fitted coefficients:

    y = sum_k a_k m_k,      m = prod_j x_j^(n/2) |x_j|^(n/2) A_l^(n/2)

with atoms A that have inner constants p,

    exp(sum p m), tanh, sinh, sin and cos alike, log(1 + sum p m),
    the base 1 + sum p m of reciprocals and roots, and powers x^p of an input that is never negative; log x, of an
input that is positive, has none.

The constants include signs and factors, so that trees need neither minus signs nor evolved numbers, and trees that
represent the same function (q*I + I, I*(1 + q), I - q*I) have one form. An atom has the same constants in all terms:
exp(p q) in two terms shares p, which excludes sums of two exponentials of one argument.

A monomial is a sorted tuple of (factor, exponent in halves); a factor is ("x", j), ("abs", j) or
(atom, (monomial, ...)). The empty monomial is the constant 1.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

from discovery.functions import NUMERIC, TRANSCENDENTAL

Factor = tuple[Any, ...]
Monomial = tuple[tuple[Factor, int], ...]
Form = tuple[Monomial, ...]  # sorted, distinct

ONE: Monomial = ()
MAX_HALVES = 8  # exponents up to 4
MAX_SUM = 12  # monomials of an intermediate sum
LINEAR_ATOMS = frozenset(TRANSCENDENTAL)  # f(sum p m)
SHIFTED_ATOMS = frozenset({"log"})  # f(1 + sum p m)
UNIT_BASE = "sum"  # 1 + sum p m, raised to a power
ZERO_AT_ZERO = frozenset({"tanh", "sinh", "sin", "log"})  # atoms that vanish with their argument
POWER = "power"  # x^p, of the scaled input
LOGARITHM = "logarithm"  # log x, of the scaled input

# Nodes that a function counts as. With a few constants, a transcendental function imitates a polynomial (and the
# reverse) to within any noise; of two that fit equally well, the algebraic form is then the simpler one.
NODES = {POWER: 1, **dict.fromkeys((*LINEAR_ATOMS, *SHIFTED_ATOMS), 3)}


class RefusedError(Exception):
    """The tree has no form within the limits; the search gives it the worst fitness."""


def make_monomial(powers: Iterable[tuple[Factor, int]]) -> Monomial:
    """Factors in a fixed order, inputs first; powers of zero are left out."""
    return tuple(sorted((pair for pair in powers if pair[1]), key=lambda pair: (pair[0][0] != "x", repr(pair))))


def make_form(monomials: Iterable[Monomial]) -> Form:
    """Sorted (short terms first) and without repetition."""
    form = tuple(sorted(dict.fromkeys(monomials), key=lambda m: (_monomial_nodes(m), repr(m))))
    if not form or len(form) > MAX_SUM:
        raise RefusedError
    return form


def _product(a: Monomial, b: Monomial) -> Form:
    powers: dict[Factor, int] = dict(a)
    for factor, halves in b:
        powers[factor] = powers.get(factor, 0) + halves
    exponentials = [factor for factor in powers if factor[0] == "exp"]
    if len(exponentials) > 1:  # exp(a) exp(b) = exp(a + b)
        merged = make_form([m for factor in exponentials for m in factor[1]])
        for factor in exponentials:
            del powers[factor]
        powers[("exp", merged)] = 2
    expand: list[Factor] = []
    for factor, halves in list(powers.items()):
        if factor[0] == "exp" and halves:
            powers[factor] = 2  # the inner constants absorb the exponent
        elif factor[0] == POWER and halves not in (0, 2):
            raise RefusedError  # the fitted power absorbs the exponent
        elif factor[0] == "abs" and halves % 4 == 0 and halves:  # |x|^2 = x^2
            del powers[factor]
            plain = ("x", factor[1])
            powers[plain] = powers.get(plain, 0) + halves
        elif factor[0] == UNIT_BASE and halves >= 2:  # a base to the first power is multiplied out
            powers[factor] -= 2
            expand.append(factor)
    if any(abs(halves) > MAX_HALVES for halves in powers.values()):
        raise RefusedError
    form: Form = (make_monomial(powers.items()),)
    for factor in expand:
        form = multiply(form, make_form([ONE, *factor[1]]))
    return form


def add(a: Form, b: Form) -> Form:
    """a + b."""
    return make_form([*a, *b])


def multiply(a: Form, b: Form) -> Form:
    """a * b, multiplied out."""
    if len(a) * len(b) > 2 * MAX_SUM:
        raise RefusedError
    return make_form([m for left in a for right in b for m in _product(left, right)])


def square(a: Form) -> Form:
    """a^2."""
    return multiply(a, a)


def _without_constant(a: Form) -> Form:
    return tuple(m for m in a if m != ONE)


def reciprocal(a: Form) -> Form:
    """1 / a: of one monomial exactly, of a sum as 1 / (1 + sum p m)."""
    if len(a) == 1:
        return _product(tuple((factor, -halves) for factor, halves in a[0]), ONE)
    return ((((UNIT_BASE, _without_constant(a)), -2),),)


def divide(a: Form, b: Form) -> Form:
    """a / b."""
    return multiply(a, reciprocal(b))


def _magnitude(monomial: Monomial, signed: frozenset[int]) -> list[tuple[Factor, int]]:
    """Factors of |m|; `signed` inputs take both signs."""
    if any(factor[0] in (LINEAR_ATOMS | SHIFTED_ATOMS) - {"exp"} for factor, _ in monomial):
        raise RefusedError  # may be negative
    return [(("abs", f[1]) if f[0] == "x" and f[1] in signed else f, halves) for f, halves in monomial]


def absolute(a: Form, signed: frozenset[int]) -> Form:
    """|a| of one monomial."""
    if len(a) > 1:
        raise RefusedError
    return _product(make_monomial(_magnitude(a[0], signed)), ONE)


def square_root(a: Form, signed: frozenset[int] = frozenset()) -> Form:
    """sqrt|a|: of one monomial exactly, of a sum as sqrt(1 + sum p m)."""
    if len(a) > 1:
        return ((((UNIT_BASE, _without_constant(a)), 1),),)
    powers = _magnitude(a[0], signed)
    if any(halves % 2 for factor, halves in powers if factor[0] != "exp"):
        raise RefusedError  # fourth roots
    return _product(make_monomial((f, h if f[0] == "exp" else h // 2) for f, h in powers), ONE)


def apply(name: str, a: Form) -> Form:
    """The function `name` of the sum a without its constant term."""
    inner = _without_constant(a)
    if not inner:
        return (ONE,)  # the function of a constant is a constant
    if depth(inner) > 1:
        raise RefusedError
    return ((((name, inner), 2),),)


def power(j: int) -> Factor:
    """x_j^p with a fitted p."""
    return (POWER, (((("x", j), 2),),))


def logarithm(j: int) -> Factor:
    """log x_j."""
    return (LOGARITHM, (((("x", j), 2),),))


def depth(form: Form) -> int:
    """Levels of nested atoms."""
    return max((1 + depth(factor[1]) for m in form for factor, _ in m if factor[0] not in {"x", "abs"}), default=0)


def atoms(form: Form) -> list[Factor]:
    """Distinct atoms, inner ones first, in a fixed order."""
    found: list[Factor] = []
    for monomial in form:
        for factor, _ in monomial:
            if factor[0] not in {"x", "abs"}:
                found += [inner for inner in atoms(factor[1]) if inner not in found]
                if factor not in found:
                    found.append(factor)
    return found


def parameters(form: Form) -> list[tuple[Factor, Monomial]]:
    """The constants inside atoms, as (atom, monomial that it multiplies), in the order of the vector p."""
    return [(atom, monomial) for atom in atoms(form) if atom[0] != LOGARITHM for monomial in atom[1]]


def divisors(form: Form) -> set[int]:
    """Indices of the inputs that a form divides by, or takes the logarithm of."""
    found: set[int] = set()
    for monomial in form:
        for factor, halves in monomial:
            if factor[0] == LOGARITHM:
                found.add(factor[1][0][0][0][1])
            elif factor[0] not in {"x", "abs"}:
                found |= divisors(factor[1])
            elif halves < 0:
                found.add(factor[1])
    return found


def proportional(form: Form, j: int | None) -> bool:
    """Whether a form is input j times a function of the others."""
    own = ("x", j)
    return all((own, 2) in m and not any(_holds(f, j) for f, _ in m if f != own) for m in form)


def has_zero_divisor(form: Form, vanishing: Collection[int]) -> bool:
    """Whether a form divides by a function that is zero where the inputs `vanishing` are, such as tanh(p x)."""
    for monomial in form:
        for factor, halves in monomial:
            if factor[0] in {"x", "abs"}:
                continue
            zero = factor[0] in ZERO_AT_ZERO and all(
                any(_holds(f, j) for f, _ in m for j in vanishing) for m in factor[1]
            )
            if (halves < 0 and zero) or has_zero_divisor(factor[1], vanishing):
                return True
    return False


def _holds(factor: Factor, j: int | None) -> bool:
    """Whether a factor has input j, or an atom whose argument does."""
    if factor[0] in {"x", "abs"}:
        return bool(factor[1] == j)
    return any(_holds(inner, j) for monomial in factor[1] for inner, _ in monomial)


def scale_of(monomial: Monomial, scales: Sequence[float]) -> float:
    """Scale s of a monomial, prod_j s_j^(n/2): at inputs x_j/s_j it is m(x)/s."""
    value = 1.0
    for factor, halves in monomial:
        if factor[0] in {"x", "abs"}:
            value *= scales[factor[1]] ** (halves / 2)
    return value


def common_factor(form: Form) -> Monomial:
    """Factors of positive power that all terms share; the formula has them before its brackets."""
    shared = dict(form[0])
    for monomial in form[1:]:
        powers = dict(monomial)
        shared = {f: min(h, powers[f]) for f, h in shared.items() if f in powers and h > 0 and powers[f] > 0}
    return make_monomial((f, h) for f, h in shared.items() if h > 0 or len(form) == 1)


def split(form: Form) -> tuple[Monomial, list[Monomial]]:
    """Common factor, and each term without it."""
    common = common_factor(form)
    powers = dict(common)
    rest = []
    for monomial in form:
        remaining = [(f, h - powers.get(f, 0)) for f, h in monomial]
        rest.append(tuple((f, h) for f, h in remaining if h))
    return common, rest


def _factor_nodes(factor: Factor, halves: int) -> int:
    if factor[0] == "x":
        base = 1
    elif factor[0] == "abs":
        base = 2
    elif factor[0] == LOGARITHM:
        base = 1 + NODES["log"]
    else:
        shifted = 0 if factor[0] in LINEAR_ATOMS else 2  # "1 +"
        base = sum_nodes(factor[1]) + shifted + NODES.get(factor[0], 0)
    power = {2: 0, -2: 0, 1: 1, 4: 1}.get(halves, 2)  # a reciprocal turns * into /; sqrt and square are one node
    return base + power


def _monomial_nodes(monomial: Monomial) -> int:
    return sum(_factor_nodes(f, h) for f, h in monomial) + max(len(monomial) - 1, 0)


def sum_nodes(form: Sequence[Monomial]) -> int:
    """Nodes of a sum with a coefficient before every monomial."""
    return sum(1 + (1 + _monomial_nodes(m) if m else 0) for m in form) + len(form) - 1


def complexity(form: Form) -> int:
    """Nodes of the text that `formula` returns: operators, functions, inputs and constants."""
    common, rest = split(form)
    return sum_nodes(rest) + (1 + _monomial_nodes(common) if common else 0)


def formula(
    form: Form,
    names: Sequence[str],
    linear: Sequence[str],
    inner: Sequence[str],
    factored: bool = True,
    scales: Sequence[float] | None = None,
) -> str:
    """The form as text in SymPy syntax; `linear` and `inner` name the coefficients and the inner constants.

    An input x with a fitted power, or in a logarithm, is written x/s with its scale s.
    """
    constants = dict(zip(parameters(form), inner, strict=True))

    def factor_text(factor: Factor, halves: int) -> str:
        kind = factor[0]
        if kind == "x":
            base = names[factor[1]]
        elif kind == "abs":
            base = f"Abs({names[factor[1]]})"
        elif kind in {POWER, LOGARITHM}:
            j = factor[1][0][0][0][1]
            divisor = "" if scales is None or scales[j] == 1 else f"/{scales[j]!r}"
            if kind == LOGARITHM:
                base = f"log({names[j]}{divisor})"
            else:
                base = f"({names[j]}{divisor})" if divisor else names[j]
                base += f"**{constants[factor, factor[1][0]]}"
        else:
            total = " + ".join(times(constants[factor, m], m) for m in factor[1])
            if kind == UNIT_BASE:
                base = f"(1 + {total})"
            else:
                base = f"{kind}(1 + {total})" if kind in SHIFTED_ATOMS else f"{kind}({total})"
        if halves == 2:
            return base
        root = f"sqrt{base}" if kind == UNIT_BASE else f"sqrt({base})"
        if halves == 1:
            return root
        return f"{base}**{halves // 2}" if halves % 2 == 0 else f"{root}**{halves}"

    def times(coefficient: str, monomial: Monomial) -> str:
        numerator = [factor_text(f, h) for f, h in monomial if h > 0]
        denominator = [factor_text(f, -h) for f, h in monomial if h < 0]
        product = "*".join([coefficient, *numerator] if coefficient else numerator or ["1"])
        return "/".join([product, *denominator])

    common, rest = split(form) if factored else (ONE, list(form))
    total = " + ".join(times(c, m) for c, m in zip(linear, rest, strict=True))
    if not common:
        return total
    return f"{times('', common)}*({total})" if len(rest) > 1 else times(total, common)


@lru_cache(maxsize=4096)
def compiled(form: Form, n_inputs: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Functions of (x, p): the terms m_k without their coefficients, and the bases 1 + sum p m that must stay positive.

    The source that is evaluated is made here and holds no text of a user.
    """
    names = [f"x[{j}]" for j in range(n_inputs)]
    position = {key: f"p[{k}]" for k, key in enumerate(parameters(form))}
    terms = []
    for monomial in form:
        term = (monomial,)
        terms.append(formula(term, names, ["1"], [position[key] for key in parameters(term)], factored=False))
    bases = []
    for atom in atoms(form):
        if atom[0] == UNIT_BASE or atom[0] in SHIFTED_ATOMS:
            base = (UNIT_BASE, atom[1])
            inner = [position[atom if owner == base else owner, m] for owner, m in parameters((((base, 2),),))]
            bases.append(formula((((base, 2),),), names, ["1"], inner, factored=False))
    sources = (f"lambda x, p: ({''.join(text + ', ' for text in texts)})" for texts in (terms, bases))
    of_terms, of_bases = (eval(source, {"__builtins__": {}, **NUMERIC}) for source in sources)
    return of_terms, of_bases
