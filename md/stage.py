"""The stage: cell, equilibrium, replicas, analysis; resumable, and leaving a trans-slit record.

In its folder: `cell.json` (geometry, composition, densities), `topology.pdb`, `forcefield.xml`, a trajectory
`replica-<run>.xtc` each (at constant potential with `charges-<run>.npz`), `temperature.parquet`, `reservoir.parquet`,
`force_balance.parquet`, `drift.parquet` (contents of the slits during an equilibration made here),
`potential_map.npz`, `cell_before.npz`, `cell_after.npz`, and `record/`.
"""

from __future__ import annotations

import io
import warnings
from concurrent.futures import Executor, as_completed
from functools import partial
from pathlib import Path
from typing import Any

import MDAnalysis
import mdtraj
import numpy as np
import pandas as pd
from openmm import app, unit

from md.carbon_charge import solved_charges
from md.cell import Cell
from md.config import MDConfig
from md.equilibrium import Equilibrium, find_equilibrium, load_positions
from md.force_balance import force_balance
from md.forcefield import build_system, forcefield_xml, topology
from md.ion_forces import IonForces
from md.legs import replica_legs
from md.propagate import seconds_per_step, simulation
from md.reduction import record_of
from md.replica import drive_of, run_replica
from md.reservoir import Reservoir
from md.slit_diffusion import SlitDiffusion, fit
from md.trans_slit_flux import TransSlitFlux
from transslit.files import read_object, read_table, whole, write_json, write_table, write_text
from transslit.progress import Advance, Progress
from transslit.record import TransSlitRecord


def run(config: MDConfig, folder: Path, progress: Progress, pool: Executor | None = None) -> TransSlitRecord:
    """Everything: build, equilibrate, charge the replicas, analyse; a second call continues where the first stopped.

    `pool` shares the replicas among workers that see `folder`; without one they run here, one after the other, each on
    as many cores as OpenMM takes.

    Raises
    ------
    BadInput : the configuration cannot be built
    StageFailed : a replica blew up, an ion was lost; checkpoints are kept
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    cell = Cell(config)
    equilibrium = settled(cell, folder, progress)
    describe(cell, equilibrium, folder)
    steps = sum(leg.steps for leg in replica_legs(config))
    with progress.task(f"MD: {config.drive}", config.replicas * steps) as advance:
        note = estimate(cell, equilibrium, folder)
        if pool is None:
            for number in range(config.replicas):
                advance(number * steps, note)
                run_replica(cell, equilibrium, number, folder, partial(_advanced, advance, number * steps, note))
        else:
            running = [pool.submit(_replica, config, folder.resolve(), number) for number in range(config.replicas)]
            for done, future in enumerate(as_completed(running), start=1):
                future.result()
                advance(done * steps, f"{done} of {config.replicas} replicas")
    return analyse(cell, equilibrium, folder, progress)


def _replica(config: MDConfig, folder: Path, number: int) -> None:
    """A replica in a process of its own, from the equilibrium that is kept in `folder`."""
    cell = Cell(config)
    run_replica(cell, settled(cell, folder, Progress(quiet=True)), number, folder)


def _advanced(advance: Advance, base: float, note: str, done: float) -> None:
    advance(base + done, note)


def settled(cell: Cell, folder: Path, progress: Progress) -> Equilibrium:
    """The equilibrium, kept in `folder` once found, so that a restart forks from the same snapshots."""
    kept = folder / "equilibrium.npz"
    provenance = folder / "equilibrium.json"
    if not (kept.exists() and provenance.exists()):
        found = find_equilibrium(cell, folder, progress)
        with whole(kept) as place:
            np.savez_compressed(place, snapshots=found.snapshots.astype(np.float32), waters=found.waters)
        write_json(provenance, found.provenance)
    snapshots, waters = load_positions(cell, kept, "snapshots", (None, None, 3))
    return Equilibrium(snapshots, waters, read_object(provenance, "equilibrium"))


def describe(cell: Cell, equilibrium: Equilibrium, folder: Path) -> None:
    """Write `topology.pdb`, `forcefield.xml` and `cell.json`."""
    structure = topology(cell, equilibrium.waters)
    positions = equilibrium.snapshots[0]
    text = io.StringIO()
    app.PDBFile.writeFile(structure, positions * unit.nanometer, text)
    write_text(folder / "topology.pdb", text.getvalue())
    write_text(folder / "forcefield.xml", forcefield_xml(cell.electrolyte))
    provenance = {key: value for key, value in equilibrium.provenance.items() if key not in ("config", "versions")}
    content = {**cell.summary(), "waters": equilibrium.waters, "atoms": len(positions), "equilibrium": provenance}
    write_json(folder / "cell.json", content)


def estimate(cell: Cell, equilibrium: Equilibrium, folder: Path) -> str:
    """How long the replicas that are still to run will take here, from a few force evaluations."""
    left = sum(not (folder / f"replica-{k}.xtc").exists() for k in range(cell.config.replicas))
    if not left:
        return ""
    structure = topology(cell, equilibrium.waters)
    sim = simulation(structure, build_system(cell, structure), cell, 1)
    each = seconds_per_step(sim, equilibrium.snapshots[0]) * drive_of(cell).cost
    minutes = left * sum(leg.steps for leg in replica_legs(cell.config)) * each / 60
    platform = sim.context.getPlatform().getName()
    return f"({left} replicas, about {minutes:.0f} min on {platform})"


def open_universe(folder: Path, run: int) -> Any:
    """MDAnalysis universe of a replica."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the PDB holds no masses and counts residues modulo 10,000
        return MDAnalysis.Universe(str(folder / "topology.pdb"), str(folder / f"replica-{run}.xtc"))


