"""The points of a sweep, the columns that they make, and the table as a function of what was left on disk."""

import json
from dataclasses import replace
from functools import partial

import pandas as pd
import pytest

from transslit import BadInput
from transslit.executor import Inline
from transslit.files import read_sealed, write_sealed
from transslit.progress import Progress
from validation.commands import circuit, continuum
from validation.sweep import plan, read_table, sweep
from validation.sweep.grid import columns, settings

CIRCUIT = {"resistance": "5ohm", "layers": "4", "points": "101"}


def run(points, out, **options):
    return sweep(points, out, Inline(), progress=Progress(quiet=True), **options)


def with_row(row):
    """The stage of circuits, whose row is `row(config, honest, folder)`."""

    def read(texts, arguments):
        work = circuit.STAGE.read(texts, arguments)
        return replace(work, row=lambda folder: row(work.config, work.row, folder))

    return replace(circuit.STAGE, read=read)


def test_a_grid_is_every_combination_with_the_last_quickest():
    found = settings(["slit=1.5nm, 2nm", "ion-diameter=0.3nm:0.7nm:3"])
    assert [list(point.values()) for point in found[:4]] == [
        ["1.5nm", "0.3nm"],
        ["1.5nm", "0.5nm"],
        ["1.5nm", "0.7nm"],
        ["2nm", "0.3nm"],
    ]
    assert list(found[0]) == ["slit", "ion_diameter"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("scan_rate=1mV/us:1V/us:4:log", ["1mV/us", "10mV/us", "100mV/us", "1000mV/us"]),
        ("gamma=-0.9:0.9:3", ["-0.9", "0", "0.9"]),
        ("layers=2:6:3", ["2", "4", "6"]),
        ("slit=900pm:2nm:2", ["900pm", "2000pm"]),
        ("stepping=fixed,adaptive,fixed", ["fixed", "adaptive"]),
    ],
)
def test_the_values_of_one_parameter(text, values):
    assert [next(iter(point.values())) for point in settings([text])] == values


def test_columns_are_in_si_with_their_units():
    texts = {"slit": "0.59nm", "scan_rate": "20mV/us", "concentration": "1M", "temperature": "25degC", "layers": "6"}
    texts |= {"gamma": "-0.5", "electrolyte": "KCl", "charge": "0.25C/m^2", "charge_per_carbon": "0.041e"}
    assert columns(texts) == {
        "slit_m": 0.59e-9,
        "scan_rate_V_per_s": 2e4,
        "concentration_mol_per_m3": 1000.0,
        "temperature_K": 298.15,
        "layers": 6,
        "gamma": -0.5,
        "electrolyte": "KCl",
        "charge_C_per_m2": 0.25,
        "charge_per_carbon_e": 0.041,
    }


@pytest.mark.parametrize(
    "text",
    [
        "slit",
        "slit=",
        "=1nm",
        "slit=1nm:2nm",
        "slit=1nm:2nm:1",
        "slit=1nm:2s:3",
        "slit=a:b:3",
        "slit=0nm:2nm:3:log",
        "a=1,,2",
    ],
)
def test_what_is_no_axis_is_refused(text):
    with pytest.raises(BadInput):
        settings([text])


