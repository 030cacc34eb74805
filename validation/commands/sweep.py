"""`transslit sweep`: any stage over a grid or list of its options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from pydantic import Field

from discovery import DiscoveryConfig
from transslit.errors import BadInput
from transslit.executor import Parallel
from transslit.options import Options, Texts
from transslit.progress import Progress
from transslit.reply import Reply
from transslit.shell import JsonFlag, command_app, passed_on, texts_of, with_options
from validation.commands import module
from validation.figures.sweep import figure
from validation.sweep import plan, sweep
from validation.sweep.table import column

STAGES = ("md", "continuum", "discover", "circuit", "claims")
PASSED = {"allow_extra_args": True, "ignore_unknown_options": True}


class Further(Parallel):
    """Options of a sweep; the others are those of its stage."""

    table: Path | None = Field(
        None, description="CSV with a column per option and a row per point, quantities with units"
    )
    workers: int | None = Field(
        None, description="processes of this machine, of one thread each; default: one per core"
    )
    retry: bool = Field(False, description="run points that failed again")
    keep: bool = Field(False, description="keep each point's run folder, as OUT/runs/KEY")
    law: bool = Field(False, description="md, continuum: also search for each record's law (half a minute each)")


OPTIONS = Options(Further)
app = command_app()


@app.command(
    epilog="""Examples:

transslit sweep continuum --vary slit=1.5nm,2nm,3nm --vary ion-diameter=0.3nm:0.7nm:5 --plot gamma:slit

transslit sweep circuit --resistance 5ohm --vary gamma=-0.9:0.9:25 --vary scan-rate=1mV/us:1V/us:7:log

transslit sweep md --table points.csv --scheduler tcp://node1:8786 --out runs/atoms""",
    context_settings=PASSED,
)
@with_options(OPTIONS)
def sweep_command(
    texts: Texts,
    context: typer.Context,
    stage: Annotated[str, typer.Argument(help=f"One of {', '.join(STAGES)}; then any of its own options.")],
    vary: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE,VALUE,... or NAME=LOW:HIGH:COUNT[:log] of an option; give several for a grid."),
    ] = None,
    plot: Annotated[list[str] | None, typer.Option(help="Y:X, columns or parameters; draws OUT/Y-over-X.png.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder. The same command with the same folder resumes.")] = None,
    as_json: JsonFlag = False,
) -> int:
    """Run a stage at every point of a grid or list of its options; leaves sweep.csv and sweep.parquet, a row per point.

    Exit code 0 when every point is done, 3 when some failed (their rows hold the error).
    """
    if stage not in STAGES:
        raise BadInput("stage", stage, f"give {', '.join(STAGES)}")
    swept, further = module(stage).STAGE, OPTIONS.build(Further, texts)
    if further.law and not swept.leaves_record:
        raise BadInput("law", stage, "only md and continuum leave records")
    fixed, arguments = _words_of_stage(stage, passed_on(context))
    settings = DiscoveryConfig() if further.law else None
    points = plan(swept, vary or [], fixed, arguments, further.table, settings, further.keep)
    axes = [_axes(text) for text in plot or []]
    folder = out or Path("runs") / f"sweep-{stage}"
    with further.pool() as pool:
        table = sweep(points, folder, pool, further.retry, Progress())
    figures = []
    for y, x in ((column(table, y), column(table, x)) for y, x in axes):
        figures.append(str(folder / f"{y}-over-{x}.png"))
        figure(table, y, x, list(points[0].parameters)).savefig(figures[-1], dpi=200)
    counts = {status: int((table["status"] == status).sum()) for status in ("done", "failed", "pending")}
    code = 0 if counts["done"] == len(table) else 3
    files = [str(folder / "sweep.csv"), *figures]
    reply = Reply(command="sweep", exit_code=code, out=str(folder), counts=counts, files=files)

    def say() -> None:
        print(f"{counts['done']} done, {counts['failed']} failed: {folder / 'sweep.csv'}")
        for error, rows in table[table["status"] == "failed"].groupby("error"):
            print(f"  {len(rows)} failed: {error}")
        print("\n".join(figures), end="\n" if figures else "")

    return reply.tell(as_json, say)


def _words_of_stage(stage: str, words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Options, as texts by name, and arguments of the stage's own command among the words of a command line."""
    command = typer.main.get_command(module(stage).app)
    values = dict(command.make_context(stage, list(words)).params)
    argument = values.pop(module(stage).STAGE.argument, None) or []
    arguments = [str(word) for word in (argument if isinstance(argument, list | tuple) else [argument])]
    return texts_of(values), arguments


def _axes(text: str) -> tuple[str, str]:
    """The two columns that `Y:X` names."""
    y, _, x = text.partition(":")
    if not y or not x:
        raise BadInput("plot", text, "give Y:X, two columns of the table, as gamma:slit")
    return y, x
