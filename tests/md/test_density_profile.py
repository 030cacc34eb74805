"""Profiles across the slits, and the reservoirs: one ion in a known place is one ion over the volume of that place."""

from __future__ import annotations

import numpy as np
import pytest

from md import density_profile
from md.cell import Cell
from md.density_profile import BINS, DensityProfile, density_profiles
from md.reservoir import Reservoir
from transslit import load_electrolyte

N_A = 6.02214076e23


def molar(cell, ions=1.0):
    """mol/l of `ions` in one bin, which is d / BINS by 2 L by the depth."""
    return ions / (cell.network.slit / BINS * cell.box[1] * cell.box[2] * 1e3 * N_A)


def at(cell, half_cell, slit, bin_):
    """x of the middle of a bin, counted from the wall's side of slit `slit`."""
    d = cell.network.slit
    return float(
        cell.to_box(cell.half_cells[half_cell], cell.network.slit_centres[slit - 1] - d / 2 + (bin_ + 0.5) * d / BINS)
    )


def path(xs):
    return np.column_stack([xs, np.full((len(xs), 2), 0.3e-9)])


@pytest.mark.parametrize("half_cell", range(4))
@pytest.mark.parametrize(("slit", "bin_"), [(1, 0), (2, 5), (1, BINS - 1)])
def test_one_ion_is_in_one_bin(cell, make_universe, half_cell, slit, bin_):
    """In each half-cell, whichever way it faces, the last bin is the one towards the bulk."""
    universe = make_universe(cell, [("Cl", path([at(cell, half_cell, slit, bin_)] * 2))])
    results = DensityProfile(universe, cell).run().results
    expected = np.zeros((4, cell.network.slits, 2, BINS))
    expected[half_cell, slit - 1, 1, bin_] = molar(cell)
    np.testing.assert_allclose(results.c_M, expected, rtol=1e-12)
    step = cell.network.slit * 1e9 / BINS
    np.testing.assert_allclose(results.x_nm, (np.arange(BINS) - (BINS - 1) / 2) * step, atol=1e-12)


def test_frames_are_averaged_and_what_is_in_no_slit_is_not_counted(cell, make_universe):
    """A quarter of the time in a bin of either slit, else in the reservoir or in the plane of a sheet."""
    network = cell.network
    others = [network.depth + 0.2e-9, network.sheet_centres[0]]
    xs = [at(cell, 0, 1, 3), *(float(cell.to_box(cell.half_cells[0], x)) for x in others), at(cell, 0, 2, 3)]
    results = DensityProfile(make_universe(cell, [("K", path(xs))]), cell).run().results
    np.testing.assert_allclose(results.c_M[0, :, 0, 3], molar(cell, 0.25), rtol=1e-12)
    assert results.c_M.sum() == pytest.approx(2 * molar(cell, 0.25))


def test_profiles_before_and_after(make_config, cell, make_universe, monkeypatch):
    """Of two boxes, the ion of the first moves from bin to bin: a quarter of an ion in the mean of four half-cells."""
    both = type(cell)(make_config(replicas=2))
    away = float(cell.to_box(cell.half_cells[0], cell.network.depth + 0.2e-9))
    first, last = at(cell, 1, 1, 2), at(cell, 1, 2, 9)
    paths = {
        0: [first] * 3 + [away] * 5 + [last] * 3,
        1: [away] * 11,
    }  # -0.1 ps to 0.4 ps; the last quarter from 0.3 ps
    universes = {box: make_universe(cell, [("K", path(xs))], start=-0.1) for box, xs in paths.items()}
    monkeypatch.setattr(density_profile, "open_universe", lambda folder, box: universes[box])
    table = density_profiles(None, both)
    assert list(table.columns) == ["source", "moment", "electrode", "i", "ion", "x_nm", "c_M", "low", "high"]
    assert len(table) == 2 * 2 * cell.network.slits * 2 * BINS
    occupied = table[table["c_M"] > 0]
    assert occupied[["moment", "electrode", "i", "ion"]].to_numpy().tolist() == [
        ["before", "positive", 1, "K"],
        ["after", "positive", 2, "K"],
    ]
    step = cell.network.slit * 1e9 / BINS
    np.testing.assert_allclose(occupied["x_nm"], [(2 - 7.5) * step, (9 - 7.5) * step], rtol=1e-9)
    np.testing.assert_allclose(occupied["c_M"], molar(cell, 0.25), rtol=1e-12)
    np.testing.assert_array_less(occupied["low"], occupied["c_M"])
    # one of two faces, one of two boxes: mean squares of boxes and of half-electrodes alike, one degree of freedom
    t = 12.7062047
    np.testing.assert_allclose(occupied["high"], molar(cell, 0.25) * (1 + t), rtol=1e-6)
    assert (table[table["c_M"] == 0][["low", "high"]] == 0).all(axis=None)


def test_concentration_of_the_reservoirs_is_that_of_their_inner_half(make_config, make_universe):
    """Both reservoirs: 4 R long, of which 2 R are counted, by 2 L by the depth; c is the mean of c_Ca and c_Cl / 2.

    Two Ca are inside, near either mid-plane, one a quarter of R off the electrode; of three Cl one is inside.
    """
    cell = Cell(make_config(electrolyte=load_electrolyte("CaCl2"), concentration=500.0))
    network, places = cell.network, {}
    for name, half_cell, share in (
        ("Ca", 0, 0.6), ("Ca", 1, 0.9), ("Ca", 2, 0.25), ("Cl", 3, 0.55), ("Cl", 0, 0.45), ("Cl", 1, -0.1)
    ):  # fmt: skip
        x = cell.to_box(cell.half_cells[half_cell], network.depth + share * network.reservoir_length)
        places.setdefault(name, []).append(float(x))
    universe = make_universe(cell, [(name, path([x, x])) for name, xs in places.items() for x in xs])
    table = Reservoir(universe, cell).run().results.table
    one = 1 / N_A / (2 * network.reservoir_length * cell.box[1] * cell.box[2])
    np.testing.assert_allclose(table["c_Ca_mol_per_m3"], 2 * one)
    np.testing.assert_allclose(table["c_Cl_mol_per_m3"], one)
    np.testing.assert_allclose(table["c_mol_per_m3"], (2 + 1 / 2) / 2 * one)
    np.testing.assert_allclose(table["time_s"], [0.0, 0.05e-12], atol=1e-20)
