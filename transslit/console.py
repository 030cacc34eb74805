"""Texts and tables on a terminal, in a file and on a pipe.

Titles, sources and names come from files: they are printed as they are, and never read as rich's markup or emoji codes
(`[emim][BF4]` is a salt). A row of a table is one line where that fits the terminal, and always on a pipe or in a file,
for grep; else its long columns are lines of their own below it.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group
from rich.padding import Padding
from rich.text import Text

UNBROKEN = 100_000  # columns; wider than any line
GAP = "  "  # between columns
KEPT = 2  # columns that are always beside each other: a verdict and its id
INDENT = 4  # columns, of what stands below its row


def open_console() -> Console:
    """Standard output for texts that are printed as they are; off a terminal, lines have no end."""
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = UNBROKEN
    return console


def lay_out(
    console: Console, columns: Sequence[str], rows: Sequence[Sequence[str | Text]], below: Sequence[str]
) -> Group:
    """Rows under the names of their columns, a line each where that fits the console.

    Parameters
    ----------
    below : the columns that otherwise are not beside the others but below them, indented and wrapped between words; on
        a narrower console the last of the others follow them, so that no row of ids is wrapped
    """
    cells = [[cell if isinstance(cell, Text) else Text(cell.replace("\n", " ")) for cell in row] for row in rows]
    head = [Text(name, "bold") for name in columns]
    widths = [max(cell.cell_len for cell in column) for column in zip(head, *cells, strict=True)]

    def fits(places: Sequence[int]) -> bool:
        return sum(widths[place] for place in places) + len(GAP) * (len(places) - 1) <= console.width

    beside = list(range(len(columns)))
    if not fits(beside):
        beside = [place for place in beside if columns[place] not in below]
    while not fits(beside) and len(beside) > KEPT:
        beside.pop()

    def line(row: Sequence[Text]) -> Text:
        padded = [row[place].copy() for place in beside]
        for place, cell in zip(beside[:-1], padded[:-1], strict=True):
            cell.pad_right(widths[place] - cell.cell_len)
        return Text(GAP).join(padded)

    parts: list[Text | Padding] = []
    for row in (head, *cells):
        under = [cell for place, cell in enumerate(row) if place not in beside and cell]
        parts += [line(row), *(Padding(cell, (0, 0, 0, INDENT), expand=False) for cell in under)]
    return Group(*parts)
