"""The cell: lattice, mirror symmetry, ion numbers by the stated formula, packing, refusals."""

from __future__ import annotations

import re

import numpy as np
import pytest
from pydantic import BeforeValidator
from scipy import constants

from md import Cell, MDConfig, paper, quick
from md.forcefield import check_neutral
from md.implicit_water import random_places
from md.packing import check_overlaps, nearest, pack
from transslit import BadInput, SlitNetwork, StageFailed, load_electrolyte

KCL = load_electrolyte("KCl")


def test_graphene_bonds_close_across_the_box(cell):
    """Every sheet atom of a full sheet has three neighbours at 0.142 nm, the edges of ribbons have two."""
    sheet_atoms = cell.sheet_atoms
    for number in np.unique(sheet_atoms["sheet"]):
        of_sheet = sheet_atoms["positions"][sheet_atoms["sheet"] == number]
        third = nearest(of_sheet, of_sheet, cell.box, rank=4)
        second = nearest(of_sheet, of_sheet, cell.box, rank=3)
        np.testing.assert_allclose(second, 0.142e-9, rtol=1e-9)
        bonded = third < 0.15e-9
        edge = 0 if number < 2 else 2 * cell.lattice.repeats
        assert (~bonded).sum() == edge


def test_sheet_density_is_graphene(cell):
    wall = (cell.sheet_atoms["sheet"] == 0).sum() / (cell.box[1] * cell.box[2])
    assert wall * 0.02 * constants.e == pytest.approx(cell.sheet_charge, rel=1e-9)
    ribbon = (cell.sheet_atoms["sheet"] == 2).sum()
    width = 2 * (cell.network.slit_length - cell.network.edge_gap)
    assert ribbon / (width * cell.depth) * 0.02 * constants.e == pytest.approx(cell.sheet_charge, rel=1e-9)


def test_mirror_symmetry_leaves_no_dipole(cell):
    """Each electrode is its own mirror image about its wall; the other one is its image half a box away."""
    sheet_atoms = cell.sheet_atoms
    for sign, wall in zip((1, -1), cell.walls, strict=True):
        x = np.sort(sheet_atoms["positions"][sheet_atoms["sign"] == sign, 0] - wall)
        np.testing.assert_allclose(x, -x[::-1], atol=1e-20)
    plus, minus = (np.sort(sheet_atoms["positions"][sheet_atoms["sign"] == s, 0]) for s in (1, -1))
    np.testing.assert_allclose(minus - plus, cell.box[0] / 2, rtol=1e-12)


def test_sheets_alternate_and_keep_their_pitch(cell):
    network = cell.network
    for number, half_cell in enumerate(cell.half_cells):
        planes = cell.to_box(half_cell, network.sheet_centres)
        np.testing.assert_allclose(np.abs(np.diff(planes)), 0.93e-9, rtol=1e-9)
        assert abs(abs(planes[-1] - half_cell.wall) - 0.93e-9) < 1e-15
        for j in range(network.slits):
            sheet = cell.sheet_atoms["sheet"] == 2 + number * network.slits + j
            y = cell.sheet_atoms["positions"][sheet, 1] - (0.0 if j % 2 == 0 else network.slit_length)
            y -= cell.box[1] * np.round(y / cell.box[1])
            assert np.abs(y).max() < network.slit_length - network.edge_gap


def test_ion_number_formula():
    """By hand for the default cell: reservoirs of 35.2 nm^3 that lose 0.275 x 44.6 ions."""
    cell = Cell(quick(0.59e-9, KCL, 1000.0))
    volumes = {name: value * 1e27 for name, value in cell.volumes.items()}
    per_nm3 = 0.6022 + 0.275 * cell.electrode_charge / volumes["reservoirs"]
    pairs = per_nm3 * (volumes["reservoirs"] + volumes["slits"] + volumes["gaps"])
    assert cell.formula_units == pytest.approx(pairs, abs=0.6)
    assert cell.ion_numbers == {"K": cell.formula_units, "Cl": cell.formula_units}
    assert cell.formula_units > cell.electrode_charge  # enough counter-ions for the whole charge


