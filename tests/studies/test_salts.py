"""`python -m studies.salts`: electrolytes compared by the numbers of their voltammograms."""

import json

import pytest


def test_a_table_and_a_figure_are_left(study, tmp_path):
    words = ("--slit", "1nm", "--layers", "3", "--out", "salts", "--json")
    done = study("salts", "KCl", *words)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert row["scan_rate_V_per_s"] == pytest.approx(2e4, rel=2e-3)
    assert 0 < row["gamma"] < 1
    assert 0 < row["diffusion_share"] < 1
    assert {path.suffix for path in (tmp_path / "salts").glob("electrolytes.*")} == {".csv", ".png"}


@pytest.mark.slow
def test_gamma_follows_the_counter_ions_share_of_the_conductivity(study):
    """KF and LiCl, in whose slits at a positive wall the anion carries 43 % and 66 %: what fills them counts so much.

    Charge stored at rest knows no mobility; the resistance of an unfilled slit knows the conductivity alone.
    """
    words = ("--slit", "2nm", "--layers", "4", "--out", "salts", "--json")
    fluoride, chloride = json.loads(study("salts", "KF", "LiCl", *words).stdout)
    assert chloride["C_slit_F_per_m"] == pytest.approx(fluoride["C_slit_F_per_m"], rel=0.01)
    assert chloride["R_c_conductivity"] == pytest.approx(fluoride["R_c_conductivity"], rel=0.05)
    assert chloride["R_c_ohm_m"] > 1.1 * fluoride["R_c_ohm_m"]
    assert 1.2 < chloride["gamma"] / fluoride["gamma"] < 0.664 / 0.430


def test_a_network_without_a_crossing_is_refused_in_one_line(study):
    done = study("salts", "KCl", "--layers", "2")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "layers: 2" in done.stderr
