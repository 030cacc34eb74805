"""Uncharged starts, one for each box and independent of one another: shipped for the default cell, made for others.

A start has its own ions and its own water. The ions have the places of a run of its own in implicit water, from random
places on and over `distribution`: between slits and reservoirs ions exchange within nanoseconds, which molecules of
water make too long to follow. Each ion moves to the nearest packing site that is clear of the sheets, water is packed
around the ions and brought to its density (`md.filling`; later starts take the number of waters of the first), and
everything is equilibrated for `equilibration` at 4 fs, with heavy hydrogens. Masses do not affect equilibrium averages.
A liquid of ions alone, and molecular ions, are packed at random and annealed for `anneal` instead.

A start is accepted by its kinetic temperature, the density of water in its reservoirs, and its potential energy against
that of the starts before it; one that is not accepted is made again from another seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from MDAnalysis.lib.formats.libmdaxdr import XTCFile
from openmm import app, unit

from md.cell import Cell
from md.checkpoint import segment_paths
from md.config import MDConfig
from md.files import Shape, load_arrays
from md.filling import (
    EQUILIBRIUM_STEP,
    INSERTED,
    ROUND_STEPS,
    ROUNDS,
    fill,
    heavy_hydrogens,
    reservoir_count,
    water_density,
)
from md.forcefield import build_system, topology
from md.implicit_water import random_places
from md.legs import EQUILIBRIUM_FRICTION, replica_legs
from md.packing import check_overlaps, pack
from md.propagate import Leg, frames_in, positions_of, propagate, seconds_per_step, simulation
from md.system import build
from transslit.config import digest
from transslit.errors import StageFailed
from transslit.files import read_object, whole, write_json
from transslit.ions import Ion, MDParameters
from transslit.progress import Progress
from transslit.runs import versions

SHIPPED = Path(__file__).parent / "equilibrated"
FRAME_STEPS = 125  # of EQUILIBRIUM_STEP, 0.5 ps
ATTEMPTS = 3  # at a start
SETTLE = 400  # steps of 1 fs after packing

# Relative limits of acceptance. Some 8,000 atoms: a mean temperature over picoseconds is good to 0.5 %, the count of
# waters in the middle of the reservoirs to 1 %, an instant's potential energy to 0.2 %.
WARM, DENSE, BOUND = 0.03, 0.05, 0.01


@dataclass(frozen=True)
class Starts:
    """`positions` (n, particles, 3) in nm of n starts, the number of `waters`, and their provenance."""

    positions: np.ndarray
    waters: int
    provenance: dict[str, Any]


class Start(NamedTuple):
    """Positions (particles, 3) in nm of one start, its number of waters, and what it was accepted by."""

    positions: np.ndarray
    waters: int
    facts: dict[str, Any]


def geometry_key(cell: Cell) -> str:
    """Digest of geometry and numbers of ions: what positions depend on, apart from the kind of the ions."""
    content = [cell.network.non_defaults(), np.round(cell.box, 14).tolist(), cell.formula_units]
    return digest([content, [ion.stoichiometry for ion in cell.electrolyte.ions]])


def ions_key(cell: Cell) -> str:
    """Digest of the ions' force field."""

    def values(ion: Ion) -> list[Any]:
        names = ("charge", "sigma", "epsilon") if isinstance(ion.md, MDParameters) else ("forcefield", "structure")
        return [getattr(ion.md, name).value for name in names]

    return digest([(ion.name, *values(ion)) for ion in cell.electrolyte.ions])


def shipped_starts(cell: Cell) -> Starts | None:
    """The shipped starts of this geometry, composition and temperature, or None.

    They may be of other ions of the same numbers (`provenance["ions_key"]`), which then need equilibration.
    """
    for path in sorted(SHIPPED.glob("*.json")):
        provenance = read_object(path)
        if provenance["geometry_key"] != geometry_key(cell) or provenance["lattice"] != cell.config.lattice:
            continue
        if abs(provenance["temperature_K"] - cell.config.temperature) > 10:
            continue
        saved = load_arrays(path.with_suffix(".npz"), "install the package again", mobile=(None, None, 3))
        mobile = saved["mobile"] * (cell.box * 1e9 / 65536)
        if mobile.shape[1] != len(cell.ion_sites) + 3 * provenance["waters"]:
            continue
        water = mobile[:, len(cell.ion_sites) :].reshape(len(mobile), -1, 3, 3)
        water += cell.box * 1e9 * np.round((water[:, :, :1] - water) / (cell.box * 1e9))  # undo the wrapping of atoms
        frozen = cell.sheet_atoms["positions"] * 1e9
        positions = np.concatenate([np.broadcast_to(frozen, (len(mobile), *frozen.shape)), mobile], axis=1)
        for each in positions:
            check_overlaps(cell, each * 1e-9, INSERTED)
        return Starts(positions, int(provenance["waters"]), provenance)
    return None


