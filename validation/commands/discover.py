"""`transslit discover`: the equation search."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any

import typer

from transslit.errors import BadInput
from transslit.executor import executor
from transslit.files import read_json, read_text
from transslit.progress import Progress
from validation.commands.common import JsonFlag, OutPath, SchedulerText, SeedInt, WorkersInt, app


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


@app.command("discover", epilog="Example: transslit discover runs/cv --out runs/law")
def discover_command(
    sources: Annotated[
        list[Path], typer.Argument(help="Run folders or records; or CSV or Parquet tables.", metavar="RECORD...")
    ],
    target: Annotated[str, typer.Option(help="Column to explain.")] = "dphi_V",
    inputs: Annotated[
        str,
        typer.Option(
            help="Comma-separated columns to explain it by. Records have, beside their own, q = |Q_i|/max, "
            "q_I = |integral of I_i dt|/max, d = slit width in nm, and cycle."
        ),
    ] = "I_A_per_m,q",
    held_out: Annotated[
        str,
        typer.Option(
            help="Rows that only judge, such as i=4 or i=4,cycle=2,d=3; last: the slit of the largest number; none."
        ),
    ] = "last",
    functions: Annotated[
        str, typer.Option(help="Functions of the search, of square, sqrt, exp, log, tanh, sinh, sin, cos.")
    ] = "square,sqrt,exp,log,tanh",
    workers: WorkersInt = 1,
    scheduler: SchedulerText = None,
    out: OutPath = None,
    seed: SeedInt = 0,
    as_json: JsonFlag = False,
) -> int:
    """Search for the law behind trans-slit records, or behind a table with units in its column names.

    Leaves law.json, the hall of fame (CSV, JSON, LaTeX) and two figures in the run folder.
    """
    import discovery
    from discovery.plots import draw
    from transslit.runs import open_run

    config, table = configured(dict(locals()))
    discovery.check(table, config)
    folder = out or Path("runs/discover")
    with open_run(folder) as run:

        def search(path: Path) -> None:
            with executor(workers, scheduler) as pool:
                law = discovery.discover(table, config, path, Progress(), pool)
            draw(table, law, path)

        run.stage("", config, search, {"table": table_digest(table)}, seed)
    _tell(folder, as_json)
    return 0


def configured(given: dict[str, Any]) -> tuple[Any, Any]:
    """The configuration and the table that the command's options, by name, describe.

    Raises
    ------
    BadInput : an option that cannot be used, or sources that cannot be read
    """
    import discovery

    names, held_out = _names(given["inputs"]), given["held_out"]
    config = discovery.DiscoveryConfig.read(
        target=given["target"],
        inputs=names,
        functions=_names(given["functions"]),
        held_out=held_out if held_out in {"last", "none"} else _names(held_out),
        seed=given["seed"],
    )
    return config, _table(given["sources"], config.target, names)


def _table(sources: list[Path], target: str, names: tuple[str, ...]) -> Any:
    import discovery
    from transslit.record import TransSlitRecord

    tables = [source.suffix in {".csv", ".parquet"} for source in sources]
    if all(tables):
        return discovery.read_tables(sources, target, names)
    if any(tables):
        raise BadInput("record", sources[tables.index(True)], "give either tables or records, not both")
    return discovery.table_from_records([TransSlitRecord.read(source) for source in sources])


def _tell(folder: Path, as_json: bool) -> None:
    """The front, the law, what it was judged on, and where the rest is."""
    if as_json:
        print(read_text(folder / "law.json", "out"), end="")
        return
    from transslit.law import Law
    from validation.commands import terminal

    found, console, rows = Law.read(folder), terminal.open_console(), []
    columns = ("", "complexity", "loss", "score", "description length", "equation")
    for row in read_json(folder / "hall_of_fame.json", "out") or []:
        if row["on_front"] or row["chosen"]:
            score = "" if row["score"] is None else f"{row['score']:.3g}"
            numbers = (str(row["complexity"]), f"{row['loss']:.3g}", score, f"{row['description_length']:.1f}")
            rows.append(("*" if row["chosen"] else "", *numbers, row["expression"]))
    console.print(terminal.lay_out(console, columns, rows, below=("equation",)))
    terminal.law(found)
    for name, judged in found.provenance["judged"].items():
        score = f"R² = {judged['r2']:.5g}" if "r2" in judged else "R² undefined"
        console.print(f"     held out {name}: {score} ({judged['rows']:.0f} rows)")
    if not found.provenance["found"]:
        console.print("     no law: nothing explains the target better than noise about a constant")
    elif "delta_bic_ohmic" in found.metrics:
        advantage = found.metrics["delta_bic_ohmic"]
        console.print(f"     against Ohm's law: BIC lower by {advantage:.4g} (above 10 refutes Ohm)")
    print(f"law, hall of fame and figures: {folder}")


def table_digest(table: Any) -> str:
    """SHA-256 of a table's content."""
    import pandas as pd

    return hashlib.sha256(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes()).hexdigest()
