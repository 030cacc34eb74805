"""What a person sees on the terminal: coloured where it can be, plain where not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from scipy import constants

from transslit import Electrolyte, Ion, Law, SlitNetwork
from transslit.ions import MDParameters, Sourced
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
            what = f"{pair.what}; evidence: {pair.evidence}" if pair.evidence else pair.what
            view.add_row(pair.id, pair.title, *sides, against, what)
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


def electrolyte(salt: Electrolyte, network: SlitNetwork) -> None:
    """Every value with its source, what follows from them, and what a slit of `network` holds."""
    console = Console(highlight=False)
    view = Table(title=salt.title or salt.name, box=None)
    for column in ("quantity", "value", "source", "note"):
        view.add_column(column, overflow="fold")
    for ion in salt.ions:
        for symbol, entry, unit in entries(ion):
            text = f"{entry.value:g} {unit}" if unit else f"{len(ion.sites)} sites, {ion.mass:g} Da, {ion.charge:+g} e"
            view.add_row(f"{ion.name} {symbol}", text, entry.source, entry.note)
    solvent = salt.solvent
    view.add_row("ε_r", f"{solvent.permittivity.value:g}", solvent.permittivity.source, solvent.permittivity.note)
    view.add_row("density", f"{solvent.density.value:g} kg/m³", solvent.density.source, solvent.density.note)
    if solvent.temperature_range is not None:
        low, high = solvent.temperature_range.value
        sourced = solvent.temperature_range
        view.add_row("temperatures", f"{low:g} K to {high:g} K", sourced.source, sourced.note)
    for name, (value, unit, meaning) in derived(salt, network).items():
        view.add_row(name, f"{value:.4g} {unit}", f"derived, at {salt.concentration / 1000:g} M", meaning)
    console.print(view)


def entries(ion: Ion) -> list[tuple[str, Sourced[Any], str]]:
    """Symbol, value with its source, and unit, of each of an ion's parameters; no unit for what is a text."""
    found: list[tuple[str, Sourced[Any], str]] = [("D", ion.diffusion_coefficient, "m²/s"), ("a", ion.diameter, "m")]
    if isinstance(ion.md, MDParameters):
        named = (("mass", ion.md.mass, "Da"), ("charge", ion.md.charge, "e"))
        return [*found, *named, ("σ", ion.md.sigma, "m"), ("ε", ion.md.epsilon, "kJ/mol")]
    return [*found, ("force field", ion.md.forcefield, ""), ("structure", ion.md.structure, "")]


def derived(salt: Electrolyte, network: SlitNetwork) -> dict[str, tuple[float, str, str]]:
    """Value, unit and meaning of what follows from an electrolyte's values, by name."""
    inside = network.slit * network.slit_length * constants.N_A * 1e-9  # of 1 nm depth
    per_slit = {
        f"{name} per slit": (c * inside, "per nm of depth", f"bulk concentration in {network.slit * 1e9:g} nm by"
        f" {network.slit_length * 1e9:g} nm")
        for name, c in zip(salt.names, salt.bulk(), strict=True)
    }  # fmt: skip
    return {
        "Debye length": (salt.debye_length() * 1e9, "nm", "of dilute ions; means little where it is below their size"),
        "Bjerrum length": (salt.bjerrum_length * 1e9, "nm", "where two charges have the energy kT"),
        "conductivity": (salt.conductivity(), "S/m", "Nernst-Einstein: ions that do not know of each other"),
        "close packing": (salt.close_packing / 1000, "M", "of formula units, from the ion diameters"),
        "positive wall": (salt.most_surface_charge(1), "C/m²", "balanced by one close-packed layer of anions"),
        "negative wall": (salt.most_surface_charge(-1), "C/m²", "balanced by one close-packed layer of cations"),
        **per_slit,
    }
