"""`python -m studies.slit_widths`: currents, resistivity, conductance, capacitance against slit width (README.md)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from continuum import capacitances, resistances
from studies.slit_widths import figures
from studies.slit_widths.widths import charging, conductivity_ratios, simulate_widths
from transslit.progress import Progress
from transslit.shell import command_app
from transslit.style import save
from validation.cli import run

app = command_app()


@app.command(epilog="Example: python -m studies.slit_widths --out runs/slit-widths")
def command(
    out: Annotated[Path, typer.Option(help="Run folder; its finished runs are reused.")] = Path("runs/slit-widths"),
) -> int:
    """Print the largest over the smallest conductivity during charging by slit width in m, and draw the figures."""
    records = simulate_widths(out, Progress())
    tables = {width: resistances(record) for width, record in records.items()}
    table = charging(tables)
    drawn = {
        "width-currents": figures.currents(records),
        "width-resistivity": figures.resistivities(tables),
        "width-conductance": figures.conductance(table),
        "width-capacitance": figures.capacitances({width: capacitances(r) for width, r in records.items()}),
    }
    save(drawn, out)
    print(conductivity_ratios(table).round(2).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(run(app, "python -m studies.slit_widths"))
