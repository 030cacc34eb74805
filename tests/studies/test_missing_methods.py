"""Settings that the paper leaves open: what they change, how claims are counted, and what decides a number."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import continuum
from studies.missing_methods import __main__, analysis, report
from studies.missing_methods import search as searching
from studies.missing_methods.analysis import claim_shares, flat_by_geometry, ranking, slope_of_resistance
from studies.missing_methods.judge import JUDGED, JudgedPart, JudgedSetting, SettingEvidence, judge
from studies.missing_methods.report import write_summary
from studies.missing_methods.sample import near_best, promising, space_filling
from studies.missing_methods.sensitivity import emulated_indices, indices, main_effect
from studies.missing_methods.setting import NAMES, Setting
from studies.missing_methods.table import (
    Part,
    claims_hold,
    coordinates,
    margins,
    parts_of,
    statements_hold,
    table_row,
    with_resistivity_slopes,
)
from transslit import BadInput, SlitNetwork, TransSlitRecord, TriangularCV, load_electrolyte
from transslit.executor import Inline
from transslit.progress import Progress
from validation.claims import CLAIMS
from validation.claims.uncertainty import STEP
from validation.presets import BOX, WIDTHS

TINY = Setting(slit_length=5e-9, edge_gap=0.8e-9, ion_diameter=0.4e-9, stern_thickness=0.2e-9, stern_permittivity=40.0)


def test_coordinates_of_the_box_are_settings_and_back():
    corners = np.array(np.meshgrid(*[[0.0, 1.0]] * 8)).reshape(8, -1).T
    sampled = [Setting.at(corner) for corner in corners] + space_filling(16)
    for setting in sampled:
        for name, (low, high, _) in BOX.items():
            assert low * (1 - 1e-5) <= getattr(setting, name) <= high * (1 + 1e-5)
        assert setting.edge_gap >= setting.ion_diameter
        assert Setting.at(setting.coordinates) == setting
    assert len({setting.digest for setting in sampled}) == len(sampled)


def test_a_setting_changes_what_it_says(tmp_path):
    usual = SettingEvidence(Setting(), tmp_path).cv_config(2e-9)
    assert usual.network == SlitNetwork(slit=2e-9)
    assert usual.drive == TriangularCV()
    assert usual.relative_stern_permittivity == usual.relative_permittivity
    assert {ion.diameter.value for ion in usual.electrolyte.ions} == {0.5e-9}
    both = Setting(rate_of="electrode", window_of="electrode", sheet_thickness=1e-9)
    other = SettingEvidence(both, tmp_path).cv_config(2e-9)
    assert (other.drive.scan_rate, other.drive.window) == (4e4, 0.8)  # of V_m = 2 phi_m
    assert other.network.sheet_thickness == 1e-9
    with pytest.raises(BadInput, match="edge_gap"):
        SettingEvidence(Setting(edge_gap=0.4e-9), tmp_path).cv_config(2e-9)


def test_the_claims_are_judged_by_their_own_functions_on_the_setting_s_own_runs(tmp_path):
    """C11 of a tiny network, whose run is the one that is asked for by hand."""
    judged = judge(TINY, tmp_path, claims=("C11",))
    values = {part.id: part.value for part in judged.parts}
    evidence = SettingEvidence(TINY, tmp_path)
    run = evidence.cv(1.5e-9)
    assert (
        run.config.model_dump()
        == continuum.ContinuumConfig(
            network=SlitNetwork(slit=1.5e-9, slit_length=5e-9, edge_gap=0.8e-9),
            electrolyte=load_electrolyte("KCl").with_diameter(0.4e-9),
            stern_thickness=0.2e-9,
            stern_permittivity=40.0,
            stepping="adaptive",
            scheme="bdf2",
            step_tolerance=STEP,
            steps=400,
        ).model_dump()
    )
    with continuum.Frames(run.folder) as frames:
        assert frames.config.digest == run.config.digest  # what lies there is what was solved
    alone = continuum.extract(TransSlitRecord.read(run.folder))
    assert judged.laws == {"1.5": [pytest.approx(alone.resistance), pytest.approx(alone.gamma)]}
    assert values["C11.c"] == values["C11.d"]
    assert values["C11.c"] == pytest.approx(alone.gamma, abs=0.01)  # all but the last crossing, in one fit
    assert judged.failed == {}
    again = CLAIMS["C11"].verdict(CLAIMS["C11"].judge(evidence))
    assert [part.value for part in again.parts] == list(values.values())


def test_every_claim_on_the_continuum_is_judged():
    about_circuits_or_atoms = {"C04", "C22", "C23", "C24", "C25", "C26"}
    assert set(JUDGED) == set(CLAIMS) - about_circuits_or_atoms


# Tables with known contents


PARTS = (
    Part("C02.a", "share", low=0.95),
    Part("C08.a", "spread", high=0.05),
    Part("C10.a", "slope of R_max", -0.1, 0.1),
    Part("C10.b", "slope of R_min", low=0.1),
    Part("C11.d", "gamma", 0.45, 0.55),
)


TOLERANCES = {part.id: (part.low, part.high) for part in PARTS}


def judged_part(name, value):
    low, high = (end if math.isfinite(end) else None for end in TOLERANCES.get(name, (-math.inf, math.inf)))
    return JudgedPart(id=name, title="", value=value, low=low, high=high)


def planted(setting, resistance=lambda d: 1.0, gamma=lambda d: 0.3, **parts):
    """A judged setting whose laws and parts are known; the parts have the tolerances of `PARTS`."""
    values = (
        dict.fromkeys(("C08.a", "C08.b", "C08.c", "C08.d"), 0.01)
        | {"C10.a": 0.0, "C10.b": 0.3, "C11.d": 0.5, "C02.a": 1.0, "C09.c": 0.0}
        | parts
    )
    return JudgedSetting(
        setting=setting,
        parts=[judged_part(name, value) for name, value in values.items()],
        failed={},
        laws={f"{d * 1e9:g}": [resistance(d), gamma(d)] for d in (1e-9, *WIDTHS)},
        steric={f"{d * 1e9:g}": 1.0 if d < 2e-9 else 0.1 for d in (1e-9, *WIDTHS)},
        cpu_s=0.0,
    )


def test_claims_are_counted_and_ranked_by_their_margins():
    rows = [
        planted(Setting()),
        planted(Setting(), **{"C10.a": 0.15, "C08.a": None}),
        planted(Setting(), **{"C10.b": 0.05}),
    ]
    table = pd.DataFrame(map(table_row, rows))
    whole = claims_hold(table, PARTS)
    assert whole["C10"].tolist() == [True, False, False]
    assert whole["C08"].tolist() == [True, False, True]  # what could not be judged does not hold
    margin = margins(table, PARTS)
    assert margin["C10"].tolist() == pytest.approx([1.0, -0.5, -0.5])
    assert margin["C11"].tolist() == pytest.approx([1.0] * 3)
    assert margin["C02"].iloc[0] == pytest.approx(1.0)  # from 0.95 to 1, in units of that
    best = ranking(table, PARTS)
    assert best.index.tolist() == [0, 2, 1]
    assert best["held"].tolist() == [4, 3, 2]
    assert best["missing"].tolist() == ["", "C10", "C08 C10"]
    assert {part.id for part in PARTS} <= {part.id for part in parts_of(rows[0])}


def test_resistivity_by_its_two_readings():
    """R constant in d and gamma = 0.75 nm / d make dr = gamma R d / L one number, and r grow with d."""
    row = planted(Setting(), gamma=lambda d: 0.75e-9 / d, **{"C09.c": -1.0})
    table = with_resistivity_slopes(pd.DataFrame([table_row(row)]))
    assert table["slope r_max"].iloc[0] == pytest.approx(1.0)
    assert table["slope dr"].iloc[0] == pytest.approx(0.0, abs=1e-12)
    assert statements_hold(table).iloc[0].all()
    for column, value in (("C10.a", -0.3), ("C10.b", 0.0), ("steric 3", 0.7), ("C08.c", 0.1)):
        assert statements_hold(table.assign(**{column: value})).iloc[0].sum() == 4, column


def test_geometry_alone_makes_a_long_slit_s_resistance_go_with_its_width():
    """R = L / (d sigma) where the slit is long; the gap's own resistance does not know d."""
    assert slope_of_resistance(Setting(slit_length=1e-6, edge_gap=2e-9)) == pytest.approx(-1.0, abs=0.02)
    assert slope_of_resistance(Setting(slit_length=5e-9, edge_gap=0.3e-9, ion_diameter=0.3e-9)) > -0.12
    found = flat_by_geometry(32)
    assert 0 <= found["share"] < 0.1
    assert found["slit_length"] < 7e-9


