"""Digests: equal for equal configurations alone, and the same when a field with a default is added later.

`python tests/transslit/test_config.py` writes the table of defaults again, after `SCHEMA` was raised.
"""

import itertools
import json
import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field, create_model
from pydantic_core import PydanticUndefined, to_jsonable_python

from circuit.config import CircuitConfig
from continuum import ContinuumConfig
from discovery.config import DiscoveryConfig
from md.config import quick
from transslit import SlitNetwork, load_electrolyte
from transslit.config import SCHEMA, Config
from transslit.drive import CircuitDrive, Drive, SmoothedCV, TriangularCV

DEFAULTS = Path(__file__).with_name("defaults.json")
KCL = load_electrolyte("KCl")
BASES = {
    "continuum": ContinuumConfig(network=SlitNetwork(slit=1e-9), electrolyte=KCL),
    "md": quick(0.59e-9, KCL, 1000.0),
    "circuit": CircuitConfig(resistance=1.0, slit_capacitance=1.0, open_resistance=1.0, open_capacitance=1.0),
    "discovery": DiscoveryConfig(),
}
FIELDS = [(name, field) for name, base in BASES.items() for field in type(base).model_fields]
PLAIN = {
    float: st.floats(1e-20, 1e20),
    int: st.integers(1, 1 << 30),
    bool: st.booleans(),
    str: st.text(),
    type(None): st.none(),
}
quickly = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


def inner(annotation):
    """What a type is made of: members of a union, the type beneath annotations, items of a tuple."""
    if get_origin(annotation) is Annotated:
        return [get_args(annotation)[0]]
    return [part for part in get_args(annotation) if part is not Ellipsis] if get_origin(annotation) else []


def values(annotation):
    """Hypothesis strategy for values of a field's type, valid or not."""
    origin, parts = get_origin(annotation), inner(annotation)
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is tuple:
        return st.lists(values(parts[0]), max_size=3).map(tuple) if len(parts) == 1 else st.tuples(*map(values, parts))
    if parts and (origin in (Union, types.UnionType) or origin is Annotated):
        return st.one_of(*map(values, parts))
    if isinstance(annotation, type) and issubclass(annotation, Config):
        return drawn(annotation)
    return PLAIN[annotation]


def drawn(cls):
    """Configurations of a class with every field drawn, whether or not they are possible together."""
    fields = {name: values(field.annotation) for name, field in cls.model_fields.items()}
    return st.fixed_dictionaries(fields).map(lambda content: cls.model_construct(**content))


def with_a_new_field(config):
    """The configuration as of a later version of its class, which has one more field with a default."""
    later = create_model("Later", __base__=type(config), added=(Annotated[int, Field(ge=0)], 7))
    return later.model_construct(**{name: getattr(config, name) for name in type(config).model_fields})


def nested(annotation):
    """The classes of configurations that a type holds."""
    if isinstance(annotation, type) and issubclass(annotation, Config):
        below = {cls for field in annotation.model_fields.values() for cls in nested(field.annotation)}
        return {annotation} | below
    return {cls for part in inner(annotation) for cls in nested(part)}


def table_of_defaults():
    """Defaults of all fields, JSON-able, by class and field; those that depend on other fields are left out."""
    found = {cls for base in BASES.values() for cls in nested(type(base))}
    return {
        cls.__name__.partition("[")[0]: {
            name: json.loads(json.dumps(to_jsonable_python(field.default)))
            for name, field in cls.model_fields.items()
            if field.default is not PydanticUndefined
        }
        for cls in sorted(found, key=lambda cls: cls.__name__)
    }


