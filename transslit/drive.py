"""What is imposed on the electrodes over time: the cell voltage V_m = 2 phi_m, or the sheets' charge."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from transslit.config import Config
from transslit.units import ScanRate, SurfaceCharge, Time, Voltage


class TriangularCV(Config):
    """Cyclic voltammetry: V_m rises from 0 to `window` at `scan_rate`, falls back, and repeats."""

    kind: Literal["cv"] = "cv"
    scan_rate: ScanRate = 2e4  # V/s of V_m (20 mV/us)
    window: Annotated[Voltage, Field(gt=0)] = 0.4  # V of V_m
    cycles: Annotated[int, Field(ge=1, le=1000)] = 1

    @property
    def half_period(self) -> float:
        """Time of one sweep in s."""
        return self.window / self.scan_rate

    @property
    def duration(self) -> float:
        """Time of all cycles in s."""
        return 2 * self.cycles * self.half_period

    def cell_voltage(self, time: np.ndarray | float) -> np.ndarray:
        """V_m in V at `time` (s)."""
        phase = np.mod(np.asarray(time) / self.half_period, 2.0)
        return self.window * np.minimum(phase, 2.0 - phase)

    def electrode_potential(self, time: np.ndarray | float) -> np.ndarray:
        """phi_m = V_m / 2 in V at `time` (s)."""
        return self.cell_voltage(time) / 2


class ChargeStep(Config):
    """Fixed charge: every sheet carries `sigma` per area (both faces together) from t = 0 on."""

    kind: Literal["charge-step"] = "charge-step"
    sigma: SurfaceCharge  # C/m^2 per sheet; 0.041 e per carbon of graphene is 0.251 C/m^2
    duration: Time  # s

    def sheet_charge(self, time: np.ndarray | float) -> np.ndarray:
        """Sheet charge in C/m^2 at `time` (s)."""
        return np.where(np.asarray(time) >= 0, self.sigma, 0.0)


Drive = Annotated[TriangularCV | ChargeStep, Field(discriminator="kind")]

# Graphene: two carbons per hexagonal cell of bond 1.42 angstrom, which is 38.2 carbons per nm^2.
GRAPHENE_BOND = 1.42e-10  # m, Castro Neto et al. 2009, doi:10.1103/RevModPhys.81.109
CARBONS_PER_AREA = 4 / (3 * np.sqrt(3) * GRAPHENE_BOND**2)  # 1/m^2
