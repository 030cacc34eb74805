"""What is imposed on the electrodes over time: the cell voltage V_m = 2 phi_m, the current, or the sheets' charge."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from transslit.config import Config
from transslit.errors import BadInput
from transslit.units import Current, Power, ScanRate, SurfaceCharge, Time, TimeOrZero, Voltage

PositiveVoltage = Annotated[Voltage, Field(gt=0)]


class TriangularCV(Config):
    """Cyclic voltammetry: V_m rises from 0 to `window` at `scan_rate`, falls back, and repeats."""

    kind: Literal["cv"] = Field(default="cv", description="cyclic voltammetry (CV)")
    scan_rate: ScanRate = Field(default=2e4, description="scan rate of the cell voltage, in V/s")
    window: PositiveVoltage = Field(default=0.4, description="cell voltage at which the sweep turns, in V")
    cycles: int = Field(default=1, ge=1, le=1000, description="number of cycles")

    @property
    def largest_voltage(self) -> float:
        """Largest |V_m| in V."""
        return self.window

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
    """Fixed charge: every sheet carries `sigma` from t = 0 on; 0.041 e per carbon of graphene is 0.251 C/m^2."""

    kind: Literal["charge-step"] = Field(default="charge-step", description="charge step")
    sigma: SurfaceCharge = Field(description="charge per sheet area, both faces together, in C/m^2")
    duration: Time = Field(description="time at this charge, in s")

    def sheet_charge(self, time: np.ndarray | float) -> np.ndarray:
        """Sheet charge in C/m^2 at `time` (s)."""
        return np.where(np.asarray(time) >= 0, self.sigma, 0.0)


class ChargeRamp(ChargeStep):
    """Fixed charge that grows linearly from 0 to `sigma` over `ramp`, and is constant to the end of `duration`."""

    kind: Literal["charge-ramp"] = Field(default="charge-ramp", description="charge ramp")  # type: ignore[assignment]
    duration: Time = Field(description="time of the ramp and of the constant charge together, in s")
    ramp: Time = Field(description="time over which the charge grows, in s")

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if self.ramp > self.duration:
            raise BadInput("ramp", f"{self.ramp:g} s", f"must end within the duration ({self.duration:g} s)")
        return self

    def sheet_charge(self, time: np.ndarray | float) -> np.ndarray:
        """Sheet charge in C/m^2 at `time` (s)."""
        return self.sigma * np.clip(np.asarray(time) / self.ramp, 0.0, 1.0)


class ChargePulse(ChargeStep):
    """Fixed charge: `sigma` from t = 0 for `duration`, then zero for `rest`: charging and discharging."""

    kind: Literal["charge-pulse"] = Field(default="charge-pulse", description="charge pulse")  # type: ignore[assignment]
    rest: Time = Field(description="time at zero charge after the pulse, in s")

    def sheet_charge(self, time: np.ndarray | float) -> np.ndarray:
        """Sheet charge in C/m^2 at `time` (s)."""
        time = np.asarray(time)
        return np.where((time >= 0) & (time < self.duration), self.sigma, 0.0)


class SmoothedCV(TriangularCV):
    """A triangular CV whose corners are rounded: its mean over the last `smoothing` half-periods, at rest before.

    V_m is then continuously differentiable, lags by smoothing/2 and spans scan_rate smoothing half_period / 4 less
    at the top and, between cycles, at the bottom.
    """

    kind: Literal["smoothed-cv"] = Field(default="smoothed-cv", description="CV of rounded corners")  # type: ignore[assignment]
    smoothing: float = Field(default=0.1, gt=0, le=1, description="time over which V_m is averaged, in half-periods")

    @property
    def duration(self) -> float:
        """Time until V_m rests at 0 again, in s."""
        return (2 * self.cycles + self.smoothing) * self.half_period

    def cell_voltage(self, time: np.ndarray | float) -> np.ndarray:
        """V_m in V at `time` (s)."""
        now = np.asarray(time, dtype=float) / self.half_period
        return self.window * (self._area(now) - self._area(now - self.smoothing)) / self.smoothing

    def _area(self, phase: np.ndarray) -> np.ndarray:
        """Integral of the unit triangular wave from 0 to `phase` (half-periods), which ends with the last cycle."""
        whole = np.clip(phase, 0, 2 * self.cycles)
        part = np.mod(whole, 2.0)
        return np.floor(whole / 2) + np.where(part < 1, part**2 / 2, 1 - (2 - part) ** 2 / 2)


class RateSeries(Config):
    """Cyclic voltammetry at one scan rate after another, without a pause."""

    kind: Literal["rates"] = Field(default="rates", description="cyclic voltammetry at several scan rates")
    scan_rates: tuple[ScanRate, ...] = Field(min_length=1, description="scan rates of the cell voltage, in V/s")
    window: PositiveVoltage = Field(default=0.4, description="cell voltage at which the sweep turns, in V")
    cycles: int = Field(default=1, ge=1, le=1000, description="number of cycles at each scan rate")

    @property
    def largest_voltage(self) -> float:
        """Largest |V_m| in V."""
        return self.window


class PotentialStep(Config):
    """Chronoamperometry: V_m is `voltage` from t = 0 for `duration`, then 0 for `rest`, if that is not zero."""

    kind: Literal["potential-step"] = Field(default="potential-step", description="chronoamperometry (potential step)")
    voltage: Voltage = Field(description="cell voltage of the step, in V")
    duration: Time = Field(description="time at this voltage, in s")
    rest: TimeOrZero = Field(default=0.0, description="time at zero voltage after the step, in s")

    @property
    def largest_voltage(self) -> float:
        """Largest |V_m| in V."""
        return abs(self.voltage)

    def cell_voltage(self, time: np.ndarray | float) -> np.ndarray:
        """V_m in V at `time` (s)."""
        time = np.asarray(time)
        return np.where((time >= 0) & (time < self.duration), self.voltage, 0.0)


class _Limits(Config):
    """Charge until V_m reaches `upper`, discharge until it is back at `lower`, and repeat."""

    upper: PositiveVoltage = Field(default=0.4, description="cell voltage at which charging ends, in V")
    lower: Annotated[Voltage, Field(ge=0)] = Field(
        default=0.0, description="cell voltage at which discharging ends, in V"
    )
    cycles: int = Field(default=1, ge=1, le=1000, description="number of cycles")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lower >= self.upper:
            raise BadInput("lower", f"{self.lower:g} V", f"must be below the upper limit, {self.upper:g} V")
        return self

    @property
    def largest_voltage(self) -> float:
        """Largest |V_m| in V."""
        return self.upper


class Galvanostatic(_Limits):
    """Galvanostatic charge-discharge (GCD): `current` (in A, or A/m of depth), then its opposite, between two V_m."""

    kind: Literal["galvanostatic"] = Field(default="galvanostatic", description="galvanostatic charge-discharge (GCD)")
    current: Annotated[Current, Field(gt=0)] = Field(description="charging current, in A")


class ConstantPower(_Limits):
    """Constant-power charge-discharge: `power` (in W, or W/m of depth), then its opposite, between two V_m."""

    kind: Literal["power"] = Field(default="power", description="constant-power charge-discharge")
    power: Power = Field(description="charging power of the cell, in W")


class TableDrive(Config):
    """V_m or I_m from a table, linear between its rows; give one of the two."""

    kind: Literal["table"] = Field(default="table", description="cell voltage or current from a table")
    time: tuple[float, ...] = Field(description="increasing times, in s")
    voltage: tuple[float, ...] | None = Field(default=None, description="cell voltages at these times, in V")
    current: tuple[float, ...] | None = Field(default=None, description="charging currents at these times, in A")

    @model_validator(mode="after")
    def _rectangular(self) -> Self:
        if (self.voltage is None) == (self.current is None):
            raise ValueError("give voltage or current, one of the two")
        values = np.asarray(self.voltage if self.voltage is not None else self.current, dtype=float)
        time = np.asarray(self.time, dtype=float)
        if len(time) < 2 or len(values) != len(time):
            raise ValueError(f"needs two rows or more, a value in each; got {len(time)} times, {len(values)} values")
        if not (np.isfinite(time).all() and np.isfinite(values).all()):
            raise ValueError("times and values must be finite")
        if not (np.diff(time) > 0).all():
            row = int(np.argmin(np.diff(time) > 0)) + 2
            raise ValueError(f"times must increase; row {row} does not")
        return self

    @property
    def largest_voltage(self) -> float | None:
        """Largest |V_m| in V; None where the current is given."""
        return None if self.voltage is None else float(np.abs(self.voltage).max())


# Drives of the continuum simulation.
Drive = Annotated[
    TriangularCV | SmoothedCV | PotentialStep | Galvanostatic | ChargeStep | ChargeRamp, Field(discriminator="kind")
]

# Drives of a circuit; V_m and I_m are those of the cell.
CircuitDrive = Annotated[
    TriangularCV | SmoothedCV | RateSeries | PotentialStep | Galvanostatic | ConstantPower | TableDrive,
    Field(discriminator="kind"),
]
