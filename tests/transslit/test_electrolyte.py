"""Electrolytes: neutrality, sources, and refusals that name file and field."""

import math
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy import constants

from continuum import ContinuumConfig
from continuum import run as run_continuum
from md import quick
from transslit import BadInput, SlitNetwork, load_electrolyte
from transslit.config import Config
from transslit.ions import Sourced
from transslit.library import shipped
from transslit.progress import Progress


def sourced(config):
    """Every value of a configuration that has a source, by its place in it."""
    for name in type(config).model_fields:
        entry = getattr(config, name)
        if isinstance(entry, Sourced):
            yield name, entry
        elif isinstance(entry, Config):
            yield from sourced(entry)


@pytest.mark.parametrize("name", shipped())
def test_shipped_electrolytes_are_neutral_and_sourced(name):
    salt = load_electrolyte(name)
    assert salt.valences @ salt.bulk() == 0
    assert salt.title
    found = [entry for part in (*salt.ions, salt.solvent) for entry in sourced(part)]
    assert len(found) >= 5 * len(salt.ions) + 3
    assert all(len(entry.source) > 10 for _, entry in found)


def test_what_is_shipped():
    assert set(shipped()) == {
        "LiCl", "NaCl", "KCl", "KCl-JC", "RbCl", "CsCl", "KBr", "KF", "CaCl2", "MgCl2", "KCl-NaCl", "BMIM-PF6"
    }  # fmt: skip


@pytest.mark.parametrize("name", [name for name in shipped() if name not in ("KCl", "BMIM-PF6")])
def test_ions_for_spce_are_those_that_openmm_ships(name):
    """Independent file: OpenMM's amber14/spce.xml, made by its authors from AmberTools' Joung-Cheatham and Li-Merz."""
    import openmm.app

    root = ElementTree.parse(Path(openmm.app.__file__).parent / "data" / "amber14" / "spce.xml").getroot()
    listed = {atom.get("type").removeprefix("spce_standard-"): atom for atom in root.iter("Atom") if atom.get("sigma")}
    for ion in load_electrolyte(name).ions:
        known = listed[f"{ion.name}{abs(ion.valence) if abs(ion.valence) > 1 else ''}{'+' if ion.valence > 0 else '-'}"]
        assert ion.md.sigma.value * 1e9 == pytest.approx(float(known.get("sigma")), rel=1e-6)
        assert ion.md.epsilon.value == pytest.approx(float(known.get("epsilon")), rel=1e-6)
        assert ion.charge == ion.valence


@pytest.mark.parametrize("name", [name for name in shipped() if name not in ("KCl", "BMIM-PF6")])
def test_diffusion_is_that_of_limiting_conductivities(name):
    """D = RT lambda / (|z| F^2) to the table's digits, with the lambda that each note tells."""
    faraday = constants.e * constants.N_A
    for ion in load_electrolyte(name).ions:
        told = float(re.search(r"lambda = ([\d.]+)e-4", ion.diffusion_coefficient.note)[1]) * 1e-4
        expected = constants.R * 298.15 * told / (abs(ion.valence) * faraday**2)
        assert ion.diffusion_coefficient.value == pytest.approx(expected, abs=0.6e-12)


def test_cation_of_the_ionic_liquid():
    """Roy and Maroncelli's sites: 0.78 e, centred on their mass, and bonds as long as the sites are apart."""
    cation, anion = load_electrolyte("BMIM-PF6").ions
    assert cation.charge == pytest.approx(0.78)
    assert cation.charge + anion.charge == pytest.approx(0, abs=1e-12)
    assert cation.md.rigid
    places = np.array([site.position for site in cation.sites])
    np.testing.assert_allclose(np.array([site.mass for site in cation.sites]) @ places, 0, atol=1e-20)
    lengths = {
        frozenset((bond.get("class1"), bond.get("class2"))): float(bond.get("length"))
        for bond in ElementTree.fromstring(cation.md.forcefield.value).iter("Bond")
        if bond.get("length")
    }
    assert len(cation.bonds) == 3
    for i, j in cation.bonds:
        name = frozenset(f"BMIM-{cation.sites[k].name}" for k in (i, j))
        assert np.linalg.norm(places[i] - places[j]) * 1e9 == pytest.approx(lengths[name], abs=1e-5)


def test_a_liquid_of_ions_alone_has_the_concentration_of_its_density():
    salt = load_electrolyte("BMIM-PF6")
    assert salt.liquid_concentration == pytest.approx(1366 / 0.28419)
    assert salt.concentration == pytest.approx(salt.liquid_concentration, rel=1e-4)
    with pytest.raises(BadInput, match=r"4\.807 M"):
        salt.bulk(1000.0)


def test_paper_parameters_of_potassium_chloride():
    salt = load_electrolyte("KCl")
    potassium, chloride = salt.ions
    assert potassium.md.sigma.value == pytest.approx(3.143e-10)
    assert chloride.md.epsilon.value == pytest.approx(0.150 * 4.184)
    assert chloride.md.charge.value == -1


def test_debye_length_of_a_molar_salt():
    """The textbook's 0.304 nm at 1 M and 25 degC."""
    assert load_electrolyte("KCl").debye_length(1000.0) == pytest.approx(0.304e-9, rel=2e-3)


def test_bjerrum_length_of_water():
    assert load_electrolyte("KCl").bjerrum_length == pytest.approx(0.715e-9, rel=1e-3)


