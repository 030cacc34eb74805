"""Fixed charge: every carbon of the positive electrode carries +q(t), of the negative one -q(t).

The charges are imposed, and alike on all carbons (arXiv 2010.08151, Methods), as in galvanostatic charging; they
are not those of a metal. q is a global parameter of the NonbondedForce, to which each carbon's charge is
tied by an offset of its electrode's sign, so that charging a live simulation is one cheap assignment.
"""

from __future__ import annotations

import openmm
from openmm import app

from md.cell import Cell
from md.forcefield import PER_CARBON, charges, check_neutral, nonbonded


def set_charge(system: openmm.System, cell: Cell, per_carbon: float) -> None:
    """Charge (e) times the electrode's sign that carbons have in contexts made from now on.

    Raises
    ------
    BadInput : the box is not neutral with it
    """
    nonbonded(system).setGlobalParameterDefaultValue(0, per_carbon)
    check_neutral(charges(system), allowed=cell.electrolyte.allow_charged)


class FixedCharge:
    """The drive of a cell whose sheets' charge is a given function of time."""

    cost = 1.0  # wall time of a step, in steps at fixed charge

    def __init__(self, cell: Cell) -> None:
        self.cell = cell

    def force(self, system: openmm.System) -> None:
        """Nothing to add: the system of `md.forcefield.build_system` has the parameter."""

    def apply(self, sim: app.Simulation, time: float) -> None:
        """Give the carbons their charge at `time` (s)."""
        wanted = float(self.cell.per_carbon(time))
        if sim.context.getParameter(PER_CARBON) != wanted:
            sim.context.setParameter(PER_CARBON, wanted)

    def solved(self, sim: app.Simulation) -> None:
        """No charges are solved for: they are a function of time."""
