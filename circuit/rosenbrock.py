"""Adaptive Rosenbrock integration of M dy/dt = F(t, y) with diagonal M and a tridiagonal Jacobian J.

    (M / (h g) - J) U_i = F(t + a_i h, y + sum_j a_ij U_j) + M sum_j (c_ij / h) U_j + g_i h dF/dt,   i = 1 ... 6
    y_5 = y + sum_j a_5j U_j,   y_6 = y_5 + U_5,   y(t + h) = y_6 + U_6,   error estimate U_6
    y(t + s h) = (1 - s) y + s [y(t + h) + (1 - s) (e_3 + s e_4)]

RODAS: order 4, embedded order 3, L-stable, stiffly accurate, dense output of order 3; one tridiagonal
factorisation a step and no Newton iteration, so the cost is linear in the number of unknowns. Linear invariants
of the equations are kept to round-off. Coefficients: E. Hairer, G. Wanner, Solving Ordinary Differential
Equations II, 2nd ed., Springer 1996, section VI.4, doi:10.1007/978-3-642-05221-7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from scipy.linalg.lapack import dgttrf, dgttrs

from transslit.errors import BadInput, StageFailed

Array = np.ndarray
LANDED = 1e-9  # how near its limit a segment ends, in the problem's measure
G = 0.25
NODES = (0.0, 0.386, 0.21, 0.63, 1.0, 1.0)
TIME = (0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0)
A = [
    np.array(row)
    for row in (
        [],
        [1.544],
        [0.9466785280815826, 0.2557011698983284],
        [3.314825187068521, 2.896124015972201, 0.9986419139977817],
        [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950],
        [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1.0],  # y_6 = y_5 + U_5
    )
]
C = [
    np.array(row)
    for row in (
        [],
        [-5.6688],
        [-2.430093356833875, -0.2063599157091915],
        [-0.1073529058151375, -9.594562251023355, -20.47028614809616],
        [7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160],
        [8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054],
    )
]
BOTH = [np.array([a, c]) for a, c in zip(A, C, strict=True)]
DENSE = np.array(
    [
        [10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823, 1.025137723295662],
        [-0.6762803392801253, 6.087714651680015, 16.43084320892478, 24.76722511418386, -6.594389125716872],
    ]
)


class Problem(Protocol):
    """What is integrated; `y` has shape (m,)."""

    mass: Array

    def rate(self, t: float, y: Array) -> Array:
        """F(t, y), shape (m,)."""

    def linearise(self, t: float, y: Array) -> tuple[Array, Array, Array, Array, Array] | None:
        """F(t, y) (m,), the sub-diagonal (m - 1,), diagonal (m,) and super-diagonal (m - 1,) of dF/dy, dF/dt (m,).

        None where `y` is outside the model's domain.
        """

    def enter(self, segment: int, since: float) -> None:
        """Begin the segment between corners `segment` and `segment + 1`, at time `since`."""

    def ends(self, t: float, y: Array) -> float | None:
        """How far `y` is beyond (> 0) or short of (< 0) what ends the segment early; None where nothing does."""

    def error(self, t: float, y: Array, estimate: Array) -> float:
        """Size of the error estimate of a step to `y`: 1 is as large as is allowed."""

    def refuse(self, t: float, y: Array) -> None:
        """Raise if the edge of the model's domain is why no step from `y`, however short, will do."""


@dataclass(frozen=True)
class Trajectory:
    """Accepted steps: start `t` and length `h` (steps,), and `y`, `end`, `e3`, `e4` (steps, m) of the dense output.

    `corners` (segments + 1,) are the times at which the segments began and ended.
    """

    t: Array
    h: Array
    y: Array
    end: Array
    e3: Array
    e4: Array
    corners: Array
    rejected: int = 0

    def __call__(self, times: Array) -> Array:
        """State at `times` (k,), shape (k, m)."""
        step = np.clip(np.searchsorted(self.t, times, side="right") - 1, 0, len(self.t) - 1)
        s = ((times - self.t[step]) / self.h[step])[:, None]
        s = np.where(times[:, None] == (self.t + self.h)[step][:, None], 1.0, s)
        inner = self.e4[step]
        inner *= s
        inner += self.e3[step]
        inner *= 1 - s
        inner += self.end[step]
        inner *= s
        inner += (1 - s) * self.y[step]
        return inner