def test_where_a_claim_holds_names_the_parameter_that_decides():
    settings = [Setting(), *space_filling(64)]
    rows = [planted(s, **{"C08.a": 0.01 if s.ion_diameter < 0.45e-9 else 0.2}) for s in settings]
    found = claim_shares(pd.DataFrame(map(table_row, rows)), PARTS, 64)
    share = np.mean([s.ion_diameter < 0.45e-9 for s in settings[1:]])
    assert found.loc["C08", "share"] == pytest.approx(share)
    assert found.loc["C08", "low"] < share < found.loc["C08", "high"]
    assert "small ion diameter" in found.loc["C08", "where"]
    assert "sheet" not in found.loc["C08", "where"]
    assert found.loc["C10", "share"] == 1.0


def test_refinement_goes_where_the_claims_hold():
    """gamma follows the ion diameter and R_max the edge gap: both hold in one corner only."""
    settings = space_filling(64)
    rows = []
    for s in settings:
        u = dict(zip(NAMES, s.coordinates, strict=True))
        rows.append(
            planted(s, **{"C11.d": 0.5 + 0.6 * (u["ion_diameter"] - 0.8), "C10.a": 0.5 * (u["edge_gap"] - 0.2)})
        )
    table = pd.DataFrame(map(table_row, rows))
    more = promising(table, PARTS, 8)
    found = np.array([s.coordinates for s in more])
    assert np.abs(found[:, NAMES.index("ion_diameter")] - 0.8).max() < 0.1
    assert np.abs(found[:, NAMES.index("edge_gap")] - 0.2).max() < 0.22
    apart = np.linalg.norm(found[:, None] - found[None], axis=2)[np.triu_indices(8, 1)]
    assert apart.min() > 0.25
    near = near_best(table, PARTS, 8)
    best = coordinates(ranking(table, PARTS).head(2))
    strays = np.array([s.coordinates for s in near]) - np.repeat(best, 4, axis=0)
    assert 0.05 < strays[:, :6].std() < 0.15
    assert [s.rate_of for s in near] == [Setting.at(row).rate_of for row in np.repeat(best, 4, axis=0)]
    assert coordinates(table) == pytest.approx(np.array([s.coordinates for s in settings]))


