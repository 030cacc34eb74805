"""The equations in time and space: charging time, orders of convergence, and FiPy's own terms."""

import numpy as np
import pytest
import sympy
from fipy import CellVariable, DiffusionTerm, ImplicitSourceTerm, TransientTerm
from fipy.solvers.scipy import LinearLUSolver
from scipy import constants
from scipy.optimize import brentq

from continuum import ContinuumConfig, Frames, run
from continuum.mesh import NM
from continuum.mpnp import ModifiedPNP
from continuum.newton import Newton
from transslit import SlitNetwork, TriangularCV
from transslit.progress import Progress

from .conftest import alike, flat_wall

QUIET = Progress(quiet=True)


def test_charging_time(kcl, tmp_path):
    """The slowest mode of the linearised equations: tau = lambda_D L / D for lambda_D << L, to 2 %.

    Exactly, tanh(k L) = L k / (tau D kappa^2) with k^2 = kappa^2 - 1/(D tau), for a wall without Stern layer.
    """
    diffusion, concentration = 2e-9, 100.0
    salt = alike(kcl.with_diameter(1e-12), diffusion)
    debye = salt.debye_length(concentration)
    length = 100 * debye
    simple = debye * length / diffusion

    def missing(tau):
        k = np.sqrt(1 / debye**2 - 1 / (diffusion * tau))
        return np.tanh(k * length) - length * k * debye**2 / (tau * diffusion)

    exact = brentq(missing, 0.8 * simple, 1.2 * simple)
    window = 1e-4  # V, linear
    drive = TriangularCV(scan_rate=window / (6 * simple), window=window)
    config = flat_wall(
        salt,
        concentration=concentration,
        length=length,
        stern_thickness=0.0,
        drive=drive,
        steps=240,
        surface_cell=debye / 20,
        growth=1.1,
    )
    record = run(config, tmp_path, QUIET)
    times, current = (record.terminal[name].to_numpy() for name in ("time_s", "I_m_A_per_m"))
    rising = (times > 1.5 * simple) & (times <= drive.half_period)
    # Towards its plateau the current's increments shrink, per backward Euler step, by 1 / (1 + dt / tau).
    step = times[1]
    increments = np.diff(current[rising])
    ratio = np.exp(np.polyfit(np.arange(increments.size), np.log(increments), 1)[0])
    measured = step / (1 / ratio - 1)
    assert measured == pytest.approx(exact, rel=5e-3)
    assert measured == pytest.approx(simple, rel=0.02)


