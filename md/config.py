"""What a molecular dynamics run is a function of: the nanoslit cell, its ions, the drive, the clock.

Drives (`MDConfig.imposed` is their course in time, in the words of `transslit.drive`):

- charge-step: `charge_per_carbon` from t = 0, held for `duration` (arXiv 2010.08151);
- charge-ramp: grows evenly over `ramp`, then held for `duration`;
- charge-pulse: the step, held for `duration`, and back to zero for `rest`;
- potential-step: V_m between the electrodes jumps to `voltage` for `duration`, then to 0 for `rest`;
- cv: V_m rises from 0 to `window` at `scan_rate`, falls back, and repeats `cycles` times.

Presets: `quick` (two cores, minutes) and `paper` (longer sheets, a larger reservoir; meant for a GPU).
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from scipy import constants

from md.lattice import realised
from transslit.config import Config
from transslit.drive import CARBONS_PER_AREA, ChargePulse, ChargeRamp, ChargeStep, PotentialStep, TriangularCV
from transslit.electrolyte import Electrolyte, own_temperature
from transslit.errors import BadInput
from transslit.network import SlitNetwork
from transslit.units import (
    Concentration,
    ElementaryCharge,
    Length,
    ScanRate,
    Temperature,
    Time,
    TimeOrZero,
    Voltage,
)

CARBON_THICKNESS = 0.34e-9  # m, what a sheet takes of the pitch: the interlayer distance of graphite, PHYSICS section 1


Imposed = ChargeStep | ChargeRamp | ChargePulse | PotentialStep | TriangularCV
DriveName = Literal["charge-step", "charge-ramp", "charge-pulse", "potential-step", "cv"]
SUDDEN = ("charge-step", "charge-pulse")  # drives whose heat needs a strong thermostat


def usual_friction(known: dict[str, Any]) -> float:
    """Friction in 1/ps that keeps the liquid within some 10 K of its temperature under a drive (see `md.legs`)."""
    return 5.0 if known.get("drive") in SUDDEN else 1.0


def usual_rest(known: dict[str, Any]) -> float:
    """A pulse ends with 10 ps of discharging; a potential step is held to the end."""
    return 10e-12 if known.get("drive") == "charge-pulse" else 0.0


def usual_electrode_uptake(known: dict[str, Any]) -> float:
    """Of a fixed charge, what trial runs drew out of the reservoirs; a few volts draw a few ions in tens of ps.

    A liquid of ions alone has no room for more: its ions change places.
    """
    alone = "electrolyte" in known and known["electrolyte"].solvent.model == "none"
    return 0.0 if alone or known.get("drive") in ("potential-step", "cv") else 0.275


class MDConfig(Config):
    """Staggered graphene sheets in a periodic box, and what drives them; SI units.

    `network` is what is asked for; the lattice rounds L, g and the depth (see `md.cell.Cell.network`).
    """

    network: SlitNetwork
    electrolyte: Electrolyte
    concentration: Concentration  # mol/m^3 of formula units, in the reservoirs after charging
    drive: DriveName = "charge-step"
    charge_per_carbon: Annotated[ElementaryCharge, Field(gt=0)] = 0.041  # e, arXiv 2010.08151, Methods
    ramp: Time = 20e-12  # charge-ramp
    rest: Annotated[TimeOrZero, Field(default_factory=usual_rest)]  # uncharged at the end: charge-pulse, potential-step
    voltage: Annotated[Voltage, Field(gt=0)] = 2.0  # potential-step
    scan_rate: ScanRate = 1e11  # V/s of V_m: 0.1 V/ps; cv
    window: Annotated[Voltage, Field(gt=0)] = 2.0  # cv
    cycles: Annotated[int, Field(ge=1, le=1000)] = 1  # cv
    depth: Length = 1.968e-9  # z, along the ribbons
    temperature: Temperature = Field(default_factory=own_temperature)  # the electrolyte's
    cutoff: Length = 0.9e-9  # direct space of PME and Lennard-Jones
    ewald_tolerance: Annotated[float, Field(gt=0, lt=0.1)] = 5e-4
    friction: Annotated[float, Field(gt=0, default_factory=usual_friction)]  # 1/ps, Langevin: see md.legs
    post_step_friction: Annotated[float, Field(gt=0)] = 20.0  # 1/ps, during `post_step_duration`: see md.legs
    timestep: Time = 2e-15
    post_step_timestep: Time = 1e-15  # 2 fs can blow up in the tens of volts that the step starts with
    post_step_duration: Time = 0.5e-12  # how long the shorter timestep and the stronger thermostat are kept
    decorrelation: Time = 1e-12  # uncharged, between the shared equilibrium and each replica's step
    duration: Time = 10e-12  # at the final charge or voltage
    frame_interval: Time = 0.05e-12
    anneal: TimeOrZero = 8e-12  # at `anneal_temperature`, before the equilibration of a cell that is not shipped
    anneal_temperature: Temperature = 500.0
    equilibration: Time = 16e-12  # at `temperature`, of a cell that is not shipped
    electrode_uptake_fraction: Annotated[float, Field(ge=0, le=1, default_factory=usual_electrode_uptake)]  # ions of a sign taken: md.cell
    apparent_molar_volume: Annotated[float, Field(ge=0)] = 27e-6  # m^3/mol of salt, about KCl at 1 M; sets the water
    overfill: Annotated[float, Field(ge=0, lt=0.2)] = 0.05  # of the water, which charged sheets draw to themselves
    smoothing: TimeOrZero = 0.5e-12  # moving average of potentials and contents before currents are decomposed
    force_frames: TimeOrZero = 0.25e-12  # between frames whose forces are evaluated (`md.force_balance`); 0: none
    replicas: Annotated[int, Field(ge=1, le=1000)] = 3
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    start: Literal["auto", "fresh"] = "auto"  # auto takes the shipped equilibrium where there is one for the cell
    platform: Literal["auto", "CUDA", "OpenCL", "CPU", "Reference"] = "auto"

    @cached_property
    def imposed(self) -> Imposed:
        """The drive as a function of time: sheet charge in C/m^2 or V_m in V."""
        sigma = CARBONS_PER_AREA * self.charge_per_carbon * constants.e
        if self.drive == "charge-step":
            return ChargeStep(sigma=sigma, duration=self.duration)
        if self.drive == "charge-ramp":
            return ChargeRamp(sigma=sigma, ramp=self.ramp, duration=self.ramp + self.duration)
        if self.drive == "charge-pulse":
            return ChargePulse(sigma=sigma, duration=self.duration, rest=self.rest)
        if self.drive == "potential-step":
            return PotentialStep(voltage=self.voltage, duration=self.duration, rest=self.rest)
        return TriangularCV(scan_rate=self.scan_rate, window=self.window, cycles=self.cycles)

    @property
    def driven(self) -> float:
        """Time in s from the drive's onset to the end of the run."""
        return self.imposed.duration + float(getattr(self.imposed, "rest", 0.0))

    @property
    def jumps(self) -> tuple[float, ...]:
        """Times in s at which the drive is discontinuous."""
        if self.drive in ("charge-ramp", "cv"):
            return ()
        return (0.0, self.duration) if self.rest else (0.0,)

    @property
    def fixed_charge(self) -> bool:
        """Whether the sheets' charge is imposed, rather than their potential."""
        return self.drive not in ("potential-step", "cv")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.network.layers < 2:
            raise BadInput("layers", self.network.layers, "molecular dynamics needs at least one slit; give 2 or more")
        if self.network.reservoir_length < 0.5e-9:
            raise BadInput("reservoir_length", f"{self.network.reservoir_length * 1e9:g} nm", "give at least 0.5 nm")
        self.network.admits(self.electrolyte)
        self.electrolyte.bulk(self.concentration)
        self.electrolyte.admits_temperature(self.temperature)
        lattice = realised(self.network, self.depth)
        for field, width in (("slit_length", lattice.period), ("depth", lattice.depth)):
            if width < 2 * self.cutoff:
                named = "2 x slit_length" if field == "slit_length" else "depth"
                raise BadInput(
                    field,
                    f"box of {width * 1e9:.3g} nm",
                    f"the box ({named}) must be at least twice the cutoff, {2e9 * self.cutoff:g} nm",
                )
        for field in ("timestep", "post_step_timestep"):
            step = getattr(self, field)
            ratio = self.frame_interval / step
            if step > 4e-15 or abs(ratio - round(ratio)) > 1e-6 or round(ratio) < 1:
                raise BadInput(field, f"{step * 1e15:g} fs", "give at most 4 fs, and a whole number of them per frame")
        for field in ("duration", "ramp", "rest"):
            frames = getattr(self, field) / self.frame_interval
            if abs(frames - round(frames)) > 1e-6:
                interval = f"{self.frame_interval * 1e15:g} fs"
                raise BadInput(
                    field, f"{getattr(self, field) * 1e12:g} ps", f"give a whole number of frames of {interval}"
                )
        if self.drive == "charge-pulse" and not self.rest:
            raise BadInput("rest", "0 s", "a pulse needs some time without charge; give such as 10ps")
        return self


