"""Options of the commands: fields of their configurations, as text in and as values out."""

import inspect
from typing import Annotated, Literal

import pytest
from pydantic import Field

from continuum import ContinuumConfig
from discovery import DiscoveryConfig
from md import MDConfig, paper, quick
from transslit import BadInput, ChargeStep, SlitNetwork, TriangularCV, load_electrolyte
from transslit.config import Config
from transslit.drive import Galvanostatic, PotentialStep
from transslit.units import Length, Quantity, Resistance, parse
from validation.commands import circuit, claims, continuum, discover, judge, md, sweep, validate
from validation.commands.options import Options

COMMANDS = (circuit, claims, continuum, discover, judge, md, sweep, validate)


class Model(Config):
    """Fields of every kind that can be written as text, and one that cannot."""

    width: Length = Field(2e-9, description="a width")
    count: int = Field(3, ge=1, description="a number of items")
    share: float | None = Field(None, description="a share")
    model: Literal["one", "two"] = Field("one", description="a model")
    sign: Literal[1, -1] = Field(1, description="a sign")
    each: Resistance | tuple[Resistance, ...] | None = Field(None, description="a value, or one for each slit")
    factor: float | tuple[float, ...] = Field(0.0, description="a factor, or one for each slit")
    names: tuple[str, ...] | Literal["all"] = Field("all", description="names")
    half: bool = Field(False, description="a flag")
    drive: Annotated[TriangularCV | PotentialStep | Galvanostatic, Field(discriminator="kind")] = Field(
        TriangularCV(), description="a drive"
    )
    network: SlitNetwork = Field(description="a network")
    other: dict[str, float] = Field({}, description="no text")


OPTIONS = Options(Model, without=("sign",), kinds={"current": "current per depth"}, defaults={"cycles": "2"})
SLIT = {"slit": "1nm"}


@pytest.mark.parametrize(
    ("texts", "field", "value"),
    [
        ({"width": "4 m"}, "width", 4.0),
        ({"count": "\u22125"}, "count", None),  # a minus sign; below 1
        ({"count": "7"}, "count", 7),
        ({"share": "1e-3"}, "share", 1e-3),
        ({"model": "two"}, "model", "two"),
        ({"each": "5ohm"}, "each", 5.0),
        ({"each": "5ohm, 2kohm"}, "each", (5.0, 2000.0)),
        ({"each": "5,5ohm"}, "each", None),
        ({"factor": "0.9"}, "factor", 0.9),
        ({"factor": "0.9,0.8,-1"}, "factor", (0.9, 0.8, -1.0)),
        ({"factor": "0,9"}, "factor", None),
        ({"names": "all"}, "names", "all"),
        ({"names": "a, b,"}, "names", ("a", "b")),
        ({"names": "a"}, "names", ("a",)),
        ({"half": "true"}, "half", True),
        ({}, "drive", TriangularCV(cycles=2)),
        ({"drive": "galvanostatic", "current": "3mA/m"}, "drive", Galvanostatic(current=3e-3, cycles=2)),
        ({"drive": "potential-step", "voltage": "1V", "duration": "2s"}, "drive", PotentialStep(voltage=1, duration=2)),
        ({"layers": "9"}, "network", SlitNetwork(slit=1e-9, layers=9)),
    ],
)  # fmt: skip
def test_a_text_is_the_value_of_its_field(texts, field, value):
    if value is None:
        with pytest.raises(BadInput) as fault:
            OPTIONS.build(Model, SLIT | texts)
        assert fault.value.field == field
        return
    assert getattr(OPTIONS.build(Model, SLIT | texts), field) == value


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({}, "slit: missing: give --slit"),
        (SLIT | {"drive": "galvanostatic"}, "current: missing: a galvanostatic drive needs --current"),
        (SLIT | {"drive": "dance"}, "drive: dance: give one of cv, potential-step, galvanostatic"),
        (SLIT | {"duration": "1us"}, "duration: 1us: a cv drive does not take it (potential-step would)"),
        (SLIT | {"drive": "galvanostatic", "current": "3A"}, "current: 3A: A is no unit of a current per depth; "),
        (SLIT | {"window": "0V"}, "window: 0V: Input should be greater than 0"),
        (SLIT | {"count": "6.0"}, "count: 6.0: give a whole number"),
        (SLIT | {"share": "0,5"}, "share: 0,5: a comma is no decimal point; did you mean 0.5?"),
        ({"slit": "0.1nm"}, "slit: 0.1 nm: give 0.3 nm to 100 nm"),
    ],
)
def test_what_cannot_be_used_names_its_option(texts, said):
    with pytest.raises(BadInput) as fault:
        OPTIONS.build(Model, texts)
    assert str(fault.value).startswith(said)


def test_a_command_has_its_options_by_name_with_help_and_default():
    @OPTIONS.command
    def command(texts, out: str = ""):
        return texts, out

    shown = {
        p.name: p.annotation.__metadata__[0] for p in inspect.signature(command).parameters.values() if p.name != "out"
    }
    assert not {"other", "sign", "network", "kind"} & set(shown)
    assert (shown["width"].help, shown["width"].show_default) == ("a width", "2 nm")
    assert shown["cycles"].show_default == "2"
    assert shown["cycles"].help == "cv, galvanostatic: number of cycles"
    assert shown["model"].metavar == "one|two"
    assert shown["drive"].help.startswith("a drive. cv: cyclic voltammetry (CV); potential-step: ")
    words = dict.fromkeys(shown) | {"half": True, "width": "3nm", "names": ""}
    assert command(**words, out="here") == ({"half": "true", "width": "3nm", "names": ""}, "here")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_option_has_a_help_text(command):
    assert [name for name, options in command.OPTIONS.known.items() if not options[0].field.description] == []


def test_fields_of_the_configurations_are_options():
    """All but those that other options give: the kind of cell by the drive, half-cells by a flag, tables by files."""
    known = {module: set(module.OPTIONS.known) for module in COMMANDS}
    assert ContinuumConfig.model_fields.keys() - known[continuum] == {"network", "cell"}
    assert SlitNetwork.model_fields.keys() <= known[continuum] & known[md]
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
