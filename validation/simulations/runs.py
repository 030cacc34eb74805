"""Simulations of one run folder: what was finished there is read back, and a record made in this process is handed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from continuum import ContinuumConfig, Frames, LadderParameters, extract
from continuum import run as run_continuum
from continuum.extract import laws
from discovery import DiscoveryConfig, discover
from transslit import Law, TransSlitRecord, TriangularCV
from transslit.progress import Progress
from transslit.runs import RunFolder

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """A finished continuum run; what is reduced from it is kept in memory."""

    folder: Path
    config: ContinuumConfig
    manifest: Manifest = field(default_factory=dict, repr=False)
    made: TransSlitRecord | None = field(default=None, repr=False)  # where this process made it

    @cached_property
    def raw(self) -> TransSlitRecord:
        """The record at the times of the run's own steps."""
        return TransSlitRecord.read(self.folder) if self.made is None else self.made

    @cached_property
    def record(self) -> TransSlitRecord:
        """The record resampled uniformly in time."""
        return self.raw.resampled()

    @cached_property
    def law(self) -> tuple[float, float]:
        """R_c in ohm m and gamma of equation 1, means of the crossings' least squares."""
        resistance, gamma = laws(self.record)[:, :2].mean(axis=0)
        return float(resistance), float(gamma)

    @cached_property
    def ladder(self) -> LadderParameters:
        """All of the circuit's elements."""
        return extract(self.raw)

    @property
    def half_period(self) -> float:
        """Time of one sweep of its cyclic voltammetry in s."""
        return TriangularCV.model_validate(self.config.drive.model_dump()).half_period

    def frames(self) -> Frames:
        """The fields; to be closed."""
        return Frames(self.folder)


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
