"""The search: judge the defaults and a space-filling sample, then refine, on the workers of a sweep.

OUT is the folder of a sweep (`validation.sweep`): finished points are recognised by the digest of their setting and not
judged again, one that cannot be judged is a row with its error, and sweep.csv is the table. Beside it lie defaults.json
(the claims' parts and tolerances are taken from it), and the tables and figures of `report`.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path

import pandas as pd

from studies.missing_methods.judge import JudgedSetting, judge
from studies.missing_methods.sample import near_best, promising, space_filling, unique
from studies.missing_methods.setting import Preset, Setting
from studies.missing_methods.table import (
    STATEMENTS,
    Part,
    finished_rows,
    parts_of,
    table_row,
    with_resistivity_slopes,
)
from transslit.progress import Progress
from transslit.runs import Results
from validation.sweep import Point, Task, Work, sweep
from validation.sweep.plan import code_version

SEED = 2010


def search(
    out: Path, pool: Executor, count: int, refinements: Sequence[int], preset: Preset, progress: Progress
) -> tuple[pd.DataFrame, list[Part]]:
    """Judge the defaults, `count` settings that fill the box, and further ones where most claims are expected to hold.

    Parameters
    ----------
    refinements : number of settings that each round of refinement adds: half of them near those at which most claims
        hold, half where all of `table.STATEMENTS` most probably hold
    preset : mesh and time steps of the sample

    Returns
    -------
    table of the settings that could be judged, in that order, and the claims' parts
    """
    settings = unique([Setting(preset=preset), *space_filling(count, SEED, preset)])
    parts = _default_parts(out)
    table = _judge_all(settings, out, pool, progress)
    for seed, number in enumerate(refinements, start=SEED + 1):
        required = [part for statement in STATEMENTS.values() for part in statement]
        of_cell = table[table["window_of"] == "cell"]  # phi_m reaches 200 mV by the caption of ED10
        added = near_best(of_cell, parts, number - number // 2, seed, preset)
        added += promising(with_resistivity_slopes(table), required, number // 2, seed, preset)
        settings = unique([*settings, *added])
        table = _judge_all(settings, out, pool, progress)
    return table, parts


def _judge_all(settings: Sequence[Setting], out: Path, pool: Executor, progress: Progress) -> pd.DataFrame:
    code = code_version()
    works = [Work(setting, partial(_row, setting)) for setting in settings]
    points = [Point({}, Task("methods", work, code=code)) for work in works]
    return finished_rows(sweep(points, out, pool, progress=progress))


def _row(setting: Setting, folder: Path) -> dict[str, float | str]:
    return table_row(judge(setting, folder))


def _default_parts(out: Path) -> list[Part]:
    """The claims' parts at the defaults; ids and tolerances are the same at every setting."""
    out.mkdir(parents=True, exist_ok=True)
    results = Results(out, JudgedSetting, "methods")
    judged = results.read("defaults")
    if judged is None:
        judged = judge(Setting(), out / "defaults")
        results.write("defaults", judged)
    return parts_of(judged)
