"""Options of the commands: which fields of their configurations they have, and what they are read to."""

import typing

import pytest

from continuum import ContinuumConfig
from discovery import DiscoveryConfig
from md import MDConfig, paper, quick
from transslit import BadInput, ChargeStep, SlitNetwork, load_electrolyte
from transslit.drive import PotentialStep
from transslit.shell import texts_of
from transslit.units import Quantity, parse
from validation.commands import circuit, claims, continuum, discover, judge, md, sweep, validate

COMMANDS = (circuit, claims, continuum, discover, judge, md, sweep, validate)


def test_a_command_has_its_options_by_name_and_gets_those_that_are_given_as_texts():
    (command,) = continuum.app.registered_commands
    hints = typing.get_type_hints(command.callback)
    assert {"slit": str | None, "figures": bool}.items() <= hints.items()
    assert "texts" not in hints
    words = dict.fromkeys(continuum.OPTIONS.known) | {"figures": True, "slit": "0.1nm", "scheme": ""}
    assert texts_of(words) == {"figures": "true", "slit": "0.1nm", "scheme": ""}
    with pytest.raises(BadInput, match="scheme: : Input should be"):
        command.callback(**words | {"slit": "1nm"})


@pytest.mark.parametrize("command", COMMANDS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_option_has_a_help_text(command):
    assert [name for name, options in command.OPTIONS.known.items() if not options[0].field.description] == []


def test_fields_of_the_configurations_are_options():
    """All but those that other options give: the kind of cell by the drive, half-cells by a flag, tables by files."""
    known = {module: set(module.OPTIONS.known) for module in COMMANDS}
    assert ContinuumConfig.model_fields.keys() - known[continuum] == {"network", "cell"}
    assert SlitNetwork.model_fields.keys() <= known[continuum]
    assert SlitNetwork.model_fields.keys() - known[md] == {"sheet_thickness"}  # that of the lattice
    assert MDConfig.model_fields.keys() - known[md] == {"network"}
    assert DiscoveryConfig.model_fields.keys() <= known[discover]
    tables = {"resistance_table", "capacitance_table", "open_capacitance_table"}
    assert circuit.CircuitConfig.model_fields.keys() - known[circuit] == {"full_cell", *tables}


def test_one_name_is_one_quantity_in_every_command():
    kinds = {}
    for module in (md, continuum, circuit):
        for name, options in module.OPTIONS.known.items():
            found = {
                module.OPTIONS.kinds.get(name, each.kind)
                for o in options
                for each in o.types
                if isinstance(each, Quantity)
            }
            if name != "current":  # per metre of depth in the continuum
                kinds.setdefault(name, set()).update(found)
    assert {name: found for name, found in kinds.items() if len(found) > 1} == {}


def test_molecular_dynamics_takes_a_preset_and_any_field():
    salt = load_electrolyte("KCl")
    assert md.read({"slit": "0.59nm"}) == quick(0.59e-9, salt, salt.concentration)
    texts = {"slit": "0.59nm", "preset": "paper", "layers": "5", "slit_length": "5nm", "cutoff": "0.8nm", "seed": "4"}
    changes = {"layers": 5, "slit_length": parse("5nm", "length")}
    network = paper(0.59e-9, salt, salt.concentration).network.model_copy(update=changes)
    wanted = paper(0.59e-9, salt, salt.concentration, network=network, cutoff="0.8nm", seed=4)
    assert md.read(texts) == wanted
    assert wanted.replicas == 8
    step = md.read({"slit": "0.59nm", "drive": "potential-step", "voltage": "1V", "duration": "2ps"})
    assert step.imposed == PotentialStep(voltage=1.0, duration=2e-12)
    with pytest.raises(BadInput, match=r"ramp: 1ps: a charge-step drive does not take it \(charge-ramp would\)"):
        md.read({"slit": "0.59nm", "ramp": "1ps"})


def test_the_continuum_s_cell_follows_from_its_drive():
    texts = {"slit": "2nm", "drive": "charge-step", "charge": "0.1C/m^2", "duration": "1ps", "ion_diameter": "0.4nm"}
    config = continuum.read(texts)
    assert (config.cell, config.drive) == ("full", ChargeStep(sigma=0.1, duration=1e-12))
    assert {ion.diameter.value for ion in config.electrolyte.ions} == {parse("0.4nm", "length")}
    other = continuum.read({"slit": "2nm", "permittivity": "40", "electrolyte": "CaCl2"})
    assert (other.cell, other.relative_permittivity) == ("half", 40.0)
    assert other.concentration == load_electrolyte("CaCl2").concentration


def test_a_circuit_s_drive_can_be_a_file(tmp_path):
    path = tmp_path / "drive.csv"
    path.write_text("time_us,V_m_mV\n0,0\n2,5\n")
    base = {"resistance": "5ohm", "charge_max": "1nC"}
    config = circuit.read(base | {"drive": "table", "drive_table": str(path)}).config
    assert (config.drive.time, config.drive.voltage) == ((0.0, 2e-6), (0.0, 5e-3))
    with pytest.raises(BadInput, match="a cv drive does not take it"):
        circuit.read(base | {"drive_table": str(path)})
    assert circuit.read(base).config.drive.cycles == 2
