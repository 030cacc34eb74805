"""Numbers, constants and lists in words, as the terminal and the report's page print them; families of checks."""

from __future__ import annotations

from collections.abc import Iterable

from transslit import Law

FAMILIES = {  # first part of the id of a check: what its checks are about
    "md": "Mechanism in molecular dynamics",
    "ions": "Mechanism among ions in implicit water",
    "step": "Mechanism in the continuum after a charge step",
    "cv": "Mechanism in the continuum's cyclic voltammogram",
    "continuum": "Mechanism in the continuum",
    "small": "Mechanism in the continuum after a small step",
    "levels": "Three levels of a small step: atoms, ions in implicit water, continuum",
    "against": "One record against another",
    "law": "The law",
    "circuit": "The circuit",
    "verify": "Verification: what must hold for the numbers to mean anything",
}


def number(value: float | None, uncertainty: float | None, unit: str) -> str:
    """Value, uncertainty and unit as short text."""
    if value is None:
        return "undefined"
    text = f"{value:.4g}" + (f" ± {uncertainty:.2g}" if uncertainty else "")
    return text if unit == "1" else f"{text} {unit}"


def nm(length: float) -> str:
    """A length in m as text in nm."""
    return f"{length * 1e9:g} nm"


def constants_line(law: Law) -> str:
    """Constants with their standard errors and units."""
    return ", ".join(f"{n} = {number(c.value, c.std, c.unit)}" for n, c in law.constants.items())


def listed(words: Iterable[object]) -> str:
    """a; a and b; a, b and c."""
    parts = [str(word) for word in words]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
