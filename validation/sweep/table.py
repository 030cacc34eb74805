"""The table of a sweep: a function of its plan and of the outcomes of its points, one row per point.

Columns: the parameters (SI, units in their names), the measured ones, wall_s and cpu_s, status (done, failed or
pending), error (one line), key. It is written as sweep.csv and sweep.parquet beside the plan, sweep.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from pydantic import BaseModel

from transslit.errors import BadInput
from transslit.files import checked, read_json, write_json, write_table, write_text
from transslit.tasks import Outcome, results
from validation.sweep.grid import option_name
from validation.sweep.plan import Point

LAST = ("wall_s", "cpu_s", "status", "error", "key")


class PlannedRow(BaseModel):
    """A point of sweep.json."""

    key: str
    parameters: dict[str, int | float | str]
    refused: str


class Plan(BaseModel):
    """The content of sweep.json."""

    stage: str
    points: tuple[PlannedRow, ...]

    @classmethod
    def of(cls, stage: str, points: Sequence[Point]) -> Plan:
        """The plan of points of a stage."""
        rows = (PlannedRow(key=point.key, parameters=point.parameters, refused=point.refused) for point in points)
        return cls(stage=stage, points=tuple(rows))

    def table(self, outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
        """Its points in rows, those that have ended with their outcomes."""
        ended = [outcomes.get(point.key) for point in self.points]
        last = [
            (o["wall_s"], o["cpu_s"], o["status"], o["error"], point.key)
            if o
            else (None, None, "failed" if point.refused else "pending", point.refused, point.key)
            for point, o in zip(self.points, ended, strict=True)
        ]
        parameters = pd.DataFrame([point.parameters for point in self.points])
        values = pd.DataFrame([o["values"] if o else {} for o in ended])
        table = pd.concat([parameters, values, pd.DataFrame(last, columns=LAST)], axis=1)
        for name in list(table):
            kinds = {type(value) for value in table[name].dropna()}
            if str in kinds and len(kinds) > 1:
                table[name] = table[name].map(str, na_action="ignore")  # a column of a file has one type
        return table

    def write(self, out: Path) -> None:
        """Leave sweep.json, from which the table can be made again."""
        write_json(out / "sweep.json", self.model_dump())


def read_table(out: Path) -> pd.DataFrame:
    """The table of a sweep in its present state, finished or not, from its plan and the outcomes of its points.

    Raises
    ------
    BadInput : no sweep there, or a damaged one
    """
    content = read_json(out / "sweep.json", "out")
    if content is None:
        raise BadInput("out", out, "holds no sweep")
    plan = checked(content, Plan, out / "sweep.json", "out")
    return plan.table({row.key: outcome for row in plan.points if (outcome := results(out).read(row.key))})


def write_tables(out: Path, table: pd.DataFrame) -> None:
    """Leave sweep.csv and sweep.parquet, each whole or not at all."""
    write_text(out / "sweep.csv", table.to_csv(index=False))
    write_table(out / "sweep.parquet", table)


def column(table: pd.DataFrame, name: str) -> str:
    """The column that is called `name`, or `name` and a unit.

    Raises
    ------
    BadInput : the table has no such column
    """
    wanted, known = option_name(name), [str(each) for each in table]
    matches = [each for each in known if each == wanted]
    matches += [each for each in known if each.startswith(f"{wanted}_") and "_std" not in each]
    if not matches:
        raise BadInput("plot", name, f"give columns of the table: {', '.join(c for c in known if c not in LAST)}")
    return matches[0]
