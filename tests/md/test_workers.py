"""Replicas on workers are the replicas of one process, and a second call finds them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import mdtraj
import numpy as np

from md import run
from md.forcefield import topology
from transslit.files import write_json
from transslit.progress import Progress


def test_replicas_on_workers_are_those_of_one_process(relaxed, finished, tmp_path):
    """Same frames as the serial replica's, but for the order of the CPU platform's sums (see test_run.py)."""
    cell, starts = relaxed
    single = starts.positions.astype(np.float32)
    np.savez_compressed(tmp_path / "starts.npz", positions=single, waters=starts.waters)
    write_json(tmp_path / "starts.json", starts.provenance)
    config = cell.config.model_copy(update={"replicas": 2})
    quiet = Progress(quiet=True)
    with ThreadPoolExecutor(2) as pool:
        record = run(config, tmp_path, quiet, pool)
    assert record.metadata["boxes"] == 2
    assert record.metadata["continued_from_state"] == []
    structure = mdtraj.Topology.from_openmm(topology(cell, starts.waters))
    places = [finished / "replica-0.xtc", tmp_path / "replica-0.xtc", tmp_path / "replica-1.xtc"]
    alone, first, second = (mdtraj.load(str(path), top=structure) for path in places)
    np.testing.assert_array_equal(first.time, alone.time)
    moved = [(each.xyz - alone.xyz + cell.box * 5e8) % (cell.box * 1e9) - cell.box * 5e8 for each in (first, second)]
    assert np.abs(moved[0]).max() < 0.03
    assert np.abs(moved[1]).max() > 0.1  # another seed
    again = run(config, tmp_path, quiet)  # nothing left to run
    np.testing.assert_array_equal(again.slits["Q_C_per_m"], record.slits["Q_C_per_m"])