@pytest.mark.parametrize(("scheme", "order"), [("euler", 1), ("bdf2", 2)])
def test_order_in_time(kcl, tmp_path, scheme, order):
    """Charge at the turn of a ramp fast enough that the wall lags behind."""
    charges = []
    for steps in (40, 80, 160):
        drive = TriangularCV(scan_rate=2e7, window=0.2)
        config = flat_wall(kcl, drive=drive, steps=steps, scheme=scheme, surface_cell=1e-10)
        folder = tmp_path / str(steps)
        run(config, folder, QUIET)
        with Frames(folder) as frames:
            charges.append(frames[steps // 2].electrode_charge)
    observed = np.log2((charges[1] - charges[0]) / (charges[2] - charges[1]))
    assert observed == pytest.approx(order, abs=0.25)


def test_adaptive_steps_agree_with_fixed_ones(kcl, small, tmp_path):
    """The same charge at the turn, from steps that the solution chooses."""
    drive = TriangularCV(scan_rate=1e6, window=0.4)
    config = ContinuumConfig(network=small, electrolyte=kcl, drive=drive, steps=200, surface_cell=1e-10)
    charge = {}
    for stepping in ("fixed", "adaptive"):
        folder = tmp_path / stepping
        run(config.model_copy(update={"stepping": stepping}), folder, QUIET)
        with Frames(folder) as frames:
            turn = int(np.argmax([frame.drive for frame in frames]))
            charge[stepping] = frames[turn].electrode_charge
            assert frames[turn].drive == pytest.approx(0.2)
            count = len(frames)
    assert charge["adaptive"] == pytest.approx(charge["fixed"], rel=1e-3)
    assert count < 201


def test_stock_fipy_terms_agree_at_low_potential(kcl, small):
    """One implicit step of the linearised equations by FiPy's own terms, on the same mesh."""
    salt = kcl.with_diameter(1e-12)
    config = ContinuumConfig(network=small, electrolyte=salt, surface_cell=1e-10)
    equations = ModifiedPNP(config)
    potential, step = 1e-5, 0.2  # V; ns
    x = equations.uniform(0.0)
    x = Newton(equations).solve(x, 1 / step, equations.split(x)[1] / step, potential)[0]
    psi_found, c_found = equations.split(x)

    mesh, slit_mesh = equations.mesh.fipy, equations.mesh
    eps = config.relative_permittivity
    volumes = np.asarray(mesh.cellVolumes)
    wall = np.zeros(mesh.numberOfCells)
    faces = slit_mesh.electrode
    series = config.stern_thickness / config.relative_stern_permittivity + faces.to_lower / eps
    np.add.at(wall, faces.lower, faces.area / series)
    right = np.asarray(mesh.faceCenters)[0] > slit_mesh.length / NM - 1e-6
    psi = CellVariable(mesh=mesh, value=0.0)
    ions = [CellVariable(mesh=mesh, value=0.0, hasOld=True) for _ in equations.z]  # deviations from the bulk
    for variable in (psi, *ions):
        variable.constrain(0.0, where=right)
    wall_term = CellVariable(mesh=mesh, value=wall / volumes)
    driven = wall_term * (potential / equations.thermal_voltage)
    charge = sum(
        ImplicitSourceTerm(coeff=equations.poisson_charge * z, var=c) for z, c in zip(equations.z, ions, strict=True)
    )
    system = DiffusionTerm(coeff=eps, var=psi) - ImplicitSourceTerm(coeff=wall_term, var=psi) + charge + driven == 0
    for z, d, bulk, c in zip(equations.z, equations.D, equations.bulk, ions, strict=True):
        system = system & (
            TransientTerm(var=c) == DiffusionTerm(coeff=d, var=c) + DiffusionTerm(coeff=d * z * bulk, var=psi)
        )
    for _ in range(20):  # FiPy puts part of an implicit source between variables on the right-hand side
        system.sweep(dt=step, solver=LinearLUSolver(tolerance=1e-14, iterations=20))
    # Nonlinear terms are of the order of psi = 4e-4.
    np.testing.assert_allclose(psi_found, psi.value, rtol=0, atol=1e-3 * psi.value.max())
    for k, c in enumerate(ions):
        deviation = c_found[k] - equations.bulk[k]
        np.testing.assert_allclose(deviation, c.value, rtol=0, atol=1e-3 * np.abs(c.value).max())


class Manufactured:
    """Fields that satisfy every boundary condition of a flat wall, and the sources that make them a solution."""

    def __init__(self, equations: ModifiedPNP, length: float, height: float) -> None:
        x, y, t = sympy.symbols("x y t")
        s, wave = x / length, sympy.cos(sympy.pi * y / height)
        swing = 1 + sympy.sin(t)
        self.wall = sympy.lambdify(t, 2 * swing)
        psi = 2 * swing * (1 - s**2) ** 2 + 8 * swing * s**2 * (1 - s) ** 2 * wave
        c = [
            bulk + (1 - s**2) ** 2 * (0.3 * z * swing + 0.2 * sympy.cos(t) * wave)
            for bulk, z in zip(equations.bulk, equations.z, strict=True)
        ]
        mu = -sympy.log(1 - sum(v * k for v, k in zip(equations.occupancy, c, strict=True)))
        eps, kappa = equations.config.relative_permittivity, equations.poisson_charge
        charge = -eps * (psi.diff(x, 2) + psi.diff(y, 2))
        charge -= kappa * sum(z * k for z, k in zip(equations.z, c, strict=True))
        sources = [charge]
        for z, d, k in zip(equations.z, equations.D, c, strict=True):
            flux = [-d * (k.diff(r) + k * (z * psi + mu).diff(r)) for r in (x, y)]
            sources.append(k.diff(t) + flux[0].diff(x) + flux[1].diff(y))
        self.fields = [sympy.lambdify((x, y, t), field) for field in (psi, *c)]
        self.sources = [sympy.lambdify((x, y, t), source) for source in sources]


def test_manufactured_solution_in_two_dimensions(kcl):
    """Order of the transient, coupled, nonlinear system in space and (BDF2) in time, refined together."""
    errors = []
    for refinement in (1, 2, 4):
        network = SlitNetwork(slit=1e-9, layers=1, slit_length=1.2e-9, reservoir_length=1.5e-9)
        config = ContinuumConfig(
            network=network, electrolyte=kcl, surface_cell=6e-11, bulk_cell=1.5e-10, refinement=refinement
        )
        equations = ModifiedPNP(config)
        x, y = equations.mesh.centres / NM
        made = Manufactured(equations, network.reservoir_length / NM, network.slit_length / NM)

        def exact(t, made=made, x=x, y=y):
            return np.concatenate([field(x, y, t) for field in made.fields])

        plain = equations.residual
        steps = 4 * refinement
        dt = 0.4 / steps  # ns
        newton = Newton(equations)
        previous, now = exact(-dt), exact(0.0)
        for n in range(1, steps + 1):
            t = n * dt
            source = np.concatenate([equations.volumes * s(x, y, t) for s in made.sources])
            equations.residual = lambda *args, plain=plain, source=source: plain(*args) - source
            history = (2 * equations.split(now)[1] - 0.5 * equations.split(previous)[1]) / dt
            wall = made.wall(t) * equations.thermal_voltage
            previous, now = now, newton.solve(now, 1.5 / dt, history, wall)[0]
        miss = now - exact(t)
        weights = np.tile(equations.volumes, 3) / equations.volumes.sum()
        errors.append(np.sqrt(weights @ miss**2))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders[-1] > 1.9, (errors, orders)


def test_units_of_the_scaled_equations(kcl):
    """A closed form that uses none of the scaling: the charge of a weakly charged wall is eps phi / lambda_D."""
    config = flat_wall(kcl.with_diameter(1e-12), stern_thickness=0.0, surface_cell=1e-11, growth=1.1)
    equations = ModifiedPNP(config)
    x = equations.uniform(0.0)
    x = Newton(equations).solve(x, 0.0, np.zeros((2, equations.m)), 1e-4)[0]
    debye = np.sqrt(78.4 * constants.epsilon_0 * constants.k * 298.15 / (2 * 1000 * constants.N_A * constants.e**2))
    expected = 78.4 * constants.epsilon_0 / debye * 1e-4 * config.network.slit_length
    assert equations.electrode_charge(x, 1e-4) == pytest.approx(expected, rel=1e-3)
