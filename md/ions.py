"""Interaction sites of the ions: a monatomic ion has one, a molecular ion several.

Sites follow ion by ion in the order of the topology (`md.forcefield.add_liquid`). The position of an ion is its centre
of mass, and the force on it is the sum over its sites.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from transslit.electrolyte import Electrolyte


class IonSites:
    """The ions `numbers` (by name) of an electrolyte and their sites.

    Attributes
    ----------
    kind : (ions,) index of each ion's species; owner : (sites,) index of each site's ion
    first : (ions,) index of each ion's first site; mass, charge : (sites,) in Da and e
    arms : (sites, 3) positions in m from the ion's centre of mass, in the orientation of its structure
    """

    def __init__(self, electrolyte: Electrolyte, numbers: Mapping[str, int]) -> None:
        count = [numbers[ion.name] for ion in electrolyte.ions]
        self.kind = np.repeat(np.arange(len(count)), count)
        sites = [site for ion, number in zip(electrolyte.ions, count, strict=True) for site in ion.sites * number]
        self.mass = np.array([site.mass for site in sites])
        self.charge = np.array([site.charge for site in sites])
        self.arms = np.array([site.position for site in sites]).reshape(-1, 3)
        size = np.array([len(ion.sites) for ion in electrolyte.ions])[self.kind]
        self.owner = np.repeat(np.arange(len(size)), size)
        self.first = np.cumsum(size) - size

    @property
    def molecular(self) -> bool:
        """Whether an ion has several sites."""
        return self.ions < len(self)

    def __len__(self) -> int:
        """Number of sites."""
        return len(self.owner)

    @property
    def ions(self) -> int:
        """Number of ions."""
        return len(self.kind)

    def total(self, values: np.ndarray) -> np.ndarray:
        """Sums over each ion's sites: (sites, ...) to (ions, ...)."""
        return np.add.reduceat(values, self.first, axis=0) if self.molecular else values

    def centres(self, positions: np.ndarray) -> np.ndarray:
        """Centres of mass: (sites, 3), of unwrapped molecules, to (ions, 3)."""
        if not self.molecular:
            return positions
        return self.total(self.mass[:, None] * positions) / self.total(self.mass)[:, None]
