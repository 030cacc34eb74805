"""`python -m studies.circuit_figures`: the paper's circuit figures, each a picture with its data beside it."""

import json

import numpy as np
import pandas as pd
import pytest

from circuit.measures import asymmetry, cv_area, peak_over_plateau


@pytest.fixture
def figure(study, tmp_path):
    """Tables of the figures that a name stands for."""

    def draw(name):
        done = study("circuit_figures", name, "--out", "figures", "--json")
        assert done.returncode == 0, done.stderr
        files = json.loads(done.stdout)["files"]
        assert all((tmp_path / file).stat().st_size > 0 for file in files)
        assert all((tmp_path / file).read_bytes()[:4] == b"\x89PNG" for file in files if file.endswith("png"))
        return {file[8:-4]: pd.read_csv(tmp_path / file) for file in files if file.endswith("csv")}

    return draw


def cases(table):
    return {name: case.reset_index(drop=True) for name, case in table.groupby("case", sort=False)}


def test_4d_is_symmetric_without_gamma_and_larger_with_it(figure):
    found = cases(figure("4d")["4d"])
    assert list(found) == [f"gamma = {g}" for g in ("-0.9", "-0.5", "0", "0.5", "0.9")]
    areas = [cv_area(cycle) for cycle in found.values()]
    assert (np.diff(areas) > 0).all()
    assert asymmetry(found["gamma = 0"]) < 0.01
    assert asymmetry(found["gamma = 0.9"]) > 0.1


@pytest.mark.slow
def test_4e_has_a_peak_that_grows_with_the_resistance(figure):
    found = cases(figure("4e")["4e"])
    assert list(found) == [f"R_c = {r} ohm" for r in (1, 2, 5, 10)]
    assert (np.diff([peak_over_plateau(cycle) for cycle in found.values()]) > 0).all()


@pytest.mark.slow
def test_ed12_has_every_number_of_layers_at_both_rates(figure):
    table = figure("ed12")["ED12"]
    assert sorted(table["layers"].unique()) == [6, 10, 20, 50]
    assert sorted(table["rate"].unique()) == ["20 mV/us", "4 mV/us"]
    assert sorted(table["gamma"].unique()) == [0, 0.5, 0.9]
    assert len(table.groupby(["layers", "rate", "gamma"])) == 24
    assert table.groupby("rate")["time_s"].max().to_dict() == pytest.approx({"20 mV/us": 80e-6, "4 mV/us": 400e-6})


def test_ed13_has_time_constants_and_every_resistance_in_time(figure):
    tables = figure("ED13")
    lines = cases(tables["ED13a"])
    constants = {name: case["t_c_us"].iloc[0] for name, case in lines.items() if "TLM" in name}
    assert sorted(constants.values()) == pytest.approx([0.04, 0.08, 0.16, 0.4])
    assert max(asymmetry(lines[name]) for name in constants) < 0.01 < asymmetry(lines["NCM, R_c = 5 ohm"])
    slits = tables["ED13b"]
    assert sorted(slits["slit"].unique()) == list(range(1, 20))
    assert slits["R_ohm"].to_numpy() == pytest.approx(5 * (1 - 0.9 * np.abs(slits["q_C"]) / 16e-9), rel=1e-6)
    # Ohm's law: what flows into slit 2 and all behind it is dphi_2 / R_2
    wide = slits.pivot_table(index="time_s", columns="slit", values=["q_C", "R_ohm", "dphi_V"])
    filling = np.gradient(wide["q_C"].loc[:, 2:].sum(axis=1), wide.index)
    flows = (wide["dphi_V"][2] / wide["R_ohm"][2]).to_numpy()
    inner = slice(20, 190)
    assert filling[inner] == pytest.approx(flows[inner], rel=0.01, abs=2e-5)


def test_ed14_has_the_papers_charges_of_slit_19(figure):
    table = figure("ED14")["ED14"]
    assert {"q_C", "R_ohm", "slit", "time_s"} <= set(table)
    deepest = table[(table["layers"] == 20) & (table["slit"] == 19) & (table["rate"] == "20 mV/us")]
    charge = deepest.groupby("model")["q_C"].max() * 1e9
    assert charge.to_dict() == pytest.approx({"NCM": 9.88, "TLM": 6.95}, abs=0.02)
    assert charge["NCM"] / charge["TLM"] == pytest.approx(1.42, abs=0.01)
    assert table.groupby("layers")["slit"].max().to_dict() == {6: 5, 10: 9, 20: 19, 50: 49}


@pytest.mark.slow
def test_4c_and_ed11_come_from_one_record_of_mpnp(figure, tmp_path):
    """The NCM is within 1.5 % (rms of the peak) of mPNP; the source of Q changes it by less than 1 %."""
    curves = cases(figure("4c")["4c"])
    began = (tmp_path / "figures" / "mpnp" / "frames.h5").stat().st_mtime_ns
    reference = curves.pop("mPNP")
    peak = reference["I_m_A_per_m"].abs().max()

    def apart(curve, from_):
        mine = np.interp(from_["time_s"], curve["time_s"], curve["I_m_A_per_m"])
        return np.sqrt(np.mean((mine - from_["I_m_A_per_m"]) ** 2)) / peak

    assert apart(curves["NCM"], reference) < 0.015
    assert apart(curves["TLM"], reference) > 2 * apart(curves["NCM"], reference)
    tables = figure("ED11")
    assert (tmp_path / "figures" / "mpnp" / "frames.h5").stat().st_mtime_ns == began  # solved once
    assert tables["ED11c"]["element"].tolist() == ["R_open", "C_open", "R_i", "C_slit"]
    sources = cases(tables["ED11d"])
    assert apart(sources["Q from mPNP"], sources["own Q"]) < 0.01
    assert apart(sources["Q from TLM"], sources["own Q"]) < 0.01


def test_an_unknown_figure_is_refused_in_one_line(study):
    done = study("circuit_figures", "ED99")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    for word in ("figure", "ED99", "ED12"):
        assert word in done.stderr
