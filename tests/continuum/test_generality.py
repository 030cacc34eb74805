"""Other salts, mixtures and networks than the default, against references that share no code with the solver."""

import numpy as np
import pytest
from scipy import constants

from continuum import ContinuumConfig, Frames, TransSlitFlux, run
from continuum.mesh import SlitMesh
from transslit import SlitNetwork, TriangularCV
from transslit.progress import Progress

from .conftest import bikerman_charge, equilibrium, flat_wall, wall_charge_at_rest, with_valences

QUIET = Progress(quiet=True)


def salt_of(kcl, name):
    """KCl's ions with other valences: CaCl2-like 2:1, K2SO4-like 1:2, and 2 KCl + CaCl2."""
    if name == "mixture":
        calcium = kcl.ions[0].model_copy(update={"name": "Ca", "valence": 2, "stoichiometry": 1})
        potassium = kcl.ions[0].model_copy(update={"stoichiometry": 2})
        chloride = kcl.ions[1].model_copy(update={"stoichiometry": 4})
        return kcl.model_copy(update={"ions": (potassium, calcium, chloride), "allow_charged": True})
    return with_valences(kcl, *{"2:1": ((2, -1), (1, 2)), "1:2": ((1, -2), (2, 1))}[name])


@pytest.mark.parametrize("name", ["2:1", "1:2", "mixture"])
@pytest.mark.parametrize("sign", [1, -1])
def test_double_layer_of_any_salt_is_bikermans(kcl, name, sign):
    """Charge through Stern and diffuse layer in series, to 1e-3 from 5 to 200 mV."""
    salt = salt_of(kcl, name)
    config = flat_wall(salt, concentration=300.0, surface_cell=1e-11, growth=1.1)
    potentials = sign * np.array([0.005, 0.05, 0.1, 0.2])
    equations, found = equilibrium(config, potentials)
    for x, potential in zip(found, potentials, strict=True):
        charge = equations.electrode_charge(x, potential) / config.network.slit_length
        assert charge == pytest.approx(wall_charge_at_rest(config, potential), rel=1e-3)
    smaller, larger = np.abs([bikerman_charge(s * 4.0, salt, 300.0) for s in (sign, -sign)])
    assert abs(smaller / larger - 1) > 0.05  # the salt is asymmetric: exchanged signs would be seen


@pytest.mark.parametrize("name", ["2:1", "1:2", "mixture"])
def test_cycle_of_any_salt_closes_its_balances(kcl, small, name, tmp_path):
    salt = salt_of(kcl, name)
    drive = TriangularCV(scan_rate=1e6, window=0.4)
    config = ContinuumConfig(
        network=small, electrolyte=salt, concentration=500.0, drive=drive, steps=20, surface_cell=1e-10
    )
    record = run(config, tmp_path, QUIET)
    assert record.ions == list(salt.names)
    with Frames(tmp_path) as frames:
        entrance = TransSlitFlux(frames).run().results.entrance["I_A_per_m"].to_numpy()
        assert all(frame.c.min() > 0 for frame in frames)
        assert max(frames.equations.occupied(frame.c / frames.equations.c_unit).max() for frame in frames) < 1
    slits = record.slits.pivot_table(index="time_s", columns="i", values="Q_C_per_m").to_numpy()
    filled = np.diff(slits.sum(axis=1)) / np.diff(np.unique(record.slits["time_s"]))
    np.testing.assert_allclose(-entrance[1:], filled, rtol=0, atol=1e-8 * np.abs(filled).max())


@pytest.mark.parametrize("slit", [0.59e-9, 1e-9, 2e-9, 5e-9])
@pytest.mark.parametrize("layers", [1, 2, 3, 50])
def test_mesh_of_any_network_fills_its_volume(kcl, slit, layers):
    """Cells cover slits, gaps and reservoir exactly, and every surface cell is no larger than asked."""
    network = SlitNetwork(slit=slit, layers=layers)
    mesh = SlitMesh(ContinuumConfig(network=network, electrolyte=kcl))
    free = network.slits * (slit * network.slit_length + network.sheet_thickness * network.edge_gap)
    assert mesh.volumes.sum() == pytest.approx(free + network.reservoir_length * network.slit_length, rel=1e-9)
    faces = mesh.electrode
    wetted = network.slit_length
    wetted += network.slits * (2 * (network.slit_length - network.edge_gap) + network.sheet_thickness)
    assert faces.area.sum() == pytest.approx(wetted, rel=1e-9)
    assert (2 * faces.to_lower).max() < 0.06e-9


