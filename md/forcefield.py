"""Force field and topology: SPC/E water, the electrolyte's ions, frozen sheets; Lorentz-Berthelot, PME.

The force field is written as an OpenMM ForceField XML from the electrolyte's file, so that it can be checked and used
elsewhere. Mixing rules: sigma_ij arithmetic, epsilon_ij geometric (OpenMM's NonbondedForce).
Parameters: arXiv 2010.08151, Extended Data Table 1 (water H 0.424 e, O -0.848 e); rigid geometry of
SPC/E: Berendsen et al. 1987, doi:10.1021/j100308a038; atoms of the sheets: `md.sheet_lattice`.
"""

from __future__ import annotations

import io
from typing import Any
from xml.etree import ElementTree

import numpy as np
import openmm
from openmm import app, unit
from scipy.spatial import cKDTree

from md.cell import Cell
from md.config import MDConfig
from md.packing import ANGLE, OXYGEN_HYDROGEN
from md.sheet_lattice import SheetLattice
from transslit.electrolyte import Electrolyte
from transslit.errors import BadInput
from transslit.ions import Ion, MDParameters, MolecularParameters

KCAL = 4.184  # kJ
WATER = {
    "O": {"charge": -0.848, "sigma": 0.3166, "epsilon": 0.155 * KCAL},
    "H": {"charge": 0.424, "sigma": 0.2058, "epsilon": 0.0},
}
MASSES = {"O": 15.9994, "H": 1.00794}  # Da, IUPAC
PER_SHEET_ATOM = "charge_per_carbon"  # global parameter, e: the charge of the positive electrode's sheet atoms
EXCLUDED = 0.3  # nm, neighbours within a frozen sheet, whose mutual forces are irrelevant


def forcefield_xml(electrolyte: Electrolyte, sheets: SheetLattice | None = None) -> str:
    """OpenMM ForceField XML of sheet atoms (uncharged, massless), water and ions; molecular ions as in their own XML.

    `sheets` is the lattice of the sheets, if there are any.

    Raises
    ------
    BadInput : molecular ions scale 1-4 interactions differently, or two ions' residues share a name
    """
    names = ["GRA", "HOH", *(ion.molecule.residue for ion in electrolyte.ions)]
    for ion in electrolyte.ions:
        if names.count(ion.molecule.residue) > 1:
            raise BadInput(f"ions.{ion.name}", f"residue {ion.molecule.residue}", "another residue has that name")
    root = ElementTree.Element("ForceField")
    root.append(ElementTree.Comment(" SPC/E water, frozen sheets and ions; Lorentz-Berthelot mixing "))
    single = [(ion, ion.md) for ion in electrolyte.ions if isinstance(ion.md, MDParameters)]
    types = ElementTree.SubElement(root, "AtomTypes")
    residues = ElementTree.SubElement(root, "Residues")

    def add(parent: ElementTree.Element, tag: str, **attributes: object) -> ElementTree.Element:
        return ElementTree.SubElement(parent, tag, {key: str(value) for key, value in attributes.items()})

    def kind(name: str, element: str | None, mass: float) -> None:
        known = {"element": element} if element else {}  # a coarse-grained site has none
        types.append(ElementTree.Element("Type", {"name": name, "class": name, **known, "mass": str(mass)}))

    if sheets:
        kind(sheets.name, sheets.element, 0.0)
        add(add(residues, "Residue", name="GRA"), "Atom", name=sheets.element, type=sheets.name, charge=0.0)
    kind("spce-O", "O", MASSES["O"])
    kind("spce-H", "H", MASSES["H"])
    water = add(residues, "Residue", name="HOH")
    for name in ("O", "H1", "H2"):
        add(water, "Atom", name=name, type=f"spce-{name[0]}", charge=WATER[name[0]]["charge"])
    add(water, "Bond", atomName1="O", atomName2="H1")
    add(water, "Bond", atomName1="O", atomName2="H2")
    for ion, known in single:
        kind(f"ion-{ion.name}", ion.sites[0].element, known.mass.value)
        residue = add(residues, "Residue", name=ion.molecule.residue)
        add(residue, "Atom", name=ion.name, type=f"ion-{ion.name}", charge=known.charge.value)
    stiff = 1e5  # kJ/mol/nm^2 and /rad^2; without effect, since waters are rigid
    bonds = add(root, "HarmonicBondForce")
    add(bonds, "Bond", class1="spce-O", class2="spce-H", length=OXYGEN_HYDROGEN * 1e9, k=stiff)
    angles = add(root, "HarmonicAngleForce")
    add(angles, "Angle", class1="spce-H", class2="spce-O", class3="spce-H", angle=float(ANGLE), k=stiff)
    nonbonded = add(root, "NonbondedForce", **scales14(electrolyte))
    add(nonbonded, "UseAttributeFromResidue", name="charge")
    if sheets:
        add(nonbonded, "Atom", type=sheets.name, sigma=sheets.sigma * 1e9, epsilon=sheets.epsilon)
    for name, parameters in WATER.items():
        add(nonbonded, "Atom", type=f"spce-{name}", sigma=parameters["sigma"], epsilon=parameters["epsilon"])
    for ion, known in single:
        sigma, epsilon = known.sigma.value * 1e9, known.epsilon.value
        add(nonbonded, "Atom", type=f"ion-{ion.name}", sigma=sigma, epsilon=epsilon)
    for ion, own in molecular(electrolyte):
        merge(root, molecular_xml(ion, own))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def molecular_xml(ion: Ion, md: MolecularParameters) -> ElementTree.Element:
    """The XML of a molecular ion, with types that are unique to the ion and charges at the residue's atoms."""
    root = ElementTree.fromstring(md.forcefield.value)
    for element in root.iter():
        for key in element.attrib:
            named = key.rstrip("1234") in ("type", "class") or (element.tag == "Type" and key == "name")
            if named and element.get(key):
                element.set(key, f"{ion.name}-{element.get(key)}")
    (residue,) = root.iter("Residue")
    for atom, site in zip(residue.iter("Atom"), ion.sites, strict=True):
        atom.set("charge", str(site.charge))
    for atom in root.iterfind("NonbondedForce/Atom"):
        atom.attrib.pop("charge", None)
    return root


