"""The uncharged equilibrium from which the boxes start: shipped for the default cell, made in the run for others.

Water is brought to its density (`md.filling`), the cell is annealed for `anneal` (ions distribute between slits and
reservoirs over nanoseconds at room temperature, several times faster at 500 K) and equilibrated for `equilibration` at
its temperature. Hydrogens are heavy, so that steps of 4 fs are stable; masses do not affect equilibrium averages.
Snapshots are frames of the second half. The drift of the ions in the slits is reported as a measure of the remaining
distance from equilibrium.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mdtraj
import numpy as np
import pandas as pd
from openmm import app, unit
from scipy.constants import N_A

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
    reservoir_volume,
)
from md.forcefield import build_system, topology
from md.legs import replica_legs
from md.packing import check_overlaps, pack
from md.propagate import Leg, frames_in, propagate, seconds_per_step, simulation
from transslit.config import digest
from transslit.errors import StageFailed
from transslit.files import read_object, whole, write_json, write_table
from transslit.ions import Ion, MDParameters
from transslit.progress import Progress
from transslit.runs import versions

SHIPPED = Path(__file__).parent / "equilibrated"
FRAME_STEPS = 125  # of EQUILIBRIUM_STEP, 0.5 ps


@dataclass(frozen=True)
class Equilibrium:
    """`snapshots` (n, atoms, 3) in nm, the number of `waters`, and their provenance."""

    snapshots: np.ndarray
    waters: int
    provenance: dict[str, Any]


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


def shipped_equilibrium(cell: Cell) -> Equilibrium | None:
    """The shipped equilibrium of this geometry, composition and temperature, or None.

    It may be of other ions of the same numbers (`provenance["ions_key"]`), which then need equilibration.
    """
    for path in sorted(SHIPPED.glob("*.json")):
        provenance = read_object(path)
        provenance["drift_in_words"] = drift_in_words(provenance.get("drift", {}))
        if provenance["geometry_key"] != geometry_key(cell):
            continue
        if provenance.get("lattice", "graphene") != cell.config.lattice:  # older ones do not name it
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
        snapshots = np.concatenate([np.broadcast_to(frozen, (len(mobile), *frozen.shape)), mobile], axis=1)
        for snapshot in snapshots:
            check_overlaps(cell, snapshot * 1e-9, INSERTED)
        return Equilibrium(snapshots, int(provenance["waters"]), provenance)
    return None


def ship(cell: Cell, equilibrium: Equilibrium, path: Path) -> None:
    """Write the snapshots, quantised to 1/65536 of the box (0.24 pm), and their provenance to `path`.npz and .json."""
    box = cell.box * 1e9
    mobile = np.round((equilibrium.snapshots[:, len(cell.sheet_atoms["sign"]) :] % box) / box * 65536)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path.with_name(path.name + ".npz"), mobile=(mobile % 65536).astype(np.uint16))
    write_json(path.with_name(path.name + ".json"), equilibrium.provenance)


def slit_contents(cell: Cell, x: np.ndarray) -> np.ndarray:
    """Ions in slit i = 1 ... and then in the reservoirs, summed over the half-cells, shape (frames, slits + 1).

    `x` (frames, ions) in m; slits extend from sheet centre to sheet centre.
    """
    from_wall = np.abs((x[..., None] - cell.walls + cell.box[0] / 2) % cell.box[0] - cell.box[0] / 2).min(axis=-1)
    sheet = np.append(cell.network.sheet_centres + cell.network.sheet_thickness / 2, 0.0)  # from the wall's centre
    number = (from_wall[..., None] < sheet[:-1]).sum(axis=-1)  # 0 in the reservoirs, i in slit i
    return np.stack([(number == i).sum(axis=-1) for i in (*range(1, cell.network.slits + 1), 0)], axis=-1)


def find_equilibrium(cell: Cell, folder: Path, progress: Progress) -> Equilibrium:
    """The shipped equilibrium if it fits (other ions of the same numbers are equilibrated), else a new one."""
    shipped = shipped_equilibrium(cell) if cell.config.start == "auto" else None
    if shipped is not None and shipped.provenance["ions_key"] == ions_key(cell):
        return shipped
    config = cell.config
    filled = folder / "filled.npz"
    if shipped is not None:
        positions, waters, source = shipped.snapshots[-1], shipped.waters, "the shipped cell with its ions exchanged"
        legs = _legs(config, 0.0, config.equilibration / 2)
    else:
        source = "packed at random"
        if not filled.exists():
            with progress.task("MD: filling the cell", ROUNDS) as advance:
                advance(0, describe_workload(cell))
                positions, waters = fill(cell, config.seed, advance)
            with whole(filled) as partial:
                np.savez(partial, positions=positions, waters=waters)
        positions, waters = load_positions(cell, filled, "positions", (None, 3))
        legs = _legs(config, config.anneal, config.equilibration)
    return _equilibrate(cell, positions, waters, legs, folder / "equilibrium", progress, source)


def load_positions(cell: Cell, path: Path, name: str, shape: Shape) -> tuple[np.ndarray, int]:
    """The array `name` of positions in nm, shape (..., atoms, 3), and the number of waters from an .npz file.

    Raises
    ------
    StageFailed : they cannot be read, or are not of the atoms of `cell`
    """
    remedy = "move it away to have it made again"
    saved = load_arrays(path, remedy, waters=(), **{name: shape})
    waters = int(saved["waters"])
    if saved[name].shape[-2] != len(cell.sheet_atoms["sign"]) + len(cell.ion_sites) + 3 * waters:
        raise StageFailed("md", f"{path}: is of another cell; {remedy}")
    return saved[name].astype(float), waters


def _legs(config: MDConfig, anneal: float, equilibration: float) -> list[Leg]:
    def steps(time: float) -> int:
        return max(1, round(time / EQUILIBRIUM_STEP / FRAME_STEPS)) * FRAME_STEPS

    legs = [Leg("settle", 400, 1e-15, config.temperature)]
    if anneal:
        legs += [Leg("anneal", steps(anneal), EQUILIBRIUM_STEP, config.anneal_temperature)]
        legs += [Leg("cool", FRAME_STEPS * 2, EQUILIBRIUM_STEP, config.temperature)]
    return [*legs, Leg("equilibrate", steps(equilibration), EQUILIBRIUM_STEP, config.temperature, FRAME_STEPS)]


def describe_workload(cell: Cell) -> str:
    """Wall time of a whole run of a cell that has no shipped equilibrium on this machine, as text."""
    atoms, seconds = workload(cell)
    return f"({atoms} atoms; filling, equilibration and replicas about {seconds / 60:.0f} min)"


def workload(cell: Cell, folder: Path | None = None) -> tuple[int, float]:
    """Atoms of the cell, and wall time in s of the rest of a run in `folder` here, from a few force evaluations."""
    config, folder = cell.config, folder or Path()
    shipped = shipped_equilibrium(cell) if config.start == "auto" else None
    if shipped is None:
        packed, waters = pack(cell, config.seed)
        positions = packed * 1e9
    else:
        positions, waters = shipped.snapshots[-1], shipped.waters
    left = sum(not (folder / f"replica-{k}.xtc").exists() for k in range(config.replicas))
    steps = left * sum(leg.steps for leg in replica_legs(config))
    if shipped is None and not (folder / "equilibrium.json").exists():
        steps += 2 * ROUND_STEPS + sum(leg.steps for leg in _legs(config, config.anneal, config.equilibration))
    structure = topology(cell, waters)
    sim = simulation(structure, build_system(cell, structure), cell, 1)
    return len(positions), steps * seconds_per_step(sim, positions)


def _equilibrate(
    cell: Cell, positions: np.ndarray, waters: int, legs: list[Leg], folder: Path, progress: Progress, source: str
) -> Equilibrium:
    config = cell.config
    structure = topology(cell, waters)
    system = build_system(cell, structure)
    heavy_hydrogens(system, waters)
    sim = simulation(structure, system, cell, config.seed + 11)

    def start(sim: app.Simulation) -> None:
        sim.context.setPositions(positions)
        sim.minimizeEnergy(maxIterations=30)
        sim.context.setVelocitiesToTemperature(config.temperature, config.seed + 12)

    with progress.task("MD: equilibration", sum(leg.steps for leg in legs)) as advance:
        counters = propagate(sim, cell, legs, folder, start=start, advance=advance)
    paths = segment_paths(folder, counters, frames_in(legs))
    frames = mdtraj.load([str(path) for path in paths], top=mdtraj.Topology.from_openmm(structure))
    sheet_atoms, ions = len(cell.sheet_atoms["sign"]), len(cell.ion_sites)
    sites = frames.xyz[:, sheet_atoms : sheet_atoms + ions].astype(float) * 1e-9
    x = np.stack([cell.ion_sites.centres(frame)[:, 0] for frame in sites])
    drift = drift_table(cell, x, FRAME_STEPS * EQUILIBRIUM_STEP)
    write_table(folder / "drift.parquet", drift)
    oxygens = frames.xyz[:, sheet_atoms + ions :: 3, 0].astype(float) * 1e-9
    chosen = np.unique(
        np.linspace(len(frames.xyz) // 2, len(frames.xyz) - 1, max(config.replicas, 4)).round().astype(int)
    )
    provenance = {
        "geometry_key": geometry_key(cell),
        "ions_key": ions_key(cell),
        "electrolyte": cell.electrolyte.name,
        "lattice": config.lattice,
        "temperature_K": config.temperature,
        "waters": waters,
        "seed": config.seed,
        "source": source,
        "length_s": {leg.name: leg.steps * leg.timestep for leg in legs},
        "snapshot_times_s": ((chosen + 1) * FRAME_STEPS * EQUILIBRIUM_STEP).tolist(),
        "continued_from_state": counters.continued,
        "config_digest": config.digest,
        "config": config.model_dump(mode="json"),
        "versions": versions(),
        "drift": drift_summary(drift),
        "drift_in_words": drift_in_words(drift_summary(drift)),
        "reservoir_mol_per_m3": _reservoir_concentration(cell, x),
        "reservoir_waters_per_m3": float(reservoir_count(cell, oxygens).mean() / reservoir_volume(cell)),
    }
    return Equilibrium(frames.xyz[chosen].astype(float), waters, provenance)


def _reservoir_concentration(cell: Cell, x: np.ndarray) -> float:
    """Concentration of formula units in the middle of the reservoirs, mol/m^3, from the ions' `x` (m)."""
    ions = float(reservoir_count(cell, x).mean()) / sum(ion.stoichiometry for ion in cell.electrolyte.ions)
    return ions / reservoir_volume(cell) / N_A


