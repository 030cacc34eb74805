"""A finished run, read back: its record, the law and ladder of its crossings, its fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from continuum.config import ContinuumConfig
from continuum.extract import LadderParameters, extract, laws
from continuum.frames import Frames
from transslit import TransSlitRecord, TriangularCV


@dataclass(frozen=True)
class Run:
    """A finished continuum run; what is reduced from it is kept in memory."""

    folder: Path
    config: ContinuumConfig
    manifest: Mapping[str, Any] = field(default_factory=dict, repr=False)
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
        """R_c in ohm m and gamma of equation 1 beside potentials at rest, means of the crossings' least squares."""
        resistance, gamma = laws(self.record, at_rest=True)[:, :2].mean(axis=0)
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