def ship(cell: Cell, starts: Starts, path: Path) -> None:
    """Write the positions, quantised to 1/65536 of the box (0.24 pm), and their provenance to `path`.npz and .json."""
    box = cell.box * 1e9
    mobile = np.round((starts.positions[:, len(cell.sheet_atoms["sign"]) :] % box) / box * 65536)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path.with_name(path.name + ".npz"), mobile=(mobile % 65536).astype(np.uint16))
    write_json(path.with_name(path.name + ".json"), starts.provenance)


def slit_contents(cell: Cell, x: np.ndarray) -> np.ndarray:
    """Ions in slit i = 1 ... and then in the reservoirs, by half-cell, shape (..., half-cells, slits + 1).

    `x` (..., ions) in m; slits extend from sheet centre to sheet centre, reservoirs to their mid-planes.
    """
    sheet = np.append(cell.network.sheet_centres + cell.network.sheet_thickness / 2, 0.0)  # from the wall's centre
    contents = []
    for half_cell in cell.half_cells:
        off = half_cell.direction * (x - half_cell.wall)
        off = off - cell.box[0] * np.floor(off / cell.box[0])  # from the wall on, outwards
        here = off < cell.half
        number = (off[..., None] < sheet[:-1]).sum(axis=-1)
        contents.append(
            np.stack([(here & (number == i)).sum(axis=-1) for i in (*range(1, cell.network.slits + 1), 0)], axis=-1)
        )
    return np.stack(contents, axis=-2)


def find_starts(cell: Cell, folder: Path, progress: Progress) -> Starts:
    """The shipped starts if they fit (other ions of the same numbers are equilibrated), else one for each box."""
    config = cell.config
    if config.water == "implicit":
        sites = cell.sheet_atoms["positions"][: cell.frozen] * 1e9
        places = [random_places(cell, _seed(config, number, 0)) for number in range(config.starts)]
        positions = np.array([np.concatenate([sites, ions]) for ions in places])
        return Starts(positions, 0, {"source": "ions at random places"})
    shipped = shipped_starts(cell) if config.start == "auto" else None
    if shipped is not None and shipped.provenance["ions_key"] == ions_key(cell):
        return shipped
    made: list[Start] = []
    for number in range(config.starts):
        made.append(_start(cell, number, made, shipped, folder / f"start-{number}", progress))
    provenance = {
        "geometry_key": geometry_key(cell),
        "ions_key": ions_key(cell),
        "electrolyte": cell.electrolyte.name,
        "lattice": config.lattice,
        "temperature_K": config.temperature,
        "waters": made[0].waters,
        "seed": config.seed,
        "source": _source(cell, shipped),
        "starts": [start.facts for start in made],
        "config_digest": config.digest,
        "config": config.model_dump(mode="json"),
        "versions": versions(),
    }
    return Starts(np.array([start.positions for start in made]), made[0].waters, provenance)


def load_positions(cell: Cell, path: Path, name: str, shape: Shape) -> tuple[np.ndarray, int]:
    """The array `name` of positions in nm, shape (..., particles, 3), and the number of waters from an .npz file.

    Raises
    ------
    StageFailed : they cannot be read, or are not of the particles of `cell`
    """
    remedy = "move it away to have it made again"
    saved = load_arrays(path, remedy, waters=(), **{name: shape})
    waters = int(saved["waters"])
    if saved[name].shape[-2] != cell.frozen + len(cell.ion_sites) + 3 * waters:
        raise StageFailed("md", f"{path}: is of another cell; {remedy}")
    return saved[name].astype(float), waters


def _save_positions(path: Path, positions: np.ndarray, waters: int) -> None:
    with whole(path) as partial_file:
        np.savez_compressed(partial_file, positions=positions.astype(np.float32), waters=waters)


def _source(cell: Cell, shipped: Starts | None) -> str:
    if shipped is not None:
        return "shipped starts with their ions exchanged"
    return "ions of implicit water" if _distributed(cell) else "packed at random"


def _distributed(cell: Cell) -> bool:
    """Whether the ions of a start are those of a run in implicit water."""
    return cell.electrolyte.solvent.model != "none" and not cell.ion_sites.molecular and bool(cell.config.distribution)


def _seed(config: MDConfig, number: int, attempt: int) -> int:
    """Seed of a start."""
    return (config.seed * 1013 + 104729 * attempt + 7907 * (number + 1)) % 2**31


