"""The page of a run with atoms, made from planted records; and the same page from what was written to disk."""

import collections
import dataclasses
import json
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from md.shipped import references
from transslit import BadInput, load_electrolyte
from transslit.style import STYLE
from transslit.svg import to_svg
from validation.checks import courses
from validation.checks.against import against
from validation.checks.mechanism import mechanism
from validation.checks.unexplained_charge import residual
from validation.claims.registry import CLAIMS, Claim, Finding
from validation.presets import ValidateConfig
from validation.report.page import _svg, matrices, publish, render, typeset
from validation.report.provenance import provenance, totals
from validation.report.sections import all_figures, claim_figures, sections, thinned
from validation.report.tables import PARTS, Facts, ReportData
from validation.verdicts.answers import answers
from validation.verdicts.verdict import Estimate, Measured, judge, part

NETWORK = {"slit": 0.59e-9, "layers": 4, "slit_length": 1.5e-9, "edge_gap": 0.5e-9, "reservoir_length": 1.5e-9}
DRAWN = collections.defaultdict(lambda: "<svg></svg>")


def across():
    """Profiles of two ions in three slits: a gaussian among atoms, flat in the continuum."""
    x = np.linspace(-0.28, 0.28, 16)
    rows = [
        pd.DataFrame({"x_nm": x, "c_M": c, "low": low, "high": high}).assign(
            source=source, moment="after", electrode=electrode, i=i, ion=ion
        )
        for source, c, low, high in (("atoms", 5 * np.exp(-((x / 0.1) ** 2)), 0.0, 9.0), ("continuum", 2.0, None, None))
        for electrode in ("positive", "negative")
        for i in (1, 2, 3)
        for ion in ("K", "Cl")
    ]
    return pd.concat(rows, ignore_index=True).astype({"low": float, "high": float})


@pytest.fixture(scope="module")
def data(planted_record):
    atoms, step = planted_record(noise=0.3), planted_record(source="continuum", blocks=1)
    for record in (atoms, step):
        record.metadata["network"] = NETWORK
    salt = load_electrolyte("KCl")
    config = ValidateConfig(slit=0.59e-9, electrolyte=salt, concentration=salt.concentration)
    stage = {"wall_s": 2.0, "cpu_s": 3.0, "seed": 0, "platform": "here", "digest": "d" * 64, "inputs": {"md": "e" * 64}}
    stages = {"md": stage | {"config": {}}, "continuum-step": stage | {"config": {}}}
    tables = {f"{n}-{part}": getattr(r, part) for n, r in (("md", atoms), ("step", step)) for part in PARTS}
    tables["curves"] = courses.curves({"atoms": atoms, "continuum": step})
    tables["levels"] = courses.levels(atoms, step)
    tables["profiles"] = across()
    tables["reservoir"] = pd.DataFrame({"box": 0, "time_s": [0.0, 1e-12], "c_mol_per_m3": [1500.0, 1000.0]})
    places = {"species": ["C", "O", "K", "Cl"], "x_nm": 1.0, "y_nm": 1.0, "z_nm": [0.1, 0.2, 0.3, 0.4]}
    tables["atoms"] = pd.concat([pd.DataFrame(places).assign(moment=moment) for moment in ("before", "after")])
    tables = {name: table.reset_index(drop=True) for name, table in tables.items()}
    facts = Facts(
        setting=config.setting,
        slit=config.slit,
        preset=config.preset,
        network=config.network,
        electrolyte=salt,
        concentration=config.concentration,
        records={"md": atoms.metadata, "step": step.metadata},
        provenance=provenance(config.seed, stages),
        box_nm=(4.0, 3.0, 1.0),
    )
    verdicts = mechanism(atoms, "md", "planted") + against(atoms, step, "planted")
    return ReportData([*verdicts, residual(atoms, "md", "planted")], tables, facts)


