"""Fixed charge: every sheet atom of the positive electrode carries +q(t), of the negative one -q(t).

The charges are imposed and equal on all sheet atoms of an electrode (arXiv 2010.08151, Methods), as in galvanostatic
charging; they are not those of a metal. q is a global parameter of the NonbondedForce, and each sheet atom's charge an
offset of that parameter times the sign of its electrode. Charging a running simulation is thereby one assignment.
"""

from __future__ import annotations

import openmm
from openmm import app

from md.cell import Cell
from md.forcefield import PER_SHEET_ATOM


class FixedCharge:
    """Drive of a cell whose sheets' charge is a given function of time."""

    cost = 1.0  # wall time of a step, in steps at fixed charge

    def __init__(self, cell: Cell) -> None:
        self.cell = cell

    def force(self, system: openmm.System) -> None:
        """Add no force: the system of `md.forcefield.build_system` has the parameter."""

    def apply(self, sim: app.Simulation, time: float) -> None:
        """Give the sheet atoms their charge at `time` (s)."""
        wanted = float(self.cell.per_sheet_atom(time))
        if sim.context.getParameter(PER_SHEET_ATOM) != wanted:
            sim.context.setParameter(PER_SHEET_ATOM, wanted)

    def solved(self, sim: app.Simulation) -> None:
        """None: charges are imposed, not solved for."""
