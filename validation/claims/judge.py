"""Judge claims in a run folder, and read them back.

OUT/evidence/runs/...            what was simulated, one folder per configuration, reused whoever asks
OUT/evidence/tables/<id>.parquet the table behind a claim, from which its figure is drawn
OUT/claims.json                  one row per claim, with its parts
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from transslit.files import read_table, write_json, write_table
from transslit.progress import Progress
from transslit.runs import RunFolder
from validation.claims.registry import CLAIMS
from validation.claims.uncertainty import Evidence, Need
from validation.presets import ClaimsConfig
from validation.simulations.atoms import find
from validation.verdicts.tolerances import Tolerances, apply_tolerances
from validation.verdicts.verdict import ClaimVerdict, read_verdicts


def judge_claims(
    run: RunFolder,
    config: ClaimsConfig,
    ids: Sequence[str] | None = None,
    progress: Progress | None = None,
    records: Sequence[Path] = (),
    standards: Tolerances | None = None,
) -> list[ClaimVerdict]:
    """Judge the claims `ids` (all when left out) in an open run folder; what was simulated before is reused.

    Claims judged there earlier stay in claims.json. `records` are folders of records of molecular dynamics and of
    continuum runs, used by the claims that they fit; `standards` are a group's own tolerances.

    Raises
    ------
    BadInput : no record in one of `records`
    StageFailed : a simulation broke down; what was finished is kept
    """
    wanted, progress = sorted(CLAIMS) if ids is None else list(ids), progress or Progress()
    evidence = Evidence(config, run, progress, records)
    salt, atoms = config.electrolyte, [each for each in wanted if any(n.kind == "atoms" for n in CLAIMS[each].needs)]
    if not salt.has_force_field and atoms != wanted and not find(run.path, config, evidence.given_md):
        progress.say(f"Claims: {', '.join(atoms)} is not judged: {salt.name} has no force field, and no --record fits.")
        wanted = [each for each in wanted if each not in atoms]
    evidence.gather(needed(wanted))
    result = []
    for identity in wanted:
        verdict = CLAIMS[identity].verdict(CLAIMS[identity].judge(evidence))
        path = table_path(run.path, identity)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_table(path, verdict.evidence)
        result.append(verdict)
    result = apply_tolerances(result, standards or {})
    write_claims(run.path, result)
    return result


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
        kept = {verdict.id: verdict.row() for verdict in read_verdicts(folder, name)} | rows
        others = [row for row in kept.values() if row["id"] not in CLAIMS]
        write_json(folder / name, others + [kept[identity] for identity in sorted(set(kept) & set(CLAIMS))])


def read_claims(folder: Path) -> list[ClaimVerdict]:
    """The claims judged in a run folder, tables and all; none where none were.

    Raises
    ------
    BadInput : a claim's table is missing, or another version judged it
    """
    result = [verdict for verdict in read_verdicts(folder, "claims.json") if isinstance(verdict, ClaimVerdict)]
    return [with_table(verdict, folder) for verdict in result]


def with_table(verdict: ClaimVerdict, folder: Path) -> ClaimVerdict:
    """The verdict with the table that judging left in `folder`."""
    return verdict.model_copy(update={"evidence": read_table(table_path(folder, verdict.id), "claims")})


def table_path(folder: Path, identity: str) -> Path:
    """Where the table of a claim lies."""
    return folder / "evidence" / "tables" / f"{identity}.parquet"
