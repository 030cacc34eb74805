"""Unequal valences and mobilities: calcium chloride and others against one-dimensional references of their own."""

import numpy as np
import pytest
from scipy import constants
from scipy.integrate import solve_ivp

from continuum import Frames, OpenSpaceFlux, run
from continuum.frames import write_frames
from continuum.mpnp import ModifiedPNP
from continuum.newton import Newton
from continuum.open_space_flux import junction
from continuum.trans_slit_flux import PlaneCurrents
from transslit import TriangularCV, load_electrolyte
from transslit.ions import Sourced
from transslit.progress import Progress

from .conftest import equilibrium, flat_wall, wall_charge_at_rest


def wall_charge(salt, concentration, length, stern, rate, times, cells=80):
    """Charge (C/m^2) on a wall at x = 0 whose potential rises at `rate` (V/s), bulk at x = `length`; `times` in s.

    Modified Poisson-Nernst-Planck by central differences on cells that grow from the wall, implicit in time (scipy's
    BDF): another flux, another grid and another integrator than the package's, of which nothing is used here.
    """
    ratio = np.exp(np.linspace(0, np.log(40.0), cells))
    size = ratio * length / ratio.sum()
    between = (size[1:] + size[:-1]) / 2
    z, diffusion, bulk = salt.valences, salt.diffusion_coefficients, salt.bulk(concentration)
    eps = salt.solvent.permittivity.value * constants.epsilon_0
    thermal, faraday = constants.k * salt.temperature / constants.e, constants.e * constants.N_A
    # Poisson: a wall conductance through the Stern layer and half a cell, the bulk's 0 V half a cell beyond the last.
    links = eps / np.concatenate([[stern + size[0] / 2], between, [size[-1] / 2]])
    poisson = np.diag(links[1:] + links[:-1]) - np.diag(links[1:-1], 1) - np.diag(links[1:-1], -1)
    inverse = np.linalg.inv(poisson)

    def potential(c, wall):
        source = faraday * size * (z @ c)
        source[0] += links[0] * wall
        return inverse @ source

    def change(time, flat):
        c = flat.reshape(len(z), cells) * bulk[:, None]
        psi = potential(c, rate * time) / thermal
        mu = -np.log1p(-(salt.molar_volumes @ c))
        gap, bulk_mu = size[-1] / 2, -np.log1p(-(salt.molar_volumes @ bulk))
        rows = []
        for k in range(len(z)):
            drive = z[k] * psi + mu
            inner = -diffusion[k] * (np.diff(c[k]) + (c[k, 1:] + c[k, :-1]) / 2 * np.diff(drive)) / between
            end = -diffusion[k] * ((bulk[k] - c[k, -1]) + (bulk[k] + c[k, -1]) / 2 * (bulk_mu - drive[-1])) / gap
            rows.append(-np.diff(np.concatenate([[0.0], inner, [end]])) / size / bulk[k])
        return np.concatenate(rows)

    found = solve_ivp(change, (0, times[-1]), np.ones(len(z) * cells), method="BDF", t_eval=times, rtol=1e-5, atol=1e-7)
    states = found.y.T.reshape(len(times), len(z), cells) * bulk[:, None]
    return np.array([links[0] * (rate * t - potential(c, rate * t)[0]) for t, c in zip(times, states, strict=True)])


