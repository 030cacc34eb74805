"""What is said of a small box of an electrolyte, where what it shows is planted; a real one (slow) of a wrong sigma."""

import json
import math

import pytest

import md.bulk
from md.bulk import BulkProperties
from md.bulk_check import check_bulk
from transslit import load_electrolyte
from transslit.library import shipped

KCL = load_electrolyte("KCl")
AS_IT_SHOULD = {"density": 1040.0, "first_peak": {"K": 0.272e-9, "Cl": 0.310e-9}, "temperature": 298.0}


@pytest.fixture
def seen(monkeypatch):
    """`seen(density=..., first_peak=..., temperature=...)`: what is said of a box that shows this."""

    def say(**changes):
        planted = BulkProperties(
            **{**AS_IT_SHOULD, **changes}, density_error=5.0, concentration=1000.0, peak_height={"K": 5.0, "Cl": 4.0},
            diffusion={}, error={}, correction=math.nan,
        )  # fmt: skip
        monkeypatch.setattr(md.bulk, "bulk_box", lambda *a, **k: None)
        monkeypatch.setattr(md.bulk, "at_pressure", lambda *a, **k: (None, 5.0))
        monkeypatch.setattr(md.bulk, "bulk_properties", lambda *a, **k: planted)
        return check_bulk(KCL)

    return say


def test_a_box_as_it_should_be(seen):
    """Potassium 3 % nearer than diffraction has it, as the model is known to give: within the tenth that is left."""
    shown, wrong = seen()
    assert wrong == []
    assert shown["density"] == "1040 +- 5 kg/m^3 at 1.00 M"
    assert shown["first peak K-O"] == "0.272 nm, 5.0 high"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"first_peak": {"K": 0.272e-9, "Cl": 0.355e-9}}, "Cl stands 0.355 nm from O, measured are 0.319 nm"),
        ({"first_peak": {"K": 0.250e-9, "Cl": 0.310e-9}}, "K stands 0.250 nm"),
        ({"density": 820.0}, "its density is 0.82 of the solvent's"),
        ({"temperature": 320.0}, "it should be at 298.15 K"),
    ],
)
def test_what_is_wrong_is_told(seen, changes, said):
    (text,) = seen(**changes).wrong
    assert said in text


def test_a_wrong_box_ends_with_three(seen, inside):
    seen(density=820.0)
    done = inside("transslit", "electrolytes", "check", "KCl", "--md", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["box"]["faults"] == ["its density is 0.82 of the solvent's"]


@pytest.mark.slow
def test_a_sigma_that_is_too_large_is_seen(inside, tmp_path):
    """Bromide with a third more than its model has: from a real box, and nothing else is wrong with it."""
    text = shipped()["KBr"].read_text(encoding="utf-8")
    assert "4.901725 angstrom" in text
    (tmp_path / "KBr.toml").write_text(text.replace("4.901725 angstrom", "6.5 angstrom"), encoding="utf-8")
    done = inside("transslit", "electrolytes", "check", "./KBr.toml", "--md", "--json")
    assert done.returncode == 3, done.stderr
    (text,) = json.loads(done.stdout)["box"]["faults"]
    assert text.startswith("Br stands")
