"""Options from the fields of a planted configuration: text in, values out."""

import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from circuit.electrode import Electrode
from transslit import BadInput, SlitNetwork, TriangularCV
from transslit.config import Config
from transslit.drive import Galvanostatic, PotentialStep
from transslit.options import Options, nearest
from transslit.units import Length, Resistance
from validation.commands import circuit, continuum, md


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
    even: int = Field(8, multiple_of=4, description="an even number")
    path: Path | None = Field(None, description="a file")
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
        ({"half": "no"}, "half", False),
        ({"half": "maybe"}, "half", None),
        ({"path": ""}, "path", None),
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
        (SLIT | {"count": "3,0"}, "count: 3,0: give a whole number"),
        (SLIT | {"count": "1,000"}, "count: 1,000: give a whole number"),
        (SLIT | {"half": "maybe"}, "half: maybe: give true or false"),
        (SLIT | {"each": "5ohm,-1ohm"}, "each: -1ohm: Input should be greater than 0"),
        (SLIT | {"factor": "0.1,x"}, "factor: 0.1,x: give one number"),
        (SLIT | {"drive": "galvanostatic", "current": "3A/m", "window": "1V"}, "window: 1V: a galvanostatic drive does"
         " not take it (cv would); it takes --upper, --lower, --cycles, --current"),
        (SLIT | {"drive": "galvanostatic", "current": "3A/m", "lower": "0.5V"}, "lower: 0.5 V: must be below the upper"
         " limit, 0.4 V"),
        ({"slit": "0.1nm"}, "slit: 0.1 nm: give 0.3 nm to 100 nm"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_names_its_option(texts, said):
    with pytest.raises(BadInput) as fault:
        OPTIONS.build(Model, texts)
    assert str(fault.value).startswith(said)


def test_help_and_defaults_are_those_of_the_fields():
    assert not {"other", "sign", "network", "kind"} & set(OPTIONS.known)
    assert OPTIONS.help("width") == ("a width (default 2 nm)", "LENGTH", False)
    assert OPTIONS.help("cycles") == ("cv, galvanostatic: number of cycles (default 2)", "NUMBER", False)
    assert OPTIONS.help("model").metavar == "one|two"
    assert OPTIONS.help("half").flag
    assert OPTIONS.help("drive").text.startswith("a drive. cv: cyclic voltammetry (CV); potential-step: ")
    assert OPTIONS.help("slit").text == "free width d between the surfaces of neighbouring sheets (required)"
    assert OPTIONS.help("voltage").text == "potential-step: cell voltage of the step (required)"
    assert OPTIONS.help("even").text == "an even number (a multiple of 4; default 8)"
    assert OPTIONS.help("names") == ("names (several are separated by commas; default all)", "TEXT", False)


def test_help_tells_the_defaults_of_presets():
    told = Options(Model, told={"share": "part"}, presets={"": {"width": 3e-9}, "wide": {"count": 4, "share": 0.5}})
    assert told.help("width").text == "a width (default 3 nm; wide: 2 nm)"
    assert told.help("count").text == "a number of items (default 3; wide: 4)"
    assert told.help("factor").text == "a factor, or one for each slit (several are separated by commas; default 0.0)"
    assert told.help("share").text.startswith("part")


def test_the_nearest_names_begin_alike():
    assert nearest("stern", ["steps", "stern_model", "stern_thickness"]) == ["stern_model", "stern_thickness"]
    assert nearest("colur", ["colour", "slit"]) == ["colour"]
    assert nearest("xyz", ["colour", "slit"]) == []


BASES = {md: {"slit": "0.59nm"}, continuum: {"slit": "2nm"}, circuit: {"resistance": "5ohm"}}
NEEDS = {
    (continuum, "galvanostatic"): {"current": "1A/m"},
    (circuit, "galvanostatic"): {"current": "1A"},
    (continuum, "potential-step"): {"voltage": "1V", "duration": "1us"},
    (circuit, "potential-step"): {"voltage": "1V", "duration": "1us"},
}
TOLD = re.compile(r"(?:; |\()default ([^;:]+)(?:; [^;]+)*\)$")  # the first preset's, of several
DEFAULTS = [
    pytest.param(command, name, told[1], id=f"{command.STAGE.name}-{name}")
    for command in BASES
    for name in sorted(command.STAGE.options)
    if (told := TOLD.search(command.OPTIONS.help(name).text)) and told[1] != "the electrolyte's"
]


def read(command, texts):
    found = command.read(texts)
    return found.config if command is circuit else found


def with_a_drive(command, name):
    """Texts of a drive that takes an option, and of what else it needs."""
    kinds = [kind for kind, names in md.TAKES.items() if name in names] if command is md else []
    kind = next(iter(kinds), command.OPTIONS.known[name][0].kind)
    return ({"drive": kind} if kind else {}) | NEEDS.get((command, kind), {})


@pytest.mark.parametrize(("command", "name", "default"), DEFAULTS)
def test_a_default_that_help_tells_is_the_default_when_it_is_written_out(command, name, default):
    """A run folder of the one is that of the other."""
    texts = BASES[command] | with_a_drive(command, name)
    if name in Electrode.model_fields:
        texts = {"slit": "2nm", "electrode_area": "1cm^2", "thickness": "1um"}
    assert read(command, texts | {name: default}).digest == read(command, texts).digest


def test_defaults_are_told_of_every_command():
    found = {(row.values[0], row.values[1]) for row in DEFAULTS}
    assert {(md, "layers"), (md, "reservoir_length"), (continuum, "scan_rate"), (circuit, "upper")} <= found
    assert len(found) > 60


def test_one_concentration_is_one_configuration():
    texts = [{"slit": "2nm"} | more for more in ({}, {"concentration": "1M"}, {"concentration": "1000mol/m^3"})]
    assert len({continuum.read(each).digest for each in texts}) == 1
