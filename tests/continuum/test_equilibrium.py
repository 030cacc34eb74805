"""Charge and capacitance of a flat double layer against Gouy-Chapman-Stern and Bikerman."""

import numpy as np
import pytest
from scipy import constants
from scipy.optimize import brentq

from .conftest import equilibrium, flat_wall


def diffuse_charge(psi, electrolyte, concentration, packing):
    """Charge (C/m^2) of a diffuse layer at psi (kT/e): Gouy-Chapman, or Kilic et al. 2007 for nu = packing > 0."""
    unit = 2 * constants.value("Faraday constant") * concentration * electrolyte.debye_length(concentration)
    half = np.sinh(psi / 2)
    if packing == 0:
        return unit * 2 * half
    return unit * np.sign(psi) * np.sqrt(2 / packing * np.log1p(2 * packing * half**2))


def stern_charge(potential, config, packing):
    """Charge at which the drops over diffuse layer and Stern layer add up to `potential` (V)."""
    salt, concentration = config.electrolyte, config.concentration
    thermal = constants.k * config.temperature / constants.e
    compact = config.relative_stern_permittivity * constants.epsilon_0 / max(config.stern_thickness, 1e-30)

    def missing(psi):
        return psi * thermal + diffuse_charge(psi, salt, concentration, packing) / compact - potential

    return diffuse_charge(brentq(missing, -60, 60, xtol=1e-14), salt, concentration, packing)


def wall_charge(config, potentials):
    equations, found = equilibrium(config, potentials)
    return np.array(
        [equations.electrode_charge(x, v) / config.network.slit_length for x, v in zip(found, potentials, strict=True)]
    )


def packing_of(salt, concentration):
    return 2 * salt.molar_volumes[0] * concentration


@pytest.mark.parametrize("model", ["robin", "resolved"])
def test_gouy_chapman_stern(kcl, model):
    points = kcl.with_diameter(1e-12)
    potentials = np.linspace(0, 0.1, 5)
    config = flat_wall(points, concentration=100.0, stern_model=model, surface_cell=1e-11, growth=1.1)
    expected = [stern_charge(v, config, 0.0) for v in potentials]
    np.testing.assert_allclose(wall_charge(config, potentials)[1:], expected[1:], rtol=1e-3)


@pytest.mark.parametrize("model", ["robin", "resolved"])
def test_stern_layer_has_its_own_permittivity(kcl, model):
    """Far below kT/e two plates in series: eps0 / C = h_S / 6 + lambda_D / 78.4, or 0.050 and 0.012 nm."""
    points = kcl.with_diameter(1e-12)
    settings = {"stern_model": model, "stern_thickness": 0.3e-9, "stern_permittivity": 6.0}
    config = flat_wall(points, concentration=100.0, surface_cell=1e-11, growth=1.1, **settings)
    potential = 1e-4
    (charge,) = wall_charge(config, np.array([potential]))
    thickness = 0.3e-9 / 6.0 + points.debye_length(100.0) / 78.4
    assert charge == pytest.approx(constants.epsilon_0 * potential / thickness, rel=1e-3)


@pytest.mark.parametrize("packing", [0.1, 0.3])
def test_bikerman_capacitance_converges_at_second_order(kcl, packing):
    """C = eps/lambda |sinh psi| / {[1 + 2 nu sinh^2(psi/2)] sqrt(2/nu ln[1 + 2 nu sinh^2(psi/2)])} to 1e-3."""
    concentration = 1000.0
    sized = kcl.with_diameter((packing / 2 / concentration / constants.N_A) ** (1 / 3))
    assert packing_of(sized, concentration) == pytest.approx(packing)
    thermal = constants.k * 298.15 / constants.e
    psi = np.arange(2.0, 21.0, 2.0)
    debye = sized.debye_length(concentration)
    eps = sized.solvent.permittivity.value * constants.epsilon_0
    grown = 1 + 2 * packing * np.sinh(psi / 2) ** 2
    expected = eps / debye * np.sinh(psi) / (grown * np.sqrt(2 / packing * np.log(grown)))
    h = 0.02
    around = np.sort(np.concatenate([psi - h, psi + h]))
    errors = []
    for cells_per_length in (10, 20, 40):
        config = flat_wall(
            sized,
            stern_thickness=0.0,
            surface_cell=debye / cells_per_length,
            growth=1 + 1 / cells_per_length,  # halves with the cell: every cell of the mesh is halved
        )
        charge = wall_charge(config, around * thermal)
        capacitance = (charge[1::2] - charge[::2]) / (2 * h * thermal)
        errors.append(np.abs(capacitance / expected - 1).max())
    assert errors[-1] < 1e-3
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders.min() > 1.8, (errors, orders)
