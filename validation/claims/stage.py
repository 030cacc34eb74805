"""Judge claims in a run folder, and read them back.

OUT/evidence/runs/...            what was simulated, one folder per configuration, reused whoever asks
OUT/evidence/tables/<id>.parquet the table behind a claim, from which its figure is drawn
OUT/claims.json                  one row per claim, with its parts
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transslit.errors import BadInput
from transslit.files import read_table, write_json, write_table
from transslit.progress import Progress
from transslit.runs import RunFolder
from validation.claims.config import ClaimsConfig
from validation.claims.evidence import Evidence
from validation.claims.registry import CLAIMS, ClaimVerdict, Need
from validation.tolerances import Tolerances, apply_tolerances
from validation.verdict import Verdict, read_rows


def judge_claims(
    run: RunFolder,
    config: ClaimsConfig,
    ids: Sequence[str] | None = None,
    progress: Progress | None = None,
    md: Path | None = None,
    standards: Tolerances | None = None,
) -> list[ClaimVerdict]:
    """Judge the claims `ids` (all when left out) in an open run folder; what was simulated before is reused.

    Claims judged there earlier stay in claims.json. `md` is a folder with a record of molecular dynamics, `standards` a
    group's own tolerances.

    Raises
    ------
    StageFailed : a simulation broke down; what was finished is kept
    """
    wanted = sorted(CLAIMS) if ids is None else list(ids)
    evidence = Evidence(config, run, progress or Progress(), md)
    evidence.gather(needed(wanted))
    found = []
    for identity in wanted:
        verdict = CLAIMS[identity].verdict(CLAIMS[identity].judge(evidence))
        path = table_path(run.path, identity)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_table(path, verdict.evidence)
        found.append(verdict)
    found = apply_tolerances(found, standards or {})
    write_claims(run.path, found)
    return found


def needed(ids: Sequence[str] | None = None, atoms: bool = True) -> list[Need]:
    """What the claims `ids` (all when left out) will ask for, with or without molecular dynamics."""
    wanted = sorted(CLAIMS) if ids is None else ids
    return [need for identity in wanted for need in CLAIMS[identity].needs if atoms or need.kind != "atoms"]


def write_claims(folder: Path, verdicts: Sequence[ClaimVerdict]) -> None:
    """Put `verdicts` into claims.json, and into verdicts.json where there is one, in place of those of the same id."""
    rows = {verdict.id: verdict.row() for verdict in verdicts}
    for name in ("claims.json", "verdicts.json"):
        if name == "verdicts.json" and not (folder / name).exists():
            continue
        kept = {row["id"]: row for row in read_rows(folder, name)} | rows
        others = [row for row in kept.values() if row["id"] not in CLAIMS]
        write_json(folder / name, others + [kept[identity] for identity in sorted(set(kept) & set(CLAIMS))])


def read_claims(folder: Path) -> list[ClaimVerdict]:
    """The claims judged in a run folder, tables and all; none where none were.

    Raises
    ------
    BadInput : a claim's table is missing, or another version judged it
    """
    return [read_claim(folder, row) for row in read_rows(folder, "claims.json")]


def read_claim(folder: Path, row: dict[str, Any]) -> ClaimVerdict:
    """The verdict of a row of claims.json (or of verdicts.json)."""
    path = table_path(folder, row["id"])
    table = read_table(path, "claims")
    try:
        parts = tuple(Verdict(**part) for part in row["parts"])
        return ClaimVerdict(**row | {"parts": parts, "evidence": table})
    except TypeError as error:
        again = f"another version judged it ({error}); transslit claims --claims {row['id']} does it again"
        raise BadInput("claims", folder / "claims.json", again) from None


def table_path(folder: Path, identity: str) -> Path:
    """Where the table of a claim lies."""
    return folder / "evidence" / "tables" / f"{identity}.parquet"
