"""Verdicts: a number, its uncertainty, a tolerance and the reason for it, and what follows.

A cross-check says pass, fail or inconclusive; a claim of the paper says reproduced, not reproduced or
inconclusive. An interval decides: wholly inside the tolerance, wholly outside, or across its edge. Where parameters
of the setting are unknown too, a pass must survive them: the interval is then widened by what they do, and what only
some of those parameters would pass is inconclusive. A fail as set stays one: nothing is tuned in silence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, Field

from transslit.errors import BadInput
from transslit.files import checked, read_json
from transslit.resampling import wanted

Outcome = Literal["pass", "fail", "inconclusive", "reproduced", "not reproduced"]
CLAIM: dict[str, Outcome] = {"pass": "reproduced", "fail": "not reproduced", "inconclusive": "inconclusive"}
MANY = 10_000  # replicas beyond which no number is named
OTHER = "another version of transslit wrote it: run the validation again"
GOOD, BAD = ("pass", "reproduced"), ("fail", "not reproduced")


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; `low == high == value` for a deterministic number.

    `samples` is how many independent ones the interval rests on, `replicas` in how many runs; 0 where not sampled.
    """

    value: float
    low: float
    high: float
    samples: float = 0.0
    replicas: int = 0

    @classmethod
    def exact(cls, value: float) -> Estimate:
        """A number without statistical spread."""
        return cls(value, value, value)

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2

    def basis(self, low: float = -math.inf, high: float = math.inf) -> str:
        """What the interval rests on, and about how many replicas would take it off an edge of [low, high]."""
        if not self.replicas:
            return ""
        runs = f"{self.replicas} replica{'s' if self.replicas > 1 else ''}"
        words = f"; {self.samples:.0f} effective samples from {runs}"
        crossed = [edge for edge in (low, high) if self.low < edge < self.high]
        if not crossed:
            return words
        needed = max(
            wanted(
                self.replicas,
                *(
                    (self.high - self.value, edge - self.value)
                    if edge > self.value
                    else (self.value - self.low, self.value - edge)
                ),
            )
            for edge in crossed
        )
        return f"{words}; " + (
            f"about {needed:.0f} replicas would settle it"
            if needed <= MANY
            else f"more than {MANY} replicas would be needed"
        )

    def inside(self, low: float = -math.inf, high: float = math.inf) -> Outcome:
        """Whether the interval lies inside [low, high]: pass, fail (wholly outside) or inconclusive.

        One replica shows its scatter in time, not that between replicas: it decides nothing.
        """
        if self.replicas == 1 or not all(map(math.isfinite, (self.value, self.low, self.high))):
            return "inconclusive"
        if low <= self.low and self.high <= high:
            return "pass"
        if self.high < low or self.low > high:
            return "fail"
        return "inconclusive"


@dataclass(frozen=True)
class Verdict:
    """One judged statement; the fields are those of a row of verdicts.json, but for its table.

    `evidence` is the tidy table that the value follows from (tables/<id>.parquet of the run). `interval` is that at
    what is set, `widened` that with the unknown parameters varied too (None where none are), `limits` the tolerance as
    numbers (None is an open end), and the three `u_` are 95 % half-widths by source, None where it does not arise;
    `uncertainty` holds all three.
    """

    id: str
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
    evidence: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("interval", "widened", "limits"):  # lists, where a row is read back
            if (pair := getattr(self, name)) is not None:
                object.__setattr__(self, name, tuple(pair))

    def row(self) -> dict[str, Any]:
        """The verdict as JSON-able row."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "evidence"}


class Row(BaseModel):
    """What every row of verdicts.json and of claims.json holds."""

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
    parts: tuple[Row, ...] = ()


def read_rows(folder: Path, name: str = "verdicts.json") -> list[dict[str, Any]]:
    """The rows of a run's verdicts.json, or of its claims.json, of which there may be none.

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
    for row in rows:
        try:
            checked(row, Row, path, "folder")
        except BadInput as fault:
            raise BadInput("folder", path, f"{fault.accepts}; {OTHER}") from None
    return rows


def judge(
    identity: str,
    title: str,
    estimate: Estimate,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    unit: str = "1",
    reason: str,
    setting: str,
    required: bool = False,
    claim: bool = False,
    widened: tuple[float, float] | None = None,
    evidence: pd.DataFrame | None = None,
    **uncertainties: float | None,
) -> Verdict:
    """The verdict on `estimate` against the tolerance [low, high]; `uncertainties` are the `u_` of `Verdict`."""
    outcome = decide(estimate, low, high, widened)
    finite = math.isfinite(estimate.value)
    known = math.isfinite(estimate.low) and math.isfinite(estimate.high)
    ends = widened or (estimate.low, estimate.high)
    half = (ends[1] - ends[0]) / 2 if finite and known and all(map(math.isfinite, ends)) else None
    return Verdict(
        id=identity,
        title=title,
        verdict=CLAIM[outcome] if claim else outcome,
        value=estimate.value if finite else None,
        uncertainty=half,
        tolerance=tolerance(low, high),
        unit=unit,
        reason=reason + estimate.basis(low, high),
        required=required,
        setting=setting,
        interval=(estimate.low, estimate.high) if known else None,
        widened=widened if half is not None else None,
        limits=(low if math.isfinite(low) else None, high if math.isfinite(high) else None),
        evidence=pd.DataFrame() if evidence is None else evidence,
        **uncertainties,
    )


def decide(estimate: Estimate, low: float, high: float, widened: tuple[float, float] | None = None) -> Outcome:
    """Pass, fail or inconclusive against [low, high]; a pass must hold for the `widened` interval too."""
    outcome = estimate.inside(low, high)
    if outcome == "pass" and widened is not None and not low <= widened[0] <= widened[1] <= high:
        return "inconclusive"
    return outcome


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of a whole whose parts have `outcomes`: bad if one is, good if all are."""
    for outcome in outcomes:
        if outcome in BAD:
            return outcome
    return next((outcome for outcome in outcomes if outcome not in GOOD), outcomes[0])


def tolerance(low: float, high: float) -> str:
    """The range in words."""
    if math.isinf(low):
        return "any" if math.isinf(high) else f"at most {high:g}"
    if math.isinf(high):
        return f"at least {low:g}"
    return f"{low:g} to {high:g}"


def exit_code(verdicts: Sequence[Verdict], strict: bool) -> int:
    """0, or 1 when a required check failed (with `strict`, an inconclusive one too)."""
    return int(any(v.required and (v.verdict in BAD or (strict and v.verdict == "inconclusive")) for v in verdicts))
