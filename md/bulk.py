"""The electrolyte without electrodes: density, first shells and diffusion of a periodic cube at 1 bar.

The box of ions and rigid waters (or of ions alone) has the force field of the cell. A run at constant pressure (Monte
Carlo barostat) gives the density. A run at that volume, with a thermostat that hardly affects transport (Nose-Hoover),
gives the ion-oxygen radial distribution functions (without water, those of ions of opposite sign) and the diffusion
coefficients from mean square displacements, corrected for the size of the box by

    D0 = D + 2.837297 kT / (6 pi eta L)

I.-C. Yeh, G. Hummer, J. Phys. Chem. B 108, 15873 (2004), doi:10.1021/jp0477147. eta is that of SPC/E water, 0.729
mPa s at 298 K: M. A. Gonzalez, J. L. F. Abascal, J. Chem. Phys. 132, 096101 (2010), doi:10.1063/1.3330544.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cached_property

import MDAnalysis
import numpy as np
import openmm
from MDAnalysis.analysis.rdf import InterRDF
from openmm import app, unit
from scipy import constants

from md.atoms import step_between
from md.filling import EQUILIBRIUM_STEP, heavy_hydrogens
from md.forcefield import add_liquid, charges, check_neutral, nonbonded, parametrise
from md.growth import grow
from md.ions import IonSites
from md.packing import rotations, waters_at
from md.propagate import choose_platform, positions_of
from transslit.electrolyte import Electrolyte
from transslit.errors import BadInput, StageFailed

VISCOSITY = 0.729e-3  # Pa s, SPC/E at 298 K and 1 bar (above)
PRESSURE = 1.0  # bar
CUTOFF = 0.9e-9  # m, with the long-range correction of the dispersion
COUPLING = 2.0  # 1/ps, of the Nose-Hoover chain to the whole box
FRAME = 0.1e-12  # s
LAGS = (2e-12, 12e-12)  # s, past the ballistic part and the first cage
BLOCKS = 5  # of time, for standard errors
SHELLS = {True: (1.5, 5.0), False: (2.0, 9.0)}  # angstrom, range of the first shell: of water, of molecular ions
BIN = 0.05  # angstrom


@dataclass(frozen=True)
class BulkBox:
    """Ions and waters in a cube of edge `length` (m); `positions` (atoms, 3) in m, ions first, then O, H, H."""

    electrolyte: Electrolyte
    numbers: dict[str, int]
    waters: int
    length: float
    positions: np.ndarray
    cutoff: float = CUTOFF

    @cached_property
    def sites(self) -> IonSites:
        """Interaction sites of the ions."""
        return IonSites(self.electrolyte, self.numbers)

    @property
    def structure(self) -> app.Topology:
        """Topology with the box."""
        topology = app.Topology()
        add_liquid(topology, self.electrolyte, self.numbers, self.waters)
        topology.setPeriodicBoxVectors(np.eye(3) * self.length * 1e9 * unit.nanometer)
        return topology

    @property
    def density(self) -> float:
        """kg/m^3."""
        solvent = self.electrolyte.solvent.molar_mass
        water = self.waters * solvent.value if solvent else 0.0
        return float((self.sites.mass.sum() + water) * 1e-3 / constants.N_A / self.length**3)

    @property
    def concentration(self) -> float:
        """mol/m^3 of formula units."""
        first = self.electrolyte.ions[0]
        return self.numbers[first.name] / first.stoichiometry / constants.N_A / self.length**3


@dataclass(frozen=True)
class BulkSettings:
    """Settings of `bulk_properties`; times in s."""

    duration: float = 200e-12  # after a tenth of it (at most 10 ps) that is discarded
    temperature: float = 298.15  # K
    friction: float | None = None  # 1/ps, of a Langevin thermostat, which slows transport; None for Nose-Hoover
    timestep: float = 2e-15
    heavy_hydrogens: bool = False  # as in `at_pressure`, for steps of 4 fs: same structure, slower motion
    viscosity: float = VISCOSITY  # Pa s
    seed: int = 0
    platform: str = "auto"


@dataclass(frozen=True)
class BulkProperties:
    """Results of `bulk_properties`. `diffusion` and `error` have an entry per ion, and `water`; m^2/s."""

    density: float  # kg/m^3
    density_error: float
    concentration: float  # mol/m^3
    first_peak: dict[str, float]  # m, of g(ion-O), or without water of g(cation-anion)
    peak_height: dict[str, float]
    diffusion: dict[str, float]  # of the box, uncorrected
    error: dict[str, float]  # standard error
    correction: float  # m^2/s, to be added for an infinite box; NaN without water, whose viscosity it needs
    temperature: float  # K, mean kinetic temperature of the run

    @property
    def corrected(self) -> dict[str, float]:
        """Diffusion coefficients in an infinite box."""
        return {name: value + self.correction for name, value in self.diffusion.items()}


def bulk_box(
    electrolyte: Electrolyte,
    concentration: float | None = None,
    waters: int = 600,
    *,
    cutoff: float = CUTOFF,
    seed: int = 0,
) -> BulkBox:
    """A cube at the solvent's density with `waters` waters and the nearest integer number of formula units of salt.

    Parameters
    ----------
    concentration : mol/m^3, the electrolyte's own if None; 0 for pure water
    waters : without a solvent, sites of ions

    Raises
    ------
    BadInput : the box would be narrower than twice the cutoff, or an ion has no force field
    """
    salt = electrolyte.concentration if concentration is None else concentration
    solvent = electrolyte.solvent
    if solvent.molar_mass is None:
        units = max(1, round(waters / sum(ion.stoichiometry * len(ion.sites) for ion in electrolyte.ions)))
        volume, waters = units / constants.N_A / salt, 0
        room = volume / units / sum(ion.stoichiometry for ion in electrolyte.ions)
    else:
        room = solvent.molar_mass.value * 1e-3 / solvent.density.value / constants.N_A
        units = round(salt * constants.N_A * waters * room)
    numbers = {ion.name: units * ion.stoichiometry for ion in electrolyte.ions}
    places = waters + sum(numbers.values())
    length = (room * places) ** (1 / 3)  # an ion gets the volume of a water
    if length < 2.1 * cutoff:  # the volume will change
        least = int(np.ceil((waters or places) * (2.1 * cutoff / length) ** 3))
        raise BadInput("waters", waters, f"the box must stay wider than twice the cutoff: give {least} or more")
    random = np.random.default_rng(seed)
    side = int(np.ceil(places ** (1 / 3)))
    grid = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    chosen = random.permutation((grid + 0.5) * length / side)[:places]
    ions = places - waters
    sites = IonSites(electrolyte, numbers)
    salt = chosen[:ions][sites.owner] + np.einsum("sj,sij->si", sites.arms, rotations(ions, random)[sites.owner])
    positions = np.concatenate([salt, waters_at(chosen[ions:], random).reshape(-1, 3)])
    box = BulkBox(electrolyte, numbers, waters, length, positions, cutoff)
    if not sites.molecular:
        return box
    return replace(box, positions=grow(box.structure, bulk_system(box), positions * 1e9, range(len(sites))) * 1e-9)


def at_pressure(
    box: BulkBox, time: float = 60e-12, *, temperature: float = 298.15, seed: int = 0, platform: str = "auto"
) -> tuple[BulkBox, float]:
    """The box relaxed at 1 bar, at the mean volume of the second half of `time` (s), and its density's standard error.

    Hydrogens are heavy and steps 4 fs; masses do not affect equilibrium averages.
    """
    system = bulk_system(box)
    heavy_hydrogens(system, box.waters)
    barostat = openmm.MonteCarloBarostat(PRESSURE, temperature, 10)
    barostat.setRandomNumberSeed(seed + 1)
    system.addForce(barostat)
    sim = _simulation(box, system, temperature, 2.0, EQUILIBRIUM_STEP, seed, platform)
    sim.minimizeEnergy(maxIterations=200)
    sim.context.setVelocitiesToTemperature(temperature, seed + 2)
    sim.integrator.setStepSize(1e-3)
    _steps(sim, 500)
    sim.integrator.setStepSize(EQUILIBRIUM_STEP * 1e12)
    rounds = max(20, round(time / EQUILIBRIUM_STEP / 50))
    volumes = np.empty(rounds)
    for n in range(rounds):
        _steps(sim, 50)
        volumes[n] = sim.context.getState().getPeriodicBoxVolume().value_in_unit(unit.nanometer**3) * 1e-27
    second_half = volumes[rounds // 2 :]
    final, last = positions_of(sim) * 1e-9, float(volumes[-1] ** (1 / 3))
    length = float(second_half.mean() ** (1 / 3))
    relaxed = replace(box, length=length, positions=_rescale(box, final, length / last))
    blocks = [part.mean() for part in np.array_split(second_half, BLOCKS)]
    return relaxed, relaxed.density * float(np.std(blocks, ddof=1) / np.sqrt(BLOCKS) / second_half.mean())


def bulk_properties(
    box: BulkBox,
    settings: BulkSettings | None = None,
    *,
    density_error: float = float("nan"),
) -> BulkProperties:
    """Structure and transport of a box that has its density (`at_pressure`), at constant volume.

    Raises
    ------
    BadInput : too short for the displacements that are fitted
    StageFailed : the simulation blew up
    """
    settings = settings or BulkSettings()
    duration = settings.duration
    if duration < 1.5 * LAGS[1]:
        raise BadInput("duration", f"{duration * 1e12:g} ps", f"give at least {1.5e12 * LAGS[1]:g} ps")
    path, temperature = _trajectory(box, settings)
    kinds = np.concatenate([np.full(number, name) for name, number in box.numbers.items()] + [["water"] * box.waters])
    steps = step_between(path[:-1], path[1:], box.length * 1e9)
    unwrapped = np.concatenate([path[:1], path[0] + np.cumsum(steps, axis=0, dtype=float)]) * 1e-9
    present = [name for name in (*box.numbers, "water") if (kinds == name).any()]
    measured = {name: diffusion(unwrapped[:, kinds == name], FRAME) for name in present}
    sign = {ion.name: np.sign(ion.charge) for ion in box.electrolyte.ions}
    around = {
        name: kinds == "water" if box.waters else np.isin(kinds, [other for other in sign if sign[other] != sign[name]])
        for name in box.numbers
    }
    peaks = {name: first_peak(path, kinds == name, around[name], box) for name in present if name != "water"}
    correction = size_correction(box.length, settings.temperature, settings.viscosity) if box.waters else float("nan")
    return BulkProperties(
        density=box.density,
        density_error=density_error,
        concentration=box.concentration,
        first_peak={name: peak[0] for name, peak in peaks.items()},
        peak_height={name: peak[1] for name, peak in peaks.items()},
        diffusion={name: value for name, (value, _) in measured.items()},
        error={name: error for name, (_, error) in measured.items()},
        correction=correction,
        temperature=temperature,
    )


def _trajectory(box: BulkBox, settings: BulkSettings) -> tuple[np.ndarray, float]:
    """Path of the ions' centres and of the oxygens in nm, (frames, ions + waters, 3), and kinetic temperature in K."""
    timestep, system = settings.timestep, bulk_system(box)
    if settings.heavy_hydrogens:
        heavy_hydrogens(system, box.waters)
    temperature, seed = settings.temperature, settings.seed
    sim = _simulation(box, system, temperature, settings.friction, timestep, seed, settings.platform)
    sim.context.setVelocitiesToTemperature(temperature, seed + 2)
    _steps(sim, round(min(settings.duration / 10, 10e-12) / timestep))
    frames, every = round(settings.duration / FRAME), round(FRAME / timestep)
    salt = len(box.sites)
    path = np.empty((frames, box.sites.ions + box.waters, 3), dtype=np.float32)
    kinetic = np.empty(frames)
    for n in range(frames):
        _steps(sim, every)
        state = sim.context.getState(getPositions=True, getEnergy=True)
        place = np.asarray(state.getPositions(asNumpy=True).value_in_unit(unit.nanometer))
        path[n] = np.concatenate([box.sites.centres(place[:salt]), place[salt::3]])
        kinetic[n] = state.getKineticEnergy().value_in_unit(unit.kilojoule_per_mole)
    freedom = 3 * len(box.positions) - sim.system.getNumConstraints() - 3  # the total momentum is kept at zero
    return path, float(kinetic.mean() * 2e3 / freedom / constants.R)


