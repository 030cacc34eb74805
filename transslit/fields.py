"""Documentation of the fields of an electrolyte's file, generated from the schema that reads it."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo
from scipy import constants

from transslit.config import Config
from transslit.electrolyte import Electrolyte, Solvent
from transslit.ions import Ion, MDParameters, MolecularParameters, Sourced
from transslit.network import SlitNetwork
from transslit.options import quantity_of
from transslit.units import SI_UNITS, show

TABLES: dict[str, type[Config]] = {
    "The file": Electrolyte,
    "Each ion: `[[ions]]`": Ion,
    "In molecular dynamics, an ion of one site: `[ions.md]`": MDParameters,
    "In molecular dynamics, an ion of several sites: `[ions.md]`": MolecularParameters,
    "The solvent: `[solvent]`": Solvent,
    "Every sourced value: `{ value = ..., source = ..., note = ... }`": Sourced,
}
SET_ELSEWHERE = {"ions", "solvent", "md", "allow_charged"}  # have tables of their own, or are not set in a file
HEAD = """# Fields of an electrolyte's file

Generated from the schema by `transslit electrolytes fields`; [electrolytes.md](electrolytes.md) explains how to write
such a file. A *sourced* value is written `{ value = "0.5 nm", source = "doi:..." }`. Quantities are text with a unit;
the tables name common ones, and any unit of the same dimension is accepted. `[ions.md]` is needed by molecular dynamics
only.
"""


def fields_page() -> str:
    """The page, in Markdown."""
    lines = [HEAD]
    for title, model in TABLES.items():
        lines += [f"## {title}", "", "| field | symbol | unit | default | meaning |", "|---|---|---|---|---|"]
        lines += [*_rows(model), ""]
    return "\n".join(lines)


def _rows(model: type[Config]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if name not in SET_ELSEWHERE:
            extra: Any = field.json_schema_extra or {}
            kind = kind_of(field)
            unit = SI_UNITS[kind][1] if kind else ""
            meaning = f"{field.description}{' *(sourced)*' if _sourced(field) else ''}"
            yield f"| `{name}` | {extra.get('symbol', '')} | {unit} | {_default(field, kind)} | {meaning} |"


def _sourced(field: FieldInfo) -> type[Sourced[Any]] | None:
    """The type of a sourced value, as `Sourced[Length]`; None of any other field."""
    parts = typing.get_args(field.annotation) if isinstance(field.annotation, types.UnionType) else (field.annotation,)
    return next((part for part in parts if isinstance(part, type) and issubclass(part, Sourced)), None)


def kind_of(field: FieldInfo) -> str:
    """The kind of quantity of a field or of its sourced value; "" if none."""
    sourced = _sourced(field)
    return quantity_of(field if sourced is None else sourced.model_fields["value"])


def _default(field: FieldInfo, kind: str) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if kind == "concentration":
        return f"{value / 1000:g} M"
    if kind and value is not None:
        return show(value, kind, digits=6)
    return {None: "none", "": "empty", False: "false"}.get(value, str(value))


def sourced_values(part: Config, owner: str = "") -> Iterator[tuple[str, str, Sourced[Any]]]:
    """Name, value as text with its SI unit, and the value with its source, of every sourced field of an electrolyte."""
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        if isinstance(value, Sourced):
            yield f"{owner}{name.replace('_', ' ')}", _as_text(value.value, kind_of(field)), value
        elif isinstance(value, Config):
            yield from sourced_values(value, owner)
        elif name == "ions":
            for ion in value:
                yield from sourced_values(ion, f"{ion.name} ")


def derived_values(salt: Electrolyte, network: SlitNetwork) -> dict[str, tuple[float, str, str]]:
    """Value, unit and meaning of the quantities that follow from an electrolyte's values, by name."""
    inside = network.slit * network.slit_length * constants.N_A * 1e-9  # of 1 nm depth
    per_slit = {
        f"{name} per slit": (c * inside, "per nm of depth", f"bulk concentration in {network.slit * 1e9:g} nm by"
        f" {network.slit_length * 1e9:g} nm")
        for name, c in zip(salt.names, salt.bulk(), strict=True)
    }  # fmt: skip
    return {
        "Debye length": (salt.debye_length() * 1e9, "nm", "of dilute ions; means little where it is below their size"),
        "Bjerrum length": (salt.bjerrum_length * 1e9, "nm", "where two charges have the energy kT"),
        "conductivity": (salt.conductivity(), "S/m", "Nernst-Einstein: ions that move independently"),
        "close packing": (salt.close_packing / 1000, "M", "of formula units, from the ion diameters"),
        "positive wall": (salt.most_surface_charge(1), "C/m²", "balanced by one close-packed layer of anions"),
        "negative wall": (salt.most_surface_charge(-1), "C/m²", "balanced by one close-packed layer of cations"),
        **per_slit,
    }


def _as_text(value: object, kind: str) -> str:
    unit = SI_UNITS[kind][0].replace("^2", "²").replace("^3", "³").replace("dalton", "Da") if kind else ""
    if isinstance(value, str):
        return f"{len(value.splitlines())} lines"
    numbers = value if isinstance(value, tuple) else (value,)
    return " to ".join(f"{number:g} {unit}".rstrip() for number in numbers)
