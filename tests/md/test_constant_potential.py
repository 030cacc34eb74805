"""Constant potential: parallel plates against theory, and real runs whose charges are those of their frames.

A plate of sheet atoms with Gaussian charges of width w is not a uniform sheet: at its own sheet atoms its potential is
higher by sigma Lambda / (2 eps0), with the lattice sum over the plate's reciprocal vectors G (k sheet atoms a cell)

    Lambda = sum_(G != 0) |S(G)|^2 erfc(G w / sqrt 2) / G - w sqrt(2 / pi),    S(G) = (1/k) sum_j exp(i G.r_j),

from the mutual potential q erf(r / (sqrt 2 w)) / (4 pi eps0 r) of two such charges. Uniform plates with fields
E_1 and E_2 on both faces carry sigma = eps0 (E_1 + E_2).
"""

from __future__ import annotations

import mdtraj
import numpy as np
import openmm
import pytest
from openmm import unit
from scipy import constants, special

from md import constant_potential
from md.cell import GAUSSIAN_WIDTH, Cell
from md.constant_potential import add_constant_potential, electrodes_of
from md.forcefield import build_system, topology
from md.lattice import sheet
from md.propagate import simulation
from md.replica import drive_of, run_replica
from md.sheet_lattice import GRAPHENE
from md.stage import analyse, describe
from transslit.progress import Progress

FLAT = sheet(GRAPHENE, 6, 6)
SIDES = np.array([6 * GRAPHENE.chain_width, 6 * GRAPHENE.chain_period])
AREA = SIDES.prod()
VOLTAGE = 2.0
WIDTH = GAUSSIAN_WIDTH * 1e9  # nm
PROBE = 1e-4  # e, so that what it induces does not matter
# Planes (m) of the positive and of the negative electrode in a box of 8 nm, and the gaps' middles.
UNEQUAL = ([1e-9], [3e-9], [2e-9, 6e-9])
CLOSED = ([1e-9, 2e-9], [5e-9, 6e-9], [3.5e-9, 7.5e-9, 1.5e-9, 5.5e-9])


def lattice_sum(width: float) -> float:
    """Lambda in m; terms beyond erfc(6) are dropped."""
    m = np.arange(-70, 71)
    gx, gy = (part.ravel() for part in np.meshgrid(*(2 * np.pi * m / side for side in SIDES), indexing="ij"))
    g = np.hypot(gx, gy)
    kept = (g > 0) & (g * width < 6 * np.sqrt(2))
    phase = np.exp(1j * (gx[kept, None] * FLAT[:, 0] + gy[kept, None] * FLAT[:, 1])).mean(axis=1)
    terms = np.abs(phase) ** 2 * special.erfc(g[kept] * width / np.sqrt(2)) / g[kept]
    return float(terms.sum() - width * np.sqrt(2 / np.pi))


def capacitor(planes, width=WIDTH):
    """Charges (e) by plate and the field (V/m) at the gaps' middles, plates at +-VOLTAGE/2."""
    positive, negative, middles = planes
    box = np.array([8e-9, *SIDES])
    sheet_atoms = np.concatenate([np.column_stack([np.full(len(FLAT), x), FLAT]) for x in (*positive, *negative)])
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*np.diag(box * 1e9))
    force = openmm.NonbondedForce()
    force.setCutoffDistance(0.6)
    force.setEwaldErrorTolerance(1e-5)
    for charge in (*np.zeros(len(sheet_atoms)), PROBE):
        system.addParticle(1.0)
        force.addParticle(charge, 0.1, 0.0)
    system.addForce(force)
    split = len(positive) * len(FLAT)
    electrodes = [np.arange(split), np.arange(split, len(sheet_atoms))]
    metal = add_constant_potential(system, electrodes, VOLTAGE, width)
    metal.setConstantPotentialMethod(metal.CG)  # quicker than the matrix where the atoms are few
    metal.setCGErrorTolerance(1e-3)
    metal.setChargeConstraintTarget(PROBE)
    context = openmm.Context(
        system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatform("CPU"), {"Threads": "1"}
    )
    field = []
    for x in middles:
        context.setPositions(np.vstack([sheet_atoms, [x, 0.03e-9, 0.05e-9]]) * 1e9)
        pull = context.getState(getForces=True).getForces(asNumpy=True)[-1, 0]
        newton = pull.value_in_unit(unit.kilojoule_per_mole / unit.nanometer) * 1e12 / constants.N_A
        field.append(newton / (PROBE * constants.e))
    charge = unit.Quantity(metal.getCharges(context)).value_in_unit(unit.elementary_charge)
    return np.array(charge[:-1]).reshape(-1, len(FLAT)), np.array(field)


@pytest.mark.parametrize("width", [WIDTH, 0.1])
def test_two_plates_a_capacitor_on_each_side(width):
    """Gaps of 2 and 6 nm, through the image: the same voltage over both; V = U + sigma Lambda / eps0."""
    charge, field = capacitor(UNEQUAL, width)
    offset = lattice_sum(width * 1e-9)
    sigma = constants.epsilon_0 * VOLTAGE / (1 / (1 / 2e-9 + 1 / 6e-9) + offset)
    np.testing.assert_allclose(charge.sum(axis=1), np.array([1, -1]) * sigma * AREA / constants.e, rtol=1e-3)
    across = VOLTAGE - sigma * offset / constants.epsilon_0
    np.testing.assert_allclose(field, [across / 2e-9, -across / 6e-9], rtol=1e-3)
    assert charge.std(axis=1).max() < 1e-3 * abs(charge).max()  # sheet atoms of a full sheet are alike


