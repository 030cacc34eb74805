"""Graphene sheets and ribbons on a lattice that fits the periodic box.

Zigzag chains run along z (period sqrt(3) b) at a spacing of 3b/2 along y, so that a full sheet of 2n chains is periodic
and a ribbon of m chains has zigzag edges. b = 0.142 nm.
Source: A. H. Castro Neto et al., Rev. Mod. Phys. 81, 109 (2009), doi:10.1103/RevModPhys.81.109.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transslit.drive import GRAPHENE_BOND
from transslit.errors import BadInput
from transslit.network import SlitNetwork

CHAIN = 1.5 * GRAPHENE_BOND  # m, width of a chain along y
REPEAT = np.sqrt(3) * GRAPHENE_BOND  # m, period of a chain along z


@dataclass(frozen=True)
class Lattice:
    """Box in units of the lattice: `chains` per sheet (even), `ribbon` chains per ribbon, `repeats` along z."""

    chains: int
    ribbon: int
    repeats: int

    @property
    def period(self) -> float:
        """Box length along y in m, twice the slit length."""
        return self.chains * CHAIN

    @property
    def depth(self) -> float:
        """Box length along z in m."""
        return float(self.repeats * REPEAT)

    @property
    def edge_gap(self) -> float:
        """g in m: half of the period less the rows of a ribbon."""
        return (self.chains - self.ribbon) * CHAIN / 2


def nearest_lattice(network: SlitNetwork, depth: float) -> Lattice:
    """The lattice nearest to the network's slit length and edge gap, and to `depth` (m).

    The width of a ribbon is that of its carbons at the density of a sheet, so that its charge is the surface charge
    times its area; the van der Waals surfaces of its edges extend some 0.1 nm further on either side.

    Raises
    ------
    BadInput : no carbon of the ribbons would be left
    """
    chains = 2 * max(1, round(network.slit_length / CHAIN))
    ribbon = chains - max(1, round(2 * network.edge_gap / CHAIN))
    if ribbon < 2:
        raise BadInput("edge_gap", f"{network.edge_gap * 1e9:g} nm", "leaves no carbon of the sheets; give less")
    return Lattice(chains, ribbon, max(1, round(depth / REPEAT)))


def sheet(chains: int, repeats: int) -> np.ndarray:
    """(y, z) of the carbons of `chains` zigzag chains centred at y = 0, in m, shape (2 chains repeats, 2)."""
    k = np.arange(chains)[:, None]
    centre = (k - (chains - 1) / 2) * CHAIN
    odd = k % 2
    z = np.arange(repeats)[None, :] * REPEAT
    half = REPEAT / 2
    lower = np.stack(np.broadcast_arrays(centre - GRAPHENE_BOND / 4, z + half * odd), axis=-1)
    upper = np.stack(np.broadcast_arrays(centre + GRAPHENE_BOND / 4, z + half * (1 - odd)), axis=-1)
    return np.concatenate([lower.reshape(-1, 2), upper.reshape(-1, 2)])
