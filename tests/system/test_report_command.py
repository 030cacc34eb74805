"""`transslit report`: the page made again from its tables, one figure, two runs compared, a crate, own tolerances."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from transslit import Law
from transslit.files import file_checksum, read_sealed, write_sealed
from transslit.law import Constant
from validation.report import page as report

BLANK = '<svg viewBox="0 0 1 1"></svg>'
STAGES = ("continuum-cv", "discover", "circuit", "record")


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the finished run, without the stages."""
    place = tmp_path / "copy"
    shutil.copytree(finished[0], place, ignore=shutil.ignore_patterns(*STAGES, "law.json"))
    return place


def test_the_page_is_made_again_from_verdicts_and_tables(copy, finished, inside):
    for name in ("report.html", "report.md", "manifest.json", "options.toml"):
        (copy / name).unlink()
    shutil.rmtree(copy / "figures")
    assert {path.name for path in copy.iterdir() if not path.name.startswith(".")} == {"verdicts.json", "tables"}
    done = inside("transslit", "report", copy, "--rebuild", "--json")
    assert done.returncode == 0, done.stderr
    for name in ("report.html", "report.md", "figures/law-figure.svg"):
        assert (copy / name).read_bytes() == (finished[0] / name).read_bytes(), name


def test_one_figure_with_its_data(copy, inside):
    done = inside("transslit", "report", copy, "--figure", "cv-currents")
    picture, table = done.stdout.split()
    assert (copy / "figures" / "cv-currents.svg").samefile(picture)
    assert len(pd.read_csv(table)) == len(pd.read_parquet(copy / "tables" / "cv-crossings.parquet"))
    refused = inside("transslit", "report", copy, "--figure", "unicorn")
    assert refused.returncode == 2
    assert "cv-currents" in refused.stderr


def test_two_runs_are_compared(copy, finished, inside, tmp_path):
    rows = json.loads((copy / "verdicts.json").read_text(encoding="utf-8"))
    (gamma,) = [row for row in rows if row["id"] == "law.gamma"]
    earlier = gamma["uncertainty"]
    gamma |= {"value": gamma["value"] + 0.3, "uncertainty": 0.1, "verdict": "fail"}
    (copy / "verdicts.json").write_text(json.dumps(rows), encoding="utf-8")
    table = pd.read_parquet(copy / "tables" / "cv.pos.1.sign.parquet")
    table.assign(I_diffusion_A_per_m=1.25 * table["I_diffusion_A_per_m"]).to_parquet(
        copy / "tables" / "cv.pos.1.sign.parquet"
    )
    done = inside("transslit", "report", "--compare", finished[0], copy, "--json", "--out", tmp_path / "changes.html")
    answer = json.loads(done.stdout)
    (changed,) = [pair for pair in answer["pairs"] if pair["what"] != "equal"]
    assert (changed["id"], changed["what"], changed["verdict_b"]) == ("law.gamma", "verdict changed", "fail")
    evidence = {pair["id"]: pair["evidence"] for pair in answer["pairs"]}
    assert evidence.pop("cv.pos.1.sign") == "I_diffusion_A_per_m by 0.25 of its largest"
    assert set(evidence.values()) == {"equal"}
    assert changed["against_u"] == pytest.approx(0.3 / np.hypot(earlier, 0.1))
    assert "verdict changed" in (tmp_path / "changes.html").read_text(encoding="utf-8")
    shown = inside("transslit", "report", "--compare", finished[0], copy).stdout
    assert "1 verdict changed" in shown
    assert "law.gamma" in shown


def test_the_crate_has_what_ro_crate_requires(copy, inside):
    done = inside("transslit", "report", copy, "--ro-crate", "--json")
    crate = json.loads(Path(json.loads(done.stdout)["files"][-1]).read_text(encoding="utf-8"))
    assert crate["@context"] == "https://w3id.org/ro/crate/1.1/context"
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(entities) == len(crate["@graph"])
    descriptor = entities["ro-crate-metadata.json"]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    root = entities[descriptor["about"]["@id"]]
    assert (root["@id"], root["@type"]) == ("./", "Dataset")
    assert all(root[name] for name in ("name", "description", "datePublished", "license"))
    assert pd.Timestamp(root["datePublished"]).tzinfo is not None
    assert root["license"]["@id"] in entities

    def references(value):
        if isinstance(value, dict):
            found = {value["@id"]} if set(value) == {"@id"} else set()
            return found.union(*(references(inner) for inner in value.values()))
        return set().union(*(references(inner) for inner in value)) if isinstance(value, list) else set()

    assert references(crate["@graph"]) - set(entities) == {"https://w3id.org/ro/crate/1.1"}
    for part in root["hasPart"]:
        file = entities[part["@id"]]
        assert file["@type"] == "File"
        assert file["sha256"] == hashlib.sha256((copy / part["@id"]).read_bytes()).hexdigest()
    assert "report.html" in {part["@id"] for part in root["hasPart"]}


