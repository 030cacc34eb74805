"""`transslit discover`: the equation search."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any

import typer

from transslit.progress import Progress
from validation.commands.common import JsonFlag, OutPath, SeedInt, app


@app.command("discover", epilog="Example: transslit discover runs/cv --out runs/law")
def discover_command(
    sources: Annotated[
        list[Path], typer.Argument(help="Run folders or records, or one CSV table.", metavar="RECORD...")
    ],
    target: Annotated[str, typer.Option(help="Column to explain.")] = "dphi_V",
    inputs: Annotated[str, typer.Option(help="Comma-separated columns to explain it by.")] = "I_A_per_m,q",
    out: OutPath = None,
    seed: SeedInt = 0,
    as_json: JsonFlag = False,
) -> int:
    """Search for the law behind trans-slit records, or behind a table with units in its column names."""
    import discovery
    from transslit.record import TransSlitRecord
    from transslit.runs import open_run

    names = tuple(name.strip() for name in inputs.split(",") if name.strip())
    if len(sources) == 1 and sources[0].suffix == ".csv":
        table = discovery.read_table(sources[0], target, names)
    else:
        records = [TransSlitRecord.read(source) for source in sources]
        TransSlitRecord.concat(records)  # refuses what must not be mixed
        table = discovery.table_from_records(records)
    config = discovery.DiscoveryConfig.read(target=target, inputs=names, seed=seed)
    folder = out or Path("runs/discover")
    made_from = {"table": _table_digest(table)}
    with open_run(folder) as run:

        def search(path: Path) -> None:
            discovery.discover(table, config, path, Progress())

        run.stage("", config, search, made_from, seed)
    if as_json:
        print((folder / "law.json").read_text(encoding="utf-8"), end="")
    else:
        from transslit.law import Law
        from validation.terminal import law

        law(Law.read(folder))
        print(f"law and front: {folder}")
    return 0


def _table_digest(table: Any) -> str:
    import pandas as pd

    return hashlib.sha256(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes()).hexdigest()
