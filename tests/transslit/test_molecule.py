"""Ions of several sites: read from XML and PDB, their totals and places known beforehand."""

import pickle

import numpy as np
import pytest

from transslit import BadInput, load_electrolyte
from transslit.library import shipped

XML = """<ForceField>
 <AtomTypes>
  <Type name="t1" class="c1" element="N" mass="30"/>
  <Type name="t2" class="c2" mass="10"/>
 </AtomTypes>
 <Residues>
  <Residue name="IAB">
   <Atom name="A" type="t1" charge="0.6"/>
   <Atom name="B" type="t2"/>
   <Bond atomName1="A" atomName2="B"/>
  </Residue>
 </Residues>
 <NonbondedForce coulomb14scale="1" lj14scale="1">
  <Atom class="c2" charge="0.4" sigma="0.3" epsilon="0.5"/>
 </NonbondedForce>
</ForceField>
"""
PDB = """HETATM    1  A   IAB A   1       1.000   2.000   0.000  1.00  0.00           N
HETATM    2  B   IAB A   1       1.000   6.000   0.000  1.00  0.00
END
"""


def two_site_salt(folder, xml=XML, pdb=PDB):
    """KCl whose cation has two sites; the files lie beside it."""
    text = shipped()["KCl"].read_text(encoding="utf-8")
    first, second = text.index("[ions.md]"), text.index("[[ions]]", text.index("[ions.md]"))
    md = "[ions.md]\n" + "".join(
        f'{field} = {{ value = "{name}", source = "a test" }}\n'
        for field, name in (("forcefield", "ab.xml"), ("structure", "ab.pdb"))
    )
    (folder / "ab.xml").write_text(xml, encoding="utf-8")
    (folder / "ab.pdb").write_text(pdb, encoding="utf-8")
    (folder / "AB.toml").write_text(text[:first] + md + text[second:], encoding="utf-8")
    return str(folder / "AB.toml")


def test_sites_bonds_and_totals(tmp_path):
    """30 Da and 10 Da 4 A apart: the centre of mass is 1 A from the first."""
    ion = load_electrolyte(two_site_salt(tmp_path)).ions[0]
    assert [site[:4] for site in ion.sites] == [("A", "N", 30.0, 0.6), ("B", None, 10.0, 0.4)]
    np.testing.assert_allclose([site.position for site in ion.sites], [[0, -1e-10, 0], [0, 3e-10, 0]], atol=1e-20)
    assert ion.bonds == ((0, 1),)
    assert (ion.mass, ion.charge, ion.molecule.residue) == (40.0, 1.0, "IAB")


def test_an_ion_of_one_site_is_at_its_own_centre():
    potassium, chloride = load_electrolyte("KCl").ions
    assert potassium.sites == (("K", "K", 39.0983, 1.0, (0.0, 0.0, 0.0)),)
    assert chloride.bonds == ()
    assert (chloride.mass, chloride.charge) == (35.453, -1.0)


def test_the_configuration_holds_the_texts(tmp_path):
    """It survives pickling without the files, and its digest answers for what they hold."""
    salt = load_electrolyte(two_site_salt(tmp_path))
    changed = load_electrolyte(two_site_salt(tmp_path, XML.replace('epsilon="0.5"', 'epsilon="0.6"')))
    assert salt.digest != changed.digest
    for path in tmp_path.iterdir():
        path.unlink()
    again = pickle.loads(pickle.dumps(salt))
    assert again == salt
    assert again.ions[0].sites == salt.ions[0].sites


@pytest.mark.parametrize(
    ("xml", "pdb", "says"),
    [
        (XML[:100], PDB, "md.forcefield"),
        ("<ForceField/>", PDB, "0 residues"),
        (XML.replace('type="t2"', 'type="t3"'), PDB, "t3"),
        (XML.replace(' mass="10"', ""), PDB, "mass"),
        (XML.replace('class="c2" charge="0.4"', 'class="c2"'), PDB, "charge"),
        (XML.replace('mass="10"', 'mass="-10"'), PDB, "positive"),
        (XML.replace('mass="10"', 'mass="1_0"'), PDB, "mass"),
        (XML.replace('charge="0.6"', 'charge="0,6"'), PDB, "charge"),
        (XML.replace('element="N"', 'element="Xx"'), PDB, "Xx"),
        (XML.replace('atomName2="B"', 'atomName2="C"'), PDB, "bond"),
        (XML.replace('name="B"', 'name="A"'), PDB, "name of its own"),
        (XML, PDB.splitlines()[0], "no atom B"),
        (XML, PDB.replace("  B  ", "  C  "), "no atom B"),
        (XML.replace('charge="0.6"', 'charge="0.5"'), PDB, "carry"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, xml, pdb, says):
    with pytest.raises(BadInput) as caught:
        load_electrolyte(two_site_salt(tmp_path, xml, pdb))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    path = two_site_salt(tmp_path)
    (tmp_path / "ab.pdb").unlink()
    with pytest.raises(BadInput, match=r"ions\.K\.md\.structure.*cannot be read"):
        load_electrolyte(path)
