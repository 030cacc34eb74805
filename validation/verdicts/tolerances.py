"""A group's own standards: tolerances by id, kept in one TOML file for every run.

    ["C02.a"]            # or a claim (C02), or a check of `validate` (against.1.charge)
    low = 0.99
    high = 1.0
    required = true      # decides the exit code
    reason = "our samples are all narrower than 2 nm"

Every key may be left out; what is not named keeps its own. A claim of several parts takes `required` for all of it,
and limits part by part.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import Field, model_validator

from transslit.config import Config
from transslit.errors import BadInput
from transslit.files import read_toml
from validation.verdicts.verdict import CLAIM, ClaimVerdict, Criterion, Estimate, Verdict

Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Tolerance(Config):
    """What a group asks of one check or claim."""

    low: Finite | None = None
    high: Finite | None = None
    required: Annotated[bool, Field(strict=True)] | None = None
    reason: str = ""

    @model_validator(mode="after")
    def _range(self) -> Self:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low ({self.low:g}) is above high ({self.high:g})")
        return self

    @property
    def sets_limits(self) -> bool:
        """Whether it sets limits."""
        return self.low is not None or self.high is not None


Tolerances = Mapping[str, Tolerance]
Judged = TypeVar("Judged", bound=Verdict)


def read_tolerances(path: Path, families: Collection[str]) -> dict[str, Tolerance]:
    """Tolerances by id, each of one of `families` (first parts of ids); a run may judge only some of them.

    Raises
    ------
    BadInput : unreadable, not TOML, an id of no kind that there is, or an entry that is no tolerance
    """
    content = read_toml(Path(path), "tolerances")
    entries = {}
    for identity, values in content.items():
        if not isinstance(values, dict) or any(isinstance(value, dict) for value in values.values()):
            raise BadInput(
                "tolerances", identity, 'give a table of low, high, required, reason; quote ids with dots, as ["C02.a"]'
            )
        if identity.split(".")[0] not in families:
            raise _unknown(identity, families)
        entries[identity] = Tolerance.read_file(f"{path}: {identity}", values)
    return entries


def apply_tolerances(verdicts: Sequence[Judged], table: Tolerances) -> list[Judged]:
    """`verdicts` judged again by `table`.

    An id of a kind that this run did not judge at all is left aside.

    Raises
    ------
    BadInput : an unknown id, with the nearest names; or limits for a claim of several parts
    """
    known = {verdict.id for verdict in verdicts}
    known |= {part.id for verdict in verdicts if isinstance(verdict, ClaimVerdict) for part in verdict.parts}
    judged = {verdict.family for verdict in verdicts}
    for identity in table:
        if identity not in known and identity.split(".")[0] in judged:
            raise _unknown(identity, known)
    again: list[Any] = [
        _claim(verdict, table) if isinstance(verdict, ClaimVerdict) else _again(verdict, table) for verdict in verdicts
    ]
    return again


def _unknown(identity: str, known: Collection[str]) -> BadInput:
    names = difflib.get_close_matches(identity, list(known), n=3, cutoff=0.4)
    return BadInput("tolerances", identity, f"no such check or claim; nearest: {', '.join(names) or 'none'}")


def _again(verdict: Verdict, table: Tolerances, claim: bool = False) -> Verdict:
    own = table.get(verdict.id)
    if own is None:
        return verdict
    required = verdict.required if own.required is None else own.required
    verdict = verdict.changed(required=required, reason=own.reason or verdict.reason)
    if not own.sets_limits:
        return verdict
    old_low, old_high = verdict.limits
    low, high = (old_low if own.low is None else own.low), (old_high if own.high is None else own.high)
    ends = (-math.inf if low is None else low, math.inf if high is None else high)
    if ends[0] > ends[1]:
        raise BadInput("tolerances", verdict.id, f"low {ends[0]:g} is above high {ends[1]:g}; give both")
    criterion = Criterion(verdict.reason, *ends, verdict.unit)
    value = math.nan if verdict.value is None else verdict.value
    outcome = criterion.decide(Estimate(value, *(verdict.interval or (math.nan, math.nan))), verdict.widened)
    return verdict.changed(
        verdict=CLAIM[outcome] if claim else outcome, tolerance=criterion.words, limits=criterion.limits
    )


def _claim(verdict: ClaimVerdict, table: Tolerances) -> Verdict:
    own = table.get(verdict.id)
    parts = [_again(part, table, claim=True) for part in verdict.parts]
    if own is not None and own.sets_limits:
        if len(parts) > 1:
            ids = ", ".join(part.id for part in parts)
            raise BadInput("tolerances", verdict.id, f"has several parts; give limits for {ids}")
        parts = [_again(parts[0], {parts[0].id: own}, claim=True)]
    if own is not None and own.required is not None:
        parts = [part.changed(required=own.required) for part in parts]
    return verdict.with_parts(parts)
