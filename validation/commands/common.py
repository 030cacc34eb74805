"""What the commands share: options, and how a simulation is run and reported."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import Field

from transslit.config import Config
from transslit.progress import Progress
from transslit.record import TransSlitRecord
from transslit.reply import Reply
from transslit.runs import open_run
from validation.verdicts.tolerances import Tolerances, read_tolerances

if TYPE_CHECKING:
    pass

C = TypeVar("C", bound=Config)
KEYWORD = inspect.Parameter.KEYWORD_ONLY

# Of a record's metadata, what its manifest says too.
CONTINUED = ("continued_from_state", "starts_continued_from_state")


class Judgement(Config):
    """Tolerances, and how strictly verdicts decide the exit code."""

    tolerances: Path | None = Field(None, description="TOML file of your own tolerances, by the ids of the verdicts")
    strict: bool = Field(False, description="exit with 1 on an inconclusive required check too")

    def standards(self, families: Collection[str]) -> Tolerances:
        """The tolerances by id, each of one of `families` (first parts of ids)."""
        return {} if self.tolerances is None else read_tolerances(self.tolerances, families)


def run_stage(
    name: str, folder: Path, config: C, run: Callable[[C, Path, Progress], TransSlitRecord], seed: int
) -> tuple[TransSlitRecord, Reply]:
    """Run one simulation into `folder`; its record, and what the command replies."""
    with open_run(folder) as opened:

        def stage(path: Path) -> dict[str, object]:
            metadata = run(config, path, Progress()).metadata
            return {key: metadata[key] for key in CONTINUED if key in metadata}

        _, manifest = opened.stage("", config, stage, seed=seed)
    record = TransSlitRecord.read(folder)
    rows = {name: len(getattr(record, name)) for name in ("crossings", "slits", "terminal")}
    return record, Reply(command=name, out=str(folder), rows=rows, wall_s=manifest.get("wall_s"))


def say_record(reply: Reply) -> None:
    """Print where the record is, and its size."""
    rows = reply.rows or {}
    print(f"record: {reply.out}/record ({rows['crossings']} crossings, {rows['slits']} slit states)")
