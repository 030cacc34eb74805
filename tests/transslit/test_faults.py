"""Everything wrong with a file is said at once, and what is shipped has nothing wrong."""

import pytest

from transslit import BadInput
from transslit.faults import find_faults
from transslit.library import shipped


@pytest.fixture
def broken(tmp_path):
    """Writes KCl's file with some of its words replaced."""

    def write(*changes):
        text = shipped()["KCl"].read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "my.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def texts(name, **asked):
    return [fault.text for fault in find_faults(name, **asked)[1]]


@pytest.mark.parametrize("name", shipped())
def test_nothing_is_wrong_with_what_is_shipped(name):
    salt, faults = find_faults(name, surface_charge=0.25)
    assert salt is not None
    assert faults == []


def test_all_faults_are_found_at_once(broken):
    found = texts(
        broken(
            ('"1.957e-9 m^2/s"', '"1.957e-9"'),
            ('"3.143 angstrom"', '"3.143 kg"'),
            ('source = "IUPAC standard atomic weights"', 'note = "none"'),
            ("permittivity = { value = 78.4", "permittivity = { value = 0.4"),
        )
    )
    assert len(found) == 4
    words = ("ions.K.diffusion_coefficient", "ions.K.md.mass.source", "ions.K.md.sigma", "solvent.permittivity")
    for text, word in zip(found, words, strict=True):
        assert word in text
        assert "\n" not in text


def test_a_fault_of_form_hides_none_of_substance(broken):
    """A value without its unit keeps the file from being read; what is out of range or not neutral is told as well."""
    found = texts(
        broken(
            ('"1.957e-9 m^2/s"', '"1.957e-9"'),
            ('"3.143 angstrom"', '"3.143 nm"'),
            ("valence = -1", "valence = -2"),
            ('"997.05 kg/m^3"', '"997.05 g/m^3"'),
        )
    )
    words = ("ions.K.diffusion_coefficient", "ions.K.md.sigma: 3.143 nm", "solvent.density", "ions.valence")
    assert len(found) == 4
    for text, word in zip(found, words, strict=True):
        assert word in text
    assert "add up to -1" in found[-1]


@pytest.mark.parametrize(
    ("old", "new", "says", "error"),
    [
        ('"1.957e-9 m^2/s"', '"1.957e-5 m^2/s"', "ions.K.diffusion_coefficient", False),  # cm^2/s, most likely
        ('"0.5 nm"', '"0.5 angstrom"', "ions.K.diameter", False),
        ('"3.143 angstrom"', '"3.143 nm"', "ions.K.md.sigma", False),
        ('"0.087 kcal/mol"', '"87 kcal/mol"', "ions.K.md.epsilon", False),
        ('"997.05 kg/m^3"', '"997.05 g/m^3"', "solvent.density", False),
        ("permittivity = { value = 78.4", "permittivity = { value = 784", "solvent.permittivity", False),
        ("temperature_range", "#", "temperature_range", False),
        ('"-1 e"', '"-1.5 e"', "ions.Cl.md.charge", True),
        ('concentration = "1M"', 'concentration = "7M"', "pack at 6.64 M", True),
    ],
)
def test_each_fault_is_found(broken, old, new, says, error):
    _, faults = find_faults(broken((old, new)))
    assert [fault.error for fault in faults if says in fault.text] == [error]


def test_an_ion_without_a_force_field_is_a_warning(broken):
    """Once for the ion that has none; the file can be used, and what else is wrong is found as well."""
    text = shipped()["KCl"].read_text(encoding="utf-8")
    block = text[text.index("[ions.md]") : text.index("[[ions]]", text.index("[ions.md]"))]
    salt, faults = find_faults(broken((block, ""), ('"4.045 angstrom"', '"4.045 nm"')))
    assert salt is not None
    needs = "molecular dynamics needs mass, charge, sigma and epsilon, or a force field; see docs/electrolytes.md"
    assert faults[0] == (f"ions.K.md: missing: {needs}", False)
    assert [fault.text[:15] for fault in faults[1:]] == ["ions.Cl.md.sigm"]


def test_charges_of_the_wrong_sign_are_found(broken):
    assert any("against valence" in text for text in texts(broken(('"1 e"', '"-1.0 e"'), ('"-1 e"', '"1 e"'))))


def test_packing_at_the_asked_surface_charge():
    """One charge on 0.25 nm^2 is 0.641 C/m^2; a slit of 0.5 nm between two walls holds half of a layer for each."""
    assert texts("KCl", surface_charge=0.64) == []
    assert "0.641" in texts("KCl", surface_charge=-0.65)[0]
    assert "0.32" in texts("KCl", surface_charge=0.33, slit=0.5e-9)[0]
    assert texts("CaCl2", surface_charge=-1.2) == []
    assert len(texts("CaCl2", surface_charge=1.2)) == 1


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(BadInput, match="unknown"):
        find_faults("KCI")
    (tmp_path / "bad.toml").write_text("= 1")
    with pytest.raises(BadInput, match="TOML"):
        find_faults(str(tmp_path / "bad.toml"))
