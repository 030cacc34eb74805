"""Sheets and ribbons of a honeycomb (`md.sheet_lattice`) that fits the periodic box.

Zigzag chains run along z at even spacing along y, so that a full sheet of 2n chains is periodic and a ribbon of m
chains has zigzag edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from md.sheet_lattice import SheetLattice
from transslit.errors import BadInput
from transslit.network import SlitNetwork


@dataclass(frozen=True)
class Lattice:
    """Box in units of a `honeycomb`: `chains` per sheet (even), `ribbon` chains per ribbon, `repeats` along z."""

    honeycomb: SheetLattice
    chains: int
    ribbon: int
    repeats: int

    @property
    def period(self) -> float:
        """Box length along y in m, twice the slit length."""
        return self.chains * self.honeycomb.chain_width

    @property
    def depth(self) -> float:
        """Box length along z in m."""
        return self.repeats * self.honeycomb.chain_period

    @property
    def edge_gap(self) -> float:
        """g in m: half of the period less the rows of a ribbon."""
        return (self.chains - self.ribbon) * self.honeycomb.chain_width / 2


def nearest_lattice(network: SlitNetwork, depth: float, honeycomb: SheetLattice) -> Lattice:
    """The lattice nearest to the network's slit length and edge gap, and to `depth` (m).

    The width of a ribbon is that of its atoms at the density of a sheet, so that its charge is the surface charge
    times its area; the van der Waals surfaces of its edges extend some 0.1 nm further on either side.

    Raises
    ------
    BadInput : no atom of the ribbons would be left
    """
    chains = 2 * max(1, round(network.slit_length / honeycomb.chain_width))
    ribbon = chains - max(1, round(2 * network.edge_gap / honeycomb.chain_width))
    if ribbon < 2:
        raise BadInput("edge_gap", f"{network.edge_gap * 1e9:g} nm", "leaves no atom of the sheets; give less")
    return Lattice(honeycomb, chains, ribbon, max(1, round(depth / honeycomb.chain_period)))


def sheet(honeycomb: SheetLattice, chains: int, repeats: int) -> np.ndarray:
    """(y, z) of the atoms of `chains` zigzag chains centred at y = 0, in m, shape (2 chains repeats, 2)."""
    k = np.arange(chains)[:, None]
    centre = (k - (chains - 1) / 2) * honeycomb.chain_width
    odd = k % 2
    z = np.arange(repeats)[None, :] * honeycomb.chain_period
    half = honeycomb.chain_period / 2
    lower = np.stack(np.broadcast_arrays(centre - honeycomb.bond / 4, z + half * odd), axis=-1)
    upper = np.stack(np.broadcast_arrays(centre + honeycomb.bond / 4, z + half * (1 - odd)), axis=-1)
    return np.concatenate([lower.reshape(-1, 2), upper.reshape(-1, 2)])
