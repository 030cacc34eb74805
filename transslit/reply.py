"""What a command answers: one JSON object for programs (docs/json.md), lines for people.

The object of every command has the same keys for the same things. `Reply` is its schema.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_serializer

from transslit.columns import stem_of, unit_of
from transslit.errors import BadInput, TransslitError
from transslit.law import Law
from transslit.resampling import STANDARD_ERRORS

HALF_WIDTH = "_u95"  # end of a name beside a number's, of the half-width of its interval


class Part(BaseModel):
    """A part of a reply; what is not known is left out."""

    model_config = ConfigDict(extra="forbid")


class Number(Part):
    """A number with its unit (pint's notation; "1" has none) and, where it is known, its 95 % interval."""

    value: float | None = Field(description="null where it is not finite")
    low: float | None = Field(None, description="lower end of the 95 % interval")
    high: float | None = Field(None, description="upper end of the 95 % interval")
    unit: str = "1"

    @model_serializer
    def _always(self) -> dict[str, float | str | None]:
        ends = {"low": self.low, "high": self.high}
        return {"value": self.value, **{k: v for k, v in ends.items() if v is not None}, "unit": self.unit}

    @classmethod
    def known(cls, value: float, unit: str = "1", std: float | None = None) -> Number:
        """A number with the interval of its standard error."""
        if std is None:
            return cls(value=finite(value), unit=unit)
        reach = STANDARD_ERRORS * std
        return cls(value=finite(value), low=finite(value - reach), high=finite(value + reach), unit=unit)


class Fault(Part):
    """Why a command failed."""

    kind: Literal["input", "stage", "interrupted", "output"] = Field(
        description="what the user gave; a stage that broke down; Ctrl-C; a disk that is full"
    )
    message: str = Field(description="the line on standard error")
    field: str | None = Field(None, description="option, key or file at fault")
    value: str | None = Field(None, description="what was given")
    accepts: str | None = Field(None, description="what would do")
    stage: str | None = Field(None, description="stage that broke down")


class FoundLaw(Part):
    """A law; law.json in the run folder has all of it."""

    target: str
    expression: str = Field(description="SymPy syntax, in the names of columns and constants")
    constants: dict[str, Number]
    found: bool = Field(True, description="false if nothing explains the target better than noise about a constant")
    metrics: dict[str, float] = Field(description="r2, r2_held_out, rmse (in the target's unit) and others")
    general: dict[str, Any] | None = Field(
        None, description="the law of a search without restriction, if this one is restricted"
    )

    @classmethod
    def of(cls, law: Law) -> FoundLaw:
        """The law with the intervals of its search, or of its standard errors."""
        ends = law.provenance.get("intervals_95", {})
        constants = {}
        for name, constant in law.constants.items():
            number = Number.known(constant.value, constant.unit, constant.std)
            if name in ends:
                number = number.model_copy(update={"low": ends[name][0], "high": ends[name][1]})
            constants[name] = number
        return cls(
            target=law.target,
            expression=law.expression,
            constants=constants,
            found=law.provenance.get("found", True),
            metrics=dict(law.metrics),
            general=law.provenance.get("general"),
        )


class Reply(Part):
    """One JSON object: version, command and exit code always, and what the command has to tell."""

    version: Literal[1] = Field(1, description="of this schema; a key that changes its meaning raises it")
    command: str
    exit_code: int = 0
    error: Fault | None = Field(None, description="on any exit code that is not the verdicts'")
    out: str | None = Field(None, description="run folder")
    files: list[str] | None = Field(None, description="further files that were written, figures among them")
    wall_s: float | None = Field(None, description="time of the run that made the result, in s")
    setting: str | None = Field(None, description="what was judged, in words")
    rows: dict[str, int] | None = Field(None, description="rows of each table of the record")
    elements: dict[str, Number] | None = Field(None, description="R_c, gamma, C_slit, R_open, C_open of a half-cell")
    summary: dict[str, Number | str] | None = Field(None, description="measures of a circuit's run, or of a fit")
    law: FoundLaw | None = None
    verdicts: list[dict[str, Any]] | None = Field(None, description="rows of verdicts.json")
    counts: dict[str, int] | None = Field(None, description="number of verdicts, points or changes of each kind")
    lacking: list[str] | None = Field(None, description="what could not be judged or extracted, and why")
    pairs: list[dict[str, Any]] | None = Field(None, description="verdicts of two runs side by side")
    electrolytes: dict[str, str] | None = Field(None, description="titles by name")
    electrolyte: dict[str, Any] | None = Field(
        None, description="all fields of an electrolyte; of `fields` their schema"
    )
    derived: dict[str, Number] | None = Field(None, description="what follows from the fields of an electrolyte")
    usable: bool | None = Field(None, description="whether an electrolyte's file can be used")
    faults: list[dict[str, Any]] | None = Field(None, description="of an electrolyte's file")
    box: dict[str, Any] | None = Field(None, description="what a box of molecular dynamics says of an electrolyte")

    folder: ClassVar[Path | None] = None  # of the last reply of this process

    def tell(self, as_json: bool, say: Callable[[], object]) -> int:
        """Print the object, or let `say` print the lines; returns the exit code."""
        Reply.folder = None if self.out is None else Path(self.out)
        if as_json:
            print(self.model_dump_json(exclude_none=True))
        else:
            say()
        return self.exit_code


def finite(value: float) -> float | None:
    """The number; None, JSON's null, if it is infinite or none."""
    return float(value) if math.isfinite(value) else None


def numbers(summary: Mapping[str, float | str]) -> dict[str, Number | str]:
    """Numbers by names without units, from names with units such as area_W; NAME_u95 is the half-width of NAME."""
    found: dict[str, Number | str] = {}
    for name, value in summary.items():
        if name.endswith(HALF_WIDTH):
            continue
        if isinstance(value, str):
            found[name] = value
            continue
        reach = summary.get(name + HALF_WIDTH)
        number = Number(value=finite(value), unit=unit_of(name))
        if isinstance(reach, float):
            number = number.model_copy(update={"low": finite(value - reach), "high": finite(value + reach)})
        found[stem_of(name)] = number
    return found


def fault_of(error: BaseException) -> Fault:
    """A fault as a reply tells it."""
    if isinstance(error, BadInput):
        return Fault(kind="input", message=str(error), field=error.field, value=str(error.value), accepts=error.accepts)
    if isinstance(error, TransslitError):
        return Fault(kind="stage", message=str(error), stage=getattr(error, "stage", None))
    if isinstance(error, KeyboardInterrupt):
        return Fault(kind="interrupted", message="interrupted; the same command resumes")
    return Fault(kind="output" if isinstance(error, OSError) else "input", message=str(error))


def page() -> str:
    """Every key of a reply, as Markdown."""
    schema = Reply.model_json_schema()
    parts = {"Reply": schema, **schema["$defs"]}
    lines = []
    for name, part in parts.items():
        lines += [f"### {TITLES[name]}", "", "| key | holds |", "|---|---|"]
        for key, known in part["properties"].items():
            lines.append(
                f"| `{key}` | {_kind(known)}{': ' if 'description' in known else ''}{known.get('description', '')} |"
            )
        lines.append("")
    return "\n".join(lines)


TITLES = {"Reply": "The object", "Number": "A number", "Fault": "An error", "FoundLaw": "A law"}


def _kind(known: Mapping[str, Any]) -> str:
    """The kind of value of a key in words."""
    options = [option for option in known.get("anyOf", [known]) if option.get("type") != "null"]
    words = []
    for option in options:
        if "$ref" in option:
            words.append(TITLES[option["$ref"].rpartition("/")[2]].lower())
        elif option.get("type") == "array":
            words.append(f"a list of {_kind(option['items'])}s")
        elif option.get("type") == "object" and isinstance(option.get("additionalProperties"), dict):
            words.append(f"by name, {_kind(option['additionalProperties'])}")
        else:
            words.append(str(option.get("const", option.get("type", "anything"))))
    return " or ".join(words)
