"""Times at which steps must end, the drive in between, and where the drive jumps, turns or closes a cycle.

- cv: steps end on the corners of V_m, where the time derivative jumps
- smoothed-cv: V_m averaged over the last `smoothing` half-periods; no corner, nothing to restart from
- potential-step: the first instant is just after the jump: unchanged concentrations in the field of the new potential
- galvanostatic: a leg ends where V_m reaches its limit, at a time that is not known beforehand
- charge-step: as the potential step, with the sheets' charge; a charge-ramp begins at rest
"""

from __future__ import annotations

import numpy as np

from continuum.config import ContinuumConfig
from continuum.mesh import Array
from transslit import ChargeStep, TriangularCV
from transslit.drive import ChargeRamp, Galvanostatic, PotentialStep, SmoothedCV

FIRST_OF_DEBYE_TIME = 0.02  # first step after the current is switched, in lambda_D^2 / D


class Schedule:
    """Times of one `ContinuumConfig`.

    Attributes
    ----------
    marks : (s) at which a step must end
    turns : the marks where the drive's slope jumps, across which no time difference reaches
    jumps : the marks where the drive jumps
    closings : the marks where a cycle ends
    adaptive : whether steps adapt to the change of the solution
    every : whether every step is a frame, rather than the marks alone
    first_step : (s) first adaptive step after t = 0, a turn or a jump
    """

    def __init__(self, config: ContinuumConfig) -> None:
        drive = self.drive = config.drive
        self.adaptive = config.stepping == "adaptive" or not isinstance(drive, TriangularCV)
        self.every = self.adaptive and not isinstance(drive, ChargeStep)
        self.first_step = config.first_step
        self.turns = self.jumps = self.closings = np.array([])
        if isinstance(drive, ChargeStep):
            self.marks = _record_times(config, drive.duration)
            if isinstance(drive, ChargeRamp):
                self.marks = np.union1d(self.marks, [drive.ramp])
                self.turns = np.array([drive.ramp])
        elif isinstance(drive, PotentialStep):
            self.marks = np.array([drive.duration])
            if drive.rest:
                self.jumps, self.marks = self.marks, np.array([drive.duration, drive.duration + drive.rest])
        elif isinstance(drive, Galvanostatic):
            self.marks = np.array([np.inf])
            debye = config.electrolyte.debye_length(config.concentration)
            self.first_step = FIRST_OF_DEBYE_TIME * debye**2 / config.electrolyte.diffusion_coefficients.max()
        else:
            self.first_step = drive.half_period / config.steps / 8
            self._sweeps(config, drive)

    def _sweeps(self, config: ContinuumConfig, drive: TriangularCV) -> None:
        lag = drive.smoothing if isinstance(drive, SmoothedCV) else 0.0  # half-periods
        if self.adaptive:
            corners = drive.half_period * np.arange(1, 2 * drive.cycles + 1)
            self.closings = corners[1::2]
            if lag:
                rounded = corners[:-1] + lag * drive.half_period
                self.marks = np.union1d(corners, [lag * drive.half_period, *rounded, drive.duration])
            else:
                corners[-1] = drive.duration
                self.marks = self.turns = corners
            return
        sweeps = 2 * drive.cycles * drive.half_period
        count = config.steps * drive.cycles
        self.marks = sweeps * np.arange(1, count + 1) / count
        self.closings = self.marks[config.steps - 1 :: config.steps]
        if lag:
            rest = np.arange(1, int(np.ceil(lag * config.steps / 2)) + 1) * sweeps / count
            self.marks = np.concatenate([self.marks, np.minimum(sweeps + rest, drive.duration)])
        else:
            half = config.steps // 2
            self.turns = self.marks[half - 1 :: half]

    def imposed(self, time: float, after: bool = False) -> float:
        """phi_m in V, or the sheets' charge in C/m^2, at `time`; just after a jump at that time if `after`.

        The potential of a galvanostatic drive is an unknown: its initial value.
        """
        drive = self.drive
        if isinstance(drive, ChargeStep):
            return float(drive.sheet_charge(time))
        if isinstance(drive, PotentialStep):
            rests = time > drive.duration or (after and time == drive.duration)
            return 0.0 if rests else drive.voltage / 2
        if isinstance(drive, Galvanostatic):
            return 0.0
        return float(drive.electrode_potential(time))


def _record_times(config: ContinuumConfig, duration: float) -> Array:
    """Frames of a charge step: `record_interval` apart at first, each interval `record_growth` times the last."""
    growth, share = config.record_growth, duration / config.record_interval
    count = share if growth == 1 else np.log1p(share * (growth - 1)) / np.log(growth)
    spacing = growth ** np.arange(max(1, round(count)))
    return duration * np.cumsum(spacing) / spacing.sum()
