"""Continuum: the modified Poisson-Nernst-Planck equations on the mesh of a slit network.

`run(config, folder, progress)` solves a `ContinuumConfig` and returns its trans-slit record; `Frames` reopens
the fields, `TransSlitFlux` and `OpenSpaceFlux` reduce them, `extract` finds a circuit's elements in a record.
"""

from continuum.config import ContinuumConfig
from continuum.extract import LadderParameters, extract
from continuum.frames import Frame, Frames
from continuum.mesh import SlitMesh
from continuum.open_space_flux import OpenSpaceFlux
from continuum.stage import run
from continuum.trans_slit_flux import TransSlitFlux

__all__ = [
    "ContinuumConfig",
    "Frame",
    "Frames",
    "LadderParameters",
    "OpenSpaceFlux",
    "SlitMesh",
    "TransSlitFlux",
    "extract",
    "run",
]
