"""Electrolytes on the command line, and the page that tells how to add one, followed to the letter."""

import json
import os
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

from transslit.fields import fields_page
from transslit.library import shipped

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "electrolytes.md").read_text(encoding="utf-8")


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def saved(tmp_path):
    """LiBr.toml as the page has it."""
    (tmp_path / "LiBr.toml").write_text(blocks("toml")[0], encoding="utf-8")


def test_the_page_of_fields_is_current():
    assert (DOCS / "electrolyte-fields.md").read_text(encoding="utf-8") == fields_page()


def test_the_page_can_be_followed(inside, saved, tmp_path):
    for line in blocks("sh")[0].splitlines():
        done = inside(*shlex.split(line))
        assert done.returncode == 0, done.stderr
        assert "warning" not in done.stdout
    slits = pd.read_parquet(tmp_path / "runs" / "LiBr" / "record" / "slits.parquet")
    assert {"c_Li_mol_per_m3", "c_Br_mol_per_m3"} <= set(slits)


@pytest.mark.slow
def test_the_page_can_be_followed_to_a_box(inside, saved):
    """First peaks of the ion set as its authors give them for SPC/E, 1.96 and 3.35 A at infinite dilution: to 3 %."""
    done = inside(*shlex.split(blocks("sh")[1]), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["box"]
    place = {name: float(found[f"first peak {name}-O"].split()[0]) for name in ("Li", "Br")}
    assert place["Li"] == pytest.approx(0.196, rel=0.03)
    assert place["Br"] == pytest.approx(0.335, rel=0.03)


def test_list_and_show_tell_what_is_known(inside, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    listed = json.loads(inside("transslit", "electrolytes", "list", "--json").stdout)["electrolytes"]
    assert set(shipped()) <= set(listed)
    shown = json.loads(inside("transslit", "electrolytes", "show", "CaCl2", "--slit", "1nm", "--json").stdout)
    numbers = {name: entry["value"] for name, entry in shown["derived"].items()}
    assert numbers["Debye length"] == pytest.approx(0.1755, rel=1e-3)  # 0.304 nm / sqrt(3) of a 1:1 salt
    assert numbers["Cl per slit"] == pytest.approx(2 * 0.6022 * 20, rel=1e-3)  # 2 M in 1 nm by 20 nm by 1 nm
    told = inside("transslit", "electrolytes", "show", "BMIM-PF6").stdout
    assert re.search("BMIM forcefield +29 lines +Roy & Maroncelli", told)


def test_check_tells_all_and_exits_with_two(inside, tmp_path):
    text = shipped()["KCl"].read_text(encoding="utf-8")
    bad = text.replace('"3.143 angstrom"', '"3.143"').replace('"1.957e-9 m^2/s", source', '"1.957e-9 m^2/s", origin')
    (tmp_path / "bad.toml").write_text(bad, encoding="utf-8")
    done = inside("transslit", "electrolytes", "check", "bad.toml")
    assert done.returncode == 2
    assert done.stdout.count("error:") == 3
    assert inside("transslit", "electrolytes", "check", "KCl", "--surface-charge", "-0.7C/m^2").returncode == 2


def test_a_clash_of_names_is_told(command, tmp_path):
    folder = tmp_path / "transslit" / "electrolytes"
    folder.mkdir(parents=True)
    (folder / "KCl.toml").write_bytes(shipped()["NaCl"].read_bytes())
    env = os.environ | {"XDG_CONFIG_HOME": str(tmp_path)}
    done = command("transslit", "electrolytes", "show", "KCl", "--json", env=env)
    assert json.loads(done.stdout)["electrolyte"]["ions"][0]["name"] == "Na"
    assert re.search("KCl: used is that of the user's folder, .*; not that of transslit", done.stderr)
    assert done.stderr.count("\n") == 1
