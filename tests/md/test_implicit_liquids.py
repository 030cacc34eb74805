"""Liquids of ions in implicit water at low coupling, against Debye & Hueckel, Gouy & Chapman, Onsager and Donnan.

Equilibrium does not depend on D_k: ions of `FAST` change places some thirty times as quickly as those of water.
Tolerances are four standard errors of independent blocks, and what the closed form itself neglects.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import openmm
import pytest
from scipy import constants
from scipy.optimize import brentq
from scipy.spatial import cKDTree

from continuum.config import ContinuumConfig
from continuum.stage import run
from md.cell import Cell
from md.forcefield import PER_SHEET_ATOM
from md.implicit_water import REACH, SOFTNESS, random_places
from md.starts import slit_contents
from transslit.drive import ChargeStep
from transslit.progress import Progress

from .implicit import FAST, FAST_DIFFUSION, KT, Bulk, cell_simulation, configured, positions, salt

QUICK = {"timestep": 20e-15, "frame_interval": 1e-12, **FAST}


def bulk_of(config, number, molar, cutoff):
    """A box of `number` pairs at `molar` mol/l, with `cutoff` in nm."""
    side = (number / molar * 1e24 / constants.N_A) ** (1 / 3)
    return Bulk(config.model_copy(update={"cutoff": cutoff * 1e-9}), number, side)


@pytest.mark.slow
def test_ions_screen_each_other_as_debye_and_hueckel_say():
    """ln g_ij = -z_i z_j l_B exp(-kappa (r - a)) / ((1 + kappa a) r), at 10 mM and eps_r = 200, l_B / a = 0.56.

    By the ratio of unlike to like pairs in shells, in which the repulsion and terms of second order in l_B cancel.
    Tolerance: 4 standard errors, and 3 % for what is left beside contact.
    """
    number, molar, diameter, electrolyte = 200, 0.01, 0.5, salt(permittivity=200.0, diffusion=FAST_DIFFUSION)
    bulk = bulk_of(configured(electrolyte, **QUICK), number, molar, cutoff=5.0)
    sim = bulk.started(3)
    sim.step(5000)
    edges, counts = np.array([0.55, 1.0, 2.0, 4.0]), []
    for _ in range(1500):
        sim.step(100)
        place = positions(sim) % bulk.side
        kinds = [cKDTree(own, boxsize=bulk.side) for own in (place[:number], place[number:])]
        unlike = kinds[0].count_neighbors(kinds[1], edges)
        like = sum((tree.count_neighbors(tree, edges) - number) / 2 for tree in kinds)
        counts.append([np.diff(unlike) / number**2, np.diff(like) / (number * (number - 1))])
    length = electrolyte.bjerrum_length * 1e9
    kappa = 1e-9 / electrolyte.debye_length(1000 * molar)
    known = []
    for low, high in pairwise(edges):
        r = np.linspace(low, high, 400)
        w = length * np.exp(-kappa * (r - diameter)) / ((1 + kappa * diameter) * r)
        known.append(np.log(np.trapezoid(np.exp(w) * r**2, r) / np.trapezoid(np.exp(-w) * r**2, r)))
    blocks = np.array(counts).reshape(15, -1, 2, len(known)).mean(axis=1)
    total = blocks.sum(axis=0)
    left_out = np.array([np.log((total - block)[0] / (total - block)[1]) for block in blocks])  # jackknife
    measured, error = np.log(total[0] / total[1]), left_out.std(axis=0) * np.sqrt(len(blocks) - 1)
    print("DH", measured, known, error)
    assert (error < 0.05 * known[0]).all()
    assert (np.abs(measured - known) < 4 * error + 0.03 * np.array(known)).all()


class DoubleLayer:
    """Salt between two flat walls of opposite charge, 0.1 M at eps_r = 200: l_B = 0.28 nm, Debye length 1.4 nm.

    The closed form is Gouy and Chapman's, of either wall, tanh(psi / 4) = exp(-kappa x) tanh(psi_0 / 4) with
    sinh(psi_0 / 2) = 2 pi l_B sigma / kappa, and with the density in the middle by the number of all ions. Walls are
    seven Debye lengths apart. The coupling 2 pi l_B^2 sigma is 0.1.
    """

    charge = 0.01  # e per sheet atom
    diameter = 0.25  # nm

    def __init__(self):
        electrolyte = salt(permittivity=200.0, diffusion=FAST_DIFFUSION, diameter=self.diameter * 1e-9)
        network = {"slit_length": 2.5e-9, "edge_gap": 0.6e-9, "reservoir_length": 5e-9}
        fields = {"depth": 5e-9, "concentration": 130.0, "cutoff": 2.4e-9, "charge_per_carbon": self.charge}
        cell = self.cell = Cell(configured(electrolyte, layers=1, network=network, **fields, **QUICK))
        self.bjerrum, self.width = electrolyte.bjerrum_length * 1e9, 2e9 * cell.network.reservoir_length
        self.area = cell.box[1] * cell.box[2] * 1e18
        self.sigma = cell.sheet_charge / 2 / constants.e * 1e-18  # of a face, e/nm^2
        across, ions = np.linspace(0, self.width, 4001), len(cell.ion_sites)

        def missing(bulk):
            return np.trapezoid(self.densities(across, bulk).sum(axis=0), across) * 2 * self.area - ions

        self.bulk = brentq(missing, 1e-3, 1.0)  # of either ion in the middle, 1/nm^3

    def kappa(self, bulk):
        return np.sqrt(8 * np.pi * self.bjerrum * bulk)

    def densities(self, x, bulk=None):
        """Of counter- and co-ions at `x` nm from a wall, 1/nm^3."""
        bulk = self.bulk if bulk is None else bulk
        entrance = np.tanh(np.arcsinh(2 * np.pi * self.bjerrum * self.sigma / self.kappa(bulk)) / 2)
        psi = [4 * np.arctanh(entrance * np.exp(-self.kappa(bulk) * d)) for d in (x, self.width - x)]
        return bulk * np.exp(np.array([psi[0] - psi[1], psi[1] - psi[0]]))

    def pressure(self):
        """Osmotic pressure in the middle over kT, 1/nm^3: Debye and Hueckel's, and the second virial coefficient's."""
        k, y = self.kappa(self.bulk), self.kappa(self.bulk) * self.diameter
        screening = 3 / y**3 * (1 + y - 1 / (1 + y) - 2 * np.log(1 + y))
        volume = 2 * np.pi / 3 * self.diameter**3
        return 2 * self.bulk - k**3 / (24 * np.pi) * screening + volume * (2 * self.bulk) ** 2

    def run(self, samples, edges):
        """Numbers of counter- and co-ions between `edges` from all walls (samples, 2, bins), and the walls' pressure
        over kT (samples,)."""
        cell, sim = self.cell, cell_simulation(self.cell, 4)
        sim.context.setPositions(random_places(cell, 1))
        sim.context.setVelocitiesToTemperature(298.15, 2)
        sim.context.setParameter(PER_SHEET_ATOM, self.charge)
        sim.step(2500)
        walls, thickness, charge = cell.walls * 1e9, cell.network.sheet_thickness * 1e9, cell.ion_sites.charge
        numbers, pressure = [], []
        for _ in range(samples):
            sim.step(25)
            x = positions(sim)[:, 0] % (cell.box[0] * 1e9)
            second = x > 2 * cell.half * 1e9
            off = np.abs(x - walls[second.astype(int)]) - thickness / 2
            counter = charge * np.where(second, -1, 1) < 0  # the first wall is positive
            numbers.append([np.histogram(off[own], edges)[0] for own in (counter, ~counter)])
            pressure.append(np.maximum(0, REACH - off).sum() / SOFTNESS**2 / (4 * self.area))
        return np.array(numbers), np.array(pressure)

    def numbers(self, edges):
        """Of the closed form: (2, bins) of all four faces."""
        known = []
        for low, high in pairwise(edges):
            x = np.linspace(max(low, 0), high, 400)
            known.append(np.trapezoid(self.densities(x), x) * 4 * self.area)
        return np.array(known).T


def mean_and_error(series, blocks):
    """Mean over the first axis, and its standard error from the scatter of `blocks`."""
    means = np.array([part.mean(axis=0) for part in np.array_split(series, blocks)])
    return means.mean(axis=0), means.std(axis=0, ddof=1) / np.sqrt(blocks)


def test_charge_beside_a_flat_wall_is_gouys_and_chapmans():
    """The ions' charge within 1.2 nm of a face, to four standard errors of ten blocks, each below 8 %."""
    layer = DoubleLayer()
    numbers, _ = layer.run(500, [-0.1, 1.2])
    known = -np.subtract(*layer.numbers([-0.1, 1.2]))[0]
    measured, error = mean_and_error(numbers[:, 1, 0] - numbers[:, 0, 0], 10)
    print("GC", measured, known, error)
    assert error < 0.08 * abs(known)
    assert abs(measured - known) < 4 * max(error, 0.02 * abs(known))


