"""`transslit report`: what a finished validation found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from transslit.errors import BadInput
from validation.commands.common import JsonFlag, app


@app.command("report", epilog="Example: transslit report runs/first")
def report_command(
    folder: Annotated[Path, typer.Argument(help="Run folder of a finished validation.")],
    as_json: JsonFlag = False,
) -> int:
    """Say what a finished run found, and where its report is."""
    from transslit.runs import read_json

    verdicts = read_json(folder / "verdicts.json")
    if verdicts is None:
        raise BadInput("folder", folder, "holds no verdicts.json; give the folder of a finished validation")
    if as_json:
        print(json.dumps({"verdicts": verdicts, "report": str(folder / "report.html")}))
    else:
        from validation.terminal import table

        table(verdicts, folder)
    return 0