def test_charging_of_calcium_chloride_is_that_of_one_dimension(tmp_path):
    """A ramp to 0.1 V within some charging times, CaCl2 at 0.3 M with its own valences and mobilities: 0.1 %.

    Exchanged mobilities would be seen as 2 to 9 %, ions without size as up to 2 %; the reference is good to 1e-4.
    """
    salt = load_electrolyte("CaCl2")
    concentration, length, stern, rate = 300.0, 6e-9, 0.3e-9, 1e7
    drive = TriangularCV(scan_rate=2 * rate, window=0.2)
    config = flat_wall(
        salt, concentration=concentration, length=length, stern_thickness=stern, drive=drive, steps=100,
        scheme="bdf2", surface_cell=1e-11, growth=1.1,
    ).model_copy(update={"bulk_cell": 0.1e-9})  # fmt: skip
    run(config, tmp_path, Progress(quiet=True))
    with Frames(tmp_path) as frames:
        rising = [frame for frame in frames if 0.3 < frame.time / drive.half_period <= 1 + 1e-9]
    chosen = rising[:: len(rising) // 5]
    times = np.array([frame.time for frame in chosen])
    charge = np.array([frame.electrode_charge for frame in chosen]) / config.network.slit_length
    expected = wall_charge(salt, concentration, length, stern, rate, times)
    np.testing.assert_allclose(charge, expected, rtol=1e-3)


def test_double_layer_of_the_ionic_liquid_is_bikermans():
    """Ions that fill 72 % of the liquid, 5 to 200 mV: to 0.3 %, of which the cells leave 0.2 %."""
    salt = load_electrolyte("BMIM-PF6")
    config = flat_wall(salt, concentration=salt.concentration, length=10e-9, growth=1.1)
    potentials = np.array([0.005, 0.05, 0.2])
    equations, found = equilibrium(config, potentials)
    for x, potential in zip(found, potentials, strict=True):
        charge = equations.electrode_charge(x, potential) / config.network.slit_length
        assert charge == pytest.approx(wall_charge_at_rest(config, potential), rel=3e-3)


@pytest.fixture(params=["9:1", "CaCl2", "LiCl"])
def gradient(request):
    """`gradient(stern)`: ions of unequal D, from 0.3 M at a wall to 1 M 21 nm off, and the plane half-way there."""
    name = request.param
    salt = load_electrolyte("KCl" if name == "9:1" else name).with_diameter(1e-12)
    if name == "9:1":
        ions = [
            ion.model_copy(update={"diffusion_coefficient": Sourced[float](value=value, source="chosen for a test")})
            for ion, value in zip(salt.ions, (9e-9, 1e-9), strict=True)
        ]
        salt = salt.model_copy(update={"ions": tuple(ions)})
    length = 30e-9

    def made(stern):
        config = flat_wall(salt, concentration=1000.0, length=length, stern_thickness=stern)
        equations = ModifiedPNP(config.model_copy(update={"bulk_cell": 0.3e-9}))
        x = equations.uniform(0.0)
        depth = equations.mesh.centres[0, equations.mesh.ion_cells]
        c = equations.split(x)[1]
        c *= 0.3 + 0.7 * np.clip((depth - 0.3 * length) / (0.4 * length), 0, 1)  # bulk salt diffuses towards the wall
        return equations, x, plane(equations, length / 2)

    return made


def plane(equations, place):
    """The grid plane nearest to `place` (m), as one group of currents."""
    faces = equations.inner_ion_faces
    line = equations.mesh.x_lines[np.argmin(np.abs(equations.mesh.x_lines - place))]
    chosen = np.flatnonzero((faces.axis == 0) & (np.abs(faces.position[0] - line) < 1e-15))
    return PlaneCurrents(equations, chosen, np.zeros(chosen.size, dtype=int), np.ones(chosen.size), 1)


def advanced(equations, x, potential, steps=20):
    """Some 0.2 ns on, of ions of 9e-9 m^2/s; `potential` in V."""
    newton, step = Newton(equations), 1e-2 * 9e-9 / equations.config.electrolyte.diffusion_coefficients.max()  # ns
    for _ in range(steps):
        x = newton.solve(x, 1 / step, equations.split(x)[1] / step, potential)[0]
    return x


def test_liquid_junction_is_not_taken_for_migration_of_charge(gradient):
    """Unequal D in a gradient of salt, no charge on the wall: the diffusion potential's migration cancels diffusion.

    I = 0 on every plane while ions move: migration and diffusion of charge are equal and opposite, all of migration is
    the junction's, and phi rises by (kT/e) (D+ - D-)/(z+ D+ + |z-| D-) ln(c1/c2) from the dense side 2 to the dilute
    side 1 (Henderson).
    """
    equations, x, middle = gradient(1e-3)  # a Stern layer so thick that no charge comes
    x = advanced(equations, x, 0.0)
    total, migration, diffusion, _, _ = middle(x)[:, 0]
    assert abs(total) < 0.02 * abs(diffusion)
    assert migration == pytest.approx(-diffusion, rel=0.02)
    assert junction(middle, x)[0] == pytest.approx(migration, rel=0.02)
    psi, c = equations.split(x)
    salt, depth = equations.config.electrolyte, equations.mesh.centres[0, equations.mesh.ion_cells]
    z, d = salt.valences, salt.diffusion_coefficients
    assert np.sign(diffusion) == np.sign(d[1] - d[0])  # the faster ion leads the salt towards the wall, at lower x
    where = equations.mesh.ion_cells
    a, b = (np.argmin(np.abs(depth - place)) for place in (12e-9, 18e-9))
    expected = -(d[0] - d[1]) / (np.abs(z) @ d) * np.log(c[0, b] / c[0, a])
    assert psi[where[b]] - psi[where[a]] == pytest.approx(expected, rel=0.03)


def test_currents_of_the_open_space_have_the_junction_apart(gradient, tmp_path):
    """The same as frames: the junction cancels diffusion, and of migration nothing else is left."""
    equations, x, _ = gradient(1e-3)
    phi, c = equations.to_si(advanced(equations, x, 0.0))
    rest = dict.fromkeys(("time_s", "drive", "I_m_A_per_m", "electrode_C_per_m"), np.zeros(1))
    fields = {"phi_V": phi[None], "c_mol_per_m3": c[None]}
    write_frames(tmp_path / "frames.h5", equations.config, {**rest, **fields}, True)
    with Frames(tmp_path) as frames:
        table = OpenSpaceFlux(frames, [15e-9]).run().results.table
    (row,) = table.to_dict("records")
    assert row["x_m"] == pytest.approx(15e-9, abs=0.3e-9)
    size = abs(row["I_diffusion_A_per_m"])
    assert row["I_junction_A_per_m"] == pytest.approx(-row["I_diffusion_A_per_m"], rel=0.02)
    assert abs(row["I_migration_A_per_m"]) < 0.02 * size
    assert abs(row["I_A_per_m"]) < 0.02 * size


def test_migration_without_the_junction_is_what_the_voltage_drives(gradient):
    """The same gradient while 0.1 V charge the wall: in neutral salt, all of the current and nothing else."""
    equations, x, middle = gradient(0.3e-9)
    x = advanced(equations, x, 0.1)
    total, migration, *_ = middle(x)[:, 0]
    drift = junction(middle, x)[0]
    assert migration - drift == pytest.approx(total, rel=0.02)
    assert abs(drift) > 0.1 * abs(total)


@pytest.mark.parametrize("name", ["LiCl", "CaCl2"])
def test_a_double_layer_at_rest_has_no_junction(name):
    """Its gradients are of charge, whatever the mobilities, sizes and valences: to round-off of the migration in it."""
    config = flat_wall(load_electrolyte(name), concentration=1000.0)
    equations, (x,) = equilibrium(config, np.array([0.2]))
    middle = plane(equations, 2 * config.electrolyte.debye_length(1000.0))
    _, migration, diffusion, _, _ = middle(x)[:, 0]
    assert diffusion == pytest.approx(-migration, rel=0.5)
    assert abs(junction(middle, x)[0]) < 1e-8 * abs(migration)
