"""`transslit claims`: the paper's claims, judged on data computed here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from transslit.errors import BadInput
from transslit.library import load_electrolyte
from validation.commands.common import JsonFlag, MolarText, OutPath, SaltText, SeedInt, app, whole


@app.command("claims", epilog="Example: transslit claims --claims C02,C11 --out runs/claims")
def claims_command(
    claims: Annotated[str | None, typer.Option(help="Which, as C02,C11. Default: all.")] = None,
    preset: Annotated[
        str,
        typer.Option(
            help="quick (the defaults, three unknown parameters varied) or paper (a setting at which most claims"
            " hold, six varied, finer steps)."
        ),
    ] = "quick",
    electrolyte: SaltText = "KCl",
    concentration: MolarText = None,
    md: Annotated[
        Path | None, typer.Option(help="Folder with a molecular-dynamics record, so that none is run for C04.")
    ] = None,
    replicas: Annotated[int, typer.Option(parser=whole, help="Molecular-dynamics replicas, where they are run.")] = 3,
    tolerances: Annotated[
        Path | None, typer.Option(help="TOML file of your own tolerances, by the ids of claims.json.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 on an inconclusive required claim too.")
    ] = False,
    out: OutPath = None,
    seed: SeedInt = 0,
    as_json: JsonFlag = False,
) -> int:
    """Judge the paper's claims: reproduced, not reproduced or inconclusive, with number and uncertainty.

    What they need is computed once and kept in OUT/evidence; OUT may be the folder of a validation. A claim decides the
    exit code only where a tolerance file makes it required.
    """
    config, ids = configured(dict(locals()))
    from transslit.progress import Progress
    from transslit.runs import open_run
    from validation.claims.judge import judge_claims
    from validation.commands.terminal import counted, listing, open_console
    from validation.verdicts.tolerances import read_tolerances
    from validation.verdicts.verdict import exit_code

    standards = {} if tolerances is None else read_tolerances(tolerances)
    if md is not None and "C04" in ids:
        _readable(md)
    folder = out or Path("runs") / f"claims-{config.electrolyte.name}-{preset}"
    with open_run(folder) as run:
        verdicts = judge_claims(run, config, ids, Progress(), md, standards)
    if as_json:
        print(json.dumps({"setting": config.setting, "out": str(folder), "verdicts": [v.row() for v in verdicts]}))
    else:
        console, rows = open_console(), [verdict.row() for verdict in verdicts]
        console.print(listing(rows, console))
        counted(console, rows)
        console.print(f"numbers: {folder / 'claims.json'}; tables: {folder / 'evidence' / 'tables'}", soft_wrap=True)
    return exit_code(verdicts, strict)


def configured(given: dict[str, Any]) -> tuple[Any, list[str]]:
    """The configuration that the command's options, by name, describe, and which claims.

    Raises
    ------
    BadInput : an option that cannot be used
    """
    salt = load_electrolyte(given["electrolyte"])
    from validation.claims.registry import chosen
    from validation.presets import ClaimsConfig

    config = ClaimsConfig.read(
        electrolyte=salt,
        concentration=salt.concentration if given["concentration"] is None else given["concentration"],
        **{name: given[name] for name in ("preset", "replicas", "seed")},
    )
    config.check()
    return config, chosen(given["claims"])


def _readable(folder: Path) -> None:
    """Refuse a folder without a record of atoms, before anything is computed."""
    from transslit.record import TransSlitRecord

    source = TransSlitRecord.read(folder).metadata.get("source")
    if source != "md":
        raise BadInput("md", folder, f"holds a record of {source}; give one of molecular dynamics")