def merge(root: ElementTree.Element, other: ElementTree.Element) -> None:
    """Merge the sections of another ForceField XML into `root`."""
    for section in other:
        known = root.find(section.tag)
        if known is None:
            root.append(section)
            continue
        known.extend(entry for entry in section if entry.tag != "UseAttributeFromResidue")


def scales14(electrolyte: Electrolyte) -> dict[str, float]:
    """Scale factors of 1-4 interactions of the molecular ions; 1 without molecular ions.

    Raises
    ------
    BadInput : the molecular ions have different ones
    """
    names = ("coulomb14scale", "lj14scale")
    scales: tuple[float, ...] = (1.0, 1.0)
    for number, (ion, md) in enumerate(molecular(electrolyte)):
        section = ElementTree.fromstring(md.forcefield.value).find("NonbondedForce")
        own = tuple(float(section.get(name, 1.0)) if section is not None else 1.0 for name in names)
        if number and own != scales:
            raise BadInput(f"ions.{ion.name}.md.forcefield", f"{names} of {own}", "all ions must scale 1-4 pairs alike")
        scales = own
    return dict(zip(names, scales, strict=True))


def molecular(electrolyte: Electrolyte) -> list[tuple[Ion, MolecularParameters]]:
    """The ions with a force field of their own, as XML."""
    return [(ion, ion.md) for ion in electrolyte.ions if isinstance(ion.md, MolecularParameters)]


def topology(cell: Cell, waters: int) -> app.Topology:
    """Sheet atoms (a chain per sheet), ions (a chain per kind), waters (one chain), in the order of `packing.pack`."""
    structure = app.Topology()
    symbol = cell.sheet_lattice.element
    element = app.Element.getBySymbol(symbol)
    chain, last = None, -1
    for number in cell.sheet_atoms["sheet"]:
        if number != last:
            chain, last = structure.addChain(), number
        structure.addAtom(symbol, element, structure.addResidue("GRA", chain))
    add_liquid(structure, cell.electrolyte, cell.ion_numbers, waters)
    structure.setPeriodicBoxVectors(np.diag(cell.box * 1e9) * unit.nanometer)
    return structure


