"""`transslit judge`: records of the commands and shipped ones, alone and one against another."""

import contextlib
import io
import json
from pathlib import Path

import pytest

import md
from validation import cli

SMALL = ("--slit", "2nm", "--steps", "60", "--refinement", "0.5", "--slit-length", "6nm", "--reservoir-length", "4nm")
RUNS = {"KCl": ("--layers", "3"), "NaCl": ("--layers", "3", "--electrolyte", "NaCl"), "deep": ("--layers", "4")}
ATOMS = Path(md.__file__).parent / "reference" / "charge-step-10ps"


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Voltammograms of two slits in KCl and in NaCl, and of three slits, in folders by these names."""
    folder = tmp_path_factory.mktemp("records")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for name, words in RUNS.items():
            assert cli.run(cli.app, "transslit", ["continuum", *SMALL, *words, "--out", str(folder / name)]) == 0
    return folder


@pytest.fixture
def judged(inside, tmp_path):
    """`judged(record, *words)`: the printed object, of which the verdicts are by id; they are also in verdicts.json."""

    def judge(*words):
        done = inside("transslit", "judge", *words, "--json")
        assert done.returncode in (0, 1), done.stderr
        content = json.loads(done.stdout)
        assert done.returncode == any(row["required"] and row["verdict"] == "fail" for row in content["verdicts"])
        folder = tmp_path / content["out"]
        assert json.loads((folder / "verdicts.json").read_text(encoding="utf-8")) == content["verdicts"]
        assert (folder / "report.html").exists()
        return content | {"verdicts": {row["id"]: row for row in content["verdicts"]}}

    return judge


def test_a_record_of_the_continuum_alone(records, judged):
    """The parts of the current add up to round-off; diffusion has the sign of migration during the whole cycle."""
    found = judged(records / "KCl")
    assert found["setting"] == "KCl 1 M, d = 2 nm"
    assert found["lacking"] == []
    assert found["verdicts"]["verify.cv.parts"]["value"] < 1e-9
    sign = found["verdicts"]["cv.pos.1.sign"]
    assert (sign["verdict"], sign["value"], sign["required"]) == ("pass", 1.0, True)
    assert {identity.split(".")[0] for identity in found["verdicts"]} == {"verify", "cv"}


def test_a_record_of_atoms_alone(judged):
    """The shipped record has no tables beside it, which is said; its parts add up as those of the continuum do."""
    found = judged(ATOMS, "--seed", "3")
    assert found["verdicts"]["verify.md.parts"]["verdict"] == "pass"
    assert "md.residual" in found["verdicts"]
    assert [text.split(", ")[0] for text in found["lacking"]] == [
        "md: no temperature.parquet beside the record",
        "md: no reservoir.parquet beside the record",
    ]


def test_a_record_against_itself_does_not_differ(records, judged):
    found = judged(records / "KCl", "--against", records / "KCl", "--out", "self")
    against = {name: row["value"] for name, row in found["verdicts"].items() if name.startswith("against.")}
    assert against == {"against.current": 0.0, "against.1.course": 0.0, "against.2.course": 0.0}
    assert found["lacking"] == []


@pytest.mark.parametrize(
    ("other", "compared", "lacking"),
    [
        ("NaCl", set(), "cv against cv2: their electrolytes differ (KCl and NaCl)"),
        (
            "deep",
            {"against.1.course", "against.2.course"},
            "slit 3 is in one of the two records only",
        ),
        (ATOMS, set(), "cv against md: they are driven differently (kind cv and charge-step)"),
    ],
)
def test_what_cannot_be_compared_is_said(records, judged, other, compared, lacking):
    found = judged(records / "KCl", "--against", records / other)
    assert {name for name in found["verdicts"] if name.startswith("against.")} == compared
    assert lacking in found["lacking"]


def test_the_summary_and_the_exit_code(records, inside, tmp_path):
    """A tolerance that no record can meet, of a required check, gives exit code 1."""
    (tmp_path / "ours.toml").write_text('["cv.pos.1.sign"]\nlow = 1.1\nrequired = true\n', encoding="utf-8")
    done = inside("transslit", "judge", records / "KCl", "--tolerances", "ours.toml")
    assert done.returncode == 1
    assert "required and failed: cv.pos.1.sign" in done.stdout
    assert "report: runs/judge/report.html" in done.stdout


def test_bad_input_is_one_line(records, inside, tmp_path):
    for option, words in (("record", ["nowhere"]), ("against", [records / "KCl", "--against", "nowhere"])):
        done = inside("transslit", "judge", *words)
        assert done.returncode == 2
        said = f"transslit: error: {option}: nowhere: holds no trans-slit record (record.json is missing)\n"
        assert done.stderr == said
        assert list(tmp_path.iterdir()) == []


def test_a_judgement_never_takes_the_place_of_something_else(records, inside, tmp_path):
    """Neither of a run, nor of the judgement of another record, nor of files of no run."""
    assert inside("transslit", "judge", records / "KCl", "--out", "judged").returncode == 0
    assert inside("transslit", "judge", records / "KCl" / "record", "--out", "judged").returncode == 0  # the same
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "verdicts.json").write_text("mine", encoding="utf-8")
    before = {path: path.read_bytes() for path in records.rglob("[!.]*") if path.is_file()}
    for out in (records / "KCl", tmp_path / "judged", tmp_path / "notes"):
        done = inside("transslit", "judge", records / "NaCl", "--out", out)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert done.stderr.startswith(f"transslit: error: out: {out}: holds ")
    assert {path: path.read_bytes() for path in records.rglob("[!.]*") if path.is_file()} == before
    assert (tmp_path / "notes" / "verdicts.json").read_text(encoding="utf-8") == "mine"


def test_the_folder_of_a_validation_holds_a_record(finished, judged, inside):
    """The voltammogram that it shows, with the verdicts that it gave."""
    found = judged(finished[0])
    rows = json.loads((finished[0] / "verdicts.json").read_text(encoding="utf-8"))
    assert {row["id"]: row["value"] for row in rows if row["id"].startswith("cv.")} == {
        name: row["value"] for name, row in found["verdicts"].items() if name.startswith("cv.")
    }
    assert inside("transslit", "report", found["out"], "--rebuild").returncode == 0


def test_tolerances_may_be_of_a_second_record(records, inside, tmp_path):
    (tmp_path / "ours.toml").write_text('["cv2.pos.1.sign"]\nlow = 1.1\nrequired = true\n', encoding="utf-8")
    words = ("transslit", "judge", records / "KCl", "--against", records / "KCl", "--tolerances", "ours.toml")
    assert "required and failed: cv2.pos.1.sign" in inside(*words).stdout
