"""The integrator alone: order, linear invariants, and a segment's corner, on equations with known answers."""

import numpy as np
import pytest

from circuit.rosenbrock import integrate
from transslit import StageFailed


class Chain:
    """Three species in a chain a -> b <-> c with a quadratic step, driven in time; a + b + c - drive is conserved.

    da/dt = -a^2 + t, db/dt = a^2 - 3 b + c, dc/dt = 3 b - c
    """

    def __init__(self, tolerance):
        self.tolerance = tolerance

    def rate(self, t, y):
        a, b, c = y
        return np.array([-(a**2) + t, a**2 - 3 * b + c, 3 * b - c])

    def linearise(self, t, y):
        bands = np.array([2 * y[0], 3.0]), np.array([-2 * y[0], -3.0, -1.0]), np.array([0.0, 1.0])
        return self.rate(t, y), *bands, np.array([1.0, 0.0, 0.0])

    def enter(self, segment, since):
        pass

    def ends(self, t, y):
        return None

    def error(self, t, h, y, estimate):
        return np.abs(estimate).max() / self.tolerance

    def refuse(self, t, y):
        pass


def final(tolerance):
    steps = integrate(Chain(tolerance), np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.7, 2.0]))
    return steps.end[-1], len(steps.t), steps


def test_order_is_five():
    """Error against cost: the error falls with the fifth power of the number of steps."""
    exact, _, _ = final(1e-14)
    (first, few, _), (second, many, _) = final(1e-8), final(1e-11)
    observed = np.log(np.abs(first - exact).max() / np.abs(second - exact).max()) / np.log(many / few)
    assert observed == pytest.approx(5, abs=0.5)


def test_linear_invariant_is_kept_to_round_off():
    y, _, _ = final(1e-4)
    assert y.sum() == pytest.approx(1 + 2.0**2 / 2, rel=1e-14)  # the drive brings in t^2 / 2


def test_dense_output_meets_the_steps_and_is_of_their_accuracy_between():
    _, _, fine = final(1e-12)
    _, _, coarse = final(1e-7)
    assert np.array_equal(coarse(coarse.t), coarse.y)
    assert np.abs(coarse(np.array([2.0]))[0] - coarse.end[-1]).max() == 0
    assert 0.7 in coarse.t
    times = np.linspace(0, 2, 301)
    assert np.abs(coarse(times) - fine(times)).max() < 1e-5


def test_a_problem_that_cannot_be_stepped_fails_as_a_stage():
    class Broken(Chain):
        def error(self, t, h, y, estimate):
            return np.nan

    with pytest.raises(StageFailed, match="circuit"):
        integrate(Broken(1e-6), np.ones(3), np.array([0.0, 1.0]))