def quick(
    slit: float, electrolyte: Electrolyte, concentration: float, *, seed: int = 0, replicas: int = 3, **changes: Any
) -> MDConfig:
    """Smallest cell with two slits between sheets of one kind and 3 nm of reservoir; minutes on two cores.

    Wider slits hold more water and cost more: beyond 0.8 nm equilibration and charging are shortened.

    Parameters
    ----------
    slit : free width d in m
    concentration : mol/m^3 of formula units, after charging
    changes : other fields of `MDConfig`
    """
    network = SlitNetwork(slit=slit, layers=4, slit_length=1.491e-9, edge_gap=0.5325e-9, reservoir_length=1.5e-9)
    fields = {"network": network, "electrolyte": electrolyte, "concentration": concentration, "timestep": 2.5e-15}
    if slit > 0.8e-9:
        shorter = {"anneal": 4e-12, "equilibration": 8e-12, "decorrelation": 0.5e-12, "duration": 5e-12}
        changes = {**shorter, **changes}
    return MDConfig.read(**{**fields, "seed": seed, "replicas": replicas, **changes})


def paper(
    slit: float, electrolyte: Electrolyte, concentration: float, *, seed: int = 0, replicas: int = 8, **changes: Any
) -> MDConfig:
    """Longer sheets, a 6 nm reservoir, a longer equilibration and eight replicas; meant for a GPU."""
    network = SlitNetwork(slit=slit, layers=4, slit_length=4.047e-9, edge_gap=0.852e-9, reservoir_length=3e-9)
    fields = {
        "network": network,
        "electrolyte": electrolyte,
        "concentration": concentration,
        "seed": seed,
        "replicas": replicas,
        "depth": 2.952e-9,
        "duration": 50e-12,
        "decorrelation": 20e-12,
        "anneal": 200e-12,
        "equilibration": 2e-9,
    }
    return MDConfig.read(**{**fields, **changes})