# Sensitivities that are known


def ishigami(x):
    """sin a + 7 sin^2 b + 0.1 c^4 sin a on (-pi, pi)^3; T. Ishigami & T. Homma, 1st ISUMA (1990)."""
    a, b, c = (2 * x.T - 1) * np.pi
    return np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a)


def test_indices_are_those_of_ishigami_s_function():
    first, total = indices(ishigami, 3)
    assert first[0] == pytest.approx([0.3139, 0.4424, 0.0], abs=0.03)
    assert total[0] == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.03)
    assert (total[1] <= total[0]).all()
    assert (total[0] <= total[2]).all()


def test_a_parameter_without_effect_has_no_index():
    x = np.random.default_rng(0).random((64, 4))
    y = 2 * x[:, 0] + np.sin(3 * x[:, 1]) + 0.02 * np.random.default_rng(1).normal(size=64)
    found = emulated_indices(x, y, list("abcd")).set_index("name")
    exact = np.array([4 / 12, np.var(np.sin(3 * np.linspace(0, 1, 10001)))])
    assert found.loc[["a", "b"], "total"].to_numpy() == pytest.approx(exact / exact.sum(), abs=0.05)
    assert found.loc[["c", "d"], "total"].max() < 0.02
    assert found.loc[["a", "b"], "main"].min() > found.loc[["a", "b"], "chance"].max()
    assert found["r2"].iloc[0] > 0.99


def test_what_chance_does_is_known_without_an_emulator():
    rng = np.random.default_rng(5)
    seen = [main_effect(rng.random((64, 1)), rng.normal(size=64), seed=k) for k in range(100)]
    above = np.mean([share[0] > chance[0] for share, chance in seen])
    assert above < 0.13  # one in twenty, with 100 trials


# The whole search, with a planted judge