def test_what_another_version_wrote_is_refused_in_a_line(copy, inside):
    """A table without a column, rows without a field: say which, and what to do."""
    table = copy / "tables" / "cv-crossings.parquet"
    pd.read_parquet(table).drop(columns="I_diffusion_A_per_m").to_parquet(table)
    done = inside("transslit", "report", copy, "--figure", "cv-currents")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "I_diffusion_A_per_m" in done.stderr
    table = copy / "tables" / "ncm.parquet"
    pd.read_parquet(table).drop(columns="V_m_V").to_parquet(table)
    done = inside("transslit", "report", copy, "--rebuild")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    rows = json.loads((copy / "verdicts.json").read_text(encoding="utf-8"))
    for row in rows:
        del row["tolerance"]
    (copy / "verdicts.json").write_text(json.dumps(rows), encoding="utf-8")
    for words in ([copy], [copy, "--rebuild"], ["--compare", copy, copy]):
        done = inside("transslit", "report", *words)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "tolerance: Field required; another version" in done.stderr


@pytest.mark.parametrize("arguments", [["nowhere"], [], ["--compare", "a", "b"]])
def test_what_is_not_there_is_refused_in_a_line(inside, arguments):
    done = inside("transslit", "report", *arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_own_tolerances_judge_without_running_again(finished, inside, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(
        '["law.gamma"]\nhigh = 0.5\nrequired = true\nreason = "half is what the paper has"\n', encoding="utf-8"
    )
    place = tmp_path / "run"
    shutil.copytree(finished[0], place)
    words = ("--slit", "0.59nm", "--stages", "continuum,discover,circuit", "--out", place, "--tolerances", own)
    done = inside("validate", *words)
    assert done.returncode == 1
    assert "required and failed: law.gamma" in done.stdout
    assert "half is what the paper has" in (place / "report.html").read_text(encoding="utf-8")
    assert inside("validate", *words[:-1], tmp_path / "none.toml").returncode == 2


@pytest.mark.parametrize("expression", ["c0*q", "0"])
def test_a_law_that_no_circuit_can_take_still_ends_in_a_report(finished, inside, tmp_path, monkeypatch, expression):
    """The circuit then has equation 1, and the page says so."""
    draw = report._svg
    monkeypatch.setattr(report, "_svg", lambda shown: draw(shown) if shown.key == "law-figure" else BLANK)
    place = tmp_path / "run"
    shutil.copytree(finished[0], place)
    shutil.rmtree(place / "circuit")
    before = {row["id"]: row for row in json.loads((place / "verdicts.json").read_text(encoding="utf-8"))}
    none = {"found": expression != "0"}
    Law("dphi_V", ("I_A_per_m", "q"), expression, {"c0": Constant(1e-3)}, provenance=none).write(place / "law.json")
    planted = place / "discover" / "law.json"
    shutil.copy(place / "law.json", planted)
    manifest = read_sealed(planted.with_name("manifest.json"))
    manifest["files"] |= {"law.json": file_checksum(planted)}
    write_sealed(planted.with_name("manifest.json"), manifest)
    words = ("--slit", "0.59nm", "--stages", "continuum,discover,circuit", "--out", place)
    done = inside("validate", *words)
    assert done.returncode == 0, done.stderr
    rows = {row["id"]: row for row in json.loads((place / "verdicts.json").read_text(encoding="utf-8"))}
    assert rows["law.gamma"]["verdict"] == "inconclusive"
    # Equation 1 is a little worse than the law found.
    assert before["circuit.cv"]["value"] < rows["circuit.cv"]["value"] < 0.06
    page = (place / "report.html").read_text(encoding="utf-8")
    assert "equation 1, as fitted to the continuum record" in page
    assert ("no law above the noise of the continuum" in page) == (expression == "0")


def test_the_summary_is_short_and_plain_on_a_pipe(finished, command):
    shown = command("transslit", "report", finished[0]).stdout
    assert "\x1b" not in shown
    assert "all required ones hold" in shown
    assert shown.rstrip().endswith("report.html")


def test_a_terminal_without_the_signs_still_shows_the_rest(finished, command):
    done = command(
        "transslit", "report", finished[0], env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    )
    assert done.returncode == 0, done.stderr
    assert "law.gamma" in done.stdout
