"""Ions of several sites, with and without water: where their centres are, what moves them, what counts them."""

from __future__ import annotations

import io

import numpy as np
import openmm
import pytest
from openmm import app, unit

import md
from md import Cell
from md.bulk import bulk_box, bulk_system
from md.forcefield import PER_SHEET_ATOM, build_system, forcefield_xml, nonbonded, topology
from md.growth import grow
from md.ion_forces import FORCE, charge_sheet_atoms, contact_context, electrostatic_context
from md.ions import IonSites
from md.packing import check_overlaps, pack
from transslit import BadInput, Electrolyte, load_electrolyte
from transslit.progress import Progress

LIQUID = load_electrolyte("BMIM-PF6")

HYDROXIDE = """<ForceField>
 <AtomTypes>
  <Type name="O" class="O" element="O" mass="15.9994"/><Type name="H" class="H" element="H" mass="1.008"/>
 </AtomTypes>
 <Residues>
  <Residue name="OHX"><Atom name="O" type="O"/><Atom name="H" type="H"/><Bond atomName1="O" atomName2="H"/></Residue>
 </Residues>
 <HarmonicBondForce><Bond type1="O" type2="H" length="0.0964" k="400000"/></HarmonicBondForce>
 <NonbondedForce coulomb14scale="0.5" lj14scale="0.5">
  <Atom type="O" charge="-1.32" sigma="0.32" epsilon="0.25"/><Atom type="H" charge="0.32" sigma="0.1" epsilon="0"/>
 </NonbondedForce>
</ForceField>"""
STRUCTURE = """HETATM    1  O   OHX A   1       0.000   0.000   0.000
HETATM    2  H   OHX A   1       0.000   0.000   0.964
"""


@pytest.fixture(scope="module")
def hydroxide():
    """KOH of made-up parameters: one ion of an atom, one of two, in water."""
    salt = load_electrolyte("KCl").model_dump()
    other = salt["ions"][1]
    other["name"] = "OH"
    text = {"source": "made up for a test"}
    other["md"] = {"forcefield": {"value": HYDROXIDE, **text}, "structure": {"value": STRUCTURE, **text}}
    return Electrolyte.model_validate({**salt, "name": "KOH"})


def test_centres_and_totals(hydroxide):
    sites = IonSites(hydroxide, {"K": 2, "OH": 3})
    assert (sites.ions, len(sites)) == (5, 8)
    np.testing.assert_array_equal(sites.owner, [0, 1, 2, 2, 3, 3, 4, 4])
    np.testing.assert_array_equal(sites.kind, [0, 0, 1, 1, 1])
    np.testing.assert_allclose(sites.total(sites.charge), [1, 1, -1, -1, -1])
    place = np.arange(24.0).reshape(8, 3)
    heavy, light = 15.9994, 1.008
    expected = (heavy * place[2] + light * place[3]) / (heavy + light)
    np.testing.assert_allclose(sites.centres(place)[2], expected)
    np.testing.assert_allclose(sites.centres(place)[:2], place[:2])


def test_the_box_has_the_ions_own_force_field(hydroxide):
    """Bonds to hydrogen are constrained and waters rigid; sites of one ion do not repel one another."""
    box = bulk_box(hydroxide, 2000.0, 150, cutoff=0.7e-9)
    system = bulk_system(box)
    number = box.numbers["OH"]
    assert system.getNumConstraints() == 3 * box.waters + number
    force, first = nonbonded(system), box.numbers["K"]
    assert force.getParticleParameters(first)[0].value_in_unit(unit.elementary_charge) == -1.32
    assert force.getParticleParameters(first)[1].value_in_unit(unit.nanometer) == 0.32
    assert force.getNumExceptions() == 3 * box.waters + number


def test_two_force_fields_must_scale_alike(hydroxide):
    other = hydroxide.ions[1]
    text = HYDROXIDE.replace('lj14scale="0.5"', 'lj14scale="1"').replace("OHX", "OHY")
    renamed = other.md.model_copy(
        update={
            "forcefield": other.md.forcefield.model_copy(update={"value": text}),
            "structure": other.md.structure.model_copy(update={"value": STRUCTURE.replace("OHX", "OHY")}),
        }
    )
    third = other.model_copy(update={"name": "OD", "md": renamed, "stoichiometry": 1})
    with pytest.raises(BadInput, match="1-4"):
        forcefield_xml(hydroxide.model_copy(update={"ions": (*hydroxide.ions, third)}))
    with pytest.raises(BadInput, match="another residue"):
        forcefield_xml(hydroxide.model_copy(update={"ions": (*hydroxide.ions, other)}))