@pytest.mark.slow
def test_double_layer_of_a_flat_wall_is_gouys_and_chapmans():
    """Profiles of counter- and co-ions in bins from the wall to the middle, and the contact theorem,

        P = p + sigma^2 / (2 eps),    P: pressure of the ions on the wall, p: that in the middle, sigma: of a face,

    which is exact for any ions (D. Henderson, L. Blum, J. Chem. Phys. 69, 5441 (1978)); p is Debye and Hueckel's, 1 %
    below 2 n kT. Tolerance: 4 standard errors of twenty blocks, and 3 % of each for correlations, which the closed
    form neglects (coupling 0.1).
    """
    layer, edges = DoubleLayer(), np.array([-0.1, 0.2, 0.5, 1.0, 1.6, 2.5, 5.0])
    numbers, pressure = layer.run(8000, edges)
    known = layer.numbers(edges)
    measured, error = mean_and_error(numbers, 20)
    print("GC", measured / known - 1, error / known, known)
    assert (error < 0.05 * known).all()
    assert (np.abs(measured - known) < 4 * error + 0.03 * known).all()
    wall = layer.pressure() + 2 * np.pi * layer.bjerrum * layer.sigma**2
    measured, error = mean_and_error(pressure, 20)
    print("contact", measured, error, wall, layer.pressure(), 2 * layer.bulk)
    assert error < 0.03 * wall
    assert abs(measured - wall) < 4 * error


