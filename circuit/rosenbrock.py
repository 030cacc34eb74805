"""Adaptive Rosenbrock integration of dy/dt = F(t, y) with a tridiagonal Jacobian J.

    (1 / (h g) - J) U_i = F(t + a_i h, y + sum_j a_ij U_j) + sum_j (c_ij / h) U_j + g_i h dF/dt,   i = 1 ... 8
    y_7 = y_6 + U_6,   y_8 = y_7 + U_7,   y(t + h) = y_8 + U_8,   error estimate U_8
    y(t + s h) = (1 - s) [y + s (e_1 + s (e_2 + s e_3))] + s y(t + h),   e_k = sum_j d_kj U_j

Rodas5P: order 5, embedded order 4, L-stable, stiffly accurate, dense output of order 4, and no loss of order on
parabolic problems, which a long ladder is; one tridiagonal factorisation a step and no Newton iteration, so the cost
is linear in the number of unknowns. Linear invariants of the equations are kept to round-off. Method and
coefficients: G. Steinebach, BIT Numer. Math. 63, 27 (2023), doi:10.1007/s10543-023-00967-x.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from scipy.linalg.lapack import dgttrf, dgttrs

from transslit.errors import BadInput, StageFailed

Array = np.ndarray
LANDED = 1e-9  # how near its limit a segment ends, in the problem's measure
G = 0.21193756319429014
NODES = (0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1.0, 1.0, 1.0)
TIME = (G, -0.42387512638858027, -0.3384627126235924, 1.8046452872882734, 2.325825639765069, 0.0, 0.0, 0.0)
A_6 = [-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946]
A = [
    [],
    [3.0],
    [2.849394379747939, 0.45842242204463923],
    [-6.954028509809101, 2.489845061869568, -10.358996098473584],
    [2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641],
    A_6,
    [*A_6, 1.0],  # y_7 = y_6 + U_6
    [*A_6, 1.0, 1.0],  # y_8 = y_7 + U_7
]
C = [
    [],
    [-14.155112264123755],
    [-17.97296035885952, -2.859693295451294],
    [147.12150275711716, -1.41221402718213, 71.68940251302358],
    [165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306],
    [24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471],
    [30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783, -19.097331116725623,
     -28.087943162872662],
    [37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047, -40.06618937091002,
     -54.66780262877968, -9.48861652309627],
]  # fmt: skip
DENSE = np.array(
    [
        [25.948786856663858, -2.5579724845846235, 10.433815404888879, -2.3679251022685204, 0.524948541321073,
         1.1241088310450404, 0.4272876194431874, -0.17202221070155493],
        [-9.91568850695171, -0.9689944594115154, 3.0438037242978453, -24.495224566215796, 20.176138334709044,
         15.98066361424651, -6.789040303419874, -6.710236069923372],
        [11.419903575922262, 2.8879645146136994, 72.92137995996029, 80.12511834622643, -52.072871366152654,
         -59.78993625266729, -0.15582684282751913, 4.883087185713722],
    ]
)  # fmt: skip
STAGES = len(A)
# Of the rows (dF/dt, y, U_1 ... U_7): the weights in where stage i is taken, and in its right side.
WEIGHTS = np.zeros((STAGES, 2, STAGES + 1))
for i in range(STAGES):
    WEIGHTS[i, 0, 1 : 2 + i] = 1.0, *A[i]
    WEIGHTS[i, 1, 0], WEIGHTS[i, 1, 2 : 2 + i] = TIME[i], C[i]


class Problem(Protocol):
    """What is integrated; `y` has shape (m,)."""

    def rate(self, t: float, y: Array) -> Array:
        """F(t, y), shape (m,)."""

    def linearise(self, t: float, y: Array) -> tuple[Array, Array, Array, Array, Array] | None:
        """F(t, y) (m,), the sub-diagonal (m - 1,), diagonal (m,) and super-diagonal (m - 1,) of dF/dy, dF/dt (m,).

        None where `y` is outside the model's domain.
        """

    def enter(self, segment: int, since: float) -> None:
        """Begin the segment between corners `segment` and `segment + 1`, at time `since`."""

    def ends(self, t: float, y: Array) -> float | None:
        """How far `y` is beyond (> 0) or short of (< 0) what ends the segment early; None without a limit."""

    def error(self, t: float, h: float, y: Array, estimate: Array) -> float:
        """Error estimate of a step of length `h` to `y` at `t`, over the allowed error."""

    def refuse(self, t: float, y: Array) -> None:
        """Raise if no step from `y` succeeds because it lies at the edge of the model's domain."""


