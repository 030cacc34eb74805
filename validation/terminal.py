"""What a person sees on the terminal: coloured where it can be, plain where not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import constants

from transslit import Electrolyte, Law

if TYPE_CHECKING:
    from validation.pipeline import Findings

COLOUR = {"pass": "green", "reproduced": "green", "fail": "red", "not reproduced": "red", "inconclusive": "yellow"}


def summary(found: Findings) -> None:
    """Verdicts, the law, and where the report is."""
    table([verdict.row() for verdict in found.verdicts], found.folder)
    if found.law is not None:
        law(found.law)


def law(found: Law) -> None:
    """The law and its constants on a line each."""
    Console().print(f"law: {found.target} = {found.expression}\n     {constants_line(found)}", highlight=False)


def constants_line(found: Law) -> str:
    """Constants with their standard errors and units."""
    return ", ".join(f"{n} = {number(c.value, c.std, c.unit)}" for n, c in found.constants.items())


def table(verdicts: list[dict[str, Any]], folder: Path) -> None:
    """One line per verdict, then the counts and the report's place."""
    view = Table(box=None, pad_edge=False)
    for column in ("", "id", "what", "value", "tolerance"):
        view.add_column(column, overflow="fold")
    for row in verdicts:
        colour = COLOUR[row["verdict"]]
        required = " (required)" if row["required"] else ""
        view.add_row(
            f"[{colour}]{row['verdict']}[/]",
            row["id"],
            row["title"] + required,
            number(row["value"], row["uncertainty"], row["unit"]),
            row["tolerance"],
        )
    console = Console()
    console.print(view)
    counts = {name: sum(row["verdict"] == name for row in verdicts) for name in COLOUR}
    console.print(", ".join(f"{count} {name}" for name, count in counts.items() if count))
    console.print(f"report: {folder / 'report.html'}", highlight=False, soft_wrap=True)


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
