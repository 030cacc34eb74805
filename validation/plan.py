"""What a validation has still to do, and about how long that takes here: said before anything runs.

Molecular dynamics is timed by a few evaluations of the forces of its own cell; the rest by what it takes a free core.
"""

from __future__ import annotations

import math

import md
from transslit.progress import Progress
from transslit.runs import RunFolder
from validation.claims.config import MD_WIDTH, ClaimsConfig
from validation.claims.evidence import Evidence
from validation.claims.stage import needed

PARTS = {"continuum-step": 8.0, "continuum-cv": 8.0, "discover": 30.0, "discover-md": 10.0, "circuit": 5.0}  # s
STAGE = {"continuum-step": "continuum", "continuum-cv": "continuum", "discover-md": "discover"}
LONG = 6 * 3600.0  # s of molecular dynamics beyond which doing without is worth a word


def announce(
    run: RunFolder, cell: md.Cell, claims: ClaimsConfig | None, stages: tuple[str, ...], progress: Progress
) -> None:
    """Say what is left of `stages` in an open run folder; nothing where all is there or nobody listens.

    `claims` are judged where given.
    """
    if progress.quiet:
        return
    told, advice = [], ""
    seconds = sum(
        cost
        for name, cost in PARTS.items()
        if STAGE.get(name, name) in stages and not _finished(run, name) and (name != "discover-md" or "md" in stages)
    )
    if seconds:
        told.append(f"continuum, law and circuit {in_words(seconds)}")
    if "md" in stages and not _finished(run, "md"):
        atoms, seconds = md.workload(cell, run.path / "md")
        told.append(f"molecular dynamics {in_words(seconds)} ({atoms} atoms, {cell.config.replicas} replicas)")
        others = ",".join(stage for stage in stages if stage != "md")
        if seconds > LONG and others:
            advice = f" Without a GPU, --stages {others} does the rest first."
    if claims is not None:
        ours = "md" in stages and math.isclose(cell.network.slit, MD_WIDTH, rel_tol=1e-3)  # these atoms serve
        left = Evidence(claims, run, Progress(quiet=True)).left(needed(atoms=not ours))
        if left:
            told.append(f"evidence for the claims {in_words(sum(cost for cost, _, _ in left))} ({len(left)} runs)")
    if told:
        progress.say(f"To do, about: {'; '.join(told)}. Ctrl-C at any time: the same command resumes.{advice}")


def in_words(seconds: float) -> str:
    """A time to wait, as rough as it is known."""
    for unit, length in (("days", 86400.0), ("h", 3600.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(1, round(seconds / 60))} min"


def _finished(run: RunFolder, name: str) -> bool:
    return (run.path / name / "manifest.json").exists()
