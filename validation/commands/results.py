"""What `validate` and `transslit judge` print, and their exit code."""

from __future__ import annotations

import json
from pathlib import Path

from rich.text import Text

from validation.chain import ChainResult
from validation.claims import CLAIMS
from validation.commands.terminal import COLOUR, GAP, counted, law, listing, open_console, place
from validation.verdicts.answers import answers
from validation.verdicts.tolerances import Tolerances, read_tolerances
from validation.verdicts.verdict import exit_code
from validation.verdicts.words import FAMILIES


def standards(path: Path | None) -> Tolerances:
    """A group's own tolerances from a TOML file; none without one."""
    return {} if path is None else read_tolerances(path, {*FAMILIES, *CLAIMS})


def report(result: ChainResult, strict: bool, as_json: bool) -> int:
    """Print a result, and return the exit code that its verdicts decide."""
    if as_json:
        print(json.dumps(result.summary))
    else:
        summary(result)
    return exit_code(result.verdicts, strict)


def summary(result: ChainResult) -> None:
    """Print answers, counts, the checks that did not pass or could not be judged, the law, and the report's place."""
    console = open_console()
    console.print(Text.assemble(("Does diffusion enhance migration?", "bold"), GAP, result.setting))
    for card in answers(result.verdicts):
        word = Text(f"{card.word:<10}", COLOUR[card.verdict])
        console.print(Text.assemble(f"  {card.source:<22} ", word, f" {card.number} of the charge"))
    console.print()
    counted(console, result.verdicts)
    if open_ones := [verdict for verdict in result.verdicts if COLOUR[verdict.verdict] != "green"]:
        console.print(listing(open_ones, console))
    for text in result.lacking:
        console.print(f"not judged: {text}")
    if "cv" in result.laws:
        law(result.laws["cv"])
    place(console, result.folder)
