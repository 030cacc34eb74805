"""Frozen, hashable configurations: every simulation is a pure function of one of these.

A configuration is recognised by its digest, which covers the fields whose values differ from their defaults. A field
that is added with a default therefore leaves the digests of earlier runs as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from itertools import takewhile
from typing import Any, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from transslit.errors import BadInput
from transslit.units import WRITTEN

# Part of every digest. Raise it when a default changes: the digest of a configuration that leaves the field out would
# otherwise stay, and runs with the old value would be taken for runs with the new one.
SCHEMA = 2


class Config(BaseModel):
    """Base of every configuration: frozen, no unknown fields, NaN refused by the unit types."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def read(cls, where: str = "", /, **values: Any) -> Self:
        """Build from user input; the first fault is raised as `BadInput`.

        `where`, such as a file name, is put before the field's name.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise first_fault(error, where) from None

    @classmethod
    def read_file(cls, where: str, content: Any) -> Self:
        """As `read`, from the `content` of a file that a person wrote, whose quantities are text with a unit."""
        try:
            return cls.model_validate(content, context=WRITTEN)
        except ValidationError as error:
            raise first_fault(error, where) from None

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's, without properties that were cached from the earlier values."""
        copied = super().model_copy(update=update, deep=deep)
        for name in set(vars(copied)) - set(type(self).model_fields):
            del copied.__dict__[name]
        return copied

    def __eq__(self, other: object) -> bool:
        """Compare fields; cached properties, which may be arrays, do not count."""
        return isinstance(other, type(self)) and self.model_dump() == other.model_dump()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle fields: classes of generic models among them cannot be imported by name."""
        return type(self).model_validate, (self.model_dump(),)

    def non_defaults(self) -> dict[str, object]:
        """The fields whose values differ from their defaults, JSON-able, and the constants that name a kind.

        Configurations among the values are reduced in the same way. A default that depends on other fields is the
        one for the values that they have.
        """
        plain = self.model_dump(mode="json")
        kept: dict[str, object] = {}
        earlier: dict[str, object] = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if _names_kind(field) or value != _default(field, earlier):
                kept[name] = _reduced(value, plain[name])
            earlier[name] = value
        return kept

    @property
    def digest(self) -> str:
        """SHA-256 of `SCHEMA` and `non_defaults`: what a finished stage is recognised by."""
        return digest([SCHEMA, self.non_defaults()])


def _names_kind(field: FieldInfo) -> bool:
    """Whether a field has one possible value, by which configurations of different classes are told apart."""
    return get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1


def _default(field: FieldInfo, earlier: dict[str, object]) -> object:
    """Default of a field after the values `earlier`; `PydanticUndefined`, equal to nothing, if it has none."""
    if field.default_factory is None:
        return field.default
    return field.get_default(call_default_factory=True, validated_data=earlier)


def _reduced(value: object, plain: Any) -> object:
    """`plain`, the JSON of `value`, with every configuration in it reduced to `non_defaults`."""
    if isinstance(value, Config):
        return value.non_defaults()
    if isinstance(value, tuple | list):
        return [_reduced(*pair) for pair in zip(value, plain, strict=True)]
    if isinstance(value, Mapping):
        return {key: _reduced(value[own], plain[key]) for own, key in zip(value, plain, strict=True)}
    return plain


def described(meaning: str, symbol: str = "", **options: Any) -> Any:
    """A field with what its documentation needs; its unit is that of its type."""
    return Field(description=meaning, json_schema_extra={"symbol": symbol}, **options)


def digest(content: Any) -> str:
    """SHA-256 (hex) of JSON-able `content`, independent of key order."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def first_fault(error: ValidationError, where: str = "") -> BadInput:
    """The first fault of a pydantic error."""
    return faults(error, where)[0]


def faults(error: ValidationError, where: str = "") -> list[BadInput]:
    """Every fault of a pydantic error as `BadInput`; `where`, such as a file name, is put before the field's name.

    Of a value that several types could hold, the faults are those of the type that fits furthest into it.
    """
    found, furthest = error.errors(include_url=False), dict[tuple[int | str, ...], int]()
    unions = [tuple(takewhile(lambda part: not _is_type(part), fault["loc"])) for fault in found]
    for union, fault in zip(unions, found, strict=True):
        furthest[union] = max(furthest.get(union, 0), len(fault["loc"]))
    reached = [fault for union, fault in zip(unions, found, strict=True) if len(fault["loc"]) == furthest[union]]
    return [_fault(fault, f"{where}: " if where else "") for fault in reached]


def _is_type(part: int | str) -> bool:
    """Whether a part of a fault's location is the type of a union's member, which pydantic adds to the fields."""
    return "[" in str(part) or part in ("float", "int", "str")


def _fault(fault: Any, where: str) -> BadInput:
    inner = fault.get("ctx", {}).get("error")
    if isinstance(inner, BadInput):
        return inner
    field = where + (".".join(str(part) for part in fault["loc"] if not _is_type(part)) or "input")
    if fault["type"] == "missing":
        return BadInput(field, "missing", "this field is required")
    value = fault["input"]
    message = fault["msg"].removeprefix("Value error, ")
    return BadInput(field, "…" if isinstance(value, dict | list) else value, message)
