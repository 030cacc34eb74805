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
from validation.verdict import read_rows

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
    first, second = (_rows(folder) for folder in (a, b))
    pairs = [_pair(identity, first.get(identity), second.get(identity)) for identity in {**first, **second}]
    return [replace(pair, evidence=_moved(_table(a, pair.id), _table(b, pair.id))) for pair in pairs]


def _rows(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in read_rows(folder)}


def _pair(identity: str, a: dict[str, Any] | None, b: dict[str, Any] | None) -> Pair:
    one = a or b or {}
    known_a, known_b = a or {}, b or {}
    value_a, value_b = known_a.get("value"), known_b.get("value")
    u_a, u_b = known_a.get("uncertainty"), known_b.get("uncertainty")
    change = u = None
    if value_a is not None and value_b is not None and known_a["unit"] == known_b["unit"]:
        change, u = value_b - value_a, math.hypot(u_a or 0.0, u_b or 0.0)
    what: Change
    if a is None or b is None:
        what = "only in B" if a is None else "only in A"
    elif a["verdict"] != b["verdict"]:
        what = "verdict changed"
    elif change is None or u is None:
        what = "equal" if value_a is value_b is None else "not comparable"
    elif abs(change) <= ROUND_OFF * abs(value_a or 0.0):
        what = "equal"
    else:
        what = "shifted" if abs(change) > u else "within uncertainty"
    verdicts = known_a.get("verdict"), known_b.get("verdict")
    return Pair(identity, one["title"], one["unit"], *verdicts, value_a, value_b, u_a, u_b, what, change, u)


def _table(folder: Path, identity: str) -> pd.DataFrame | None:
    path = folder / "tables" / f"{identity}.parquet"
    return read_table(path, "folder") if path.exists() else None


def _moved(a: pd.DataFrame | None, b: pd.DataFrame | None) -> str:
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
