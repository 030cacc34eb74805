"""Sheets as grids of Gaussian sites: a capacitor of two of them is one of two planes, in vacuum and in a dielectric."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import constants

from md import sheet_sites
from md.cell import Cell
from md.constant_potential import response
from md.implicit_water import build_ions, ions_topology
from md.propagate import simulation
from md.replica import drive_of


@pytest.fixture(scope="module")
def plates(make_config):
    """Two closed walls and nothing else, half a box apart, with one ion pair, in implicit water at 1 V."""
    config = make_config(
        water="implicit", drive="potential-step", voltage=1.0, concentration=20.0, frame_interval=0.25e-12,
        decorrelation=0.25e-12, duration=0.25e-12, timestep=10e-15, platform="Reference",
    )  # fmt: skip
    return Cell(config.model_copy(update={"network": config.network.model_copy(update={"layers": 1})}))


def test_sites_fill_the_sheets_evenly(plates):
    """None is further than the spacing from its neighbours, across the ends of the box too."""
    sites = plates.sheet_atoms
    for sheet in (0, 1):
        place = sites["positions"][sites["sheet"] == sheet]
        for axis in (1, 2):
            line = np.unique(np.round(place[:, axis], 15))
            steps = np.diff(np.append(line, line[0] + plates.box[axis]))
            assert np.ptp(steps) < 1e-14
            assert steps.max() <= sheet_sites.SPACING * (1 + 1e-9)


def test_capacitance_is_that_of_planes(plates):
    """Each wall has two faces, from each of which the field goes half a box: Q = 2 eps0 A V / (Lx / 2).

    The width of the sites makes both equal in closed form; particle-mesh Ewald at this cutoff is good to 2e-3.
    """
    charge = response(plates)
    area = plates.box[1] * plates.box[2]
    expected = 2 * constants.epsilon_0 * area * 1.0 / (plates.box[0] / 2) / constants.e
    for sign in (1, -1):
        held = charge[plates.sheet_atoms["sign"] == sign]
        assert held.sum() == pytest.approx(sign * expected, rel=3e-3)
        assert np.ptp(held) < 1e-3 * abs(held.mean())


def test_a_dielectric_multiplies_the_charge_and_leaves_the_field(plates):
    """The ions far from the walls: eps_r times the charge of the empty cell, and the force of E = V / (Lx / 2).

    One ion pair induces charge that adds up to nothing on each wall, since the pair is in the mid-planes.
    """
    system = build_ions(plates)
    drive = drive_of(plates)
    drive.force(system)
    sim = simulation(ions_topology(plates), system, plates, 1)
    quarter = plates.box * 1e9 / 4
    ions = np.array([[0.0, quarter[1], quarter[2]], [0.0, 3 * quarter[1], 3 * quarter[2]]])
    assert len(plates.ion_sites) == 2
    sim.context.setPositions(np.concatenate([plates.sheet_atoms["positions"] * 1e9, ions]))
    forces = []
    for voltage in (0.0, 1.0):
        sim.context.setParameter("cell_voltage", voltage)
        state = sim.context.getState(getForces=True)
        forces.append(state.getForces(asNumpy=True)._value[-2:])
    difference = (forces[1] - forces[0])[:, 0]  # kJ/mol/nm; the positive wall is on the right of the mid-plane x = 0
    field = 1.0 / (plates.box[0] / 2) * constants.e * constants.N_A / 1e12
    np.testing.assert_allclose(difference, plates.ion_sites.charge * -field, rtol=2e-3)
    held = drive.solved(sim)[plates.sheet_atoms["sign"] > 0].sum()
    area = plates.box[1] * plates.box[2]
    planes = 78.4 * 2 * constants.epsilon_0 * area / (plates.box[0] / 2) / constants.e
    assert held == pytest.approx(planes, rel=2e-3)
