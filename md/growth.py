"""Removal of overlaps between packed molecular ions: energy minimisation while their sites grow in stages.

The Lennard-Jones diameters of the ions' sites grow to their full size, with charges in the last stage only. Neighbours
thereby move apart gradually, where the forces of full-sized sites would be huge.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import openmm
from openmm import app

from md.forcefield import nonbonded
from md.propagate import choose_platform, positions_of

STAGES = (0.3, 0.5, 0.7, 0.85, 1.0)  # of sigma
ITERATIONS = 50


def grow(
    structure: app.Topology, system: openmm.System, positions: np.ndarray, sites: Sequence[int], platform: str = "auto"
) -> np.ndarray:
    """Positions in nm, shape (atoms, 3), after growth of the ions' `sites`; `system` ends as it began."""
    force = nonbonded(system)
    full = {site: force.getParticleParameters(site) for site in sites}
    integrator = openmm.VerletIntegrator(1e-3)
    sim = app.Simulation(structure, system, integrator, *choose_platform(platform))
    sim.context.setPositions(positions)
    for stage in STAGES:
        for site, (charge, sigma, epsilon) in full.items():
            force.setParticleParameters(site, charge * (stage == STAGES[-1]), sigma * stage, epsilon)
        force.updateParametersInContext(sim.context)
        sim.minimizeEnergy(maxIterations=ITERATIONS)
    sim.context.applyConstraints(1e-6)
    return positions_of(sim)
