"""Kinetic energy is distributed as it must be, by physical_validation (P. T. Merz, M. R. Shirts, PLOS ONE 13, e0202764
(2018)); without a thermostat energy is kept, and its fluctuations shrink with the square of the timestep.

The box is small, since none of this depends on its size: 80 rigid waters and a pair of ions, cutoff 0.6 nm.
"""

from __future__ import annotations

import numpy as np
import openmm
import pytest
from openmm import app, unit

from md.bulk import bulk_box, bulk_system
from md.forcefield import build_system, nonbonded, topology
from md.packing import pack
from md.propagate import GAS_CONSTANT, Thermometer
from transslit import load_electrolyte

KCL = load_electrolyte("KCl")
TEMPERATURE = 298.15
KT = GAS_CONSTANT * TEMPERATURE  # kJ/mol


@pytest.fixture(scope="module")
def box():
    return bulk_box(KCL, 1000.0, 80, cutoff=0.6e-9)


def start(box, integrator, platform="CPU", *, smooth=False):
    """A simulation; `smooth` takes the jump at the cutoff away, and what single precision and constraints leave."""
    system = bulk_system(box)
    if smooth:
        nonbonded(system).setUseSwitchingFunction(True)
        nonbonded(system).setSwitchingDistance(0.4)
        nonbonded(system).setEwaldErrorTolerance(1e-5)
        integrator.setConstraintTolerance(1e-9)
    properties = {"Threads": "1"} if platform == "CPU" else {}
    return app.Simulation(box.structure, system, integrator, openmm.Platform.getPlatform(platform), properties)


@pytest.fixture(scope="module")
def liquid(box):
    """The thermostatted simulation after 2 ps."""
    integrator = openmm.LangevinMiddleIntegrator(TEMPERATURE, 20.0, 0.002)
    integrator.setRandomNumberSeed(5)
    sim = start(box, integrator)
    sim.context.setPositions(box.positions * 1e9)
    sim.minimizeEnergy(maxIterations=100)
    sim.context.setVelocitiesToTemperature(TEMPERATURE, 6)
    sim.step(1000)
    return sim


@pytest.fixture(scope="module")
def sampled(liquid, box):
    """Kinetic energies (kJ/mol), positions (nm) and velocities (nm/ps) every 0.04 ps of 8 ps, and the raw energies.

    Velocities of a leapfrog are differences of positions and therefore stand off the bonds by w^2 r dt / 2 as molecules
    turn; they are put back on the constraints before they are counted.
    """
    probe = start(box, openmm.VerletIntegrator(0.002)).context
    positions, velocities, raw = [], [], []
    for _ in range(200):
        liquid.step(20)
        state = liquid.context.getState(getEnergy=True, getPositions=True, getVelocities=True)
        probe.setPositions(state.getPositions())
        probe.setVelocities(state.getVelocities())
        probe.applyVelocityConstraints(1e-6)
        rigid = probe.getState(getVelocities=True)
        positions.append(state.getPositions(asNumpy=True).value_in_unit(unit.nanometer))
        velocities.append(rigid.getVelocities(asNumpy=True).value_in_unit(unit.nanometer / unit.picosecond))
        raw.append(state.getKineticEnergy().value_in_unit(unit.kilojoule_per_mole))
    masses = np.array([mass.value_in_unit(unit.dalton) for mass in _masses(liquid.system)])
    energies = 0.5 * (masses[:, None] * np.array(velocities) ** 2).sum(axis=(1, 2))
    return energies, np.array(positions), np.array(velocities), np.array(raw)


def simulation_data(liquid, sampled, box, *, constraints_per_water=3):
    """What physical_validation asks for, by hand; no reader of it knows OpenMM."""
    import physical_validation as pv

    energies, positions, velocities, _ = sampled
    masses = np.array([atom.value_in_unit(unit.dalton) for atom in _masses(liquid.system)])
    ions = sum(box.numbers.values())
    system = pv.data.SystemData(
        natoms=len(masses),
        nconstraints=constraints_per_water * box.waters,
        ndof_reduction_tra=3,  # no total momentum
        ndof_reduction_rot=0,
        mass=masses,
        molecule_idx=np.concatenate([np.arange(ions), ions + 3 * np.arange(box.waters)]),
        nconstraints_per_molecule=np.array([0] * ions + [constraints_per_water] * box.waters),
    )
    edge = box.length * 1e9
    return pv.data.SimulationData(
        units=pv.data.UnitData(
            kb=GAS_CONSTANT, energy_str="kJ/mol", energy_conversion=1, length_str="nm", length_conversion=1,
            volume_str="nm^3", volume_conversion=1, temperature_str="K", temperature_conversion=1,
            pressure_str="bar", pressure_conversion=1, time_str="ps", time_conversion=1,
        ),
        dt=0.04,
        system=system,
        ensemble=pv.data.EnsembleData(ensemble="NVT", natoms=len(masses), volume=edge**3, temperature=TEMPERATURE),
        observables=pv.data.ObservableData(kinetic_energy=energies),
        trajectory=pv.data.TrajectoryData(position=positions[::3], velocity=velocities[::3]),
    )  # fmt: skip


