"""`transslit circuit --record`: every element of a continuum run, its law or another of the hall of fame."""

import json

import pytest

from continuum.tables import ladder_tables
from tests.system.conftest import run_command
from transslit import TransSlitRecord
from transslit.files import read_table

CYCLE = ("--slit", "1nm", "--layers", "5", "--electrolyte", "LiCl", "--concentration", "0.5M", "--steps", "60")


@pytest.fixture(scope="module")
def cycle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cycle")
    done = run_command("transslit", "continuum", *CYCLE, "--out", "cv", cwd=folder)
    assert done.returncode == 0, done.stderr
    small = ("--population", "16", "--generations", "2", "--islands", "1")
    assert run_command("transslit", "discover", "cv", *small, "--out", "law", cwd=folder).returncode == 0
    return folder


@pytest.fixture
def circuit(command, cycle):
    def call(*words):
        done = command("transslit", "circuit", *words, "--json", cwd=cycle)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["summary"]

    return call


def test_the_circuit_of_a_record_repeats_its_voltammogram(circuit, cycle):
    tables = circuit("--record", "cv", "--out", "tables")
    line = circuit("--record", "cv", "--model", "tlm", "--out", "line")
    assert tables["distance_from_record"]["value"] < 0.06
    assert line["distance_from_record"]["value"] > 1.1 * tables["distance_from_record"]["value"]
    of_law = circuit("law", "--record", "cv", "--out", "of-law")
    assert of_law["distance_from_record"]["value"] < 0.06
    terminal = read_table(cycle / "tables" / "terminal.parquet", "out")
    assert terminal["time_s"].max() == pytest.approx(2 * 0.4 / 20e3, rel=1e-9)  # the record's drive: one cycle
    slower = circuit("--record", "cv", "--scan-rate", "20mV/s", "--out", "slower")
    assert "distance_from_record" not in slower
    ratio = slower["peak_current"]["value"] / tables["peak_current"]["value"]
    assert ratio == pytest.approx(1e-6, rel=0.25)  # less than in proportion: a fast cycle leaves deep slits behind


def test_another_formula_of_the_hall_of_fame(circuit, cycle, command):
    hall = json.loads((cycle / "law" / "hall_of_fame.json").read_text(encoding="utf-8"))
    (ohm,) = (row["entry"] for row in hall if row["complexity"] == 3)
    of_ohm = circuit("law", "--entry", str(ohm), "--record", "cv", "--out", "of-ohm")
    flat = float(hall[ohm - 1]["expression"].partition("*")[0])
    at_rest = ladder_tables(TransSlitRecord.read(cycle / "cv")).over_centres
    least = flat / 2 * min(at_rest.value)  # half a resistor at the entrance, without potentials at rest
    assert of_ohm["smallest_resistance"]["value"] == pytest.approx(least, rel=0.02)
    beyond = command("transslit", "circuit", "law", "--entry", "999", "--record", "cv", cwd=cycle)
    assert beyond.returncode == 2
    assert f"has 1 to {len(hall)}" in beyond.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--record", "cv", "--slit-capacitance", "1nF"), "--record gives every element"),
        (("--record", "law"), "holds no trans-slit record"),
        (("--entry", "2", "--resistance", "5ohm"), "give the law's folder too"),
    ],
)
def test_what_does_not_go_together_is_refused(command, cycle, words, says):
    done = command("transslit", "circuit", *words, "--out", "refused", cwd=cycle)
    assert done.returncode == 2
    assert says in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize(
    "options",
    [
        "--slit 0.8nm --layers 12 --electrolyte LiCl --concentration 0.5M --scan-rate 50mV/s",
        "--slit 5nm --layers 50",
    ],
)
def test_a_stranger_gets_from_the_readme_to_voltammogram_law_circuit_netlist_and_json(tmp_path, options):
    def call(*command):
        done = run_command("transslit", *command, "--json", cwd=tmp_path, timeout=2000)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    elements = call("continuum", *options.split(), "--out", "runs/cv")["elements"]
    assert all(0 < number["low"] < number["value"] < number["high"] for number in elements.values())
    assert call("discover", "runs/cv", "--out", "runs/law")["law"]["metrics"]["r2_held_out"] > 0.98
    summary = call("circuit", "runs/law", "--record", "runs/cv", "--export", "spice", "--out", "runs/ncm")["summary"]
    assert summary["distance_from_record"]["value"] < 0.03
    tables = call("circuit", "--record", "runs/cv", "--out", "runs/tables")["summary"]
    assert tables["distance_from_record"]["value"] < 0.02
    for name in ("runs/cv/voltammogram.png", "runs/cv/resistance.png", "runs/law/front.png", "runs/ncm/circuit.cir"):
        assert (tmp_path / name).stat().st_size > 1000
