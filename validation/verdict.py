"""Verdicts: a number, its uncertainty, a tolerance and the reason for it, and what follows.

A cross-check says pass, fail or inconclusive; a claim of the paper says reproduced, not reproduced or
inconclusive. An interval decides: wholly inside the tolerance, wholly outside, or across its edge.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

Outcome = Literal["pass", "fail", "inconclusive", "reproduced", "not reproduced"]
CLAIM: dict[str, Outcome] = {"pass": "reproduced", "fail": "not reproduced", "inconclusive": "inconclusive"}


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; `low == high == value` for a deterministic number."""

    value: float
    low: float
    high: float

    @classmethod
    def exact(cls, value: float) -> Estimate:
        """A number without statistical spread."""
        return cls(value, value, value)

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2

    def inside(self, low: float = -math.inf, high: float = math.inf) -> Outcome:
        """Whether the interval lies inside [low, high]: pass, fail (wholly outside) or inconclusive."""
        if not all(map(math.isfinite, (self.value, self.low, self.high))):
            return "inconclusive"
        if low <= self.low and self.high <= high:
            return "pass"
        if self.high < low or self.low > high:
            return "fail"
        return "inconclusive"


@dataclass(frozen=True)
class Verdict:
    """One judged statement; the fields are those of a row of verdicts.json."""

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

    def row(self) -> dict[str, Any]:
        """The verdict as JSON-able row."""
        return asdict(self)


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
) -> Verdict:
    """The verdict on `estimate` against the tolerance [low, high]."""
    outcome = estimate.inside(low, high)
    finite = math.isfinite(estimate.value)
    return Verdict(
        id=identity,
        title=title,
        verdict=CLAIM[outcome] if claim else outcome,
        value=estimate.value if finite else None,
        uncertainty=estimate.half_width if finite and math.isfinite(estimate.half_width) else None,
        tolerance=_range(low, high),
        unit=unit,
        reason=reason,
        required=required,
        setting=setting,
    )


def _range(low: float, high: float) -> str:
    if math.isinf(low):
        return f"at most {high:g}"
    if math.isinf(high):
        return f"at least {low:g}"
    return f"{low:g} to {high:g}"


def exit_code(verdicts: list[Verdict], strict: bool) -> int:
    """0, or 1 when a required check failed (with `strict`, an inconclusive one too)."""
    bad = {"fail", "not reproduced"} | ({"inconclusive"} if strict else set())
    return int(any(v.required and v.verdict in bad for v in verdicts))
