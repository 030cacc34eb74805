"""Values as people type and paste them, through the command line: the right number in SI, or one line."""

import csv
import json
import time
import typing
from pathlib import Path

import pandas as pd
import pytest

from transslit import Constant, Law
from transslit.library import shipped
from transslit.units import SI_UNITS, parse
from validation.cli import validate_app
from validation.commands import SUMMARIES, module

CORPUS = Path(__file__).parent.parent / "corpus"
with open(CORPUS / "quantities.tsv", encoding="utf-8", newline="") as table:
    QUANTITIES = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
LAWS = [json.loads(line) for line in (CORPUS / "laws.jsonl").read_text(encoding="utf-8").splitlines()]
KCL = shipped()["KCl"].read_text(encoding="utf-8")
LADDER = ("circuit", "--layers", "2", "--points", "20", "--out", "run", "--json")


def refused(done, *words):
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert all(word in done.stderr for word in words), done.stderr


def salt_with(folder, old, new):
    assert old in KCL
    path = folder / "salt.toml"
    path.write_text(KCL.replace(old, new), encoding="utf-8")
    return path


def ladder(*words):
    """How a quantity reaches a ladder's configuration."""

    def run(inside, folder, text):
        resistance = () if "--resistance" in words else ("--resistance", "5ohm")
        done = inside("transslit", *LADDER, *resistance, *(word.replace("TEXT", text) for word in words))
        manifest = folder / "run" / "manifest.json"
        return done, json.loads(manifest.read_text(encoding="utf-8"))["config"] if manifest.exists() else {}

    return run


def salt(old, new, *, of=lambda content: content):
    """How a quantity reaches an electrolyte."""

    def run(inside, folder, text):
        done = inside("transslit", "electrolytes", "show", salt_with(folder, old, new.replace("TEXT", text)), "--json")
        return done, of(json.loads(done.stdout)["electrolyte"]) if done.returncode == 0 else {}

    return run


def first_frequency(inside, folder, text):
    done, _ = ladder("--impedance", "TEXT:1GHz")(inside, folder, text)
    if done.returncode:
        return done, {}
    return done, {"frequency": pd.read_parquet(folder / "run" / "impedance.parquet")["frequency_Hz"].min()}


# Where a command takes a quantity of the kind, and under which name its value comes back.
PLACES = {
    "length": (salt('value = "3.143 angstrom"', 'value = "TEXT"', of=lambda c: c["ions"][0]["md"]), "sigma"),
    "diffusion coefficient": (
        salt('value = "1.957e-9 m^2/s"', 'value = "TEXT"', of=lambda c: c["ions"][0]),
        "diffusion_coefficient",
    ),
    "concentration": (salt('"1M"', '"TEXT"'), "concentration"),
    "temperature": (salt('"298.15K"', '"TEXT"'), "temperature"),
    "voltage": (ladder("--initial-voltage", "TEXT"), "initial_voltage"),
    "resistance": (ladder("--resistance", "TEXT"), "resistance"),
    "scan rate": (ladder("--scan-rate", "TEXT"), "scan_rate"),
    "frequency": (first_frequency, "frequency"),
}


@pytest.mark.parametrize("row", QUANTITIES, ids=lambda row: f"{row['kind']}-{row['text']}")
def test_a_quantity_is_what_it_says(inside, tmp_path, row):
    put, name = PLACES[row["kind"]]
    done, content = put(inside, tmp_path, row["text"])
    if row["SI value or refuse"] == "refuse":
        refused(done, row["text"].strip())
        return
    assert done.returncode == 0, done.stderr
    found = content.get(name, content.get("drive", {}).get(name))
    found = found["value"] if isinstance(found, dict) else found
    assert found == pytest.approx(float(row["SI value or refuse"]), rel=1e-12)


def test_a_decimal_comma_is_answered_with_the_number_that_it_probably_meant(inside):
    refused(inside("validate", "--slit", "1,5nm"), "1.5nm?")
    refused(inside("transslit", "circuit", "--resistance", "5,5ohm"), "5.5ohm?")
    refused(inside("transslit", "circuit", "--resistance", "5ohm", "--gamma", "0,9"), "0.9?")
    refused(inside("transslit", "sweep", "circuit", "--vary", "resistance=1,5ohm:2ohm:3"), "1.5ohm?")


