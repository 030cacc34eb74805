"""What the report is made from, and nothing else: verdicts.json and tables/*.parquet of a run folder.

`gather` reduces a finished chain to it, `Material.write` leaves it on disk, `Material.read` takes it back: the page is
a function of what was read, so that it can be made again without the runs themselves. One table, `facts`, holds
what is no table (setting, configuration, laws, records' metadata, provenance) as JSON by name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from transslit import BadInput, Law, SlitNetwork, TransSlitRecord
from transslit.files import parse_json, read_table, write_json, write_table
from validation.claims.registry import ClaimVerdict
from validation.config import ValidateConfig
from validation.verdict import OTHER, Verdict, read_rows

if TYPE_CHECKING:
    from validation.pipeline import Findings

RECORDS = ("md", "step", "cv")
PARTS = ("crossings", "slits", "terminal")


@dataclass(frozen=True)
class Material:
    """Verdicts (claims among them), tables by name, and facts by name."""

    verdicts: list[Verdict]
    tables: dict[str, pd.DataFrame] = field(repr=False)
    facts: dict[str, Any] = field(repr=False)

    @cached_property
    def config(self) -> ValidateConfig:
        """What was asked for."""
        return ValidateConfig.model_validate(self.facts["config"])

    @property
    def setting(self) -> str:
        """The setting in words."""
        return self.config.setting

    @property
    def checks(self) -> list[Verdict]:
        """Verdicts that are not claims of the paper."""
        return [verdict for verdict in self.verdicts if not isinstance(verdict, ClaimVerdict)]

    @property
    def claims(self) -> list[ClaimVerdict]:
        """Claims of the paper that were judged, by their ids."""
        return sorted((v for v in self.verdicts if isinstance(v, ClaimVerdict)), key=lambda verdict: verdict.id)

    def record(self, name: str) -> TransSlitRecord | None:
        """The record `md`, `step` or `cv`; None if that was not run."""
        if f"{name}-slits" not in self.tables:
            return None
        tables = {part: self.tables[f"{name}-{part}"] for part in PARTS}
        return TransSlitRecord(**tables, metadata=dict(self.facts["records"][name]))

    def law(self, name: str = "law") -> Law | None:
        """The law of the continuum, or of the atoms (`md_law`)."""
        content = self.facts.get(name)
        return None if content is None else Law.from_json(content)

    @property
    def cell(self) -> SlitNetwork | None:
        """The network of the atoms' cell."""
        content = self.facts["records"].get("md")
        return None if content is None else SlitNetwork.model_validate(content["network"])

    def write(self, folder: Path) -> None:
        """Write verdicts.json and tables/ into a run folder; tables of an earlier report go."""
        place = folder / "tables"
        place.mkdir(parents=True, exist_ok=True)
        facts = pd.DataFrame({"name": list(self.facts), "json": [json.dumps(v) for v in self.facts.values()]})
        tables = {**self.tables, "facts": facts, **{v.id: v.evidence for v in self.verdicts if len(v.evidence)}}
        for name, table in tables.items():
            write_table(place / f"{name}.parquet", table)
        for old in place.glob("*.parquet"):
            if old.stem not in tables:
                old.unlink()
        write_json(folder / "verdicts.json", [verdict.row() for verdict in self.verdicts])

    @classmethod
    def read(cls, folder: Path) -> Material:
        """Read what `write` left, and the claims that were judged in the folder since.

        Raises
        ------
        BadInput : not the folder of a finished validation, or of another version's; a table is missing or torn
        """
        rows = read_rows(folder)
        try:
            tables = {path.stem: read_table(path, "folder") for path in sorted((folder / "tables").glob("*.parquet"))}
            facts = tables.pop("facts")
        except KeyError as error:
            raise BadInput("folder", folder / "tables", f"not the tables of a report ({error})") from None
        try:
            verdicts = [_verdict(row, tables, folder) for row in rows]
            made = cls(verdicts, tables, {name: parse_json(text) for name, text in facts.itertuples(index=False)})
            _ = made.config
        except (AttributeError, KeyError, TypeError, ValueError) as error:  # fields of a verdict, of the configuration
            reason = str(error).splitlines()[0]
            raise BadInput("folder", folder, f"{OTHER} ({reason})") from None
        return made


def _verdict(row: dict[str, Any], tables: dict[str, pd.DataFrame], folder: Path) -> Verdict:
    """The verdict of a row with its table, taken out of `tables`; a claim's may be where judging left it."""
    own = tables.pop(row["id"], None)
    if "parts" not in row:
        return Verdict(**_tuples(row), evidence=pd.DataFrame() if own is None else own)
    from validation.claims.stage import read_claim

    if (folder / "evidence" / "tables" / f"{row['id']}.parquet").exists() or own is None:
        return read_claim(folder, row)
    parts = tuple(Verdict(**_tuples(part)) for part in row["parts"])
    return ClaimVerdict(**_tuples(row) | {"parts": parts, "evidence": own})


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if k in ("interval", "limits") and v is not None else v for k, v in row.items()}


def gather(found: Findings, provenance: dict[str, Any]) -> Material:
    """Reduce a finished chain to what its report shows."""
    from validation import comparison, profiles
    from validation.reference import references

    records = {name: r for name, r in zip(RECORDS, (found.atoms, found.step, found.cv), strict=True) if r is not None}
    tables = {f"{name}-{part}": getattr(record, part) for name, record in records.items() for part in PARTS}
    facts: dict[str, Any] = {
        "config": found.config.model_dump(mode="json"),
        "records": {name: record.metadata for name, record in records.items()},
        "law": None if found.law is None else found.law.to_json(),
        "md_law": None if found.md_law is None else found.md_law.to_json(),
        "provenance": provenance,
    }
    driven = {"atoms": found.atoms, "continuum": found.step}
    known = {name: record for name, record in driven.items() if record is not None}
    if known:
        tables["curves"] = comparison.curves(known)
    shipped = references(found.config.electrolyte, found.config.slit)
    if shipped and found.atoms is not None:
        tables["references"] = comparison.curves({"this run": found.atoms, **shipped})
    across = []
    if found.atoms is not None:
        from md import snapshots

        frames, box = snapshots(found.folder / "md", found.config.electrolyte)
        tables["atoms"] = pd.concat([table.assign(moment=title) for title, table in frames.items()])
        facts["box_nm"] = box
        tables["reservoir"] = pd.read_parquet(found.folder / "md" / "reservoir.parquet")
        across.append(profiles.atoms(found.folder / "md", found.cell))
    if found.step is not None:
        across.append(profiles.continuum(found.folder / "continuum-step"))
    if across:
        tables["profiles"] = pd.concat(across, ignore_index=True)
    if found.atoms is not None and found.step is not None:
        tables["levels"] = comparison.levels(found.atoms, found.step, found.config.seed)
    if found.ncm is not None and found.tlm is not None:
        tables |= {"ncm": found.ncm, "tlm": found.tlm}
    return Material(list(found.verdicts), {k: t.reset_index(drop=True) for k, t in tables.items()}, facts)
