"""Constant potential: the charges of the sheet atoms keep the electrodes at +V_m/2 and -V_m/2.

At each step the charges q minimise the electrostatic energy q.A.q/2 + q.b(liquid) - q.psi at the imposed potentials
psi, under sum q = 0 over both electrodes, so that the box is always neutral and only the difference V_m matters
(OpenMM's ConstantPotentialForce; Dufils et al. 2019, doi:10.1103/PhysRevLett.123.195501). Sheet atoms are the Gaussians
of `md.sheet_field`. The Thomas-Fermi length is zero: a perfect metal.

The minimum is linear in V_m and the electrodes are frozen, so that it is the sum of two terms:

    q = q_0(liquid) + V_m g,    force on the liquid = that of q_0 - V_m grad (q_liquid phi_g(x, y)).

q_0 is the response to the liquid with both electrodes at 0 V, solved for at every step; g is the charge per volt of the
electrodes of the empty cell, and phi_g its potential, averaged along z (`md.sheet_field`).

V_m is thereby a context parameter that can be changed at no cost. A change of the electrodes' own potentials would make
the solver invert the matrix of their interactions again (40 s for the default cell, on one core).
"""

from __future__ import annotations

import numpy as np
import openmm
from openmm import app, unit

from md.cell import GAUSSIAN_WIDTH, Cell
from md.forcefield import charges, nonbonded
from md.propagate import choose_platform
from md.sheet_field import VOLT, add_sheet_field, potential_map

MOST_INVERTED = 4000  # sheet atoms; for more, charges are iterated: the inverse costs time and memory as n^2
VOLTAGE = "cell_voltage"  # global parameter, V


def add_constant_potential(
    system: openmm.System, electrodes: list[np.ndarray], voltage: float = 0.0, width: float = GAUSSIAN_WIDTH * 1e9
) -> openmm.ConstantPotentialForce:
    """Move all charges of `system` from its NonbondedForce, which keeps Lennard-Jones, to a new ConstantPotentialForce.

    Parameters
    ----------
    electrodes : indices of the particles of the positive and of the negative electrode
    voltage : V between them
    width : w in nm
    """
    old = nonbonded(system)
    force, lennard_jones = openmm.ConstantPotentialForce(), openmm.NonbondedForce()
    few = sum(map(len, electrodes)) <= MOST_INVERTED
    force.setConstantPotentialMethod(force.Matrix if few else force.CG)
    force.setEwaldErrorTolerance(old.getEwaldErrorTolerance())
    lennard_jones.setNonbondedMethod(openmm.NonbondedForce.CutoffPeriodic)
    lennard_jones.setUseDispersionCorrection(False)
    for each in (force, lennard_jones):
        each.setCutoffDistance(old.getCutoffDistance())
        each.setExceptionsUsePeriodicBoundaryConditions(True)
    for i in range(old.getNumParticles()):
        charge, sigma, epsilon = old.getParticleParameters(i)
        force.addParticle(charge)
        lennard_jones.addParticle(0.0, sigma, epsilon)
    solved = set(np.concatenate(electrodes).tolist())
    for i in range(old.getNumExceptions()):
        a, b, product, sigma, epsilon = old.getExceptionParameters(i)
        if a not in solved and b not in solved:  # sheet atoms interact with each other; both forces need the same list
            force.addException(a, b, product)
            lennard_jones.addException(a, b, 0.0, sigma, epsilon)
    for particles, sign in zip(electrodes, (1, -1), strict=True):
        force.addElectrode(set(particles.tolist()), sign * voltage / 2 * VOLT, width, 0.0)
    force.setUseChargeConstraint(True)
    force.setChargeConstraintTarget(0.0)
    system.removeForce(next(i for i, each in enumerate(system.getForces()) if each.this == old.this))
    system.addForce(lennard_jones)
    system.addForce(force)
    return force


def electrodes_of(cell: Cell) -> list[np.ndarray]:
    """Indices of the sheet atoms of the positive and of the negative electrode."""
    return [np.flatnonzero(cell.sheet_atoms["sign"] == sign) for sign in (1, -1)]


def response(cell: Cell) -> np.ndarray:
    """g: charge in e of each sheet atom of the empty cell at 1 V between the electrodes, shape (sheet atoms,)."""
    sheet_atoms = cell.sheet_atoms["positions"] * 1e9
    system, bare = openmm.System(), openmm.NonbondedForce()
    system.setDefaultPeriodicBoxVectors(*np.diag(cell.box * 1e9))
    bare.setCutoffDistance(cell.config.cutoff * 1e9)
    bare.setEwaldErrorTolerance(cell.config.ewald_tolerance / 10)
    for _ in sheet_atoms:
        system.addParticle(0.0)
        bare.addParticle(0.0, 0.1, 0.0)
    system.addForce(bare)
    force = add_constant_potential(system, electrodes_of(cell), 1.0, cell.site_width * 1e9)
    force.setConstantPotentialMethod(force.CG)  # for one solution cheaper than the inverse
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), *choose_platform(cell.config.platform))
    context.setPositions(sheet_atoms)
    return _charges(force, context)


def _charges(force: openmm.ConstantPotentialForce, context: openmm.Context) -> np.ndarray:
    return np.array(unit.Quantity(force.getCharges(context)).value_in_unit(unit.elementary_charge))


class ConstantPotential:
    """Drive of a cell whose voltage is a given function of time.

    In a dielectric (implicit water) charges count as q / sqrt(eps_r) among one another, as those of the ions do in
    `md.implicit_water`; g is eps_r times that of the empty cell, and phi_g the same.
    """

    cost = 2.8  # wall time of a step, in steps at fixed charge, for the default cell; 2.3 for smaller ones

    def __init__(self, cell: Cell) -> None:
        self.cell = cell

    def force(self, system: openmm.System) -> None:
        """Replace the electrostatics of a system of `md.forcefield.build_system`."""
        cell, charge = self.cell, charges(system) * np.sqrt(self.cell.permittivity)
        empty = response(cell)
        self.per_volt = cell.permittivity * empty
        self._force = add_constant_potential(system, electrodes_of(cell), width=cell.site_width * 1e9)
        add_sheet_field(system, cell, potential_map(cell, empty), VOLTAGE, charge, first=len(empty))

    def apply(self, sim: app.Simulation, time: float) -> None:
        """Set the electrodes to their potentials at `time` (s)."""
        wanted = float(self.cell.voltage(time))
        if sim.context.getParameter(VOLTAGE) != wanted:
            sim.context.setParameter(VOLTAGE, wanted)

    def solved(self, sim: app.Simulation) -> np.ndarray:
        """Charge of every sheet atom in e, shape (sheet atoms,)."""
        at_zero = _charges(self._force, sim.context)[: len(self.per_volt)] * np.sqrt(self.cell.permittivity)
        return at_zero + sim.context.getParameter(VOLTAGE) * self.per_volt