@pytest.mark.slow
def test_conductivity_is_nernst_einsteins_less_the_drag_of_the_ions_atmospheres():
    """sigma / sigma_NE = 1 - (l_B kappa / 3) (1 - sqrt(1/2)) / ((1 + kappa a) (1 + sqrt(1/2) kappa a)): the relaxation
    effect (L. Onsager, Phys. Z. 28, 277 (1927); E. Pitts, Proc. R. Soc. A 217, 43 (1953)), without hydrodynamics.

    From the drift in fields of either sign under the same noise, which takes free diffusion out of the difference. The
    friction is high enough for motion without inertia in the time 1 / (kappa^2 D) of the atmosphere. Tolerance: four
    standard errors, and half of the effect, since z e E / kT is near kappa (Wien effect).
    """
    number, molar, field, step = 50, 0.1, 0.8, 20e-3  # -, mol/l, kT / e nm, ps
    electrolyte = salt(diffusion=32e-9)
    config = configured(electrolyte, timestep=step * 1e-12, frame_interval=1e-12, friction=2.0)
    drift = []
    for sign in (1, -1):
        bulk = bulk_of(config, number, molar, cutoff=2.4)
        force = openmm.CustomExternalForce(f"-{sign * field * KT} * charge * x")
        force.addPerParticleParameter("charge")
        for ion, charge in enumerate(bulk.sites.charge):
            force.addParticle(ion, [charge])
        bulk.system.addForce(force)
        sim = bulk.started(5)
        sim.step(2000)
        path = [bulk.sites.charge @ positions(sim)[:, 0]]
        for _ in range(20):
            sim.step(4000)
            path.append(bulk.sites.charge @ positions(sim)[:, 0])
        drift.append(sign * np.diff(path))
    free = 2 * number * 0.032 * field * 4000 * step  # nm
    measured, error = mean_and_error((drift[0] + drift[1]) / 2 / free, 20)
    kappa, length = 1e-9 / electrolyte.debye_length(1000 * molar), electrolyte.bjerrum_length * 1e9
    effect = length * kappa / 3 * (1 - np.sqrt(0.5)) / ((1 + 0.5 * kappa) * (1 + 0.5 * np.sqrt(0.5) * kappa))
    print("conductivity", measured, error, 1 - effect)
    assert error < 0.015
    assert abs(measured - (1 - effect)) < 4 * error + effect / 2
    assert measured < 1 + 2 * error


