"""Ions in implicit water keep their energy without a thermostat, their temperature with one, and do not circulate."""

from __future__ import annotations

import numpy as np
import openmm
import pytest
from openmm import app

from md.cell import Cell
from md.config import quick
from md.forcefield import PER_SHEET_ATOM
from md.implicit_water import build_ions, ions_topology, masses, random_places
from md.legs import replica_legs
from md.starts import slit_contents

from .implicit import FAST, FAST_DIFFUSION, KT, cell_simulation, configured, positions, salt, velocities

CHARGE = 0.01  # e per sheet atom


@pytest.fixture(scope="module")
def liquid():
    """A small charged cell after 10 ps."""
    cell = Cell(configured(salt(diffusion=FAST_DIFFUSION), **FAST))
    sim = cell_simulation(cell, 3)
    sim.context.setPositions(random_places(cell, 1))
    sim.context.setVelocitiesToTemperature(298.15, 2)
    sim.context.setParameter(PER_SHEET_ATOM, CHARGE)
    sim.step(1000)
    return cell, sim


def test_energy_is_kept_without_a_thermostat(liquid):
    """Verlet at 5 fs: the slope of the total energy over 20 ps is below 0.05 kT per ns and degree of freedom, and its
    scatter below 0.1 kT in all, some ten times what is measured.
    """
    cell, sim = liquid
    structure, system, platform = ions_topology(cell), build_ions(cell), openmm.Platform.getPlatform("CPU")
    other = app.Simulation(structure, system, openmm.VerletIntegrator(5e-3), platform, {"Threads": "1"})
    other.context.setPositions(positions(sim))
    other.context.setVelocities(velocities(sim))
    other.context.setParameter(PER_SHEET_ATOM, CHARGE)
    total = []
    for _ in range(100):
        other.step(40)
        state = other.context.getState(getEnergy=True)
        total.append((state.getPotentialEnergy() + state.getKineticEnergy())._value)
    freedom, time = 3 * len(cell.ion_sites), np.arange(100) * 0.2e-3  # ns
    slope = np.polyfit(time, total, 1)[0] / KT / freedom
    print("drift", slope, np.std(total) / KT)
    assert abs(slope) < 0.05
    assert np.std(total) < 0.1 * KT


def mean_and_error(values, blocks=15):
    """Mean over the first axis, and its standard error from the scatter of blocks."""
    means = [part.mean(axis=0) for part in np.array_split(np.array(values), blocks)]
    return np.mean(means, axis=0), np.std(means, axis=0, ddof=1) / np.sqrt(blocks)


def test_temperature_is_the_thermostats():
    """Kinetic energy 3 kT / 2 an ion in a charged cell at the default timestep and friction: four standard errors."""
    cell = Cell(configured(salt()))
    sim, kinetic = cell_simulation(cell, 4), []
    sim.context.setPositions(random_places(cell, 1))
    sim.context.setVelocitiesToTemperature(298.15, 2)
    sim.context.setParameter(PER_SHEET_ATOM, CHARGE)
    sim.step(200)
    mass = np.array([sim.system.getParticleMass(i)._value for i in range(len(cell.ion_sites))])
    for _ in range(600):
        sim.step(5)
        kinetic.append((mass[:, None] * velocities(sim) ** 2).mean() / KT)
    mean, error = mean_and_error(kinetic)
    print("T", mean, error)
    assert error < 0.012
    assert abs(mean - 1) < 4 * error


def test_nothing_circulates_at_equilibrium(liquid):
    """In a charged cell, 100 ps: no mean displacement along y or z of either kind (a field with curl, or images that do
    not fit, would drive one), and contents of the slits whose correlation is the same forwards and backwards in time,
    <a(0) b(t)> = <b(0) a(t)>. Four standard errors of fifteen blocks each.
    """
    cell, sim = liquid
    kind, contents, path = cell.ion_sites.kind, [], []
    for _ in range(400):
        sim.step(25)
        path.append(positions(sim))
        contents.append(slit_contents(cell, path[-1][:, 0] * 1e-9)[:, :2])
    steps = np.diff(path, axis=0)
    for k in (0, 1):
        mean, error = mean_and_error(steps[:, kind == k, 1:].mean(axis=1))
        print("drift", mean, error)
        assert (np.abs(mean) < 4 * error).all()
    a, b = np.moveaxis(np.array(contents) - np.mean(contents, axis=0), 2, 0)
    for lag in (4, 16):
        mean, error = mean_and_error((a[:-lag] * b[lag:] - b[:-lag] * a[lag:]).mean(axis=1))
        print("asymmetry", mean, error, (a * a).mean())
        assert abs(mean) < 4 * error


def test_ions_mix_while_a_box_equilibrates():
    """The friction of the equilibration without frames: D = kT / (m Gamma) there takes ions through the default cell,
    four layers of 1.5 nm, in the default 200 ps: sqrt(2 D t) exceeds the path of 6 nm, and is 1 nm at the ions' own D.
    """
    config = quick(0.59e-9, salt(), 1000.0, water="implicit")
    leg = replica_legs(config)[0]
    assert (leg.name, leg.frame_every) == ("equilibrate", 0)
    mass = float(masses(config)[0])
    time, path = leg.steps * leg.timestep * 1e12, config.network.layers * config.network.slit_length * 1e9
    assert np.sqrt(2 * KT / (mass * leg.friction) * time) > path
    assert np.sqrt(2 * config.electrolyte.diffusion_coefficients[0] * 1e6 * time) < path / 5
    assert all(each.friction == config.friction for each in replica_legs(config)[1:])
