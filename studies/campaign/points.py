"""Points of the campaign: operations of a laboratory and of a simulation, spread evenly over what users may ask for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import qmc

from transslit.library import load_electrolyte, shipped
from transslit.units import show

# Lowest and highest value, SI; each spread evenly in its logarithm.
BOX = {
    "slit": (0.6e-9, 5e-9),
    "concentration": (50.0, 3000.0),
    "layers": (3, 50),
    "scan_rate": (1e-3, 1e6),
    "window": (0.05, 1.0),
}
SEED = 2010


class Point(NamedTuple):
    """An electrolyte by name, and the operation, SI; a liquid without solvent has a concentration of its own (None)."""

    electrolyte: str
    slit: float
    concentration: float | None
    layers: int
    scan_rate: float
    window: float

    @property
    def options(self) -> list[str]:
        """As a user writes it."""
        kinds = {"slit": "length", "concentration": "concentration", "scan_rate": "scan rate", "window": "voltage"}
        texts = {name: show(value, kind) for name, kind in kinds.items() if (value := getattr(self, name)) is not None}
        texts |= {"electrolyte": self.electrolyte, "layers": str(self.layers)}
        return [f"--{name.replace('_', '-')}={text}" for name, text in texts.items()]


def points(count: int) -> list[Point]:
    """The first `count` points of a scrambled Sobol sequence; a larger campaign begins with a smaller one.

    Values have three digits, as a user would write them.
    """
    low, high = np.log(list(BOX.values())).T
    salts = [load_electrolyte(name) for name in sorted(shipped())]
    sampler = qmc.Sobol(len(BOX) + 1, scramble=True, seed=SEED)
    found = []
    for row in sampler.random_base2(int(np.ceil(np.log2(count))))[:count]:
        slit, concentration, layers, rate, window = (float(f"{v:.3g}") for v in np.exp(low + row[:-1] * (high - low)))
        salt = salts[int(row[-1] * len(salts))]
        given = None if salt.solvent.model == "none" else concentration
        found.append(Point(salt.name, slit, given, round(layers), rate, window))
    return found
