"""When Newton's iteration stops: known solutions with potentials from some kT/e to thousands of them."""

import numpy as np
import pytest

import continuum.mpnp
from continuum import ContinuumConfig
from continuum.mpnp import LEAST_FREE, MOST_EXCESS, ModifiedPNP
from continuum.newton import Newton, factorise
from transslit import ChargeStep, SlitNetwork, load_electrolyte

WALLS = SlitNetwork(slit=1e-9, layers=1, slit_length=2e-9, reservoir_length=3e-9)
SIGMA = 0.1  # C/m^2
TOLERANCE = 1e-11  # of the largest psi and c, which count as 10 at least


class Counting(Newton):
    """Notes the relative size of every update."""

    def __init__(self, equations):
        super().__init__(equations)
        self.sizes = []

    def _relative(self, delta, x):
        relative = super()._relative(delta, x)
        self.sizes.append(relative.max())
        return relative


@pytest.mark.parametrize("scale", [1, 100, 10_000])
def test_potential_between_walls_whatever_its_size(kcl, scale):
    """Ions that have no time to move leave a field sigma / (2 eps): exact on any mesh, and linear in the charge.

    With 8, 800 and 80,000 kT/e between the walls; round-off of the last is 1e-9 kT/e. Two updates at most, and one that
    finds nothing left to do, by one factorisation.
    """
    sigma = SIGMA * scale
    drive = ChargeStep(sigma=sigma, duration=1e-12)
    config = ContinuumConfig(network=WALLS, electrolyte=kcl, drive=drive, cell="full", surface_cell=3e-11)
    equations = ModifiedPNP(config)
    rate = 1e15  # 1/ns: a step of 1e-24 s
    start = equations.uniform(0.0)
    newton = Counting(equations)
    x = newton.solve(start, rate, rate * equations.split(start)[1], sigma)[0]
    psi, c = equations.split(equations.gauge(x))
    depth = equations.mesh.centres[0] - equations.mesh.length / 2
    free = ~equations.mesh.solid
    field = sigma / 2 / (config.relative_permittivity * 8.8541878128e-12) / equations.thermal_voltage
    exact = -field * depth
    assert np.abs(exact[free]).max() > 4 * scale
    np.testing.assert_allclose(psi[free], exact[free], rtol=0, atol=1e-9 * np.abs(exact[free]).max())
    np.testing.assert_allclose(c, 1.0, rtol=1e-6)
    assert len(newton.sizes) <= 3
    assert newton.factorisations == 1


@pytest.mark.parametrize("name", ["KCl", "BMIM-PF6"])
def test_factors_stay_sparse(name):
    """Some 60 entries per unknown on a tensor grid; exchanged rows fill those of an ionic liquid thirtyfold."""
    salt = load_electrolyte(name)
    network = SlitNetwork(slit=1.27e-9, layers=5)
    equations = ModifiedPNP(ContinuumConfig(network=network, electrolyte=salt, concentration=salt.concentration))
    matrix = equations.jacobian(equations.uniform(0.1), 0.005)
    factors = factorise(matrix)
    assert factors.nnz < 100 * equations.size
    right = np.random.default_rng(0).normal(size=equations.size)
    assert np.abs(matrix @ factors.solve(right) - right).max() < 1e-6 * np.abs(right).max()


@pytest.fixture(scope="module")
def charged(kcl, small):
    """Equations of a small network, and its state 0.2 ns after 0.15 V."""
    equations = ModifiedPNP(ContinuumConfig(network=small, electrolyte=kcl, surface_cell=1e-10))
    x = equations.uniform(0.0)
    return equations, Newton(equations).solve(x, 5.0, 5.0 * equations.split(x)[1], 0.15)[0]


@pytest.mark.parametrize("scale", [1, 100, 1000])
def test_made_solution_is_found_to_the_relative_tolerance(charged, monkeypatch, scale):
    """A state whose potentials are `scale` times those of a charged network, made a solution by its own residual."""
    equations, state = charged
    made = state.copy()
    made[: equations.n] *= scale
    rate, history, drive = 5.0, np.zeros((equations.ions, equations.m)), 0.15
    plain = equations.residual
    source = plain(made, rate, history, drive)
    monkeypatch.setattr(equations, "residual", lambda *args: plain(*args) - source)
    random = np.random.default_rng(1)
    guess = made * (1 + 1e-3 * random.uniform(-1, 1, made.size))
    newton = Counting(equations)
    x = newton.solve(guess, rate, history, drive)[0]
    miss = np.abs(x - made)
    largest = np.abs(made[: equations.n]).max()
    assert largest > 3 * scale
    assert miss[: equations.n].max() <= TOLERANCE * max(10, largest)
    assert miss[equations.n :].max() <= TOLERANCE * 10
    assert newton.sizes[-1] <= TOLERANCE < newton.sizes[-2]
    assert len(newton.sizes) < 12


