"""The charge step: every carbon of the positive electrode gets +q, of the negative one -q, and keeps it.

The charges are held fixed (arXiv 2010.08151, Methods), as in a galvanostatic jump; they are not
those of a metal at constant potential.
"""

from __future__ import annotations

import openmm

from md.cell import Cell
from md.forcefield import charges, check_neutral, nonbonded


def set_charge(system: openmm.System, cell: Cell, per_carbon: float) -> None:
    """Put `per_carbon` (e) times the electrode's sign on every carbon; a live context needs an update after it."""
    force = nonbonded(system)
    for i, sign in enumerate(cell.carbons["sign"]):
        _, sigma, epsilon = force.getParticleParameters(i)
        force.setParticleParameters(i, float(sign) * per_carbon, sigma, epsilon)
    check_neutral(charges(system), allowed=cell.electrolyte.allow_charged)