def test_a_list_of_points_multiplies_the_grid(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("slit,ion-diameter\n2nm,0.5nm\n3nm,0.6nm\n")
    found = settings(["layers=4,5"], path)
    assert found[1] == {"slit": "2nm", "ion_diameter": "0.5nm", "layers": "5"}
    assert len(found) == 4
    with pytest.raises(BadInput, match="twice"):
        settings(["slit=1nm,2nm"], path)
    path.write_text("slit\n2nm\n3nm,4nm\n")
    with pytest.raises(BadInput, match="row 3"):
        settings([], path)


def test_a_point_is_the_command_by_itself(tmp_path):
    from circuit import CircuitConfig, simulate
    from circuit.measures import summary
    from transslit import TriangularCV

    points = plan(circuit.STAGE, ["gamma=0,0.5", "scan-rate=20mV/us,4mV/us"], CIRCUIT)
    table = run(points, tmp_path / "out")
    assert list(table)[:2] == ["gamma", "scan_rate_V_per_s"]
    elements = {"slit_capacitance": 80e-9, "open_resistance": 1.0, "open_capacitance": 10e-9, "points": 101}
    drive = TriangularCV(scan_rate=4e3, cycles=2)
    alone = summary(simulate(CircuitConfig(layers=4, resistance=5.0, gamma=0.5, drive=drive, **elements)))
    row = table.iloc[3]
    assert row[list(alone)].to_dict() == pytest.approx(alone, rel=1e-12, abs=0)
    assert row["status"] == "done"
    assert row["wall_s"] > 0


def test_finished_points_are_recognised_failed_ones_are_rows_and_retried_when_asked(tmp_path):
    ran = []

    def counted(config, honest, folder):
        ran.append(config.gamma)
        if config.gamma == 0.5 and broken:
            raise RuntimeError("no\nluck")
        return honest(folder)

    broken = True
    points = plan(with_row(counted), ["gamma=0,0.5,2"], CIRCUIT)
    table = run(points, tmp_path / "out")
    assert table["status"].tolist() == ["done", "failed", "failed"]
    assert table["error"].iloc[1] == "RuntimeError: no luck"
    assert "reaches zero" in table["error"].iloc[2]  # 1 - gamma q at q = 1/2
    wider = plan(with_row(counted), ["gamma=0:0.75:4"], CIRCUIT)
    broken = False
    table = run(wider, tmp_path / "out")
    assert ran == [0, 0.5, 2, 0.25, 0.75]
    assert table["status"].tolist() == ["done", "done", "failed", "done"]
    assert run(wider, tmp_path / "out", retry=True)["status"].tolist() == 4 * ["done"]
    assert ran[5:] == [0.5]


def test_the_table_follows_from_the_folder(tmp_path):
    out = tmp_path / "out"
    points = plan(circuit.STAGE, ["gamma=0,0.5", "layers=4,0"], CIRCUIT)
    table = run(points, out)
    assert table["status"].tolist() == ["done", "failed", "done", "failed"]
    assert table["error"].str.contains("layers").tolist() == [False, True, False, True]
    pd.testing.assert_frame_equal(read_table(out), table)
    pd.testing.assert_frame_equal(pd.read_parquet(out / "sweep.parquet"), table, check_dtype=False)
    path = out / "points" / f"{points[2].key}.json"
    whole = read_sealed(path)
    other = whole["values"] | {"peak_current_A": "much"} | {"more": [1]}
    for damaged in ('{"status": "do', path.read_text().replace("0.", "1.", 1)):  # torn; another number
        path.write_text(damaged)
        assert read_table(out)["status"].tolist() == ["done", "failed", "pending", "failed"]
    for content in (whole | {"values": other}, whole | {"status": "perhaps"}, whole | {"wall_s": "long"}):
        write_sealed(path, content)
        assert read_table(out)["status"].tolist() == ["done", "failed", "pending", "failed"]
    write_sealed(path, whole)
    pd.testing.assert_frame_equal(read_table(out), table)


def test_ctrl_c_leaves_a_valid_table(tmp_path):
    def interrupted(config, honest, folder):
        if config.gamma == 0.5:
            raise KeyboardInterrupt
        return honest(folder)

    with pytest.raises(KeyboardInterrupt):
        run(plan(with_row(interrupted), ["gamma=0,0.5,0.9"], CIRCUIT), tmp_path)
    assert pd.read_csv(tmp_path / "sweep.csv")["status"].tolist() == ["done", "pending", "pending"]


def test_a_full_disk_is_the_point_s_own_fault(tmp_path):
    import errno
    import os

    def full(config, honest, folder):
        if config.gamma == 0.5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return {"answer": 42.0}

    table = run(plan(with_row(full), ["gamma=0,0.5,0.9"], CIRCUIT), tmp_path)
    assert table["answer"].tolist() == pytest.approx([42, float("nan"), 42], nan_ok=True)
    assert "No space left" in table["error"].iloc[1]
    kept = run(plan(with_row(full), ["gamma=0,0.5,0.9"], CIRCUIT, keep=True), tmp_path / "kept")
    assert [error.partition(":")[0] for error in kept["error"]] == ["", "out", ""]


@pytest.mark.parametrize(
    ("stage", "vary", "fixed", "said"),
    [
        (continuum, ["colour=1nm,2nm"], {}, "ion_diameter"),
        (continuum, ["slit=1,2"], {}, "nm"),
        (continuum, ["layers=4,5"], {}, "--slit"),
        (continuum, ["slit=1nm,2nm"], {"colour": "red"}, "colour"),
        (circuit, ["gamma=0,0.5"], CIRCUIT | {"fit": "cv.mpt"}, "fit"),
        (continuum, ["out=a,b"], {"slit": "2nm"}, "options of transslit continuum"),
    ],
)
def test_a_sweep_of_nothing_is_bad_input(stage, vary, fixed, said):
    with pytest.raises(BadInput, match=said):
        plan(stage.STAGE, vary, fixed)


def test_a_continuum_row_holds_what_extraction_and_claims_say(tmp_path):
    from continuum import ContinuumConfig, Run, extract
    from continuum.measures import agreement
    from transslit import TransSlitRecord

    fixed = {"layers": "3", "steps": "40", "refinement": "0.5"}
    points = plan(continuum.STAGE, ["slit=2nm"], fixed, keep=True)
    row = run(points, tmp_path).iloc[0]
    assert row["status"] == "done", row["error"]
    folder = tmp_path / "runs" / points[0].key
    record = TransSlitRecord.read(folder)
    ladder = extract(record)
    assert row["gamma"] == pytest.approx(ladder.gamma, rel=1e-12)
    assert row["R_c_std_ohm_m"] == pytest.approx(ladder.resistance_std, rel=1e-9)
    assert row["R_min_ohm_m"] == pytest.approx(ladder.resistance * (1 - ladder.gamma), rel=1e-9)
    assert isinstance(points[0].task.work.config, ContinuumConfig)
    shares = agreement(Run(folder, points[0].task.work.config, {})).query("part == 'steric'")
    assert row["steric_with_migration"] == pytest.approx(shares["cycle"].mean())
    kept = json.loads((tmp_path / "points" / f"{points[0].key}.json").read_text())
    assert kept["values"]["gamma"] == row["gamma"]


@pytest.mark.slow
def test_a_row_of_atoms_holds_what_the_cross_checks_say(tmp_path):
    """A cell of fifteen hundred atoms for a third of a picosecond."""
    from discovery import DiscoveryConfig
    from md import MDConfig
    from transslit import SlitNetwork, TransSlitRecord, load_electrolyte
    from validation.checks.mechanism import mechanism
    from validation.commands.md import row as md_row
    from validation.sweep import Point, Task, Work

    config = MDConfig(
        network=SlitNetwork(slit=0.59e-9, layers=3, slit_length=0.852e-9, edge_gap=0.5325e-9, reservoir_length=0.6e-9),
        electrolyte=load_electrolyte("KCl"),
        concentration=1000.0,
        depth=1.23e-9,
        cutoff=0.6e-9,
        charge_per_carbon=0.02,
        decorrelation=0.1e-12,
        post_step_duration=0.1e-12,
        duration=0.3e-12,
        anneal=0.0,
        equilibration=0.5e-12,
        force_frames=0.0,
        replicas=1,
        start="fresh",
    )
    search = DiscoveryConfig(population=32, generations=2, islands=2, bootstrap=50, held_out="none")
    point = Point({"seed": 0}, Task("md", Work(config, partial(md_row, config)), search, keep=True))
    row = run([point], tmp_path).iloc[0]
    assert row["status"] == "done", row["error"]
    record = TransSlitRecord.read(tmp_path / "runs" / point.key)
    known = {v.id.removeprefix("md.").replace(".", "_"): v.value for v in mechanism(record, "md", "")}
    known = {name: value for name, value in known.items() if value is not None}  # seven frames do not give them all
    assert known
    assert {name: float(row[name]) for name in known} == pytest.approx(known)
    # Seven frames hold no law, or not even a filled slit; the row stands all the same.
    assert any(said in row["law_error"] for said in ("too few for a search", "no usable rows"))