def analyse(cell: Cell, equilibrium: Equilibrium, folder: Path, progress: Progress) -> TransSlitRecord:
    """Reduce the trajectories in `folder` to the record and the tables beside it."""
    config = cell.config
    flux, motion, reservoirs, forces = [], [], [], []
    with progress.task("MD: analysis", config.replicas) as advance, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for number in range(config.replicas):
            universe = open_universe(folder, number)
            solved = solved_charges(folder, number, cell, len(universe.trajectory))
            flux.append(TransSlitFlux(universe, cell, run=number, solved=solved).run().results)
            times = flux[-1].counted.time
            late = int(np.searchsorted(times, config.driven / 4))
            motion.append(SlitDiffusion(universe, cell).run(start=late).results)
            table = Reservoir(universe, cell).run().results.table
            table.insert(0, "replica", number)
            reservoirs.append(table)
            if config.force_frames:
                every = max(1, round(config.force_frames / config.frame_interval))
                forces.append(IonForces(universe, cell, run=number, solved=solved, every=every).run().results)
            advance(number + 1)
    measured = fit(motion)
    used = np.where(np.isfinite(measured.value), measured.value, cell.electrolyte.diffusion_coefficients)
    reservoir = pd.concat(reservoirs, ignore_index=True)
    write_table(folder / "reservoir.parquet", reservoir)
    columns = ("replica", "time_s", "T_K")
    each = [
        read_table(folder / f"replica-{k}.temperature.parquet", "temperatures", columns) for k in range(config.replicas)
    ]
    temperature = pd.concat(each, ignore_index=True)
    write_table(folder / "temperature.parquet", temperature)
    if forces:
        write_table(folder / "force_balance.parquet", force_balance(forces, cell, temperature))
    drift = folder / "equilibrium" / "drift.parquet"
    if drift.exists():
        write_table(folder / "drift.parquet", read_table(drift, "drift", ["time_s"]))
    names = cell.electrolyte.names
    final = reservoir[reservoir["time_s"] > config.driven - min(config.duration, config.driven) / 2]
    record = record_of(
        [each.counted for each in flux],
        cell,
        used,
        {
            "seed": config.seed,
            "boxes": config.replicas,
            "drive": config.imposed.model_dump(mode="json"),
            "charge_per_carbon_e": config.charge_per_carbon if config.fixed_charge else None,
            "initial_concentration_mol_per_m3": cell.initial_concentration,
            "final_reservoir_mol_per_m3": float(final["c_mol_per_m3"].mean()),
            "final_reservoir_water_kg_per_m3": float(final["water_kg_per_m3"].mean()),
            "D_in_slit_m2_per_s": {n: _or_none(v) for n, v in zip(names, measured.value, strict=True)},
            "D_in_slit_error_m2_per_s": {n: _or_none(v) for n, v in zip(names, measured.error, strict=True)},
            "D_in_slit_interval_m2_per_s": {
                n: [_or_none(low), _or_none(high)]
                for n, low, high in zip(names, measured.low, measured.high, strict=True)
            },
            "equilibrium": equilibrium.provenance.get("source"),
            "drift": equilibrium.provenance.get("drift"),
            "equilibrium_continued_from_state": equilibrium.provenance.get("continued_from_state", []),
            "continued_from_state": [
                {"box": k, **place}
                for k, table in enumerate(each)
                for place in table.attrs.get("continued_from_state", [])
            ],
        },
    )
    phi = np.mean([each.phi_map for each in flux], axis=0)
    with whole(folder / "potential_map.npz") as place:
        np.savez_compressed(place, phi_V=phi.astype(np.float32), spacing_m=flux[0].grid)
    _draw(cell, folder)
    record.write(folder / "record")
    return record


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _draw(cell: Cell, folder: Path) -> None:
    """Positions (nm) of the first replica at the onset of the drive and at the end, for a picture."""
    frames = mdtraj.load(str(folder / "replica-0.xtc"), top=str(folder / "topology.pdb"))
    names = np.array([atom.residue.name for atom in frames.topology.atoms])
    step = int(np.argmin(np.abs(frames.time)))
    for name, index in (("before", step), ("after", -1)):
        with whole(folder / f"cell_{name}.npz") as place:
            np.savez_compressed(place, positions_nm=frames.xyz[index], residue=names, box_nm=cell.box * 1e9)
