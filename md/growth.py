"""Molecular ions packed onto one another grow to their size: minimised with their sites small, then ever larger.

Lennard-Jones diameters of the ions' sites are scaled up in stages, without charges until they are whole, so that
neighbours move apart where full-sized ones would have been thrown.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import openmm
from openmm import app, unit

from md.forcefield import nonbonded
from md.propagate import choose_platform

STAGES = (0.3, 0.5, 0.7, 0.85, 1.0)  # of sigma
ITERATIONS = 50


def grown(
    structure: app.Topology, system: openmm.System, positions: np.ndarray, sites: Sequence[int], platform: str = "auto"
) -> np.ndarray:
    """Positions in nm, shape (atoms, 3), after the ions' `sites` have grown; `system` is left as it was."""
    force = nonbonded(system)
    whole = {site: force.getParticleParameters(site) for site in sites}
    integrator = openmm.VerletIntegrator(1e-3)
    sim = app.Simulation(structure, system, integrator, *choose_platform(platform))
    sim.context.setPositions(positions)
    for stage in STAGES:
        for site, (charge, sigma, epsilon) in whole.items():
            force.setParticleParameters(site, charge * (stage == STAGES[-1]), sigma * stage, epsilon)
        force.updateParametersInContext(sim.context)
        sim.minimizeEnergy(maxIterations=ITERATIONS)
    sim.context.applyConstraints(1e-6)
    state = sim.context.getState(getPositions=True)
    return np.asarray(state.getPositions(asNumpy=True).value_in_unit(unit.nanometer))
