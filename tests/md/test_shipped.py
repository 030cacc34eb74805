"""The shipped starts are those of the default quick cell, whole, and unrelated; shipped records."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from md import Cell, quick
from md.packing import check_overlaps
from md.sheet_lattice import LATTICES
from md.shipped import references
from md.starts import DENSE, SHIPPED, WARM, ions_key, shipped_starts, slit_contents
from transslit import load_electrolyte
from transslit.resampling import alike_halves


@pytest.fixture(scope="module")
def cell():
    """The default cell."""
    return Cell(quick(0.59e-9, load_electrolyte("KCl"), 1000.0))


def ions_of(cell, found):
    """x of the ions in m, shape (starts, ions)."""
    return found.positions[:, cell.frozen : cell.frozen + len(cell.ion_sites), 0] * 1e-9


def test_they_fit_the_default_cell(cell):
    found = shipped_starts(cell)
    assert found is not None
    assert found.provenance["ions_key"] == ions_key(cell)
    ions = len(cell.ion_sites)
    assert found.positions.shape[1:] == (cell.frozen + ions + 3 * found.waters, 3)
    assert len(found.positions) >= 8
    for each in found.positions:
        # hydrated ions and waters come as near as 0.23 nm to one another; 0.2 nm is an overlap
        check_overlaps(cell, each * 1e-9)
        water = each[cell.frozen + ions :].reshape(-1, 3, 3)
        arms = water[:, 1:] - water[:, :1]  # without the nearest image: rigid waters must come whole
        # the shipped file rounds to 0.24 pm per coordinate
        np.testing.assert_allclose(np.linalg.norm(arms, axis=-1), 0.1, atol=2e-3)
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 4e6


def test_their_ions_are_unrelated(cell):
    """No half-electrode holds in all starts what others do not, by F at 95 %; and no ion is where it is in another."""
    x = ions_of(cell, shipped_starts(cell))
    kinds = [cell.ion_sites.kind == k for k in (0, 1)]
    held = np.concatenate([slit_contents(cell, x[:, own])[..., :-1] for own in kinds], axis=-1)
    starts, halves = (index.ravel() for index in np.indices(held.shape[:2]))
    correlation, usual, _ = alike_halves(held.reshape(-1, held.shape[-1]).astype(float), (starts, halves))
    assert correlation < usual
    move = x[1:] - x[:-1]
    move -= cell.box[0] * np.round(move / cell.box[0])
    assert (np.median(np.abs(move), axis=1) > 1e-9).all()


def test_their_compartments_are_neutral(cell):
    """Between the walls and behind them; no ion can pass a wall to make up for a charge."""
    between = cell.compartment(ions_of(cell, shipped_starts(cell)) % cell.box[0]) == 0
    np.testing.assert_array_equal(between @ cell.ion_sites.charge, 0)


def test_their_provenance_says_what_they_were_accepted_by(cell):
    found = shipped_starts(cell)
    facts = found.provenance["starts"]
    assert len(facts) == len(found.positions)
    assert len({each["seed"] for each in facts}) == len(facts)
    for each, x in zip(facts, ions_of(cell, found), strict=True):
        assert each["T_K"] == pytest.approx(298.15, rel=WARM)
        assert each["water_kg_per_m3"] == pytest.approx(cell.target_water_density, rel=DENSE)
        assert each["length_s"]["equilibrate"] >= 15e-12
        np.testing.assert_array_equal(each["contents"], slit_contents(cell, x))
    assert found.provenance["versions"]["openmm"]


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
