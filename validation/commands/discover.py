"""`transslit discover`: the equation search."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

import discovery
from discovery import DiscoveryConfig
from discovery.plots import draw
from transslit.errors import BadInput
from transslit.executor import Parallel
from transslit.files import read_json
from transslit.law import Law
from transslit.options import Options, Texts
from transslit.progress import Progress
from transslit.record import TransSlitRecord
from transslit.reply import FoundLaw, Reply
from transslit.runs import open_run
from transslit.shell import Drawn, JsonFlag, OutPath, command_app, with_options
from validation.commands import terminal
from validation.sweep import Stage, Work
from validation.sweep.law import law_columns


class Further(Parallel, Drawn):
    """Options that are no fields of `DiscoveryConfig`."""


OPTIONS = Options(DiscoveryConfig, Further)
app = command_app()


@app.command(epilog="Example: transslit discover runs/cv --out runs/law")
@with_options(OPTIONS)
def discover_command(
    texts: Texts,
    sources: Annotated[
        list[Path] | None, typer.Argument(help="Run folders or records; or CSV or Parquet tables.", metavar="RECORD...")
    ] = None,
    out: OutPath = None,
    as_json: JsonFlag = False,
) -> int:
    """Search for the law behind trans-slit records, or behind a table with units in its column names.

    Leaves law.json, the hall of fame (CSV, JSON, LaTeX) and two figures in the run folder.
    """
    config, further = OPTIONS.build(DiscoveryConfig, texts), OPTIONS.build(Further, texts)
    table = _table(sources or [], config)
    discovery.check(table, config)
    folder = out or Path("runs/discover")
    with open_run(folder) as run:

        def search(path: Path) -> None:
            with further.pool() as pool:
                law = discovery.discover(table, config, path, Progress(), pool)
            if not further.no_figures:
                with Progress(quiet=not sys.stderr.isatty()).task("Drawing", 2) as advance:
                    draw(table, law, path)
                    advance(2)

        run.stage("", config, search, {"table": _digest(table)}, config.seed)
    reply = Reply(command="discover", out=str(folder), law=FoundLaw.of(Law.read(folder)))
    return reply.tell(as_json, partial(_print_law, folder))


def row(config: DiscoveryConfig, table: pd.DataFrame, folder: Path) -> dict[str, object]:
    """Columns of a sweep: the law of a table."""
    return law_columns(discovery.discover(table, config, folder, Progress(quiet=True)))


def _work(texts: Texts, arguments: Sequence[str]) -> Work:
    config = OPTIONS.build(DiscoveryConfig, texts)
    table = _table([Path(name) for name in arguments], config)
    return Work(config, partial(row, config, table), {"table": _digest(table)})


STAGE = Stage("discover", _work, OPTIONS.known.keys() - Further.model_fields.keys(), argument="sources")


def _table(sources: Sequence[Path], config: DiscoveryConfig) -> pd.DataFrame:
    """The columns of tables, or of records, that a search needs."""
    if not sources:
        raise BadInput("record", "missing", "give records or tables")
    tables = [source.suffix in {".csv", ".parquet"} for source in sources]
    if all(tables):
        return discovery.read_tables(sources, config.target, config.inputs)
    if any(tables):
        raise BadInput("record", sources[tables.index(True)], "give either tables or records, not both")
    return discovery.table_from_records([TransSlitRecord.read(source) for source in sources])


def _print_law(folder: Path) -> None:
    """Print the law, its errors on held-out rows, the front, and where the rest is."""
    law, console, rows = Law.read(folder), terminal.open_console(), []
    terminal.law(law)
    for name, judged in law.provenance["judged"].items():
        score = f"R² = {judged['r2']:.5g}" if "r2" in judged else "R² undefined"
        console.print(f"     held out {name}: {score} ({judged['rows']:.0f} rows)")
    if not law.provenance["found"]:
        console.print("     no law: nothing explains the target better than noise about a constant")
    elif "delta_bic_ohmic" in law.metrics:
        advantage = law.metrics["delta_bic_ohmic"]
        console.print(f"     against Ohm's law: BIC lower by {advantage:.4g} (above 10 refutes Ohm)")
    if (general := law.provenance.get("general")) and not general["same"]:
        gain = f"error {general['rmse'] / law.metrics['rmse']:.2f} of this one's"
        use = "a circuit takes it, too" if general["resistance"] else "no circuit takes it"
        console.print(f"     without restriction: {law.target} = {general['expression']}, {gain}; {use}")
    columns = ("", "entry", "complexity", "loss", "score", "description length", "equation")
    for row in read_json(folder / "hall_of_fame.json", "out") or []:
        if row["on_front"] or row["chosen"]:
            score = "" if row["score"] is None else f"{row['score']:.3g}"
            numbers = (f"{row['entry']}", f"{row['complexity']}", f"{row['loss']:.3g}", score)
            cells = (*numbers, f"{row['description_length']:.1f}", row["expression"])
            rows.append(("*" if row["chosen"] else "", *cells))
    console.print(terminal.lay_out(console, columns, rows, below=("equation",)))
    print(f"law, hall of fame and figures: {folder}")


def _digest(table: pd.DataFrame) -> str:
    """SHA-256 of a table's content."""
    return hashlib.sha256(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes()).hexdigest()
