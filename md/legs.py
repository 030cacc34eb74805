"""Legs of a box under each drive: an uncharged leg, then those of the drive; t = 0 is the onset of the drive.

Heat. In vacuum a charge step puts a field of some 10 V/nm across slits and reservoirs; the dipoles of the water absorb
most of its energy, several eV per molecule, within a tenth of a picosecond. The first `post_step_duration` after a
step therefore has a short timestep and a strong local thermostat (Langevin, `post_step_friction`), which slows all
motion in that time; without it the liquid stays at thousands of kelvin for picoseconds. The rest of the heat is
released over picoseconds. Friction slows single ions and collective motion: at 5/ps bulk water and ions diffuse 35 to
45 % more slowly (measured: docs/md.md), several times the effect of 1/D' = 1/D + m Gamma / kT. The D_k of the
decomposition are measured under the same thermostat.

A ramp supplies energy at a constant rate. At a power P the temperature of f degrees of freedom exceeds that of the
thermostat by P / (f Gamma k): some 5 K for 20 ps to 0.041 e per sheet atom at 1/ps. At constant potential the charge
of the electrodes follows the response of the liquid, so that steps of volts release little heat. These drives keep 1/ps
and one timestep.
"""

from __future__ import annotations

import math

from md.config import MDConfig
from md.propagate import Leg

UNCHARGED = ("equilibrate", "decorrelate")  # legs before the drive
SLOW_UPDATE = 50e-15  # s, that of ions in implicit water, which charge in tens of ps
EQUILIBRIUM_FRICTION = 0.25  # 1/ps, in implicit water: the velocity relaxes over 1 nm
UPDATE = 10e-15  # s, time between updates of the drive: 0.05 % of a ramp of 20 ps


def replica_legs(config: MDConfig) -> list[Leg]:
    """Decorrelation, then the legs of the drive; a frame every `frame_interval`.

    In implicit water a box equilibrates first, without frames, and there is no heat to be carried off. Its ions then
    have a low friction: they diffuse kT / (m Gamma), 130 times as fast as in water, and distribute between slits and
    reservoirs, for which they would otherwise need some (layers x slit_length)^2 / D, tens of nanoseconds.
    """
    legs = [_leg(config, "decorrelate", config.decorrelation)]
    if config.water == "implicit":
        steps = max(1, round(config.equilibration / config.timestep))
        unseen = Leg("equilibrate", steps, config.timestep, config.temperature, 0, EQUILIBRIUM_FRICTION)
        legs.insert(0, unseen)
    if config.drive == "charge-ramp":
        return [*legs, _leg(config, "ramp", config.ramp, changing=True), _leg(config, "hold", config.duration)]
    if config.drive == "cv":
        return [*legs, _leg(config, "sweep", config.driven, changing=True)]
    if config.drive == "potential-step":
        legs.append(_leg(config, "hold", config.duration))
        return [*legs, _leg(config, "rest", config.rest)] if config.rest else legs
    if config.water == "implicit":
        legs.append(_leg(config, "hold", config.duration))
        return [*legs, _leg(config, "rest", config.rest)] if config.drive == "charge-pulse" else legs
    legs += _after_step(config, "", config.duration)
    return legs if config.drive == "charge-step" else [*legs, *_after_step(config, "un", config.rest)]


def _after_step(config: MDConfig, which: str, time: float) -> list[Leg]:
    """Two frames at half the post-step timestep, the rest of the post-step duration, the rest of `time` (s)."""
    strong, short = config.post_step_friction, config.post_step_timestep
    first = min(2 * config.frame_interval, time)
    second = min(config.post_step_duration, time) - first
    legs = [_leg(config, f"{which}step", first, short / 2, strong)]
    if second > config.frame_interval / 2:
        legs.append(_leg(config, f"{which}relax", second, short, strong))
    rest = time - first - max(second, 0.0)
    if rest > config.frame_interval / 2:
        legs.append(_leg(config, f"{which}hold", rest))
    return legs


def _leg(
    config: MDConfig,
    name: str,
    time: float,
    timestep: float | None = None,
    friction: float | None = None,
    changing: bool = False,
) -> Leg:
    timestep = timestep or config.timestep
    every = round(config.frame_interval / timestep)
    steps = max(1, round(time / config.frame_interval)) * every
    interval = SLOW_UPDATE if config.water == "implicit" else UPDATE
    update = math.gcd(every, max(1, round(interval / timestep))) if changing else 0
    return Leg(name, steps, timestep, config.temperature, every, friction or config.friction, update)