@pytest.mark.parametrize("text", ["1_0", "\u0663", "6.0", "1e1", "²", "six"])
@pytest.mark.parametrize("option", ["--layers", "--points", "--cycles", "--seed"])
def test_counts_are_plain_digits(inside, tmp_path, option, text):
    refused(inside("transslit", *LADDER, "--resistance", "5ohm", option, text), f"{option[2:]}: {text}: ")
    assert list(tmp_path.iterdir()) == []


def test_every_number_of_every_command_is_read_by_one_function():
    """Python's own `int` and `float`, which typer would use, take 1_0 and the digits of every script."""
    apps = [validate_app, *(module(name).app for name in SUMMARIES)]
    for command in (command for app in apps for command in app.registered_commands):
        for name, hint in typing.get_type_hints(command.callback).items():
            assert name in ("return", "verbose") or not {int, float} & {hint, *typing.get_args(hint)}, (
                f"{command.callback}: {name}"
            )


@pytest.mark.parametrize("row", LAWS, ids=lambda row: f"{row['law']['expression'][:40]} {row['why']}")
def test_a_law_is_accepted_or_refused_at_once(inside, tmp_path, row):
    (tmp_path / "law.json").write_text(json.dumps(row["law"]), encoding="utf-8")
    began = time.process_time()
    done = inside("transslit", "circuit", "law.json", "--layers", "4", "--points", "50", "--out", "run")
    assert time.process_time() - began < 3
    if row["outcome"] == "accept":
        assert done.returncode == 0, done.stderr
    else:
        refused(done, "law" if "negative" not in row["why"] else "q = 0.333")
        assert not (tmp_path / "run" / "started.json").exists()
        assert (tmp_path / "run").exists() == (
            "negative" in row["why"]
        )  # refused before the run, but where it is due to it


# An electrolyte's words


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("[emim][BF4] in [bold]red[/bold]", "[emim][BF4] in [bold]red[/bold]"),
        ("[/x]", "[/x]"),
        ("\\u001b[31m", "\\u001b[31m"),
    ],
)
def test_a_title_and_a_source_are_shown_as_written(inside, tmp_path, title, shown):
    text = KCL.replace('title = "', f'title = "{title} ').replace('source = "', 'source = "[see table 2] <script> ')
    (tmp_path / "salt.toml").write_text(text, encoding="utf-8")
    done = inside("transslit", "electrolytes", "show", "./salt.toml")
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout
    assert "[see table 2] <script>" in " ".join(done.stdout.split())
    assert "\x1b" not in done.stdout


def test_a_file_saved_by_an_editor_of_windows_is_the_same_salt(inside, tmp_path):
    (tmp_path / "KCl.toml").write_bytes(b"\xef\xbb\xbf" + KCL.replace("\n", "\r\n").encode())
    found = inside("transslit", "electrolytes", "show", "./KCl.toml", "--json")
    assert json.loads(found.stdout) == json.loads(inside("transslit", "electrolytes", "show", "KCl", "--json").stdout)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('value = "0.5 nm"', "value = 0.5", ["diameter", "unit"]),
        ('value = "0.5 nm"', "value = true", ["diameter", "unit"]),
        ("valence = 1", "valence = true", ["valence"]),
        ("valence = 1", 'valence = "1"', ["valence"]),
        ('name = "K"', 'name = "../x"', ["name"]),
        ('name = "K"', 'name = "K+"', ["name"]),
        ('name = "K"', 'name = "Cl"', ["two ions share a name"]),
        ("concentration =", "where = 3\nconcentration =", ["where"]),
        ('"1M"', "1", ["concentration", "unit"]),
    ],
)
def test_a_salt_that_would_be_read_as_another_is_refused(inside, tmp_path, old, new, words):
    path = salt_with(tmp_path, old, new)
    refused(inside("transslit", "electrolytes", "show", path), *words)
    done = inside("transslit", "electrolytes", "check", path)
    assert done.returncode == 2
    assert any(words[0] in line for line in done.stdout.splitlines())


def test_bytes_that_are_no_text_are_refused_in_one_line(command):
    """In a process of its own: what the shell hands over is decoded there."""
    done = command("transslit", "continuum", "--slit", "2nm", b"--voltage=\xff".decode(errors="surrogateescape"))
    refused(done, "--voltage=\\udcff", "UTF-8")


def test_what_steers_a_terminal_is_made_visible(inside):
    refused(inside("validate", "--slit", "1\n2\x1b[31mnm"), "\\u000a", "\\u001b")


