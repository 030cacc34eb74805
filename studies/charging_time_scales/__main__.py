"""`python -m studies.charging_time_scales RUN...`: steps and ramps of molecular dynamics compared (README.md)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from studies.charging_time_scales.figures import draw_time_scales
from studies.charging_time_scales.time_scales import holds_from, time_scales
from transslit import TransSlitRecord
from transslit.shell import command_app
from transslit.style import save
from validation.cli import run

app = command_app()


@app.command(epilog="Example: python -m studies.charging_time_scales runs/step runs/ramp-20ps")
def command(
    runs: Annotated[list[Path], typer.Argument(help="Folders of molecular dynamics runs, or of their records.")],
    out: Annotated[Path, typer.Option(help="Folder of the figure.")] = Path("runs/charging-time-scales"),
) -> int:
    """Print and draw the share of the charge that Nernst-Planck leaves over, and from which drive on it is small."""
    table = time_scales({folder.name: TransSlitRecord.read(folder) for folder in runs})
    shown = table.assign(to_ps=(table["to_s"] * 1e12).round(1), from_ps=(table["from_s"] * 1e12).round(1))
    print(shown[["drive", "from_ps", "to_ps", "share", "low", "high", "verdict", "basis"]].round(2).to_string())
    save({"time_scales": draw_time_scales(table)}, out)
    print(holds_from(table))
    return 0


if __name__ == "__main__":
    sys.exit(run(app, "python -m studies.charging_time_scales"))
