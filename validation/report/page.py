"""The report: one self-contained page that opens with the verdicts and shows what they rest on; and its plain twin.

`publish` leaves verdicts.json, tables/ (from which `render` makes the page again), report.html, report.md, figures/.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup, escape

from transslit.errors import BadInput
from transslit.fields import sourced_values
from transslit.files import write_text
from transslit.style import STYLE
from transslit.svg import size, tags, to_file, to_svg
from validation.claims.registry import CLAIMS
from validation.presets import PAPER
from validation.report import summary
from validation.report.provenance import stage_rows, totals
from validation.report.sections import FigureWithCaption, all_figures, claim_figures, sections, thinned
from validation.report.tables import ReportData
from validation.verdicts.answers import answers
from validation.verdicts.compare import Pair, counts
from validation.verdicts.verdict import BAD, GOOD, OTHER, Verdict
from validation.verdicts.words import FAMILIES, constants_line, nm, number

PLACES = {
    "": "value",
    "md": "molecular dynamics",
    "ions": "ions in implicit water",
    "small": "continuum, small step",
    "step": "continuum, step",
    "cv": "continuum, CV",
}
SIGNS = {"pos": "+", "neg": "−"}
ROWS = 250  # of a check's table in the page


@dataclass(frozen=True)
class Matrix:
    """Verdicts of one group: a row per statement, a column per place where it was judged."""

    title: str
    columns: list[str]
    rows: list[tuple[Verdict, list[Verdict | None]]]  # the row's first verdict speaks for its title and tolerance


def publish(folder: Path) -> ReportData:
    """Make report.html, report.md and figures/ from the verdicts and tables in `folder` alone.

    Raises
    ------
    BadInput : they are missing or torn
    """
    data = ReportData.read(folder)
    with _of_this_version(folder):
        drawings = {figure.key: _svg(figure) for figure in all_figures(data) if figure.draw is not None}
        page = render(data, drawings)
        notes = _environment("report.md").render(_context(data))
    place = folder / "figures"
    place.mkdir(exist_ok=True)
    for old in place.glob("*.svg"):
        if old.stem not in drawings:
            old.unlink()
    for key, svg in drawings.items():
        write_text(place / f"{key}.svg", to_file(svg))
    write_text(folder / "report.html", page)
    write_text(folder / "report.md", notes)
    return data


def render(data: ReportData, drawings: dict[str, str] | None = None) -> str:
    """The page as HTML text; `drawings` are the figures' SVG elements by key, drawn here when left out."""
    if drawings is None:
        drawings = {figure.key: _svg(figure) for figure in all_figures(data) if figure.draw is not None}
    template = _environment("report.html")
    return template.render(_context(data) | {"drawings": drawings, "as_csv": _csv_uri})


def draw_one(folder: Path, key: str) -> tuple[Path, Path | None]:
    """Draw one figure into `figures/<key>.svg`, its data beside it as CSV; the two paths.

    Raises
    ------
    BadInput : no such figure
    """
    data = ReportData.read(folder)
    with _of_this_version(folder):
        known = {figure.key: figure for figure in all_figures(data)}
        if key not in known:
            raise BadInput("figure", key, f"one of {', '.join(known)}")
        figure = known[key]
        svg = None if figure.draw is None else _svg(figure)
    place = folder / "figures"
    place.mkdir(exist_ok=True)
    picture, table = place / f"{key}.svg", place / f"{key}.csv"
    if svg is not None:
        write_text(picture, to_file(svg))
    if figure.data is not None:
        write_text(table, _csv(figure.data))
    return (table if svg is None else picture), (table if figure.data is not None else None)


def render_comparison(pairs: list[Pair], a: Path, b: Path, out: Path) -> None:
    """Write two runs' verdicts side by side as a page or as Markdown, by the suffix of `out`."""
    template = _environment(f"compare{out.suffix}")
    write_text(out, template.render(pairs=pairs, a=a, b=b, counts=counts(pairs)))


def matrices(verdicts: list[Verdict]) -> list[Matrix]:
    """Verdicts by family; an id reads `family.place.statement`, where the place may be missing or have dots.

    Statements without a place stand apart from those with one.
    """
    made = []
    titles = FAMILIES | {f"{family}2": f"{title}, second record" for family, title in FAMILIES.items()}
    for family, title in titles.items():
        cells = {_split(verdict.id): verdict for verdict in verdicts if verdict.family == family}
        for placed in (True, False):
            chosen = [key for key in cells if bool(key[0]) == placed]
            places = list(dict.fromkeys(place for place, _ in chosen))
            rows = []
            for statement in dict.fromkeys(statement for _, statement in chosen):
                row = [cells.get((place, statement)) for place in places]
                rows.append((next(verdict for verdict in row if verdict is not None), row))
            if rows:
                apart = "" if placed or len(chosen) == len(cells) else ", both electrodes"
                made.append(Matrix(title + apart, [_place(place) for place in places], rows))
    return made


