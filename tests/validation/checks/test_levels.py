"""Three levels of a small step: planted differences come back with their address."""

import re

import numpy as np
import pytest

from transslit import SlitNetwork
from validation.checks.levels import INSTANTS, as_text, compare_levels, displaced, three_levels


@pytest.fixture
def records(make):
    """Slits hold 1 nC/m in the continuum, 1.5 among ions and among atoms, whose run ends after 30 ps."""
    return {
        "atoms": make(level=1.5, noise=0.05, frames=301, seed=1),
        "ions": make(level=1.5, noise=0.05, frames=601),
        "continuum": make(source="continuum", blocks=1, frames=601),
    }


def test_levels_stand_beside_one_another_at_the_same_instants(records):
    table = three_levels(records)
    stored = table[(table["quantity"] == "stored") & (table["i"] == 3)].set_index("time_ps")
    assert list(stored.index) == [instant * 1e12 for instant in INSTANTS]
    assert stored.loc[30.0, "continuum"] == pytest.approx(1.0, rel=1e-3)  # nC/m
    assert stored.loc[30.0, "ions"] == pytest.approx(1.5, rel=0.02)
    assert stored.loc[30.0, "ions_low"] < 1.5 < stored.loc[30.0, "ions_high"]
    assert stored.loc[30.0, "water"] == "none"
    assert stored.loc[30.0, "particles"] in ("+49%", "+50%", "+51%")
    assert np.isnan(stored.loc[60.0, "atoms"])  # their run has ended
    assert stored.loc[60.0, "water"] == ""
    assert np.isnan(stored.loc[150.0, "ions"])
    rise = table[(table["quantity"] == "stored") & (table["i"] == 3)]["continuum"].iloc[0]
    window = np.linspace(8.0, 10.0, 2001)
    assert rise == pytest.approx((1 - np.exp(-window / 2.5)).mean(), rel=1e-3)  # the fifth before 10 ps


def test_verdicts_are_on_the_last_instant_that_all_reach(records):
    verdicts = {verdict.id: verdict for verdict in compare_levels(records, "planted")}
    assert set(verdicts) == {f"levels.{i}.{address}" for address in ("particles", "water") for i in (1, 2, 3)}
    assert verdicts["levels.1.particles"].verdict == "fail"
    assert verdicts["levels.1.particles"].value == pytest.approx(0.5, abs=0.05)
    assert "60 ps" in verdicts["levels.1.particles"].title
    assert verdicts["levels.1.water"].verdict == "pass"
    assert "30 ps" in verdicts["levels.1.water"].title
    assert not any(verdict.required for verdict in verdicts.values())


def test_noise_resolves_nothing_and_says_how_many_boxes_would(make):
    records = {"ions": make(noise=8.0, frames=101), "continuum": make(source="continuum", blocks=1)}
    (first, *_) = compare_levels(records, "planted")
    assert first.verdict == "inconclusive"
    assert "boxes" in first.reason
    assert set(three_levels(records).query("time_ps == 10 and quantity == 'stored'")["particles"]) == {"not resolved"}


def test_rows_as_a_person_reads_them(records):
    rows = as_text(three_levels(records))
    assert {len(row) for row in rows} == {8}
    (row,) = [row for row in rows if row[:3] == ("stored charge", "1", "30")]
    assert row[5] == "1 nC/m"
    assert re.fullmatch(r"1\.\d+ \[1\.\d, 1\.\d\] nC/m", row[3])


def test_the_papers_step_displaces_more_than_water_can():
    """By hand: 0.2508 C/m^2 on a wall of 2.982 nm and 12 ribbon sides of 0.9585 nm, over two mid-planes of 2.982 nm."""
    network = SlitNetwork(slit=0.59e-9, layers=4, slit_length=1.491e-9, edge_gap=0.5325e-9)
    assert displaced(network, 0.2508) == pytest.approx(0.2508 * (2.982 + 12 * 0.9585) / 5.964, rel=1e-6)
    assert displaced(network, 0.2508) == pytest.approx(0.61, abs=0.005)