@pytest.mark.parametrize("slit", [0.59e-9, 5e-9])
def test_narrow_and_wide_slits_are_solved(kcl, slit, tmp_path):
    network = SlitNetwork(slit=slit, layers=3, slit_length=6e-9, reservoir_length=5e-9)
    drive = TriangularCV(scan_rate=1e6, window=0.4)
    config = ContinuumConfig(network=network, electrolyte=kcl, drive=drive, steps=20, surface_cell=1e-10)
    record = run(config, tmp_path, QUIET)
    assert record.metadata["retries"] == []
    # One slit's counter-charge hardly depends on its width: it sits at the faces.
    charge = record.slits["Q_C_per_m"].abs().max()
    assert 0.5 < charge / (2 * 6e-9 * 0.26) < 2  # 0.26 C/m^2 at 0.2 V: Stern and diffuse layer in series


def test_one_layer_is_a_flat_electrode(kcl, tmp_path):
    """No slit: the record's tables are empty, and a slow sweep's current carries the layer's charge at rest."""
    drive = TriangularCV(scan_rate=1e5, window=0.2)
    config = flat_wall(kcl, drive=drive, steps=20, surface_cell=1e-11, growth=1.1, length=5e-9)
    record = run(config, tmp_path, QUIET)
    assert record.crossings.empty
    assert record.slits.empty
    terminal = record.terminal
    charge = np.sum(terminal["I_m_A_per_m"].iloc[1:11] * np.diff(terminal["time_s"])[:10])
    expected = wall_charge_at_rest(config, 0.1) * config.network.slit_length
    assert charge == pytest.approx(expected, rel=3e-3)  # at 0.1 V/us a little behind


SHAPES = {
    "wide gap": {"edge_gap": 5.5e-9},
    "half gap": {"edge_gap": 3e-9},
    "narrow gap": {"edge_gap": 0.5e-9},
    "thin sheets": {"sheet_thickness": 0.05e-9},
    "thick sheets": {"sheet_thickness": 3e-9},
    "short slits": {"slit_length": 1.2e-9, "edge_gap": 0.6e-9},
    "long slits": {"slit_length": 60e-9},
    "small reservoir": {"reservoir_length": 1e-9},
    "large reservoir": {"reservoir_length": 100e-9},
}


@pytest.mark.parametrize(
    ("shape", "model"),
    [
        *((shape, "robin") for shape in SHAPES),
        *((shape, "resolved") for shape in ("wide gap", "narrow gap", "thin sheets")),
    ],
)
def test_any_shape_charges_by_its_wetted_area(kcl, shape, model, tmp_path):
    """A slow sweep to 20 mV: charge of the electrode = wetted area times the charge of a flat wall, to 10 %.

    Overlapping layers hold less; each outer corner of a tip more, as much as half the layers' thickness of flat wall.
    """
    network = SlitNetwork(**{"slit": 2e-9, "layers": 2, "slit_length": 6e-9, "reservoir_length": 5e-9} | SHAPES[shape])
    drive = TriangularCV(scan_rate=2e3, window=0.04)
    config = ContinuumConfig(
        network=network, electrolyte=kcl, drive=drive, steps=4, surface_cell=8e-11, stern_model=model,
        stern_thickness=0.2e-9,
    )  # fmt: skip
    record = run(config, tmp_path, QUIET)
    assert record.metadata["retries"] == []
    with Frames(tmp_path) as frames:
        charge, phi_m = frames[2].electrode_charge, frames[2].drive
    assert phi_m == pytest.approx(0.02)
    wetted = network.slit_length
    wetted += network.slits * (2 * (network.slit_length - network.edge_gap) + network.sheet_thickness)
    eps = kcl.solvent.permittivity.value * constants.epsilon_0
    layers = kcl.debye_length(1000.0) + config.stern_thickness
    per_area = eps / layers
    assert 0.9 * wetted < charge / (per_area * phi_m) < 1.1 * wetted + 2 * network.slits * layers / 2


def test_every_field_has_a_description_from_which_its_option_is_made():
    assert [name for name, field in ContinuumConfig.model_fields.items() if not field.description] == []
