"""Bring the water in the reservoirs to its density at constant volume, by removing or adding molecules.

The cell is packed, relaxed and run for some picoseconds. The relative excess of the water density in the middle of the
reservoirs over the target (`Cell.target_water_density`) is the fraction of all waters that is then removed at random,
or inserted into the largest cavities. This is repeated until the density agrees.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import openmm
from openmm import app, unit
from scipy import constants

from md.cell import Cell
from md.forcefield import build_system, topology
from md.growth import grow
from md.packing import check_overlaps, nearest, pack, waters_at
from md.propagate import positions_of, simulation

HEAVY_HYDROGEN = 4.03176  # Da; the mass is taken from O, which does not affect equilibrium averages
EQUILIBRIUM_STEP = 4e-15  # s, with heavy hydrogens and rigid water
ROUNDS = 6
ROUND_STEPS = 600  # of EQUILIBRIUM_STEP
INSERTED = 0.15e-9  # m, least distance of a water inserted into a cavity, before energy minimisation
TOLERANCE = 0.01  # of the target density; the counting noise of a round is about as large


def heavy_hydrogens(system: openmm.System, waters: int) -> None:
    """Move mass from each water's oxygen to its hydrogens."""
    first = system.getNumParticles() - 3 * waters
    for oxygen in range(first, system.getNumParticles(), 3):
        masses = [system.getParticleMass(oxygen + i).value_in_unit(unit.dalton) for i in range(3)]
        system.setParticleMass(oxygen, sum(masses) - 2 * HEAVY_HYDROGEN)
        system.setParticleMass(oxygen + 1, HEAVY_HYDROGEN)
        system.setParticleMass(oxygen + 2, HEAVY_HYDROGEN)


def middle_half_width(cell: Cell) -> float:
    """Half-width (m) of the middle of a reservoir, in which its concentrations are measured."""
    return cell.network.reservoir_length / 2


def reservoir_count(cell: Cell, x: np.ndarray) -> np.ndarray:
    """Number of the coordinates `x` (m; last axis) in the middle of the two reservoirs."""
    half_box = cell.box[0] / 2
    from_plane = np.abs(x - half_box * np.round(x / half_box))
    return (from_plane < middle_half_width(cell)).sum(axis=-1)


def reservoir_volume(cell: Cell) -> float:
    """Volume of the middle of the two reservoirs, m^3."""
    return float(4 * middle_half_width(cell) * cell.box[1] * cell.box[2])


def water_density(cell: Cell, count: float) -> float:
    """kg/m^3 of `count` waters in the middle of the reservoirs."""
    mass = cell.electrolyte.solvent.molar_mass
    return float(count * mass.value * 1e-3 / constants.N_A / reservoir_volume(cell)) if mass else 0.0


def fill(
    cell: Cell,
    seed: int,
    advance: Callable[[float], None],
    places: np.ndarray | None = None,
    given: int | None = None,
) -> tuple[np.ndarray, int]:
    """Positions in nm and number of waters; without a solvent only the overlaps of the ions are removed.

    `places` are the ions' in nm, shape (ions, 3), at random if None; `given` is the number of waters, if that is known.
    """
    random = np.random.default_rng([seed, 1])
    positions, waters = pack(cell, seed, None if places is None else places * 1e-9)
    positions = positions * 1e9
    if cell.ion_sites.molecular:
        structure = topology(cell, waters)
        first, last = len(cell.sheet_atoms["sign"]), len(cell.sheet_atoms["sign"]) + len(cell.ion_sites)
        positions = grow(structure, build_system(cell, structure), positions, range(first, last), cell.config.platform)
    if not waters:
        return _relax(cell, positions, waters, seed)[0], waters
    if given is not None:
        positions = _changed(cell, positions, waters, given - waters, random)
        return _relax(cell, positions, given, seed)[0], given
    for trial in range(ROUNDS):
        positions, density = _relax(cell, positions, waters, seed + trial)
        advance(trial + 1)
        excess = density / cell.target_water_density - 1
        if abs(excess) < TOLERANCE or trial == ROUNDS - 1:
            break
        change = round(-float(np.clip(excess, -0.05, 0.05)) * waters)
        positions = _changed(cell, positions, waters, change, random)
        waters += change
    return positions, waters


def _relax(cell: Cell, positions: np.ndarray, waters: int, seed: int) -> tuple[np.ndarray, float]:
    check_overlaps(cell, positions * 1e-9, INSERTED)
    structure = topology(cell, waters)
    system = build_system(cell, structure)
    heavy_hydrogens(system, waters)
    sim: app.Simulation = simulation(structure, system, cell, seed)
    sim.context.setPositions(positions)
    sim.minimizeEnergy(maxIterations=60)
    sim.integrator.setTemperature(cell.config.temperature)
    sim.context.setVelocitiesToTemperature(cell.config.temperature, seed % 2**31 or 1)
    for step in (0.5e-15, 1e-15):
        sim.integrator.setStepSize(step * 1e12)
        sim.step(50)
    sim.integrator.setStepSize(EQUILIBRIUM_STEP * 1e12)
    counts = []
    for _ in range(12):
        sim.step(ROUND_STEPS // 12)
        oxygens = positions_of(sim)[len(positions) - 3 * waters :: 3, 0] * 1e-9
        counts.append(int(reservoir_count(cell, oxygens)))
    return positions_of(sim), water_density(cell, float(np.mean(counts[4:])))


def _changed(cell: Cell, positions: np.ndarray, waters: int, change: int, random: np.random.Generator) -> np.ndarray:
    """Positions with `change` more waters."""
    return _add(cell, positions, change, random) if change > 0 else _remove(positions, waters, -change, random)


def _remove(positions: np.ndarray, waters: int, number: int, random: np.random.Generator) -> np.ndarray:
    first = len(positions) - 3 * waters
    kept = np.sort(random.permutation(waters)[number:])
    return np.concatenate([positions[:first], positions[first:].reshape(waters, 3, 3)[kept].reshape(-1, 3)])


def _add(cell: Cell, positions: np.ndarray, number: int, random: np.random.Generator) -> np.ndarray:
    """Insert `number` waters, each into the largest cavity among random points."""
    box = cell.box * 1e9
    for _ in range(number):
        points = random.random((4000, 3)) * box
        clear = nearest(points, positions, box)
        water = waters_at(points[[int(clear.argmax())]] * 1e-9, random)[0] * 1e9
        positions = np.concatenate([positions, water])
    return positions
