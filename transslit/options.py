"""Options: the fields of configurations as text; name, help text, unit and default are those of the field.

Each field that can be written as text is an option, and so are the fields of a network and of all drives within the
configuration. Those of a drive are accepted with the option `drive` of the drives that have them. Command line and
sweeps build configurations from such texts.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from transslit.config import Config
from transslit.electrolyte import Electrolyte
from transslit.errors import BadInput
from transslit.library import load_electrolyte
from transslit.network import SlitNetwork
from transslit.units import MINUS, SI_UNITS, Quantity, number, parse, show

Texts = Mapping[str, str]  # of the options that are given, by name; a flag is "true"
Types = frozenset[object]
C = TypeVar("C", bound=Config)

SALT = "KCl"
RENAMED = {"sigma": "charge"}  # fields whose option has another name
BESIDE_NAME = re.compile(r"(network|drive\.[^.]+)\.|\.[0-9]+$")  # of a field in a fault: its place, an item's number
OF_SALT = {  # help texts and defaults that no field has
    "electrolyte": ("name of a known electrolyte, or path of its TOML file", SALT),
    "concentration": ("concentration of formula units", "the electrolyte's"),
}
WHOLE = re.compile(rf"[+\-{MINUS}]?[0-9]+")
TRUTH = {"true": True, "yes": True, "false": False, "no": False}


class Option(NamedTuple):
    """A field as an option: its place in the configuration, and the kind of its drive ("" if it is of no drive)."""

    name: str
    path: tuple[str, ...]
    field: FieldInfo
    kind: str = ""

    @property
    def types(self) -> Types:
        """The types that its text may describe."""
        return _types(self.field.annotation, self.field.metadata)

    @property
    def quantity(self) -> str:
        """The kind of quantity (`transslit.units.SI_UNITS`) that its text describes; "" if none."""
        return quantity_of(self.field)

    @property
    def text(self) -> str:
        """The field's description without its unit, since an option's text has a unit of its own."""
        unit = f", in {SI_UNITS[self.quantity][0]}" if self.quantity else ""
        return (self.field.description or "").replace(unit, "")

    @property
    def default(self) -> str:
        """The field's default as text; "" if it is none or depends on other fields."""
        return self.shown(self.field.get_default())

    @property
    def limits(self) -> list[str]:
        """What a text must be, in words, beside its type."""
        multiples = [each.multiple_of for each in self.field.metadata if hasattr(each, "multiple_of")]
        several = any(isinstance(each, tuple) for each in self.types)
        return [f"a multiple of {each}" for each in multiples] + ["several are separated by commas"] * several

    def shown(self, value: object) -> str:
        """A value of the field as text, quantities with their unit; "" if it is no text."""
        if isinstance(value, tuple):
            return ",".join(map(str, value))
        if self.quantity and isinstance(value, float):
            return show(value, self.quantity)
        return str(value) if isinstance(value, str | float | int) and value is not False else ""


class Help(NamedTuple):
    """Help text of an option, its default among it; what stands for its text; whether it is a flag."""

    text: str
    metavar: str
    flag: bool