def test_no_field_inside_an_electrode_nor_across_images():
    """Two sheets an electrode: all charge faces the other electrode, V = E (d + Lambda), no field between equals."""
    charge, field = capacitor(CLOSED)
    expected = VOLTAGE / (3e-9 + lattice_sum(GAUSSIAN_WIDTH))
    np.testing.assert_allclose(field, expected * np.array([1, -1, 0, 0]), atol=1e-3 * expected)
    sigma = constants.epsilon_0 * expected * AREA / constants.e
    np.testing.assert_allclose(charge.sum(axis=1), sigma * np.array([1, 1, -1, -1]), rtol=1e-3)


def test_voltage_as_a_parameter_is_voltage_on_the_electrodes(make_config, relaxed_start):
    """The liquid's forces and the sheet atoms' charges at 3 V, against electrodes that the solver itself holds at 3 V.

    0.5 % of what the voltage adds covers the error tolerance of the Ewald sums, 5e-4, on either side.
    """
    cell, starts = Cell(make_config(platform="CPU", drive="cv", electrode_uptake_fraction=0.275)), relaxed_start
    structure, place = topology(cell, starts.waters), starts.positions[0]
    mobile = slice(len(cell.sheet_atoms["sign"]), None)

    def forces(sim):
        found = sim.context.getState(getForces=True).getForces(asNumpy=True)[mobile]
        return found.value_in_unit(unit.kilojoule_per_mole / unit.nanometer)

    system, drive = build_system(cell, structure), constant_potential.ConstantPotential(cell)
    drive.force(system)
    sim = simulation(structure, system, cell, 1)
    sim.context.setPositions(place)
    without = forces(sim)
    sim.context.setParameter(constant_potential.VOLTAGE, 3.0)
    found, charge = forces(sim), drive.solved(sim)

    direct = build_system(cell, structure)
    metal = add_constant_potential(direct, electrodes_of(cell), 3.0)
    sim = simulation(structure, direct, cell, 1)
    sim.context.setPositions(place)
    added = forces(sim) - without
    assert np.sqrt(np.mean((found - without - added) ** 2)) < 5e-3 * np.sqrt(np.mean(added**2))
    expected = np.array(unit.Quantity(metal.getCharges(sim.context)).value_in_unit(unit.elementary_charge))
    np.testing.assert_allclose(charge, expected[: len(charge)], atol=1e-3 * charge.max())
    assert (drive.per_volt * cell.sheet_atoms["sign"]).sum() > 0


RUNS = {
    "potential-step": {"voltage": 4.0, "duration": 0.1e-12, "rest": 0.1e-12},
    "cv": {"scan_rate": 4e13, "window": 4.0},
}


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the package may catch it."""


def voltage_at(drive, time):
    """V_m in V, written apart from the code under test."""
    if drive == "cv":
        return np.where(time < 0, 0.0, 4.0 - np.abs(time - 0.1e-12) * 4e13)
    return np.where((time > -1e-18) & (time < 0.1e-12 - 1e-18), 4.0, 0.0)


@pytest.mark.parametrize("drive", RUNS)
def test_a_real_run_is_neutral_has_its_voltage_and_resumes(make_config, relaxed_start, tmp_path, drive):
    """The charges of each frame, solved anew from its positions, are those that were stored; killed, it goes on alike.

    XTC rounds positions to a picometre and resumed paths part by picometres (the CPU platform adds forces in no fixed
    order): a hundredth of the electrode's charge.
    """
    options = {
        "friction": 20.0,
        "decorrelation": 0.05e-12,
        "electrode_uptake_fraction": 0.275,
    }  # that of the start's cell
    cell = Cell(make_config(platform="CPU", drive=drive, **options, **RUNS[drive]))
    starts = relaxed_start
    structure = topology(cell, starts.waters)

    def kill(done):
        if done >= 70:
            raise Killed

    run_replica(cell, starts, 0, tmp_path / "whole")
    with pytest.raises(Killed):
        run_replica(cell, starts, 0, tmp_path / "cut", kill, interval=1e-3)
    run_replica(cell, starts, 0, tmp_path / "cut")
    stored, again = (np.load(tmp_path / name / "charges-0.npz")["charge_e"] for name in ("whole", "cut"))
    sign = cell.sheet_atoms["sign"]
    assert np.abs(stored.sum(axis=1)).max() < 1e-4 * np.abs(stored).sum(axis=1).max()
    held = stored[:, sign > 0].sum(axis=1)
    np.testing.assert_allclose(again, stored, atol=0.01 * held.max())

    describe(cell, starts, tmp_path / "whole")
    record = analyse(cell, starts, tmp_path / "whole", Progress(quiet=True))
    terminal, time = record.terminal, record.terminal["time_s"].to_numpy()
    side = np.where(terminal["replica"] < 2, 1, -1)
    np.testing.assert_allclose(terminal["phi_m_V"], side * voltage_at(drive, time) / 2, atol=1e-7)
    first = terminal[terminal["replica"] == 0]
    np.testing.assert_allclose(
        first["sigma_C_per_m2"], held / (sign > 0).sum() * GRAPHENE.atoms_per_area * constants.e, rtol=1e-5, atol=1e-8
    )

    system, metal = build_system(cell, structure), drive_of(cell)
    metal.force(system)
    sim = simulation(structure, system, cell, 1)
    frames = mdtraj.load(str(tmp_path / "whole" / "replica-0.xtc"), top=mdtraj.Topology.from_openmm(structure))
    for frame in (0, 2, 4):
        sim.context.setPositions(frames.xyz[frame])
        metal.apply(sim, frames.time[frame] * 1e-12)
        np.testing.assert_allclose(metal.solved(sim), stored[frame], atol=0.01 * held.max())
