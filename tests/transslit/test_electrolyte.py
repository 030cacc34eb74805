"""Electrolytes: neutrality, sources, and refusals that name file and field."""

import math

import pytest
from scipy import constants

from transslit import BadInput, load_electrolyte
from transslit.library import shipped


@pytest.mark.parametrize("name", shipped())
def test_shipped_electrolytes_are_neutral_and_sourced(name):
    salt = load_electrolyte(name)
    assert salt.valences @ salt.bulk(1000.0) == 0
    for ion in salt.ions:
        for value in (
            ion.diffusion_coefficient,
            ion.diameter,
            ion.md.mass,
            ion.md.charge,
            ion.md.sigma,
            ion.md.epsilon,
        ):
            assert len(value.source) > 10


def test_paper_parameters_of_potassium_chloride():
    salt = load_electrolyte("KCl")
    potassium, chloride = salt.ions
    assert potassium.md.sigma.value == pytest.approx(3.143e-10)
    assert chloride.md.epsilon.value == pytest.approx(0.150 * 4.184)
    assert chloride.md.charge.value == -1


def test_debye_length_of_a_molar_salt():
    """The textbook's 0.304 nm at 1 M and 25 degC."""
    assert load_electrolyte("KCl").debye_length(1000.0) == pytest.approx(0.304e-9, rel=2e-3)


def test_close_packing():
    salt = load_electrolyte("KCl")
    densest = 1 / (2 * constants.N_A * 0.125e-27)
    assert salt.bulk(0.99 * densest).sum() == pytest.approx(2 * 0.99 * densest)
    with pytest.raises(BadInput, match="pack"):
        salt.bulk(1.01 * densest)


def edited(tmp_path, old, new):
    text = shipped()["KCl"].read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "my.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return str(path)


def test_a_user_file_is_named_after_its_stem(tmp_path):
    assert load_electrolyte(edited(tmp_path, "1.957e-9", "1.9e-9")).name == "my"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"-1 e"', '"-1.5 e"', "ions.Cl.md.charge"),
        ("valence = 1", "valence = 2", "add up to zero"),
        ("valence = 1", "valence = 0", "must not be zero"),
        ('"3.143 angstrom"', '"3.143"', "sigma"),
        ('"3.143 angstrom"', '"3.143 kg"', "angstrom"),
        ('source = "IUPAC standard atomic weights"', 'source = ""', "source"),
        ('name = "K"', 'name = "Cl"', "share a name"),
        ("[solvent]", "[solvent", "TOML"),
        ('model = "spce"', 'model = "tip99"', "model"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_in_one_line(tmp_path, old, new, says):
    with pytest.raises(BadInput) as caught:
        load_electrolyte(edited(tmp_path, old, new))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_charged_salts_pass_only_when_allowed(tmp_path):
    path = edited(tmp_path, '"-1 e"', '"-1.5 e"')
    assert load_electrolyte(path, allow_charged=True).ions[1].md.charge.value == -1.5


def test_nearest_names_are_offered():
    with pytest.raises(BadInput, match="KCl"):
        load_electrolyte("KCI")
    with pytest.raises(BadInput, match="cannot be read"):
        load_electrolyte("nowhere/none.toml")


def test_diameter_override_reaches_the_packing():
    salt = load_electrolyte("KCl").with_diameter(0.3e-9)
    assert math.isclose(salt.molar_volumes[0], constants.N_A * 0.027e-27, rel_tol=1e-12)
