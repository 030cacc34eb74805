"""Response from fluctuations: of planted jumps, which is Boltzmann's, and of ions, against the driven response."""

from __future__ import annotations

import numpy as np
import pytest
from MDAnalysis.analysis.results import Results
from scipy import constants

from md.cell import Cell
from md.forcefield import PER_SHEET_ATOM
from md.implicit_water import random_places
from md.kubo import SheetEnergy, kubo_response
from md.sheet_field import potential_map
from md.starts import slit_contents
from transslit.errors import BadInput

from .implicit import cell_simulation, configured, positions, salt, universe_of_ions, velocities

CHARGE = 0.0041  # e per sheet atom
INTERVAL = 0.25e-12  # s


def jumping_ions(cell, frames, stay, inside, random):
    """Ions that jump between a grid point in slit 1 or 2 and one in the reservoir of their half-cell, from frame to
    frame with one correlation `stay`, and are in the slit for a part `inside` of the time.

    Returns the paths [(name, (frames, 3) in m)] and what each is: (half-cell, slit, place inside, place outside).
    """
    shape = np.array(potential_map(cell, np.ones(len(cell.sheet_atoms["sign"]))).shape)
    spacing = cell.box[:2] / shape
    paths, known = [], []
    for name in ("K", "Cl"):
        for h, half_cell in enumerate(cell.half_cells):
            for slit in (1, 2):
                x = [float(cell.to_box(half_cell, cell.network.slit_centres[slit - 1]))]
                x += [float(cell.to_box(half_cell, cell.network.depth + 0.3e-9))]
                node = [np.array([round(each / spacing[0]), shape[1] // 3 + 5 * k]) for k, each in enumerate(x)]
                there = np.empty(frames, dtype=bool)
                there[0] = random.uniform() < inside
                renewed, fresh = random.uniform(size=frames) > stay, random.uniform(size=frames) < inside
                last = np.maximum.accumulate(np.where(renewed, np.arange(frames), 0))
                fresh[0] = there[0]
                there = fresh[last]
                place = np.where(there[:, None], node[0] * spacing, node[1] * spacing)
                paths.append((name, np.column_stack([place, np.full(frames, 0.2e-9)])))
                known.append((h, slit, node[0], node[1]))
    return paths, known


@pytest.mark.parametrize("exchanged", [False, True])
def test_response_of_jumping_ions_is_boltzmanns(make_universe, exchanged):
    """Of two places with the energies dq u and 0, the first is occupied for a part p of the time, and the choice is
    made again in 1 - s of the frames: its occupation changes by -(dq u / kT) p (1 - p) (1 - s^n) after n frames.

    Sixteen independent ions, 4,000 frames; the answer within 4 standard errors, which are below a tenth of it.
    """
    cell = Cell(configured(salt(permittivity=20.0)), exchanged=exchanged)
    random, frames, stay, inside = np.random.default_rng(11), 4000, 0.8, 0.3
    paths, known = jumping_ions(cell, frames, stay, inside, random)
    universe = make_universe(cell, paths, interval=INTERVAL * 1e12, start=-(frames - 1) * INTERVAL * 1e12)
    results = SheetEnergy(universe, cell).run().results
    assert results.charge.shape == (frames, 4, 2)
    phi = potential_map(cell, cell.sheet_atoms["sign"].astype(float), cell.permittivity)
    steps = np.array([1, 4, 15])
    response = kubo_response([results], cell, CHARGE, steps * INTERVAL)
    expected = np.zeros((len(steps), 2))
    for (name, _), (h, slit, there, outside) in zip(paths, known, strict=True):
        z = 1 if name == "K" else -1
        sign = 1 if cell.half_cells[h].electrode == "positive" else -1
        energy = z * (phi[tuple(there)] - phi[tuple(outside)]) / (constants.k * 298.15 / constants.e)
        expected[:, slit - 1] -= sign * z * CHARGE * energy * inside * (1 - inside) * (1 - stay**steps) / 4
    expected *= constants.e / (2 * cell.depth)
    measured, error = (response[name].to_numpy().reshape(3, 2) for name in ("Q_C_per_m", "Q_error_C_per_m"))
    assert (expected < 0).all()  # positive electrodes draw anions
    assert (error < 0.1 * np.abs(expected)).all()
    assert (np.abs(measured - expected) < 4 * error).all()


def test_errors_of_the_response_are_those_of_many_trajectories():
    """The standard error against the scatter of 60 independent pairs of Ornstein-Uhlenbeck series, whose response is
    known: <dQ dA> = 2 c (1 - s^n) with the covariance c of Q and A.

    Relative tolerance of the mean error: 4 / sqrt(2 * 60), that of the scatter.
    """
    cell, random, stay, n = Cell(configured(salt())), np.random.default_rng(2), 0.9, 5
    means, errors = [], []
    for _ in range(60):
        noise = random.normal(size=(1000, 3))
        walk = np.zeros_like(noise)
        walk[0] = noise[0]
        for k in range(1, len(walk)):
            walk[k] = stay * walk[k - 1] + np.sqrt(1 - stay**2) * noise[k]
        charge = np.repeat((walk[:, :1] + walk[:, 1:])[:, None], 4, axis=1)  # (frames, 4, 2)
        box = Results(time=np.arange(1000) * INTERVAL, energy=walk[:, 0], charge=charge)
        table = kubo_response([box], cell, CHARGE, np.array([n * INTERVAL]))
        means.append(table["Q_C_per_m"].to_numpy())
        errors.append(table["Q_error_C_per_m"].to_numpy())
    scatter = np.std(means, axis=0, ddof=1)
    thermal = constants.k * 298.15 / constants.e
    known = -CHARGE / thermal * (1 - stay**n) * constants.e / (2 * cell.depth)
    np.testing.assert_array_less(np.abs(np.mean(means, axis=0) - known), 4 * scatter / np.sqrt(60))
    np.testing.assert_allclose(np.sqrt(np.mean(np.square(errors), axis=0)), scatter, rtol=0.37)


def test_what_gives_no_response_is_refused(make_universe):
    """Explicit water; times between frames, or longer than a block."""
    cell = Cell(configured(salt()))
    series = Results(time=np.arange(100) * INTERVAL, energy=np.zeros(100), charge=np.zeros((100, 4, 2)))
    for time in (1.5 * INTERVAL, 20 * INTERVAL, 0.0):
        with pytest.raises(BadInput, match="whole frames"):
            kubo_response([series], cell, CHARGE, np.array([time]))
    explicit = Cell(configured(salt(), water="explicit", duration=10e-12, force_frames=0.0))
    with pytest.raises(BadInput, match="implicit"):
        SheetEnergy(make_universe(explicit, [("K", np.zeros((2, 3)))]), explicit)


@pytest.mark.slow
def test_fluctuations_give_the_driven_response():
    """Response of a small cell's slits from an uncharged run, and the odd part of those to +dq and -dq from its frames.

    Either charge meets the same velocities and the same noise, which leaves little noise in the odd part at first.
    Equal at every time within four standard errors of the difference, each below 30 % of the last response.
    """
    step, charge = 20e-15, 0.0082
    times = {"timestep": step, "frame_interval": 5 * step, "friction": 1.0}
    cell = Cell(configured(salt(diffusion=64e-9), **times))
    rest, up, down = (cell_simulation(cell, seed) for seed in (3, 4, 4))
    for sim, sign in ((up, 1), (down, -1)):
        sim.context.setParameter(PER_SHEET_ATOM, sign * charge)
    rest.context.setPositions(random_places(cell, 5))
    rest.context.setVelocitiesToTemperature(298.15, 6)
    rest.step(5000)
    kind, z = cell.ion_sites.kind, np.array([1, -1])
    sign = np.repeat([s for _, s in cell.electrodes], 2)[:, None]

    def charges(sim):
        x = positions(sim)[:, 0] * 1e-9
        numbers = np.array([slit_contents(cell, x[kind == k])[:, :-1] for k in (0, 1)])
        return (sign * np.tensordot(z, numbers, axes=1)).mean(axis=0)

    lags, frames, driven = np.array([2, 5, 10, 20, 40]), [], []
    for _ in range(600):
        for _ in range(50):
            rest.step(5)
            frames.append(positions(rest))
        odd = []
        for sim in (up, down):
            sim.context.setPositions(frames[-1])
            sim.context.setVelocities(velocities(rest))
            odd.append([])
            for steps in np.diff(lags, prepend=0) * 5:
                sim.step(int(steps))
                odd[-1].append(charges(sim))
        driven.append(np.subtract(*odd) / 2)
    per_depth = constants.e / (2 * cell.depth)
    results = SheetEnergy(universe_of_ions(cell, frames, 5 * step), cell).run().results
    table = kubo_response([results], cell, charge, lags * 5 * step, blocks=30)
    expected, error = (table[name].to_numpy().reshape(-1, 2) / per_depth for name in ("Q_C_per_m", "Q_error_C_per_m"))
    measured = np.mean(driven, axis=0)
    other = np.std(driven, axis=0, ddof=1) / np.sqrt(len(driven))
    print("Kubo", expected, error, measured, other, sep="\n")
    both = np.hypot(error, other)
    assert (expected[-1] < 0).all()
    assert (both < 0.3 * np.abs(expected[-1])).all()
    assert (np.abs(measured - expected) < 4 * both).all()
