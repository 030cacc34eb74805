"""The report: one self-contained page that opens with the verdicts and shows what they rest on; and its plain twin.

`publish` leaves verdicts.json, tables/ (from which `render` makes the page again), report.html, report.md, figures/.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup, escape

from transslit.electrolyte import Electrolyte
from transslit.errors import BadInput
from transslit.files import write_text
from transslit.ions import Sourced
from validation import figures, narrative
from validation.claims.config import nm
from validation.claims.registry import CLAIMS
from validation.compare import Pair, counts
from validation.comparison import as_text
from validation.config import PAPER
from validation.material import Material
from validation.provenance import stage_rows, totals
from validation.sections import Exhibit, claim_exhibits, exhibits, sections, thinned
from validation.svg import size, tags, to_file, to_svg
from validation.terminal import constants_line, entries, number
from validation.verdict import BAD, GOOD, OTHER, Verdict

GROUPS = {
    "A": "Mechanism in molecular dynamics (charge step)",
    "B": "Mechanism in the matched continuum run (charge step)",
    "C": "Mechanism in the continuum (cyclic voltammogram)",
    "X": "Molecular dynamics against continuum: a cross-model comparison",
    "L": "The law",
    "N": "The circuit",
    "V": "Verification: what must hold for the numbers to mean anything",
}
SOURCES = {"A": "Molecular dynamics", "B": "Continuum, same step", "C": "Continuum, CV"}
PLACES = {"": "value", "md": "molecular dynamics", "step": "continuum, step", "cv": "continuum, CV"}
SIGNS = {"pos": "+", "neg": "−"}
ROWS = 250  # of a check's table in the page
YES_NO = {"pass": "yes", "fail": "no", "inconclusive": "undecided"}


@dataclass(frozen=True)
class Answer:
    """A card at the head of the page: a source, yes, no or undecided, and the number in words."""

    source: str
    verdict: str
    word: str
    number: str


@dataclass(frozen=True)
class Matrix:
    """Verdicts of one group: a row per statement, a column per place where it was judged."""

    title: str
    columns: list[str]
    rows: list[tuple[Verdict, list[Verdict | None]]]  # the row's first verdict speaks for its title and tolerance


def publish(folder: Path) -> Material:
    """Make report.html, report.md and figures/ from the verdicts and tables in `folder` alone.

    Raises
    ------
    BadInput : they are missing or torn
    """
    material = Material.read(folder)
    with _of_this_version(folder):
        drawings = {exhibit.key: _svg(exhibit) for exhibit in exhibits(material) if exhibit.draw is not None}
        page = render(material, drawings)
        notes = _environment("report.md").render(_context(material))
    place = folder / "figures"
    place.mkdir(exist_ok=True)
    for old in place.glob("*.svg"):
        if old.stem not in drawings:
            old.unlink()
    for key, svg in drawings.items():
        write_text(place / f"{key}.svg", to_file(svg))
    write_text(folder / "report.html", page)
    write_text(folder / "report.md", notes)
    return material


def render(material: Material, drawings: dict[str, str] | None = None) -> str:
    """The page as HTML text; `drawings` are the exhibits' SVG elements by key, drawn here when left out."""
    if drawings is None:
        drawings = {exhibit.key: _svg(exhibit) for exhibit in exhibits(material) if exhibit.draw is not None}
    template = _environment("report.html")
    return template.render(_context(material) | {"drawings": drawings, "as_csv": _csv_uri})


def draw_one(folder: Path, key: str) -> tuple[Path, Path | None]:
    """Draw one figure into `figures/<key>.svg`, its data beside it as CSV; the two paths.

    Raises
    ------
    BadInput : no such figure
    """
    material = Material.read(folder)
    with _of_this_version(folder):
        known = {exhibit.key: exhibit for exhibit in exhibits(material)}
        if key not in known:
            raise BadInput("figure", key, f"one of {', '.join(known)}")
        exhibit = known[key]
        svg = None if exhibit.draw is None else _svg(exhibit)
    place = folder / "figures"
    place.mkdir(exist_ok=True)
    picture, table = place / f"{key}.svg", place / f"{key}.csv"
    if svg is not None:
        write_text(picture, to_file(svg))
    if exhibit.data is not None:
        write_text(table, _csv(exhibit.data))
    return (table if svg is None else picture), (table if exhibit.data is not None else None)


