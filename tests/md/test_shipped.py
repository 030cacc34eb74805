"""The shipped equilibrium is that of the default quick cell, whole, and its snapshots are apart; shipped records."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from md import Cell, quick
from md.packing import check_overlaps
from md.sheet_lattice import LATTICES
from md.shipped import references
from md.starts import SHIPPED, ions_key, shipped_starts
from transslit import load_electrolyte


@pytest.fixture(scope="module", params=["charge-step", "cv"])
def cell(request):
    """The default cell, and the one of constant potential."""
    return Cell(quick(0.59e-9, load_electrolyte("KCl"), 1000.0, drive=request.param))


def test_it_fits_the_default_cell(cell):
    found = shipped_starts(cell)
    assert found is not None
    assert found.provenance["ions_key"] == ions_key(cell)
    ions, sheet_atoms = sum(cell.ion_numbers.values()), len(cell.sheet_atoms["sign"])
    assert found.positions.shape[1:] == (sheet_atoms + ions + 3 * found.waters, 3)
    assert len(found.positions) >= 3
    for snapshot in found.positions:
        # hydrated ions and waters come as near as 0.23 nm to one another; 0.2 nm is an overlap
        check_overlaps(cell, snapshot * 1e-9)
        water = snapshot[sheet_atoms + ions :].reshape(-1, 3, 3)
        arms = water[:, 1:] - water[:, :1]  # without the nearest image: rigid waters must come whole
        # XTC rounds to 1 pm and the shipped file to 0.24 pm, per coordinate
        np.testing.assert_allclose(np.linalg.norm(arms, axis=-1), 0.1, atol=3e-3)
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 1e6


def test_snapshots_are_decorrelated(cell):
    """Ions have left their cages (some 0.05 nm wide) between snapshots, 14 ps apart."""
    found = shipped_starts(cell)
    sheet_atoms, ions = len(cell.sheet_atoms["sign"]), sum(cell.ion_numbers.values())
    place = found.positions[:, sheet_atoms : sheet_atoms + ions]
    move = np.diff(place, axis=0)
    move -= np.round(move / (cell.box * 1e9)) * cell.box * 1e9
    assert (np.sqrt((move**2).sum(axis=-1).mean(axis=-1)) > 0.2).all()


def test_its_provenance_says_how_far_from_equilibrium_it_is(cell):
    provenance = shipped_starts(cell).provenance
    assert set(provenance["drift"]) == {"slit_1", "slit_2", "slit_3", "reservoirs"}
    total = sum(part["second_half"] for part in provenance["drift"].values())
    assert total == pytest.approx(sum(cell.ion_numbers.values()))
    assert provenance["length_s"]["equilibrate"] >= 50e-12
    assert provenance["versions"]["openmm"]


def test_another_cell_is_not_taken_for_it(cell, monkeypatch):
    other = Cell(quick(0.59e-9, load_electrolyte("KCl"), 500.0))
    assert shipped_starts(other) is None
    monkeypatch.setitem(LATTICES, "heavy", replace(LATTICES["graphene"], epsilon=1.0))  # the same place of every atom
    assert shipped_starts(Cell(cell.config.model_copy(update={"lattice": "heavy"}))) is None
    sodium = Cell(quick(0.59e-9, load_electrolyte("NaCl"), 1000.0))
    assert shipped_starts(sodium).provenance["ions_key"] != ions_key(sodium)  # its positions serve, after equilibration


def test_shipped_records_are_of_the_same_electrolyte_and_slit():
    """By the name of the drive, the shortest first; none of another electrolyte or width."""
    records = references(load_electrolyte("KCl"), 0.59e-9)
    ramps = [f"charge-ramp-{length}ps (shipped)" for length in (5, 20, 50)]
    assert list(records) == [ramps[0], ramps[1], ramps[2], "charge-step-10ps (shipped)"]
    for label, record in records.items():
        assert record.metadata["drive"]["kind"] == label.rsplit("-", 1)[0]
        assert record.metadata["network"]["slit"] == pytest.approx(0.59e-9)
    assert references(load_electrolyte("NaCl"), 0.59e-9) == {}
    assert references(load_electrolyte("KCl"), 1e-9) == {}
