"""What claims ask for: runs, laws and circuits, computed once and read back ever after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from transslit.progress import Progress
from transslit.runs import RunFolder
from validation.claims.config import ClaimsConfig
from validation.claims.registry import Need


class Evidence:
    """Runs of one `ClaimsConfig` in a run folder."""

    def __init__(self, config: ClaimsConfig, run: RunFolder, progress: Progress, md: Path | None = None) -> None:
        self.config, self.run, self.progress, self.md = config, run, progress, md

    def gather(self, needs: Sequence[Need]) -> None:
        """Run what `needs` names and is not there yet."""
