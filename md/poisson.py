"""Potential of a periodic charge map: -eps0 (d2/dx2 + d2/dy2) phi = rho, by Fourier transform.

Charges are distributed over the four nearest grid points (cloud in cell), averaged over z, and smoothed by a Gaussian,
which smooths phi likewise. The term k = 0 is omitted: no net charge, and no field of the images, as in particle-mesh
Ewald with conducting surroundings. Where the map holds all charges the permittivity is that of vacuum.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy import constants, fft

GRID = 0.035e-9  # m, largest grid spacing: well below the smoothing
SMOOTHING = 0.05e-9  # m, standard deviation of the Gaussian: a quarter of an atom's diameter


class ChargeMap:
    """Grid over `box` = (Lx, Ly, Lz) in m; charges in C, potentials in V."""

    def __init__(
        self, box: np.ndarray, grid: float = GRID, smoothing: float = SMOOTHING, permittivity: float = 1.0
    ) -> None:
        self.box = np.asarray(box, dtype=float)
        self.permittivity = permittivity
        self.smoothing = smoothing
        self.shape = tuple(fft.next_fast_len(int(np.ceil(length / grid)), real=True) for length in self.box[:2])

    @cached_property
    def spacing(self) -> np.ndarray:
        """Grid spacing along x and y in m."""
        return self.box[:2] / self.shape

    @cached_property
    def _kernel(self) -> np.ndarray:
        kx = 2 * np.pi * fft.fftfreq(self.shape[0], self.spacing[0])[:, None]
        ky = 2 * np.pi * fft.rfftfreq(self.shape[1], self.spacing[1])[None, :]
        k2 = kx**2 + ky**2
        k2[0, 0] = 1.0
        kernel = np.exp(-k2 * self.smoothing**2 / 2) / (constants.epsilon_0 * k2)
        kernel[0, 0] = 0.0
        return kernel

    def deposit(self, positions: np.ndarray, charge: np.ndarray) -> np.ndarray:
        """Charge density in C/m^3 averaged over z, from `positions` (n, 2 or 3) in m and `charge` (n,) in C."""
        nx, ny = self.shape
        scaled = positions[:, :2] / self.spacing
        cell = np.floor(scaled).astype(int)
        part = scaled - cell
        total = np.zeros(nx * ny)
        for dx in (0, 1):
            wx = part[:, 0] if dx else 1 - part[:, 0]
            for dy in (0, 1):
                wy = part[:, 1] if dy else 1 - part[:, 1]
                at = ((cell[:, 0] + dx) % nx) * ny + (cell[:, 1] + dy) % ny
                total += np.bincount(at, charge * wx * wy, nx * ny)
        return total.reshape(nx, ny) / (self.spacing.prod() * self.box[2])

    def solve(self, density: np.ndarray) -> np.ndarray:
        """phi in V on the grid, of zero mean over the box, from a charge density in C/m^3."""
        return fft.irfft2(fft.rfft2(density) * self._kernel, s=self.shape) / self.permittivity

    def at(self, phi: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """phi at points (x, y) in m, bilinear between grid points."""
        u, v = np.broadcast_arrays(np.asarray(x) / self.spacing[0], np.asarray(y) / self.spacing[1])
        i, j = np.floor(u).astype(int), np.floor(v).astype(int)
        p, q = u - i, v - j
        nx, ny = self.shape
        i0, i1, j0, j1 = i % nx, (i + 1) % nx, j % ny, (j + 1) % ny
        low = (1 - q) * phi[i0, j0] + q * phi[i0, j1]
        return (1 - p) * low + p * ((1 - q) * phi[i1, j0] + q * phi[i1, j1])