@dataclass(frozen=True)
class Trajectory:
    """Accepted steps: start `t` and length `h` (steps,), and `y`, `end`, `e3`, `e4` (steps, m) of the dense output.

    `corners` (segments + 1,) are the times at which the segments began and ended.
    """

    t: Array
    h: Array
    y: Array
    end: Array
    dense: Array
    corners: Array
    rejected: int = 0

    def __call__(self, times: Array, columns: slice | list[int] = slice(None)) -> Array:
        """State, or some `columns` of it, at `times` (k,), shape (k, columns)."""
        step = np.clip(np.searchsorted(self.t, times, side="right") - 1, 0, len(self.t) - 1)
        s = ((times - self.t[step]) / self.h[step])[:, None]
        s = np.where(times[:, None] == (self.t + self.h)[step][:, None], 1.0, s)
        inner = self.dense[:, 2, columns][step]
        inner *= s
        inner += self.dense[:, 1, columns][step]
        inner *= s
        inner += self.dense[:, 0, columns][step]
        inner *= 1 - s
        inner += self.end[:, columns][step]
        inner *= s
        inner += (1 - s) * self.y[:, columns][step]
        return inner

    def rate(self, times: Array, weights: Array) -> tuple[Array, Array]:
        """d(weights y)/dt at `times` (k,), at a corner before it, and the length of the steps that they lie in."""
        step = np.clip(np.searchsorted(self.t, times, side="left") - 1, 0, len(self.t) - 1)
        h = self.h[step]
        s = (times - self.t[step]) / h
        e1, e2, e3 = (self.dense @ weights)[step].T
        inner, slope = e1 + s * (e2 + s * e3), e2 + 2 * s * e3
        gained = ((self.end - self.y) @ weights)[step]
        return (gained + (1 - 2 * s) * inner + s * (1 - s) * slope) / h, h


def integrate(
    problem: Problem, y: Array, corners: Array, advance: Callable[[float], None] = lambda t: None
) -> Trajectory:
    """Integrate from `corners[0]`, landing on every corner, where F may have a kink or a jump in time.

    Parameters
    ----------
    y : state at the first corner, shape (m,)
    corners : increasing times in s, shape (>= 2,); a segment that ends early moves those after it
    advance : called with the time reached after each step

    Raises
    ------
    BadInput : a segment begins at the limit that is to end it
    StageFailed : the step size underflows, or a segment that should have ended early has not
    as `problem.refuse`, where the shortest step leaves the model's domain
    """
    integrator = _Integrator(problem, float(corners[0]), y)
    early = 0.0
    reached = [integrator.t]
    for segment, (start, planned) in enumerate(pairwise(corners.tolist())):
        stop = planned - early if early else planned
        limited = integrator.run(segment, stop, 1e-4 * (planned - start), advance)
        early = planned - integrator.t if limited or early else 0.0
        reached.append(integrator.t)
    t, h, start_states, end_states, dense = (np.array(column) for column in zip(*integrator.steps, strict=True))
    return Trajectory(t, h, start_states, end_states, dense, np.array(reached), integrator.rejected)