def test_every_figure_draws(data):
    drawn = {figure.key: figure.draw() for figure in all_figures(data) if figure.draw is not None}
    expected = {"network", "cell", "filling", "contents", "differences", "profiles", "reservoir", "step-charges"}
    assert set(drawn) == expected
    assert len(drawn["profiles"].axes) == 6
    assert len(drawn["filling"].axes) == 3
    (stored,) = [line for line in drawn["filling"].axes[1].lines if line.get_label() == "continuum"]
    assert stored.get_ydata()[-1] == pytest.approx(1.0, rel=0.01)  # nC/m, as planted


def test_the_page_has_its_parts(data):
    page = render(data, DRAWN)
    for key in ("claims", "verdicts", "geometry", "comparison", "mechanisms", "provenance"):
        assert f'<section id="{key}"' in page
    for key in ("cell", "filling", "differences", "profiles", "step-charges"):
        assert f'<figure id="{key}"' in page
        assert f"transslit report . --figure {key}</code>" in page
        assert f'download="{key}.csv"' in page
    assert "At d = 0.59 nm the continuum" in page
    assert "time in which the slit fills to one level" in page
    assert "4 s wall, 6 s processor time" in page
    assert "md eeeeeeeeeeee" in page  # what the stage was made from
    assert not re.findall(r'(?:src|href)="https?:', page)


def test_what_is_on_disk_makes_the_same_page(data, tmp_path):
    data.write(tmp_path)
    again = ReportData.read(tmp_path)
    assert render(again, DRAWN) == render(data, DRAWN)
    assert {path.name for path in tmp_path.iterdir()} == {"verdicts.json", "tables"}
    assert all(path.suffix == ".parquet" for path in (tmp_path / "tables").iterdir())
    pd.testing.assert_frame_equal(again.record("md").slits, data.record("md").slits, check_exact=True)


def test_a_check_keeps_its_table_by_its_id(data, tmp_path):
    data.write(tmp_path)
    again = ReportData.read(tmp_path)
    for verdict, read in zip(data.verdicts, again.verdicts, strict=True):
        pd.testing.assert_frame_equal(read.evidence, verdict.evidence)
        assert verdict.id not in again.tables
        assert f'download="{verdict.id}.csv"' in render(again, DRAWN)


def test_tables_of_an_earlier_report_go(data, tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "old.parquet").write_bytes(b"")
    data.write(tmp_path)
    assert not (tmp_path / "tables" / "old.parquet").exists()


def test_the_notebook_version_shows_the_same(data, tmp_path, monkeypatch):
    monkeypatch.setattr("validation.report.page._svg", lambda figure: '<svg viewBox="0 0 1 1"></svg>')
    data.write(tmp_path)
    publish(tmp_path)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    for linked in re.findall(r"\]\(([^)]*)\)", text):
        assert (tmp_path / linked).exists()
    for section in sections(data):
        assert f"## {section.title}\n" in text
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_a_statement_without_a_place_stands_apart(data):
    titles = {matrix.title: matrix for matrix in matrices(data.checks)}
    apart = titles["Mechanism in molecular dynamics, both electrodes"]
    assert apart.columns == ["value"]
    assert [first.id for first, _ in apart.rows] == ["md.residual"]
    placed = titles["Mechanism in molecular dynamics"]
    assert placed.columns == ["+ electrode, slits 1 and 2", "− electrode, slits 1 and 2"]
    assert all(None not in row for _, row in placed.rows)


@pytest.mark.parametrize(("value", "u", "word"), [(0.9, 0.1, "yes"), (0.1, 0.1, "no"), (0.5, 0.3, "undecided")])
def test_the_answer_follows_the_verdict(value, u, word):
    found = judge("md.pos.1.sign", "t", Estimate(value, value - u, value + u), low=0.5, reason="r", setting="s")
    (card,) = answers([found])
    assert (card.word, card.number) == (word, f"{value:.0%} ± {u:.0%}")


def test_provenance_is_json_and_adds_up(data):
    content = json.loads(json.dumps(data.facts.provenance))
    assert totals(content) == (4.0, 6.0)
    assert {"versions", "platform", "seed", "stages"} <= set(content)
    assert content["versions"]["python"].startswith("3.")