def drift_table(cell: Cell, x: np.ndarray, interval: float) -> pd.DataFrame:
    """Numbers of ions (of all kinds) in each slit and in the reservoirs of the box against time."""
    contents = slit_contents(cell, x)
    names = [f"slit_{i}" for i in range(1, cell.network.slits + 1)] + ["reservoirs"]
    table = pd.DataFrame(contents, columns=names)
    table.insert(0, "time_s", (np.arange(len(table)) + 1) * interval)
    return table


def drift_summary(table: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """Mean content of both halves of the equilibration, and the change between them with its standard error.

    The error of a half's mean is that of the means of four blocks of time; None for too few frames.
    """
    half = len(table) // 2
    summary: dict[str, dict[str, float | None]] = {}
    for name in table.columns[1:]:
        first, second = (table[name].to_numpy(dtype=float)[part] for part in (slice(half), slice(half, None)))
        enough = half >= 8
        summary[name] = {
            "first_half": float(first.mean()) if half else None,
            "second_half": float(second.mean()),
            "change": float(second.mean() - first.mean()) if half else None,
            "error": float(np.hypot(_block_error(first), _block_error(second))) if enough else None,
        }
    return summary


def drift_in_words(summary: dict[str, dict[str, float | None]]) -> str:
    """Statement whether the contents of the slits were stationary, with their changes and an upper bound of these.

    A content drifts if the means of its two halves differ by more than two standard errors of that difference.
    """
    changes, drifting, bound = [], [], 0.0
    for name, part in summary.items():
        change, error = part["change"], part["error"]
        if change is None or error is None:
            continue
        changes.append(f"{name} {change:+.1f} +- {error:.1f}")
        drifting += [name] * (abs(change) > 2 * error)
        bound = max(bound, (abs(change) + 2 * error) / max(part["second_half"] or 0.0, 1.0))
    if not changes:
        return "the equilibration is too short to tell whether the ions are in equilibrium"
    verdict = f"ions still move ({', '.join(drifting)})" if drifting else "no drift beyond two standard errors"
    return f"{verdict}; change of contents from half to half: {', '.join(changes)}; at most {bound:.0%} of any content"


def _block_error(values: np.ndarray, blocks: int = 4) -> float:
    means = [block.mean() for block in np.array_split(values, blocks)]
    return float(np.std(means, ddof=1) / np.sqrt(blocks))


def remake_equilibrium(
    config: MDConfig, path: Path, progress: Progress, *, anneal: float = 36e-12, equilibration: float = 84e-12
) -> Equilibrium:
    """Make a new equilibrium of the cell (tens of minutes) and write it to `path`.npz and `path`.json.

    With the two files in `md/equilibrated`, every run of that cell starts from them. An interrupted call continues from
    the working files in `equilibrium_work(path)`.
    """
    changed = config.model_copy(update={"start": "fresh", "anneal": anneal, "equilibration": equilibration})
    cell = Cell(changed)
    work = equilibrium_work(path)
    work.mkdir(parents=True, exist_ok=True)
    equilibrium = find_equilibrium(cell, work, progress)
    ship(cell, equilibrium, path)
    return equilibrium


def equilibrium_work(path: Path) -> Path:
    """Folder of the working files of `remake_equilibrium`."""
    return path.with_name(path.name + "-work")


def set_constrained_positions(sim: app.Simulation, positions: np.ndarray) -> None:
    """Set rounded positions (nm) and apply the constraints of the rigid waters to them."""
    sim.context.setPositions(positions * unit.nanometer)
    sim.context.applyConstraints(1e-6)
