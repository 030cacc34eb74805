"""The closed cell of molecular dynamics where water screens little: thousands of kT/e and close packing."""

import numpy as np
import pytest
from scipy import constants

from continuum import ContinuumConfig, Frames, TransSlitFlux, run
from continuum.integrator import Instant, TimeIntegrator
from continuum.mpnp import ModifiedPNP
from continuum.trans_slit_flux import PlaneCurrents
from transslit import ChargeStep, SlitNetwork
from transslit.progress import Progress
from transslit.record import PARTS

QUIET = Progress(quiet=True)
SIGMA = 0.2508  # C/m^2 on each side of a sheet: 0.041 e per carbon
MATCHED = SlitNetwork(slit=0.59e-9, layers=4, slit_length=1.491e-9, edge_gap=0.5325e-9, reservoir_length=1.5e-9)
SURFACE = {4.0: 7e-11, 2.0: 1e-10}  # m; a mesh on which the cell is filled within some seconds of processor time


def matched(kcl, permittivity, duration, **settings):
    """0.59 nm, 1 M: the cell that `validate` compares with atoms."""
    return ContinuumConfig(
        network=MATCHED, electrolyte=kcl, concentration=1576.9, drive=ChargeStep(sigma=SIGMA, duration=duration),
        cell="full", permittivity=permittivity, **settings,
    )  # fmt: skip


def columns(table, column, replica):
    return table[table["replica"] == replica].pivot_table(index="time_s", columns="i", values=column).to_numpy()


def assert_gauss(frames):
    """In every frame the flux of eps E through every plane x = const is the charge behind it, to 1e-10 of a wall's."""
    equations, mesh = frames.equations, frames.equations.mesh
    faces, faraday = mesh.inner, constants.value("Faraday constant")
    across = faces[faces.axis == 0]
    between = equations.between[faces.axis == 0]
    plane = np.searchsorted(mesh.x_lines, across.position[0] - 1e-15)
    column = np.searchsorted(mesh.x_lines, mesh.centres[0]) - 1
    for frame in frames:
        psi = frame.phi / equations.thermal_voltage
        through = between * (psi[across.lower] - psi[across.upper]) * equations.charge_unit
        charge = mesh.sheet_area * frame.drive
        charge[mesh.ion_cells] += faraday * (equations.z @ frame.c) * mesh.volumes[mesh.ion_cells]
        inside = np.bincount(column, charge)
        flux = np.bincount(plane, through, inside.size + 1)[1:-1]
        np.testing.assert_allclose(flux, np.cumsum(inside)[:-1], rtol=0, atol=1e-10 * SIGMA * MATCHED.slit_length)
        assert abs(inside.sum()) < 1e-10 * SIGMA * MATCHED.slit_length


def midplane_flux(frames, frame):
    """Flux of eps E (C/m) from the positive to the negative electrode through the middle of the cell."""
    equations, mesh = frames.equations, frames.equations.mesh
    faces = mesh.inner
    middle = (faces.axis == 0) & (np.abs(faces.position[0] - mesh.length / 2) < 1e-15)
    drop = (frame.phi[faces.lower] - frame.phi[faces.upper])[middle]
    return equations.between[middle] @ drop * constants.epsilon_0


@pytest.mark.parametrize(("permittivity", "duration"), [(4.0, 1.7e-13), (2.0, 8e-14)])
def test_matched_cell_of_low_permittivity(kcl, tmp_path, permittivity, duration):
    """The mesh that `validate` takes, from the step to the first layers near close packing; every step is a frame.

    Round-off of such potentials neither fails a step nor costs a factorisation; nothing is lost; what a slit gains is
    what crosses its planes; the parts of every current add up.
    """
    steps = {"record_interval": 1e-15, "record_growth": 1.02, "first_step": 2e-15, "step_tolerance": 1.0}
    config = matched(kcl, permittivity, duration, **steps)
    record = run(config, tmp_path, QUIET)
    with Frames(tmp_path) as frames:
        assert_gauss(frames)
        assert np.abs(frames[0].phi).max() > 2500 * frames.equations.thermal_voltage
        assert max(frames.equations.occupied(frame.c / frames.equations.c_unit).max() for frame in frames) > 0.9
        entrance = TransSlitFlux(frames).run().results.entrance
        times = frames.times
    assert times[-1] == pytest.approx(duration)
    assert record.metadata["retries"] == []
    assert record.metadata["factorisations"] < record.metadata["steps"]
    assert record.metadata["ion_drift"] < 1e-12
    assert record.metadata["steps"] == times.size - 1
    table = record.crossings
    np.testing.assert_allclose(table[list(PARTS)].sum(axis=1), table["I_A_per_m"], rtol=0, atol=1e-12)
    for replica in (0, 1):
        outer = entrance[entrance["replica"] == replica]["I_A_per_m"].to_numpy()
        current = np.column_stack([outer, columns(table, "I_A_per_m", replica), np.zeros(times.size)])
        gained = np.diff(columns(record.slits, "Q_C_per_m", replica), axis=0) / np.diff(times)[:, None]
        crossed = current[1:, 1:] - current[1:, :-1]
        np.testing.assert_allclose(gained, crossed, rtol=0, atol=1e-8 * np.abs(gained).max())


