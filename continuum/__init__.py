"""Continuum: the modified Poisson-Nernst-Planck equations on the mesh of a slit network.

`run(config, folder, progress)` solves a `ContinuumConfig` and returns its trans-slit record; `Frames` reopens
the fields; `TransSlitFlux`, `OpenSpaceFlux`, `SlitWells`, `DensityProfile`, `Accumulation`, `CrossingLine` and
`FieldMap` reduce them. `extract` determines the elements of a circuit from a record; `resistances`, `migration_laws`
and `capacitances` are computed from a record alone.
"""

from continuum.accumulation import Accumulation
from continuum.config import ContinuumConfig
from continuum.crossing_line import CrossingLine
from continuum.density_profile import DensityProfile, density_profiles
from continuum.extract import LadderParameters, extract
from continuum.field_map import FieldMap
from continuum.finished import Run
from continuum.frames import Frame, Frames
from continuum.mesh import SlitMesh
from continuum.open_space_flux import OpenSpaceFlux
from continuum.reductions import capacitances, migration_laws, resistances
from continuum.slit_wells import SlitWells
from continuum.stage import run
from continuum.trans_slit_flux import TransSlitFlux

__all__ = [
    "Accumulation",
    "ContinuumConfig",
    "CrossingLine",
    "DensityProfile",
    "FieldMap",
    "Frame",
    "Frames",
    "LadderParameters",
    "OpenSpaceFlux",
    "Run",
    "SlitMesh",
    "SlitWells",
    "TransSlitFlux",
    "capacitances",
    "density_profiles",
    "extract",
    "migration_laws",
    "resistances",
    "run",
]
