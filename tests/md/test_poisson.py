"""2D Poisson: analytic charge patterns, and the empty capacitor against theory, by map and by PME."""

from __future__ import annotations

import numpy as np
import openmm
import pytest
from openmm import unit
from scipy import constants

from md.cell import Cell
from md.lattice import sheet
from md.poisson import ChargeMap
from md.sheet_lattice import GRAPHENE

PROBE = 1e-4  # e, so that its own images do not matter


def test_cosine_pattern_and_sign():
    """rho = rho0 cos(kx x) cos(ky y) gives phi = rho exp(-k^2 s^2 / 2) / (eps0 k^2), of the charge's sign."""
    box = np.array([4e-9, 2e-9, 1e-9])
    grid = ChargeMap(box)
    x = np.arange(grid.shape[0])[:, None] * grid.spacing[0]
    y = np.arange(grid.shape[1])[None, :] * grid.spacing[1]
    kx, ky = 2 * np.pi * 3 / box[0], 2 * np.pi * 2 / box[1]
    density = 1e6 * np.cos(kx * x) * np.cos(ky * y)
    k2 = kx**2 + ky**2
    expected = density / (constants.epsilon_0 * k2) * np.exp(-k2 * grid.smoothing**2 / 2)
    np.testing.assert_allclose(grid.solve(density), expected, atol=1e-9 * np.abs(expected).max())


def test_line_charges_against_the_sum_over_images():
    """Two opposite lines: -(lambda / 2 pi eps0) ln r, summed over images in closed form along y, and over x.

    Summed so, the images leave the mean field -P / eps0; conducting surroundings take it away.
    5e-4 covers the bilinear interpolation.
    """
    box = np.array([40e-9, 40e-9, 1e-9])
    grid = ChargeMap(box, grid=0.1e-9, smoothing=0.1e-9)
    positions = np.array([[15e-9, 20e-9, 0.0], [25e-9, 20e-9, 0.0]])
    phi = grid.solve(grid.deposit(positions, np.array([1.0, -1.0]) * constants.e))
    near, far = 15e-9 + np.array([1e-9, 2e-9])
    found = grid.at(phi, np.array([near, far]), np.array([20e-9, 20e-9]))
    scale = constants.e / box[2] / (2 * np.pi * constants.epsilon_0)
    dipole = -constants.e * 10e-9 / box.prod()  # C/m^2, from the minus line to the plus line
    expected = dipole / constants.epsilon_0 * (far - near)
    for sign, place in zip((1, -1), (15e-9, 25e-9), strict=True):  # rows of images along y have a closed form
        images = place + box[0] * np.arange(-40, 41)
        a, b = (np.log(np.abs(np.sinh(np.pi * (end - images) / box[1]))) for end in (near, far))
        expected += sign * scale * float((b - a).sum())
    assert found[0] - found[1] == pytest.approx(expected, rel=5e-4)


def test_deposit_keeps_charge_and_reads_back():
    grid = ChargeMap(np.array([3e-9, 2e-9, 1.5e-9]))
    random = np.random.default_rng(1)
    places = random.uniform(-5e-9, 5e-9, (50, 3))
    charge = random.normal(size=50) * constants.e
    density = grid.deposit(places, charge)
    assert density.sum() * grid.spacing.prod() * 1.5e-9 == pytest.approx(charge.sum(), rel=1e-9)
    plane = np.broadcast_to(np.linspace(0, 1, grid.shape[0])[:, None] ** 0, grid.shape)
    assert grid.at(plane, np.array(1.234e-9), np.array(-0.3e-9)) == pytest.approx(1.0)


