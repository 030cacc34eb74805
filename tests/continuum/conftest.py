"""Electrolytes, small networks and an equilibrium solver for the continuum's tests."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import constants
from scipy.optimize import brentq

from continuum import ContinuumConfig
from continuum.mpnp import ModifiedPNP
from continuum.newton import Newton
from transslit import Electrolyte, SlitNetwork, load_electrolyte
from transslit.ions import Sourced


def alike(electrolyte: Electrolyte, diffusion_coefficient: float) -> Electrolyte:
    """The electrolyte with one diffusion coefficient (m^2/s) for all ions."""
    value = Sourced[float](value=diffusion_coefficient, source="chosen for a test")
    ions = tuple(ion.model_copy(update={"diffusion_coefficient": value}) for ion in electrolyte.ions)
    return electrolyte.model_copy(update={"ions": ions})


def with_valences(electrolyte: Electrolyte, valences: tuple[int, int], stoichiometry: tuple[int, int]) -> Electrolyte:
    """The electrolyte with other valences, such as those of a 2:1 salt."""
    ions = tuple(
        ion.model_copy(update={"valence": z, "stoichiometry": n})
        for ion, z, n in zip(electrolyte.ions, valences, stoichiometry, strict=True)
    )
    return electrolyte.model_copy(update={"ions": ions, "allow_charged": True})


def equilibrium(config: ContinuumConfig, potentials: np.ndarray) -> tuple[ModifiedPNP, list[np.ndarray]]:
    """Unknowns at rest at each of `potentials` (V), each started from the one before."""
    equations = ModifiedPNP(config)
    newton, x = Newton(equations), equations.uniform(0.0)
    found = []
    for potential in potentials:
        newton.forget()
        x = newton.solve(x, 0.0, np.zeros((equations.ions, equations.m)), float(potential))[0]
        found.append(x)
    return equations, found


def flat_wall(electrolyte: Electrolyte, **settings) -> ContinuumConfig:
    """One wall and open space: a problem in x alone, 20 Debye lengths long unless told otherwise."""
    concentration = settings.get("concentration", 1000.0)
    length = settings.pop("length", 20 * electrolyte.debye_length(concentration))
    network = SlitNetwork(slit=1e-9, layers=1, slit_length=2e-9, reservoir_length=length)
    return ContinuumConfig(network=network, electrolyte=electrolyte, bulk_cell=1e-9, **settings)


def bikerman_charge(psi, salt, concentration):
    """Charge (C/m^2) of a diffuse layer of any ions of one size at psi (kT/e), from its first integral.

    The osmotic pressure balances the field: sigma^2 / (2 eps) = (kT / a^3) ln[sum_k x_k exp(-z_k psi) + x_solvent],
    with x the bulk's occupied fractions (Bikerman's lattice gas, Kilic, Bazant & Ajdari 2007).
    """
    occupied = salt.molar_volumes * salt.bulk(concentration)
    packing = np.log1p(occupied @ np.expm1(-salt.valences * psi))
    volume = salt.molar_volumes[0] / constants.N_A
    eps = salt.solvent.permittivity.value * constants.epsilon_0
    return np.sign(psi) * np.sqrt(2 * eps * constants.k * salt.temperature / volume * packing)


def wall_charge_at_rest(config: ContinuumConfig, potential: float) -> float:
    """C/m^2 on a wall at `potential` (V): Stern layer and Bikerman's diffuse layer in series."""
    salt, concentration = config.electrolyte, config.concentration
    thermal = constants.k * salt.temperature / constants.e
    compact = config.relative_stern_permittivity * constants.epsilon_0 / config.stern_thickness

    def missing(psi):
        return psi * thermal + bikerman_charge(psi, salt, concentration) / compact - potential

    return bikerman_charge(brentq(missing, -30, 30, xtol=1e-14), salt, concentration)


@pytest.fixture(scope="session")
def kcl() -> Electrolyte:
    return load_electrolyte("KCl")


@pytest.fixture(scope="session")
def small(kcl) -> SlitNetwork:
    """Four sheets, three slits of 1 nm, short enough for a fast test."""
    return SlitNetwork(slit=1e-9, layers=4, slit_length=5e-9, edge_gap=0.8e-9, reservoir_length=6e-9)
