"""Any record is judged as far as it goes, and what it lacks is said."""

import numpy as np
import pandas as pd
import pytest

from transslit import TransSlitRecord
from validation.chain import judge
from validation.checks.against import against, named, unlike
from validation.checks.judge import Source, families, judge_records
from validation.report.tables import ReportData

STEP = {"kind": "potential-step", "voltage": 0.2, "duration": 1e-9, "rest": 0.0}


def driven(record, **drive):
    """The record under another drive."""
    return TransSlitRecord(record.crossings, record.slits, record.terminal, record.metadata | {"drive": drive})


def ids(verdicts):
    return {verdict.id for verdict in verdicts}


def test_families_are_named_by_source_and_drive(make):
    records = [
        make(),
        driven(make(source="continuum"), kind="charge-step"),
        driven(make(source="continuum"), kind="smoothed-cv"),
        driven(make(source="continuum"), kind="galvanostatic"),
        driven(make(source="continuum"), kind="cv"),
    ]
    found = families([Source(record, "planted") for record in records])
    assert list(found) == ["md", "step", "cv", "continuum", "cv2"]
    assert [source.driven for source in found.values()][1:4] == [
        "planted, charge step",
        "planted, CV",
        "planted, galvanostatic",
    ]


def test_atoms_alone_lack_the_tables_of_their_run(make):
    found = judge_records(families([Source(make(), "planted")]))
    assert {
        "verify.md.parts",
        "verify.md.starts",
        "verify.md.neutralised",
        "md.pos.1.sign",
        "md.neg.1.net",
        "md.residual",
    } <= ids(found.verdicts)
    assert [text.split()[2] for text in found.lacking] == ["temperature.parquet", "reservoir.parquet"]


def test_tables_beside_the_record_are_judged(make, tmp_path):
    record = make()
    record.metadata["concentration_mol_per_m3"] = 1000.0
    time = np.linspace(0, 1e-11, 9)
    for name, column, value in (("temperature", "T_K", 298.15), ("reservoir", "c_mol_per_m3", 900.0)):
        rows = [pd.DataFrame({"box": box, "time_s": time, column: value}) for box in range(3)]
        pd.concat(rows).to_parquet(tmp_path / f"{name}.parquet")
    found = judge_records(families([Source(record, "planted", tmp_path)]))
    by_id = {verdict.id: verdict for verdict in found.verdicts}
    assert by_id["verify.md.temperature"].value == pytest.approx(1.0)
    assert by_id["verify.md.reservoir"].value == pytest.approx(0.9)
    assert found.lacking == []


def test_a_voltammogram_is_required_to_show_the_mechanism(make):
    found = judge_records(families([Source(driven(make(source="continuum"), kind="cv"), "planted")]))
    assert {verdict.id for verdict in found.verdicts if verdict.required} == {
        "verify.cv.parts", "cv.pos.1.sign", "cv.neg.1.sign",
    }  # fmt: skip


def test_half_of_the_slits_are_compared_and_the_others_named(make):
    atoms, step = make(noise=0.02), driven(make(source="continuum"), kind="charge-step")
    atoms.metadata["drive"] = {"kind": "charge-step"}
    fewer = TransSlitRecord(
        step.crossings[step.crossings["i"] < 2], step.slits[step.slits["i"] < 3], step.terminal, step.metadata
    )
    found = judge_records(families([Source(atoms, "planted"), Source(fewer, "planted")]), ("md", "step"))
    assert {name.split(".")[1] for name in ids(found.verdicts) if name.startswith("against.")} == {"1", "2"}
    assert "slit 3 is in one of the two records only" in found.lacking


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"kind": "charge-ramp"}, "kind"),
        ({"kind": "charge-step", "sigma": 0.26}, "sigma"),
        ({"kind": "charge-step", "sigma": 0.2501}, ""),
        ({"kind": "charge-step", "sigma": 0.25, "duration": 1.0}, ""),
    ],
)
def test_records_are_compared_if_they_were_driven_alike(make, changes, word):
    first = driven(make(), kind="charge-step", sigma=0.25, duration=1e-11)
    assert word in unlike(first, driven(make(source="continuum"), **{"sigma": 0.25} | changes))
    assert bool(word) == bool(unlike(first, driven(make(source="continuum"), **{"sigma": 0.25} | changes)))


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"drive": STEP | {"rest": 1e-9}}, "rest 0 ps and 1 ns"),
        ({"drive": STEP | {"voltage": 0.3}}, "voltage 0.2 V and 0.3 V"),
        ({"network": {"slit": 3e-9}}, "slit 2 nm and 3 nm"),
        ({"concentration_mol_per_m3": 100.0}, "concentration 1 M and 0.1 M"),
        ({"temperature_K": 350.0}, "temperature 298.1 K and 350 K"),
    ],
)
def test_what_differs_is_said_with_its_unit(make, about, said):
    same = {"drive": STEP, "network": {"slit": 2e-9}, "concentration_mol_per_m3": 1000.0}
    first, second = make(source="continuum"), make(source="continuum")
    first.metadata.update(same)
    second.metadata.update(same | about)
    assert unlike(first, first) == ""
    assert said in unlike(first, second)


