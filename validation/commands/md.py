"""`transslit md`: the atoms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from validation.commands.common import (
    ChargedFlag,
    JsonFlag,
    MolarText,
    OutPath,
    SaltText,
    SeedInt,
    SlitText,
    app,
    asked,
    run_stage,
)


@app.command("md", epilog="Example: transslit md --slit 0.59nm --replicas 3 --out runs/md")
def md_command(
    slit: SlitText,
    electrolyte: SaltText = "KCl",
    concentration: MolarText = None,
    preset: Annotated[str, typer.Option(help="quick or paper.")] = "quick",
    replicas: Annotated[int, typer.Option(help="Independent replicas.")] = 3,
    out: OutPath = None,
    seed: SeedInt = 0,
    as_json: JsonFlag = False,
    allow_charged: ChargedFlag = False,
) -> int:
    """Charge a graphene cell by a step in molecular dynamics, and reduce it to a trans-slit record."""
    wanted = asked(slit, electrolyte, concentration, preset, replicas, seed, allow_charged)
    import md
    from validation.pipeline import md_config

    return run_stage(out or Path("runs/md"), md_config(wanted), md.run, seed, as_json)
