"""`transslit judge`: verdicts and the report of one record, or of one against another."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from pydantic import Field

from transslit.options import Options, Texts
from transslit.shell import JsonFlag, OutPath, command_app, with_options
from validation.chain import judge
from validation.claims import CLAIMS
from validation.commands.common import Judgement
from validation.commands.terminal import judged, summary
from validation.presets import Seed
from validation.verdicts.verdict import exit_code
from validation.verdicts.words import FAMILIES


class Further(Judgement):
    """Options of the judgement."""

    against: Path | None = Field(None, description="folder of the record that it is compared with")
    seed: Seed = 0


OPTIONS = Options(Further)
app = command_app()


@app.command(epilog="Example: transslit judge runs/md --against runs/continuum --out runs/judge")
@with_options(OPTIONS)
def judge_command(
    texts: Texts,
    record: Annotated[Path, typer.Argument(help="Folder of a record, or of the run that left it.")],
    out: OutPath = None,
    as_json: JsonFlag = False,
) -> int:
    """Judge a record, whoever made it: conservation, mechanism, and with --against how two records agree."""
    further = OPTIONS.build(Further, texts)
    standards = further.standards({*FAMILIES, *(f"{name}2" for name in FAMILIES), *CLAIMS})
    result = judge(record, out or Path("runs/judge"), further.against, standards, further.seed)
    reply = judged("judge", result, exit_code(result.verdicts, further.strict))
    return reply.tell(as_json, partial(summary, result))