def test_courses_are_compared_as_far_as_both_go(make):
    """The same filling, of which one record holds the beginning alone."""
    long, cut = driven(make(source="continuum"), kind="potential-step"), 40
    tables = (table[table["time_s"] < cut * 0.1e-12] for table in (long.crossings, long.slits, long.terminal))
    short = TransSlitRecord(*tables, long.metadata)
    for pair in ((long, short), (short, long)):
        assert {v.value for v in against(*pair, "planted") if v.id.endswith("course")} == {0.0}


def test_a_continuum_run_is_exact_and_two_samples_add_their_intervals(make):
    atoms, other, exact = make(noise=0.1), make(noise=0.1, seed=1), make(source="continuum", noise=0.1, seed=2)

    def half_width(first, second):
        return {v.id: v.uncertainty for v in against(first, second, "planted")}["against.1.charge"]

    assert half_width(exact, exact) == 0.0
    alone, turned, both = half_width(atoms, exact), half_width(exact, other), half_width(atoms, other)
    assert both == pytest.approx(np.hypot(alone, turned), rel=0.2)
    assert min(alone, turned) > 0


def test_other_electrolytes_are_not_compared(make):
    other = make(source="continuum")
    other.metadata["electrolyte"] = "NaCl"
    assert "electrolytes differ (KCl and NaCl)" in unlike(driven(make(), kind="charge-step"), other)


def test_voltammograms_are_compared_by_their_currents(make):
    """A tenth more current everywhere is a tenth of the peak's rms away."""
    cycle = {"kind": "cv", "scan_rate": 2e4, "window": 0.4}
    second = driven(make(source="continuum", blocks=1), **cycle)
    wave = np.sin(np.linspace(0, 2 * np.pi, len(second.terminal)))
    second.terminal["I_m_A_per_m"] = wave
    first = driven(second, **cycle)
    first = TransSlitRecord(first.crossings, first.slits, first.terminal.assign(I_m_A_per_m=1.1 * wave), first.metadata)
    assert named(first, second) == ("first", "second")
    found = {verdict.id: verdict for verdict in against(first, second, "planted")}
    positive = second.terminal["replica"] == 0
    after = second.terminal["time_s"] > 0
    expected = 0.1 * np.sqrt(np.mean(wave[positive & after] ** 2)) / np.abs(wave[positive & after]).max()
    assert found["against.current"].value == pytest.approx(expected, rel=1e-6)
    assert found["against.current"].verdict == "fail"
    assert found["against.1.course"].value == 0.0
    assert "against.1.t63" not in found


def test_the_page_of_judged_records_says_what_they_lack(make, tmp_path):
    make(noise=0.1).write(tmp_path / "atoms" / "record")
    found = judge(tmp_path / "atoms", tmp_path / "out")
    assert found.setting == "KCl"
    data = ReportData.read(tmp_path / "out")
    assert ids(data.verdicts) == ids(found.verdicts)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "no temperature.parquet beside the record" in page
    assert '<section id="comparison"' in page