@pytest.mark.parametrize(("name", "field"), FIELDS)
@given(data=st.data())
@quickly
def test_digests_are_equal_where_the_values_are_whether_or_not_a_field_was_added(name, field, data):
    """A field that was added to the configuration itself, or to one that is the value of a field."""
    base = BASES[name]
    drawn_values = [data.draw(values(type(base).model_fields[field].annotation)) for _ in range(2)]
    versions = [base, *(base.model_copy(update={field: value}) for value in drawn_values)]
    for one, other in itertools.combinations(versions, 2):
        assert (one.digest == other.digest) == (getattr(one, field) == getattr(other, field))
    config, value = versions[-1], drawn_values[-1]
    later = with_a_new_field(config)
    assert later.digest == config.digest
    assert later.model_copy(update={"added": 8}).digest != config.digest
    if isinstance(value, Config):
        below = with_a_new_field(value)
        assert config.model_copy(update={field: below}).digest == config.digest
        changed = below.model_copy(update={"added": 8})
        assert config.model_copy(update={field: changed}).digest != config.digest


class Part(Config):
    charge: int = 1


class LaterPart(Part):
    radius: float = 0.0


class Whole(Config):
    parts: tuple[Part, ...]
    named: dict[str, Part]


class LaterWhole(Config):
    parts: tuple[LaterPart, ...]
    named: dict[str, LaterPart]


def test_a_field_added_to_an_item_leaves_the_digest():
    def whole(cls, item, **fields):
        return cls(parts=(item(charge=-1), item(**fields)), named={"a": item(**fields)})

    assert whole(Whole, Part).non_defaults() == {"parts": [{"charge": -1}, {}], "named": {"a": {}}}
    assert whole(Whole, Part).digest == whole(LaterWhole, LaterPart).digest
    assert whole(Whole, Part).digest != whole(LaterWhole, LaterPart, radius=1.0).digest


KINDS = sorted(nested(Drive) | nested(CircuitDrive), key=lambda cls: cls.__name__)


@given(data=st.data())
@quickly
def test_drives_of_different_kind_never_share_a_digest(data):
    """A voltammogram and a smoothed one share all their fields but one, which has a default."""
    drives = [TriangularCV(), SmoothedCV(), *(data.draw(drawn(cls)) for cls in KINDS)]
    for one, other in itertools.combinations(drives, 2):
        assert (one.digest == other.digest) == (one.model_dump() == other.model_dump())
    cells = [BASES["circuit"].model_copy(update={"drive": drive}) for drive in drives[:2]]
    assert cells[0].digest != cells[1].digest


class Clocked(Config):
    """A default that follows from another field, as the temperature follows from the electrolyte."""

    fast: bool = False
    step: float = Field(default_factory=lambda earlier: 1.0 if earlier["fast"] else 2.0)


def test_a_default_that_follows_from_another_field_is_left_out():
    assert Clocked(fast=True).non_defaults() == {"fast": True}
    assert Clocked(fast=True, step=1.0).digest == Clocked(fast=True).digest
    assert Clocked(fast=True, step=2.0).non_defaults() == {"fast": True, "step": 2.0}
    assert Clocked(step=2.0).digest == Clocked().digest != Clocked(step=1.0).digest


def test_what_differs_is_named_alone():
    config = BASES["continuum"].model_copy(update={"steps": 400, "network": SlitNetwork(slit=1e-9, layers=7)})
    content = config.non_defaults()
    assert content.pop("electrolyte")["ions"][1]["valence"] == -1
    assert content == {"network": {"slit": 1e-9, "layers": 7}, "steps": 400}


def test_a_default_that_changed_raises_the_schema():
    """A run with the old default would otherwise be taken for one with the new. Fields may come and go."""
    pinned: dict[str, Any] = json.loads(DEFAULTS.read_text())
    assert pinned["schema"] == SCHEMA, "write the table of defaults again: python tests/transslit/test_config.py"
    changed = [
        f"{name}.{field}: {pinned['defaults'][name][field]} was the default, {default} is"
        for name, fields in table_of_defaults().items()
        for field, default in fields.items()
        if pinned["defaults"].get(name, {}).get(field, default) != default
    ]
    assert not changed, "raise SCHEMA in transslit/config.py and write the table of defaults again"


if __name__ == "__main__":
    content = {"schema": SCHEMA, "defaults": table_of_defaults()}
    DEFAULTS.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