def forces_on_probes(sheet_atoms, charge, box, places):
    """Electric field (V/m) along x at `places` (m) by PME on a probe."""
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*(np.diag(box * 1e9)))
    force = openmm.NonbondedForce()
    force.setNonbondedMethod(openmm.NonbondedForce.PME)
    force.setCutoffDistance(0.6)
    force.setEwaldErrorTolerance(1e-5)
    for q in charge:
        system.addParticle(0.0)
        force.addParticle(q, 0.1, 0.0)
    system.addParticle(1.0)
    force.addParticle(PROBE, 0.1, 0.0)
    system.addForce(force)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatform("Reference"))
    found = []
    newton = 1e12 / constants.N_A  # kJ/mol/nm in N
    for place in places:
        context.setPositions(np.vstack([sheet_atoms, place]) * 1e9)
        forces = context.getState(getForces=True).getForces(asNumpy=True)
        pull = forces[-1].value_in_unit(unit.kilojoule_per_mole / unit.nanometer)
        found.append(pull[0] * newton / (PROBE * constants.e))
    return np.array(found)


def test_closed_capacitor_has_the_analytic_field_and_none_outside():
    """Plates + - - + : sigma/eps0 between + and -, nothing between the images, to 1e-3 of sigma/eps0."""
    flat = sheet(GRAPHENE, 6, 6)
    box = np.array([8e-9, 6 * GRAPHENE.chain_width, 6 * GRAPHENE.chain_period])
    x = np.array([1e-9, 3e-9, 5e-9, 7e-9])
    sign = np.array([1, -1, -1, 1])
    sheet_atoms = np.concatenate([np.column_stack([np.full(len(flat), a), flat]) for a in x])
    charge = np.repeat(sign, len(flat)) * 0.041
    sigma = len(flat) * 0.041 * constants.e / (box[1] * box[2])
    field = sigma / constants.epsilon_0
    places = np.array([[2e-9, 0.3e-9, 0.2e-9], [4e-9, 0.1e-9, 0.5e-9], [6e-9, 0.0, 0.0], [0.0, 0.4e-9, 0.1e-9]])
    expected = field * np.array([1, 0, -1, 0])
    np.testing.assert_allclose(forces_on_probes(sheet_atoms, charge, box, places), expected, atol=1e-3 * field)
    grid = ChargeMap(box)
    phi = grid.solve(grid.deposit(sheet_atoms, charge * constants.e))
    step = 0.4e-9
    ahead, behind = (grid.at(phi, places[:, 0] + s, places[:, 1]) for s in (step, -step))
    np.testing.assert_allclose(-(ahead - behind) / (2 * step), expected, atol=1e-3 * field)


def test_no_field_acts_across_images_of_the_cell(config):
    """Empty cell: Gauss's law with zero field on the walls fixes the mean field on the mid-planes, by PME and map."""
    cell = Cell(config)
    charge = cell.sheet_atoms["sign"] * config.charge_per_carbon
    held = cell.electrode_charge / 2 * constants.e / (cell.box[1] * cell.box[2])  # per face
    expected = held / constants.epsilon_0 * np.array([-1, 1])  # at x = 0 the positive electrode lies to the right
    y = np.arange(4) / 4 * cell.box[1]  # four points leave harmonics of the ribbons below 1e-4
    planes = np.array([0.0, cell.box[0] / 2])
    places = [(x, a, 0.0) for x in planes for a in y]
    field = forces_on_probes(cell.sheet_atoms["positions"], charge, cell.box, places).reshape(2, -1).mean(axis=1)
    np.testing.assert_allclose(field, expected, rtol=1e-3)
    grid = ChargeMap(cell.box)
    phi = grid.solve(grid.deposit(cell.sheet_atoms["positions"], charge * constants.e)).mean(axis=1)
    across = np.interp(cell.box[0] / 2 + np.array([-0.2e-9, 0.2e-9]), np.arange(grid.shape[0]) * grid.spacing[0], phi)
    assert -np.diff(across)[0] / 0.4e-9 == pytest.approx(expected[1], rel=1e-3)
    drop = phi[round(cell.walls[0] / grid.spacing[0])] + phi[round(cell.walls[1] / grid.spacing[0])]
    assert abs(drop) < 1e-2 * abs(phi).max()  # the electrodes are each other's mirror image