def render_comparison(pairs: list[Pair], a: Path, b: Path, out: Path) -> None:
    """Write two runs' verdicts side by side as a page or as Markdown, by the suffix of `out`."""
    template = _environment(f"compare{out.suffix}")
    write_text(out, template.render(pairs=pairs, a=a, b=b, counts=counts(pairs)))


def answers(verdicts: list[Verdict]) -> list[Answer]:
    """For each source: the verdict on its first pair of slits, and the number in words."""
    cards = []
    for prefix, name in SOURCES.items():
        sign = next((v for v in verdicts if v.id == f"{prefix}.pos.1.sign"), None)
        if sign is not None:
            share = "undefined" if sign.value is None else f"{sign.value:.0%}"
            spread = f" ± {sign.uncertainty:.0%}" if sign.uncertainty else ""
            cards.append(Answer(name, sign.verdict, YES_NO.get(sign.verdict, sign.verdict), f"{share}{spread}"))
    return cards


def matrices(verdicts: list[Verdict]) -> list[Matrix]:
    """Verdicts by group; an id reads `group.place.statement`, where the place may be missing or have dots.

    Statements without a place stand apart from those with one.
    """
    made = []
    for prefix, title in GROUPS.items():
        group = {verdict.id: verdict for verdict in verdicts if verdict.id.split(".")[0] == prefix}
        cells = {_split(identity): verdict for identity, verdict in group.items()}
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


def _context(material: Material) -> dict[str, Any]:
    law = material.law()
    count = {name: sum(v.verdict in names for v in material.checks) for name, names in OUTCOMES.items()}
    provenance = material.facts["provenance"]
    return {
        "setting": material.setting,
        "answers": answers(material.checks),
        "count": count,
        "claimed": {name: sum(v.verdict in names for v in material.claims) for name, names in OUTCOMES.items()},
        "required": [v for v in material.verdicts if v.required],
        "bad": BAD,
        "short": narrative.in_short(material.checks, material.config.slit),
        "law": "" if law is None else f"{law.target} = {law.expression}",
        "constants": "" if law is None else constants_line(law),
        "claims": material.claims,
        "preset": material.config.preset,
        "chosen": any(f"{nm(PAPER['slit_length'])} long" in claim.setting for claim in material.claims),
        "claim_exhibits": claim_exhibits(material),
        "matrices": matrices(material.checks),
        "verdicts": material.verdicts,
        "sections": sections(material),
        "level_rows": as_text(material.tables["levels"]) if "levels" in material.tables else [],
        "provenance": provenance,
        "stages": stage_rows(provenance),
        "totals": totals(provenance),
        "salt": material.config.electrolyte,
        "sources": _sources(material.config.electrolyte),
        "configs": {
            name: json.dumps(stage["config"], indent=1, ensure_ascii=False)
            for name, stage in provenance["stages"].items()
        },
    }


def _sources(salt: Electrolyte) -> list[tuple[str, str, str]]:
    """Quantity, source and note of each of an electrolyte's values."""
    found = [(f"{ion.name} {symbol}", value) for ion in salt.ions for symbol, value, _ in entries(ion)]
    found += [(name, value) for name, value in salt.solvent if isinstance(value, Sourced)]
    return [(name.replace("_", " "), value.source, value.note) for name, value in found]


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


def text(value: object) -> str:
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
        loader=jinja2.PackageLoader("validation"),
        autoescape=not markdown,
        finalize=text if markdown else None,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"number": number, "ROWS": ROWS, "size": size, "tags": tags}
    environment.filters |= {"typeset": typeset, "thinned": thinned}
    return environment.get_template(name)


def _svg(exhibit: Exhibit) -> str:
    assert exhibit.draw is not None
    try:
        return to_svg(exhibit.draw(), exhibit.key, figures.STYLE)
    except KeyError as error:
        claims = f"in the run's folder, transslit claims --out . --claims {exhibit.key} judges it again"
        raise BadInput("table", exhibit.key, f"has no {error}; {claims if exhibit.key in CLAIMS else OTHER}") from None


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