def test_small_unknowns_converge_absolutely(charged):
    """Below 10 the tolerance is 1e-10 kT/e and bulk concentrations; above, it grows with the largest."""
    equations, state = charged
    n, newton = equations.n, Newton(equations)
    delta = np.zeros_like(state)
    delta[3], delta[n + 5] = 2e-10, -3e-10
    small = newton._relative(delta, 0.1 * state)
    np.testing.assert_allclose(small[[3, n + 5]], [2e-11, 3e-11], rtol=1e-12)
    large = state.copy()
    large[7], large[n + 9] = -4000.0, 500.0
    np.testing.assert_allclose(newton._relative(delta, large)[[3, n + 5]], [5e-14, 6e-13], rtol=1e-12)


def test_update_leaves_ions_and_room(charged):
    """What would fall below its half is divided; a cell keeps a tenth of its room, or 1e4 kT beyond close packing."""
    equations, state = charged
    x, delta = state.copy(), np.zeros_like(state)
    (_, c), (_, dc) = equations.split(x), equations.split(delta)
    close = 1 / equations.occupancy[0]
    c[:, :5] = np.array([[0.2, 0.2, 0.5, 0.5, 0.5], [0.3, 1e-20, 0.25, 0.5, 0.5]]) * close
    c[:, 3] *= 1 - 2 * LEAST_FREE
    dc[0, 0], dc[1, 1], dc[1, 2], dc[1, 3:5] = -0.6 * close, -1e-15, close, close
    new, crowded = equations.updated(x, delta)
    _, found = equations.split(new)
    assert crowded
    assert found[0, 0] == pytest.approx(0.2 * close / 4)
    assert found[1, 1] == pytest.approx((1e-20 * close) ** 2 / 1e-15, rel=1e-3)
    np.testing.assert_allclose(found[:, 2] / close, np.array([0.5, 1.25]) / 1.75 * 0.975, rtol=1e-12)
    np.testing.assert_allclose(found[:, 3:5].sum(axis=0) / close, 1 + MOST_EXCESS * LEAST_FREE, rtol=1e-13)
    np.testing.assert_array_equal(found[:, 5:], c[:, 5:])
    dc[:, 2:5] = 0
    _, crowded = equations.updated(x, delta)
    assert not crowded  # a trace that halves itself in round-off does not keep the iteration going


def test_excess_goes_on_along_its_tangent(charged):
    equations, _ = charged
    free = np.array([0.5, 1e-6, 2 * LEAST_FREE, LEAST_FREE, 0.0, -9 * LEAST_FREE])
    c = np.array([0.25, 0.75])[:, None] * (1 - free) / equations.occupancy[0]
    found = equations.excess(c)
    expected = [*-np.log(free[:4]), 1 - np.log(LEAST_FREE), 10 - np.log(LEAST_FREE)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)  # round-off of c over LEAST_FREE
    np.testing.assert_allclose(found[:2], expected[:2], rtol=0, atol=1e-9)


def test_jacobian_is_the_derivative_beyond_close_packing(charged, monkeypatch):
    """The tangent from a tenth of the volume free: cells on both sides of it, some beyond close packing."""
    equations, state = charged
    monkeypatch.setattr(continuum.mpnp, "LEAST_FREE", 0.1)
    random = np.random.default_rng(2)
    x = state.copy()
    packed = random.random(equations.m) < 0.5
    occupied = np.where(packed, random.uniform(0.92, 1.3, equations.m), random.uniform(0.1, 0.88, equations.m))
    x[equations.n :] = np.concatenate([0.3 * occupied, 0.7 * occupied]) / equations.occupancy[0]
    direction = random.normal(size=x.size)
    history = np.zeros((equations.ions, equations.m))

    def residual(s):
        return equations.residual(x + s * direction, 0.7, history, 0.1)

    h = 1e-4
    expected = (8 * (residual(h) - residual(-h)) - (residual(2 * h) - residual(-2 * h))) / (12 * h)
    found = equations.jacobian(x, 0.7) @ direction
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8 * np.abs(expected).max())
