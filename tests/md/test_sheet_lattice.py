"""Another lattice of sheets is one entry of a table: geometry, charge and force field follow from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from openmm import unit
from scipy import constants

from md import Cell, TransSlitFlux
from md.forcefield import build_system, nonbonded, topology
from md.packing import nearest
from md.reduction import record_of
from md.sheet_lattice import LATTICES, SheetLattice
from transslit import BadInput

BOND, THICKNESS, SIGMA, EPSILON = 0.16e-9, 0.5e-9, 0.38e-9, 1.7
PER_AREA = 2 / (1.5 * np.sqrt(3) * BOND**2)  # two atoms in a hexagon's area


def test_a_planted_lattice_is_taken_throughout(make_config, make_universe, monkeypatch):
    """Silicon atoms 0.16 nm apart in sheets of 0.5 nm, against numbers that follow from these by hand."""
    with pytest.raises(BadInput, match="lattice: planted: give one of graphene"):
        make_config(lattice="planted")
    monkeypatch.setitem(LATTICES, "planted", SheetLattice("planted", BOND, THICKNESS, "Si", SIGMA, EPSILON))
    cell = Cell(make_config(lattice="planted", depth=1.4e-9))
    place, sheet = cell.sheet_atoms["positions"], cell.sheet_atoms["sheet"]
    for number in np.unique(sheet):
        own = place[sheet == number]
        for rank in (2, 3):  # at the edges of ribbons an atom has two neighbours, elsewhere three
            np.testing.assert_allclose(nearest(own, own, cell.box, rank=rank), BOND, rtol=1e-9)
    assert cell.box[1:] == pytest.approx([8 * 1.5 * BOND, 5 * np.sqrt(3) * BOND])
    assert (sheet == 0).sum() == pytest.approx(PER_AREA * cell.box[1] * cell.box[2])

    charge = 0.02 * constants.e * PER_AREA  # of a sheet, both faces, in C/m^2
    assert cell.sheet_charge == pytest.approx(charge)
    ion = np.tile([[0.1e-9, 0.1e-9, 0.1e-9]], (4, 1))
    counts = TransSlitFlux(make_universe(cell, [("K", ion)], start=0.05), cell).run().results.counts
    for each in (counts, replace(counts, sigma=None)):  # the charge of the sheets' atoms, and that of the drive
        terminal = record_of([each], cell).terminal
        np.testing.assert_allclose(terminal["sigma_C_per_m2"], np.where(terminal["replica"] < 2, charge, -charge))

    assert cell.network.sheet_thickness == THICKNESS
    planes = np.unique(place[:, 0].round(15))[:5]  # two ribbons on either side of the positive electrode's wall
    np.testing.assert_allclose(np.diff(planes), cell.network.slit + THICKNESS)
    assert np.diff(cell.walls) == pytest.approx(2 * (cell.network.depth + 0.6e-9) + THICKNESS)

    structure = topology(cell, 1)
    system = build_system(cell, structure)
    force, atoms = nonbonded(system), list(structure.atoms())
    for index in range(len(place)):
        _, sigma, epsilon = force.getParticleParameters(index)
        found = sigma.value_in_unit(unit.meter), epsilon.value_in_unit(unit.kilojoule_per_mole)
        assert found == pytest.approx((SIGMA, EPSILON), rel=1e-12)
        assert (atoms[index].element.symbol, system.getParticleMass(index)._value) == ("Si", 0)  # frozen
