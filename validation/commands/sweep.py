"""`transslit sweep`: any stage over a grid or list of its parameters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from transslit.errors import BadInput
from validation.commands.common import JsonFlag, SchedulerText, app, whole

PASSED = {"allow_extra_args": True, "ignore_unknown_options": True}
EXAMPLES = """Examples:

transslit sweep continuum --vary slit=1.5nm,2nm,3nm --vary ion-diameter=0.3nm:0.7nm:5 --plot gamma:slit

transslit sweep circuit --resistance 5ohm --vary gamma=-0.9:0.9:25 --vary scan-rate=1mV/us:1V/us:7:log

transslit sweep md --table points.csv --scheduler tcp://node1:8786 --out runs/atoms"""


@app.command("sweep", epilog=EXAMPLES, context_settings=PASSED)
def sweep_command(
    context: typer.Context,
    stage: Annotated[
        str, typer.Argument(help="md, continuum, discover, circuit, claims or methods; then any of its own options.")
    ],
    vary: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE,VALUE,... or NAME=LOW:HIGH:COUNT[:log] of an option; give several for a grid."),
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="CSV with a column per option and a row per point, quantities with units.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(parser=whole, help="Processes of this machine, of one thread each. Default: as many as cores."),
    ] = None,
    scheduler: SchedulerText = None,
    retry: Annotated[bool, typer.Option("--retry", help="Run points that failed again.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep each point's run folder, as OUT/runs/KEY.")] = False,
    law: Annotated[
        bool, typer.Option("--law", help="md, continuum: also search for each record's law (half a minute each).")
    ] = False,
    plot: Annotated[list[str] | None, typer.Option(help="Y:X, columns or parameters; draws OUT/Y-over-X.png.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder. The same command with the same folder resumes.")] = None,
    as_json: JsonFlag = False,
) -> int:
    """Run a stage at every point of a grid or list of its options; leaves sweep.csv and sweep.parquet, a row per point.

    Exit code 0 when every point is done, 3 when some failed (their rows hold the error).
    """
    from transslit.executor import executor
    from transslit.progress import Progress
    from validation.figures.sweep import axes_of, draw
    from validation.sweep.engine import sweep
    from validation.sweep.plan import plan

    settings = None
    if law:
        from discovery import DiscoveryConfig

        if stage not in ("md", "continuum"):
            raise BadInput("law", stage, "only md and continuum leave records")
        settings = DiscoveryConfig()
    points = plan(stage, vary or [], context.args, table, settings, keep)
    asked = [axes_of(text) for text in plot or []]
    folder = out or Path("runs") / f"sweep-{stage}"
    with executor(workers, scheduler) as pool:
        found = sweep(points, folder, pool, retry, Progress())
    figures = [str(draw(found, y, x, folder)) for y, x in asked]
    counts = {status: int((found["status"] == status).sum()) for status in ("done", "failed", "pending")}
    if as_json:
        told = {"out": str(folder), "table": str(folder / "sweep.csv"), "points": len(found), **counts}
        print(json.dumps(told | {"figures": figures}))
    else:
        print(f"{counts['done']} done, {counts['failed']} failed: {folder / 'sweep.csv'}")
        for error, rows in found[found["status"] == "failed"].groupby("error"):
            print(f"  {len(rows)} failed: {error}")
        print("\n".join(figures), end="\n" if figures else "")
    return 0 if counts["done"] == len(found) else 3
