"""Units at the boundary: text with a unit in, SI floats inside, text with a unit out.

`Length`, `Time`, ... are pydantic field types. They take SI floats from Python and text such as
"0.59nm" from files and the command line. A quantity is one number and one unit:

    quantity = number unit        number = [+-−] digits [. digits] [e [+-−] digits], digits 0 to 9
    unit     = [factor {(space | · | *) factor} | 1] {/ factor}  factor = name [[^] integer]

Nothing is evaluated: only the names of units are looked up (by pint). Text without a unit, of the wrong dimension, or
not finite is refused with the units that would do.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, ValidationInfo

from transslit.errors import BadInput

SI_UNITS = {
    "length": ("m", "nm, angstrom"),
    "area": ("m^2", "cm^2, m^2"),
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
    "weight": ("kg", "mg, g"),
    "molar energy": ("kJ/mol", "kJ/mol, kcal/mol"),
    "density": ("kg/m^3", "kg/m^3, g/cm^3"),
    "rate": ("1/ps", "1/ps"),
    "molar volume": ("m^3/mol", "cm^3/mol, m^3/mol"),
}
WRITTEN = {"written": True}  # validation context of files that people write: their quantities are text with a unit
SMALLEST, LARGEST = 1e-20, 1e30  # magnitudes of a quantity in the suite's units
MINUS = "\u2212"
NUMBER = re.compile(rf"[+\-{MINUS}]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+\-{MINUS}]?[0-9]+)?")
FACTOR = re.compile(r"(°?[^\W\d_]+(?:_[^\W\d_]+)*)(?:\^|\*\*)?([+-]?[0-9])?")
PRODUCT = re.compile(r"\s*[·⋅*]\s*|\s+")
INVERSE = re.compile(r"\A1?\s*/\s*")  # in front of the unit of a rate: 1/s or /s
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015"


@cache
def registry(numbers: type = float) -> Any:
    """The pint registry of floats, or of fractions, which rounds nothing; built on first use (part of a second)."""
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True, non_int_type=numbers)


def number(text: str) -> float:
    """The number that `text` writes, digits 0 to 9 with a decimal point; a minus sign is - or U+2212.

    Raises
    ------
    ValueError : anything else, such as a decimal comma, grouped digits, arithmetic, nan; or beyond a float's range
    """
    text = text.strip()
    if not NUMBER.fullmatch(text):
        raise ValueError(_no_number(text) or "give one number, such as 0.5")
    return _float(text)


def split(text: str) -> tuple[str, str]:
    """The text of a quantity's number and that of its unit, which may be empty.

    Raises
    ------
    ValueError : it does not begin with a number, or holds more than one
    """
    text = text.strip()
    match = NUMBER.match(text)
    unit = text[match.end() :].lstrip() if match else ""
    begins = INVERSE.sub("", unit)[:1]
    if match is None or (unit and not (begins.isalpha() or begins == "°")):
        raise ValueError(_no_number(text) or "give one number and one unit")
    return match[0], unit


@lru_cache(maxsize=4096)
def parse(text: str, kind: str) -> float:
    """Value of `text` in the suite's unit for `kind` (a key of `SI_UNITS`): the float nearest to the decimal number.

    An angular frequency (rad/s, rpm) given as a frequency is divided by 2 pi.

    Raises
    ------
    ValueError : not a finite quantity of that kind; the message says why, and names units that would do
    """
    wanted, examples = SI_UNITS[kind]
    try:
        written, unit = split(text)
        if not unit:
            raise ValueError("")
        made_of = _unit(unit)
        if made_of.dimensionality != _unit(wanted).dimensionality or (_is_angle(made_of) and kind != "frequency"):
            raise ValueError(f"{unit} is no unit of {_article(kind)}")
        value = _converted(written, made_of, _unit(wanted))
        if not math.isfinite(value):
            raise ValueError("must be finite")
        if value and not SMALLEST <= abs(value) <= LARGEST:
            raise ValueError(f"is beyond what anything measures ({SMALLEST:g} to {LARGEST:g} {wanted})")
    except ValueError as error:
        reason = f"{error}; " if str(error) else ""
        raise ValueError(f"{reason}give {_article(kind)} with its unit ({examples})") from None
    return value / (2 * math.pi) if _is_angle(made_of) else value


def in_unit(text: str, unit: str) -> float:
    """Value of the quantity `text` in another `unit` of its dimension.

    Raises
    ------
    ValueError : not a quantity, no unit, or another dimension
    """
    written, own = split(text)
    if own == unit:
        return _float(written)
    if not own or not unit:
        raise ValueError(f"{text} cannot be converted to {unit or 'a plain number'}")
    old, new = _unit(own), _unit(unit)
    if old.dimensionality != new.dimensionality or _is_angle(old) != _is_angle(new):
        raise ValueError(f"{own} cannot be converted to {unit}")
    return _converted(written, old, new)


def _converted(written: str, old: Any, new: Any) -> float:
    """The float nearest to the number `written` in another unit, so that 0.34nm is 0.34e-9 to the last bit."""
    exact = Fraction(Decimal(written.replace(MINUS, "-"))) if _float(written) else Fraction(0)
    try:
        return float(registry(Fraction).Quantity(exact, old).to(new).magnitude)
    except OverflowError:
        return math.inf


def _float(written: str) -> float:
    value = float(written.replace(MINUS, "-"))
    if not math.isfinite(value) or (value == 0 and re.search("[1-9]", re.split("[eE]", written)[0])):
        raise ValueError("must be finite" if value else "is too small for a number")
    return value


@lru_cache(maxsize=4096)
def _unit(text: str) -> Any:
    """The pint unit that `text` writes.

    Raises
    ------
    ValueError : not of the form above, an unknown name, or a dimension twice
    """
    numerator, *denominator = re.split(r"\s*/\s*", unicodedata.normalize("NFKC", text).strip().replace(MINUS, "-"))
    above = [] if denominator and numerator in ("", "1") else PRODUCT.split(numerator)
    factors = [(factor, 1) for factor in above] + [(factor, -1) for factor in denominator]
    found, dimensions = registry(Fraction).Unit(""), []
    for factor, sign in factors:
        match = FACTOR.fullmatch(factor)
        if match is None:
            raise ValueError(f"{text} is no unit")
        try:
            single = registry(Fraction).Unit(match[1])
            registry(Fraction).Quantity(Fraction(1), single).to_root_units()  # no logarithm, as dBm
        except Exception:  # pint's own errors, and those of the tokenizer behind it
            raise ValueError(f"{match[1]} is no known unit") from None
        power = sign * int(match[2] or 1)
        if single.dimensionality in dimensions or (single.dimensionless and (power != 1 or not _is_angle(single))):
            raise ValueError(f"{text} is not one unit")
        dimensions.append(single.dimensionality)
        found *= single**power
    return found


def _article(kind: str) -> str:
    """The kind of quantity after its article."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _is_angle(unit: Any) -> bool:
    """Whether a pint unit counts radians (a turn is 2 pi of them)."""
    return dict(registry(Fraction).Quantity(Fraction(1), unit).to_root_units().unit_items()).get("radian") == 1