def _start(
    cell: Cell, number: int, earlier: list[Start], shipped: Starts | None, folder: Path, progress: Progress
) -> Start:
    """The start in `folder`, or a new one; at most `ATTEMPTS` at being accepted."""
    done, facts = folder / "start.npz", folder / "start.json"
    if done.exists() and facts.exists():
        return Start(*load_positions(cell, done, "positions", (None, 3)), read_object(facts, "start"))
    fault = ""
    for attempt in range(ATTEMPTS):
        made = _make(cell, number, attempt, earlier, shipped, folder / f"attempt-{attempt}", progress)
        fault = unacceptable(cell, made, earlier)
        if not fault:
            _save_positions(done, made.positions, made.waters)
            write_json(facts, made.facts)
            return made
        progress.say(f"MD: start {number + 1} is made again: {fault}.")
    raise StageFailed("md", f"start {number + 1} is no equilibrium after {ATTEMPTS} attempts: {fault}")


def unacceptable(cell: Cell, start: Start, earlier: list[Start]) -> str:
    """Why a start cannot be used, in words; empty if it can."""
    facts, config = start.facts, cell.config
    energies = [each.facts["energy_kJ_per_mol"] for each in earlier or [start]]
    counted = cell.target_water_density / max(water_density(cell, 1.0), 1e-9)  # fluctuates by less than its root
    expected = {
        "T_K": (config.temperature, WARM),
        "water_kg_per_m3": (cell.target_water_density, max(DENSE, counted**-0.5 if counted else 0.0)),
        "energy_kJ_per_mol": (float(np.median(energies)), BOUND),
    }
    for name, (value, limit) in expected.items():
        if value and abs(facts[name] / value - 1) > limit:
            return f"{name} is {facts[name]:.6g}, more than {limit:.0%} from {value:.6g}"
    return ""


def _make(
    cell: Cell,
    number: int,
    attempt: int,
    earlier: list[Start],
    shipped: Starts | None,
    folder: Path,
    progress: Progress,
) -> Start:
    config, seed = cell.config, _seed(cell.config, number, attempt)
    folder.mkdir(parents=True, exist_ok=True)
    filled = folder / "filled.npz"
    if shipped is not None:
        positions, waters = shipped.positions[number % len(shipped.positions)], shipped.waters
        legs = _legs(config, 0.0, config.equilibration / 2)
    else:
        if not filled.exists():
            places = _places(cell, seed, folder, progress) if _distributed(cell) else None
            with progress.task(f"MD: filling start {number + 1}", ROUNDS) as advance:
                positions, waters = fill(cell, seed, advance, places, earlier[0].waters if earlier else None)
            _save_positions(filled, positions, waters)
        positions, waters = load_positions(cell, filled, "positions", (None, 3))
        legs = _legs(config, 0.0 if _distributed(cell) else config.anneal, config.equilibration)
    return _equilibrate(cell, positions, waters, legs, seed, folder / "equilibrium", progress, f"start {number + 1}")


def _places(cell: Cell, seed: int, folder: Path, progress: Progress) -> np.ndarray:
    """Places of the ions in nm, shape (ions, 3), after `distribution` in implicit water from random places on."""
    kept = folder / "ions.npz"
    if not kept.exists():
        config = cell.config
        shared = ("network", "electrolyte", "concentration", "lattice", "charge_per_carbon", "depth", "temperature")
        values = {name: getattr(config, name) for name in (*shared, "electrode_uptake_fraction", "platform", "cutoff")}
        alike = Cell(MDConfig(water="implicit", **values))
        sim = simulation(*build(alike, 0), alike, seed)
        sim.context.setPositions(random_places(alike, seed))
        sim.context.setVelocitiesToTemperature(config.temperature, seed % 2**31 or 1)
        sim.integrator.setFriction(EQUILIBRIUM_FRICTION)
        steps = round(config.distribution / alike.config.timestep)
        with progress.task("MD: distribution of the ions in implicit water", steps) as advance:
            for done in range(0, steps, 500):
                sim.step(min(500, steps - done))
                advance(min(done + 500, steps))
        with whole(kept) as partial_file:
            np.savez(partial_file, ions=positions_of(sim))
    return load_arrays(kept, "move it away to have it made again", ions=(len(cell.ion_sites), 3))["ions"]