def size_correction(length: float, temperature: float, viscosity: float = VISCOSITY) -> float:
    """Reduction of diffusion coefficients in a periodic cube of edge `length` (m), m^2/s: the module's equation."""
    return 2.837297 * constants.k * temperature / (6 * np.pi * viscosity * length)


def diffusion(path: np.ndarray, interval: float) -> tuple[float, float]:
    """D in m^2/s and its standard error from unwrapped positions (frames, atoms, 3) in m, `interval` s apart.

    The slope of the mean square displacement between `LAGS`, over six; the error is that of blocks of time.
    """
    pieces = [piece for piece in np.array_split(path, BLOCKS) if len(piece) * interval > 1.2 * LAGS[1]]
    error = np.nan
    if len(pieces) == BLOCKS:
        error = float(np.std([_slope(piece, interval) for piece in pieces], ddof=1) / np.sqrt(BLOCKS))
    return _slope(path, interval), error


def _slope(path: np.ndarray, interval: float) -> float:
    first, last = (round(lag / interval) for lag in LAGS)
    lags = np.unique(np.linspace(first, min(last, len(path) - 1), 12).round().astype(int))
    squares = [((path[lag:] - path[:-lag]) ** 2).sum(axis=-1).mean() for lag in lags]
    return float(np.polyfit(lags * interval, squares, 1)[0] / 6)