def test_a_search_resumes_and_refines(tmp_path, monkeypatch):
    asked = []

    def fake(setting, folder, **more):
        asked.append(setting)
        if setting.slit_length > 35e-9:
            raise BadInput("slit_length", setting.slit_length, "planted")
        return planted(setting, **{"C11.d": setting.ion_diameter * 1e9})

    monkeypatch.setattr(searching, "judge", fake)
    table, parts = searching.search(tmp_path, Inline(), 32, (4,), "coarse", Progress(quiet=True))
    first = len(asked)
    judged = {s.digest for s in asked if s.slit_length <= 35e-9 and s.preset == "coarse"}
    assert len(table) == len(judged) < 1 + 32 + 4 == first - 1  # the defaults once more, for the tolerances
    known = {part.id: part for part in parts}
    assert all(known[part.id] == part._replace(title="") for part in PARTS)
    assert [s.ion_diameter for s in asked[-4:-2]] == pytest.approx([0.5e-9] * 2, abs=0.15e-9)  # around where C11 holds
    again, _ = searching.search(tmp_path, Inline(), 32, (4,), "coarse", Progress(quiet=True))
    assert len(asked) == first  # nothing is judged twice
    pd.testing.assert_frame_equal(again, table)


def test_a_search_leaves_what_a_reader_wants(tmp_path, monkeypatch):
    monkeypatch.setattr(analysis, "NUMBERS", {"gamma at 1.5 nm": ("C11.d", "")})
    monkeypatch.setattr(report, "flat_by_geometry", lambda: {"share": 0.0})
    settings = [Setting(), *space_filling(32)]
    rows = [planted(s, **{"C11.d": 0.42 + s.ion_diameter * 5e8, "C10.a": -0.2}) for s in settings]
    rows[7] = planted(settings[7], **{"C10.a": 0.0})
    found = write_summary(tmp_path, pd.DataFrame(map(table_row, rows)), PARTS, 32, Progress(quiet=True))
    assert (found["claims held at the defaults"], found["claims held at the best"]) == (2, 4)
    assert found["settings where it holds"]["R_max flat, R_min falls"] == 1
    assert "| C10 | The largest resistance" in (tmp_path / "claims.md").read_text()
    assert (tmp_path / "settings.md").read_text().splitlines()[2].startswith("| 4 |  |")
    numbers = (tmp_path / "numbers.md").read_text().splitlines()
    assert numbers[2].split("|")[3].strip().startswith("ion diameter")
    for name in ("methods-sensitivity.png", "methods-together.png", "numbers.csv"):
        assert (tmp_path / name).stat().st_size > 500


# The command


def test_the_options_are_the_fields_of_the_setting(study, monkeypatch):
    given = []
    monkeypatch.setattr(__main__, "judge_one", lambda *arguments: given.append(arguments) or {"out": "one"})
    done = study("missing_methods", "--stern-thickness", "0.2nm", "--window-of", "electrode", "--searched", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"out": "one"}
    assert given == [(Setting.read(stern_thickness="0.2nm", window_of="electrode"), Path("runs/methods"), True)]


def test_a_sample_is_judged_on_coarse_meshes(study, monkeypatch):
    given = []
    monkeypatch.setattr(__main__, "run_study", lambda *arguments: given.append(arguments) or {"settings judged": 64})
    words = ("--sample", "64", "--refine", "4,8", "--workers", "1", "--out", "box")
    assert study("missing_methods", *words).stdout == "settings judged: 64\n"
    assert study("missing_methods", *words, "--preset", "paper").returncode == 0
    assert [(out, count, rounds, preset) for out, _, count, rounds, preset, _ in given] == [
        (Path("box"), 64, (4, 8), "coarse"),
        (Path("box"), 64, (4, 8), "paper"),
    ]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("--sample", "5"), "sample: 5"),
        (("--sample", "64", "--searched"), "sample: 64"),
        (("--refine", "3,x"), "refine: 3,x"),
        (("--refine", "0"), "refine: 0"),
        (("--slit-length", "10"), "slit_length: 10"),
        (("--edge-gap", "0.4nm"), "edge_gap: 0.4 nm"),
    ],
)
def test_faults_are_one_line(study, words, field):
    done = study("missing_methods", *words, "--out", "run")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert field in done.stderr


def test_one_setting_is_left_as_json(tmp_path, monkeypatch):
    monkeypatch.setattr(__main__, "judge", lambda setting, *rest: planted(setting, **{"C10.a": None}))
    found = __main__.judge_one(Setting(edge_gap=0.7e-9), tmp_path, False)
    assert found["out"] == str(tmp_path)
    assert found["not held"]["C10.a "] is None
    left = json.loads((tmp_path / "methods.json").read_text())
    assert left["setting"]["edge_gap"] == 0.7e-9
    assert {part["id"]: part["value"] for part in left["parts"]}["C10.b"] == 0.3
