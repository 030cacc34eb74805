"""Units in column names, and the units of constants that follow from them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from transslit.units import registry


def unit_of(column: str) -> str:
    """The unit in a column's name, pint syntax: "I_A_per_m" is A/m, "c_mol_per_m3" mol/m**3, "R_ohm_m" ohm*m, "q" 1."""
    parts, where = _placed(column)
    if where < 1:
        return "1"
    if parts[where:] == ["ohm", "m"]:
        return "ohm*m"

    def power(token: str) -> str:
        return re.sub(r"^([A-Za-z]+)(\d+)$", r"\1**\2", token)

    below = "*".join(power(token) for token in parts[where + 1 :] if token != "per")
    unit = power(parts[where])
    if below:
        unit += f"/({below})" if "*" in below.replace("**", "") else f"/{below}"
    try:
        registry().Unit(unit)
    except Exception:  # pint leaks those of Python's tokenizer; a name that is no unit is a number
        return "1"
    return unit


PREFERRED = ("ohm*m", "ohm", "V", "A/m", "C/m", "F/m", "S/m", "ohm*m**2")


def combined_unit(target: str, powers: Sequence[tuple[str, float]]) -> str:
    """Unit of target / prod input^power, written as one of `PREFERRED` where it is the same."""
    ureg = registry()
    unit = ureg.Quantity(1.0, unit_of(target)) if target else ureg.Quantity(1.0, "")
    for name, power in powers:
        unit = unit / ureg.Quantity(1.0, unit_of(name)) ** power
    return preferred_unit(unit)


def preferred_unit(unit: Any) -> str:
    """The unit of a pint quantity of magnitude one, written as one of `PREFERRED` where it is the same."""
    if unit.dimensionless and abs(unit.to("").magnitude - 1) < 1e-12:
        return "1"
    for name in PREFERRED:
        if unit.is_compatible_with(name) and abs(unit.to(name).magnitude - 1) < 1e-12:
            return name
    return f"{unit.units:~C}"


def stem_of(column: str) -> str:
    """A column's name without its unit: "I" of "I_mA_per_m"; the name itself where it has none."""
    parts, where = _placed(column)
    return "_".join(parts[:where]) if unit_of(column) != "1" else column


def _placed(column: str) -> tuple[list[str], int]:
    """The parts of a column's name, and the place where its unit begins."""
    parts = column.split("_")
    if parts[-2:] == ["ohm", "m"]:
        return parts, len(parts) - 2
    return parts, (parts.index("per") if "per" in parts else len(parts)) - 1
