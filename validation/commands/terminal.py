"""What a person sees on the terminal: coloured where it can be, plain where not.

Colours come from `rich.text.Text` with a style; how rows are laid out is in `transslit.console`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.text import Text

from transslit import Electrolyte, Law, SlitNetwork
from transslit.console import GAP, lay_out, open_console
from transslit.fields import derived_values, sourced_values
from transslit.reply import FoundLaw, Reply
from validation.verdicts.answers import answers
from validation.verdicts.compare import Pair, counts
from validation.verdicts.verdict import Verdict
from validation.verdicts.words import constants_line, number

if TYPE_CHECKING:
    from validation.chain import ChainResult

COLOUR = {"pass": "green", "reproduced": "green", "fail": "red", "not reproduced": "red", "inconclusive": "yellow"}
MARKS = {"green": "✓", "red": "✗", "yellow": "?"}  # beside the words, for terminals that can show them


def table(verdicts: Sequence[Verdict], folder: Path) -> None:
    """The counts, the verdicts, and the report's place."""
    console = open_console()
    counted(console, verdicts)
    console.print(listing(verdicts, console))
    place(console, folder)


def judged(command: str, result: ChainResult, code: int) -> Reply:
    """What a command replies that ends in verdicts."""
    return Reply(
        command=command,
        exit_code=code,
        out=str(result.folder),
        setting=result.setting,
        wall_s=sum(manifest["wall_s"] for manifest in result.manifests.values()) or None,
        counts=numbered(result.verdicts),
        verdicts=[verdict.row() for verdict in result.verdicts],
        lacking=result.lacking,
        law=FoundLaw.of(result.laws["cv"]) if "cv" in result.laws else None,
    )


def numbered(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """How many verdicts there are of each kind."""
    return {name: count for name in COLOUR if (count := sum(v.verdict == name for v in verdicts))}


def summary(result: ChainResult) -> None:
    """The answers, the counts, the checks that did not pass or could not be judged, the law, and the report's place."""
    console = open_console()
    console.print(Text.assemble(("Does diffusion enhance migration?", "bold"), GAP, result.setting))
    for card in answers(result.verdicts):
        word = Text(f"{card.word:<10}", COLOUR[card.verdict])
        console.print(Text.assemble(f"  {card.source:<22} ", word, f" {card.number} of the charge"))
    console.print()
    counted(console, result.verdicts)
    if others := [verdict for verdict in result.verdicts if COLOUR[verdict.verdict] != "green"]:
        console.print(listing(others, console))
    for text in result.lacking:
        console.print(f"not judged: {text}")
    if "cv" in result.laws:
        law(result.laws["cv"])
    place(console, result.folder)


def listing(verdicts: Sequence[Verdict], console: Console) -> Group:
    """A row per verdict; its title is below it where both do not fit one line."""
    rows = [
        (
            marked(v.verdict, console),
            v.id,
            number(v.value, v.uncertainty, v.unit),
            v.tolerance,
            v.title + (" (required)" if v.required else ""),
        )
        for v in verdicts
    ]
    return lay_out(console, ("", "id", "value", "tolerance", "what"), rows, below=("what",))


def marked(verdict: str, console: Console) -> Text:
    """The verdict in its colour, with a mark where the terminal's encoding has it."""
    colour = COLOUR[verdict]
    mark = f"{MARKS[colour]} " if console.encoding.lower().startswith("utf") else ""
    return Text(f"{mark}{verdict}", colour)


def counted(console: Console, verdicts: Sequence[Verdict]) -> None:
    """How many verdicts of each kind, and whether a required one failed."""
    words = [Text(f"{count} {name}", COLOUR[name]) for name, count in numbered(verdicts).items()]
    required = {c: [v.id for v in verdicts if v.required and COLOUR[v.verdict] == c] for c in MARKS}
    undecided = f"required and inconclusive: {', '.join(required['yellow'])}"
    tail = undecided if required["yellow"] else "all required ones hold" if required["green"] else "none is required"
    tail = f"required and failed: {', '.join(required['red'])}" if required["red"] else tail
    console.print(Text.assemble(Text(", ").join(words), f"; {tail}"))


def place(console: Console, folder: Path) -> None:
    """Where the report is."""
    console.print(f"report: {folder / 'report.html'}", soft_wrap=True)


def comparison(pairs: list[Pair], a: Path, b: Path) -> None:
    """The counts, and what differs between two runs, a row each."""
    console = open_console()
    console.print(", ".join(f"{count} {what}" for what, count in counts(pairs).items()))
    rows = []
    for pair in pairs:
        if pair.differs:
            sides = [
                "" if verdict is None else Text.assemble(marked(verdict, console), " ", number(value, u, pair.unit))
                for verdict, value, u in (
                    (pair.verdict_a, pair.value_a, pair.u_a),
                    (pair.verdict_b, pair.value_b, pair.u_b),
                )
            ]
            against = "" if pair.against_u is None else f", by {pair.against_u:.2g} u"
            evidence = f"; evidence: {pair.evidence}" if pair.evidence else ""
            rows.append((pair.id, *sides, pair.title, f"{pair.what}{against}{evidence}"))
    if rows:
        columns = ("id", f"A {a.name}", f"B {b.name}", "what", "change")
        console.print(lay_out(console, columns, rows, below=("what", "change")))


def say_elements(reply: Reply) -> None:
    """The circuit's elements of a record on a line, or why there are none."""
    known = (
        f"{name} = {number(each.value, None if each.high is None else each.high - (each.value or 0.0), each.unit)}"
        for name, each in (reply.elements or {}).items()
    )
    lines = [", ".join(known)] if reply.elements else reply.lacking or []
    for line in lines:
        open_console().print(f"elements: {line}" if reply.elements else line)


def law(result: Law) -> None:
    """The law and its constants on a line each."""
    open_console().print(f"law: {result.target} = {result.expression}\n     {constants_line(result)}")


def electrolyte(salt: Electrolyte, network: SlitNetwork) -> None:
    """Every value with its source, what follows from them, and what a slit of `network` holds."""
    console = open_console()
    rows = [(name, text, value.source, value.note) for name, text, value in sourced_values(salt)]
    for name, (value, unit, meaning) in derived_values(salt, network).items():
        rows.append((name, f"{value:.4g} {unit}", f"derived, at {salt.concentration / 1000:g} M", meaning))
    console.print(Text(salt.title or salt.name, "italic"))
    console.print(lay_out(console, ("quantity", "value", "source", "note"), rows, below=("source", "note")))
