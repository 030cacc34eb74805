"""Molecular dynamics: staggered sheets in an aqueous salt, charged or held at a voltage, reduced to a record."""

from md.cell import Cell
from md.config import MDConfig, paper, quick
from md.force_balance import force_balance, force_currents, mean_forces
from md.ion_forces import IonForces
from md.snapshots import snapshots
from md.stage import run
from md.starts import make_starts, starts_work, workload
from md.trans_slit_flux import TransSlitFlux

__all__ = [
    "Cell",
    "IonForces",
    "MDConfig",
    "TransSlitFlux",
    "force_balance",
    "force_currents",
    "make_starts",
    "mean_forces",
    "paper",
    "quick",
    "run",
    "snapshots",
    "starts_work",
    "workload",
]
