"""Bad input: one line that names field, value and what would do; exit code 2; nothing left behind."""

import pytest

from transslit.library import shipped
from validation.commands import module


def refused(done, *words):
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--slit", "0.59"], ["slit", "0.59", "nm"]),
        (["--slit", "0.59kg"], ["slit", "0.59kg", "nm"]),
        (["--slit=-0.59nm"], ["slit", "greater than 0"]),
        (["--slit", "0nm"], ["slit", "greater than 0"]),
        (["--slit", "nan nm"], ["slit", "finite"]),
        (["--slit", "0.4nm"], ["slit", "narrower than an ion", "0.5 nm"]),
        (["--slit", "1m"], ["slit", "100 nm"]),
        ([], ["--slit"]),
        (["--slit", "0.59nm", "--electrolyte", "KCI"], ["electrolyte", "KCI", "KCl"]),
        (["--slit", "0.59nm", "--electrolyte", "none.toml"], ["none.toml", "cannot be read"]),
        (["--slit", "0.59nm", "--concentration", "1"], ["concentration", "M"]),
        (["--slit", "0.59nm", "--concentration", "9M"], ["concentration", "6.64 M"]),
        (["--slit", "0.59nm", "--preset", "huge"], ["preset", "quick"]),
        (["--slit", "0.59nm", "--stages", "cook"], ["stages", "cook", "continuum"]),
        (["--slit", "0.59nm", "--stages", "circuit"], ["stages: circuit", "circuit needs continuum and discover too"]),
        (["--slit", "0.59nm", "--stages", "discover"], ["stages: discover", "discover needs continuum or md too"]),
        (["--slit", "0.59nm", "--replicas", "0"], ["replicas", "1"]),
        (["--slit", "0.59nm", "--seed", "-1"], ["seed"]),
        (["--slit", "0.59nm", "--colour", "red"], ["--colour"]),
    ],
)
def test_validate_refuses(inside, tmp_path, arguments, words):
    refused(inside("validate", *arguments, "--out", "run"), *words)
    assert list(tmp_path.iterdir()) == []


def test_a_charged_salt_is_refused(inside, tmp_path):
    text = shipped()["KCl"].read_text(encoding="utf-8").replace('"-1 e"', '"-1.5 e"')
    (tmp_path / "paper.toml").write_text(text, encoding="utf-8")
    refused(inside("validate", "--slit", "0.59nm", "--electrolyte", "paper.toml"), "ions.Cl.md.charge", "-1.5", "-1 e")


def test_malformed_toml_is_refused(inside, tmp_path):
    (tmp_path / "bad.toml").write_text("name = ", encoding="utf-8")
    refused(inside("validate", "--slit", "0.59nm", "--electrolyte", "bad.toml"), "bad.toml", "TOML")


def test_an_unwritable_folder_is_refused(inside, tmp_path):
    (tmp_path / "file").write_text("")
    refused(inside("validate", "--slit", "2nm", "--out", "file/run"), "out", "cannot be written")


def test_a_truncated_record_is_refused(inside, tmp_path):
    (tmp_path / "record").mkdir()
    for name in ("crossings.parquet", "slits.parquet", "terminal.parquet"):
        (tmp_path / "record" / name).write_bytes(b"PAR1")
    about = tmp_path / "record" / "record.json"
    about.write_text("{}")
    refused(inside("transslit", "discover", "record"), "record.json", "electrolyte")
    about.write_text('{"electrolyte": "KCl", "temperature_K": 298.15, "source": "other"}')
    refused(inside("transslit", "discover", "record"), "crossings.parquet", "damaged")


