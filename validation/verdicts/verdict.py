"""Verdicts: a number, its uncertainty, a tolerance and the reason for it, and what follows.

A check says pass, fail or inconclusive; a claim of the paper says reproduced, not reproduced or inconclusive. An
interval decides: wholly inside the tolerance, wholly outside, or across its edge. Where parameters of the setting are
unknown too, a pass must survive them: the interval is then widened by what they do, and what only some of those
parameters would pass is inconclusive. A fail as set stays one: nothing is tuned in silence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Required, TypedDict, Unpack

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from transslit.errors import BadInput
from transslit.files import checked, read_json
from transslit.resampling import LINEAR, Layout, Scale, interval, wanted

Outcome = Literal["pass", "fail", "inconclusive", "reproduced", "not reproduced"]
CLAIM: dict[str, Outcome] = {"pass": "reproduced", "fail": "not reproduced", "inconclusive": "inconclusive"}
MANY = 10_000  # boxes beyond which no number is named
OTHER = "another version of transslit wrote it: run the validation again"
GOOD, BAD = ("pass", "reproduced"), ("fail", "not reproduced")


@dataclass(frozen=True)
class Estimate:
    """A value with its interval (`transslit.resampling.CONFIDENCE`); `low == high == value` without any spread.

    `samples` is the number of independent samples that the interval rests on, `boxes` that of the boxes (or starts) of
    molecular dynamics; 0 where nothing was sampled. The interval is infinite where one box cannot tell it.
    """

    value: float
    low: float
    high: float
    samples: float = 0.0
    boxes: int = 0

    @classmethod
    def exact(cls, value: float) -> Estimate:
        """A number without statistical spread."""
        return cls(value, value, value)

    @classmethod
    def of(
        cls,
        statistic: Callable[..., float],
        *arrays: np.ndarray,
        layout: Layout = (None, None),
        factors: Sequence[float] = (),
        scale: Scale = LINEAR,
    ) -> Estimate:
        """`statistic` of the block means of `arrays` with its interval (`transslit.resampling.interval`)."""
        return cls(*interval(statistic, *arrays, layout=layout, factors=factors, scale=scale))

    @classmethod
    def around(cls, value: float, low: float, high: float) -> Estimate:
        """A value with an interval that holds it: ends of few resamples may lie on one side of the value."""
        return cls(value, min(float(low), value), max(float(high), value))

    def joined(self, other: Estimate) -> Estimate:
        """The same value with another independent spread, in quadrature."""
        if not self.boxes or not other.boxes:
            return other if other.boxes else self
        low, high = (math.hypot(s - self.value, o - other.value) for s, o in zip(
            (self.low, self.high), (other.low, other.high), strict=True))  # fmt: skip
        samples, boxes = min(self.samples, other.samples), min(self.boxes, other.boxes)
        return Estimate(self.value, self.value - low, self.value + high, samples, boxes)

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2

    def basis(self, low: float = -math.inf, high: float = math.inf) -> str:
        """What the interval rests on, and about how many boxes would take it off an edge of [low, high].

        Boxes must have their own starts: those of one start share what it has, and more of them show nothing new.
        """
        if not self.boxes:
            return ""
        if self.boxes == 1:
            return "; one box, which shows nothing of what boxes differ by"
        words = f"; {self.samples:.0f} effective samples from {self.boxes} boxes"
        crossed = [edge for edge in (low, high) if self.low < edge < self.high]
        if not crossed or not math.isfinite(self.half_width):
            return words
        needed = max(wanted(self.boxes, *self._reach(edge)) for edge in crossed)
        if needed > MANY:
            return f"{words}; more than {MANY} would be needed"
        return f"{words}; about {needed:.0f} boxes of their own starts would settle it"

    def _reach(self, edge: float) -> tuple[float, float]:
        """How far the interval reaches towards an edge, and how far the edge lies from the value."""
        if edge > self.value:
            return self.high - self.value, edge - self.value
        return self.value - self.low, self.value - edge

    def inside(self, low: float = -math.inf, high: float = math.inf) -> Outcome:
        """Whether the interval lies inside [low, high]: pass, fail (wholly outside) or inconclusive.

        One box shows its scatter in time, not that between boxes: it decides nothing.
        """
        if self.boxes == 1 or not all(map(math.isfinite, (self.value, self.low, self.high))):
            return "inconclusive"
        if low <= self.low and self.high <= high:
            return "pass"
        if self.high < low or self.low > high:
            return "fail"
        return "inconclusive"


class Verdict(BaseModel):
    """One judged statement; its fields but `evidence` make a row of verdicts.json.

    `evidence` is the tidy table that the value follows from (tables/<id>.parquet of the run). `interval` is that at
    what is set, `widened` that with the unknown parameters varied too (None where none are), `limits` the tolerance as
    numbers (None is an open end), and the three `u_` are half-widths by source, None where it does not arise;
    `uncertainty` holds all three.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    id: Annotated[str, Field(pattern=r"^[\w.+-]+$", max_length=100)]  # names files
    title: str
    verdict: Outcome
    value: float | None
    uncertainty: float | None
    tolerance: str
    unit: str
    reason: str
    required: bool
    setting: str
    interval: tuple[float, float] | None = None
    widened: tuple[float, float] | None = None
    limits: tuple[float | None, float | None] = (None, None)
    u_numerical: float | None = None
    u_input: float | None = None
    u_statistical: float | None = None
    evidence: pd.DataFrame = Field(default_factory=pd.DataFrame, exclude=True, repr=False)

    def __eq__(self, other: object) -> bool:
        """By the row alone: tables do not compare."""
        return isinstance(other, Verdict) and self.row() == other.row()

    def row(self) -> dict[str, Any]:
        """The verdict as JSON-able row."""
        return self.model_dump()

    @property
    def family(self) -> str:
        """First part of the id: what kind of check it is, or which claim."""
        return self.id.partition(".")[0]

    def changed(self, **fields: object) -> Verdict:
        """The verdict with other values of some fields."""
        return self.model_copy(update=fields)


