"""The uncharged start can be made afresh, and says in words how far from equilibrium its ions are."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

import md.equilibrium
import md.filling
from md import remake_equilibrium
from md.cell import Cell
from md.config import quick
from md.equilibrium import drift_in_words, shipped_equilibrium
from md.packing import check_overlaps
from transslit import load_electrolyte
from transslit.progress import Progress
from validation.cli import main


def part(first, second, error):
    return {"first_half": first, "second_half": second, "change": second - first, "error": error}


def test_drift_in_words():
    """By hand: 3 ions with an error of 1 have moved, 1 with an error of 1 has not; (3 + 2) / 20 is a quarter."""
    still = {"slit_1": part(30.0, 31.0, 1.0), "reservoirs": part(60.0, 59.5, 1.0)}
    assert drift_in_words(still).startswith("no drift beyond two standard errors")
    assert "at most 10% of any content" in drift_in_words(still)
    moving = {"slit_1": part(17.0, 20.0, 1.0), "reservoirs": part(60.0, 59.5, 1.0)}
    assert drift_in_words(moving).startswith("ions still move (slit_1)")
    assert "slit_1 +3.0 +- 1.0" in drift_in_words(moving)
    assert "at most 25% of any content" in drift_in_words(moving)
    unknown = {"slit_1": {"first_half": None, "second_half": 3.0, "change": None, "error": None}}
    assert "too short" in drift_in_words(unknown)
    assert "too short" in drift_in_words({})


def test_the_shipped_start_says_it_too():
    """In 84 ps no content drifted by more than its error allows; a slow tail of 6 % cannot be ruled out."""
    found = shipped_equilibrium(Cell(quick(0.59e-9, load_electrolyte("KCl"), 1000.0)))
    assert found.provenance["drift_in_words"].startswith("no drift beyond two standard errors")
    assert "at most 6% of any content" in found.provenance["drift_in_words"]


@pytest.fixture
def hasty(monkeypatch):
    """One short round of filling; the density it reaches is not what is tested here."""
    monkeypatch.setattr(md.filling, "ROUNDS", 1)
    monkeypatch.setattr(md.filling, "ROUND_STEPS", 24)
    monkeypatch.setattr(md.equilibrium, "ROUNDS", 1)


@pytest.mark.usefixtures("hasty")
def test_it_can_be_remade(make_config, tmp_path, monkeypatch):
    """Filled, equilibrated, written, and then taken for a shipped one by a run of the same cell."""
    config = make_config(platform="CPU", start="auto", replicas=2)
    made = remake_equilibrium(config, tmp_path / "cell", Progress(quiet=True), anneal=0.0, equilibration=1e-12)
    assert made.provenance["continued_from_state"] == []
    provenance = json.loads((tmp_path / "cell.json").read_text())
    assert (provenance["source"], provenance["lattice"]) == ("packed at random", "graphene")
    assert provenance["length_s"]["equilibrate"] == pytest.approx(1e-12)
    assert provenance["drift_in_words"] == "the equilibration is too short to tell whether the ions are in equilibrium"
    monkeypatch.setattr(md.equilibrium, "SHIPPED", tmp_path)
    cell = Cell(config)
    found = shipped_equilibrium(cell)
    assert found is not None
    assert found.waters == made.waters
    assert np.shape(found.snapshots) == np.shape(made.snapshots)
    check_overlaps(cell, found.snapshots[-1] * 1e-9)


def test_the_command_remakes_and_does_not_charge(monkeypatch, tmp_path, capsys):
    """The wiring only: what is made is tested above, and takes tens of minutes for a cell of the presets."""
    asked = []

    def made(config, path, progress):
        asked.append((config.network.slit, path))
        return md.equilibrium.Equilibrium(np.zeros((1, 1, 3)), 0, {"drift_in_words": "no drift"})

    monkeypatch.setattr(md, "remake_equilibrium", made)
    path = tmp_path / "mine"
    command = ["transslit", "md", "--slit", "0.59nm", "--remake-equilibrium", str(path), "--json"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code in (0, None)
    assert asked == [(0.59e-9, path)]
    reply = json.loads(capsys.readouterr().out)
    assert (reply["files"], reply["summary"]) == ([f"{path}.npz", f"{path}.json"], {"drift": "no drift"})
    assert (tmp_path / "mine-work" / "started.json").exists()
