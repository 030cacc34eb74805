"""`validate`: run atoms, continuum, discovery and circuit at one slit width, judge them, and write the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from transslit.errors import BadInput
from transslit.progress import Progress
from validation.commands.common import (
    ChargedFlag,
    JsonFlag,
    MolarText,
    OutPath,
    ReplicasInt,
    SaltText,
    SeedInt,
    SlitText,
    asked,
)
from validation.commands.terminal import COLOUR, GAP, counted, law, listing, open_console, place
from validation.presets import STAGES
from validation.verdicts.answers import answers

if TYPE_CHECKING:
    from validation.chain import ChainResult

validate_app = typer.Typer(add_completion=False)


@validate_app.command(epilog="Example: validate --slit 0.59nm --electrolyte KCl --concentration 1M --out runs/first")
def validate(
    slit: SlitText,
    electrolyte: SaltText = "KCl",
    concentration: MolarText = None,
    preset: Annotated[
        str,
        typer.Option(
            help="quick (minutes on two cores) or paper (long, wants a GPU; slit length, ions and Stern layer at which"
            " most of the paper's claims hold)."
        ),
    ] = "quick",
    out: OutPath = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 on an inconclusive required check too.")
    ] = False,
    replicas: ReplicasInt = None,
    stages: Annotated[
        str | None,
        typer.Option(
            help=f"Comma-separated, of {','.join(STAGES)}. Default: all, but claims with the paper preset only."
        ),
    ] = None,
    tolerances: Annotated[
        Path | None, typer.Option(help="TOML file of your own tolerances, by the ids of verdicts.json.")
    ] = None,
    seed: SeedInt = 0,
    as_json: JsonFlag = False,
    allow_charged: ChargedFlag = False,
) -> int:
    """Run atoms, continuum, discovery and circuit at one slit size, judge them, and write the report."""
    config = asked(slit, electrolyte, concentration, preset, replicas, seed, allow_charged)
    wanted = config.stages if stages is None else tuple(part.strip() for part in stages.split(",") if part.strip())
    if not wanted or set(wanted) - set(STAGES):
        raise BadInput("stages", stages, f"give one or more of {','.join(STAGES)}")
    from validation.chain import validate as run_chain
    from validation.claims import CLAIMS
    from validation.verdicts.tolerances import read_tolerances
    from validation.verdicts.verdict import exit_code
    from validation.verdicts.words import FAMILIES

    standards = {} if tolerances is None else read_tolerances(tolerances, {*FAMILIES, *CLAIMS})
    folder = out or Path("runs") / f"validate-{config.electrolyte.name}-{slit.replace(' ', '')}-{preset}"
    found = run_chain(config, folder, wanted, Progress(), standards)
    if as_json:
        print(json.dumps(found.summary))
    else:
        summary(found)
    return exit_code(found.verdicts, strict)


def summary(found: ChainResult) -> None:
    """In short: the answers, the counts, what did not pass or could not be judged, the law, the report's place."""
    console = open_console()
    console.print(Text.assemble(("Does diffusion enhance migration?", "bold"), GAP, found.setting))
    for card in answers(found.verdicts):
        word = Text(f"{card.word:<10}", COLOUR[card.verdict])
        console.print(Text.assemble(f"  {card.source:<22} ", word, f" {card.number} of the charge"))
    console.print()
    counted(console, found.verdicts)
    if open_ones := [verdict for verdict in found.verdicts if COLOUR[verdict.verdict] != "green"]:
        console.print(listing(open_ones, console))
    for text in found.lacking:
        console.print(f"not judged: {text}")
    if "cv" in found.laws:
        law(found.laws["cv"])
    place(console, found.folder)
