"""What an addition must not forget: each kind of part is listed where its users look for it.

CONTRIBUTING.md tells which files a change touches; here each of them is missed by name.
"""

import importlib
import inspect
import pkgutil
import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from MDAnalysis.analysis.base import AnalysisBase

import continuum
import md
from circuit.export import EXPORTS, Export
from circuit.spice import SPICE_FUNCTIONS
from discovery.functions import SEARCHABLE, TRANSCENDENTAL
from transslit.drive import CircuitDrive, Drive
from transslit.fields import fields_page, sourced_values
from transslit.formula import FUNCTIONS
from transslit.library import known, load_electrolyte
from validation.claims import CLAIMS
from validation.report.sections import SECTIONS, SHOWN, captions
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


def test_claims_are_documented_and_numbered():
    assert sorted(CLAIMS) == [f"C{number:02d}" for number in range(1, len(CLAIMS) + 1)]
    rows = set(re.findall(r"^\| (C\d\d) \|", docs("claims"), re.MULTILINE))
    assert rows == set(CLAIMS)


def test_the_study_says_of_every_claim_whether_it_judges_it():
    from studies.missing_methods.judge import JUDGED, LEFT_OUT

    assert set(JUDGED) | set(LEFT_OUT) == set(CLAIMS)


def test_checks_are_documented(finished):
    """Those of the continuum half of a validation, and every family."""
    import json

    text = docs("verdicts")
    rows = json.loads((finished[0] / "verdicts.json").read_text(encoding="utf-8"))
    for row in rows:
        family, *_, statement = row["id"].split(".")
        assert family in FAMILIES, row["id"]
        assert re.search(rf"`[\w.*]*\.{statement}`", text), row["id"]
    for family in FAMILIES:
        assert f"`{family}`" in text or f"`{family}." in text, family


def test_figures_of_the_page_have_captions_and_sections():
    assert set(captions()) == set(SHOWN)
    assert {entry["section"] for entry in captions().values()} == set(SECTIONS)
    text = (ROOT / "validation" / "report" / "templates" / "figures.toml").read_text(encoding="utf-8")
    assert all({"section", "title", "caption"} == set(entry) for entry in tomllib.loads(text).values())


@pytest.mark.parametrize(("package", "page"), [(md, "md"), (continuum, "continuum")])
def test_analyzers_are_documented(package, page):
    missing = [name for name in classes(package, AnalysisBase) if f"`{name}`" not in docs(page)]
    assert missing == []


@pytest.mark.parametrize(("union", "page"), [(Drive, "continuum"), (CircuitDrive, "circuit")])
def test_drives_are_documented(union, page):
    kinds = [kind.model_fields["kind"].default for kind in get_args(get_args(union)[0])]
    assert [kind for kind in kinds if f"`{kind}`" not in docs(page)] == []


def test_exporters_are_documented():
    assert set(get_args(Export)) == set(EXPORTS)
    assert [name for name in EXPORTS if f"`--export {name}`" not in docs("circuit")] == []


def test_functions_of_the_search_are_read_simulated_and_documented():
    assert set(TRANSCENDENTAL) <= set(FUNCTIONS)
    assert set(TRANSCENDENTAL) <= set(SPICE_FUNCTIONS)
    assert [name for name in SEARCHABLE if f"`{name}`" not in docs("discovery")] == []


def test_lattices_of_sheets_are_documented():
    from md.sheet_lattice import LATTICES

    assert [name for name in LATTICES if f"`{name}`" not in docs("md")] == []
