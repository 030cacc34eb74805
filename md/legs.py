"""The legs of a replica: uncharged, then just after the step, then the rest; see `md.replica` for the why."""

from __future__ import annotations

from md.config import MDConfig
from md.propagate import Leg


def replica_legs(config: MDConfig) -> list[Leg]:
    """Decorrelation, two frames at half the careful timestep, the careful stretch, the rest; a frame every interval."""

    def leg(name: str, time: float, timestep: float, friction: float) -> Leg:
        every = round(config.frame_interval / timestep)
        steps = max(1, round(time / config.frame_interval)) * every
        return Leg(name, steps, timestep, config.temperature, every, friction)

    first = min(2 * config.frame_interval, config.duration)
    careful = min(config.careful, config.duration) - first
    found = [
        leg("decorrelate", config.decorrelation, config.timestep, config.friction),
        leg("step", first, config.timestep_after_step / 2, config.friction_after_step),
    ]
    if careful > config.frame_interval / 2:
        found.append(leg("relax", careful, config.timestep_after_step, config.friction_after_step))
    held = config.duration - first - max(careful, 0.0)
    if held > config.frame_interval / 2:
        found.append(leg("hold", held, config.timestep, config.friction))
    return found