def test_the_merged_force_field_gives_the_models_energy():
    """One cation and one anion in vacuum against the model written out: Coulomb and Lorentz-Berthelot over sites."""
    cation, anion = LIQUID.ions
    places = np.array([site.position for site in cation.sites])
    distance = np.array([0.0, 0.45e-9, 0.1e-9])
    structure = bulk_box(LIQUID, waters=200, cutoff=0.7e-9).structure
    modeller = app.Modeller(structure, np.zeros((structure.getNumAtoms(), 3)) * unit.nanometer)
    kept = {0: 0, 1: 0}
    extra = []
    for residue in modeller.topology.residues():
        k = int(residue.name != cation.molecule.residue)
        kept[k] += 1
        extra += [residue] if kept[k] > 1 else []
    modeller.delete(extra)
    field = app.ForceField(io.StringIO(forcefield_xml(LIQUID)))
    names = {residue: residue.name for residue in modeller.topology.residues()}
    modeller.topology.setPeriodicBoxVectors(None)
    system = field.createSystem(modeller.topology, constraints=app.AllBonds, residueTemplates=names)
    context = openmm.Context(system, openmm.VerletIntegrator(1e-3), openmm.Platform.getPlatform("Reference"))
    context.setPositions(np.concatenate([places, distance[None]]) * 1e9)
    found = context.getState(getEnergy=True).getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole)
    sigma, epsilon = np.array([0.438, 0.341, 0.504]), np.array([2.56, 0.36, 1.83])  # of the sites, nm and kJ/mol
    charge = np.array([site.charge for site in cation.sites])
    away = np.linalg.norm(places - distance, axis=1) * 1e9
    mixed, depth = (sigma + 0.506) / 2, np.sqrt(epsilon * 4.71)
    expected = 138.935458 * charge * anion.charge / away + 4 * depth * ((mixed / away) ** 12 - (mixed / away) ** 6)
    assert found == pytest.approx(expected.sum(), abs=0.01 * abs(expected).sum())


LIQUID_CELL = {"electrolyte": LIQUID, "concentration": LIQUID.concentration, "platform": "CPU"}


def test_the_default_cell_holds_the_liquid_at_its_density():
    """No more ions than its own volume has, whatever the sheets will draw: half a pair in hundreds may be rounded."""
    cell = Cell(md.quick(0.59e-9, LIQUID, LIQUID.concentration))
    assert cell.initial_concentration == pytest.approx(LIQUID.liquid_concentration, rel=5e-3)


@pytest.fixture(scope="module")
def packed(make_config):
    """Cell, and positions in nm of ions that have grown to their size."""
    cell = Cell(make_config(**LIQUID_CELL))
    positions, waters = pack(cell, 0)
    assert waters == 0
    structure = topology(cell, 0)
    first = len(cell.sheet_atoms["sign"])
    sites = range(first, first + len(cell.ion_sites))
    return cell, grow(structure, build_system(cell, structure), positions * 1e9, sites, "CPU")


def test_a_liquid_of_ions_fills_the_cell(packed):
    """No two ions overlap, each is as its structure says, and slits and reservoirs hold alike per volume."""
    cell, positions = packed
    check_overlaps(cell, positions * 1e-9, least=0.25e-9)
    sites = cell.ion_sites
    place = positions[len(cell.sheet_atoms["sign"]) :]
    for a, b in LIQUID.ions[0].bonds:
        length = np.linalg.norm(np.subtract(LIQUID.ions[0].sites[a].position, LIQUID.ions[0].sites[b].position)) * 1e9
        cations = sites.first[sites.kind == 0]
        np.testing.assert_allclose(np.linalg.norm(place[cations + a] - place[cations + b], axis=1), length, rtol=1e-4)
    x = sites.centres(place)[:, 0] * 1e-9
    held = md.starts.slit_contents(cell, x).sum(axis=0)
    per_volume = held[:-1].sum() / cell.volumes["slits"], held[-1] / cell.volumes["reservoirs"]
    assert 0.6 < per_volume[0] / per_volume[1] < 1.6


def test_kinds_add_up_to_what_moves_the_centres(packed):
    """Forces by kind, summed over an ion's sites, against those of the run less its bonds, which move no centre."""
    cell, positions = packed
    system = build_system(cell, topology(cell, 0))
    context = openmm.Context(system, openmm.VerletIntegrator(1e-3), openmm.Platform.getPlatform("CPU"))
    context.setPositions(positions)
    context.setParameter(PER_SHEET_ATOM, 0.02)
    first = len(cell.sheet_atoms["sign"])
    total = np.asarray(context.getState(getForces=True).getForces(asNumpy=True)._value)[first:] * FORCE
    whole = cell.ion_sites.total(total)
    found = np.zeros_like(whole)
    electrostatic, contact = electrostatic_context(cell, 0), contact_context(cell, 0)
    charge_sheet_atoms(electrostatic, cell, cell.sheet_atoms["sign"] * 0.02)
    for made, groups in ((electrostatic, (0,)), (contact, (1, 2, 3))):
        made.setPositions(positions)
        for group in groups:
            forces = made.getState(getForces=True, groups={group}).getForces(asNumpy=True)
            found += cell.ion_sites.total(np.asarray(forces)[first:] * FORCE)
    scale = np.sqrt((whole**2).mean())
    np.testing.assert_allclose(found, whole, atol=5e-3 * scale)


def test_a_liquid_of_ions_runs_to_its_record(make_config, tmp_path, monkeypatch):
    monkeypatch.setattr(md.starts, "WARM", 0.2)  # it equilibrates for half a picosecond only
    record = md.run(make_config(**LIQUID_CELL, force_frames=0.1e-12), tmp_path / "run", Progress(quiet=True))
    crossings, slits = record.crossings, record.slits
    assert {"I_BMIM_A_per_m", "I_PF6_A_per_m"} <= set(crossings.columns)
    assert slits["c_BMIM_mol_per_m3"].mean() == pytest.approx(LIQUID.concentration, rel=0.5)
    total = crossings["I_BMIM_A_per_m"] + crossings["I_PF6_A_per_m"]
    np.testing.assert_allclose(total, crossings["I_A_per_m"], atol=1e-9 * crossings["I_A_per_m"].abs().max())
    assert np.isfinite(record.terminal["I_m_A_per_m"]).all()
