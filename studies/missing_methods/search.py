"""The search: judge the defaults and a space-filling sample, then refine, on the workers of a sweep.

OUT is the folder of a sweep (`validation.sweep`): points that are finished are recognised by the digest of their
setting and never judged again, one that cannot be judged is a row with its error, and sweep.csv is the table. Beside it
lie defaults.json (the claims' parts and tolerances among it), and what `report` makes of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path

import pandas as pd

from studies.missing_methods.judged import TOGETHER, Part, parts_of, usable, with_readings
from studies.missing_methods.point import judge
from studies.missing_methods.sample import around, promising, space_filling, unique
from studies.missing_methods.setting import Preset, Setting
from transslit.files import read_object, write_json
from transslit.progress import Progress
from validation.sweep import Point, Task, Work, sweep
from validation.sweep.plan import code_version


def search(
    out: Path,
    pool: Executor,
    count: int,
    refinements: Sequence[int] = (),
    seed: int = 2010,
    preset: Preset = "coarse",
    progress: Progress | None = None,
) -> tuple[pd.DataFrame, list[Part]]:
    """Judge the defaults, `count` settings that fill the box, and further ones where most claims are expected to hold.

    Parameters
    ----------
    refinements : how many settings each round of refinement adds: half of them around those that hold most claims,
        half where all of `judged.TOGETHER` is most likely to hold
    preset : mesh and time steps of the sample

    Returns
    -------
    table of the settings that could be judged, in that order, and `parts` (`validation.methods.judged`)
    """
    settings = unique([Setting(preset=preset), *space_filling(count, seed, preset=preset)])
    parts = _parts(out)
    table = _judged(settings, out, pool, progress)
    for round_, more in enumerate(refinements):
        some = seed + 1 + round_
        asked = [part for statement in TOGETHER.values() for part in statement]
        told = table[table["window_of"] == "cell"]  # phi_m reaches 200 mV: the caption of ED10 says so
        best = around(told, parts, more - more // 2, some, preset=preset)
        best += promising(with_readings(table), asked, more // 2, some, preset=preset)
        settings = unique([*settings, *best])
        table = _judged(settings, out, pool, progress)
    return table, parts


def _judged(settings: Sequence[Setting], out: Path, pool: Executor, progress: Progress | None) -> pd.DataFrame:
    code = code_version()
    points = [Point({}, Task("methods", Work(setting), code=code)) for setting in settings]
    return usable(sweep(points, out, pool, progress=progress))


def _parts(out: Path) -> list[Part]:
    """The parts of the claims, from the defaults: what a part is and its tolerance are the same at every setting."""
    path = out / "defaults.json"
    row = read_object(path, "out")
    if not row:
        row = judge(Setting(), out / "defaults")
        write_json(path, row)
    return parts_of([row])
