"""The stage: cell, starts, trajectories, analysis; resumable, with a trans-slit record as its result.

Its folder holds `cell.json` (geometry, composition, densities), `topology.pdb`, `forcefield.xml`, a trajectory
`replica-<box>.xtc` of each box (at constant potential with `charges-<box>.npz`), `temperature.parquet`,
`reservoir.parquet`, `force_balance.parquet`, `potential_map.npz`, `cell_before.npz`, `cell_after.npz`, `record/`, and
in implicit water `kubo.parquet`, the linear response by the fluctuations before the drive.
"""

from __future__ import annotations

import io
import warnings
from concurrent.futures import Executor, as_completed
from functools import partial
from pathlib import Path
from typing import NamedTuple

import mdtraj
import numpy as np
import pandas as pd
from MDAnalysis.analysis.results import Results
from openmm import app, unit

from md.atoms import open_universe
from md.cell import Cell
from md.config import MDConfig
from md.force_balance import force_balance
from md.forcefield import forcefield_xml
from md.ion_forces import IonForces
from md.kubo import SheetEnergy, kubo_response
from md.legs import replica_legs
from md.propagate import seconds_per_step, simulation
from md.reduction import record_of
from md.replica import drive_of, run_replica
from md.reservoir import Reservoir
from md.sheet_atom_charge import solved_charges
from md.slit_diffusion import DiffusionEstimate, SlitDiffusion, fit
from md.starts import Starts, find_starts, load_positions
from md.system import build
from md.trans_slit_flux import TransSlitFlux
from transslit.files import read_object, read_table, whole, write_json, write_table, write_text
from transslit.progress import Advance, Progress
from transslit.record import TransSlitRecord


