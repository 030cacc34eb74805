"""Configuration of a molecular dynamics run: network, electrolyte, drive, force field settings and times.

Drives (`MDConfig.imposed` is the drive as a function of time, of `transslit.drive`):

- charge-step: `charge_per_carbon` from t = 0, held for `duration` (arXiv 2010.08151);
- charge-ramp: the charge grows linearly over `ramp` and is then held for `duration`;
- charge-pulse: the step, held for `duration`, and back to zero for `rest`;
- potential-step: V_m between the electrodes jumps to `voltage` for `duration`, then to 0 for `rest`;
- cv: V_m rises from 0 to `window` at `scan_rate`, falls back, and repeats `cycles` times.

Presets: `quick` (two cores, minutes) and `paper` (longer sheets, a larger reservoir; meant for a GPU).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from scipy import constants

from md.lattice import nearest_lattice
from md.sheet_lattice import LATTICES, SheetLattice
from transslit.config import Config
from transslit.drive import ChargePulse, ChargeRamp, ChargeStep, PotentialStep, TriangularCV
from transslit.electrolyte import Electrolyte, own_temperature
from transslit.errors import BadInput
from transslit.network import SlitNetwork
from transslit.units import (
    Concentration,
    ElementaryCharge,
    Length,
    MolarVolume,
    Rate,
    ScanRate,
    Temperature,
    Time,
    TimeOrZero,
    Voltage,
)

Imposed = ChargeStep | ChargeRamp | ChargePulse | PotentialStep | TriangularCV
PositiveVoltage = Annotated[Voltage, Field(gt=0)]
DriveName = Literal["charge-step", "charge-ramp", "charge-pulse", "potential-step", "cv"]
SUDDEN = ("charge-step", "charge-pulse")  # drives whose heat needs a strong thermostat


def default_friction(known: dict[str, Any]) -> float:
    """Friction in 1/ps: what keeps explicit water within some 10 K of its temperature under a drive (see `md.legs`).

    In implicit water the time in which the velocity of an ion of K's mass and diffusion coefficient relaxes.
    """
    if known.get("water") == "implicit":
        return 33.0
    return 5.0 if known.get("drive") in SUDDEN else 1.0


def default_rest(known: dict[str, Any]) -> float:
    """A pulse ends with 10 ps without charge; a potential step is held to the end."""
    return 10e-12 if known.get("drive") == "charge-pulse" else 0.0


def default_electrode_uptake(known: dict[str, Any]) -> float:
    """Uptake of trial runs at fixed charge; zero at constant potential, where volts move few ions in tens of ps.

    It is zero in a liquid of ions alone, which has no room for more ions: they change places.
    """
    alone = "electrolyte" in known and known["electrolyte"].solvent.model == "none"
    return 0.0 if alone or known.get("drive") in ("potential-step", "cv") else 0.275


def default_smoothing(known: dict[str, Any]) -> float:
    """Time over which potentials and contents are averaged: of a frame they fluctuate by many kT/e."""
    if known.get("water") != "implicit":
        return 0.5e-12
    return known["window"] / known["scan_rate"] / 25 if known.get("drive") == "cv" else 2e-12


def by_water(explicit: float, implicit: float) -> Callable[[dict[str, Any]], float]:
    """Default of a field that depends on the model of water."""
    return lambda known: implicit if known.get("water") == "implicit" else explicit


class MDConfig(Config):
    """Staggered sheets in a periodic box, and the drive; SI units unless a field says otherwise.

    The lattice rounds L, g and the depth of `network` (see `md.cell.Cell.network`).
    """

    network: SlitNetwork = Field(description="geometry of the slit network")
    electrolyte: Electrolyte = Field(description="ions, with their force fields, and solvent")
    concentration: Concentration = Field(
        description="concentration of formula units in the reservoirs after charging, in mol/m^3"
    )
    water: Literal["explicit", "implicit"] = Field(
        "explicit", description="water: explicit (molecules) or implicit (a dielectric, with ions by Langevin dynamics)"
    )
    lattice: str = Field("graphene", description="lattice of the sheets, and force field of their atoms")
    drive: DriveName = Field("charge-step", description="what is imposed on the electrodes over time")
    charge_per_carbon: Annotated[ElementaryCharge, Field(gt=0)] = Field(  # default: arXiv 2010.08151, Methods
        0.041, description="charge drives: final charge of each sheet atom of the positive electrode, in e"
    )
    ramp: Time = Field(20e-12, description="charge-ramp: time over which the charge grows, in s")
    rest: TimeOrZero = Field(
        default_factory=default_rest,
        description="charge-pulse, potential-step: time at zero charge or voltage after it, in s;"
        " default: 10 ps after a pulse, none after a step",
    )
    voltage: PositiveVoltage = Field(2.0, description="potential-step: voltage between the electrodes, in V")
    scan_rate: ScanRate = Field(1e11, description="cv: scan rate of the voltage between the electrodes, in V/s")
    window: PositiveVoltage = Field(2.0, description="cv: voltage at which the sweep turns, in V")
    cycles: int = Field(1, ge=1, le=1000, description="cv: number of cycles")
    depth: Length = Field(1.968e-9, description="box length along the ribbons, in m")
    temperature: Temperature = Field(
        default_factory=own_temperature, description="temperature of the thermostat, in K; default: the electrolyte's"
    )
    cutoff: Length = Field(
        0.9e-9, description="cutoff of Lennard-Jones forces and of the direct space of particle-mesh Ewald, in m"
    )
    ewald_tolerance: float = Field(
        gt=0,
        lt=0.1,
        default_factory=by_water(5e-4, 1e-3),
        description="error tolerance of particle-mesh Ewald forces; default: 5e-4, in implicit water 1e-3",
    )
    friction: Rate = Field(  # see `md.legs`
        default_factory=default_friction,
        description="friction of the Langevin thermostat, in 1/ps;"
        " default: 5/ps for charge-step and charge-pulse, else 1/ps; in implicit water 33/ps",
    )
    post_step_friction: Rate = Field(
        20.0, description="friction of the Langevin thermostat just after a jump of the charge, in 1/ps"
    )
    timestep: Time = Field(
        default_factory=by_water(2e-15, 10e-15),
        description="timestep of the integrator, in s; default: 2 fs, in implicit water 10 fs",
    )
    post_step_timestep: Time = Field(  # 2 fs can blow up in the tens of volts after a charge step
        1e-15, description="timestep just after a jump of the charge, in s"
    )
    post_step_duration: Time = Field(
        0.5e-12, description="time after a jump of the charge with a shorter timestep and a higher friction, in s"
    )
    decorrelation: Time = Field(
        default_factory=by_water(1e-12, 20e-12),
        description="uncharged time of each box between its start and the drive, in s; default: 1 ps, in implicit"
        " water 20 ps",
    )
    duration: Time = Field(
        default_factory=by_water(10e-12, 300e-12),
        description="steps, ramps and pulses: time at the final charge or voltage, in s; default: 10 ps, in implicit"
        " water 300 ps",
    )
    frame_interval: Time = Field(
        default_factory=by_water(0.05e-12, 0.25e-12),
        description="time between stored frames, in s; default: 50 fs, in implicit water 250 fs",
    )
    distribution: TimeOrZero = Field(
        200e-12,
        description="time in implicit water, from random places on, after which a start takes over its ions, in s",
    )
    anneal: TimeOrZero = Field(
        8e-12,
        description="annealing of a start whose ions were packed at random (molecular ions, liquids of ions), in s",
    )
    anneal_temperature: Temperature = Field(500.0, description="temperature of the annealing, in K")
    equilibration: Time = Field(
        default_factory=by_water(16e-12, 200e-12),
        description="time of the equilibration of a box without a shipped start, in s; default: 16 ps, in implicit"
        " water 200 ps",
    )
    electrode_uptake_fraction: float = Field(  # see `md.cell`
        ge=0,
        le=1,
        default_factory=default_electrode_uptake,
        description="ions of each sign that charging takes from the reservoirs, per elementary charge of an electrode;"
        " default: 0.275 under charge drives in a solvent, else 0",
    )
    apparent_molar_volume: MolarVolume = Field(  # default: about KCl at 1 M
        27e-6, description="apparent molar volume of the salt, which displaces water, in m^3/mol"
    )
    overfill: float = Field(
        0.05, ge=0, lt=0.2, description="relative excess of water, which charged sheets draw to themselves"
    )
    smoothing: TimeOrZero = Field(
        default_factory=default_smoothing,
        description="moving average of potentials and contents before currents are decomposed, in s; default: 0.5 ps,"
        " in implicit water 2 ps or a fiftieth of a cycle",
    )
    pairs: bool = Field(
        False,
        description="charge each start twice, with opposite signs: in the charging frame the mean of both is odd in the"
        " charge, the linear response",
    )
    force_frames: TimeOrZero = Field(
        default_factory=lambda known: 0.0 if known.get("water") == "implicit" or known.get("pairs") else 0.25e-12,
        description="time between the frames whose forces are evaluated, in s; 0 for none; default: 0.25 ps, for pairs"
        " and in implicit water none",
    )
    replicas: int = Field(
        3, ge=1, le=1000, description="number of boxes, each with its own start, velocities and noise"
    )
    seed: int = Field(0, ge=0, lt=2**31, description="seed of all random numbers")
    start: Literal["auto", "fresh"] = Field(
        "auto", description="auto: take the shipped starts if the cell has some; fresh: make new ones"
    )
    platform: Literal["auto", "CUDA", "OpenCL", "CPU", "Reference"] = Field(
        "auto", description="OpenMM platform; auto: the first of CUDA, OpenCL and CPU that works"
    )

    @property
    def sheet_lattice(self) -> SheetLattice:
        """The lattice of the sheets' atoms; `BadInput` if there is none of that name."""
        if self.lattice not in LATTICES:
            raise BadInput("lattice", self.lattice, f"give one of {', '.join(LATTICES)}")
        return LATTICES[self.lattice]

    @cached_property
    def imposed(self) -> Imposed:
        """The drive as a function of time: sheet charge in C/m^2 or V_m in V."""
        sigma = self.sheet_lattice.atoms_per_area * self.charge_per_carbon * constants.e
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
        """Time in s from the onset of the drive to the end of the run."""
        return self.imposed.duration + float(getattr(self.imposed, "rest", 0.0))

    @property
    def jumps(self) -> tuple[float, ...]:
        """Times in s at which the drive is discontinuous."""
        if self.drive in ("charge-ramp", "cv"):
            return ()
        return (0.0, self.duration) if self.rest else (0.0,)

    @property
    def starts(self) -> int:
        """Number of starts of their own."""
        return self.replicas // 2 if self.pairs else self.replicas

    def start_of(self, box: int) -> int:
        """Number of the start of a box."""
        return box // 2 if self.pairs else box

    @property
    def fixed_charge(self) -> bool:
        """Whether the charge of the sheets is imposed, rather than their potential."""
        return self.drive not in ("potential-step", "cv")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.network.layers < 2:
            raise BadInput("layers", self.network.layers, "molecular dynamics needs at least one slit; give 2 or more")
        if self.network.reservoir_length < 0.5e-9:
            raise BadInput("reservoir_length", f"{self.network.reservoir_length * 1e9:g} nm", "give at least 0.5 nm")
        self.network.admits(self.electrolyte)
        for ion in self.electrolyte.ions:
            ion.molecule  # noqa: B018 - refuses an ion without a force field
        self.electrolyte.bulk(self.concentration)
        self.electrolyte.admits_temperature(self.temperature)
        lattice = nearest_lattice(self.network, self.depth, self.sheet_lattice)
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
            most = 20e-15 if self.water == "implicit" else 4e-15
            if step > most or abs(ratio - round(ratio)) > 1e-6 or round(ratio) < 1:
                fits = f"give at most {most * 1e15:g} fs, and a whole number of them per frame"
                raise BadInput(field, f"{step * 1e15:g} fs", fits)
        for field in ("duration", "ramp", "rest"):
            frames = getattr(self, field) / self.frame_interval
            if abs(frames - round(frames)) > 1e-6:
                interval = f"{self.frame_interval * 1e15:g} fs"
                raise BadInput(
                    field, f"{getattr(self, field) * 1e12:g} ps", f"give a whole number of frames of {interval}"
                )
        if self.pairs and self.replicas % 2:
            raise BadInput("replicas", self.replicas, "pairs need an even number of boxes")
        if self.pairs and self.force_frames:
            raise BadInput("force_frames", f"{self.force_frames * 1e12:g} ps", "pairs take no forces; give 0")
        if self.drive == "charge-pulse" and not self.rest:
            raise BadInput("rest", "0 s", "a pulse needs some time without charge; give such as 10ps")
        return self


