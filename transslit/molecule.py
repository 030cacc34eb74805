"""An ion of several sites: its residue in an OpenMM ForceField XML, placed by a PDB structure.

Masses and elements are those of the XML's atom types; charges those of the residue's atoms or, where these give none,
of NonbondedForce; bonds those of the residue; positions those of the structure's atoms of the same names, from their
centre of mass. Format of the XML: OpenMM User Guide, "Creating Force Fields"; of the structure: wwPDB format 3.3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from transslit.errors import BadInput
from transslit.units import number

SYMBOLS = """H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y
Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au
Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr"""
ELEMENTS = frozenset(SYMBOLS.split())


class Site(NamedTuple):
    """A charged mass of an ion: `mass` in Da, `charge` in e, `position` in m from the ion's centre of mass."""

    name: str
    element: str | None  # symbol; None for a coarse-grained site
    mass: float
    charge: float
    position: tuple[float, float, float]


class Molecule(NamedTuple):
    """`residue` is the name of the XML's residue (three letters); `bonds` are pairs of indices of `sites`."""

    residue: str
    sites: tuple[Site, ...]
    bonds: tuple[tuple[int, int], ...]


Refuse = Callable[..., BadInput]  # (value, accepts, field = "forcefield")


def read_molecule(forcefield: str, structure: str, where: str) -> Molecule:
    """The one residue of a ForceField XML at the structure's positions.

    Parameters
    ----------
    forcefield, structure : texts of the XML and of the PDB
    where : put before `.forcefield` or `.structure` in errors

    Raises
    ------
    BadInput : not XML, not one residue, an atom without type, mass, charge or position, a bond to an unknown atom
    """

    def refuse(value: object, accepts: str, field: str = "forcefield") -> BadInput:
        return BadInput(f"{where}.{field}", value, accepts)

    try:
        root = ElementTree.fromstring(forcefield)
    except ElementTree.ParseError as error:
        raise refuse(" ".join(forcefield.split())[:40] or "empty", f"is not XML ({error})") from None
    residues = root.findall("Residues/Residue")
    if root.tag != "ForceField" or len(residues) != 1:
        raise refuse(f"<{root.tag}> of {len(residues)} residues", "give an OpenMM <ForceField> of one <Residue>")
    places = positions(structure)
    sites = _sites(root, residues[0], places, refuse)
    names = [site.name for site in sites]
    if not names or len(set(names)) != len(names):
        raise refuse(f"atoms {', '.join(names) or 'none'}", "a residue needs atoms, each with a name of its own")
    if len(places) != len(names):
        raise refuse(f"{len(places)} atoms", f"the residue has {len(names)}", "structure")
    xyz = np.array([site.position for site in sites])
    xyz -= np.average(xyz, axis=0, weights=[site.mass for site in sites])
    centred = (site._replace(position=(x, y, z)) for site, (x, y, z) in zip(sites, xyz.tolist(), strict=True))
    bonds = tuple(_bond(bond, names, refuse) for bond in residues[0].findall("Bond"))
    return Molecule(residues[0].get("name", ""), tuple(centred), bonds)


def _sites(
    root: ElementTree.Element,
    residue: ElementTree.Element,
    places: dict[str, tuple[float, float, float]],
    refuse: Refuse,
) -> list[Site]:
    """The residue's atoms, at the positions (m) that the structure gives them."""
    types = {found.get("name"): found for found in root.findall("AtomTypes/Type")}
    nonbonded = {found.get("type") or found.get("class"): found for found in root.findall("NonbondedForce/Atom")}
    sites = []
    for atom in residue.findall("Atom"):
        name = atom.get("name", "")
        kind = types.get(atom.get("type"))
        if kind is None:
            raise refuse(f"atom {name}", f"its type {atom.get('type')} is not among <AtomTypes>")
        if name not in places:
            raise refuse(f"{len(places)} atoms", f"has no atom {name}", "structure")
        listed = nonbonded.get(atom.get("type"), nonbonded.get(kind.get("class"), atom))
        try:
            mass, charge = number(kind.attrib["mass"]), number(atom.get("charge") or listed.attrib["charge"])
        except (KeyError, ValueError):
            raise refuse(f"atom {name}", "give its type a mass, and a charge here or in <NonbondedForce>") from None
        if not (mass > 0 and np.isfinite(mass) and np.isfinite(charge)):
            raise refuse(f"atom {name} of {mass:g} Da, {charge:g} e", "mass must be positive, both finite")
        element = kind.get("element")
        if element is not None and element not in ELEMENTS:
            raise refuse(f"element {element}", "give a chemical symbol, or none for a coarse-grained site")
        sites.append(Site(name, element, mass, charge, places[name]))
    return sites


def _bond(bond: ElementTree.Element, names: list[str], refuse: Refuse) -> tuple[int, int]:
    """Indices of the two atoms of a <Bond>, which gives their names or their numbers."""
    try:
        if "atomName1" in bond.attrib:
            first, second = names.index(bond.attrib["atomName1"]), names.index(bond.attrib["atomName2"])
        else:
            first, second = int(bond.attrib["from"]), int(bond.attrib["to"])
            names[first], names[second]
    except (KeyError, ValueError, IndexError):
        raise refuse(f"bond {dict(bond.attrib)}", "names no two of the residue's atoms") from None
    return first, second


def positions(structure: str) -> dict[str, tuple[float, float, float]]:
    """Positions in m by atom name, of the ATOM and HETATM lines of a PDB text."""
    found = {}
    for line in structure.splitlines():
        if line.startswith(("ATOM", "HETATM")):
            try:
                x, y, z = (number(line[first : first + 8]) * 1e-10 for first in (30, 38, 46))
            except ValueError:
                continue  # `read_molecule` then reports the atom as absent
            found[line[12:16].strip()] = (x, y, z)
    return found
