"""`transslit claims`: the paper's claims, judged on data computed here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from pydantic import Field

from transslit.options import Options, Texts
from transslit.progress import Progress
from transslit.reply import Reply
from transslit.runs import RunFolder, open_run
from transslit.shell import JsonFlag, OutPath, command_app, with_options
from validation.claims import CLAIMS
from validation.claims.judge import judge_claims
from validation.claims.registry import chosen
from validation.commands.common import Judgement
from validation.commands.terminal import counted, listing, numbered, open_console
from validation.presets import ClaimsConfig
from validation.sweep import Stage, Work
from validation.verdicts.verdict import exit_code
from validation.verdicts.words import FAMILIES


class Further(Judgement):
    """Options that are no fields of `ClaimsConfig`."""

    claims: str | None = Field(None, description="which, as C02,C11; default: all")


OPTIONS = Options(ClaimsConfig, Further)
app = command_app()


@app.command(epilog="Example: transslit claims --claims C02,C11 --out runs/claims")
@with_options(OPTIONS)
def claims_command(
    texts: Texts,
    record: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of a record of molecular dynamics or of a continuum run, used by the claims that fit it."
        ),
    ] = None,
    out: OutPath = None,
    as_json: JsonFlag = False,
) -> int:
    """Judge the paper's claims: reproduced, not reproduced or inconclusive, with number and uncertainty.

    What they need is computed once and kept in OUT/evidence; OUT may be the folder of a validation. A claim decides the
    exit code only where a tolerance file makes it required.
    """
    config, ids = read(texts)
    further = OPTIONS.build(Further, texts)
    folder = out or Path("runs") / f"claims-{config.electrolyte.name}-{config.preset}"
    with open_run(folder) as run:
        verdicts = judge_claims(run, config, ids, Progress(), record or [], further.standards({*FAMILIES, *CLAIMS}))
    reply = Reply(
        command="claims",
        exit_code=exit_code(verdicts, further.strict),
        out=str(folder),
        setting=config.setting,
        counts=numbered(verdicts),
        verdicts=[verdict.row() for verdict in verdicts],
    )

    def say() -> None:
        console = open_console()
        counted(console, verdicts)
        console.print(listing(verdicts, console))
        console.print(f"numbers: {folder / 'claims.json'}; tables: {folder / 'evidence' / 'tables'}", soft_wrap=True)

    return reply.tell(as_json, say)


def read(texts: Texts) -> tuple[ClaimsConfig, list[str]]:
    """The configuration that the options describe, and the ids of the claims.

    Raises
    ------
    BadInput : an option that cannot be used
    """
    config = OPTIONS.build(ClaimsConfig, texts)
    config.check()
    return config, chosen(OPTIONS.build(Further, texts).claims)


def row(config: ClaimsConfig, ids: Sequence[str], folder: Path) -> dict[str, object]:
    """Columns of a sweep: verdict, number (of the worst part) and 95 % half-width of each claim."""
    values: dict[str, object] = {}
    for claim in judge_claims(RunFolder(folder), config, ids, Progress(quiet=True)):
        values |= {claim.id: claim.verdict, f"{claim.id}_value": claim.value, f"{claim.id}_u95": claim.uncertainty}
    return values


def _work(texts: Texts, arguments: Sequence[str]) -> Work:
    config, ids = read(texts)
    return Work(config, partial(row, config, ids), {"claims": ",".join(ids)})


STAGE = Stage("claims", _work, OPTIONS.known.keys() - Judgement.model_fields.keys(), resumes=True)
