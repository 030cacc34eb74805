"""A whole run in implicit water: pairs of boxes from random places to one record, and the response beside it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import md
from md.cell import Cell
from transslit import TransSlitRecord
from transslit.files import read_object
from transslit.progress import Progress


@pytest.fixture(scope="module")
def run(make_config, tmp_path_factory):
    """Two starts, each charged both ways, for 2 ps."""
    config = make_config(
        water="implicit", pairs=True, replicas=4, charge_per_carbon=0.004, timestep=10e-15, friction=33.0,
        frame_interval=0.1e-12, equilibration=1e-12, decorrelation=2e-12, duration=2e-12, platform="CPU",
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("ions")
    return config, folder, md.run(config, folder, Progress(quiet=True))


def test_the_particles_are_the_ions(run):
    config, folder, _ = run
    cell = Cell(config)
    assert read_object(folder / "cell.json")["atoms"] == len(cell.ion_sites)
    assert not (folder / "forcefield.xml").exists()


def test_pairs_share_a_start_and_have_opposite_signs(run):
    config, _, record = run
    about = record.metadata["half_cells"]
    assert [about[str(4 * box)]["start"] for box in range(4)] == [0, 0, 1, 1]
    sigma = record.terminal.groupby("replica")["sigma_C_per_m2"].last().to_numpy()
    sheet = Cell(config).sheet_charge
    np.testing.assert_allclose(sigma, sheet * np.tile([1, 1, -1, -1, -1, -1, 1, 1], 2), rtol=1e-9)
    before = record.slits[record.slits["time_s"] <= 0]
    held = before.pivot_table("c_mol_per_m3", ["time_s", "i"], "replica").to_numpy()
    np.testing.assert_allclose(held[:, :4], held[:, 4:8])  # the same path until the drive begins
    after = record.slits[record.slits["time_s"] > 1e-12].pivot_table("phi_V", ["time_s", "i"], "replica").to_numpy()
    assert (np.abs(after[:, :4] - after[:, 4:8]).max(axis=0) > 0).all()


def test_potentials_are_those_of_a_dielectric(run):
    """Between slits just after the step, half the difference of the pairs, which have the same ions: tens of mV."""
    _, _, record = run
    step = record.crossings[record.crossings["time_s"].between(1e-14, 0.5e-12)].groupby("replica")["dphi_V"].mean()
    assert 0.001 < (step[[0, 1, 6, 7]].mean() - step[[2, 3, 4, 5]].mean()) / 2 < 0.1


def test_the_response_by_fluctuations_lies_beside_the_record(run):
    config, folder, _ = run
    table = pd.read_parquet(folder / "kubo.parquet")
    assert table.columns.tolist() == ["time_s", "i", "Q_C_per_m", "Q_error_C_per_m"]
    assert set(table["i"]) == {1, 2}
    assert table["time_s"].between(config.frame_interval * 0.99, config.decorrelation).all()
    assert (table["Q_error_C_per_m"] >= 0).all()


def test_a_second_call_reads_what_is_there(run):
    config, folder, record = run
    again = md.run(config, folder, Progress(quiet=True))
    pd.testing.assert_frame_equal(again.slits, record.slits)
    assert TransSlitRecord.read(folder).metadata["water"] == "implicit"
