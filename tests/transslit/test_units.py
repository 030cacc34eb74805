"""Text to SI and back; what is not a quantity is refused with units that would do."""

from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from transslit.units import SI_UNITS, WRITTEN, Length, in_unit, parse, show

# What the suite's unit of a kind is, in exact decimals: factor and, for a temperature, what is added.
FACTORS = {
    **{"nm": "1e-9", "angstrom": "1e-10", "ps": "1e-12", "ns": "1e-9", "us": "1e-6", "K": "1", "degC": "1"},
    **{"M": "1e3", "mM": "1", "mol/m^3": "1", "V": "1", "mV": "1e-3", "mV/us": "1e3", "V/s": "1", "m^2/s": "1"},
    **{"nm^2/ns": "1e-9", "ohm": "1", "kohm": "1e3", "F": "1", "nF": "1e-9", "C": "1", "nC": "1e-9", "A": "1"},
    **{"mA": "1e-3", "uA": "1e-6", "A/m": "1", "mA/m": "1e-3", "W": "1", "mW": "1e-3", "uW": "1e-6", "Hz": "1"},
    **{"kHz": "1e3", "MHz": "1e6", "C/m^2": "1", "e/nm^2": "0.1602176634", "e": "1", "Da": "1", "kJ/mol": "1"},
    **{"kcal/mol": "4.184", "kg/m^3": "1", "g/cm^3": "1e3", "1/ps": "1", "cm^3/mol": "1e-6", "m^3/mol": "1"},
    **{"cm^2": "1e-4", "m^2": "1", "mg": "1e-6", "g": "1e-3"},
}
EXAMPLES = [(kind, unit) for kind, (_, units) in SI_UNITS.items() for unit in units.split(", ")]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("0.59nm", "length", 0.59e-9),
        ("5.9 angstrom", "length", 5.9e-10),
        ("20mV/us", "scan rate", 2e4),
        ("1M", "concentration", 1000.0),
        ("5ohm", "resistance", 5.0),
        ("80nF", "capacitance", 8e-8),
        ("16nC", "charge", 1.6e-8),
        ("298.15K", "temperature", 298.15),
        ("25degC", "temperature", 298.15),
        ("0.087 kcal/mol", "molar energy", 0.364008),
    ],
)
def test_quantities(text, kind, value):
    assert parse(text, kind) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    "text", ["0.59", "0.59kg", "", "abc", "nan nm", "inf nm", "1e400nm", "1 nm nm", "os.remove", "nm ("]
)
def test_what_is_no_length_is_refused_with_units_that_would_do(text):
    with pytest.raises(ValueError, match="nm"):
        parse(text, "length")


@pytest.mark.parametrize(("kind", "unit"), EXAMPLES)
@given(st.decimals("0.001", "10000", allow_nan=False, places=7), st.sampled_from(["", "e-3", "E+2"]))
def test_a_decimal_number_is_the_float_nearest_to_it(kind, unit, decimal, power):
    """Decimal arithmetic of 60 digits, rounded once: what is written in any unit is the default it repeats."""
    with localcontext(Context(prec=60)):
        number = Decimal(f"{decimal}{power}") * Decimal(FACTORS[unit]) + Decimal("273.15") * (unit == "degC")
    assert parse(f"{decimal}{power} {unit}", kind) == float(number)


@pytest.mark.parametrize(
    ("texts", "value"),
    [
        (("0.34nm", "3.4 angstrom", "340pm", "3.4e-10m"), 3.4e-10),
        (("1.968nm", "1968 pm"), 1.968e-9),
        (("0nm", "-0nm", "0e-400000000nm"), 0.0),
    ],
)
def test_a_length_is_one_number_in_any_unit(texts, value):
    assert {parse(text, "length") for text in texts} == {value}
    assert str(parse(texts[1], "length")) == str(value)  # no -0.0, which a digest would tell apart


def test_a_rate_is_written_as_it_is_read_aloud():
    assert parse("2/ps", "rate") == parse("2 1/ps", "rate") == parse("2 ps^-1", "rate") == parse("2000/ns", "rate") == 2
    assert parse("18cm^3/mol", "molar volume") == 18e-6
    for text in ("2/3ps", "2//ps", "2 1/1ps", "2/"):
        with pytest.raises(ValueError, match="1/ps"):
            parse(text, "rate")


def test_a_logarithm_is_no_unit():
    with pytest.raises(ValueError, match="dBm is no known unit"):
        parse("3 dBm", "power")


def test_an_article_suits_its_noun():
    with pytest.raises(ValueError, match="give an elementary charge with its unit"):
        parse("1", "elementary charge")


@given(st.floats(1e-12, 1e-3))
def test_shown_lengths_read_back(value):
    assert parse(show(value, "length", 12), "length") == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1 mol·L⁻¹", "concentration", 1000.0),
        ("1.957e−9 m²·s⁻¹", "diffusion coefficient", 1.957e-9),
        ("2 m2 s-1", "diffusion coefficient", 2.0),
        ("3600 rpm", "frequency", 60.0),
        ("5 turn/s", "frequency", 5.0),
        ("1\u00a0nm", "length", 1e-9),
        ("-1 e", "elementary charge", -1.0),
        ("0 degC", "temperature", 273.15),
    ],
)
def test_quantities_as_people_paste_them(text, kind, value):
    assert parse(text, kind) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("1e-400nm", "length", "too small"),
        ("1e300nm", "length", "beyond what anything measures"),
        ("1e-21A", "current", "beyond what anything measures"),
        ("1 rad2/s", "frequency", "not one unit"),
        ("1 Hz/turn", "frequency", "not one unit"),
        ("1 sr/s", "frequency", "not one unit"),
        ("1 nm percent", "length", "not one unit"),
        ("1 rad nm", "length", "no unit of a length"),
        ("1 rad/s", "scan rate", "no unit of a scan rate"),
        ("5 m/s/s", "length", "not one unit"),
        ("10²nm", "length", "digits are 0 to 9"),
        ("1’000nm", "length", "grouped"),
        ("78 C", "temperature", "C is no unit of a temperature"),
        ("20 mVs", "voltage", "mVs is no known unit"),
        ("1 nm^12", "length", "no unit"),
        ("1 nm mm/um", "length", "not one unit"),
        ("–1nm", "length", "dash"),
    ],
)
def test_what_is_refused_says_why(text, kind, said):
    with pytest.raises(ValueError, match=said):
        parse(text, kind)


def test_a_quantity_in_another_unit():
    assert in_unit("1.5um", "nm") == pytest.approx(1500.0)
    assert in_unit("20 degC", "K") == pytest.approx(293.15)
    assert in_unit("3", "") == 3.0
    for text, unit in (("1nm", "V"), ("1rad/s", "Hz"), ("1nm", ""), ("1", "nm")):
        with pytest.raises(ValueError, match="converted"):
            in_unit(text, unit)


@pytest.mark.parametrize("value", [True, False])
def test_a_truth_value_is_no_quantity(value):
    with pytest.raises(ValidationError, match="as text with its unit"):
        TypeAdapter(Length).validate_python(value)


def test_what_people_write_needs_its_unit_and_what_programs_pass_is_si():
    assert TypeAdapter(Length).validate_python(2e-9) == 2e-9
    with pytest.raises(ValidationError, match="as text with its unit"):
        TypeAdapter(Length).validate_python(2e-9, context=WRITTEN)
