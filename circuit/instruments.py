"""Tables in instruments' files: the names of their columns and their numbers, whatever the maker, locale and encoding.

| file | known by | names and rows |
|---|---|---|
| EC-Lab and BT-Lab text | first line `EC-Lab ASCII FILE` | from the line that `Nb header lines` gives; tabs |
| EC-Lab binary | first bytes `BIO-LOGIC MODULAR FILE` | by galvani |
| Gamry .DTA | first line `EXPLAIN` | all tables CURVE, CURVE1, ... in turn; a second row holds the units |
| any other text | | first line; tabs, semicolons or commas; lines that begin with # are skipped |

Text is UTF-16 or UTF-8 by its byte-order mark, else UTF-8, else Latin-1. Lines end at CR, LF or both alone: byte 0x85
of a Latin-1 comment ends none. The decimal mark is decided for the whole file: commas where cells hold commas and no
points, and no commas separate them. What may be a separator of thousands (1,234) is refused.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

Array = np.ndarray
SPECTRUM = "an impedance spectrum, but a curve of time, V_m and I_m is needed: a voltammogram or a galvanostatic cycle"
KINDS = "give an EC-Lab .mpt or .mpr file, a Gamry .DTA file, or columns of text (.csv, .txt)"
LARGEST = 64 * 2**20  # bytes
MOST_LINES = 10**6
LONGEST_HEAD = 10_000  # characters
FIRST_ROWS = 1000  # parsed before all others, so that a file without a table is refused at once
MOST_EXTRA = 16  # empty cells at the end of a row
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
LINE_END = re.compile(r"\r\n|\n|\r")
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
GROUPED = r"[+-]?[1-9]\d{0,2}(?:[.,]\d{3})+"  # 1,234 is 1234 or 1.234


@dataclass(frozen=True)
class Table:
    """Columns of a file: `names` (c) as written there, and `rows` (k), lines of text or a frame (k, c) of numbers.

    `separator` stands between the cells of a line.
    """

    names: tuple[str, ...]
    rows: list[str] | pd.DataFrame
    separator: str = ""

    def numbers(self, columns: Sequence[int]) -> list[Array]:
        """The numbers of some columns, (k,) each.

        Raises
        ------
        ValueError : a cell that is not a finite number, or may be two numbers; a row with more or fewer cells
        """
        if isinstance(self.rows, pd.DataFrame):
            values = [self.rows.iloc[:, column].to_numpy(dtype=float) for column in columns]
        else:
            if len(self.rows) > FIRST_ROWS:
                replace(self, rows=self.rows[:FIRST_ROWS]).numbers(columns)
            text = [cells.str.strip().str.replace("\u2212", "-") for cells in self._cells(columns)]
            if self._decimal_mark(columns, text) == ",":
                text = [cells.str.replace(",", ".") for cells in text]
            for column, cells in zip(columns, text, strict=True):
                self._refuse(column, ~cells.str.fullmatch(NUMBER), cells, "is not a finite number")
            values = [cells.astype(float).to_numpy() for cells in text]
        for column, numbers in zip(columns, values, strict=True):
            self._refuse(column, ~np.isfinite(numbers), numbers, "is not a finite number")
        return values

    def _split(self, line: str) -> list[str]:
        return next(csv.reader([line], delimiter=self.separator))

    def _cells(self, columns: Sequence[int]) -> list[pd.Series]:
        """The text of some columns; refuses rows that lack a named cell or have text in others."""
        named = width = len(self.names)
        for row, line in enumerate(self.rows, 1):
            count = len(self._split(line)) if '"' in line else line.count(self.separator) + 1
            width = max(width, count)
            if not named <= count <= named + MOST_EXTRA:
                raise ValueError(f"row {row} holds {count} cells, but {named} columns are named")
        if not len(self.rows):
            return [pd.Series([], dtype=str) for _ in columns]
        try:
            cells = pd.read_csv(
                StringIO("\n".join(self.rows)),
                sep=self.separator,
                header=None,
                names=range(width),
                usecols=[*columns, *range(named, width)],
                dtype=str,
                na_filter=False,
            )
        except pd.errors.ParserError:
            cells = pd.DataFrame()
        if len(cells) != len(self.rows):
            raise ValueError("holds a quotation mark that is not closed in its row")
        for column in range(named, width):
            beyond = np.flatnonzero(cells[column].str.strip() != "")
            if len(beyond):
                raise ValueError(f"row {beyond[0] + 1} holds more cells than the {named} columns that are named")
        return [cells[column] for column in columns]

    def _decimal_mark(self, columns: Sequence[int], text: list[pd.Series]) -> str:
        """The mark that the cells hold, comma or point; a comma only where it cannot separate cells or thousands."""
        points, commas = ([cells.str.contains(mark, regex=False) for cells in text] for mark in ".,")
        both = any(point.any() for point in points) and any(comma.any() for comma in commas)
        for column, cells, comma in zip(columns, text, commas, strict=True):
            if self.separator == ",":
                self._refuse(column, comma, cells, "holds a comma, which separates the columns of this file")
            if both:
                self._refuse(column, comma, cells, "holds a comma, but other cells hold points; use one decimal mark")
        mark, marked = (",", commas) if any(comma.any() for comma in commas) else (".", points)
        grouped = all(cells[rows].str.fullmatch(GROUPED).all() for cells, rows in zip(text, marked, strict=True))
        if grouped and self.separator != ",":
            for column, cells, rows in zip(columns, text, marked, strict=True):
                self._refuse(column, rows, cells, f"may be read with '{mark}' as decimal mark or between thousands")
        return mark

    def _refuse(self, column: int, wrong: pd.Series | Array, cells: pd.Series | Array, why: str) -> None:
        rows = np.flatnonzero(wrong)
        if len(rows):
            cell = str(np.asarray(cells)[rows[0]])[:40]
            raise ValueError(f"row {rows[0] + 1} of {self.names[column]}: '{cell}' {why}")


def read_table(path: Path) -> Table:
    """The columns of an instrument's file, of the kinds listed in the docstring of this module.

    Raises
    ------
    ValueError : no such file, empty, too large, of another kind, or torn
    OSError : cannot be opened
    """
    if not path.is_file():
        raise ValueError("is a folder, not a file" if path.is_dir() else "no such file")
    with path.open("rb") as file:
        first = file.read(2**16)
    if first.startswith(b"BIO-LOGIC MODULAR FILE"):
        return _galvani(path)
    if not first.strip():
        raise ValueError(f"is empty; {KINDS}")
    if path.suffix.lower() == ".mpr" or (b"\0" in first and not first.startswith(UTF16)):
        raise ValueError(f"is not text, nor EC-Lab's binary; {KINDS}")
    if path.stat().st_size > LARGEST:
        raise ValueError(f"is larger than {LARGEST / 2**20:.0f} MB; keep fewer rows")
    text = _decoded(path.read_bytes())
    if max(text.count("\n"), text.count("\r")) > MOST_LINES:
        raise ValueError(f"holds more than {MOST_LINES:,} lines; keep fewer rows")
    lines = LINE_END.split(text)
    if re.match(r"(EC|BT)-Lab ASCII FILE", lines[0]):
        return _eclab(lines)
    if lines[0].strip() == "EXPLAIN":
        return _gamry(lines)
    return _columns([line for line in lines if not line.startswith("#")])


def _decoded(content: bytes) -> str:
    if content.startswith(UTF16):
        text = content.decode("utf-16")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
    if "\0" in text:
        raise ValueError(f"is not text, nor EC-Lab's binary; {KINDS}")
    return text


def _eclab(lines: list[str]) -> Table:
    declared = re.match(r"Nb header lines\s*:\s*(\d{1,6})\s*$", lines[1]) if len(lines) > 1 else None
    if declared is None:
        raise ValueError("lacks its second line, 'Nb header lines : n', which says where its table begins")
    count = int(declared[1])
    if not 3 <= count <= len(lines):
        raise ValueError(f"has {len(lines)} lines, but 'Nb header lines' says {count}: its table is missing")
    return _columns(lines[count - 1 :], "\t")


def _gamry(lines: list[str]) -> Table:
    starts = [i for i, line in enumerate(lines) if re.match(r"CURVE\d*\tTABLE", line)]
    if not starts:
        spectrum = any(line.startswith("ZCURVE\tTABLE") for line in lines)
        raise ValueError(f"holds {SPECTRUM}" if spectrum else "holds no table CURVE, which a Gamry file of a curve has")
    heads = {tuple(lines[start + 1 : start + 3]) for start in starts}
    if len(heads) != 1 or len(head := next(iter(heads))) != 2:
        raise ValueError("its tables CURVE need the same two rows of names and units")
    names, units = (line.split("\t") for line in head)
    if len(names) != len(units):
        raise ValueError(f"has {len(names) - 1} columns in CURVE, but {len(units) - 1} units")
    rows = []
    for start in starts:
        row = start + 3
        while row < len(lines) and lines[row].startswith("\t"):
            rows.append(lines[row])
            row += 1
        declared = lines[start].split("\t")[2:3]
        if declared and re.fullmatch("[0-9]+", declared[0]) and int(declared[0]) != row - start - 3:
            raise ValueError(f"holds {row - start - 3} rows of {lines[start]!r}, which says {declared[0]}: is it torn?")
    named = [f"{name}/{unit.split()[0]}" if unit.strip() else name for name, unit in zip(names, units, strict=True)]
    return _columns(["\t".join(named), *rows], "\t")


def _columns(lines: list[str], separator: str = "") -> Table:
    """A table whose first line names the columns; an empty separator is inferred from that line."""
    lines = [line for line in lines if line.strip(" \t;,")]
    if not lines:
        raise ValueError(f"holds no table; {KINDS}")
    head, rows = lines[0], lines[1:]
    separator = separator or next((mark for mark in "\t;," if mark in head), "")
    if not separator or len(head) > LONGEST_HEAD:
        raise ValueError("its first line does not name columns separated by tabs, semicolons or commas")
    names = [name.strip() for name in next(csv.reader([head], delimiter=separator))]
    while names and not names[-1]:
        names.pop()
    if all(re.fullmatch(NUMBER, name.replace(",", ".")) for name in names):
        raise ValueError("begins with numbers; its first line must name the columns with their units, as time/s")
    return Table(tuple(names), rows, separator)


def _galvani(path: Path) -> Table:
    try:
        from galvani import BioLogic
    except ImportError:
        raise ValueError("an .mpr file needs galvani (pip install galvani); .mpt does not") from None
    try:
        cells = pd.DataFrame(BioLogic.MPRfile(str(path)).data)
    except Exception as error:  # galvani raises any kind of error, AssertionError among them
        raise ValueError(f"cannot be read as .mpr by galvani ({type(error).__name__}: {error}); export .mpt") from None
    return Table(tuple(map(str, cells.columns)), cells)
