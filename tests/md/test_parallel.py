"""Parallel and serial analysis agree to the last bit that summing allows, whatever the chunks."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from md import TransSlitFlux
from md.density_profile import DensityProfile
from md.reservoir import Reservoir
from md.slit_diffusion import SlitDiffusion


@pytest.fixture
def wandering(cell, make_universe):
    """Ions that jump across planes, mid-planes and the box's ends at almost every frame, 31 of them."""
    random = np.random.default_rng(8)
    reach = 2 * (cell.network.depth + cell.network.reservoir_length)
    ions = []
    for n in range(24):
        walk = np.cumsum(random.normal(0, 0.25e-9, (31, 3)), axis=0)
        s = 0.2e-9 + np.abs((walk[:, 0] + reach * random.random()) % (2 * (reach - 0.4e-9)) - (reach - 0.4e-9))
        x = cell.to_box(cell.half_cells[n % 4], s) % cell.box[0]
        ions.append(("K" if n < 12 else "Cl", np.column_stack([x, walk[:, 1] % cell.box[1], walk[:, 2] % cell.box[2]])))
    return make_universe(cell, ions, start=-0.5)


@pytest.mark.parametrize("parts", [2, 5])
def test_currents_contents_and_potentials(cell, wandering, parts):
    serial = TransSlitFlux(wandering, cell).run().results
    parallel = TransSlitFlux(wandering, cell).run(backend="multiprocessing", n_workers=2, n_parts=parts).results
    assert np.abs(serial.counts.crossed).sum() > 100  # also between the last frame of a chunk and the next one's first
    for name in ("time", "contents", "crossed", "phi", "sigma"):
        np.testing.assert_array_equal(getattr(parallel.counts, name), getattr(serial.counts, name), err_msg=name)
    np.testing.assert_allclose(parallel.phi_map, serial.phi_map, rtol=1e-12, atol=1e-12)
    for name in ("crossings", "slits", "terminal"):
        pd.testing.assert_frame_equal(getattr(parallel.record, name), getattr(serial.record, name))


def test_cells_travel_to_workers_unchanged(cell):
    copy = pickle.loads(pickle.dumps(cell))
    assert copy.config.digest == cell.config.digest
    np.testing.assert_array_equal(copy.box, cell.box)


def test_displacements_and_reservoirs(cell, wandering):
    serial, parallel = (
        SlitDiffusion(wandering, cell).run(**options).results
        for options in ({}, {"backend": "multiprocessing", "n_workers": 2, "n_parts": 3})
    )
    assert serial.samples.sum() > 100
    for name in ("lags", "squares", "samples"):
        np.testing.assert_array_equal(parallel[name], serial[name])
    pd.testing.assert_frame_equal(
        Reservoir(wandering, cell).run(backend="multiprocessing", n_workers=2, n_parts=3).results.table,
        Reservoir(wandering, cell).run().results.table,
    )
    profiles = [
        DensityProfile(wandering, cell).run(**options).results.c_M
        for options in ({}, {"backend": "multiprocessing", "n_workers": 2, "n_parts": 3})
    ]
    assert profiles[0].sum() > 0
    np.testing.assert_array_equal(*profiles)