def first_peak(path: np.ndarray, ion: np.ndarray, other: np.ndarray, box: BulkBox) -> tuple[float, float]:
    """Position (m) and height of the first peak of g(ion-other), by a parabola through the five bins at its maximum."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        universe = MDAnalysis.Universe.empty(path.shape[1], trajectory=True)
        edge = box.length * 1e10
        universe.load_new(path * 10, order="fac", dimensions=np.array([edge, edge, edge, 90, 90, 90]))
        group = universe.atoms
        shell = SHELLS[box.waters > 0]
        bins = round((shell[1] - shell[0]) / BIN)
        g = InterRDF(group[ion], group[other], nbins=bins, range=shell).run(step=max(1, len(path) // 1000)).results
    top = int(np.clip(g.rdf.argmax(), 2, bins - 3))
    near = slice(top - 2, top + 3)
    curve = np.polyfit(g.bins[near] - g.bins[top], g.rdf[near], 2)
    shift = float(np.clip(-curve[1] / (2 * curve[0]), -2 * BIN, 2 * BIN)) if curve[0] < 0 else 0.0
    return (float(g.bins[top]) + shift) * 1e-10, float(np.polyval(curve, shift))


def bulk_system(box: BulkBox) -> openmm.System:
    """Rigid water, PME with the box's cutoff and the long-range correction; the total momentum is kept at zero."""
    system = parametrise(box.structure, box.electrolyte, box.cutoff)
    nonbonded(system).setUseDispersionCorrection(True)  # the pressure needs it
    check_neutral(charges(system), allowed=box.electrolyte.allow_charged)
    return system