@pytest.mark.parametrize(("name", "limiting"), [("KCl", 149.79), ("CaCl2", 271.6), ("MgCl2", 258.6)])
def test_conductivity_is_the_sum_of_the_limiting_ones(name, limiting):
    """Kohlrausch, with the handbook's lambda per charge: 73.48, 59.47, 53.0 and 76.31 in 1e-4 S m^2/mol."""
    assert load_electrolyte(name).conductivity(1.0) == pytest.approx(limiting * 1e-4, rel=1e-3)


def test_most_surface_charge():
    """Ions of 0.5 nm in a layer: one charge on 0.25 nm^2, two for a divalent counter-ion; 2 nm of them on two walls."""
    salt = load_electrolyte("CaCl2")
    one = constants.e / 0.25e-18
    assert salt.most_surface_charge(+1) == pytest.approx(one)
    assert salt.most_surface_charge(-1) == pytest.approx(2 * one)
    assert salt.most_surface_charge(+1, slit=2e-9) == pytest.approx(2 * one)


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
        ('"3.143 angstrom"', '"3.143"', "ions.K.md.sigma"),
        ('"3.143 angstrom"', '"3.143 kg"', "angstrom"),
        ('source = "IUPAC standard atomic weights"', 'source = ""', "source"),
        ('name = "K"', 'name = "Cl"', "share a name"),
        ("[solvent]", "[solvent", "TOML"),
        ('model = "spce"', 'model = "tip99"', "model"),
        ('model = "spce"', 'model = "none"', "molar_mass"),
        ('"298.15K"', '"398.15K"', "273.15 K to 373.15 K"),
        ('["273.15 K", "373.15 K"]', '["373.15 K", "273.15 K"]', "lower temperature first"),
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


def without_force_field(folder, name, ions=2):
    """A shipped file whose first `ions` ions have no [ions.md]."""
    text = shipped()[name].read_text(encoding="utf-8")
    path = folder / "plain.toml"
    path.write_text(re.sub(r"\[ions\.md\]\n(?:\w+ = .*\n)+", "", text, count=ions), encoding="utf-8")
    return str(path)


def test_the_continuum_needs_no_force_field(tmp_path):
    """The same currents and contents, bit for bit, with the force field and without."""
    network = SlitNetwork(slit=1e-9, layers=3, slit_length=2e-9, reservoir_length=1e-9)
    records = []
    for name in ("KCl", without_force_field(tmp_path, "KCl")):
        config = ContinuumConfig(network=network, electrolyte=load_electrolyte(name), steps=4)
        records.append(run_continuum(config, tmp_path / f"run-{len(records)}", Progress(quiet=True)))
    for table in ("crossings", "slits", "terminal"):
        assert getattr(records[0], table).equals(getattr(records[1], table))
    assert records[0].crossings["I_A_per_m"].abs().sum() > 0


@pytest.mark.parametrize("ions", [1, 2])
def test_molecular_dynamics_refuses_an_ion_without_a_force_field(tmp_path, ions):
    """Also where one ion alone lacks it; the charges of the others are then not summed."""
    salt = load_electrolyte(without_force_field(tmp_path, "KCl", ions))
    assert not salt.has_force_field
    with pytest.raises(BadInput) as caught:
        quick(0.59e-9, salt, 1000.0)
    needs = "molecular dynamics needs mass, charge, sigma and epsilon, or a force field; see docs/electrolytes.md"
    assert str(caught.value) == f"ions.K.md: missing: {needs}"


def test_a_liquid_of_ions_without_masses_has_the_concentration_that_is_asked_for(tmp_path):
    salt = load_electrolyte(without_force_field(tmp_path, "BMIM-PF6"))
    assert salt.bulk(1000.0).tolist() == [1000.0, 1000.0]


def test_nearest_names_are_offered():
    with pytest.raises(BadInput, match="KCl"):
        load_electrolyte("KCI")
    with pytest.raises(BadInput, match="cannot be read"):
        load_electrolyte("nowhere/none.toml")


def test_diameter_override_reaches_the_packing():
    salt = load_electrolyte("KCl").with_diameter(0.3e-9)
    assert math.isclose(salt.molar_volumes[0], constants.N_A * 0.027e-27, rel_tol=1e-12)


def test_a_run_is_at_its_electrolytes_temperature():
    warm = load_electrolyte("KCl").model_copy(update={"temperature": 333.15})
    network = SlitNetwork(slit=2e-9)
    assert ContinuumConfig(network=network, electrolyte=warm).temperature == 333.15
    assert ContinuumConfig(network=network, electrolyte=warm, temperature=300.0).temperature == 300.0
    assert quick(0.59e-9, warm, 1000.0).temperature == 333.15


def test_a_run_at_a_temperature_that_the_solvent_does_not_know_is_refused():
    salt, network = load_electrolyte("KCl"), SlitNetwork(slit=2e-9)
    with pytest.raises(BadInput, match="temperature: 400 K: the solvent's values are for 273"):
        ContinuumConfig(network=network, electrolyte=salt, temperature=400.0)
    with pytest.raises(BadInput, match="temperature: 250 K"):
        quick(0.59e-9, salt, 1000.0, temperature=250.0)


def test_equality_is_of_content_whatever_was_computed():
    used, fresh = load_electrolyte("KCl"), load_electrolyte("KCl")
    assert used.molar_volumes.shape == (2,)
    assert used == fresh
    assert fresh.molar_volumes.shape == (2,)
    assert used == fresh
    assert hash(used) == hash(fresh)
    assert used != fresh.with_diameter(0.6e-9)
