"""Tables of atoms beside continuum: planted levels, speeds and places come back."""

import numpy as np
import pandas as pd
import pytest

from validation.checks import courses as comparison


def row(table, quantity, i):
    found = table[(table["quantity"] == quantity) & (table["i"] == i)]
    assert len(found) == 1
    return found.iloc[0]


def test_levels_and_rise_times_are_the_planted_ones(make):
    table = comparison.levels(make(level=2.0, speed=4.0), make(source="continuum"))
    stored, rise = row(table, "stored", 1), row(table, "t63", 1)
    assert stored["ratio"] == pytest.approx(2.0, rel=0.01)
    assert stored["continuum"] == pytest.approx(1.0, rel=0.01)  # 1 nC/m
    # 63 % of the lower level: after 1 ps in slit 1 of the continuum; 32 % of the atoms', -ln(1 - 0.316) / 4 ps
    assert rise["continuum_then"] == pytest.approx(1.0, rel=0.03)
    assert rise["ratio"] == pytest.approx(-np.log(1 - 0.632 / 2) / 4, rel=0.1)  # frames are 0.1 ps apart
    assert row(table, "content", 1)["atoms"] == pytest.approx(4 + 2e-9 / 1e-18 / 96485e3, rel=1e-3)


def test_charges_carried_are_the_integrals_of_the_currents(make):
    """What crosses between slits 1 and 2 is what slits 2 and 3 hold in the end."""
    table = comparison.levels(make(), make(source="continuum"))
    total = row(table, "total", 1)
    assert total["atoms"] == pytest.approx(2.0, rel=0.03)
    diffusion, migration = row(table, "diffusion", 1), row(table, "migration", 1)
    assert diffusion["atoms"] == pytest.approx(0.3 * migration["atoms"], rel=1e-9)


def test_everything_is_compared_at_the_same_time(make):
    """Atoms end after 1 ps, the continuum after 10: levels are those in the last quarter of that picosecond."""
    table = comparison.levels(make(frames=11), make(source="continuum", level=0.5))
    for quantity in ("stored", "drho"):
        assert row(table, quantity, 1)["ratio"] == pytest.approx(2.0, rel=0.02)  # drho is smoothed
    stored = row(table, "stored", 1)
    assert stored["continuum_then"] == pytest.approx(0.5 * (1 - np.exp(-0.9)), rel=0.02)
    assert stored["continuum"] == pytest.approx(0.5, rel=0.01)
    assert row(table, "t63", 1)["continuum_then"] < 1.0


def test_intervals_cover_the_value_and_widen_with_noise(make):
    quiet, loud = (comparison.levels(make(noise=n), make(source="continuum")) for n in (0.05, 0.5))
    for table in (quiet, loud):
        assert (table["atoms_low"] <= table["atoms"]).all()
        assert (table["atoms"] <= table["atoms_high"]).all()
    width = [row(table, "stored", 1)["atoms_high"] - row(table, "stored", 1)["atoms_low"] for table in (quiet, loud)]
    assert width[1] > 5 * width[0]


def test_curves_have_a_band_for_atoms_alone(make):
    table = comparison.curves({"atoms": make(noise=0.1), "continuum": make(source="continuum", blocks=1)})
    atoms, continuum = (table[table["source"] == name] for name in ("atoms", "continuum"))
    assert atoms["low"].notna().all()
    assert continuum["low"].isna().all()
    assert (atoms["low"] <= atoms["high"]).all()
    last = atoms[(atoms["quantity"] == "stored") & (atoms["i"] == 1)].iloc[-1]
    assert last["value"] == pytest.approx(1.0, abs=0.1)


def test_what_is_undecided_is_said():
    known = {"quantity": "dc", "i": 1, "unit": "M", "continuum": 1500.0, "continuum_then": 0.5}
    atoms = {"atoms": 0.1, "atoms_low": -0.2, "atoms_high": 0.4}
    table = pd.DataFrame([{**known, **atoms, "ratio": 0.2, "ratio_low": -0.4, "ratio_high": 0.8}])
    ((words, place, atoms, then, end, ratio),) = comparison.as_text(table)
    assert (words, place, ratio) == ("difference of ion concentration", "1 and 2", "sign undecided")
    assert (atoms, then, end) == ("0.1 [-0.2, 0.4] M", "0.5", "1500")
