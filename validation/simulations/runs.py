"""Simulations of one run folder: finished ones are read back, and a record made in this process is handed on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from continuum import ContinuumConfig, Run
from continuum import run as run_continuum
from discovery import DiscoveryConfig, discover
from transslit import Law, TransSlitRecord
from transslit.progress import Progress
from transslit.runs import RunFolder

Manifest = Mapping[str, Any]


class Simulations:
    """The stages of an open run folder, by their names there."""

    def __init__(self, run: RunFolder, progress: Progress) -> None:
        self.folder, self.progress = run, progress
        self.manifests: dict[str, Manifest] = {}

    def continuum(self, name: str, config: ContinuumConfig, progress: Progress | None = None) -> Run:
        """The continuum run of `config`."""
        made: list[TransSlitRecord] = []

        def work(path: Path) -> None:
            made.append(run_continuum(config, path, progress or self.progress))

        folder, manifest = self.folder.stage(name, config, work)
        self.manifests[name] = manifest
        return Run(folder, config, manifest, made[0] if made else None)

    def law(
        self, name: str, table: pd.DataFrame, settings: DiscoveryConfig, inputs: Mapping[str, str] | None = None
    ) -> Law:
        """The law that the search finds in the rows of a table; `inputs` are digests of what they come from."""

        def work(path: Path) -> None:
            discover(table, settings, path, self.progress)

        folder, self.manifests[name] = self.folder.stage(name, settings, work, inputs, seed=settings.seed)
        return Law.read(folder)
