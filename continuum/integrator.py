"""The integrator in time: implicit steps, fixed or adapted to the change of the solution, with exact resumption.

Backward Euler, (c - c_n)/dt, or BDF2 with variable steps. The initial guess of a step extrapolates psi and ln c,
which are nearly linear under a slow drive; c stays positive. A step that fails is halved, tried again and reported.
After every `checkpoint_every` frames, the frames since the last checkpoint and the state are written to one file, and
the factorisation is dropped: a run that is killed and started again has the same result to the last bit. With a
current imposed, the electrode's charge is known at the end of every step and its potential is an unknown; the step in
which V_m passes its limit is shortened to end there.
Source of the variable-step BDF2: E. Hairer, G. Wanner, Solving Ordinary Differential Equations I, III.5.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from continuum.checkpoint import Counters, checkpoint_name, read_checkpoint, set_aside
from continuum.config import ContinuumConfig
from continuum.frames import SERIES, write_frames
from continuum.mesh import NM, Array
from continuum.mpnp import NS, ModifiedPNP
from continuum.newton import Newton, NewtonFailed
from continuum.schedule import Schedule
from transslit import BadInput, StageFailed
from transslit.drive import Galvanostatic
from transslit.errors import first_line
from transslit.files import whole
from transslit.progress import Progress

HALVINGS = 14  # of a step, before the run fails
FAILURES = 20  # of steps, beyond half the number of accepted ones, before the run fails
GROWTH = 2.0  # largest ratio of a step to the one before
AT_LIMIT = 1e-6  # V of phi_m by which a galvanostatic leg may miss its limit


class Instant(NamedTuple):
    """A time (s), the unknowns at that time, and phi_m (V) or the sheets' charge (C/m^2)."""

    time: float
    x: Array
    drive: float


