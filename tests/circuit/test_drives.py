"""Drives as functions of time, against their definitions."""

import numpy as np
import pytest

from circuit import CircuitConfig, HalfCell, Table
from transslit import BadInput, TriangularCV
from transslit.drive import (
    ChargePulse,
    ChargeRamp,
    ChargeStep,
    ConstantPower,
    Galvanostatic,
    PotentialStep,
    RateSeries,
    SmoothedCV,
    TableDrive,
)

DRIVES = (TriangularCV, SmoothedCV, RateSeries, PotentialStep, Galvanostatic, ConstantPower, TableDrive)
CHARGES = (ChargeStep, ChargeRamp, ChargePulse)


def test_smoothed_cv_is_the_mean_of_the_triangle_over_its_last_stretch():
    plain, smooth = TriangularCV(cycles=2), SmoothedCV(cycles=2, smoothing=0.3)
    width = 0.3 * plain.half_period
    for now in np.linspace(0, smooth.duration, 23):
        past = np.linspace(now - width, now, 20001)
        triangle = np.where((past >= 0) & (past <= plain.duration), plain.cell_voltage(past), 0.0)
        assert smooth.cell_voltage(now) == pytest.approx(np.trapezoid(triangle, past) / width, abs=1e-7)
    time = np.linspace(0, smooth.duration, 4001)
    assert smooth.cell_voltage(time).max() == pytest.approx(0.4 * (1 - 0.3 / 4), rel=1e-6)
    assert smooth.cell_voltage(smooth.duration) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    ("kind", "values", "word"),
    [
        (Galvanostatic, {"current": "5mA", "lower": 0.4}, "below the upper"),
        (Galvanostatic, {"current": "-5mA"}, "greater than 0"),
        (Galvanostatic, {"current": "5mV"}, "mA"),
        (ConstantPower, {"power": "5"}, "mW"),
        (TableDrive, {"time": (0, 1)}, "voltage or current"),
        (TableDrive, {"time": (0, 1, 1), "voltage": (0, 1, 2)}, "row 3"),
        (TableDrive, {"time": (0, 1), "voltage": (0, 1, 2)}, "two rows"),
        (TableDrive, {"time": (0, 1), "current": (0, float("nan"))}, "finite"),
    ],
)
def test_impossible_drives_are_refused(kind, values, word):
    with pytest.raises(BadInput, match=word):
        kind.read(**values)


@pytest.mark.parametrize("model", [*DRIVES, *CHARGES, CircuitConfig, HalfCell, Table])
def test_every_field_has_a_description(model):
    assert [name for name, field in model.model_fields.items() if not field.description] == []
