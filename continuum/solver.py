"""The march in time: implicit steps, fixed or adapted to the change of the solution, with exact resumption.

Backward Euler, (c - c_n)/dt, or BDF2 with variable steps; the next step is guessed by extrapolating psi and
ln c (which are nearly linear in a slow drive, and keep c positive). A step that fails is halved and tried
again, and reported. Every `checkpoint_every` frames the frames since the last checkpoint and the state go
into one file, written whole or not at all, and the factorisation is dropped: a run that is killed and
started again follows the same path to the last bit.
Source of the variable-step BDF2: E. Hairer, G. Wanner, Solving Ordinary Differential Equations I, III.5.
"""

from __future__ import annotations

import contextlib
import json
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from continuum.config import ContinuumConfig
from continuum.frames import SERIES, write_frames
from continuum.mesh import NM, Array
from continuum.mpnp import NS, ModifiedPNP
from continuum.newton import Newton, NewtonFailed
from transslit import BadInput, ChargeStep, StageFailed
from transslit.progress import Progress

HALVINGS = 14  # of a step before the run gives up
GROWTH = 2.0  # largest ratio of a step to the one before


class Instant(NamedTuple):
    """A time (s) and the unknowns then."""

    time: float
    x: Array


class March:
    """Integrates one configuration, from its beginning or from the last checkpoint in `folder`."""

    def __init__(self, config: ContinuumConfig, folder: Path) -> None:
        self.config, self.folder = config, folder
        self.equations = ModifiedPNP(config)
        self.newton = Newton(self.equations)
        self.adaptive = config.stepping == "adaptive" or isinstance(config.drive, ChargeStep)
        self.marks, self.turns = _marks(config)
        self.every = config.stepping == "adaptive" and not isinstance(config.drive, ChargeStep)
        self.rows: dict[str, list[Any]] = {name: [] for name in SERIES}
        self.retries: list[dict[str, Any]] = []
        self.frames = self.steps = 0
        self.proposed = np.inf
        if self.adaptive:
            charge = isinstance(config.drive, ChargeStep)
            self.proposed = config.first_step if charge else float(self.marks[0]) / config.steps / 8
        self.past: list[Instant] = []
        if not self._resume():
            self._begin()

    # ------------------------------------------------------------------ the loop

    def run(self, progress: Progress) -> None:
        """March to the end of the drive, leaving `frames.h5`.

        Raises
        ------
        StageFailed : names time, drive and the worst cell; what was reached is in `frames.h5`
        """
        end = float(self.marks[-1])
        try:
            with progress.task("continuum", total=100.0) as advance:
                while self.past[0].time < end:
                    self._advance()
                    advance(100 * self.past[0].time / end, f"{len(self.retries)} retried" if self.retries else "")
        except StageFailed:
            self._checkpoint()
            self._consolidate(complete=False)
            raise
        self._checkpoint()
        self._consolidate(complete=True)

    def _advance(self) -> None:
        """One accepted step, cut to end at the next mark."""
        now = self.past[0].time
        mark = float(self.marks[np.searchsorted(self.marks, now, side="right")])
        step = mark - now
        if self.proposed < step:  # two even steps rather than a long and a tiny one
            step = self.proposed if 2 * self.proposed < step else step / 2
        for attempt in range(HALVINGS):
            time = mark if step == mark - now else now + step
            try:
                x, error = self._step(time)
            except NewtonFailed as failure:
                self._report(failure, time, step, attempt)
                step /= 2
                continue
            if error <= 4:
                break
            step *= max(0.25, 0.8 / np.sqrt(error))
        else:
            raise StageFailed("continuum", f"steps keep failing {self._where(time, None)}")
        self.steps += 1
        if self.adaptive:
            self.proposed = step * float(np.clip(0.9 / np.sqrt(max(error, 1e-12)), 0.3, GROWTH))
        elif attempt or np.isfinite(self.proposed):
            self.proposed = step * GROWTH if step < mark - now else np.inf
        self._accept(time, x, reached=time == mark)

    def _step(self, time: float) -> tuple[Array, float]:
        """Unknowns at `time` and, where steps adapt, the error of extrapolation over its tolerance."""
        equations, last = self.equations, self.past[0]
        weights = self._difference(time)
        history = -sum(w * equations.split(then.x)[1] for w, then in zip(weights[1:], self.past, strict=False))
        guess = self._extrapolate(time, order=2)
        x = self.newton.solve(guess, weights[0] * NS, np.asarray(history) * NS, self._drive(time))
        if not self.adaptive or len(self.past) < 2:
            return equations.gauge(x), 0.0
        expected = self._extrapolate(time, order=1)
        miss = np.abs(equations.split(x)[1] - equations.split(expected)[1]).max() / 2
        if time - last.time <= self.config.first_step:
            miss = 0.0
        return equations.gauge(x), float(miss / self.config.step_tolerance)

    def _difference(self, time: float) -> Array:
        """Weights (1/s) of now and the instants before in the time difference."""
        step = time - self.past[0].time
        if self.config.scheme == "euler" or len(self.past) < 2:
            return np.array([1.0, -1.0]) / step
        ratio = step / (self.past[0].time - self.past[1].time)
        return np.array([(1 + 2 * ratio) / (1 + ratio), -(1 + ratio), ratio**2 / (1 + ratio)]) / step

    def _extrapolate(self, time: float, order: int) -> Array:
        """Lagrange polynomial through the last instants, in psi and ln c."""
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
        crowded = not np.all(np.isfinite(out)) or np.max(self.equations.occupied(self.equations.split(out)[1])) >= 0.999
        return past[0].x.copy() if crowded else out

    def _accept(self, time: float, x: Array, reached: bool) -> None:
        equations, weights = self.equations, self._difference(time)
        instants = [Instant(time, x), *self.past]
        change = sum(w * i.x[: equations.n] for w, i in zip(weights, instants, strict=False))
        drive_change = sum(w * self._drive(i.time) for w, i in zip(weights, instants, strict=False))
        current = equations.terminal_current(x, np.asarray(change), float(drive_change))
        turned = reached and bool(np.any(self.turns == time))
        self.past = instants[: 1 if turned else 3]
        if turned and self.every:
            self.proposed = float(self.marks[0]) / self.config.steps / 8
        if reached or self.every:
            self._record(current)
            if self.frames % self.config.checkpoint_every == 0:
                self._checkpoint()

    def _drive(self, time: float) -> float:
        drive = self.config.drive
        return float(drive.sheet_charge(time) if isinstance(drive, ChargeStep) else drive.electrode_potential(time))

    # ------------------------------------------------------------------ frames, checkpoints, reports

    def _begin(self) -> None:
        x = self.equations.gauge(self.equations.uniform(self._drive(0.0)))
        self.past = [Instant(0.0, x)]
        still = np.zeros(self.equations.n)
        # The sweep starts at t = 0: its displacement current follows from the first step on.
        self._record(self.equations.terminal_current(x, still, 0.0))

    def _record(self, current: float) -> None:
        time, x = self.past[0]
        phi, c = self.equations.to_si(x)
        drive = self._drive(time)
        charge = np.nan if self.equations.mesh.full else self.equations.electrode_charge(x, drive)
        for name, value in zip(SERIES, (time, phi, c, drive, current, charge), strict=True):
            self.rows[name].append(value)
        self.frames += 1

    def _checkpoint(self) -> None:
        if not self.rows["time_s"]:
            return
        path = self.folder / f"segment-{self.frames:07d}.npz"
        partial = path.with_name(f".{path.name}.part")
        state = {
            "digest": self.config.digest,
            "frames": self.frames,
            "steps": self.steps,
            "retries": self.retries,
            "newton": [self.newton.factorisations, self.newton.iterations],
        }
        with open(partial, "wb") as file:
            content: dict[str, Any] = {
                "state": json.dumps(state),
                "proposed": self.proposed,
                "past_time": np.array([instant.time for instant in self.past]),
                "past_x": np.array([instant.x for instant in self.past]),
                **{name: np.array(values) for name, values in self.rows.items()},
            }
            np.savez(file, **content)
        partial.replace(path)
        self.rows = {name: [] for name in SERIES}
        self.newton.forget()

    def _resume(self) -> bool:
        segments = sorted(self.folder.glob("segment-*.npz"))
        while segments:
            try:
                with np.load(segments[-1]) as saved:
                    state = json.loads(str(saved["state"]))
                    past = [Instant(float(t), x) for t, x in zip(saved["past_time"], saved["past_x"], strict=True)]
                    self.proposed = float(saved["proposed"])
                break
            except (OSError, ValueError, KeyError, zipfile.BadZipFile):
                segments.pop().unlink()  # not one that this program finished writing
        if not segments:
            return False
        if state["digest"] != self.config.digest:
            raise BadInput("out", self.folder, "holds an unfinished continuum run of another configuration")
        self.past, self.frames, self.steps, self.retries = past, state["frames"], state["steps"], state["retries"]
        self.newton.factorisations, self.newton.iterations = state["newton"]
        return True

    def _consolidate(self, complete: bool) -> None:
        series: dict[str, list[Array]] = {name: [] for name in SERIES}
        for path in sorted(self.folder.glob("segment-*.npz")):
            with np.load(path) as saved:
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
        drive = self._drive(time)
        what = f"sigma = {drive:g} C/m^2" if self.equations.mesh.full else f"phi_m = {drive:g} V"
        place = ""
        if cell is not None:
            x, y = self.equations.mesh.centres[:, cell] / NM
            place = f", worst at x = {x:.3f} nm, y = {y:.3f} nm"
        return f"at t = {time:.6g} s, {what}{place}"

    def _report(self, failure: NewtonFailed, time: float, step: float, attempt: int) -> None:
        where = self._where(time, failure.cell)
        self.retries.append({"time_s": time, "step_s": step, "reason": f"{failure.reason} {where}"})
        if attempt == HALVINGS - 1:
            raise StageFailed("continuum", f"{failure.reason} {where}; frames up to there are kept") from None


def _marks(config: ContinuumConfig) -> tuple[Array, Array]:
    """Times (s) at which a step must end, and those of them at which the drive turns."""
    drive = config.drive
    if isinstance(drive, ChargeStep):
        growth, share = config.record_growth, drive.duration / config.record_interval
        count = share if growth == 1 else np.log1p(share * (growth - 1)) / np.log(growth)
        spacing = growth ** np.arange(max(1, round(count)))
        return drive.duration * np.cumsum(spacing) / spacing.sum(), np.array([])
    turns = drive.half_period * np.arange(1, 2 * drive.cycles + 1)
    turns[-1] = drive.duration
    if config.stepping == "adaptive":
        return turns, turns
    marks = drive.duration * np.arange(1, config.steps * drive.cycles + 1) / (config.steps * drive.cycles)
    half = config.steps // 2
    return marks, marks[half - 1 :: half]
