"""Starts of boxes: made afresh, one by one, and shipped."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import md.filling
import md.starts
from md import make_starts
from md.cell import Cell
from md.packing import CLEARANCE, check_overlaps, nearest_first
from md.starts import Start, shipped_starts, unacceptable
from transslit.errors import StageFailed
from transslit.progress import Progress
from validation.cli import main


@pytest.fixture
def hasty(monkeypatch):
    """One short round of filling; the density it reaches is not what is tested here."""
    monkeypatch.setattr(md.filling, "ROUNDS", 1)
    monkeypatch.setattr(md.filling, "ROUND_STEPS", 24)
    monkeypatch.setattr(md.starts, "ROUNDS", 1)
    monkeypatch.setattr(md.starts, "DENSE", 1.0)
    monkeypatch.setattr(md.starts, "WARM", 0.2)
    monkeypatch.setattr(md.starts, "BOUND", 0.2)


def ions_of(cell, starts):
    return starts.positions[:, cell.frozen : cell.frozen + len(cell.ion_sites)]


@pytest.mark.usefixtures("hasty")
def test_starts_are_made_one_by_one_and_shipped(make_config, tmp_path, monkeypatch):
    """Each has ions of its own, all have the waters of the first; a run of the same cell takes them for shipped ones.

    Their ions are nowhere near one another's: an ion's nearest fellow in another start is as far as at random.
    """
    config = make_config(platform="CPU", start="auto", replicas=2, distribution=2e-12)
    made = make_starts(config, tmp_path / "cell", Progress(quiet=True), equilibration=1e-12)
    provenance = json.loads((tmp_path / "cell.json").read_text())
    assert (provenance["source"], provenance["lattice"]) == ("ions of implicit water", "graphene")
    assert [start["continued_from_state"] for start in provenance["starts"]] == [[], []]
    assert len({start["seed"] for start in provenance["starts"]}) == 2
    assert provenance["starts"][0]["length_s"]["equilibrate"] == pytest.approx(1e-12)
    monkeypatch.setattr(md.starts, "SHIPPED", tmp_path)
    cell = Cell(config)
    for start, ions in zip(provenance["starts"], ions_of(cell, made), strict=True):
        assert np.sum(start["contents"]) == len(ions)
    box = cell.box * 1e9
    move = ions_of(cell, made)[0] - ions_of(cell, made)[1]
    assert np.median(np.linalg.norm(move - box * np.round(move / box), axis=-1)) > 0.3
    found = shipped_starts(cell)
    assert found is not None
    assert found.waters == made.waters
    assert np.shape(found.positions) == np.shape(made.positions)
    check_overlaps(cell, found.positions[-1] * 1e-9)


@pytest.mark.usefixtures("hasty")
def test_a_start_takes_the_ions_of_its_run_in_implicit_water(make_config, tmp_path):
    """Packed within a site's spacing of where they were; the places lie clear of the sheets."""
    config = make_config(platform="CPU", distribution=2e-12)
    cell = Cell(config)
    make_starts(config, tmp_path / "cell", Progress(quiet=True), equilibration=0.5e-12)
    places = np.load(next(tmp_path.glob("cell-work/start-0/*/ions.npz")))["ions"] * 1e-9
    sites = md.packing.sites(cell)
    chosen = nearest_first(sites, places, cell)[: len(places)]
    step = chosen - places
    off = np.linalg.norm(step - cell.box * np.round(step / cell.box), axis=1)
    assert np.median(off) < 0.31e-9
    assert md.packing.nearest(chosen, cell.sheet_atoms["positions"], cell.box).min() > CLEARANCE


def test_places_are_given_out_once_and_in_their_compartment():
    """Two ions that want one place: the nearer one gets it, the other the next, and none beyond a closed wall."""
    cell = SimpleNamespace(box=np.full(3, 10.0), compartment=lambda x: np.where((x > 2.5) & (x < 7.5), 0, 1))
    places = np.array([[5.0, 5, 5], [1.0, 1, 1], [6.0, 5, 5], [9.5, 5, 5], [7.4, 5, 5], [8.0, 5, 5]])
    wanted = np.array([[5.0, 5, 5], [5.2, 5, 5], [0.1, 5, 5], [7.6, 5, 5]])
    np.testing.assert_array_equal(nearest_first(places, wanted, cell), places[[0, 2, 3, 5, 1, 4]])


@pytest.mark.parametrize("name", ["T_K", "water_kg_per_m3", "energy_kJ_per_mol"])
def test_a_start_is_accepted_by_temperature_density_and_energy(cell, name):
    """Each alone, 12 % off and beyond its limit, is a reason, and it is named."""
    facts = {"T_K": 298.15, "water_kg_per_m3": cell.target_water_density, "energy_kJ_per_mol": -9e4}
    good = Start(np.empty(0), 0, facts)
    assert unacceptable(cell, good, [good]) == ""
    bad = good._replace(facts=facts | {name: 1.12 * facts[name]})
    assert unacceptable(cell, bad, [good]).startswith(f"{name} is")


@pytest.mark.usefixtures("hasty")
def test_a_start_that_is_never_accepted_ends_the_run(make_config, tmp_path, monkeypatch):
    monkeypatch.setattr(md.starts, "WARM", -1.0)
    monkeypatch.setattr(md.starts, "ATTEMPTS", 1)
    config = make_config(platform="CPU", distribution=0.0)
    with pytest.raises(StageFailed, match="start 1 is no equilibrium after 1 attempts: T_K is"):
        make_starts(config, tmp_path / "cell", Progress(quiet=True), equilibration=0.5e-12)


def test_the_command_makes_starts_and_does_not_charge(monkeypatch, tmp_path, capsys):
    """The wiring only: what is made is tested above, and takes tens of minutes for a cell of the presets."""
    asked = []

    def made(config, path, progress):
        asked.append((config.network.slit, config.replicas, path))
        return md.starts.Starts(np.zeros((16, 1, 3)), 0, {})

    monkeypatch.setattr(md, "make_starts", made)
    path = tmp_path / "mine"
    command = ["transslit", "md", "--slit", "0.59nm", "--replicas", "16", "--make-starts", str(path), "--json"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code in (0, None)
    assert asked == [(0.59e-9, 16, path)]
    reply = json.loads(capsys.readouterr().out)
    assert (reply["files"], reply["counts"]) == ([f"{path}.npz", f"{path}.json"], {"starts": 16})
    assert (tmp_path / "mine-work" / "started.json").exists()