@pytest.mark.parametrize("permittivity", [4.0, 2.0])
def test_cell_fills_through_close_packing(kcl, tmp_path, permittivity):
    """2 ns on a coarser mesh: mu passes 27 kT where the field presses ions against walls, until it has gone."""
    config = matched(kcl, permittivity, 2e-9, record_growth=1.05, surface_cell=SURFACE[permittivity])
    record = run(config, tmp_path, QUIET)
    assert record.metadata["retries"] == []
    table = record.crossings[list(PARTS)]
    np.testing.assert_allclose(table.sum(axis=1), record.crossings["I_A_per_m"], rtol=0, atol=1e-12)
    assert record.metadata["ion_drift"] < 1e-12
    with Frames(tmp_path) as frames:
        assert frames.complete
        assert frames.times[-1] == pytest.approx(2e-9)
        assert_gauss(frames)
        equations = frames.equations
        occupied = np.array([equations.occupied(frame.c / equations.c_unit).max() for frame in frames])
        middle = np.array([midplane_flux(frames, frame) for frame in (frames[0], frames[-1])])
    assert 1 - 1e-12 < occupied.max() < 1 + 1e-9
    assert occupied[-1] < 1 - 1e-6
    assert abs(middle[1]) < 1e-6 * middle[0]  # the ions have taken up the sheets' charge


def test_parts_add_up_beyond_close_packing(kcl):
    """Cells with mu of 30 to 300 kT on both sides of a plane: the parts are finite and add up to the current."""
    equations = ModifiedPNP(matched(kcl, 2.0, 1e-12, surface_cell=1e-10))
    faces, random = equations.inner_ion_faces, np.random.default_rng(1)
    chosen = np.flatnonzero((faces.axis == 0) & (np.abs(faces.position[0] - MATCHED.sheet_centres[0]) < 1e-15))
    x = equations.uniform(SIGMA)
    share = random.uniform(0.2, 0.8, equations.m)
    occupied = 1 + random.uniform(2e-12, 270e-12, equations.m)
    equations.split(x)[1][:] = np.array([share, 1 - share]) * occupied / equations.occupancy[0]
    ones = np.ones(chosen.size)
    total, *parts = PlaneCurrents(equations, chosen, np.zeros(chosen.size, int), ones, 1)(x)
    assert np.isfinite(parts).all()
    assert abs(parts[2][0]) > 0
    np.testing.assert_allclose(np.sum(parts, axis=0), total, rtol=0, atol=1e-13 * np.abs(parts).max())


def test_guess_keeps_every_ion_and_crowds_no_cell(kcl, tmp_path):
    """psi and ln c are extrapolated where there is room; a full cell keeps its ions, the others make up for it."""
    integrator = TimeIntegrator(matched(kcl, 4.0, 1e-12, surface_cell=2e-10), tmp_path)
    equations, start = integrator.equations, integrator.past[0].x
    _, c = equations.split(start)
    slope = np.linspace(-0.2, 0.2, c.size).reshape(c.shape)
    slope[:, 5] = 5.0  # e-fold per step: would fill the cell thirty-fold
    past = []
    for n in range(3):
        x = start.copy()
        x[: equations.n] *= 1 + 0.1 * n
        equations.split(x)[1][:] *= np.exp((n - 2) * slope)
        past.append(Instant(n * 1e-15, x, SIGMA))
    integrator.past = past[::-1]
    guess = integrator._extrapolate(3e-15, order=2)
    psi, found = equations.split(guess)
    np.testing.assert_allclose(psi, 1.3 * start[: equations.n], rtol=1e-12, atol=1e-9)
    np.testing.assert_array_equal(found[:, 5], c[:, 5])
    others = np.delete(found / (c * np.exp(slope)), 5, axis=1)
    assert np.ptp(others, axis=1).max() < 1e-12  # one factor for each ion
    np.testing.assert_allclose(found @ equations.ion_volumes, c @ equations.ion_volumes, rtol=1e-13)