class _Integrator:
    """Time `t` and state `y` reached, the derivatives there (`linear`), and the steps taken.

    `distance` is how far the state is from what ends the segment early, as `Problem.ends`. The first step after a
    corner is `onset` times the last step `h` before it, a ratio that is taken over from corner to corner.
    """

    def __init__(self, problem: Problem, t: float, y: Array) -> None:
        self.problem, self.t, self.y = problem, t, y
        self.rows = np.zeros((STAGES + 2, len(y)))  # dF/dt, y, U_1 ... U_8
        self.steps: list[tuple[float, float, Array, Array, Array]] = []
        self.rejected = 0
        self.h, self.onset = 0.0, 0.01

    def run(self, segment: int, stop: float, least: float, advance: Callable[[float], None]) -> bool:
        """Integrate to `stop` (s), from a first step of `least` (s) or more; whether a limit ends the segment."""
        problem, before = self.problem, self.h
        h = min(stop - self.t, max(least, self.onset * before))
        shortest = 4 * float(np.spacing(max(abs(stop), abs(self.t))))
        problem.enter(segment, self.t)
        self.linear = problem.linearise(self.t, self.y)
        self.distance = problem.ends(self.t, self.y)
        if self.distance is not None and self.distance >= 0:
            limits = "widen the limits or drive more gently"
            raise BadInput("drive", f"at its limit as segment {segment + 1} begins", limits)
        while self.t < stop:
            factor, failed = self._advance(h, stop, shortest)
            if before:
                self.onset, before = min(1.0, factor * self.h / before), 0.0
            h = self.h * (min(1.0, factor) if failed else factor)
            advance(self.t)
            if self.distance is not None and self.distance > -LANDED:
                return True
        if self.distance is not None:
            raise StageFailed("circuit", f"segment {segment + 1} has not met its limit by t = {self.t:.6g} s")
        return False

    def _advance(self, h: float, stop: float, shortest: float) -> tuple[float, bool]:
        """Take one step of at most `h` towards `stop`, shortened until it is accepted.

        Returns
        -------
        by how much the error allows the next step to be longer, and whether a longer step failed
        """
        problem, t, y, linear, distance = self.problem, self.t, self.y, self.linear, self.distance
        stages, failed = self.rows[2:], False
        if linear is None:
            problem.refuse(t, y)
            raise StageFailed("circuit", f"the state at t = {t:.6g} s is outside the model's domain")
        while True:
            h = min(h, stop - t)
            if stop - t - h < 0.1 * h:  # no sliver left before the corner
                h = stop - t
            end = _step(problem, t, h, y, linear, self.rows)
            until = stop if h >= stop - t else t + h
            size_of_error = problem.error(until, h, end, stages[-1])
            beyond = problem.linearise(until, end) if math.isfinite(size_of_error) else None
            factor = 0.2 if beyond is None else min(6.0, max(0.2, 0.9 * max(size_of_error, 1e-12) ** -0.2))
            if beyond is None or size_of_error > 1:
                if h <= shortest:
                    problem.refuse(t, y)
                    raise StageFailed("circuit", f"step size underflow at t = {t:.6g} s")
                self.rejected += 1
                failed = True
                h *= factor
                stages[:] = 0.0  # later stages have zero weight, but must be finite
                continue
            ended = None if distance is None else problem.ends(until, end)
            if ended is None or distance is None or ended <= LANDED:
                break
            self.rejected += 1  # past the limit: a shorter step lands on it
            h *= min(0.95, distance / (distance - ended) * (1 + 0.1 * LANDED))
        self.steps.append((t, h, y, end, np.dot(DENSE, stages)))
        self.t, self.y, self.linear, self.distance, self.h = until, end, beyond, ended, h
        return factor, failed


def _step(problem: Problem, t: float, h: float, y: Array, linear: tuple[Array, ...], rows: Array) -> Array:
    """y(t + h), shape (m,), not finite where the matrix is singular; leaves U_i in `rows` from the third on."""
    rate, low, diagonal, up, rows[0] = linear
    rows[1] = y
    weights = WEIGHTS.copy()
    weights[:, 1, 0] *= h
    weights[:, 1, 2:] /= h
    *factors, singular = dgttrf(-low, 1 / (G * h) - diagonal, -up)
    if singular:
        return np.full(len(y), np.nan)
    known, stages, sums = rows[:-1], rows[2:], np.empty((2, len(y)))
    now, right = sums
    stages[0] = dgttrs(*factors, rate + weights[0, 1, 0] * rows[0])[0]
    for i in range(1, STAGES):
        np.dot(weights[i], known, out=sums)
        right += problem.rate(t + NODES[i] * h, now)
        stages[i] = dgttrs(*factors, right)[0]
    return now + stages[-1]
