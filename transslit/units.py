"""Units at the boundary: text with a unit in, SI floats inside, text with a unit out.

`Length`, `Time`, ... are pydantic field types. They take SI floats from Python and text such as
"0.59nm" from files and the command line; text without a unit, of the wrong dimension, or not finite
is refused with the units that would do.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

SI_UNITS = {
    "length": ("m", "nm, angstrom"),
    "time": ("s", "ps, ns, us"),
    "temperature": ("K", "K, degC"),
    "concentration": ("mol/m^3", "M, mM, mol/m^3"),
    "voltage": ("V", "V, mV"),
    "scan rate": ("V/s", "mV/us, V/s"),
    "diffusion coefficient": ("m^2/s", "m^2/s, nm^2/ns"),
    "resistance": ("ohm", "ohm, kohm"),
    "capacitance": ("F", "F, nF"),
    "charge": ("C", "C, nC"),
    "current": ("A", "A, mA, uA"),
    "current per depth": ("A/m", "A/m, mA/m"),
    "power": ("W", "W, mW, uW"),
    "frequency": ("Hz", "Hz, kHz, MHz"),
    "surface charge": ("C/m^2", "C/m^2, e/nm^2"),
    "elementary charge": ("e", "e"),
    "mass": ("dalton", "Da"),
    "molar energy": ("kJ/mol", "kJ/mol, kcal/mol"),
    "density": ("kg/m^3", "kg/m^3, g/cm^3"),
}


@cache
def registry() -> Any:
    """The pint registry, built on first use (it takes a noticeable part of a second)."""
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


@lru_cache(maxsize=4096)
def parse(text: str, kind: str) -> float:
    """Value of `text` in the suite's unit for `kind` (a key of `SI_UNITS`).

    Raises
    ------
    ValueError : not a finite quantity of that kind; the message names units that would do
    """
    unit, examples = SI_UNITS[kind]
    hint = f"give a {kind} with its unit ({examples})"
    try:
        quantity = registry().Quantity(text.strip())
        value = float(quantity.to(unit).magnitude)
    except Exception:  # beside its own errors, pint leaks those of Python's tokenizer and arithmetic
        raise ValueError(hint) from None
    if not math.isfinite(value):
        raise ValueError(f"must be finite; {hint}")
    return value


def show(value: float, kind: str, digits: int = 4) -> str:
    """`value` (SI) as short text with an engineering prefix, such as "0.59 nm"."""
    quantity = registry().Quantity(value, SI_UNITS[kind][0])
    return f"{quantity.to_compact():.{digits}g~P}"


def _kind(kind: str) -> Any:
    def read(value: Any) -> Any:
        return parse(value, kind) if isinstance(value, str) else value

    return BeforeValidator(read)


_FINITE = Field(allow_inf_nan=False)
_POSITIVE = Field(gt=0, allow_inf_nan=False)

Length = Annotated[float, _kind("length"), _POSITIVE]
LengthOrZero = Annotated[float, _kind("length"), Field(ge=0, allow_inf_nan=False)]
Time = Annotated[float, _kind("time"), _POSITIVE]
TimeOrZero = Annotated[float, _kind("time"), Field(ge=0, allow_inf_nan=False)]
Temperature = Annotated[float, _kind("temperature"), _POSITIVE]
Concentration = Annotated[float, _kind("concentration"), _POSITIVE]
Voltage = Annotated[float, _kind("voltage"), _FINITE]
ScanRate = Annotated[float, _kind("scan rate"), _POSITIVE]
DiffusionCoefficient = Annotated[float, _kind("diffusion coefficient"), _POSITIVE]
Resistance = Annotated[float, _kind("resistance"), _POSITIVE]
Capacitance = Annotated[float, _kind("capacitance"), _POSITIVE]
Charge = Annotated[float, _kind("charge"), _POSITIVE]
Current = Annotated[float, _kind("current"), _FINITE]
Power = Annotated[float, _kind("power"), _POSITIVE]
Frequency = Annotated[float, _kind("frequency"), _POSITIVE]
SurfaceCharge = Annotated[float, _kind("surface charge"), _FINITE]
ElementaryCharge = Annotated[float, _kind("elementary charge"), _FINITE]
Mass = Annotated[float, _kind("mass"), _POSITIVE]
MolarEnergy = Annotated[float, _kind("molar energy"), Field(ge=0, allow_inf_nan=False)]
Density = Annotated[float, _kind("density"), _POSITIVE]
