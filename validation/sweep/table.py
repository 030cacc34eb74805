"""The table of a sweep: a function of its plan and of the files that its points left, one row per point.

Columns: the parameters (SI, units in their names), what the stage measures, wall_s and cpu_s, status (done, failed or
pending), error (one line), key. It is written as sweep.csv and sweep.parquet beside the plan, sweep.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel

from transslit.errors import BadInput
from transslit.files import checked, read_json, write_json, write_table, write_text
from validation.sweep.plan import Point
from validation.sweep.points import Outcome, read_outcome

LAST = ("wall_s", "cpu_s", "status", "error", "key")


def write_plan(out: Path, stage: str, points: Sequence[Point]) -> None:
    """Leave sweep.json, from which the table can be made again."""
    rows = [{"key": point.key, "parameters": point.parameters, "refused": point.refused} for point in points]
    write_json(out / "sweep.json", {"stage": stage, "points": rows})


def read_table(out: Path) -> pd.DataFrame:
    """The table of a sweep's folder as it stands, finished or not, from its plan and the files of its points.

    Raises
    ------
    BadInput : no sweep there, or a damaged one
    """
    content = read_json(out / "sweep.json", "out")
    if content is None:
        raise BadInput("out", out, "holds no sweep")
    rows = [row.model_dump() for row in checked(content, Plan, out / "sweep.json", "out").points]
    outcomes = {row["key"]: found for row in rows if (found := read_outcome(out, row["key"]))}
    return tabled(rows, outcomes)


class PlannedRow(BaseModel):
    """A point of sweep.json."""

    key: str
    parameters: dict[str, int | float | str]
    refused: str


class Plan(BaseModel):
    """The content of sweep.json."""

    stage: str
    points: tuple[PlannedRow, ...]


def tabled(rows: Sequence[Mapping[str, Any]], outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """Rows of a plan (key, parameters, refused) with how each ended."""
    found = pd.DataFrame([_row(row, outcomes.get(row["key"])) for row in rows])
    for name in list(found):
        kinds = {type(value) for value in found[name].dropna()}
        if str in kinds and len(kinds) > 1:
            found[name] = found[name].map(str, na_action="ignore")  # a column of a file has one type
    return found[[*(name for name in found if name not in LAST), *LAST]]


def _row(row: Mapping[str, Any], outcome: Outcome | None) -> dict[str, Any]:
    unrun = {"status": "failed" if row["refused"] else "pending", "error": row["refused"], "values": {}}
    found: Mapping[str, Any] = outcome or unrun
    ended = {name: found.get(name) for name in LAST if name != "key"}
    return {**row["parameters"], **found["values"], **ended, "key": row["key"]}


def write_tables(out: Path, table: pd.DataFrame) -> None:
    """Leave sweep.csv and sweep.parquet, each whole or not at all."""
    write_text(out / "sweep.csv", table.to_csv(index=False))
    write_table(out / "sweep.parquet", table)