def _simulation(
    box: BulkBox,
    system: openmm.System,
    temperature: float,
    friction: float | None,
    timestep: float,
    seed: int,
    platform: str,
) -> app.Simulation:
    if friction is None:
        integrator = openmm.NoseHooverIntegrator(temperature, COUPLING, timestep * 1e12)
    else:
        integrator = openmm.LangevinMiddleIntegrator(temperature, friction, timestep * 1e12)
        integrator.setRandomNumberSeed(seed % 2**31 + 1)
    sim = app.Simulation(box.structure, system, integrator, *choose_platform(platform))
    sim.context.setPositions(box.positions * 1e9)
    sim.context.applyConstraints(1e-6)
    return sim


def _steps(sim: app.Simulation, number: int) -> None:
    try:
        sim.step(number)
    except (openmm.OpenMMException, ValueError) as error:
        raise StageFailed("md bulk", f"blew up ({error})") from None


def _rescale(box: BulkBox, positions: np.ndarray, factor: float) -> np.ndarray:
    """Positions with the molecules' centres scaled by `factor` and their geometry unchanged."""
    salt = len(box.sites)
    moved = positions[:salt] + (factor - 1) * box.sites.centres(positions[:salt])[box.sites.owner]
    water = positions[salt:].reshape(-1, 3, 3)
    return np.concatenate([moved, (water + (factor - 1) * water[:, :1]).reshape(-1, 3)])
