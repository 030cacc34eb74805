"""All checks of records, whoever made them: conservation and additivity, mechanism, and one against another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from transslit import TransSlitRecord
from validation.checks.against import against, unlike
from validation.checks.conservation import conservation, read_beside, reservoir, thermostat
from validation.checks.mechanism import mechanism
from validation.checks.unexplained_charge import residual
from validation.verdicts.verdict import Verdict

CONTINUUM = {"cv": "cv", "smoothed-cv": "cv", "charge-step": "step"}  # families of its records by their drive
SMALL = {"ions", "small"}  # after a small step diffusion is a hundredth of migration: boxes cannot tell its sign
WORDS = {"cv": "CV", "smoothed-cv": "CV"}  # of a drive, as settings quote it


class Source(NamedTuple):
    """A record, the folder of its run (None if there is none), and the setting in words."""

    record: TransSlitRecord
    setting: str
    folder: Path | None = None

    @property
    def molecular(self) -> bool:
        """Whether its ions were counted one by one."""
        return bool(self.record.metadata["source"] == "md")

    @property
    def drive(self) -> str:
        """Kind of its drive."""
        return str(self.record.metadata.get("drive", {}).get("kind", "charge-step"))

    @property
    def family(self) -> str:
        """First part of the ids of its checks."""
        if self.molecular:
            return "ions" if self.record.metadata.get("water") == "implicit" else "md"
        return CONTINUUM.get(self.drive, "continuum")

    @property
    def driven(self) -> str:
        """The setting and how it was driven."""
        return f"{self.setting}, {WORDS.get(self.drive, self.drive.replace('-', ' '))}"


class Judged(NamedTuple):
    """Verdicts, and in words what could not be judged."""

    verdicts: list[Verdict]
    lacking: list[str]


def families(sources: Iterable[Source]) -> dict[str, Source]:
    """Sources by their family; a second one of a family has a 2 behind its name."""
    result: dict[str, Source] = {}
    for source in sources:
        result[source.family if source.family not in result else f"{source.family}2"] = source
    return result


def judge_records(sources: Mapping[str, Source], compared: tuple[str, str] | None = None, setting: str = "") -> Judged:
    """Judge records by family; of the two `compared`, the second is the reference of the first.

    A cyclic voltammogram of the continuum is required to show the mechanism between its outermost slits.
    """
    verdicts: list[Verdict] = []
    lacking: list[str] = []
    for family, source in sources.items():
        verdicts += conservation(source.record, family, source.setting if source.molecular else source.driven)
        if source.molecular:
            verdicts += _beside(source, family, lacking)
    for family, source in sources.items():
        if not len(source.record.crossings):
            lacking.append(f"{family}: fewer than two slits, so that no mechanism can be judged")
            continue
        if family in SMALL and sources.keys() >= SMALL:
            continue
        verdicts += mechanism(source.record, family, source.driven, required=family == "cv")
        if source.molecular:
            verdicts.append(residual(source.record, family, source.setting))
    if compared is not None:
        first, second = (sources[family].record for family in compared)
        if reason := unlike(first, second):
            lacking.append(f"{compared[0]} against {compared[1]}: {reason}")
        else:
            verdicts += against(first, second, setting)
            others = sorted({int(i) for i in set(first.slits["i"]) ^ set(second.slits["i"])})
            lacking += [f"slit {i} is in one of the two records only" for i in others]
            if others and not any(verdict.id == "against.current" for verdict in verdicts):
                lacking.append("terminal currents of networks of different depth are not compared")
    return Judged(verdicts, lacking)


def _beside(source: Source, family: str, lacking: list[str]) -> list[Verdict]:
    """Checks of the tables that molecular dynamics leaves beside its record; what is not there is `lacking`."""
    verdicts = []
    for name, column, check in (
        ("temperature", "T_K", lambda table: thermostat(source.record, table, family, source.setting)),
        (
            "reservoir",
            "c_mol_per_m3",
            lambda table: reservoir(table, _target_concentration(source.record), family, source.setting),
        ),
    ):
        path = None if source.folder is None else source.folder / f"{name}.parquet"
        if path is None or not path.exists():
            lacking.append(f"{family}: no {name}.parquet beside the record, so that its {name} cannot be judged")
        else:
            verdicts.append(check(read_beside(path, "box", "time_s", column)))
    return verdicts


def _target_concentration(record: TransSlitRecord) -> float:
    """Concentration in mol/m^3 that the reservoirs should have after charging."""
    return float(record.metadata["concentration_mol_per_m3"])