def test_every_kind_of_quantity_has_units_that_read():
    """What a refusal recommends is accepted."""
    for kind, (unit, examples) in SI_UNITS.items():
        assert parse(f"1 {unit}", kind) == pytest.approx(1.0)
        for example in examples.split(", "):
            parse(f"2{example}", kind)


# Measured curves (every dialect: circuit/test_measured.py)


def test_a_measured_curve_answers_through_the_command_line(inside, tmp_path):
    time_s = [5.0 * k for k in range(41)]
    volts = [0.025 * min(k, 40 - k) for k in range(41)]
    rows = [
        f"{t};{v};{2.5 if k < 20 else -2.5}".replace(".", ",")
        for k, (t, v) in enumerate(zip(time_s, volts, strict=True))
    ]
    (tmp_path / "cv.csv").write_bytes("\n".join(["time/s;Ecell/V;I/mA", *rows]).encode("utf-16"))
    words = ("circuit", "--resistance", "2ohm", "--slit-capacitance", "1mF", "--layers", "3", "--fit")
    done = inside("transslit", *words, "cv.csv", "--out", "run")
    assert done.returncode == 0, done.stderr
    curve = pd.read_csv(tmp_path / "run" / "overlay.csv")
    assert curve["time_s"].tolist() == time_s
    assert curve["V_m_V"].tolist() == pytest.approx(volts)
    assert curve["I_m_A"].abs().tolist() == pytest.approx([2.5e-3] * 41)
    (tmp_path / "one.mpt").write_text("EC-Lab ASCII FILE")
    refused(inside("transslit", *words, "one.mpt", "--out", "none"), "one.mpt", "second line")
    assert not (tmp_path / "none").exists()


# What a command does not use


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("continuum", "--slit", "2nm", "--voltage", "1V"), "voltage: 1V: a cv drive does not take it"),
        (("continuum", "--slit", "2nm", "--charge", "0,25"), "charge: 0,25: a cv drive"),
        (("continuum", "--slit", "2nm", "--drive", "potential-step", "--window", "1V"), "window: 1V"),
        (("circuit", "--resistance", "5ohm", "--current", "foo"), "current: foo: a cv drive does not take it"),
        (("circuit", "--resistance", "5ohm", "--smoothing", "0.3"), "smoothing: 0.3"),
        (("circuit", "--resistance", "5ohm", "--bias", "0.2V"), "bias: 0.2V"),
        (("circuit", "law.json", "--gamma", "0.5"), "gamma: 0.5: a law has its own"),
        (("circuit", "--resistance", "5ohm", "--gamma=-2,0", "--layers", "3"), "-2.0?"),
        (("circuit", "--resistance", "5ohm", "--out=~/x"), "~"),
        (("electrolytes", "check", "KCl", "--slit=-1nm"), "slit: -1nm: Input should be greater than 0"),
        (("sweep", "circuit", "--vary", "resistance=5,5ohm,6,5ohm"), "has no unit"),
    ],
)
def test_an_option_is_used_or_refused(inside, tmp_path, words, said):
    (tmp_path / "law.json").write_text(json.dumps(LAWS[0]["law"]), encoding="utf-8")
    refused(inside("transslit", *words), said)
    assert [path.name for path in tmp_path.iterdir()] == ["law.json"]


def test_files_of_no_run_are_left_alone(inside, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "terminal.parquet").write_text("mine")
    refused(inside("transslit", *LADDER, "--resistance", "5ohm"), "terminal.parquet", "of no run")
    assert (tmp_path / "run" / "terminal.parquet").read_text() == "mine"


def test_a_law_found_in_milliamperes_runs_in_ohm(inside, tmp_path):
    """R_c = 5 ohm all along; half the peak current at the same scan rate would show a factor."""
    peaks = {}
    for current, value in (("I_A", 5.0), ("I_mA", 5e-3)):
        law = Law("dphi_V", (current, "q"), f"{current}*R_c", {"R_c": Constant(value)})
        law.write(tmp_path / "law.json")
        done = inside("transslit", "circuit", "law.json", "--layers", "3", "--out", current, "--json")
        peaks[current] = json.loads(done.stdout)["summary"]["smallest_resistance"]["value"]
    assert peaks == {"I_A": pytest.approx(5.0), "I_mA": pytest.approx(5.0)}
