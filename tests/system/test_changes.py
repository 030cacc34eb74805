"""What an addition must not forget: each kind of part is listed where its users look for it.

CONTRIBUTING.md tells which files a change touches; here each of them is missed by name.
"""

import importlib
import inspect
import json
import pkgutil
import re
import tomllib
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import sympy
from MDAnalysis.analysis.base import AnalysisBase

import continuum
import md
import transslit.drive
from circuit import CircuitConfig, simulate
from circuit.export import EXPORTS, Export
from circuit.resistance import Q
from circuit.spice import spice_expression
from continuum import ContinuumConfig
from discovery.functions import SEARCHABLE, TRANSCENDENTAL
from transslit import SlitNetwork, TransSlitRecord
from transslit.drive import CircuitDrive, Drive
from transslit.electrolyte import Solvent
from transslit.faults import USUAL
from transslit.fields import fields_page, kind_of, sourced_values
from transslit.formula import FUNCTIONS
from transslit.ions import Ion, MDParameters
from transslit.library import known, load_electrolyte
from transslit.progress import Progress
from validation.checks.judge import Source, families, judge_records
from validation.checks.levels import compare_levels
from validation.claims import CLAIMS
from validation.commands.circuit import OPTIONS
from validation.report.gather import gather
from validation.report.sections import SECTIONS, SHOWN, captions, table_named
from validation.verdicts.words import FAMILIES

ROOT = Path(__file__).parents[2]


def docs(name):
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def classes(package, base):
    """Classes that a package defines, and that derive from `base`."""
    found = {}
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for name, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(kind, base) and kind.__module__ == module.name:
                found[name] = kind
    return found


def test_fields_of_an_electrolyte_are_documented():
    assert docs("electrolyte-fields") == fields_page()


@pytest.mark.parametrize("name", sorted(known()))
def test_every_sourced_value_is_shown(name):
    salt = load_electrolyte(name)
    text = str(salt.model_dump())
    assert len(list(sourced_values(salt))) == text.count("'source': ")


@pytest.mark.parametrize("part", [Ion, MDParameters, Solvent])
def test_quantities_of_an_electrolyte_have_a_usual_range(part):
    """But a charge, which is compared with the valence, and the lowest and highest temperature."""
    quantities = {name for name, field in part.model_fields.items() if kind_of(field)}
    assert quantities - {"charge", "temperature_range"} <= set(USUAL)


def test_modules_of_claims_register_them():
    """A claim of a new module is judged once `validation.claims` imports that module."""
    for path in (ROOT / "validation" / "claims").glob("*.py"):
        written = set(re.findall(r'^@claim\(\s*"(C\d\d)"', path.read_text(encoding="utf-8"), re.MULTILINE))
        assert written <= set(CLAIMS), path.name


def test_claims_are_documented_and_numbered():
    assert sorted(CLAIMS) == [f"C{number:02d}" for number in range(1, len(CLAIMS) + 1)]
    rows = set(re.findall(r"^\| (C\d\d) \|", docs("claims"), re.MULTILINE))
    assert rows == set(CLAIMS)
    assert f"[{len(CLAIMS)} statements of the paper]" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_study_says_of_every_claim_whether_it_judges_it():
    from studies.missing_methods.judge import JUDGED, LEFT_OUT

    assert set(JUDGED) | set(LEFT_OUT) == set(CLAIMS)


def test_checks_are_documented_and_made(finished, make, tmp_path):
    """Those of the continuum half of a validation, of atoms, and of atoms against a continuum driven alike."""
    ids = [row["id"] for row in json.loads((finished[0] / "verdicts.json").read_text(encoding="utf-8"))]
    atoms, step, time = make(noise=0.02), make(source="continuum"), np.linspace(0, 1e-11, 9)
    for name, column, value in (("temperature", "T_K", 298.15), ("reservoir", "c_mol_per_m3", 900.0)):
        pd.DataFrame({"box": 0, "time_s": time, column: value}).to_parquet(tmp_path / f"{name}.parquet")
    for record in (atoms, step):
        record.metadata.update({"drive": {"kind": "charge-step"}, "concentration_mol_per_m3": 1000.0, "ion_drift": 0.0})
    sources = families([Source(atoms, "planted", tmp_path), Source(step, "planted")])
    ids += [verdict.id for verdict in judge_records(sources, ("md", "step")).verdicts]
    ids += [verdict.id for verdict in compare_levels({"atoms": atoms, "ions": atoms, "continuum": step}, "planted")]
    cv = judge_records(families([Source(TransSlitRecord.read(finished[0] / "continuum-cv"), "CV")] * 2), ("cv", "cv2"))
    ids += [verdict.id for verdict in cv.verdicts]
    table = docs("verdicts").split("\n\n| id |")[1].split("\n\n")[0]
    documented = set(re.findall(r"[.`](\w+)`", "".join(row.split("|")[1] for row in table.splitlines()[2:])))
    made = {each.split(".")[-1] for each in ids}
    assert made - documented == set()
    assert documented - set(FAMILIES) - made == set()
    assert [family for family in FAMILIES if f"`{family}" not in docs("verdicts")] == []


def test_figures_of_the_page_have_captions_and_sections():
    assert set(captions()) == set(SHOWN)
    assert {entry["section"] for entry in captions().values()} == set(SECTIONS)
    text = (ROOT / "validation" / "report" / "templates" / "figures.toml").read_text(encoding="utf-8")
    assert all({"section", "title", "caption"} == set(entry) for entry in tomllib.loads(text).values())