def _no_number(text: str) -> str:
    """Why `text` does not begin with one number, in words; empty where there is no more to say."""
    if re.match(r"[+-]?(nan|inf)", text, re.IGNORECASE):
        return "must be finite"
    if text[:1] and text[0] in DASHES:
        return f"begins with a dash (U+{ord(text[0]):04X}), which is no minus sign"
    if re.fullmatch(r"[^.,]*[0-9],[0-9][^.,]*", text):
        return f"a comma is no decimal point; did you mean {text.replace(',', '.')}?"
    if re.search(r"[0-9][,_'\u2019][0-9]", text):
        return "digits are not grouped"
    if any(character.isdigit() and not character.isascii() for character in text):
        return "digits are 0 to 9"
    if re.match(r"[^A-Za-z]*[0-9.]\s*[*+(/^-]", text):
        return "one number, no arithmetic"
    return "there is more than one number" if re.match(r"[+-]?[0-9.]+[\s.]+[0-9]", text) else ""


def show(value: float, kind: str, digits: int = 4) -> str:
    """`value` (SI) as short text, such as "0.59 nm": in the first usual unit of its kind, or with a prefix."""
    quantity = registry().Quantity(value, SI_UNITS[kind][0])
    usual = quantity.to(SI_UNITS[kind][1].split(",")[0])
    shown = usual if 0.01 <= abs(usual.magnitude) < 1000 or not value else quantity.to_compact()
    return f"{shown:.{digits}g~P}"


def decades(name: str, text: str | None, kind: str, example: str) -> np.ndarray | None:
    """Ten values a decade (SI), evenly spaced in their logarithm, from text such as 1kHz:1GHz; None without a text.

    Raises
    ------
    BadInput : not two values above zero that increase, or without a unit
    """
    if text is None:
        return None
    try:
        low, high = (parse(end, kind) for end in text.partition(":")[::2])
    except ValueError as error:
        reason = f" ({error})" if ":" in text else ""
        raise BadInput(name, text, f"give two values with units, as {example}{reason}") from None
    if not 0 < low < high <= 1e15:
        raise BadInput(name, text, f"must increase from above zero to 1e15 at most, as {example}")
    return np.geomspace(low, high, 1 + round(10 * np.log10(high / low)))


@dataclass(frozen=True, slots=True)
class Quantity(BeforeValidator):
    """Part of the type of a field that is a quantity, by which its text is read; `kind` is a key of `SI_UNITS`."""

    kind: str = ""


def _kind(kind: str) -> Quantity:
    def read(value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str):
            return parse(value, kind)
        if isinstance(value, bool) or (info.context or {}).get("written"):
            raise ValueError(f"give {_article(kind)} as text with its unit ({SI_UNITS[kind][1]})")
        return value

    return Quantity(read, kind=kind)


_FINITE = Field(allow_inf_nan=False)
_POSITIVE = Field(gt=0, allow_inf_nan=False)

Length = Annotated[float, _kind("length"), _POSITIVE]
LengthOrZero = Annotated[float, _kind("length"), Field(ge=0, allow_inf_nan=False)]
Area = Annotated[float, _kind("area"), _POSITIVE]
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
SurfaceCharge = Annotated[float, _kind("surface charge"), _FINITE]
ElementaryCharge = Annotated[float, _kind("elementary charge"), _FINITE]
Mass = Annotated[float, _kind("mass"), _POSITIVE]
Weight = Annotated[float, _kind("weight"), _POSITIVE]
MolarEnergy = Annotated[float, _kind("molar energy"), Field(ge=0, allow_inf_nan=False)]
Density = Annotated[float, _kind("density"), _POSITIVE]
Rate = Annotated[float, _kind("rate"), _POSITIVE]
MolarVolume = Annotated[float, _kind("molar volume"), Field(ge=0, allow_inf_nan=False)]
