"""Sites of the sheets in implicit water at constant potential: a rectangular grid of Gaussian charges.

Ions that come no nearer to a sheet's plane than half its thickness, 0.17 nm, cannot tell a grid of 0.25 nm from an even
plane (its potential falls as exp(-2 pi x / 0.25 nm)), and there are fewer sites than atoms. A Gaussian
q exp(-r^2 / w^2) / (pi^(3/2) w^3) has, in a grid of charge density sigma, on average the potential

    sigma / (2 eps) [ sum over G != 0 of erfc(G w / sqrt 2) / G  -  w sqrt(2 / pi) ]

beyond that of an even plane: G are the vectors of the reciprocal lattice, the second term is the Gaussian's own depth
across the plane. w is chosen so that both cancel: a capacitor of two such sheets has the capacitance of two planes.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import erfc

SPACING = 0.25e-9  # m, largest distance of neighbouring sites
TERMS = 30  # of the sum, either way along each axis


def grid(length: float, depth: float) -> np.ndarray:
    """(y, z) in m of the sites of a sheet of `length` along y, centred at y = 0, and `depth` along z; shape (n, 2)."""
    y, z = ((np.arange(n) + 0.5) * side / n for side in (length, depth) for n in [_number(side)])
    return np.stack(np.meshgrid(y - length / 2, z, indexing="ij"), axis=-1).reshape(-1, 2)


def _number(side: float) -> int:
    return max(1, int(np.ceil(side / SPACING - 1e-9)))


@cache
def width(length: float, depth: float) -> float:
    """w in m of the sites of a periodic sheet, at which its capacitance is that of an even plane."""
    spacing = np.array([side / _number(side) for side in (length, depth)])
    index = np.arange(-TERMS, TERMS + 1)
    wave = 2 * np.pi * np.hypot(index[:, None] / spacing[0], index / spacing[1])
    wave = wave[wave > 0]

    def excess(w: float) -> float:
        return float((erfc(wave * w / np.sqrt(2)) / wave).sum() - w * np.sqrt(2 / np.pi))

    return float(brentq(excess, 0.05 * spacing.min(), 2 * spacing.max()))