def test_shipped_records_stand_beside_a_run_of_the_same_cell(planted_record, data, tmp_path):
    """By the name that tells their drive, as shipped ones, in a figure that says that they are no experiments."""
    salt = load_electrolyte("KCl")
    for name, slit in (("ramp-20ps", 0.59e-9), ("ramp-5ps", 0.59e-9), ("other", 1e-9)):
        record = planted_record(blocks=1)
        record.metadata["network"] = NETWORK | {"slit": slit}
        record.write(tmp_path / name / "record")
    shipped = references(salt, 0.59e-9, tmp_path)
    assert list(shipped) == ["ramp-5ps (shipped)", "ramp-20ps (shipped)"]
    assert references(load_electrolyte("NaCl"), 0.59e-9, tmp_path) == {}
    table = courses.curves({"this run": data.record("md"), **shipped})
    beside = dataclasses.replace(data, tables=data.tables | {"references": table})
    (figure,) = [figure for figure in all_figures(beside) if figure.key == "references"]
    assert "not experiments" in figure.caption
    labels = {line.get_label() for line in figure.draw().axes[0].lines}
    assert labels == {"this run", *shipped}
    assert set(figure.data["quantity"]) == {"stored"}


def test_a_page_shows_every_kth_row_of_each_line():
    """12,000 rows of three lines, written in turns: each line keeps its first row and every third one."""
    table = pd.DataFrame({"i": [1, 2, 3] * 4000, "x": np.repeat(np.arange(4000.0), 3)})
    shown = thinned(table, most=4000)
    assert len(shown) == 4002
    for _, line in shown.groupby("i"):
        np.testing.assert_array_equal(line["x"], np.arange(0, 4000, 3))
    assert thinned(table, most=12000) is table


def test_words_for_a_terminal_are_typeset():
    assert typeset("dphi_i < R_c (1 - gamma q_{i+1})") == "Δφ<sub>i</sub> &lt; R<sub>c</sub> (1 - γ q<sub>i+1</sub>)"
    assert typeset("I_A_per_m*(c0 + c1*charge_C_per_m)") == "I_A_per_m*(c0 + c1*charge_C_per_m)"


@pytest.fixture
def claimed(data, monkeypatch):
    """The data with one claim of two parts."""
    table = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]})

    def judged(evidence):
        """Water is wet.

        Measured as x against y.
        """

    def drawing(table):
        figure = Figure()
        figure.subplots().plot(table["x"], table["y"], label="line")
        return figure

    known = Claim("C99", "9z", (), drawing, judged)
    monkeypatch.setitem(CLAIMS, "C99", known)
    parts = tuple(part(f"part {p}", Measured(v, 0.012), low=0.5, reason="planted") for p, v in (("a", 1.0), ("b", 0.1)))
    verdict = known.verdict(Finding(parts, "d = 2 nm", table))
    return dataclasses.replace(data, verdicts=[*data.verdicts, verdict])


def test_claims_are_shown_with_their_parts_and_evidence(claimed, tmp_path):
    (figure,) = [figure for figure in all_figures(claimed) if figure.key == "C99"]
    drawings = DRAWN | {"C99": to_svg(figure.draw(), "C99", STYLE)}
    page = render(claimed, drawings)
    assert "0 of 1 reproduced" in page
    for words in ("C99", "Water is wet", "9z", "not reproduced", "Measured as x against y.", "part a", "0.012"):
        assert words in page
    assert '<figure id="C99"' in page
    assert 'data-tags="line"' in page
    claimed.write(tmp_path)
    assert render(ReportData.read(tmp_path), drawings) == page


def test_a_claim_that_another_version_judged_says_how_to_judge_it_again(claimed):
    """Its table lacks a column that the figure of today draws."""
    (old,) = [v.changed(evidence=v.evidence.rename(columns={"y": "older"})) for v in claimed.claims]
    shown = claim_figures(dataclasses.replace(claimed, verdicts=[old]))["C99"]
    with pytest.raises(BadInput, match=r"C99: has no 'y'; .* --claims C99"):
        _svg(shown)
