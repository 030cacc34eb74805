"""The system of a cell: water as molecules (`md.forcefield`) or as a dielectric (`md.implicit_water`)."""

from __future__ import annotations

import openmm
from openmm import app

from md.cell import Cell
from md.forcefield import build_system, topology
from md.implicit_water import build_ions, ions_topology


def build(cell: Cell, waters: int) -> tuple[app.Topology, openmm.System]:
    """Topology and system with uncharged electrodes; in implicit water the particles are the ions alone."""
    if cell.config.water == "implicit":
        return ions_topology(cell), build_ions(cell)
    structure = topology(cell, waters)
    return structure, build_system(cell, structure)
