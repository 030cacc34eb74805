"""`transslit report`: verdicts of a finished validation; its page made again, a figure of it, two runs compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from transslit.errors import BadInput
from transslit.reply import Reply
from transslit.shell import JsonFlag, command_app
from validation.commands import terminal
from validation.report.page import draw_one, publish, render_comparison
from validation.report.ro_crate import write_crate
from validation.verdicts.compare import as_rows, compare, counts
from validation.verdicts.verdict import read_verdicts

app = command_app()


@app.command(
    epilog="Examples: transslit report runs/first | transslit report --compare runs/a runs/b --out changes.html"
)
def report_command(
    folder: Annotated[Path | None, typer.Argument(help="Run folder of a finished validation.")] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the page again, from verdicts.json and tables/ alone.")
    ] = False,
    figure: Annotated[str | None, typer.Option(help="Draw one figure, named as in the page, and its CSV.")] = None,
    ro_crate: Annotated[
        bool, typer.Option("--ro-crate", help="Describe the folder in ro-crate-metadata.json (RO-Crate 1.1).")
    ] = False,
    between: Annotated[
        tuple[Path, Path] | None, typer.Option("--compare", help="Two run folders: their verdicts side by side.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="With --compare: also write this .html or .md file.")] = None,
    as_json: JsonFlag = False,
) -> int:
    """Print the verdicts of a finished run, and where its report is."""
    if between is not None:
        return _compare(*between, out, as_json)
    if folder is None:
        raise BadInput("folder", "missing", "give the folder of a finished validation, or --compare with two")
    verdicts = read_verdicts(folder)
    files = [str(folder / "report.html")]
    if rebuild:
        publish(folder)
    if ro_crate:
        files.append(str(write_crate(folder)))
    drawn = [] if figure is None else [str(path) for path in draw_one(folder, figure) if path is not None]

    def say() -> None:
        if figure is not None:
            print("\n".join(drawn))
            return
        terminal.table(verdicts, folder)
        if ro_crate:
            print(f"ro-crate: {files[-1]}")

    rows, counts = [verdict.row() for verdict in verdicts], terminal.numbered(verdicts)
    reply = Reply(command="report", setting=str(folder), files=files + drawn, counts=counts, verdicts=rows)
    return reply.tell(as_json, say)


def _compare(a: Path, b: Path, out: Path | None, as_json: bool) -> int:
    if out is not None and out.suffix not in (".html", ".md"):
        raise BadInput("out", out, "name a .html or a .md file")
    pairs = compare(a, b)
    try:
        if out is not None:
            render_comparison(pairs, a, b, out)
    except OSError as error:
        raise BadInput("out", out, f"cannot be written ({error.strerror})") from None
    setting, files = f"{a} and {b}", None if out is None else [str(out)]
    reply = Reply(command="report", setting=setting, files=files, counts=counts(pairs), pairs=as_rows(pairs))

    def say() -> None:
        terminal.comparison(pairs, a, b)
        if out is not None:
            print(f"written: {out}")

    return reply.tell(as_json, say)
