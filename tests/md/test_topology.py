"""What a run leaves opens elsewhere: topology and trajectory in mdtraj, MDAnalysis and OpenMM, and the force field."""

from __future__ import annotations

import warnings

import MDAnalysis
import mdtraj
import numpy as np
import pytest
from openmm import app, unit

from md import Cell, paper
from md.forcefield import build_system, nonbonded, topology
from md.packing import pack
from md.propagate import simulation
from md.stage import describe
from transslit import load_electrolyte


@pytest.fixture(scope="module")
def described(relaxed, tmp_path_factory):
    """Folder with the topology and the force field of the small cell."""
    folder = tmp_path_factory.mktemp("described")
    describe(*relaxed, folder)
    return folder


def test_three_readers_see_one_topology(relaxed, described):
    """Same atoms, residues, box; positions to the 1e-4 nm of a PDB file."""
    cell, starts = relaxed
    path = str(described / "topology.pdb")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # massless atoms, residue numbers that start again
        by_mdtraj, by_mda, by_openmm = mdtraj.load(path), MDAnalysis.Universe(path), app.PDBFile(path)
    residues = [
        np.repeat([r.name for r in by_mdtraj.topology.residues], [r.n_atoms for r in by_mdtraj.topology.residues]),
        by_mda.atoms.resnames,
        [atom.residue.name for atom in by_openmm.topology.atoms()],
    ]
    original = topology(cell, starts.waters)
    for found in residues:
        assert list(found) == [atom.residue.name for atom in original.atoms()]
    positions = [
        by_mdtraj.xyz[0],
        by_mda.atoms.positions / 10,
        by_openmm.getPositions(asNumpy=True).value_in_unit(unit.nanometer),
    ]
    for found in positions:
        np.testing.assert_allclose(found, starts.positions[0], atol=1e-4)
    boxes = [
        by_mdtraj.unitcell_lengths[0],
        by_mda.dimensions[:3] / 10,
        np.diag(by_openmm.topology.getPeriodicBoxVectors().value_in_unit(unit.nanometer)),
    ]
    for found in boxes:
        np.testing.assert_allclose(found, cell.box * 1e9, atol=1e-4)
    assert len({atom.residue.index for atom in by_openmm.topology.atoms()}) == original.getNumResidues()


def test_two_readers_see_one_trajectory(relaxed, described, finished):
    """OpenMM reads no XTC; mdtraj and MDAnalysis agree on its positions, times and box."""
    cell, _ = relaxed
    path, frames = str(described / "topology.pdb"), str(finished / "replica-0.xtc")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        by_mdtraj, by_mda = mdtraj.load(frames, top=path), MDAnalysis.Universe(path, frames)
    assert len(by_mda.trajectory) == len(by_mdtraj) == 8
    for n, frame in enumerate(by_mda.trajectory):
        np.testing.assert_allclose(frame.positions / 10, by_mdtraj.xyz[n], atol=1e-5)
        assert frame.time == pytest.approx(by_mdtraj.time[n], abs=1e-5)
        np.testing.assert_allclose(frame.dimensions[:3] / 10, cell.box * 1e9, atol=1e-4)


def test_the_written_force_field_gives_the_same_energy(relaxed, described):
    """The two files alone make the uncharged system again, but for the mutual forces of the frozen sheet atoms."""
    cell, starts = relaxed
    structure = app.PDBFile(str(described / "topology.pdb")).topology
    positions = starts.positions[0]
    ours = simulation(topology(cell, starts.waters), build_system(cell, structure), cell, 1)
    system = app.ForceField(str(described / "forcefield.xml")).createSystem(
        structure,
        nonbondedMethod=app.PME,
        nonbondedCutoff=cell.config.cutoff * 1e9,
        rigidWater=True,
        removeCMMotion=False,
        ewaldErrorTolerance=cell.config.ewald_tolerance,
    )
    forces = system.getForces()
    next(force for force in forces if force.getName() == "NonbondedForce").setUseDispersionCorrection(False)
    theirs = simulation(structure, system, cell, 1)
    mobile = slice(len(cell.sheet_atoms["sign"]), None)
    found = []
    for sim in (ours, theirs):
        sim.context.setPositions(positions)
        state = sim.context.getState(getForces=True)
        found.append(state.getForces(asNumpy=True).value_in_unit(unit.kilojoule_per_mole / unit.nanometer)[mobile])
    scale = np.sqrt((found[0] ** 2).mean())
    np.testing.assert_allclose(found[1], found[0], atol=1e-4 * scale)


def test_force_field_is_the_table_of_the_paper(cell):
    """arXiv 2010.08151, Extended Data Table 1, in kcal/mol, angstrom and e; its -1.5 of Cl is -1 (Beglov & Roux 1994).

    Water is rigid as in SPC/E (Berendsen et al. 1987): 1 angstrom, 109.47 degrees. Masses are IUPAC's; sheets are
    frozen, and charged by the drive only.
    """
    table = {  # epsilon, sigma, charge, mass in Da
        "GRA": (0.068, 3.407, 0.0, 0.0),
        "K": (0.087, 3.143, 1.0, 39.0983),
        "Cl": (0.150, 4.045, -1.0, 35.453),
        "O": (0.155, 3.166, -0.848, 15.9994),
        "H": (0.0, 2.058, 0.424, 1.00794),
    }
    residues = {ion.molecule.residue: ion.name for ion in cell.electrolyte.ions} | {"GRA": "GRA"}
    structure = topology(cell, 1)
    system = build_system(cell, structure)
    force, atoms = nonbonded(system), list(structure.atoms())
    seen = set()
    for index, atom in enumerate(atoms):
        name = residues.get(atom.residue.name, atom.name[0])
        charge, sigma, epsilon = force.getParticleParameters(index)
        found = (
            epsilon.value_in_unit(unit.kilocalorie_per_mole),
            sigma.value_in_unit(unit.angstrom),
            charge.value_in_unit(unit.elementary_charge),
            system.getParticleMass(index).value_in_unit(unit.dalton),
        )
        assert found == pytest.approx(table[name], rel=1e-9), name
        seen.add(name)
    assert seen == set(table)
    lengths = [system.getConstraintParameters(n)[2].value_in_unit(unit.angstrom) for n in range(3)]
    assert sorted(lengths) == pytest.approx([1.0, 1.0, 2 * np.sin(np.deg2rad(109.47 / 2))], rel=1e-6)
    assert system.getNumConstraints() == 3


@pytest.mark.slow
def test_serial_numbers_may_run_over(tmp_path):
    """The paper's preset at 2 nm has more than 99,999 atoms, the most that a PDB file numbers in decimals."""
    cell = Cell(paper(2e-9, load_electrolyte("KCl"), 1000.0))
    positions, waters = pack(cell, 0)
    original, path = topology(cell, waters), str(tmp_path / "topology.pdb")
    assert len(positions) > 99_999
    with open(path, "w", encoding="ascii") as file:
        app.PDBFile.writeFile(original, positions * 1e9 * unit.nanometer, file)
    names = [(atom.name, atom.residue.name) for atom in original.atoms()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        by_mdtraj, by_mda, by_openmm = mdtraj.load(path), MDAnalysis.Universe(path), app.PDBFile(path)
    assert [(atom.name, atom.residue.name) for atom in by_mdtraj.topology.atoms] == names
    assert [(atom.name, atom.residue.name) for atom in by_openmm.topology.atoms()] == names
    assert list(zip(by_mda.atoms.names, by_mda.atoms.resnames, strict=True)) == names
    np.testing.assert_allclose(by_mda.atoms.positions / 10, positions * 1e9, atol=1e-4)
