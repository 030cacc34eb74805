"""Residual, Jacobian and fluxes of the discrete equations."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from continuum import ContinuumConfig
from continuum.mpnp import ModifiedPNP
from continuum.newton import Newton
from transslit import ChargeStep, SlitNetwork
from transslit.decomposition import decompose, steric_excess

from .conftest import alike, equilibrium, flat_wall, with_valences

TINY = SlitNetwork(slit=1e-9, layers=2, slit_length=3e-9, reservoir_length=1e-9)
SETTINGS = {
    "robin": {},
    "resolved": {"stern_model": "resolved", "stern_thickness": 0.2e-9, "stern_permittivity": 10.0},
    "closed": {"cell": "full", "drive": ChargeStep(sigma=0.1, duration=1e-12)},
}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("valences", [(1, -1), (2, -1)])
def test_jacobian_is_the_derivative(kcl, setting, valences):
    salt = with_valences(kcl, valences, (1, valences[0]))
    config = ContinuumConfig(network=TINY, electrolyte=salt, surface_cell=1.2e-10, **SETTINGS[setting])
    equations = ModifiedPNP(config)
    random = np.random.default_rng(1)
    x = equations.uniform(0.1) * 0.1
    x[: equations.n] += random.normal(size=equations.n)
    x[equations.n :] = random.uniform(0.05, 2.0, x.size - equations.n)
    history = random.random((equations.ions, equations.m))
    direction = random.normal(size=x.size)

    def residual(s):
        return equations.residual(x + s * direction, 0.7, history, 0.1)

    h = 1e-4
    expected = (8 * (residual(h) - residual(-h)) - (residual(2 * h) - residual(-2 * h))) / (12 * h)
    found = equations.jacobian(x, 0.7) @ direction
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8 * np.abs(expected).max())


def test_every_choice_of_the_equations_is_one_of_these_settings_documented_and_of_effect(kcl):
    """Choices of the time steps aside."""
    fields = ContinuumConfig.model_fields
    choices = {name: get_args(field.annotation) for name, field in fields.items() if name not in {"stepping", "scheme"}}
    choices = {
        name: values for name, values in choices.items() if values and all(isinstance(each, str) for each in values)
    }
    configs = [ContinuumConfig(network=TINY, electrolyte=kcl, **setting) for setting in SETTINGS.values()]
    page = (Path(__file__).parents[2] / "docs" / "continuum.md").read_text(encoding="utf-8")
    for name, values in choices.items():
        assert set(values) == {getattr(config, name) for config in configs}, name
        assert [value for value in values if f"`{value}`" not in page] == [], name
    residuals = []
    for config in configs:
        equations = ModifiedPNP(config)
        x = equations.uniform(0.1)
        residuals.append(float(np.abs(equations.residual(x, 0.7, np.zeros((equations.ions, equations.m)), 0.1)).sum()))
    assert len(set(residuals)) == len(SETTINGS)


def test_uniform_electrolyte_is_at_rest(kcl, small):
    equations = ModifiedPNP(ContinuumConfig(network=small, electrolyte=kcl))
    x = equations.uniform(0.0)
    residual = equations.residual(x, 0.0, np.zeros((equations.ions, equations.m)), 0.0)
    assert np.abs(residual).max() < 1e-10


def test_parts_add_up_to_the_flux_on_every_face(kcl, small):
    equations = ModifiedPNP(ContinuumConfig(network=small, electrolyte=kcl))
    random = np.random.default_rng(2)
    x = np.concatenate([random.normal(0, 3, equations.n), random.uniform(0.01, 3, equations.ions * equations.m)])
    psi, c = equations.split(x)
    inner = slice(equations.crossing)
    lower, upper = equations.lower[inner], equations.upper[inner]
    psi, mu = psi[equations.mesh.ion_cells], steric_excess(equations.occupied(c))
    g = equations.D[:, None] * equations.conductance[inner]
    migration = np.outer(equations.z, psi[upper] - psi[lower])
    parts = decompose(g, c[:, lower], c[:, upper], migration, np.tile(mu[upper] - mu[lower], (2, 1)))
    total = equations.fluxes(equations.faces(x))[:, inner]
    np.testing.assert_allclose(parts.total, total, rtol=0, atol=1e-13 * np.abs(parts.diffusion).max())


def test_sign_of_the_potential_and_the_ions_may_be_exchanged(kcl, small):
    """phi -> -phi with the ions' diffusion coefficients exchanged is the same problem."""
    exchanged = kcl.model_copy(
        update={
            "ions": tuple(
                ion.model_copy(update={"diffusion_coefficient": other.diffusion_coefficient})
                for ion, other in zip(kcl.ions, reversed(kcl.ions), strict=True)
            )
        }
    )
    solved = []
    for salt, potential in ((kcl, 0.08), (exchanged, -0.08)):
        equations = ModifiedPNP(ContinuumConfig(network=small, electrolyte=salt))
        x = equations.uniform(0.0)
        rate = 1.0  # 1/ns
        x = Newton(equations).solve(x, rate, rate * equations.split(x)[1], potential)[0]
        solved.append(equations.split(x))
    (psi, c), (psi_exchanged, c_exchanged) = solved
    np.testing.assert_allclose(psi, -psi_exchanged, rtol=0, atol=1e-9)
    np.testing.assert_allclose(c, c_exchanged[::-1], rtol=0, atol=1e-9)


def test_flat_wall_does_not_depend_on_y(kcl):
    equations, (x,) = equilibrium(flat_wall(kcl), np.array([0.1]))
    grid = equations.split(x)[0][equations.mesh.number]
    assert np.ptp(grid, axis=1).max() < 1e-9


@pytest.mark.parametrize("concentration", [1000.0, 3000.0])
def test_half_a_volt_stays_positive_and_below_close_packing(kcl, concentration):
    config = flat_wall(kcl, concentration=concentration, stern_thickness=0.0)
    equations, found = equilibrium(config, np.linspace(0, 0.5, 26))
    for x in found:
        _, c = equations.split(x)
        assert c.min() > 0
        assert equations.occupied(c).max() < 1
    assert equations.occupied(c).max() > 0.99  # a condensed layer has formed: the limit was tested


def test_mixture_of_three_ions_keeps_boltzmann(kcl):
    """At rest c_k = c_k0 exp(-z psi) (1 - occupied)/(1 - occupied_0), for any number of ions."""
    salt = alike(kcl, 2e-9)
    third = salt.ions[0].model_copy(update={"name": "Ca", "valence": 2})
    chloride = salt.ions[1].model_copy(update={"stoichiometry": 3})
    mixture = salt.model_copy(update={"ions": (salt.ions[0], third, chloride), "allow_charged": True})
    equations, found = equilibrium(flat_wall(mixture, concentration=300.0), np.array([0.0, -0.05, -0.1]))
    psi, c = equations.split(found[-1])
    free, free_bulk = 1 - equations.occupied(c), 1 - equations.occupancy @ equations.bulk
    expected = equations.bulk[:, None] * np.exp(-np.outer(equations.z, psi)) * free / free_bulk
    np.testing.assert_allclose(c, expected, rtol=1e-8)