@pytest.mark.slow
def test_contents_of_charged_slits_are_those_of_the_continuum(tmp_path):
    """Contents at equilibrium of open slits at fixed charge, against the modified Poisson-Nernst-Planck equations of
    the same cell, with sheets of the electrolyte's permittivity: Donnan phases.

    Two sheets a face, eps_r = 200, a = 0.25 nm, coupling 0.1. Tolerance: four standard errors of twenty blocks, and 5 %
    for correlations and the shape of ions, which the continuum lacks.
    """
    electrolyte, charge = salt(permittivity=200.0, diffusion=FAST_DIFFUSION, diameter=0.25e-9), 0.01
    network = {"slit_length": 1.278e-9, "edge_gap": 0.426e-9, "reservoir_length": 1.5e-9}
    fields = {"depth": 2.5e-9, "concentration": 500.0, "cutoff": 1.2e-9, "charge_per_carbon": charge}
    cell = Cell(configured(electrolyte, network=network, **fields, **QUICK))
    drive = ChargeStep(sigma=cell.sheet_charge, duration=200e-12)
    matched = {"network": cell.network, "electrolyte": electrolyte, "concentration": cell.initial_concentration}
    steps = {"record_interval": 1e-12, "record_growth": 1.2, "sheet_permittivity": cell.permittivity}
    continuum = run(ContinuumConfig(cell="full", drive=drive, **matched, **steps), tmp_path, Progress(quiet=True))
    final = continuum.slits[continuum.slits["time_s"] == continuum.slits["time_s"].max()]
    positive = final[final["Q_C_per_m"] < 0].sort_values("i")
    volume = cell.network.slit * cell.network.slit_length * 2 * cell.depth * constants.N_A
    known = np.array([positive[f"c_{name}_mol_per_m3"] * volume for name in ("Cl", "K")])
    sim = cell_simulation(cell, 4)
    sim.context.setPositions(random_places(cell, 1))
    sim.context.setVelocitiesToTemperature(298.15, 2)
    sim.context.setParameter(PER_SHEET_ATOM, charge)
    sim.step(5000)
    kind, contents = cell.ion_sites.kind, []
    for _ in range(3000):
        sim.step(50)
        x = positions(sim)[:, 0] * 1e-9
        potassium, chloride = (slit_contents(cell, x[kind == k])[:, :-1] for k in (0, 1))
        counter = np.concatenate([chloride[:2], potassium[2:]])  # the first electrode is positive
        contents.append([counter.mean(axis=0), np.concatenate([potassium[:2], chloride[2:]]).mean(axis=0)])
    measured, error = mean_and_error(np.array(contents), 20)
    charge_error = mean_and_error(np.diff(contents, axis=1), 20)[1][0]
    print("Donnan", measured, known, error, charge_error)
    assert (error < 0.1 * known).all()
    assert (np.abs(measured - known) < 4 * error + 0.05 * known).all()
    net = -np.diff(known, axis=0)[0]
    assert (np.abs(measured[0] - measured[1] - net) < 4 * charge_error + 0.05 * net).all()
