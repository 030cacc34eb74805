"""Field of given charges on the sheet atoms, averaged along z: phi(x, y) from a Fourier sum over Gaussian atoms.

    phi(k) = sum_i q_i exp(-i k.r_i) exp(-k^2 w^2 / 4) / (eps_r eps0 k^2 volume),   k != 0 in the (x, y) plane

The charge of a sheet atom is q exp(-r^2 / w^2) / (pi^(3/2) w^3). As a tabulated force it costs nothing per sheet atom.
"""

from __future__ import annotations

import numpy as np
import openmm
from scipy import constants

from md.cell import Cell

FINEST = 8.0  # largest k w of the Fourier sum, at which the Gaussian is exp(-16)
VOLT = constants.e * constants.N_A / 1000  # kJ/mol per elementary charge


def potential_map(cell: Cell, charge: np.ndarray, permittivity: float = 1.0) -> np.ndarray:
    """phi in V on a uniform (x, y) grid over the box, of zero mean, of sheet atoms of `charge` (e)."""
    width, (length, period) = cell.site_width, cell.box[:2]
    n, m = (int(np.ceil(FINEST / width * side / (2 * np.pi))) for side in (length, period))
    kx = 2 * np.pi * np.fft.fftfreq(2 * n + 1, 1 / (2 * n + 1)) / length
    ky = 2 * np.pi * np.arange(m + 1) / period
    x, y = cell.sheet_atoms["positions"][:, :2].T
    density = (np.exp(-1j * kx[:, None] * x) * charge) @ np.exp(-1j * y[:, None] * ky) * constants.e / cell.box.prod()
    k2 = kx[:, None] ** 2 + ky**2
    k2[0, 0] = np.inf
    values = density * np.exp(-k2 * width**2 / 4) / (permittivity * constants.epsilon_0 * k2)
    return np.fft.irfft2(values, s=(2 * n + 1, 2 * m + 1), norm="forward")


def add_sheet_field(
    system: openmm.System, cell: Cell, phi: np.ndarray, parameter: str, charge: np.ndarray, first: int = 0
) -> None:
    """Add the force of `parameter` times `phi` (V, as of `potential_map`) on the particles from number `first` on.

    Parameters
    ----------
    parameter : name of the context parameter, zero at first
    charge : of every particle of the system in e
    """
    wrapped = np.pad(phi, ((0, 1), (0, 1)), mode="wrap")
    force = openmm.CustomCompoundBondForce(1, f"{VOLT} * {parameter} * charge * phi(x1, y1)")
    force.addGlobalParameter(parameter, 0.0)
    force.addPerBondParameter("charge")
    length, period = cell.box[:2] * 1e9
    grid = openmm.Continuous2DFunction(*wrapped.shape, wrapped.T.ravel(), 0.0, length, 0.0, period, True)
    force.addTabulatedFunction("phi", grid)
    for i in range(first, len(charge)):
        force.addBond([i], [charge[i]])
    system.addForce(force)