def integrate(
    problem: Problem, y: Array, corners: Array, advance: Callable[[float], None] = lambda t: None
) -> Trajectory:
    """Integrate from `corners[0]`, landing on every corner, where F may have a kink or a jump in time.

    Parameters
    ----------
    y : state at the first corner, shape (m,)
    corners : increasing times in s, shape (>= 2,); a segment that ends early moves those after it
    advance : told the time reached after each step

    Raises
    ------
    StageFailed : the step size underflows, or a segment that should have ended early has not
    whatever `problem.refuse` raises where a step leaves the model's domain however short it is
    """
    steps: list[tuple[float, float, Array, Array, Array, Array]] = []
    rejected = 0
    size, mass = len(y), problem.mass
    stages, sums = np.empty((6, size)), np.empty((2, size))
    earlier = [stages[:i] for i in range(6)]
    t, early, last = float(corners[0]), 0.0, 0.0
    reached = [t]
    for segment, (start, planned) in enumerate(pairwise(corners.tolist())):
        stop = planned - early if early else planned
        h = min(stop - t, max(1e-3 * (planned - start), 0.1 * last))
        shortest = 4 * float(np.spacing(max(abs(stop), abs(t))))
        problem.enter(segment, t)
        linear = problem.linearise(t, y)
        limited = problem.ends(t, y)
        if limited is not None and limited >= 0:
            raise BadInput(
                "drive", f"at its limit as segment {segment + 1} begins", "widen the limits or drive more gently"
            )
        failed = False
        while t < stop:
            h = min(h, stop - t)
            if stop - t - h < 0.1 * h:  # no sliver left before the corner
                h = stop - t
            if linear is None:
                problem.refuse(t, y)
                raise StageFailed("circuit", f"the state at t = {t:.6g} s is outside the model's domain")
            rate, low, diagonal, up, forcing = linear
            slope = mass / h
            *factors, singular = dgttrf(-low, slope * (1 / G) - diagonal, -up)
            stages[0] = dgttrs(*factors, rate + (TIME[0] * h) * forcing, overwrite_b=1)[0]
            for i in range(1, 6):
                np.dot(BOTH[i], earlier[i], out=sums)
                now = y + sums[0]
                right = problem.rate(t + NODES[i] * h, now)
                if TIME[i]:
                    right += (TIME[i] * h) * forcing
                right += slope * sums[1]
                stages[i] = dgttrs(*factors, right, overwrite_b=1)[0]
            end = now + stages[5]
            until = stop if h >= stop - t else t + h
            size_of_error = problem.error(until, end, stages[5])
            beyond = None if singular or not np.isfinite(size_of_error) else problem.linearise(until, end)
            factor = 0.2 if beyond is None else min(6.0, max(0.2, 0.9 * max(size_of_error, 1e-12) ** -0.25))
            if beyond is None or size_of_error > 1:
                if h <= shortest:
                    problem.refuse(t, y)
                    raise StageFailed("circuit", f"step size underflow at t = {t:.6g} s")
                rejected += 1
                failed = True
                h *= factor
                continue
            ended = None if limited is None else problem.ends(until, end)
            if ended is not None and limited is not None and ended > LANDED:  # past the limit: a shorter step lands
                rejected += 1
                h *= min(0.95, limited / (limited - ended) * (1 + 0.1 * LANDED))
                continue
            e3, e4 = np.dot(DENSE, earlier[5])
            steps.append((t, h, y, end, e3, e4))
            t, y, linear, last, limited = until, end, beyond, h, ended
            h *= min(1.0, factor) if failed else factor
            failed = False
            advance(t)
            if limited is not None and limited > -LANDED:
                break
        else:
            if limited is not None:
                raise StageFailed("circuit", f"segment {segment + 1} has not met its limit by t = {t:.6g} s")
        early = planned - t if limited is not None or early else 0.0
        reached.append(t)
    t_start, h_taken, y_start, y_end, third, fourth = (np.array(column) for column in zip(*steps, strict=True))
    return Trajectory(t_start, h_taken, y_start, y_end, third, fourth, np.array(reached), rejected)