def _legs(config: MDConfig, anneal: float, equilibration: float) -> list[Leg]:
    def steps(time: float) -> int:
        return max(1, round(time / EQUILIBRIUM_STEP / FRAME_STEPS)) * FRAME_STEPS

    legs = [Leg("settle", SETTLE, 1e-15, config.temperature)]
    if anneal:
        legs += [Leg("anneal", steps(anneal), EQUILIBRIUM_STEP, config.anneal_temperature)]
        legs += [Leg("cool", FRAME_STEPS * 2, EQUILIBRIUM_STEP, config.temperature)]
    return [*legs, Leg("equilibrate", steps(equilibration), EQUILIBRIUM_STEP, config.temperature, FRAME_STEPS)]


def workload(cell: Cell, folder: Path | None = None) -> tuple[int, float]:
    """Particles of the cell, and wall time in s of the rest of a run in `folder` here, from a few force evaluations."""
    config, folder = cell.config, folder or Path()
    left = sum(not (folder / f"replica-{k}.xtc").exists() for k in range(config.replicas))
    steps = left * sum(leg.steps for leg in replica_legs(config))
    waters = 0
    if config.water == "implicit":
        positions = find_starts(cell, folder, Progress(quiet=True)).positions[0]
    elif (shipped := shipped_starts(cell) if config.start == "auto" else None) is not None:
        positions, waters = shipped.positions[-1], shipped.waters
    else:
        packed, waters = pack(cell, config.seed)
        positions = packed * 1e9
        if not (folder / "starts.json").exists():
            each = ROUND_STEPS + sum(leg.steps for leg in _legs(config, config.anneal, config.equilibration))
            steps += ROUND_STEPS + config.starts * each
    sim = simulation(*build(cell, waters), cell, 1)
    return len(positions), steps * seconds_per_step(sim, positions)


def _equilibrate(
    cell: Cell,
    positions: np.ndarray,
    waters: int,
    legs: list[Leg],
    seed: int,
    folder: Path,
    progress: Progress,
    name: str,
) -> Start:
    config = cell.config
    structure = topology(cell, waters)
    system = build_system(cell, structure)
    heavy_hydrogens(system, waters)
    sim = simulation(structure, system, cell, seed + 11)

    def start(sim: app.Simulation) -> None:
        sim.context.setPositions(positions)
        sim.minimizeEnergy(maxIterations=30)
        sim.context.setVelocitiesToTemperature(config.temperature, seed + 12)

    with progress.task(f"MD: equilibration of {name}", sum(leg.steps for leg in legs)) as advance:
        counters = propagate(sim, cell, legs, folder, start=start, advance=advance)
    frames = np.concatenate([_frames(path) for path in segment_paths(folder, counters, frames_in(legs))])
    late = frames[len(frames) // 2 :].astype(float) * 1e-9
    first = cell.frozen + len(cell.ion_sites)
    x = np.stack([cell.ion_sites.centres(frame)[:, 0] for frame in late[:, cell.frozen : first]])
    energy = sim.context.getState(getEnergy=True).getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole)
    facts = {
        "seed": seed,
        "length_s": {leg.name: leg.steps * leg.timestep for leg in legs},
        "T_K": float(np.mean([kelvin for _, kelvin in counters.rows[-len(late) :]])),
        "water_kg_per_m3": water_density(cell, float(reservoir_count(cell, late[:, first::3, 0]).mean())),
        "energy_kJ_per_mol": energy,
        "contents": slit_contents(cell, x[-1]).tolist(),
        "continued_from_state": counters.continued,
    }
    return Start(positions_of(sim), waters, facts)


def _frames(path: Path) -> np.ndarray:
    """Positions of an XTC file in nm, shape (frames, particles, 3)."""
    with XTCFile(str(path)) as file:
        return np.stack([frame.x for frame in file])


def make_starts(config: MDConfig, path: Path, progress: Progress, *, equilibration: float = 16e-12) -> Starts:
    """Make `replicas` starts of the cell afresh and write them to `path`.npz and `path`.json.

    With the two files in `md/equilibrated`, every run of that cell starts from them. An interrupted call continues from
    the working files in `starts_work(path)`.
    """
    changed = config.model_copy(update={"start": "fresh", "equilibration": equilibration})
    cell = Cell(changed)
    work = starts_work(path)
    work.mkdir(parents=True, exist_ok=True)
    starts = find_starts(cell, work, progress)
    ship(cell, starts, path)
    return starts


def starts_work(path: Path) -> Path:
    """Folder of the working files of `make_starts`."""
    return path.with_name(path.name + "-work")


def set_constrained_positions(sim: app.Simulation, positions: np.ndarray) -> None:
    """Set rounded positions (nm) and apply the constraints of the rigid waters to them."""
    sim.context.setPositions(positions * unit.nanometer)
    sim.context.applyConstraints(1e-6)
