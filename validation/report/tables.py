"""The report's data: verdicts.json and tables/*.parquet of a run folder.

`report.gather` reduces results to it, `ReportData.write` leaves it on disk, `ReportData.read` takes it back: the page
is a function of what was read, so that it can be made again without the runs themselves. One table, `facts`, holds what
is no table (`Facts`) as JSON by name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict

from transslit import BadInput, Electrolyte, Law, SlitNetwork, TransSlitRecord
from transslit.files import parse_json, read_table, write_json, write_table
from validation.claims.judge import table_path, with_table
from validation.presets import Preset
from validation.verdicts.verdict import OTHER, ClaimVerdict, Verdict, read_verdicts

PARTS = ("crossings", "slits", "terminal")


class Facts(BaseModel):
    """What the page says beside verdicts and tables; None is unknown."""

    model_config = ConfigDict(extra="forbid")

    setting: str
    slit: float  # m
    provenance: dict[str, Any]
    seed: int = 0
    preset: Preset | None = None  # of a validation
    network: SlitNetwork | None = None  # of the cyclic voltammogram
    electrolyte: Electrolyte | None = None
    concentration: float | None = None  # mol/m^3, asked for
    lacking: tuple[str, ...] = ()  # what could not be judged
    records: dict[str, dict[str, Any]] = {}  # metadata of the records, by family
    law: dict[str, Any] | None = None  # of the continuum
    md_law: dict[str, Any] | None = None
    box_nm: tuple[float, float, float] | None = None  # of molecular dynamics


@dataclass(frozen=True)
class ReportData:
    """Verdicts (claims among them), tables by name, and facts."""

    verdicts: list[Verdict]
    tables: dict[str, pd.DataFrame] = field(repr=False)
    facts: Facts = field(repr=False)

    @property
    def checks(self) -> list[Verdict]:
        """Verdicts that are not claims of the paper."""
        return [verdict for verdict in self.verdicts if not isinstance(verdict, ClaimVerdict)]

    @property
    def claims(self) -> list[ClaimVerdict]:
        """Claims of the paper that were judged, by their ids."""
        return sorted((v for v in self.verdicts if isinstance(v, ClaimVerdict)), key=lambda verdict: verdict.id)

    def record(self, family: str) -> TransSlitRecord | None:
        """The record of a family; None if there is none."""
        if family not in self.facts.records:
            return None
        tables = {part: self.tables[f"{family}-{part}"] for part in PARTS}
        return TransSlitRecord(**tables, metadata=dict(self.facts.records[family]))

    @property
    def law(self) -> Law | None:
        """The law of the continuum."""
        return None if self.facts.law is None else Law.from_json(self.facts.law)

    @property
    def md_law(self) -> Law | None:
        """The law of the atoms' record."""
        return None if self.facts.md_law is None else Law.from_json(self.facts.md_law)

    @property
    def cell(self) -> SlitNetwork | None:
        """The network of the cell of molecular dynamics."""
        content = self.facts.records.get("md", {}).get("network")
        return None if content is None else SlitNetwork.model_validate(content)

    def write(self, folder: Path) -> None:
        """Write verdicts.json and tables/ into a run folder; tables of an earlier report go."""
        place = folder / "tables"
        place.mkdir(parents=True, exist_ok=True)
        content = self.facts.model_dump(mode="json")
        facts = pd.DataFrame({"name": list(content), "json": [json.dumps(value) for value in content.values()]})
        tables = {**self.tables, "facts": facts, **{v.id: v.evidence for v in self.verdicts if len(v.evidence)}}
        for name, table in tables.items():
            write_table(place / f"{name}.parquet", table)
        for old in place.glob("*.parquet"):
            if old.stem not in tables:
                old.unlink()
        write_json(folder / "verdicts.json", [verdict.row() for verdict in self.verdicts])

    @classmethod
    def read(cls, folder: Path) -> ReportData:
        """Read what `write` left, and the claims that were judged in the folder since.

        Raises
        ------
        BadInput : not the folder of a finished validation, or of another version's; a table is missing or torn
        """
        verdicts = read_verdicts(folder)
        tables = {path.stem: read_table(path, "folder") for path in sorted((folder / "tables").glob("*.parquet"))}
        if "facts" not in tables:
            raise BadInput("folder", folder / "tables", "not the tables of a report (no facts.parquet)")
        try:
            content = {name: parse_json(text) for name, text in tables.pop("facts").itertuples(index=False)}
            facts = Facts.model_validate(content)
        except ValueError as error:
            raise BadInput("folder", folder, f"{OTHER} ({str(error).splitlines()[0]})") from None
        return cls([_with_table(verdict, tables, folder) for verdict in verdicts], tables, facts)


def _with_table(verdict: Verdict, tables: dict[str, pd.DataFrame], folder: Path) -> Verdict:
    """The verdict with its table, taken out of `tables`; a claim's may be where judging left it."""
    own = tables.pop(verdict.id, None)
    if isinstance(verdict, ClaimVerdict) and (own is None or table_path(folder, verdict.id).exists()):
        return with_table(verdict, folder)
    return verdict.changed(evidence=pd.DataFrame() if own is None else own)
