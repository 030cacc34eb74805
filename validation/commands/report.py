"""`transslit report`: what a finished validation found; its page made again, a figure of it, two runs compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from transslit.errors import BadInput
from validation.commands.common import JsonFlag, command_app

EXAMPLES = (
    "Examples: transslit report runs/first | transslit report --compare runs/first runs/second --out changes.html"
)

app = command_app()


@app.command(epilog=EXAMPLES)
def report_command(
    folder: Annotated[Path | None, typer.Argument(help="Run folder of a finished validation.")] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the page again, from verdicts.json and tables/ alone.")
    ] = False,
    figure: Annotated[str | None, typer.Option(help="Draw one figure, named as in the page, and its CSV.")] = None,
    ro_crate: Annotated[
        bool, typer.Option("--ro-crate", help="Describe the folder in ro-crate-metadata.json (RO-Crate 1.1).")
    ] = False,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(help="Two run folders: their verdicts side by side.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="With --compare: also write this .html or .md file.")] = None,
    as_json: JsonFlag = False,
) -> int:
    """Say what a finished run found, and where its report is."""
    if compare is not None:
        return _compare(*compare, out, as_json)
    from validation.verdicts.verdict import read_rows

    if folder is None:
        raise BadInput("folder", "missing", "give the folder of a finished validation, or --compare with two")
    verdicts = read_rows(folder)
    answer: dict[str, object] = {"verdicts": verdicts, "report": str(folder / "report.html")}
    if rebuild:
        from validation.report.page import publish

        publish(folder)
    if ro_crate:
        from validation.report.ro_crate import write_crate

        answer["ro_crate"] = str(write_crate(folder))
    if figure is not None:
        from validation.report.page import draw_one

        answer["figure"] = [str(path) for path in draw_one(folder, figure)]
    if as_json:
        print(json.dumps(answer))
    elif figure is not None:
        print("\n".join(answer["figure"]))  # type: ignore[arg-type]
    else:
        from validation.commands.terminal import table

        table(verdicts, folder)
        if ro_crate:
            print(f"ro-crate: {answer['ro_crate']}")
    return 0


def _compare(a: Path, b: Path, out: Path | None, as_json: bool) -> int:
    from validation.verdicts.compare import as_rows, compare, counts

    if out is not None and out.suffix not in (".html", ".md"):
        raise BadInput("out", out, "name a .html or a .md file")
    pairs = compare(a, b)
    if out is not None:
        from validation.report.page import render_comparison

        render_comparison(pairs, a, b, out)
    if as_json:
        print(json.dumps({"a": str(a), "b": str(b), "counts": counts(pairs), "pairs": as_rows(pairs)}))
    else:
        from validation.commands.terminal import comparison

        comparison(pairs, a, b)
        if out is not None:
            print(f"written: {out}")
    return 0
