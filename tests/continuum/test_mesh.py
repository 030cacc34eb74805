"""The mesh holds the network: volumes, electrode area and planes are those of the geometry, exactly."""

import numpy as np
import pytest

from continuum import ContinuumConfig, SlitMesh
from transslit import BadInput, ChargeStep, SlitNetwork

STEP = ChargeStep(sigma=0.25, duration=1e-12)


@pytest.mark.parametrize("layers", [1, 2, 6])
@pytest.mark.parametrize("slit", [0.59e-9, 2e-9, 5e-9])
def test_half_cell_geometry(kcl, slit, layers):
    network = SlitNetwork(slit=slit, layers=layers)
    mesh = SlitMesh(ContinuumConfig(network=network, electrolyte=kcl))
    n, L, g, t = network.slits, network.slit_length, network.edge_gap, network.sheet_thickness
    assert mesh.volumes.sum() == pytest.approx(n * (slit * L + t * g) + network.reservoir_length * L, rel=1e-12)
    assert mesh.electrode.area.sum() == pytest.approx(L + n * (2 * (L - g) + t), rel=1e-12)
    assert mesh.midplane.area.sum() == pytest.approx(L, rel=1e-12)
    for plane in network.sheet_centres:
        across = mesh.inner[(mesh.inner.axis == 0) & (np.abs(mesh.inner.position[0] - plane) < 1e-15)]
        assert across.area.sum() == pytest.approx(g, rel=1e-12)


def test_full_cell_geometry(kcl, small):
    mesh = SlitMesh(ContinuumConfig(network=small, electrolyte=kcl, drive=STEP, cell="full"))
    n, L, g, t = small.slits, small.slit_length, small.edge_gap, small.sheet_thickness
    free = 2 * (n * (small.slit * L + t * g) + small.reservoir_length * L)
    assert mesh.volumes[mesh.ion_cells].sum() == pytest.approx(free, rel=1e-12)
    assert mesh.volumes.sum() == pytest.approx((mesh.length + t) * L, rel=1e-12)
    first = mesh.centres[0] < mesh.length / 2
    assert mesh.sheet_area[first].sum() == pytest.approx(L / 2 + n * (L - g), rel=1e-12)
    assert abs(mesh.sheet_area.sum()) < 1e-12 * L


def test_resolved_layer_is_free_of_ions(kcl, small):
    config = ContinuumConfig(network=small, electrolyte=kcl, stern_model="resolved", stern_thickness=0.2e-9)
    mesh = SlitMesh(config)
    h = config.stern_thickness
    near_wall = mesh.centres[0] < h
    assert not np.isin(np.flatnonzero(near_wall), mesh.ion_cells).any()
    # Every electrode face borders an ion-free cell, and the layer is h thick along the open face.
    assert mesh.stern[mesh.electrode.lower].all()
    outside = mesh.stern & (mesh.centres[0] > small.depth)
    assert mesh.volumes[outside].sum() == pytest.approx(h * (small.slit_length - small.edge_gap + h), rel=1e-9)


def test_interpolation_is_exact_for_a_plane(kcl, small):
    mesh = SlitMesh(ContinuumConfig(network=small, electrolyte=kcl))
    field = 3.0 + 2e9 * mesh.centres[0] - 5e8 * mesh.centres[1]
    for x in small.slit_centres:
        cells, weights = mesh.interpolation(x, small.slit_length / 2)
        assert weights @ field[cells] == pytest.approx(3 + 2e9 * x - 5e8 * small.slit_length / 2, rel=1e-12)


def test_refinement_divides_cells(kcl, small):
    coarse, fine = (SlitMesh(ContinuumConfig(network=small, electrolyte=kcl, refinement=r)).cells for r in (1.0, 2.0))
    assert fine / coarse == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("drive", {"cell": "full"}),
        ("drive", {"drive": STEP}),
        ("steps", {"steps": 31}),
        ("concentration", {"concentration": 8000.0}),
        ("stern_thickness", {"stern_model": "resolved", "stern_thickness": 0.5e-9}),
    ],
)
def test_bad_input_names_its_field(kcl, small, field, settings):
    with pytest.raises(BadInput) as refused:
        ContinuumConfig.read(network=small, electrolyte=kcl, **settings)
    assert refused.value.field == field