class Options:
    """The options of configurations, and the configurations that their texts describe.

    Parameters
    ----------
    models : configurations; of fields of one name, those of the first one are shown
    without : fields that are no options
    kinds : kinds of quantity (`transslit.units.SI_UNITS`) of options, if not those of the fields
    defaults : texts of defaults, if not those of the fields
    told : help texts, if not those of the fields
    presets : defaults that help shows, if not those of the fields, by what they hold for ("" for the first)
    """

    def __init__(
        self,
        *models: type[Config],
        without: Collection[str] = (),
        kinds: Mapping[str, str] | None = None,
        defaults: Texts | None = None,
        told: Texts | None = None,
        presets: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        self.without, self.kinds, self.defaults = frozenset(without), dict(kinds or {}), dict(defaults or {})
        self.told, self.presets = dict(told or {}), dict(presets or {})
        self.known: dict[str, list[Option]] = {}  # several of a name if several drives have it
        for model in models:
            earlier = set(self.known)
            for option in self._options(model):
                if option.name not in earlier and not (option.path[0] == "drive" and "drive" in earlier):
                    self.known.setdefault(option.name, []).append(option)

    def build(self, model: type[C], texts: Texts, **given: object) -> C:
        """The configuration of which `given` are fields, and texts describe the others.

        Raises
        ------
        BadInput : names the option that is missing, that cannot be used, or that the drive does not take
        """
        values = self.values(model, texts, **given)
        try:
            return model.read(**values)
        except BadInput as fault:
            field, of_drive = BESIDE_NAME.sub("", fault.field), fault.field.startswith("drive.")
            name, accepts = RENAMED.get(field, field), fault.accepts
            if fault.value == "missing" and name in self.known:
                needs = f"a {values['drive']['kind']} drive needs" if of_drive else "give"
                accepts = f"{needs} --{name.replace('_', '-')}"
            raise BadInput(name, fault.value, accepts) from None

    def values(self, model: type[Config], texts: Texts, **given: object) -> dict[str, Any]:
        """Fields that are `given`, or that texts or defaults of options describe; those of network and drive nested."""
        if "electrolyte" in model.model_fields and "electrolyte" not in given:
            charged = "allow_charged" in texts and self._read(self.known["allow_charged"][0], texts["allow_charged"])
            given["electrolyte"] = load_electrolyte(texts.get("electrolyte", SALT), allow_charged=bool(charged))
        values = dict[str, Any](given)
        kind = ""
        if "drive" not in given and (drives := _drives(model.model_fields.get("drive"))):
            kind = texts.get("drive", model.model_fields["drive"].default.kind)
            takes = {each: [RENAMED.get(name, name) for name in drives[each].model_fields] for each in drives}
            refuse_others(kind, takes, texts)
            values["drive"] = {"kind": kind}
        for option in self._options(model):
            text = texts.get(option.name, self.defaults.get(option.name))
            if text is not None and option.path[0] not in given and option.kind in ("", kind):
                place = values.setdefault(option.path[0], {}) if option.path[1:] else values
                place[option.path[-1]] = self._read(option, text)
        if "network" in model.model_fields:
            values.setdefault("network", {})
        if {"electrolyte", "concentration"} <= model.model_fields.keys():
            values.setdefault("concentration", values["electrolyte"].concentration)
        return values

    def help(self, name: str) -> Help:
        """What a page of help says about an option; with several descriptions, each with the drives that it is of."""
        options = self.known[name]
        described: dict[str, list[str]] = {}
        for option in options:
            described.setdefault(option.text, []).append(option.kind)
        words = "; ".join(f"{', '.join(kinds)}: {text}" if any(kinds) else text for text, kinds in described.items())
        words, default = self.told.get(name, words), self.defaults.get(name) or self._default(options[0])
        if drives := _drives(options[0].field):
            kinds = (f"{kind}: {drive.model_fields['kind'].description}" for kind, drive in drives.items())
            words, default = f"{words}. {'; '.join(kinds)}", options[0].field.default.kind
        elif "electrolyte" in self.known:
            words, default = OF_SALT.get(name, (words, default))
        choices = "|".join(sorted(str(each) for each in options[0].types if isinstance(each, str | int)))
        choices = choices * all(not isinstance(each, tuple) for each in options[0].types)  # else there are others
        quantity = self.kinds.get(name, options[0].quantity).replace(" ", "-").upper()
        plain = "NUMBER" if {int, float} & options[0].types else "TEXT"
        needed = ["required"] * options[0].field.is_required()
        notes = [*options[0].limits, *([f"default {default}"] if default else needed)]
        text = f"{words} ({'; '.join(notes)})" if notes else words
        return Help(text, choices or quantity or plain, bool in options[0].types)

    def _default(self, option: Option) -> str:
        """The default of a field in words; where presets have values of their own, that of each."""
        of_field = option.field.get_default()
        shown: dict[str, str] = {}
        for label, values in self.presets.items():
            shown.setdefault(option.shown(values.get(option.name, of_field)), label)
        if len(shown) < 2:
            return next(iter(shown), option.default)
        return "; ".join(f"{label}: {text}" if label else text for text, label in shown.items())

    def _options(self, model: type[Config], *path: str, kind: str = "") -> Iterator[Option]:
        for name, field in model.model_fields.items():
            if name in self.without or (kind and name == "kind"):
                continue
            if drives := _drives(field):
                yield Option(name, (name, "kind"), field)
                for each, drive in drives.items():
                    yield from self._options(drive, name, kind=each)
            elif field.annotation is SlitNetwork:
                yield from self._options(SlitNetwork, name)
            else:
                option = Option(RENAMED.get(name, name), (*path, name), field, kind)
                if field.annotation is Electrolyte or _is_text(option.types):
                    yield option

    def _read(self, option: Option, text: str) -> object:
        """The value of an option's text; a quantity stays text, which its field reads."""
        single = {each for each in option.types if not isinstance(each, tuple)}
        items = {each[1] for each in option.types if isinstance(each, tuple)}
        try:
            if option.name in self.kinds:
                return parse(text, self.kinds[option.name])
            parts = [part.strip() for part in text.split(",")]
            if not items or text in single or (len(parts) == 1 and not all(isinstance(each, str) for each in single)):
                return _plain(text, single)
            if str in items:
                return tuple(part for part in parts if part)
            if len(parts) == 2 and WHOLE.fullmatch(parts[0]) and (parts[1].isdigit() or float not in items):
                raise ValueError(f"a comma is no decimal point; did you mean {parts[0]}.{parts[1]}?")
            return tuple(_plain(part, items) for part in parts)
        except ValueError as error:
            raise BadInput(option.name, text, str(error)) from None


def quantity_of(field: FieldInfo) -> str:
    """The kind of quantity (`transslit.units.SI_UNITS`) of a field, of its items if it is a tuple; "" if none."""
    each_of = (each[1] if isinstance(each, tuple) else each for each in _types(field.annotation, field.metadata))
    return next((each.kind for each in each_of if isinstance(each, Quantity)), "")


def refuse_others(kind: str, takes: Mapping[str, Collection[str]], texts: Texts) -> None:
    """Refuse an unknown drive, and options of other drives; `takes` are the options of each kind of drive.

    Raises
    ------
    BadInput : names the drives that there are, or those that take the option, and what this one takes
    """
    if kind not in takes:
        raise BadInput("drive", kind, f"give one of {', '.join(takes)}")
    for name, text in texts.items():
        takers = [other for other, options in takes.items() if name in options]
        if takers and kind not in takers:
            own = ", ".join(f"--{each.replace('_', '-')}" for each in takes[kind] if each != "kind")
            raise BadInput(name, text, f"a {kind} drive does not take it ({', '.join(takers)} would); it takes {own}")


def nearest(name: str, known: Collection[str]) -> list[str]:
    """Of the names `known` those that begin with `name`; those that are spelled alike if none does."""
    return [each for each in known if each.startswith(name)] or difflib.get_close_matches(name, known)


def whole(text: str) -> int:
    """A whole number, of digits 0 to 9; Python's `int` also reads 1_0 and the digits of other scripts.

    Raises
    ------
    ValueError : anything else
    """
    number(text.replace(",", ""))  # a decimal comma is answered with a number that is not whole
    if not WHOLE.fullmatch(text.strip()):
        raise ValueError("give a whole number")
    return int(text.replace(MINUS, "-"))


def _plain(text: str, types: Collection[object]) -> object:
    """A single value of one of `types`."""
    if float in types:
        return number(text)
    if bool in types:
        if text not in TRUTH:
            raise ValueError("give true or false")
        return TRUTH[text]
    if Path in types and not text:
        raise ValueError("give a path")
    return whole(text) if any(each is int or isinstance(each, int) for each in types) else text


def _drives(field: FieldInfo | None) -> dict[str, type[Config]]:
    """The drives of which a field takes one, by kind; empty for any other field."""
    parts = [] if field is None else get_args(field.annotation)
    drives = [part for part in parts if isinstance(part, type) and issubclass(part, Config)]
    return {drive.model_fields["kind"].default: drive for drive in drives if "kind" in drive.model_fields}


def _types(annotation: Any, metadata: Iterable[object] = ()) -> Types:
    """The types, quantities and literals of an annotation but None; those of a tuple's items as (tuple, type)."""
    if quantities := [part for part in metadata if isinstance(part, Quantity)]:
        return frozenset(quantities)
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _types(parts[0], parts[1:])
    if origin is tuple:
        return frozenset((tuple, each) for each in _types(parts[0]))
    if origin in (Union, UnionType):
        return frozenset().union(*map(_types, parts)) - {NoneType}
    return frozenset(parts) if origin is Literal else frozenset({annotation})


def _is_text(types: Types) -> bool:
    items = [each[1] if isinstance(each, tuple) else each for each in types]
    return all(isinstance(item, Quantity | str | int) or item in (str, int, float, bool, Path) for item in items)