def add_liquid(structure: app.Topology, electrolyte: Electrolyte, numbers: dict[str, int], waters: int) -> None:
    """Add `numbers` of each ion (a chain per kind) and the waters (one chain) to a topology."""
    for ion in electrolyte.ions:
        chain = structure.addChain()
        elements = [app.Element.getBySymbol(site.element) if site.element else None for site in ion.sites]
        for _ in range(numbers[ion.name]):
            residue = structure.addResidue(ion.molecule.residue, chain)
            pairs = zip(ion.sites, elements, strict=True)
            sites = [structure.addAtom(site.name, element, residue) for site, element in pairs]
            for a, b in ion.bonds:
                structure.addBond(sites[a], sites[b])
    if not waters:
        return
    chain = structure.addChain()
    oxygen, hydrogen = app.Element.getBySymbol("O"), app.Element.getBySymbol("H")
    for _ in range(waters):
        residue = structure.addResidue("HOH", chain)
        atoms = [structure.addAtom(*atom, residue) for atom in (("O", oxygen), ("H1", hydrogen), ("H2", hydrogen))]
        structure.addBond(atoms[0], atoms[1])
        structure.addBond(atoms[0], atoms[2])


def parametrise(
    structure: app.Topology, electrolyte: Electrolyte, cutoff: float, sheets: SheetLattice | None = None, **options: Any
) -> openmm.System:
    """The system of a topology by `forcefield_xml`, with PME at `cutoff` (m) and rigid water.

    All bonds of rigid molecular ions are constrained; of other molecular ions, those to hydrogen.
    """
    several = molecular(electrolyte)
    rigid = any(md.rigid for _, md in several)
    # By name, since sites without an element cannot be told apart.
    names = {ion.molecule.residue for ion in electrolyte.ions}
    return app.ForceField(io.StringIO(forcefield_xml(electrolyte, sheets))).createSystem(
        structure,
        nonbondedMethod=app.PME,
        nonbondedCutoff=cutoff * 1e9 * unit.nanometer,
        constraints=app.AllBonds if rigid else app.HBonds if several else None,
        rigidWater=True,
        residueTemplates={residue: residue.name for residue in structure.residues() if residue.name in names},
        **options,
    )


def build_system(cell: Cell, structure: app.Topology) -> openmm.System:
    """Uncharged electrodes, rigid water, PME; the context parameter `PER_SHEET_ATOM` charges the electrodes.

    Raises
    ------
    BadInput : the system is not neutral (PME would silently add a background charge)
    """
    config: MDConfig = cell.config
    system = parametrise(
        structure,
        cell.electrolyte,
        config.cutoff,
        cell.sheet_lattice,
        removeCMMotion=False,  # frozen sheets fix the frame of reference
        ewaldErrorTolerance=config.ewald_tolerance,
    )
    force = nonbonded(system)
    force.setUseDispersionCorrection(False)  # a constant at constant volume
    force.setExceptionsUsePeriodicBoundaryConditions(True)  # sheets are bonded across the box
    sheet_atoms, sheets = cell.sheet_atoms["positions"] * 1e9, cell.sheet_atoms["sheet"]
    pairs = cKDTree(sheet_atoms, boxsize=cell.box * 1e9).query_pairs(EXCLUDED, output_type="ndarray")
    for a, b in pairs[sheets[pairs[:, 0]] == sheets[pairs[:, 1]]]:
        force.addException(int(a), int(b), 0.0, 1.0, 0.0)
    force.addGlobalParameter(PER_SHEET_ATOM, 0.0)
    for i, sign in enumerate(cell.sheet_atoms["sign"]):
        force.addParticleParameterOffset(PER_SHEET_ATOM, i, float(sign), 0.0, 0.0)
    check_neutral(charges(system), allowed=cell.electrolyte.allow_charged)
    return system


def nonbonded(system: openmm.System) -> openmm.NonbondedForce:
    """The one NonbondedForce of a system."""
    return next(force for force in system.getForces() if isinstance(force, openmm.NonbondedForce))


def charges(system: openmm.System) -> np.ndarray:
    """Charge of every particle in e, shape (particles,), at the default values of the offsets."""
    force = nonbonded(system)
    found = np.array(
        [
            force.getParticleParameters(i)[0].value_in_unit(unit.elementary_charge)
            for i in range(force.getNumParticles())
        ]
    )
    for number in range(force.getNumParticleParameterOffsets()):
        _, particle, scale, *_ = force.getParticleParameterOffset(number)
        found[particle] += scale * force.getGlobalParameterDefaultValue(0)
    return found


def check_neutral(charge: np.ndarray, *, allowed: bool = False) -> None:
    """Refuse a box with a net charge.

    Raises
    ------
    BadInput : the charges (e) do not add up to zero
    """
    net = float(charge.sum())
    if abs(net) > 1e-6 and not allowed:
        raise BadInput("charge", f"{net:+.6g} e in the box", "the box must be neutral; check the ions' charges")
