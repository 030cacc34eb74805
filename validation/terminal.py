"""What a person sees on the terminal: coloured where it can be, plain where not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import constants

from transslit import Electrolyte, Law
from validation.compare import Pair, counts

if TYPE_CHECKING:
    from validation.pipeline import Findings

COLOUR = {"pass": "green", "reproduced": "green", "fail": "red", "not reproduced": "red", "inconclusive": "yellow"}
MARKS = {"green": "✓", "red": "✗", "yellow": "?"}  # beside the words, for terminals that can show them


def summary(found: Findings) -> None:
    """In short: the answers, the counts, what did not pass, the law, and where the report is."""
    from validation.report import answers

    console = Console(highlight=False)
    console.print(f"[bold]Does diffusion enhance migration?[/]  {found.setting}")
    for card in answers(found.verdicts):
        console.print(f"  {card.source:<22} [{COLOUR[card.verdict]}]{card.word:<10}[/] {card.number} of the charge")
    console.print()
    open_ones = [verdict.row() for verdict in found.verdicts if COLOUR[verdict.verdict] != "green"]
    counted(console, [verdict.row() for verdict in found.verdicts])
    if open_ones:
        console.print(listing(open_ones, console))
    if found.law is not None:
        law(found.law)
    place(console, found.folder)


def table(verdicts: list[dict[str, Any]], folder: Path) -> None:
    """One line per verdict, then the counts and the report's place."""
    console = Console(highlight=False)
    console.print(listing(verdicts, console))
    counted(console, verdicts)
    place(console, folder)


def listing(verdicts: list[dict[str, Any]], console: Console) -> Table:
    """A line per verdict."""
    view = Table(box=None, pad_edge=False)
    for column in ("", "id", "what", "value", "tolerance"):
        view.add_column(column, overflow="fold")
    for row in verdicts:
        required = " (required)" if row["required"] else ""
        value = number(row["value"], row["uncertainty"], row["unit"])
        view.add_row(marked(row["verdict"], console), row["id"], row["title"] + required, value, row["tolerance"])
    return view


def marked(verdict: str, console: Console) -> str:
    """The verdict in its colour, with a mark where the terminal's encoding has it."""
    colour = COLOUR[verdict]
    mark = f"{MARKS[colour]} " if console.encoding.lower().startswith("utf") else ""
    return f"[{colour}]{mark}{verdict}[/]"


def counted(console: Console, verdicts: list[dict[str, Any]]) -> None:
    """How many verdicts of each kind, and whether a required one failed."""
    counts = {name: sum(row["verdict"] == name for row in verdicts) for name in COLOUR}
    words = [f"[{COLOUR[name]}]{count} {name}[/]" for name, count in counts.items() if count]
    broken = [row["id"] for row in verdicts if row["required"] and COLOUR[row["verdict"]] == "red"]
    tail = f"required and failed: {', '.join(broken)}" if broken else "all required ones hold"
    console.print(f"{', '.join(words)}; {tail}")


def place(console: Console, folder: Path) -> None:
    """Where the report is."""
    console.print(f"report: {folder / 'report.html'}", soft_wrap=True)


def comparison(pairs: list[Pair], a: Path, b: Path) -> None:
    """What differs between two runs, a line each, then the counts."""
    console = Console(highlight=False)
    view = Table(box=None, pad_edge=False)
    for column in ("id", "what", f"A {a.name}", f"B {b.name}", "change / u", ""):
        view.add_column(column, overflow="fold")
    for pair in pairs:
        if pair.differs:
            sides = [
                "" if verdict is None else f"{marked(verdict, console)} {number(value, u, pair.unit)}"
                for verdict, value, u in (
                    (pair.verdict_a, pair.value_a, pair.u_a),
                    (pair.verdict_b, pair.value_b, pair.u_b),
                )
            ]
            against = "" if pair.against_u is None else f"{pair.against_u:.2g}"
            view.add_row(pair.id, pair.title, *sides, against, pair.what)
    if view.row_count:
        console.print(view)
    console.print(", ".join(f"{count} {what}" for what, count in counts(pairs).items()))


def law(found: Law) -> None:
    """The law and its constants on a line each."""
    Console().print(f"law: {found.target} = {found.expression}\n     {constants_line(found)}", highlight=False)


def constants_line(found: Law) -> str:
    """Constants with their standard errors and units."""
    return ", ".join(f"{n} = {number(c.value, c.std, c.unit)}" for n, c in found.constants.items())


def number(value: float | None, uncertainty: float | None, unit: str) -> str:
    """Value, uncertainty and unit as short text."""
    if value is None:
        return "undefined"
    text = f"{value:.4g}" + (f" ± {uncertainty:.2g}" if uncertainty else "")
    return text if unit == "1" else f"{text} {unit}"


def electrolyte(salt: Electrolyte) -> None:
    """Every value with its source, and derived quantities."""
    view = Table(title=salt.title or salt.name, box=None)
    for column in ("quantity", "value", "source", "note"):
        view.add_column(column, overflow="fold")
    for ion in salt.ions:
        entries = (
            ("D", ion.diffusion_coefficient, "m²/s"),
            ("a", ion.diameter, "m"),
            ("mass", ion.md.mass, "Da"),
            ("charge", ion.md.charge, "e"),
            ("σ", ion.md.sigma, "m"),
            ("ε", ion.md.epsilon, "kJ/mol"),
        )
        for symbol, entry, unit in entries:
            view.add_row(f"{ion.name} {symbol}", f"{entry.value:g} {unit}", entry.source, entry.note)
    view.add_row("ε_r", f"{salt.solvent.permittivity.value:g}", salt.solvent.permittivity.source, "")
    bulk = salt.bulk()
    conductivity = constants.value("Faraday constant") ** 2 / (constants.R * salt.temperature)
    conductivity *= float(np.sum(salt.valences**2 * salt.diffusion_coefficients * bulk))
    packed = salt.concentration / float(salt.molar_volumes @ bulk)
    where = f"derived, at {salt.concentration / 1000:g} M"
    view.add_row("Debye length", f"{salt.debye_length() * 1e9:.3f} nm", where, "")
    view.add_row("conductivity", f"{conductivity:.3g} S/m", where, "Nernst-Einstein, infinite dilution")
    view.add_row("close packing", f"{packed / 1000:.3g} M", "derived from the ion diameters", "")
    Console().print(view)