def run(config: MDConfig, folder: Path, progress: Progress, pool: Executor | None = None) -> TransSlitRecord:
    """Build, equilibrate and charge the boxes, and analyse them; a second call continues where the first stopped.

    `pool` distributes the boxes over workers that see `folder`. Without it they run in this process, one after the
    other, each on as many cores as OpenMM uses.

    Raises
    ------
    BadInput : the configuration cannot be built
    StageFailed : a simulation blew up or lost an ion; checkpoints are kept
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    cell = Cell(config)
    starts = ensure_starts(cell, folder, progress)
    describe(cell, starts, folder)
    steps = sum(leg.steps for leg in replica_legs(config))
    with progress.task(f"MD: {config.drive}", config.replicas * steps) as advance:
        note = estimate(cell, starts, folder)
        if pool is None:
            for box in range(config.replicas):
                advance(box * steps, note)
                run_replica(cell, starts, box, folder, partial(_advance, advance, box * steps, note))
        else:
            running = [pool.submit(_replica, config, folder.resolve(), box) for box in range(config.replicas)]
            for done, future in enumerate(as_completed(running), start=1):
                future.result()
                advance(done * steps, f"{done} of {config.replicas} replicas")
    return analyse(cell, starts, folder, progress)


def _replica(config: MDConfig, folder: Path, box: int) -> None:
    """Run a box in a process of its own, from the starts in `folder`."""
    cell = Cell(config)
    run_replica(cell, ensure_starts(cell, folder, Progress(quiet=True)), box, folder)


def _advance(advance: Advance, base: float, note: str, done: float) -> None:
    advance(base + done, note)


def ensure_starts(cell: Cell, folder: Path, progress: Progress) -> Starts:
    """The starts in `folder`, found or made if they are not there, so that a restart uses the same ones."""
    kept = folder / "starts.npz"
    provenance = folder / "starts.json"
    if not (kept.exists() and provenance.exists()):
        found = find_starts(cell, folder, progress)
        with whole(kept) as partial_file:
            needed = found.positions[: cell.config.starts].astype(np.float32)
            np.savez_compressed(partial_file, positions=needed, waters=found.waters)
        write_json(provenance, found.provenance)
    positions, waters = load_positions(cell, kept, "positions", (None, None, 3))
    return Starts(positions, waters, read_object(provenance, "starts"))


def describe(cell: Cell, starts: Starts, folder: Path) -> None:
    """Write `topology.pdb`, `forcefield.xml` and `cell.json`."""
    structure, _ = build(cell, starts.waters)
    positions = starts.positions[0]
    text = io.StringIO()
    app.PDBFile.writeFile(structure, positions * unit.nanometer, text)
    write_text(folder / "topology.pdb", text.getvalue())
    if cell.config.water == "explicit":
        write_text(folder / "forcefield.xml", forcefield_xml(cell.electrolyte, cell.sheet_lattice))
    provenance = {key: value for key, value in starts.provenance.items() if key not in ("config", "versions")}
    content = {**cell.summary(), "waters": starts.waters, "atoms": len(positions), "starts": provenance}
    write_json(folder / "cell.json", content)


def estimate(cell: Cell, starts: Starts, folder: Path) -> str:
    """Number of boxes that are still to run and their wall time on this machine, from a few force evaluations."""
    left = sum(not (folder / f"replica-{k}.xtc").exists() for k in range(cell.config.replicas))
    if not left:
        return ""
    sim = simulation(*build(cell, starts.waters), cell, 1)
    each = seconds_per_step(sim, starts.positions[0]) * drive_of(cell).cost
    minutes = left * sum(leg.steps for leg in replica_legs(cell.config)) * each / 60
    platform = sim.context.getPlatform().getName()
    return f"({left} replicas, about {minutes:.0f} min on {platform})"


class _Reduced(NamedTuple):
    """Results of the analyzers for one box, and its table of temperatures."""

    flux: Results
    motion: Results
    forces: Results | None
    energy: Results | None
    reservoir: pd.DataFrame
    temperature: pd.DataFrame


def analyse(cell: Cell, starts: Starts, folder: Path, progress: Progress) -> TransSlitRecord:
    """Reduce the trajectories in `folder` to the record and the tables beside it."""
    boxes: list[_Reduced] = []
    with progress.task("MD: analysis", cell.config.replicas) as advance, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for number in range(cell.config.replicas):
            boxes.append(_reduce(cell, folder, number))
            advance(number + 1)
    alike = [cell.config.start_of(number) % len(starts.positions) for number in range(len(boxes))]
    measured = fit([box.motion for box in boxes], alike)
    used = np.where(np.isfinite(measured.value), measured.value, cell.electrolyte.diffusion_coefficients)
    reservoir = pd.concat([box.reservoir for box in boxes], ignore_index=True)
    write_table(folder / "reservoir.parquet", reservoir)
    temperature = pd.concat([box.temperature for box in boxes], ignore_index=True)
    write_table(folder / "temperature.parquet", temperature)
    if forces := [box.forces for box in boxes if box.forces is not None]:
        write_table(folder / "force_balance.parquet", force_balance(forces, cell, temperature))
    if energies := [box.energy for box in boxes if box.energy is not None]:
        _write_response(cell, energies, folder)
    provenance = starts.provenance
    metadata = {
        **_run_metadata(cell, measured, reservoir),
        "starts": provenance.get("source"),
        "starts_continued_from_state": [
            place for each in provenance.get("starts", []) for place in each["continued_from_state"]
        ],
        "continued_from_state": [
            {"box": number, **place}
            for number, box in enumerate(boxes)
            for place in box.temperature.attrs.get("continued_from_state", [])
        ],
    }
    record = record_of([box.flux.counts for box in boxes], cell, used, metadata, starts=len(starts.positions))
    phi = np.mean([box.flux.phi_map for box in boxes], axis=0)
    with whole(folder / "potential_map.npz") as partial_file:
        np.savez_compressed(partial_file, phi_V=phi.astype(np.float32), spacing_m=boxes[0].flux.grid)
    _write_snapshots(cell, folder)
    record.write(folder / "record")
    return record


def _reduce(cell: Cell, folder: Path, box: int) -> _Reduced:
    """Run the analyzers on the trajectory of a box."""
    config, universe, cell = cell.config, open_universe(folder, box), cell.of_box(box)
    charges = solved_charges(folder, box, cell, len(universe.trajectory))
    flux = TransSlitFlux(universe, cell, box=box, solved=charges).run().results
    late = int(np.searchsorted(flux.counts.time, config.driven / 4))
    motion = SlitDiffusion(universe, cell).run(start=late).results
    reservoir = Reservoir(universe, cell).run().results.table
    reservoir.insert(0, "box", box)
    forces = None
    if config.force_frames:
        every = max(1, round(config.force_frames / config.frame_interval))
        forces = IonForces(universe, cell, box=box, solved=charges, every=every).run().results
    columns = ["time_s", "T_K"]
    temperature = read_table(folder / f"replica-{box}.temperature.parquet", "temperatures", columns)[columns]
    temperature.insert(0, "box", box)
    energy = SheetEnergy(universe, cell).run().results if config.water == "implicit" and config.fixed_charge else None
    return _Reduced(flux, motion, forces, energy, reservoir, temperature)


def _run_metadata(cell: Cell, measured: DiffusionEstimate, reservoir: pd.DataFrame) -> dict[str, object]:
    """Metadata of the run for the record: drive, concentrations and measured diffusion coefficients."""
    config, names = cell.config, cell.electrolyte.names
    final = reservoir[reservoir["time_s"] > config.driven - min(config.duration, config.driven) / 2]

    def by_ion(values: np.ndarray) -> dict[str, float | None]:
        return {name: _or_none(value) for name, value in zip(names, values, strict=True)}

    return {
        "seed": config.seed,
        "boxes": config.replicas,
        "drive": config.imposed.model_dump(mode="json"),
        "charge_per_carbon_e": config.charge_per_carbon if config.fixed_charge else None,
        "initial_concentration_mol_per_m3": cell.initial_concentration,
        "final_reservoir_mol_per_m3": float(final["c_mol_per_m3"].mean()),
        "final_reservoir_water_kg_per_m3": float(final["water_kg_per_m3"].mean()),
        "D_in_slit_m2_per_s": by_ion(measured.value),
        "D_in_slit_error_m2_per_s": by_ion(measured.error),
        "D_in_slit_interval_m2_per_s": {
            name: [_or_none(low), _or_none(high)]
            for name, low, high in zip(names, measured.low, measured.high, strict=True)
        },
    }


def _write_response(cell: Cell, energies: list[Results], folder: Path) -> None:
    """Linear response of the slits' charges from the boxes' fluctuations before the drive, at some ten times."""
    frames = min(len(energy.time) for energy in energies)
    if frames < 4 or len(energies) < 2:  # the scatter of boxes is the error
        return
    lags = np.unique(np.geomspace(1, frames // 2, 10).round())
    times = lags * cell.config.frame_interval
    write_table(folder / "kubo.parquet", kubo_response(energies, cell, cell.config.charge_per_carbon, times, blocks=1))


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _write_snapshots(cell: Cell, folder: Path) -> None:
    """Positions (nm) of the first box at the onset of the drive and at the end, for a picture."""
    frames = mdtraj.load(str(folder / "replica-0.xtc"), top=str(folder / "topology.pdb"))
    names = np.array([atom.residue.name for atom in frames.topology.atoms])
    onset = int(np.argmin(np.abs(frames.time)))
    for name, index in (("before", onset), ("after", -1)):
        with whole(folder / f"cell_{name}.npz") as partial_file:
            np.savez_compressed(partial_file, positions_nm=frames.xyz[index], residue=names, box_nm=cell.box * 1e9)
