"""Options from the fields of a planted configuration: text in, values out."""

from typing import Annotated, Literal

import pytest
from pydantic import Field

from transslit import BadInput, SlitNetwork, TriangularCV
from transslit.config import Config
from transslit.drive import Galvanostatic, PotentialStep
from transslit.options import Options
from transslit.units import Length, Resistance


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


def test_help_and_defaults_are_those_of_the_fields():
    assert not {"other", "sign", "network", "kind"} & set(OPTIONS.known)
    assert OPTIONS.help("width") == ("a width (default 2 nm)", "LENGTH", False)
    assert OPTIONS.help("cycles") == ("cv, galvanostatic: number of cycles (default 2)", "NUMBER", False)
    assert OPTIONS.help("model").metavar == "one|two"
    assert OPTIONS.help("half").flag
    assert OPTIONS.help("drive").text.startswith("a drive. cv: cyclic voltammetry (CV); potential-step: ")
    assert OPTIONS.help("slit").text == "free width d between the surfaces of neighbouring sheets"
