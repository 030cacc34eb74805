"""What a validation has still to do, and about how long that takes here: said before anything runs.

Molecular dynamics is timed by a few evaluations of the forces of its own cell; the rest by what it takes a free core.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import md
from transslit.progress import Progress
from transslit.runs import RunFolder
from validation.claims.judge import needed
from validation.claims.uncertainty import Evidence
from validation.presets import MD_WIDTH, ClaimsConfig
from validation.verdicts.words import listed

PARTS = {
    "ions": 120.0, "continuum-small": 8.0, "continuum-step": 8.0, "continuum-cv": 8.0, "discover": 30.0,
    "discover-md": 10.0, "circuit": 5.0,
}  # s  # fmt: skip
STAGE = {
    "continuum-small": "ions", "continuum-step": "continuum", "continuum-cv": "continuum", "discover-md": "discover",
}  # fmt: skip
WORDS = {"ions": "ions in implicit water", "discover": "law"}
OF_ATOMS = ("continuum-step", "discover-md")  # run beside molecular dynamics only
LONG = 6 * 3600.0  # s of molecular dynamics beyond which doing without is worth a word


def announce(
    run: RunFolder, cell: md.Cell | None, claims: ClaimsConfig | None, stages: Sequence[str], progress: Progress
) -> None:
    """Print what is left of `stages` in an open run folder; nothing if all are finished or output is quiet.

    `cell` is that of molecular dynamics, `claims` are judged, where given.
    """
    if progress.quiet:
        return
    todo, advice = [], ""
    left = [
        name
        for name in PARTS
        if STAGE.get(name, name) in stages and not _finished(run, name) and (name not in OF_ATOMS or cell is not None)
    ]
    if left:
        words = listed(dict.fromkeys(WORDS.get(stage, stage) for stage in (STAGE.get(name, name) for name in left)))
        todo.append(f"{words} {approximate_duration(sum(PARTS[name] for name in left))}")
    if cell is not None and not _finished(run, "md"):
        atoms, seconds = md.workload(cell, run.path / "md")
        todo.append(
            f"molecular dynamics {approximate_duration(seconds)} ({atoms} atoms, {cell.config.replicas} replicas)"
        )
        others = ",".join(stage for stage in stages if stage != "md")
        if seconds > LONG and others:
            advice = f" Without a GPU, --stages {others} does the rest first."
    if claims is not None:
        ours = cell is not None and math.isclose(cell.network.slit, MD_WIDTH, rel_tol=1e-3)  # these atoms serve
        runs = Evidence(claims, run, Progress(quiet=True)).left(needed(atoms=not ours))
        if runs:
            todo.append(
                f"evidence for the claims {approximate_duration(sum(cost for cost, _, _ in runs))} ({len(runs)} runs)"
            )
    if todo:
        progress.say(f"To do, about: {'; '.join(todo)}. Ctrl-C at any time: the same command resumes.{advice}")


def approximate_duration(seconds: float) -> str:
    """A time to wait, as rough as it is known."""
    for unit, length in (("days", 86400.0), ("h", 3600.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(1, round(seconds / 60))} min"


def _finished(run: RunFolder, name: str) -> bool:
    return (run.path / name / "manifest.json").exists()
