"""The legs of a replica under each drive: an uncharged one, then those of the drive; t = 0 is the drive's onset.

Heat. In vacuum a charge step puts a field of some 10 V/nm across slits and reservoirs; the dipoles of the water take
up most of its energy, several eV per molecule, within a tenth of a picosecond. The first `post_step_duration` after
a step therefore runs at a short timestep and with a strong local thermostat (Langevin, `post_step_friction`),
which slows all motion in that time; without it the liquid stays at thousands of kelvin for picoseconds. The rest of
the heat comes over picoseconds. Friction slows single ions and collective motion: at 5/ps bulk water and ions diffuse
by 35 to 45 % more slowly (measured: docs/md.md), several times what 1/D' = 1/D + m Gamma / kT would have. The
D_k that enter the decomposition are measured under the same thermostat.

A ramp spends energy evenly. At a power P a thermostat holds f degrees of freedom P / (f Gamma k) above their
temperature: some 5 K for 20 ps to 0.041 e per carbon at 1/ps. At constant potential the electrodes give no more
charge than the liquid has answered to, so that steps of volts are gentle. These drives keep 1/ps and one timestep.
"""

from __future__ import annotations

import math

from md.config import MDConfig
from md.propagate import Leg

UPDATE = 10e-15  # s, time between changes of the drive: 0.05 % of a ramp of 20 ps


def replica_legs(config: MDConfig) -> list[Leg]:
    """Decorrelation, then the legs of the drive; a frame every interval."""
    legs = [_leg(config, "decorrelate", config.decorrelation)]
    if config.drive == "charge-ramp":
        return [*legs, _leg(config, "ramp", config.ramp, changing=True), _leg(config, "hold", config.duration)]
    if config.drive == "cv":
        return [*legs, _leg(config, "sweep", config.driven, changing=True)]
    if config.drive == "potential-step":
        legs.append(_leg(config, "hold", config.duration))
        return [*legs, _leg(config, "rest", config.rest)] if config.rest else legs
    legs += _after_step(config, "", config.duration)
    return legs if config.drive == "charge-step" else [*legs, *_after_step(config, "un", config.rest)]


def _after_step(config: MDConfig, which: str, time: float) -> list[Leg]:
    """Two frames at half the careful timestep, the careful stretch, the rest."""
    strong, short = config.post_step_friction, config.post_step_timestep
    first = min(2 * config.frame_interval, time)
    careful = min(config.post_step_duration, time) - first
    found = [_leg(config, f"{which}step", first, short / 2, strong)]
    if careful > config.frame_interval / 2:
        found.append(_leg(config, f"{which}relax", careful, short, strong))
    held = time - first - max(careful, 0.0)
    if held > config.frame_interval / 2:
        found.append(_leg(config, f"{which}hold", held))
    return found


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
    update = math.gcd(every, max(1, round(UPDATE / timestep))) if changing else 0
    return Leg(name, steps, timestep, config.temperature, every, friction or config.friction, update)
