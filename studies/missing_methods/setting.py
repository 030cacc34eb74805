"""A setting: one value for each parameter that the paper's text leaves open, and the box that they are drawn from.

The box has eight coordinates in 0 ... 1. A length or permittivity follows its coordinate in equal steps, or in equal
ratios where its limits are far apart. The edge gap starts at the ion diameter where that is above 0.3 nm, since a
narrower gap admits no ion: coordinates are then independent, and every corner of the box is a possible network. A
reading is the first below 0.5 and the second above.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from continuum import ContinuumConfig
from continuum.config import Permittivity
from transslit import TriangularCV
from transslit.config import Config
from transslit.units import Length, LengthOrZero

# Name: low, high, whether in equal ratios; SI.
BOX: dict[str, tuple[float, float, bool]] = {
    "slit_length": (5e-9, 40e-9, True),
    "edge_gap": (0.3e-9, 2e-9, True),
    "ion_diameter": (0.3e-9, 0.7e-9, False),
    "stern_thickness": (0.0, 0.5e-9, False),
    "stern_permittivity": (5.0, 78.4, True),
    "sheet_thickness": (0.1e-9, 1e-9, True),
}
READINGS = ("rate_of", "window_of")
NAMES = (*BOX, *READINGS)
LABELS = {
    "slit_length": "slit length",
    "edge_gap": "edge gap",
    "ion_diameter": "ion diameter",
    "stern_thickness": "Stern thickness",
    "stern_permittivity": "Stern permittivity",
    "sheet_thickness": "sheet thickness",
    "rate_of": "scan rate of V_m or of phi_m",
    "window_of": "window of V_m or of phi_m",
}

Preset = Literal["coarse", "quick", "paper"]
Reading = Literal["cell", "electrode"]  # of V_m, or of phi_m = V_m / 2


class Setting(Config):
    """What the paper's text does not say of its continuum runs; lengths in m. The defaults are the software's."""

    slit_length: Length = 20e-9
    edge_gap: Length = 1e-9
    ion_diameter: Length = 0.5e-9
    stern_thickness: LengthOrZero = 0.3e-9
    stern_permittivity: Permittivity = 78.4
    sheet_thickness: Length = 0.34e-9
    rate_of: Reading = "cell"  # what the 20 mV/us are the rate of
    window_of: Reading = "cell"  # what the 400 mV are the window of
    preset: Preset = "quick"  # of mesh and time steps, as of the claims

    def applied(self, config: ContinuumConfig) -> ContinuumConfig:
        """`config` with everything that this setting says.

        Raises
        ------
        BadInput : ions that do not fit, singly or together
        """
        network = {name: getattr(self, name) for name in ("slit_length", "edge_gap", "sheet_thickness")}
        drive = TriangularCV.model_validate(config.drive.model_dump())
        changes = {
            "network": config.network.model_copy(update=network),
            "electrolyte": config.electrolyte.with_diameter(self.ion_diameter),
            "stern_thickness": self.stern_thickness,
            "stern_permittivity": self.stern_permittivity,
            "drive": drive.model_copy(
                update={
                    "scan_rate": drive.scan_rate * (1 if self.rate_of == "cell" else 2),
                    "window": drive.window * (1 if self.window_of == "cell" else 2),
                }
            ),
        }
        return ContinuumConfig.read(**config.model_copy(update=changes).model_dump())

    @classmethod
    def at(cls, place: np.ndarray, **changes: str) -> Setting:
        """The setting at a place of the box, coordinates in 0 ... 1, shape (8,)."""
        values: dict[str, object] = {}
        place = np.asarray(place, dtype=float)
        values["ion_diameter"] = _between(place[NAMES.index("ion_diameter")], *BOX["ion_diameter"])
        for name, coordinate in zip(NAMES, place, strict=True):
            if name in READINGS:
                values[name] = "cell" if coordinate < 0.5 else "electrode"
            elif name != "ion_diameter":
                values[name] = _between(coordinate, *limits(name, values["ion_diameter"]))  # type: ignore[arg-type]
        return cls.model_validate(values | changes)

    @property
    def place(self) -> np.ndarray:
        """Coordinates in the box, shape (8,); a reading is at 0.25 or 0.75."""
        found = []
        for name in NAMES:
            value = getattr(self, name)
            if name in READINGS:
                found.append(0.25 if value == "cell" else 0.75)
                continue
            low, high, ratios = limits(name, self.ion_diameter)
            found.append(np.log(value / low) / np.log(high / low) if ratios else (value - low) / (high - low))
        return np.array(found)


def limits(name: str, diameter: float) -> tuple[float, float, bool]:
    """The box of a number at ions of `diameter`: no gap is narrower than an ion."""
    low, high, ratios = BOX[name]
    return (max(low, diameter), high, ratios) if name == "edge_gap" else (low, high, ratios)


def _between(coordinate: float, low: float, high: float, ratios: bool) -> float:
    value = low * (high / low) ** coordinate if ratios else low + (high - low) * coordinate
    return float(f"{value:.5g}")
