"""`python -m studies.circuit_figures FIGURE`: the paper's circuit figures with their data (README.md)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from studies.circuit_figures.figures import FIGURES, figure_names, write_figures
from transslit.progress import Progress
from transslit.runs import open_run
from transslit.shell import JsonFlag, command_app
from validation.cli import run

app = command_app()


@app.command(epilog="Example: python -m studies.circuit_figures ED12 --out runs/figures")
def command(
    figure: Annotated[str, typer.Argument(help=f"{', '.join(FIGURES)}, all panels of one (4, ED13), or all.")],
    out: Annotated[Path, typer.Option(help="Folder of the figures.")] = Path("runs/circuit-figures"),
    as_json: JsonFlag = False,
) -> int:
    """Draw a circuit figure of the paper, and leave its data beside it."""
    names = figure_names(figure)
    with open_run(out) as opened:
        files = [str(path) for path in write_figures(names, opened, Progress())]
    print(json.dumps({"out": str(out), "files": files}) if as_json else "\n".join(files))
    return 0


if __name__ == "__main__":
    sys.exit(run(app, "python -m studies.circuit_figures"))
