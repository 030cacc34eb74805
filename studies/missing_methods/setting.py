"""A setting: one value for each parameter that the paper's text leaves open, and its coordinates in the box of all.

The box (`validation.presets.BOX`, and two readings) has eight coordinates in 0 ... 1. A length or permittivity follows
its coordinate in equal steps, or in equal ratios where its limits are far apart. The edge gap starts at the ion
diameter where that is above 0.3 nm, since a narrower gap admits no ion: coordinates are then independent, and every
corner of the box is a possible network. A reading is the first below 0.5 and the second above.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from continuum import ContinuumConfig
from continuum.config import Permittivity
from transslit import TriangularCV
from transslit.config import Config
from transslit.units import Length, LengthOrZero
from validation.presets import BOX, limits

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
    """Parameters of the continuum runs that the paper's text does not give; lengths in m."""

    slit_length: Length = Field(20e-9, description="distance of the mirror planes")
    edge_gap: Length = Field(1e-9, description="gap between a sheet's edge and the mirror plane")
    ion_diameter: Length = Field(0.5e-9, description="lattice-gas diameter of every ion")
    stern_thickness: LengthOrZero = Field(0.3e-9, description="thickness of the Stern layer")
    stern_permittivity: Permittivity = Field(78.4, description="relative permittivity of the Stern layer")
    sheet_thickness: Length = Field(0.34e-9, description="thickness of the sheets")
    rate_of: Reading = Field("cell", description="whose rate 20 mV/us is: V_m (cell) or phi_m (electrode)")
    window_of: Reading = Field("cell", description="whose window 400 mV is: V_m (cell) or phi_m (electrode)")
    preset: Preset = Field("quick", description="mesh and time steps: quick or paper as of the claims, or coarse")

    def applied(self, config: ContinuumConfig) -> ContinuumConfig:
        """`config` with the values of this setting.

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
    def at(cls, coordinates: np.ndarray, preset: Preset = "quick") -> Setting:
        """The setting at coordinates in 0 ... 1, shape (8,)."""
        at = dict(zip(NAMES, np.asarray(coordinates, dtype=float), strict=True))
        diameter = _between(at["ion_diameter"], *BOX["ion_diameter"])
        numbers = {name: _between(at[name], *limits(name, diameter)) for name in BOX}
        readings = {name: "cell" if at[name] < 0.5 else "electrode" for name in READINGS}
        return cls.model_validate(numbers | readings | {"preset": preset})

    @property
    def coordinates(self) -> np.ndarray:
        """Coordinates in the box, shape (8,); a reading is at 0.25 or 0.75."""
        values = []
        for name in NAMES:
            value = getattr(self, name)
            if name in READINGS:
                values.append(0.25 if value == "cell" else 0.75)
                continue
            low, high, ratios = limits(name, self.ion_diameter)
            values.append(np.log(value / low) / np.log(high / low) if ratios else (value - low) / (high - low))
        return np.array(values)


def _between(coordinate: float, low: float, high: float, ratios: bool) -> float:
    value = low * (high / low) ** coordinate if ratios else low + (high - low) * coordinate
    return float(f"{value:.5g}")
