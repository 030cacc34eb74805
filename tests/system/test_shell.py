"""The shell that programs trust: one object with --json whatever happens, options as files, a closed pipe, help."""

import json
import logging
import os
import re
import signal
import subprocess
import time
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from tests.system.conftest import SCRIPTS, hears_interrupts, run_command
from transslit.files import read_json
from transslit.reply import Reply, page
from validation.commands import SUMMARIES

ROOT = Path(__file__).parents[2]
SMALL = ("--slit", "1nm", "--layers", "3", "--slit-length", "4nm", "--steps", "20")
CIRCUIT = ("transslit", "circuit", "--resistance", "5ohm", "--layers", "4", "--points", "101")


@pytest.fixture(autouse=True)
def quiet_logger():
    yield
    logging.getLogger("transslit").handlers.clear()


def reply_of(done):
    """The one object on standard output, which is of the published schema."""
    assert done.stdout.count("\n") == 1
    content = json.loads(done.stdout)
    Reply.model_validate(content)
    assert content["version"] == 1
    assert content["exit_code"] == done.returncode
    return content


def test_a_continuum_replies_with_its_elements_and_their_intervals(inside, tmp_path):
    content = reply_of(inside("transslit", "continuum", *SMALL, "--out", "run", "--json"))
    assert (content["command"], content["out"]) == ("continuum", "run")
    assert set(content["elements"]) == {"R_c", "gamma", "C_slit", "R_open", "C_open"}
    for number in content["elements"].values():
        assert number["low"] < number["value"] < number["high"]
    assert content["elements"]["R_c"]["unit"] == "ohm*m"
    assert {Path(path).name for path in content["files"]} == {"voltammogram.png", "resistance.png"}
    assert all((tmp_path / path).stat().st_size > 10_000 for path in content["files"])


@pytest.mark.parametrize("words", [("list",), ("show", "KCl"), ("check", "KCl"), ("fields",)])
def test_electrolytes_reply_too(inside, words):
    content = reply_of(inside("transslit", "electrolytes", *words, "--json"))
    assert content["command"] == f"electrolytes {words[0]}"
    assert {"electrolytes", "electrolyte", "usable"} & set(content)


def test_figures_can_be_left_out(inside, tmp_path):
    reply_of(inside(*CIRCUIT, "--impedance", "1kHz:1GHz", "--out", "plain", "--no-figures", "--json"))
    assert not list((tmp_path / "plain").glob("*.png"))
    reply_of(inside(*CIRCUIT, "--impedance", "1kHz:1GHz", "--out", "plain", "--json"))
    assert {path.name for path in (tmp_path / "plain").glob("*.png")} == {"voltammogram.png", "nyquist.png", "bode.png"}


@pytest.mark.parametrize(
    ("words", "kind", "field"),
    [
        (("continuum", "--slit", "3"), "input", "slit"),
        (("continuum", "--nonsense"), "input", "--nonsense"),
        (("circuit", "missing", "--json"), "input", "law"),
        (("dance",), "input", None),
        (("circuit", "--resistance", "5ohm", "--gamma", "3", "--charge-max", "1nC"), "input", "resistance"),
    ],
)
def test_an_error_is_an_object_too(inside, words, kind, field):
    done = inside("transslit", *words, "--json")
    content = reply_of(done)
    assert done.returncode == 2
    assert content["error"]["kind"] == kind
    assert content["error"].get("field") == field
    assert content["error"]["message"] in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_so_is_a_stage_that_breaks_down(inside, monkeypatch):
    from continuum.newton import Newton, NewtonFailed

    def fails(*_):
        raise NewtonFailed("no convergence", 0)

    monkeypatch.setattr(Newton, "solve", fails)
    done = inside("transslit", "continuum", *SMALL, "--out", "run", "--json", "--quiet")
    content = reply_of(done)
    assert done.returncode == 3
    assert (content["error"]["kind"], content["error"]["stage"]) == ("stage", "continuum")


def test_a_record_that_fails_its_own_check_is_no_bad_input(inside, monkeypatch):
    from continuum.trans_slit_flux import PlaneCurrents

    whole = PlaneCurrents.__call__
    monkeypatch.setattr(PlaneCurrents, "__call__", lambda self, x: whole(self, x) * [[1.01], [1], [1], [1], [1]])
    done = inside("transslit", "continuum", *SMALL, "--out", "run", "--quiet")
    assert done.returncode == 3
    assert "continuum: made a record that is none (record table crossings: parts miss the total by" in done.stderr


def test_ctrl_c_is_an_object_too(tmp_path):
    words = [SCRIPTS / "transslit", "continuum", "--slit", "2nm", "--layers", "12", "--out", "run", "--json"]
    process = subprocess.Popen(
        words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=hears_interrupts
    )
    limit = time.monotonic() + 60
    while not (tmp_path / "run" / "started.json").exists():
        assert time.monotonic() < limit
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    content = reply_of(subprocess.CompletedProcess(words, process.returncode, output, errors))
    assert content["error"]["kind"] == "interrupted"
    assert process.returncode == 130


