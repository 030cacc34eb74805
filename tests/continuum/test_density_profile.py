"""Profiles across the slits: of a uniform start, and of concentrations whose mean along the slit is known."""

import numpy as np
import pytest

from continuum import ContinuumConfig, DensityProfile, Frames, SlitMesh, density_profiles
from continuum.frames import write_frames
from continuum.mpnp import ModifiedPNP
from transslit import BadInput, ChargeStep, SlitNetwork, load_electrolyte

NETWORK = SlitNetwork(slit=1e-9, layers=3, slit_length=3e-9, edge_gap=0.6e-9, reservoir_length=1.5e-9)
CHARGED = {"cell": "full", "drive": ChargeStep(sigma=0.1, duration=1e-12)}


def planted(mesh: SlitMesh, bulk: np.ndarray) -> np.ndarray:
    """mol/m^3, (ions, ion cells): nothing but at y below the edge gap, with the mean bulk (1 + x / length) over y."""
    x, y = mesh.centres[:, mesh.ion_cells]
    return np.outer(bulk, (1 + x / mesh.length) * (y < NETWORK.edge_gap) * NETWORK.slit_length / NETWORK.edge_gap)


def frames_of(folder, **settings) -> ContinuumConfig:
    """Leave two frames: the uniform start of a run, and the planted concentrations."""
    config = ContinuumConfig(network=NETWORK, electrolyte=load_electrolyte("CaCl2"), concentration=500.0, **settings)
    equations = ModifiedPNP(config)
    phi, start = equations.to_si(equations.uniform(0.1))
    c = np.array([start, planted(equations.mesh, config.electrolyte.bulk(500.0))])
    numbers = np.arange(2.0)
    series = dict.fromkeys(("time_s", "drive", "I_m_A_per_m", "electrode_C_per_m"), numbers)
    write_frames(folder / "frames.h5", config, {**series, "phi_V": np.array([phi, phi]), "c_mol_per_m3": c}, True)
    return config


def test_profiles_of_a_uniform_start_and_of_a_known_mean_along_the_slit(tmp_path):
    config = frames_of(tmp_path, **CHARGED)
    table = density_profiles(tmp_path)
    assert list(table) == ["source", "moment", "electrode", "i", "ion", "x_nm", "c_M", "low", "high"]
    assert set(table["source"]) == {"continuum"}
    assert table[["low", "high"]].isna().all(axis=None)
    before, after = (table[table["moment"] == moment] for moment in ("before", "after"))
    assert len(before) == len(after) == len(table) / 2
    np.testing.assert_allclose(before["c_M"], before["ion"].map({"Ca": 0.5, "Cl": 1.0}), rtol=1e-12)
    mesh = SlitMesh(config)
    columns = (mesh.x_lines[1:] + mesh.x_lines[:-1]) / 2
    profiles = after.groupby(["electrode", "i", "ion"])
    assert len(profiles) == 2 * 2 * 2
    for (electrode, i, ion), part in profiles:
        centre = NETWORK.slit_centres[i - 1]
        depth = centre + 1e-9 * part["x_nm"]  # from the wall towards the bulk
        x = depth if electrode == "positive" else mesh.length - depth
        bulk = {"Ca": 0.5, "Cl": 1.0}[ion]
        np.testing.assert_allclose(part["c_M"], bulk * (1 + x / mesh.length), rtol=1e-6)  # x_nm has six decimals
        inside = columns[np.abs(columns - centre) < NETWORK.slit / 2]
        np.testing.assert_allclose(depth, inside, rtol=0, atol=1e-15)  # every column once, from face to face


def test_every_frame_of_a_half_cell(tmp_path):
    frames_of(tmp_path)
    with Frames(tmp_path) as frames:
        table = DensityProfile(frames).run().results.table
        length = frames.equations.mesh.length
    assert list(table) == ["time_s", "electrode", "i", "ion", "x_m", "c_mol_per_m3"]
    assert set(table["electrode"]) == {"positive"}
    assert set(table["time_s"]) == {0.0, 1.0}
    last = table[table["time_s"] == 1]
    x = last["x_m"] + last["i"].map(dict(enumerate(NETWORK.slit_centres, start=1)))
    bulk = last["ion"].map({"Ca": 500.0, "Cl": 1000.0})
    np.testing.assert_allclose(last["c_mol_per_m3"], bulk * (1 + x / length), rtol=1e-12)


def test_a_network_without_a_slit_is_bad_input(tmp_path, kcl):
    config = ContinuumConfig(network=NETWORK.model_copy(update={"layers": 1}), electrolyte=kcl)
    equations = ModifiedPNP(config)
    phi, c = equations.to_si(equations.uniform(0.0))
    series = dict.fromkeys(("time_s", "drive", "I_m_A_per_m", "electrode_C_per_m"), np.zeros(1))
    write_frames(tmp_path / "frames.h5", config, {**series, "phi_V": phi[None], "c_mol_per_m3": c[None]}, True)
    with pytest.raises(BadInput, match="no slit"):
        density_profiles(tmp_path)
