"""The two-point flux of the modified Poisson-Nernst-Planck equations, and its exact decomposition.

Between points K and L (along the direction K -> L) the SEDAN form of the Scharfetter-Gummel flux is

    J_KL = g D [B(v) c_K - B(-v) c_L],   v = z (psi_L - psi_K) + (mu_L - mu_K),   B(v) = v / (exp(v) - 1),

with psi = e phi / kT, mu the steric excess -ln(1 - a^3 N_A sum c) in kT, and g the geometric factor
(area over distance for a face, the geometric conductance of a network link for two slits). Its parts:

    diffusion = -g D (c_L - c_K);   the rest is drift, shared between migration and steric in proportion
    to z (psi_L - psi_K) and mu_L - mu_K.

Sources: M. Kilic, M. Bazant, A. Ajdari, Phys. Rev. E 75, 021503 (2007), doi:10.1103/PhysRevE.75.021503;
C. Cances, C. Chainais-Hillairet, J. Fuhrmann, B. Gaudeul, IMA J. Numer. Anal. 41, 271 (2021),
doi:10.1093/imanum/draa002 (SEDAN).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import exprel

Array = np.ndarray


def bernoulli(v: Array | float) -> Array:
    """B(v) = v / (exp(v) - 1), accurate for every finite v."""
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(1.0 / exprel(v))


def bernoulli_derivative(v: Array | float) -> Array:
    """dB/dv, by the series -1/2 + v/6 - v^3/180 where the closed form loses digits."""
    v = np.asarray(v, dtype=float)
    small = np.abs(v) < 1e-2
    safe = np.where(small, 1.0, v)
    forward = bernoulli(safe)
    with np.errstate(under="ignore"):
        closed = forward * (1.0 - (forward + safe)) / safe  # B(-v) = B(v) + v
    return np.where(small, -0.5 + v / 6 - v**3 / 180 + v**5 / 5040, closed)


def drift_mean(v: Array | float, c_k: Array, c_l: Array) -> Array:
    """The concentration c* that carries the drift -g D v c* of the SEDAN flux.

    c* = c_K + (c_L - c_K) w(v) with w = (B(-v) - 1) / v; the arithmetic mean where v -> 0.
    """
    v = np.asarray(v, dtype=float)
    small = np.abs(v) < 1e-3
    safe = np.where(small, 1.0, v)
    weight = np.where(small, 0.5 + v / 12 - v**3 / 720, (bernoulli(-safe) - 1.0) / safe)
    return c_k + (c_l - c_k) * weight


class FluxParts(NamedTuple):
    """Parts of a flux (or of a current), each of the shape of the inputs; `total` is their sum."""

    migration: Array
    diffusion: Array
    steric: Array

    @property
    def total(self) -> Array:
        return self.migration + self.diffusion + self.steric


def decompose(
    diffusivity: Array | float, c_k: Array, c_l: Array, migration: Array, steric: Array, v: Array | None = None
) -> FluxParts:
    """Parts of the flux K -> L, in units of diffusivity times concentration.

    Parameters
    ----------
    diffusivity : g D; whatever unit it has times that of the concentrations is the unit of the parts
    c_k, c_l : concentrations at K and L
    migration : z (psi_L - psi_K), dimensionless
    steric : mu_L - mu_K, dimensionless
    v : argument of the weight in the drift's mean concentration; migration + steric if None
    """
    carried = diffusivity * drift_mean(migration + steric if v is None else v, c_k, c_l)
    return FluxParts(-carried * migration, -diffusivity * (c_l - c_k), -carried * steric)


def steric_excess(occupied: Array) -> Array:
    """mu_ex / kT = -ln(1 - occupied), with occupied = sum_k a_k^3 N_A c_k below one."""
    return -np.log1p(-np.asarray(occupied))