@pytest.mark.parametrize("words", [("electrolytes", "list"), ("electrolytes", "show", "KCl"), ("--help",)])
def test_a_closed_pipe_is_no_failure(words):
    """As `transslit ... | true`: 0 or 141, and nothing on standard error."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as output:
        done = subprocess.run(
            [SCRIPTS / "transslit", *words], stdout=output, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode in (0, 141)
    assert done.stderr == ""


def test_options_of_a_file_are_those_of_the_command_line(inside, tmp_path):
    """What a run folder says that it was given repeats the run; the command line takes precedence."""
    first = reply_of(inside("transslit", "continuum", *SMALL, "--out", "one", "--json", "--no-figures", "-q"))
    given = tmp_path / "one" / "options.toml"
    assert tomllib.loads(given.read_text(encoding="utf-8")) == {
        "slit": "1nm",
        "layers": "3",
        "slit-length": "4nm",
        "steps": "20",
        "no-figures": True,
    }
    again = reply_of(inside("transslit", "continuum", "--config", "one/options.toml", "--out", "two", "--json", "-q"))
    assert again["elements"] == first["elements"]
    assert not list((tmp_path / "two").glob("*.png"))
    (tmp_path / "own.toml").write_text('slit = "1nm"\nlayers = 3\nslit_length = "4nm"\nsteps = 400\n', encoding="utf-8")
    words = ("--config", "own.toml", "--steps", "20", "--out", "three", "--json", "--no-figures", "-q")
    assert reply_of(inside("transslit", "continuum", *words))["elements"] == first["elements"]
    varied = ("--resistance", "5ohm", "--layers=3", "--points", "101", "--vary", "gamma=0,0.5", "--workers=1")
    assert inside("transslit", "sweep", "circuit", *varied, "--out", "sweep").returncode == 0
    assert inside("transslit", "sweep", "--config", "sweep/options.toml", "--out", "again").returncode == 0
    tables = [pd.read_csv(tmp_path / name / "sweep.csv") for name in ("sweep", "again")]
    pd.testing.assert_frame_equal(*(table.drop(columns=["wall_s", "cpu_s"]) for table in tables))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('slid = "1nm"', "own.toml: slid: no such option; did you mean slit?"),
        ("slit = ", "is no TOML"),
        ("slit = { nm = 1 }", "own.toml: slit: give text, a number"),
        ("slit = 1", "slit: 1: give a length with its unit"),
    ],
)
def test_a_faulty_file_of_options_is_told(inside, tmp_path, text, says):
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    done = inside("transslit", "continuum", "--config", "own.toml", "--out", "run")
    assert done.returncode == 2
    assert says in done.stderr
    assert inside("transslit", "continuum", "--config", "none.toml").returncode == 2


def test_quiet_and_verbose(inside, tmp_path):
    done = inside("transslit", "continuum", *SMALL, "--out", "quiet", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    done = inside("transslit", "continuum", *SMALL, "--out", "loud", "-v", "--log", "log.txt")
    assert "INFO running loud" in done.stderr
    done = inside("transslit", "continuum", *SMALL, "--out", "loud", "-q", "--log", "log.txt")
    assert done.stderr == ""
    lines = (tmp_path / "log.txt").read_text(encoding="utf-8").splitlines()
    assert any("running loud" in line for line in lines)
    assert any("reused loud" in line for line in lines)


def test_help_version_and_completion(command):
    for words in (("transslit",), ("transslit", "electrolytes"), ("transslit", "judge"), ("transslit", "report")):
        done = command(*words)
        assert done.returncode in (0, 2)
        assert "Usage:" in done.stdout or "missing" in done.stderr
    version = command("transslit", "--version").stdout
    assert version == command("validate", "--version").stdout
    assert re.fullmatch(r"transslit \d+\.\d+\.\d+\S*\n", version)
    for name in SUMMARIES:
        assert "Usage:" in command("transslit", name, "-h").stdout
    script = command("transslit", "--completion", "bash").stdout
    assert "complete" in script
    words = {"COMP_WORDS": "transslit con", "COMP_CWORD": "1", "_TRANSSLIT_COMPLETE": "complete_bash"}
    assert "continuum" in command("transslit", env=os.environ | words).stdout.split()
    words = {"COMP_WORDS": "transslit circuit --slit-c", "COMP_CWORD": "2", "_TRANSSLIT_COMPLETE": "complete_bash"}
    assert "--slit-capacitance" in command("transslit", env=os.environ | words).stdout.split()


def test_the_page_and_the_schema_are_those_of_the_code(command):
    assert page() in (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    assert json.loads(command("transslit", "--schema").stdout) == Reply.model_json_schema()


def test_scan_rates_of_a_laboratory(tmp_path):
    """A self-check of the currents scales with what cancels in them: 50 mV/s gives the elements of 1 kV/s."""
    words = ("--slit", "2nm", "--layers", "4", "--slit-length", "8nm", "--steps", "40", "--no-figures", "--json")
    found = []
    for rate in ("50mV/s", "1kV/s"):
        done = run_command("transslit", "continuum", *words, "--scan-rate", rate, "--out", rate[:4], cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        found.append({name: number["value"] for name, number in json.loads(done.stdout)["elements"].items()})
    assert found[0] == pytest.approx(found[1], rel=0.02)
    metadata = read_json(tmp_path / "50mV" / "record" / "record.json")
    assert metadata["one_way_A_per_m"] > 1e-3
    judged = run_command("transslit", "judge", "50mV", "--json", cwd=tmp_path)
    verdicts = {row["id"]: row for row in json.loads(judged.stdout)["verdicts"]}
    assert verdicts["verify.cv.parts"]["verdict"] == "pass"
