"""An electrode's circuit from one per depth: numbers that are known beforehand."""

import numpy as np
import pytest

from circuit import CircuitConfig, HalfCell, Table, simulate
from circuit.electrode import SHEET, Electrode
from transslit import BadInput, Law, SlitNetwork, TriangularCV

NETWORK = SlitNetwork(slit=1e-9, layers=6)  # slits of 20 nm, pitch 1.34 nm
TABLE = Table(over="potential", at=(0.0, 0.2), value=(5e-8, 7e-8))
CELL = HalfCell(
    layers=6, resistance=0.7, slit_capacitance=5e-8, open_resistance=0.15, open_capacitance=2e-8, charge_max=1e-8
)


def config(cell, **changes):
    fields = {name: getattr(cell, name) for name in HalfCell.model_fields}
    return CircuitConfig.model_validate(
        fields | {"drive": TriangularCV(scan_rate=2e4, cycles=1), "points": 401, **changes}
    )


def test_a_sheet_of_graphene_weighs_what_it_does():
    assert pytest.approx(7.61e-7, rel=2e-3) == SHEET  # kg/m^2, 2630 m^2/g on both sides
    assert pytest.approx(2630, rel=2e-3) == 2 / SHEET / 1e3


def test_a_metre_of_depth_is_left_as_it_is():
    """A column of the network's own width, one metre deep, as thick as the network: D = 1 m, and nothing changes."""
    electrode = Electrode(electrode_area=20e-9, thickness=5 * NETWORK.pitch)
    assert electrode.layers(NETWORK) == 6
    assert electrode.factors(NETWORK) == pytest.approx((1.0, 1.0, 1.0))
    scaled = HalfCell.model_validate(electrode.scaled(CELL, NETWORK))
    for name in ("resistance", "slit_capacitance", "open_resistance", "open_capacitance", "charge_max"):
        assert getattr(scaled, name) == pytest.approx(getattr(CELL, name)), name


def test_elements_scale_with_area_pores_and_the_size_of_the_sheets():
    """1 cm^2, a quarter of it pores: D = 0.75e-4 / 200e-9 = 375 m; a slit grows by 180 nm of 1 nm width."""
    electrode = Electrode(electrode_area=1e-4, thickness=1.34e-6, sheet_size=200e-9, porosity=0.25)
    assert electrode.layers(NETWORK) == 1001
    scaled = HalfCell.model_validate(electrode.scaled(CELL, NETWORK))
    longer = 1 + 180e-9 * NETWORK.geometric_conductance / 1e-9
    assert scaled.resistance == pytest.approx(0.7 * longer / 375)
    assert scaled.slit_capacitance == pytest.approx(5e-8 * 10 * 375)
    assert scaled.open_capacitance == pytest.approx(2e-8 * 10 * 375)
    assert scaled.open_resistance == pytest.approx(0.15 / 10 / 375)
    assert scaled.charge_max == pytest.approx(1e-8 * 10 * 375)
    assert longer == pytest.approx(0.7 * 200 / 20 / 0.7, rel=0.12)  # in proportion, but for the gap's share


def test_figures_of_merit_are_those_of_the_capacitors():
    """1000 slits of 375 uF and 150 uF: C = 0.37515 F; E = C/2 V^2 / 2 of the cell; 571 ug of carbon in an electrode."""
    electrode = Electrode(electrode_area=1e-4, thickness=1.34e-6, sheet_size=200e-9, porosity=0.25)
    scaled = HalfCell.model_validate(
        electrode.scaled(CELL.model_copy(update={"slit_capacitance": 1e-7, "open_capacitance": 4e-8}), NETWORK)
    )
    found = electrode.figures(config(scaled), None)
    C = 1000 * 375e-6 + 150e-6
    mass = 1001 * 0.75e-4 * SHEET
    assert found["layers"] == 1001
    assert found["electrode_mass_kg"] == pytest.approx(mass)
    assert mass == pytest.approx(5.71e-8, rel=2e-3)
    assert found["electrode_capacitance_F"] == pytest.approx(C)
    assert found["specific_capacitance_F_per_g"] == pytest.approx(C / mass / 1e3)
    assert found["volumetric_capacitance_F_per_cm3"] == pytest.approx(C / (1.0 * 1.34e-4))  # 1 cm^2 by 1.34 um
    assert found["cell_capacitance_F"] == pytest.approx(C / 2)
    assert found["specific_energy_Wh_per_kg"] == pytest.approx(C / 2 * 0.4**2 / 2 / 3600 / (2 * mass))
    weighed = electrode.model_copy(update={"mass": 1e-6}).figures(config(scaled), None)
    assert weighed["specific_capacitance_F_per_g"] == pytest.approx(C / 1e-3)
    alone = electrode.figures(config(scaled, full_cell=False), None)
    assert alone["cell_capacitance_F"] == pytest.approx(C)


def test_capacitors_that_grow_store_the_integral_of_their_table():
    """C(u) = 50 + 100 u/V nF: Q(0.2 V) = 12 nC a slit, E = int C u du."""
    electrode = Electrode(electrode_area=20e-9, thickness=5 * NETWORK.pitch)
    cell = HalfCell.model_validate(
        {name: getattr(CELL, name) for name in HalfCell.model_fields}
        | {"capacitance_table": TABLE, "slit_capacitance": None}
    )
    found = electrode.figures(config(cell), None)
    assert found["electrode_capacitance_F"] == pytest.approx((5 * 12e-9 + 2e-8 * 0.2) / 0.2, rel=1e-6)
    energy = 2 * (5 * (5e-8 * 0.2**2 / 2 + 1e-7 * 0.2**3 / 3) + 2e-8 * 0.2**2 / 2)
    mass = 2 * 6 * 20e-9 * SHEET
    assert found["specific_energy_Wh_per_kg"] == pytest.approx(energy / 3600 / mass, rel=1e-6)


def test_a_law_scales_as_the_resistance_does():
    """A law of ohm m and R_c with gamma: the same voltammogram, of the electrode."""
    electrode = Electrode(electrode_area=1e-10, thickness=5 * NETWORK.pitch, sheet_size=30e-9)
    cell = CELL.model_copy(update={"gamma": 0.5})
    scaled = HalfCell.model_validate(electrode.scaled(cell, NETWORK))
    law = electrode.law(Law.paper(0.7, 0.5), NETWORK)
    plain = simulate(config(scaled)).terminal["I_m_A"]
    by_law = simulate(config(scaled.model_copy(update={"resistance": None, "gamma": 0.0})), law).terminal["I_m_A"]
    assert np.abs(plain - by_law).max() < 1e-9 * plain.abs().max()
    # 3.4 um of depth in all, in which the currents of the same drive grow by D s / L
    depth = simulate(config(cell)).terminal["I_m_A"]
    assert plain.abs().max() / depth.abs().max() == pytest.approx(1e-10 / 30e-9 * 1.5, rel=0.05)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"thickness": 0.1e-9}, "holds no slit"),
        ({"sheet_size": 1e-3}, "wider than the electrode"),
        ({"sheet_size": 1e-10}, "too much smaller than the network's slits"),
        ({"porosity": 1.0}, "less than 1"),
        ({"electrode_area": "1 cm"}, "area"),
    ],
)
def test_impossible_electrodes_are_refused(changes, says):
    with pytest.raises(BadInput, match=says):
        Electrode.read(**{"electrode_area": 1e-8, "thickness": 1e-6, **changes}).scaled(CELL, NETWORK)
