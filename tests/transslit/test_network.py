"""Geometry of the network, and its conductance against exact and independent answers."""

import numpy as np
import pytest

from transslit import BadInput, SlitNetwork, load_electrolyte
from transslit.network import _laplace_conductance


def test_numbering_runs_from_the_bulk_to_the_wall():
    network = SlitNetwork(slit="2nm", layers=6)
    assert network.slits == 5
    np.testing.assert_allclose(network.slit_centres[-1], 1e-9)  # the deepest slit touches the wall
    np.testing.assert_allclose(-np.diff(network.slit_centres), network.pitch)
    np.testing.assert_allclose(network.sheet_centres[0], network.depth - 0.17e-9)
    assert network.gap(0) == (19e-9, 20e-9)
    assert network.gap(1) == (0.0, 1e-9)


def test_conductance_of_a_long_slit_is_its_aspect_ratio_plus_a_corner():
    """Doubling the length adds exactly the added length over the width: corners cancel in the difference."""
    width, gap, thickness = 1.0, 0.5, 0.34
    short, long = (1 / _laplace_conductance(width, half, gap, thickness) for half in (10.0, 20.0))
    assert long - short == pytest.approx(2 * (20.0 - 10.0) / width, rel=2e-3)


def test_conductance_of_a_right_angle_bend():
    """The square corner of two arms of equal width counts as 0.559 squares (exact, by conformal mapping).

    Slit of width 1 and half length 5, gap of width 1, half sheet 4: two arms of 4 squares and one corner.
    """
    resistance = 1 / _laplace_conductance(1.0, 5.0, 1.0, 8.0) / 2
    assert resistance == pytest.approx(8 + 0.559, rel=2e-3)  # twelve cells across


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"slit": "0.59"}, "slit"),
        ({"slit": "0.59kg"}, "slit"),
        ({"slit": "-1nm"}, "slit"),
        ({"slit": "0nm"}, "slit"),
        ({"slit": "nan nm"}, "slit"),
        ({"slit": "0.1nm"}, "slit"),
        ({"slit": "1km"}, "slit"),
        ({"slit": "2nm", "edge_gap": "20nm"}, "edge_gap"),
        ({"slit": "2nm", "layers": 0}, "layers"),
    ],
)
def test_impossible_networks_are_refused_by_name(values, field):
    with pytest.raises(BadInput) as caught:
        SlitNetwork.read(**values)
    assert caught.value.field == field
    assert "\n" not in str(caught.value)


def test_a_slit_narrower_than_an_ion_is_refused():
    with pytest.raises(BadInput, match="narrower than an ion"):
        SlitNetwork(slit="0.4nm").admits(load_electrolyte("KCl"))
