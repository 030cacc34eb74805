"""Two runs' verdicts side by side: what changed, and by how much against its uncertainty.

    change = B - A,   u = sqrt(u_A^2 + u_B^2),   shifted where |change| > u

with the 95 % half-widths u of both numbers, taken as independent: a shift within u says nothing. Beside it, what
differs most between the tables that the two numbers follow from.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from transslit.files import read_table
from validation.verdicts.verdict import Verdict, read_verdicts

Change = Literal[
    "verdict changed", "shifted", "within uncertainty", "equal", "only in A", "only in B", "not comparable"
]
ROUND_OFF = 1e-9  # relative; below, two numbers are equal


@dataclass(frozen=True)
class Pair:
    """One statement in two runs; verdicts, values and half-widths are None where a run lacks them."""

    id: str
    title: str
    unit: str
    verdict_a: str | None
    verdict_b: str | None
    value_a: float | None
    value_b: float | None
    u_a: float | None
    u_b: float | None
    what: Change
    change: float | None
    u: float | None
    evidence: str = ""  # what differs most between the tables behind it, in words; empty where a run has none

    @property
    def differs(self) -> bool:
        """Whether a reader should look at it."""
        return self.what not in ("equal", "within uncertainty")

    @property
    def against_u(self) -> float | None:
        """|change| / u; None where either is unknown, or u vanishes."""
        return abs(self.change) / self.u if self.change is not None and self.u else None


def compare(a: Path, b: Path) -> list[Pair]:
    """Every statement of the runs in folders `a` and `b`, in the order of `a`.

    Raises
    ------
    BadInput : a folder without verdicts.json
    """
    first, second = _by_id(a), _by_id(b)
    pairs = [_pair(first.get(identity), second.get(identity)) for identity in {**first, **second}]
    return [replace(pair, evidence=_largest_change(_table(a, pair.id), _table(b, pair.id))) for pair in pairs]


def _by_id(folder: Path) -> dict[str, Verdict]:
    return {verdict.id: verdict for verdict in read_verdicts(folder)}


def _pair(a: Verdict | None, b: Verdict | None) -> Pair:
    one = a or b
    assert one is not None
    change = u = None
    if a is not None and b is not None and a.value is not None and b.value is not None and a.unit == b.unit:
        change, u = b.value - a.value, math.hypot(a.uncertainty or 0.0, b.uncertainty or 0.0)
    return Pair(
        id=one.id,
        title=one.title,
        unit=one.unit,
        verdict_a=None if a is None else a.verdict,
        verdict_b=None if b is None else b.verdict,
        value_a=None if a is None else a.value,
        value_b=None if b is None else b.value,
        u_a=None if a is None else a.uncertainty,
        u_b=None if b is None else b.uncertainty,
        what=_kind_of_change(a, b, change, u),
        change=change,
        u=u,
    )


def _kind_of_change(a: Verdict | None, b: Verdict | None, change: float | None, u: float | None) -> Change:
    if a is None or b is None:
        return "only in B" if a is None else "only in A"
    if a.verdict != b.verdict:
        return "verdict changed"
    if change is None or u is None:
        return "equal" if a.value is b.value is None else "not comparable"
    if abs(change) <= ROUND_OFF * abs(a.value or 0.0):
        return "equal"
    return "shifted" if abs(change) > u else "within uncertainty"


def _table(folder: Path, identity: str) -> pd.DataFrame | None:
    path = folder / "tables" / f"{identity}.parquet"
    return read_table(path, "folder") if path.exists() else None


def _largest_change(a: pd.DataFrame | None, b: pd.DataFrame | None) -> str:
    """The column that differs most, by its largest change over its largest value in `a`."""
    if a is None or b is None:
        return ""
    if list(a.columns) != list(b.columns) or len(a) != len(b):
        return f"{len(a)} rows of {len(a.columns)} columns, {len(b)} of {len(b.columns)}"
    numbers = a.select_dtypes("number").columns
    if not a.drop(columns=numbers).equals(b.drop(columns=numbers)):
        return "other labels"
    change = (b[numbers] - a[numbers]).abs().max() / a[numbers].abs().max().replace(0.0, 1.0)
    if not change.max() > ROUND_OFF:
        return "equal"
    return f"{change.idxmax()} by {change.max():.2g} of its largest"


def counts(pairs: list[Pair]) -> dict[str, int]:
    """How many statements changed in which way."""
    return {what: sum(pair.what == what for pair in pairs) for what in dict.fromkeys(pair.what for pair in pairs)}


def as_rows(pairs: list[Pair]) -> list[dict[str, Any]]:
    """JSON-able rows."""
    return [asdict(pair) | {"against_u": pair.against_u} for pair in pairs]