# Values of the presets, the network's among them, where they are not the fields' defaults.
QUICK: dict[str, Any] = {
    "layers": 4,
    "slit_length": 1.491e-9,
    "edge_gap": 0.5325e-9,
    "reservoir_length": 1.5e-9,
    "timestep": 2.5e-15,
    "replicas": 3,
}
WIDE = 0.8e-9  # m; beyond it, `quick` is shorter
QUICK_WIDE = QUICK | {"anneal": 4e-12, "equilibration": 8e-12, "decorrelation": 0.5e-12, "duration": 5e-12}
PAPER: dict[str, Any] = {
    "layers": 4,
    "slit_length": 4.047e-9,
    "edge_gap": 0.852e-9,
    "reservoir_length": 3e-9,
    "replicas": 8,
    "depth": 2.952e-9,
    "duration": 50e-12,
    "decorrelation": 20e-12,
    "anneal": 200e-12,
    "equilibration": 2e-9,
}
PRESETS = {"": QUICK, f"slits beyond {WIDE * 1e9:g} nm": QUICK_WIDE, "paper": PAPER}  # as help tells their values
PRESETS_IN_WORDS = "quick (the smallest useful cell, minutes on two cores) or paper (a larger one, wants a GPU)"


def quick(
    slit: float, electrolyte: Electrolyte, concentration: float, *, seed: int = 0, replicas: int = 3, **changes: Any
) -> MDConfig:
    """The smallest useful cell: three slits a face and 3 nm of reservoir; minutes on two cores.

    Wider slits hold more water and cost more: beyond `WIDE` equilibration and charging are shorter.

    Parameters
    ----------
    slit : free width d in m
    concentration : mol/m^3 of formula units, after charging
    changes : other fields of `MDConfig`
    """
    given = {"electrolyte": electrolyte, "concentration": concentration, "seed": seed, "replicas": replicas}
    return _preset(QUICK_WIDE if slit > WIDE else QUICK, slit, given | changes)


def paper(
    slit: float, electrolyte: Electrolyte, concentration: float, *, seed: int = 0, replicas: int = 8, **changes: Any
) -> MDConfig:
    """Longer sheets, a 6 nm reservoir, a longer equilibration and eight boxes; meant for a GPU."""
    given = {"electrolyte": electrolyte, "concentration": concentration, "seed": seed, "replicas": replicas}
    return _preset(PAPER, slit, given | changes)


def _preset(values: dict[str, Any], slit: float, given: dict[str, Any]) -> MDConfig:
    """The configuration of a preset's values, but for the fields that are given."""
    of_network = {name: value for name, value in values.items() if name in SlitNetwork.model_fields}
    others = {name: value for name, value in values.items() if name not in of_network}
    if given.get("water") == "implicit":  # times and timesteps are those of molecules
        others = {}
    return MDConfig.read(**{"network": SlitNetwork(slit=slit, **of_network), **others, **given})