def _masses(system):
    return [system.getParticleMass(i) for i in range(system.getNumParticles())]


@pytest.fixture
def lenient():
    """physical_validation compares with infinities on its way; the suite's own code may not."""
    with np.errstate(all="ignore"):
        yield


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("lenient")
def test_kinetic_energy_is_maxwell_boltzmann(liquid, sampled, box):
    """Its mean and width give the temperature to within 3.5 standard errors each, its shape a p-value above 1e-3."""
    import physical_validation as pv

    data = simulation_data(liquid, sampled, box)
    for estimate in pv.kinetic_energy.distribution(
        data, strict=False, verbosity=0, bs_repetitions=200, bootstrap_seed=1
    ):
        assert abs(estimate) < 3.5
    assert pv.kinetic_energy.distribution(data, strict=True, verbosity=0) > 1e-3


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("lenient")
def test_the_check_sees_a_forgotten_constraint(liquid, sampled, box):
    """Two constraints a water instead of three are one degree of freedom in six too many."""
    import physical_validation as pv

    wrong = simulation_data(liquid, sampled, box, constraints_per_water=2)
    assert pv.kinetic_energy.distribution(wrong, strict=True, verbosity=0) < 1e-6


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("lenient")
def test_equipartition_between_translation_and_rotation(liquid, sampled, box):
    """Temperatures of the molecules' translation and of their rotation, and of the whole, agree with the bath's."""
    import physical_validation as pv

    data = simulation_data(liquid, sampled, box)
    options = {"strict": False, "verbosity": 0, "bootstrap_seed": 1, "data_is_uncorrelated": True}  # 0.12 ps at 20/ps
    found = np.array(pv.kinetic_energy.equipartition(data, **options))
    assert np.abs(np.array([part for part in found if np.isfinite(part).all()])).max() < 4.5


def test_raw_velocities_read_a_little_high(sampled):
    """What 2 fs do to the kinetic temperature of raw leapfrog velocities, the ones that runs report: some 1 %."""
    excess = sampled[3].mean() / sampled[0].mean() - 1
    print(f"raw velocities read {100 * excess:.2f} % high")
    assert 0.003 < excess < 0.02


def test_thermometer_counts_frozen_sheets_and_rigid_waters_right(make_config):
    """Three degrees of freedom an ion, six a water, none a sheet atom."""
    from md.cell import Cell

    cell = Cell(make_config())
    waters = pack(cell, 0)[1]
    system = build_system(cell, topology(cell, waters))
    assert Thermometer(system, 1).freedom == 3 * sum(cell.ion_numbers.values()) + 6 * waters


def total_energies(sim, steps, every):
    """Total energy (kJ/mol) every `every` steps."""
    found = []
    for _ in range(steps // every):
        sim.step(every)
        state = sim.context.getState(getEnergy=True)
        found.append((state.getKineticEnergy() + state.getPotentialEnergy()).value_in_unit(unit.kilojoule_per_mole))
    return np.array(found)


def copy_state(source, target):
    state = source.context.getState(getPositions=True, getVelocities=True)
    target.context.setPositions(state.getPositions())
    target.context.setVelocities(state.getVelocities())


def test_energy_fluctuates_with_the_square_of_the_timestep(liquid, box):
    """Leapfrog keeps a shadow Hamiltonian that is off by the second order: half the step, a quarter of it."""
    spread = []
    for timestep in (0.001, 0.002):
        sim = start(box, openmm.VerletIntegrator(timestep), "Reference", smooth=True)
        copy_state(liquid, sim)
        spread.append(np.std(total_energies(sim, round(0.16 / timestep), round(0.004 / timestep))))
    assert spread[1] / spread[0] == pytest.approx(4, rel=0.2)


@pytest.mark.slow
def test_energy_drift_without_a_thermostat():
    """20 ps at 2 fs with the runs' own cutoff, Ewald tolerance and precision: below 0.1 kT per ns and degree of
    freedom, which a thermostat of 5/ps takes out a hundred thousand times faster than it comes."""
    box = bulk_box(KCL, 1000.0, 300)
    integrator = openmm.LangevinMiddleIntegrator(TEMPERATURE, 20.0, 0.002)
    warm = start(box, integrator)
    warm.context.setPositions(box.positions * 1e9)
    warm.minimizeEnergy(maxIterations=100)
    warm.context.setVelocitiesToTemperature(TEMPERATURE, 6)
    warm.step(2000)
    sim = start(box, openmm.VerletIntegrator(0.002))
    copy_state(warm, sim)
    energy = total_energies(sim, 10000, 50)
    freedom = 3 * sum(box.numbers.values()) + 6 * box.waters - 3
    slope = np.polyfit(np.arange(len(energy)) * 1e-4, energy, 1)[0] / KT / freedom  # per ns
    print(f"drift {slope:.4f} kT per ns and degree of freedom; spread {energy.std() / KT / freedom:.2e} kT")
    assert abs(slope) < 0.1
