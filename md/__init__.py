"""Molecular dynamics: staggered sheets in an aqueous salt, charged or held at a voltage, reduced to a record."""

from md.cell import Cell
from md.config import MDConfig, paper, quick
from md.equilibrium import equilibrium_work, remake_equilibrium, workload
from md.force_balance import force_balance, force_currents, mean_forces
from md.ion_forces import IonForces
from md.snapshots import snapshots
from md.stage import run
from md.trans_slit_flux import TransSlitFlux

__all__ = [
    "Cell",
    "IonForces",
    "MDConfig",
    "TransSlitFlux",
    "equilibrium_work",
    "force_balance",
    "force_currents",
    "mean_forces",
    "paper",
    "quick",
    "remake_equilibrium",
    "run",
    "snapshots",
    "workload",
]