class ClaimVerdict(Verdict):
    """A judged claim: value, tolerance and reason are those of the part that decided; `figure` is the paper's.

    On disk a row of claims.json (and of verdicts.json) with `parts` as rows; its table is
    evidence/tables/<id>.parquet.
    """

    figure: str = ""
    statement: str = ""
    parts: tuple[Verdict, ...] = ()

    @classmethod
    def assemble(cls, parts: Sequence[Verdict], evidence: pd.DataFrame, **fields: str) -> ClaimVerdict:
        """The verdict of a claim whose `parts` are judged: that of the worst one, whose number it takes.

        `fields` are the claim's own: id, title, setting, figure, statement.
        """
        outcome = worst([part.verdict for part in parts])
        decided = next(part for part in parts if part.verdict == outcome)
        reason = f"{decided.title}: {decided.reason}" if len(parts) > 1 else decided.reason
        own = decided.row() | {"reason": reason, "required": any(part.required for part in parts)} | fields
        return cls(**own, parts=tuple(parts), evidence=evidence)

    def with_parts(self, parts: Sequence[Verdict]) -> ClaimVerdict:
        """The claim judged again by other verdicts on its parts."""
        names = ("id", "title", "setting", "figure", "statement")
        return self.assemble(parts, self.evidence, **{name: getattr(self, name) for name in names})


@dataclass(frozen=True)
class Measured:
    """A number, its numerical half-width, and how far the unknown parameters take it down and up.

    `inputs` is None where none are varied; `variations` is what the number is under each, by label.
    """

    value: float
    u_numerical: float | None = None
    inputs: tuple[float, float] | None = None
    variations: Mapping[str, float] = field(default_factory=dict)

    @property
    def widened(self) -> tuple[float, float] | None:
        """The interval of both."""
        if self.inputs is None:
            return None
        down, up = (math.hypot(self.u_numerical or 0.0, part) for part in self.inputs)
        return self.value - down, self.value + up

    @property
    def range(self) -> str:
        """The ends of the variations in words, where the input matters at all."""
        if self.inputs is None or not self.variations or sum(self.inputs) < 0.02 * abs(self.value):
            return ""
        low, high = (pick(self.variations, key=self.variations.__getitem__) for pick in (min, max))
        return f"; {self.variations[low]:.3g} ({low}) to {self.variations[high]:.3g} ({high})"