def test_tables_of_the_figures_are_gathered():
    gathered = inspect.getsource(gather)
    named = {key: table.args[0] for key, (table, _) in SHOWN.items() if getattr(table, "func", None) is table_named}
    assert {key: name for key, name in named.items() if f'"{name}"' not in gathered} == {}


@pytest.mark.parametrize(("package", "page"), [(md, "md"), (continuum, "continuum")])
def test_analyzers_are_documented(package, page):
    missing = [name for name in classes(package, AnalysisBase) if f"`{name}`" not in docs(page)]
    assert missing == []


@pytest.mark.parametrize("package", [md, continuum])
def test_analyzers_are_run(package):
    """By a stage, or by what makes a figure or a claim."""
    rooms = ("md", "continuum", "validation", "studies")
    texts = [path.read_text(encoding="utf-8") for room in rooms for path in (ROOT / room).rglob("*.py")]
    runs = "\n".join(texts)
    bases = {base for kind in classes(package, AnalysisBase).values() for base in kind.__mro__[1:]}
    made = {name for name, kind in classes(package, AnalysisBase).items() if kind not in bases}
    assert [name for name in sorted(made) if not re.search(rf"(?<!class )\b{name}\(", runs)] == []


def kinds(union):
    """The drives of a union by their kind."""
    return {drive.model_fields["kind"].default: drive for drive in get_args(get_args(union)[0])}


def drive_of(kind):
    """A drive of modest values."""
    values = {"scan_rates": (1e9,), "scan_rate": 1e10, "window": 0.02, "upper": 0.02, "current": 1e-3, "power": 1e-5}
    values |= {"voltage": 0.1, "duration": 1e-12, "ramp": 1e-12, "sigma": 0.01}
    if kind is transslit.drive.TableDrive:
        values = {"time": (0.0, 1e-12), "voltage": (0.0, 0.1)}
    return kind(**{name: values[name] for name in kind.model_fields if name in values})


def test_drives_are_part_of_a_union():
    from md.config import DriveName

    named = {name: kind for name, kind in vars(transslit.drive).items() if inspect.isclass(kind)}
    own = {kind.model_fields["kind"].default for kind in named.values() if "kind" in getattr(kind, "model_fields", {})}
    assert own == set(kinds(Drive)) | set(kinds(CircuitDrive)) | set(get_args(DriveName))


@pytest.mark.parametrize("kind", kinds(CircuitDrive))
def test_drives_of_a_circuit_have_a_course_and_an_option(kind):
    config = CircuitConfig(
        layers=2,
        resistance=1.0,
        slit_capacitance=1e-12,
        open_resistance=1.0,
        open_capacitance=1e-12,
        drive=drive_of(kinds(CircuitDrive)[kind]),
    )
    assert np.abs(simulate(config).terminal["I_m_A"]).max() > 0
    assert f"{kind}:" in OPTIONS.help("drive").text


@pytest.mark.parametrize("kind", kinds(Drive))
def test_drives_of_the_continuum_move_ions(kind, tmp_path):
    """A drive that the schedule or the integrator forgot would leave the network at rest."""
    cell = "full" if "sheet_charge" in dir(kinds(Drive)[kind]) else "half"
    network = SlitNetwork(slit=1e-9, layers=2, slit_length=3e-9, reservoir_length=2e-9)
    config = ContinuumConfig(
        network=network, electrolyte=load_electrolyte("KCl"), cell=cell, steps=8, drive=drive_of(kinds(Drive)[kind])
    )
    record = continuum.run(config, tmp_path, Progress())
    assert np.abs(record.slits["Q_C_per_m"]).max() > 1e-14


@pytest.mark.parametrize(("union", "page"), [(Drive, "continuum"), (CircuitDrive, "circuit")])
def test_drives_are_documented(union, page):
    kinds = [kind.model_fields["kind"].default for kind in get_args(get_args(union)[0])]
    assert [kind for kind in kinds if f"`{kind}`" not in docs(page)] == []


def test_exporters_are_documented():
    assert set(get_args(Export)) == set(EXPORTS)
    assert [name for name in EXPORTS if f"`--export {name}`" not in docs("circuit")] == []


@pytest.mark.parametrize("name", [each for each, (*_, arguments) in FUNCTIONS.items() if arguments == 1])
def test_a_function_is_the_same_in_search_laws_and_netlists(name):
    symbolic, numeric, _ = FUNCTIONS[name]
    assert "x" in spice_expression(symbolic(Q), "x")
    for value in (0.3, 1.7):
        expected = float(symbolic(sympy.Float(value)))
        assert numeric(value) == pytest.approx(expected)
        assert TRANSCENDENTAL.get(name, numeric)(value) == pytest.approx(expected)


def test_functions_of_the_search_are_read_and_documented():
    assert set(TRANSCENDENTAL) <= set(FUNCTIONS)
    assert [name for name in SEARCHABLE if f"`{name}`" not in docs("discovery")] == []
    grammar = docs("discovery").split("made of numbers")[1].split(";")[0]
    assert [name for name in FUNCTIONS if not re.search(rf"\b{name}\b", grammar)] == []


def test_lattices_of_sheets_are_documented():
    from md.sheet_lattice import LATTICES

    assert [name for name in LATTICES if f"`{name}`" not in docs("md")] == []
