"""The legs of a replica: uncharged, then just after the step, then the rest; see `md.replica` for the why."""

from __future__ import annotations

from md.config import MDConfig
from md.propagate import Leg


def replica_legs(config: MDConfig) -> list[Leg]:
    """Decorrelation, the careful stretch after the step, and the rest; a frame every `frame_interval`."""

    def leg(name: str, time: float, timestep: float, friction: float) -> Leg:
        every = round(config.frame_interval / timestep)
        steps = max(1, round(time / config.frame_interval)) * every
        return Leg(name, steps, timestep, config.temperature, every, friction)

    careful = min(config.careful, config.duration)
    found = [
        leg("decorrelate", config.decorrelation, config.timestep, config.friction),
        leg("charge", careful, config.timestep_after_step, config.friction_after_step),
    ]
    if config.duration - careful > config.frame_interval / 2:
        found.append(leg("hold", config.duration - careful, config.timestep, config.friction))
    return found