def _split(identity: str) -> tuple[str, str]:
    _, *place, statement = identity.split(".")
    return ".".join(place), statement


def _place(place: str) -> str:
    """Column head of a place such as pos.1 (electrode and outer slit of the pair) or 2 (a slit)."""
    electrode, _, pair = place.rpartition(".")
    if electrode in SIGNS and pair.isdigit():
        return f"{SIGNS[electrode]} electrode, slits {pair} and {int(pair) + 1}"
    return f"slit {place}" if place.isdigit() else PLACES.get(place, place)


def _context(data: ReportData) -> dict[str, Any]:
    facts, law, provenance = data.facts, data.law, data.facts.provenance
    return {
        "facts": facts,
        "setting": facts.setting,
        "answers": answers(data.checks),
        "count": _counted(data.checks),
        "claimed": _counted(data.claims),
        "required": [v for v in data.verdicts if v.required],
        "bad": BAD,
        "short": summary.in_short(data.checks, facts.slit),
        "law": "" if law is None else f"{law.target} = {law.expression}",
        "constants": "" if law is None else constants_line(law),
        "claims": data.claims,
        "chosen": any(f"{nm(PAPER['slit_length'])} long" in claim.setting for claim in data.claims),
        "claim_figures": claim_figures(data),
        "matrices": matrices(data.checks),
        "verdicts": data.verdicts,
        "sections": sections(data),
        "provenance": provenance,
        "stages": stage_rows(provenance),
        "totals": totals(provenance),
        "sources": [] if facts.electrolyte is None else list(sourced_values(facts.electrolyte)),
        "configs": {
            name: json.dumps(stage["config"], indent=1, ensure_ascii=False)
            for name, stage in provenance["stages"].items()
        },
    }


def _counted(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """How many verdicts are good, bad and open."""
    return {name: sum(verdict.verdict in names for verdict in verdicts) for name, names in OUTCOMES.items()}


SYMBOLS = {"dphi(?!_m/dt)": "Δφ", "drho": "Δρ", "dc": "Δc", "phi": "φ", "rho": "ρ", "gamma": "γ", "theta": "θ"}
SYMBOLS |= {"R2": "R²", "ohm": "Ω"}
OUTCOMES = {"good": GOOD, "bad": BAD, "open": ("inconclusive",)}


def typeset(text: str) -> Markup:
    """Words of a verdict, written for a terminal, as HTML: dphi_i becomes a Greek letter with its index."""
    words = str(escape(text))
    for plain, symbol in SYMBOLS.items():
        words = re.sub(rf"(?<![A-Za-z_]){plain}(?=[\W_\d]|$)", symbol, words)
    words = re.sub(r"\b([A-Za-zΔφρκθγ]{1,3})_(?:\{([^}]+)\}|(\w{1,4})\b)", r"\1<sub>\2\3</sub>", words)
    return Markup(words)


def markdown_text(value: object) -> str:
    """A value as Markdown that reads as it is written, on one line; what a template calls `safe` is left alone.

    A backslash stands before what CommonMark, its common extensions (tables, ~~, $) and HTML take for markup, and
    before a mark that would begin a list.
    """
    if isinstance(value, Markup):
        return value
    words = re.sub(r"[\\`*_\[\]<>|#~$]|&(?=[#\w])", r"\\\g<0>", " ".join(str(value).splitlines()))
    return re.sub(r"^(\s*\d*)([-+.)])(?!\d)", r"\1\\\2", words)


def _environment(name: str) -> jinja2.Template:
    """A template that escapes every value put into it: as HTML, or (`finalize`) as Markdown, by its suffix."""
    markdown = name.endswith(".md")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("validation.report"),
        autoescape=not markdown,
        finalize=markdown_text if markdown else None,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"number": number, "ROWS": ROWS, "size": size, "tags": tags}
    environment.filters |= {"typeset": typeset, "thinned": thinned}
    return environment.get_template(name)


def _svg(figure: FigureWithCaption) -> str:
    assert figure.draw is not None
    try:
        return to_svg(figure.draw(), figure.key, STYLE)
    except KeyError as error:
        claims = f"in the run's folder, transslit claims --out . --claims {figure.key} judges it again"
        raise BadInput("table", figure.key, f"has no {error}; {claims if figure.key in CLAIMS else OTHER}") from None


@contextmanager
def _of_this_version(folder: Path) -> Iterator[None]:
    """What an older version left may lack a column or a field: a line says so."""
    try:
        yield
    except KeyError as error:
        raise BadInput("folder", folder, f"nothing there is named {error}; {OTHER}") from None


def _csv(table: pd.DataFrame) -> str:
    return table.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def _csv_uri(table: pd.DataFrame) -> str:
    """The table as a download that needs no script."""
    return "data:text/csv;charset=utf-8," + urllib.parse.quote(_csv(table), safe=",.:-+ ()/")
