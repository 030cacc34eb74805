"""Text to SI and back; what is not a quantity is refused with units that would do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transslit.units import parse, show


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


@given(st.floats(1e-12, 1e-3))
def test_shown_lengths_read_back(value):
    assert parse(show(value, "length", 12), "length") == pytest.approx(value, rel=1e-9)