class TimeIntegrator:
    """Integrates one configuration, from its beginning or from the last checkpoint in `folder`."""

    def __init__(self, config: ContinuumConfig, folder: Path) -> None:
        self.config, self.folder = config, folder
        self.equations = ModifiedPNP(config)
        self.newton = Newton(self.equations)
        self.schedule = Schedule(config)
        self.rows: dict[str, list[Any]] = {name: [] for name in SERIES}
        self.count = Counters(
            digest=config.digest, frames=0, steps=0, retries=[], newton=(0, 0), leg=0, cycle_changes=[], stopped=False
        )
        self.proposed = self.schedule.first_step if self.schedule.adaptive else np.inf
        self.past: list[Instant] = []
        self.cycle_start: Array = np.zeros(0)
        self.damage = ""  # of a checkpoint that was set aside
        if not self._resume():
            self._begin()

    # ------------------------------------------------------------------ the loop

    def run(self, progress: Progress) -> None:
        """Integrate to the end of the drive (or of the first periodic cycle), leaving `frames.h5`.

        Raises
        ------
        StageFailed : names time, drive and the worst cell; the frames up to there are in `frames.h5`
        """
        end = float(self.schedule.marks[-1])
        if self.damage:
            progress.say(f"continuum: {self.damage}; continued from t = {self.past[0].time:.6g} s")
        try:
            with progress.task(f"Continuum: {self.config.drive.kind}", total=100.0) as advance:
                while self.past[0].time < end and not self.count.stopped:
                    self._advance()
                    advance(100 * self._done(end), f"{len(self.count.retries)} retried" if self.count.retries else "")
        except StageFailed:
            self._checkpoint()
            self._consolidate(complete=False)
            raise
        self._checkpoint()
        self._consolidate(complete=True)

    def _done(self, end: float) -> float:
        drive = self.config.drive
        return self.count.leg / (2 * drive.cycles) if isinstance(drive, Galvanostatic) else self.past[0].time / end

    def _advance(self) -> None:
        """One accepted step, cut to end at the next mark or at the limit of a leg."""
        now, marks = self.past[0].time, self.schedule.marks
        mark = float(marks[np.searchsorted(marks, now, side="right")])
        step = mark - now
        if self.proposed < step:  # two even steps rather than a long and a tiny one
            step = self.proposed if 2 * self.proposed < step else step / 2
        for attempt in range(HALVINGS):
            time = mark if step == mark - now else now + step
            try:
                x, drive, error = self._step(time)
            except NewtonFailed as failure:
                self._report(failure, time, step, attempt)
                step /= 2
                continue
            overshoot = self._overshoot(drive)
            if error <= 4 and overshoot <= AT_LIMIT:
                break
            shorter = max(0.25, 0.8 / np.sqrt(error)) if error > 4 else 1.0
            if overshoot > AT_LIMIT:
                shorter = min(shorter, 1 - overshoot / abs(drive - self.past[0].drive))
            step *= shorter
        else:
            raise StageFailed("continuum", f"steps keep failing {self._where(time, None)}")
        self.count.steps += 1
        if self.schedule.adaptive:
            self.proposed = step * float(np.clip(0.9 / np.sqrt(max(error, 1e-12)), 0.3, GROWTH))
        elif attempt or np.isfinite(self.proposed):
            self.proposed = step * GROWTH if step < mark - now else np.inf
        self._accept(Instant(time, x, drive), reached=time == mark)

    def _step(self, time: float) -> tuple[Array, float, float]:
        """Unknowns and drive at `time` and, where steps adapt, the error of extrapolation over its tolerance."""
        equations, last = self.equations, self.past[0]
        weights = self._difference(time)
        history = -sum(w * equations.split(past.x)[1] for w, past in zip(weights[1:], self.past, strict=False))
        guess = self._extrapolate(time, order=2)
        system = (guess, weights[0] * NS, np.asarray(history) * NS)
        if isinstance(self.config.drive, Galvanostatic):
            charge = equations.electrode_charge(last.x, last.drive) + self._direction * self.config.drive.current * (
                time - last.time
            )
            x, drive = self.newton.solve(*system, last.drive, charge)
        else:
            x, drive = self.newton.solve(*system, self.schedule.imposed(time))
        if not self.schedule.adaptive or len(self.past) < 2:
            return equations.gauge(x), drive, 0.0
        expected = self._extrapolate(time, order=1)
        error = np.abs(equations.split(x)[1] - equations.split(expected)[1]).max() / 2
        if time - last.time <= self.config.first_step:
            error = 0.0
        return equations.gauge(x), drive, float(error / self.config.tolerance)

    @property
    def _direction(self) -> int:
        """1 while a galvanostatic drive charges, -1 while it discharges."""
        return -1 if self.count.leg % 2 else 1

    def _overshoot(self, drive: float) -> float:
        """How far phi_m (V) has passed the limit of its leg."""
        imposed = self.config.drive
        if not isinstance(imposed, Galvanostatic):
            return -np.inf
        limit = imposed.upper if self._direction > 0 else imposed.lower
        return self._direction * (drive - limit / 2)

    def _difference(self, time: float) -> Array:
        """Weights (1/s) in the time difference, of `time` and then of the instants before it."""
        step = time - self.past[0].time
        if self.config.order == 1 or len(self.past) < 2:
            return np.array([1.0, -1.0]) / step
        ratio = step / (self.past[0].time - self.past[1].time)
        return np.array([(1 + 2 * ratio) / (1 + ratio), -(1 + ratio), ratio**2 / (1 + ratio)]) / step

    def _extrapolate(self, time: float, order: int) -> Array:
        """Lagrange polynomial through the last instants, in psi and ln c; crowded cells keep their concentrations.

        In a closed cell the number of ions is restored: Newton's iterations conserve that of the initial guess.
        """
        n, past = self.equations.n, self.past[: order + 1]
        times = np.array([instant.time for instant in past])
        out = np.zeros(self.equations.size)
        for a, instant in enumerate(past):
            others = np.delete(times, a)
            weight = np.prod((time - others) / (times[a] - others))
            out[:n] += weight * instant.x[:n]
            out[n:] += weight * np.log(instant.x[n:])
        with np.errstate(over="ignore"):
            out[n:] = np.exp(out[n:])
        c, last = self.equations.split(out)[1], self.equations.split(past[0].x)[1]
        crowded = ~(self.equations.occupied(c) < 0.999)
        c[:, crowded] = last[:, crowded]
        if self.equations.mesh.full and not crowded.all():
            volumes = np.where(crowded, 0.0, self.equations.ion_volumes)
            c[:, ~crowded] *= ((last @ volumes) / (c @ volumes))[:, None]
        return out

    def _accept(self, new: Instant, reached: bool) -> None:
        equations, schedule, weights = self.equations, self.schedule, self._difference(new.time)
        instants = [new, *self.past]
        change = sum(w * i.x[: equations.n] for w, i in zip(weights, instants, strict=False))
        drive_change = sum(w * i.drive for w, i in zip(weights, instants, strict=False))
        current = equations.terminal_current(new.x, np.asarray(change), float(drive_change))
        at_limit = self._overshoot(new.drive) >= -AT_LIMIT
        turned = at_limit or (reached and bool(np.any(schedule.turns == new.time)))
        self.past = instants[: 1 if turned else 3]
        if reached or schedule.every:
            self._record(current)
        if at_limit:
            self.count.leg += 1
        if (at_limit and self.count.leg % 2 == 0) or (reached and bool(np.any(schedule.closings == new.time))):
            self._close_cycle()
        if reached and bool(np.any(schedule.jumps == new.time)):
            drive = schedule.imposed(new.time, after=True)
            self.past = [Instant(new.time, equations.polarised(new.x, drive), drive)]
            turned = True
        if turned and schedule.adaptive:
            self.proposed = schedule.first_step
        if (reached or schedule.every) and self.count.frames % self.config.checkpoint_every == 0:
            self._checkpoint()

    def _close_cycle(self) -> None:
        """Compare the state with that of one cycle before; stop if it is periodic, or after the last cycle."""
        x, tolerance, drive = self.past[0].x, self.config.until_periodic, self.config.drive
        self.count.cycle_changes.append(float(np.abs(x - self.cycle_start).max()))
        self.cycle_start = x
        periodic = tolerance is not None and self.count.cycle_changes[-1] <= tolerance
        last = isinstance(drive, Galvanostatic) and self.count.leg == 2 * drive.cycles
        self.count.stopped = periodic or last

    # ------------------------------------------------------------------ frames, checkpoints, reports

    def _begin(self) -> None:
        drive = self.schedule.imposed(0.0)
        x = self.equations.gauge(self.equations.uniform(drive))
        self.past, self.cycle_start = [Instant(0.0, x, drive)], x
        still = np.zeros(self.equations.n)
        # The sweep starts at t = 0: its displacement current begins with the first step.
        self._record(self.equations.terminal_current(x, still, 0.0))

    def _record(self, current: float) -> None:
        time, x, drive = self.past[0]
        phi, c = self.equations.to_si(x)
        charge = np.nan if self.equations.mesh.full else self.equations.electrode_charge(x, drive)
        for name, value in zip(SERIES, (time, phi, c, drive, current, charge), strict=True):
            self.rows[name].append(value)
        self.count.frames += 1

    def _checkpoint(self) -> None:
        if not self.rows["time_s"]:
            return
        path = self.folder / checkpoint_name(self.count.frames)
        self.count.newton = self.newton.factorisations, self.newton.iterations
        with whole(path) as partial:
            content: dict[str, Any] = {
                "state": self.count.model_dump_json(),
                "proposed": self.proposed,
                "past_time": np.array([instant.time for instant in self.past]),
                "past_x": np.array([instant.x for instant in self.past]),
                "past_drive": np.array([instant.drive for instant in self.past]),
                "cycle_start": self.cycle_start,
                **{name: np.array(values) for name, values in self.rows.items()},
            }
            np.savez(partial, **content)
        self.rows = {name: [] for name in SERIES}
        self.newton.forget()

    def _resume(self) -> bool:
        """Continue from the last checkpoint up to which all can be read; whether there is one.

        The first one that cannot be read and all later ones are kept as `*.unreadable`; their frames are solved again.
        """
        paths = sorted(self.folder.glob("segment-*.npz"))
        for number, path in enumerate(paths):
            try:
                self._restore(path)
            except ValueError as error:
                kept = [set_aside(later) for later in paths[number:]]
                self.damage = f"{path} {first_line(error)}; kept as {kept[0].name}"
                break
        return self.count.frames > 0

    def _restore(self, path: Path) -> None:
        """Continue from the checkpoint in `path`, the next after that restored before.

        Raises
        ------
        ValueError : damaged, of other shapes, or not the next
        BadInput : of another configuration, or this user may not read it
        """
        saved = read_checkpoint(path)
        counters = Counters.model_validate_json(str(saved.get("state")))
        if counters.digest != self.config.digest:
            raise BadInput("out", self.folder, "holds an unfinished continuum run of another configuration")
        if path.name != checkpoint_name(counters.frames):
            raise ValueError(f"holds frames up to number {counters.frames}")
        self._check(saved, counters.frames - self.count.frames)
        times, states, drives = (saved[name] for name in ("past_time", "past_x", "past_drive"))
        self.past = [Instant(float(t), x, float(drive)) for t, x, drive in zip(times, states, drives, strict=True)]
        self.proposed, self.cycle_start = float(saved["proposed"]), saved["cycle_start"]
        self.count = counters
        self.newton.factorisations, self.newton.iterations = counters.newton

    def _check(self, saved: dict[str, Array], frames: int) -> None:
        """Refuse arrays that are not those of a checkpoint of this run with `frames` frames, by a ValueError."""
        equations, instants = self.equations, (saved.get("past_time", np.zeros(0)).size,)
        shapes: dict[str, tuple[int, ...]] = dict.fromkeys(SERIES, (frames,))
        shapes |= {"phi_V": (frames, equations.n), "c_mol_per_m3": (frames, equations.ions, equations.m)}
        shapes |= {"past_time": instants, "past_x": (*instants, equations.size), "past_drive": instants}
        shapes |= {"proposed": (), "cycle_start": (equations.size,)}
        for name, shape in shapes.items():
            if name not in saved or saved[name].dtype.kind != "f" or saved[name].shape != shape or 0 in shape:
                raise ValueError(f"lacks {name} of the shape {shape}")
            if name not in ("proposed", "electrode_C_per_m") and not np.isfinite(saved[name]).all():
                raise ValueError(f"has {name} that is not finite")
        if not saved["proposed"] > 0 or not np.all(saved["past_x"][:, equations.n :] > 0):
            raise ValueError("has a step or a concentration that is not positive")

    def _consolidate(self, complete: bool) -> None:
        series: dict[str, list[Array]] = {name: [] for name in SERIES}
        for path in sorted(self.folder.glob("segment-*.npz")):
            try:
                saved = read_checkpoint(path)
            except ValueError as error:
                raise StageFailed("continuum", f"{path} {error}; run again to solve its frames again") from None
            for name in SERIES:
                series[name].append(saved[name])
        joined = {name: np.concatenate(parts) for name, parts in series.items()}
        write_frames(self.folder / "frames.h5", self.config, joined, complete)

    def discard_checkpoints(self) -> None:
        """Remove the checkpoints of a finished run."""
        for path in self.folder.glob("segment-*.npz"):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()

    def _where(self, time: float, cell: int | None) -> str:
        known = not isinstance(self.config.drive, Galvanostatic)
        drive = self.schedule.imposed(time) if known else self.past[0].drive
        what = f"sigma = {drive:g} C/m^2" if self.equations.mesh.full else f"phi_m = {drive:g} V"
        place = ""
        if cell is not None:
            x, y = self.equations.mesh.centres[:, cell] / NM
            place = f", worst at x = {x:.3f} nm, y = {y:.3f} nm"
        return f"at t = {time:.6g} s, {what}{place}"

    def _report(self, failure: NewtonFailed, time: float, step: float, attempt: int) -> None:
        where = self._where(time, failure.cell)
        self.count.retries.append({"time_s": time, "step_s": step, "reason": f"{failure.reason} {where}"})
        if attempt == HALVINGS - 1 or len(self.count.retries) > FAILURES + self.count.steps / 2:
            raise StageFailed("continuum", f"{failure.reason} {where}; frames up to there are kept") from None