@dataclass(frozen=True)
class Criterion:
    """The tolerance [low, high] of a number, its unit and the reason for it."""

    reason: str
    low: float = -math.inf
    high: float = math.inf
    unit: str = "1"

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """The ends as JSON knows them: None is an open end."""
        return (self.low if math.isfinite(self.low) else None, self.high if math.isfinite(self.high) else None)

    @property
    def words(self) -> str:
        """The range in words."""
        if math.isinf(self.low):
            return "any" if math.isinf(self.high) else f"at most {self.high:g}"
        if math.isinf(self.high):
            return f"at least {self.low:g}"
        return f"{self.low:g} to {self.high:g}"

    def decide(self, estimate: Estimate, widened: tuple[float, float] | None = None) -> Outcome:
        """Pass, fail or inconclusive; a pass must hold for the `widened` interval too."""
        outcome = estimate.inside(self.low, self.high)
        if outcome == "pass" and widened is not None and not self.low <= widened[0] <= widened[1] <= self.high:
            return "inconclusive"
        return outcome


class Limits(TypedDict, total=False):
    """The fields of `Criterion`, as arguments."""

    low: float
    high: float
    unit: str
    reason: Required[str]


def judge(
    identity: str,
    title: str,
    estimate: Estimate,
    *,
    setting: str,
    required: bool = False,
    evidence: pd.DataFrame | None = None,
    **limits: Unpack[Limits],
) -> Verdict:
    """The verdict of a check on `estimate` against its tolerance."""
    result = _judged(Criterion(**limits), estimate)
    table = pd.DataFrame() if evidence is None else evidence
    return Verdict(id=identity, title=title, setting=setting, required=required, evidence=table, **result)


def part(title: str, measured: Measured | Estimate | float, **limits: Unpack[Limits]) -> Verdict:
    """One judged part of a claim, which gives it its id and setting."""
    criterion = Criterion(**limits)
    if isinstance(measured, Estimate):
        result = _judged(criterion, measured) | {"u_statistical": measured.half_width}
    else:
        number = measured if isinstance(measured, Measured) else Measured(float(measured))
        u = number.u_numerical or 0.0
        estimate = Estimate(number.value, number.value - u, number.value + u)
        result = _judged(replace(criterion, reason=criterion.reason + number.range), estimate, number.widened)
        result |= {
            "u_numerical": number.u_numerical,
            "u_input": None if number.inputs is None else sum(number.inputs) / 2,
        }
    result["verdict"] = CLAIM[result["verdict"]]
    return Verdict(id="part", title=title, setting="", required=False, **result)


def _judged(criterion: Criterion, estimate: Estimate, widened: tuple[float, float] | None = None) -> dict[str, Any]:
    """The fields of a verdict that follow from a number and its tolerance."""
    finite = math.isfinite(estimate.value)
    known = math.isfinite(estimate.low) and math.isfinite(estimate.high)
    ends = widened or (estimate.low, estimate.high)
    half = (ends[1] - ends[0]) / 2 if finite and known and all(map(math.isfinite, ends)) else None
    return {
        "verdict": criterion.decide(estimate, widened),
        "value": estimate.value if finite else None,
        "uncertainty": half,
        "tolerance": criterion.words,
        "unit": criterion.unit,
        "reason": criterion.reason + estimate.basis(criterion.low, criterion.high),
        "interval": (estimate.low, estimate.high) if known else None,
        "widened": widened if half is not None else None,
        "limits": criterion.limits,
    }


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of a whole whose parts have `outcomes`: bad if one is, good if all are."""
    for outcome in outcomes:
        if outcome in BAD:
            return outcome
    return next((outcome for outcome in outcomes if outcome not in GOOD), outcomes[0])


def exit_code(verdicts: Sequence[Verdict], strict: bool) -> int:
    """0, or 1 when a required check failed (with `strict`, an inconclusive one too)."""
    return int(any(v.required and (v.verdict in BAD or (strict and v.verdict == "inconclusive")) for v in verdicts))


def read_verdicts(folder: Path, name: str = "verdicts.json") -> list[Verdict]:
    """The verdicts of a run's verdicts.json, or of its claims.json, of which there may be none; without their tables.

    Raises
    ------
    BadInput : there is none, it is damaged, or another version wrote it
    """
    path = folder / name
    rows = read_json(path, "folder")
    if rows is None and name == "claims.json":
        return []
    if rows is None:
        raise BadInput("folder", folder, "holds no verdicts.json; give the folder of a finished validation")
    if not isinstance(rows, list):
        raise BadInput("folder", path, f"must hold a list; {OTHER}")
    result: list[Verdict] = []
    for row in rows:
        try:
            result.append(
                checked(row, ClaimVerdict if isinstance(row, dict) and "parts" in row else Verdict, path, "folder")
            )
        except BadInput as fault:
            raise BadInput("folder", path, f"{fault.accepts}; {OTHER}") from None
    return result