def test_uncharged_limit_is_the_asked_concentration(make_config):
    cell = Cell(make_config(charge_per_carbon=1e-9))
    uniform = 1000.0 * constants.N_A * sum(cell.volumes.values())
    assert abs(cell.formula_units - uniform) <= 0.5


def test_presets_are_larger_than_twice_the_cutoff():
    for preset in (quick, paper):
        for slit in (0.59e-9, 2e-9):
            cell = Cell(preset(slit, KCL, 1000.0))
            assert min(cell.box[1:]) >= 2 * cell.config.cutoff
            assert cell.network.slits >= 3


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cutoff": 0.65e-9}, "depth"),
        ({"cutoff": 0.9e-9, "depth": 2e-9}, "slit_length"),
        ({"timestep": 3e-15}, "timestep"),
    ],
)
def test_impossible_cells_are_refused(make_config, changes, field):
    with pytest.raises(BadInput) as caught:
        make_config(**changes)
    assert caught.value.field == field


@pytest.mark.parametrize("config", [MDConfig, SlitNetwork])
def test_every_field_has_a_description(config):
    """Options of the command line are made from the fields; a length, time or voltage says its unit."""
    for name, field in config.model_fields.items():
        assert field.description, name
        quantity = any(isinstance(part, BeforeValidator) for part in field.metadata)
        assert not quantity or re.search(r", in (m|s|K|V|e|V/s|mol/m\^3|1/ps)\b", field.description), name


def test_charged_box_is_refused():
    with pytest.raises(BadInput, match="neutral"):
        check_neutral(np.array([1.0, -1.0, 0.5]))


def test_packing_keeps_clear_and_overlaps_are_found(cell):
    positions, waters = pack(cell, 0)
    sheet_atoms, ions = len(cell.sheet_atoms["sign"]), sum(cell.ion_numbers.values())
    assert len(positions) == sheet_atoms + ions + 3 * waters
    oxygen = positions[sheet_atoms + ions :: 3]
    for arm in (1, 2):
        bond = np.linalg.norm(positions[sheet_atoms + ions + arm :: 3] - oxygen, axis=1)
        np.testing.assert_allclose(bond, 0.1e-9, rtol=1e-9)
    in_graphene = positions.copy()
    in_graphene[sheet_atoms] = positions[0] + 0.05e-9
    with pytest.raises(StageFailed, match="sheet atom"):
        check_overlaps(cell, in_graphene)
    overlapping = positions.copy()
    overlapping[sheet_atoms] = positions[sheet_atoms + 1] + 0.05e-9
    with pytest.raises(StageFailed, match="overlap"):
        check_overlaps(cell, overlapping)


@pytest.mark.parametrize("name", ["KCl", "MgCl2"])
@pytest.mark.parametrize("implicit", [False, True])
def test_each_compartment_is_neutral(make_config, name, implicit):
    """No ion passes a closed wall: a charge that a compartment starts with stays there. It is zero, whatever the seed.

    The compartments' numbers of formula units differ by one at most.
    """
    changes = {"water": "implicit", "duration": 1e-12} if implicit else {}
    numbers = set()
    for concentration in (1000.0, 1075.0):
        cell = Cell(make_config(electrolyte=load_electrolyte(name), concentration=concentration, **changes))
        numbers.add(cell.formula_units % 2)
        for seed in range(4):
            if implicit:
                x = random_places(cell, seed)[:, 0] * 1e-9
            else:
                first = len(cell.sheet_atoms["sign"])
                x = pack(cell, seed)[0][first : first + len(cell.ion_sites), 0]
            ahead = (x % cell.box[0] > cell.walls[0]) & (x % cell.box[0] < cell.walls[1])
            np.testing.assert_array_equal(cell.compartment(x), np.where(ahead, 0, 1))
            charge = [cell.ion_sites.charge[own].sum() for own in (ahead, ~ahead)]
            np.testing.assert_allclose(charge, 0, atol=1e-9)
            assert abs(ahead.sum() - (~ahead).sum()) <= sum(ion.stoichiometry for ion in cell.electrolyte.ions)
    assert numbers == {0, 1}