def test_the_installed_scripts_say_the_same(command, tmp_path):
    refused(command("validate", "--slit", "0.59"), "slit", "0.59", "nm")
    refused(command("transslit", "report", "nowhere"), "verdicts.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["circuit"], ["law", "--resistance"]),
        (["circuit", "--resistance", "5"], ["resistance", "ohm"]),
        (["circuit", "--resistance", "5ohm", "--scan-rate", "20mV"], ["scan_rate", "mV/us"]),
        (["circuit", "--resistance", "5ohm", "--export", "pdf"], ["export", "spice"]),
        (["circuit", "nowhere.json"], ["law", "nowhere.json"]),
        (["circuit", "--resistance", "5ohm", "--points", "4", "--cycles", "3"], ["error: points: 4: 3 cycles", "7"]),
        (["circuit", "--resistance", "5ohm", "--concentration", "2M"], ["concentration: 2M", "--slit"]),
        (["circuit", "--resistance", "5ohm", "--fit", "nope.mpt"], ["fit: nope.mpt: no such file"]),
        (
            ["circuit", "--resistance", "5ohm", "--impedance", "1kHz"],
            ["impedance: 1kHz: give two values with units, as 1kHz:1GHz\n"],
        ),
        (["circuit", "--resistance", "5ohm", "--layers", "3,0"], ["layers: 3,0: give a whole number"]),
        (["circuit", "--resistance", "5ohm,-1ohm", "--layers", "3"], ["error: resistance: -1ohm: ", "greater than 0"]),
        (
            ["circuit", "--resistance", "5ohm", "--drive", "rates", "--scan-rate", "1mV/us"],
            ["scan_rate: 1mV/us", "it takes --scan-rates, --window"],
        ),
        (
            ["circuit", "--resistance", "5ohm", "--drive", "rates", "--scan-rates", "1mV/us,-1mV/us"],
            ["error: scan_rates: -1mV/us: "],
        ),
        (
            ["circuit", "--drive", "galvanostatic", "--current", "1mA", "--upper", "0.1V", "--lower", "0.2V"],
            ["error: lower: 0.2 V: ", "upper limit, 0.1 V"],
        ),
        (["continuum", "--slit", "2nm", "--permittivity", "0.5"], ["error: permittivity: 0.5: "]),
        (
            ["continuum", "--slit", "2nm", "--stern", "1nm"],
            ["--stern: no such option: did you mean --stern-thickness,"],
        ),
        (["electrolytes", "show", "KCl", "--slt", "1nm"], ["--slt", "--slit?"]),
        (["discover", "x.csv", "--functions", "tan"], ["error: functions: tan: "]),
        (["md", "--slit", "0.59nm", "--make-starts", ""], ["error: make_starts: : give a path"]),
        (["md", "--slit", "0.59nm", "--make-starts", "."], ["error: make_starts: .: "]),
        (["md", "--slit", "0.59nm", "--friction", "2"], ["error: friction: 2: give a rate with its unit (1/ps)"]),
        (["continuum", "--slit", "2nm", "--stern-thickness", "0.3"], ["stern_thickness", "nm"]),
        (["continuum", "--slit", "2nm", "--permittivity", "0"], ["permittivity"]),
        (["continuum", "--slit", "2nm", "--drive", "dance"], ["drive", "cv"]),
        (["discover", "missing.csv"], ["missing.csv"]),
        (["electrolytes", "show", "Kcl2"], ["KCl"]),
        (["report", "nowhere"], ["verdicts.json"]),
    ],
)
def test_stages_refuse(inside, tmp_path, arguments, words):
    refused(inside("transslit", *arguments), *words)
    assert list(tmp_path.iterdir()) == []


def test_a_comparison_that_cannot_be_written_is_refused(inside, tmp_path, monkeypatch):
    monkeypatch.setattr(module("report"), "compare", lambda a, b: [])
    refused(inside("transslit", "report", "--compare", "a", "b", "--out", "nowhere/x.html"), "out", "cannot be written")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "gone", "there"),
    [
        ("md", ["20 nm", "post_step_", "anneal_temperature", "Stern"], ["1.491 nm; paper: 4.047 nm", "20 1/ps"]),
        ("continuum", ["A/m per metre"], ["(required)"]),
        ("circuit", ["A/m per metre", "replaces it"], ["separated by commas"]),
        ("discover", [], ["a multiple of 4; default 80"]),
    ],
)
def test_help_tells_what_a_command_does(command, gone, there):
    options = module(command).OPTIONS
    page = "\n".join(options.help(name).text for name in options.known)
    assert [words for words in gone if words in page] == []
    assert [words for words in there if words not in page] == []
