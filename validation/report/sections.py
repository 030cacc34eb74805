"""The report's sections: what they show, in what order, and the words beside it.

A figure with its caption, or a table alone, is an entry of templates/figures.toml (section, title, caption) and one of
`SHOWN` (the table that it needs, and the function that draws it). Paragraphs are functions of `ReportData`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import resources
from typing import TypeAlias

import pandas as pd
from matplotlib.figure import Figure

from continuum.figures import currents_by_mechanism
from transslit.network import SlitNetwork
from validation.checks.circuit_cv import cell_voltammogram
from validation.checks.courses import as_text as course_rows
from validation.checks.law import usable_by_circuit
from validation.checks.levels import SATURATED, displaced
from validation.checks.levels import as_text as level_rows
from validation.claims import CLAIMS
from validation.figures import report as figures
from validation.report import summary
from validation.report.tables import ReportData

MOST = 4000  # rows behind a figure of the page
MECHANISMS = ("total", "migration", "diffusion", "steric", "residual")
COURSES = 8000  # and of all courses over time together
Table: TypeAlias = pd.DataFrame | None


@dataclass(frozen=True)
class FigureWithCaption:
    """A figure (`draw` makes it) or, without one, the table `data` itself; `caption` says what to see."""

    key: str
    title: str
    caption: str
    data: pd.DataFrame | None = field(default=None, repr=False)
    draw: Callable[[], Figure] | None = field(default=None, repr=False)
    head: tuple[str, ...] = ()  # of the table that is shown in place of a figure, and its rows
    rows: list[tuple[str, ...]] = field(default_factory=list, repr=False)


@dataclass(frozen=True)
class Section:
    """A heading, paragraphs, and figures."""

    key: str
    title: str
    paragraphs: list[str]
    figures: list[FigureWithCaption]


def thinned(table: pd.DataFrame, most: int = MOST) -> pd.DataFrame:
    """A table of at most some `most` rows: every k-th row of each line, a line being rows alike in all but floats.

    A page of a few megabytes shows no more; the whole table lies in the run's folder.
    """
    every = -(-len(table) // most)
    if every == 1:
        return table
    lines = [name for name in table.columns if not pd.api.types.is_float_dtype(table[name])]
    place = table.groupby(lines, sort=False).cumcount() if lines else pd.Series(range(len(table)), table.index)
    return table[place % every == 0].reset_index(drop=True)


def table_named(name: str, data: ReportData) -> Table:
    """A table of the report."""
    return data.tables.get(name)


def courses(quantities: tuple[str, ...], data: ReportData) -> Table:
    """Courses over time of some quantities, of all sources."""
    table = data.tables.get("curves")
    return None if table is None else thinned(table, COURSES)[lambda rows: rows["quantity"].isin(quantities)]


def _references(data: ReportData) -> Table:
    table = data.tables.get("references")
    return None if table is None else thinned(table[table["quantity"] == "stored"])


def _small_filling(data: ReportData) -> Table:
    table = data.tables.get("small-curves")
    return None if table is None else thinned(table[table["quantity"] == "stored"])


def _outline(data: ReportData) -> Table:
    """Rectangles of the sheets in nm: x from, x to, y from, y to."""
    network = data.facts.network
    if network is None:
        return None
    rows = [("wall", -network.sheet_thickness, 0.0, 0.0, network.slit_length)]
    for j, centre in enumerate(network.sheet_centres):
        low, high = network.gap(j)
        bottom, top = (0.0, low) if j % 2 == 0 else (high, network.slit_length)
        half = network.sheet_thickness / 2
        rows.append((f"sheet {j}", centre - half, centre + half, bottom, top))
    table = pd.DataFrame(rows, columns=["what", "x0_nm", "x1_nm", "y0_nm", "y1_nm"])
    table.iloc[:, 1:] *= 1e9
    return table


def _cv(data: ReportData) -> Table:
    record = data.record("cv")
    return None if record is None else record.crossings


def _law_rows(data: ReportData) -> Table:
    record = data.record("cv")
    return None if record is None or data.law is None else record.joined()


def _cell_picture(data: ReportData, table: pd.DataFrame) -> Figure:
    assert data.facts.box_nm is not None  # written with the table
    assert data.cell is not None
    return figures.cell_picture(table, data.facts.box_nm, data.cell)


def _law_figure(data: ReportData, table: pd.DataFrame) -> Figure:
    assert data.law is not None  # as in `_law_rows`
    return figures.law_figure(table, data.law)


def _voltammograms(data: ReportData) -> Table:
    cv = data.record("cv")
    if cv is None or "ncm" not in data.tables:
        return None
    curves = {
        "continuum": cell_voltammogram(cv),
        "nano-circuitry": data.tables["ncm"],
        "transmission line": data.tables["tlm"],
    }
    parts = [table[["time_s", "V_m_V", "I_m_A"]].assign(source=name) for name, table in curves.items()]
    return pd.concat(parts, ignore_index=True)


# Of each figure in templates/figures.toml: its table, and the function that draws it (None: the table is shown).
SHOWN: dict[str, tuple[Callable[[ReportData], Table], Callable[[ReportData, pd.DataFrame], Figure] | None]] = {
    "network": (_outline, lambda data, table: figures.network_drawing(_network(data))),
    "cell": (partial(table_named, "atoms"), _cell_picture),
    "filling": (partial(courses, ("stored",)), lambda data, table: figures.filling(table)),
    "contents": (partial(courses, ("content",)), lambda data, table: figures.contents(table)),
    "differences": (partial(courses, ("dphi", "drho", "dc")), lambda data, table: figures.differences(table)),
    "small-filling": (_small_filling, lambda data, table: figures.filling(table)),
    "three-levels": (partial(table_named, "three-levels"), None),
    "profiles": (partial(table_named, "profiles"), lambda data, table: figures.profiles(table)),
    "levels": (partial(table_named, "levels"), None),
    "reservoir": (
        partial(table_named, "reservoir"),
        lambda data, table: figures.reservoir(table, data.facts.concentration or 0.0),
    ),
    "references": (_references, lambda data, table: figures.filling(table)),
    "step-charges": (partial(courses, MECHANISMS), lambda data, table: figures.step_charges(table)),
    "cv-currents": (_cv, lambda data, table: currents_by_mechanism(table)),
    "law-figure": (_law_rows, _law_figure),
    "voltammograms": (_voltammograms, lambda data, table: figures.voltammograms(table)),
}
# Of each table that is shown as one: heads of its columns, and its rows as a person reads them.
AS_TEXT: dict[str, tuple[tuple[str, ...], Callable[[pd.DataFrame], list[tuple[str, ...]]]]] = {
    "levels": (
        ("quantity", "slit", "atoms", "continuum, same time", "continuum, its end", "atoms over continuum"),
        course_rows,
    ),
    "three-levels": (
        ("quantity", "slit", "t / ps", "atoms", "ions in implicit water", "continuum", "particles", "water"),
        level_rows,
    ),
}
NONE = SlitNetwork(slit=2e-9)  # stands in a caption that is not shown


def _network(data: ReportData) -> SlitNetwork:
    return data.facts.network or NONE


def _words(data: ReportData) -> dict[str, object]:
    network = _network(data)
    water = " Water is drawn pale, hydrogens are left out." if _in_water(data) else ""
    return {"slits": network.slits, "width": f"{network.slit * 1e9:g} nm", "water": water}


def _in_water(data: ReportData) -> bool:
    salt = data.facts.electrolyte
    return salt is None or salt.solvent.model != "none"


def _geometry(data: ReportData) -> list[str]:
    return ["Slit 1 is nearest the bulk. A current is positive when it carries positive charge towards the bulk."]


def _comparison(data: ReportData) -> list[str]:
    if "levels" not in data.tables:
        return []
    water = "water molecules, hydration shells" if _in_water(data) else "shapes, layers"
    return [
        *summary.paragraphs(data.checks, data.facts.slit, data.tables["levels"]),
        "The continuum run repeats the atoms' cell: the same sheets, gaps and reservoirs, the same charge per sheet,"
        f" the same number of ions. It is another model, not a reference: atoms have {water} and a bare vacuum"
        " permittivity, the continuum has bulk diffusion coefficients and bulk permittivity.",
    ]


def _small_step(data: ReportData) -> list[str]:
    about = data.facts.records.get("md", {})
    words = "A tenth of the step, in pairs of boxes of opposite sign: the linear response."
    if "sheet_charge_C_per_m2" in about:
        moved = displaced(SlitNetwork.model_validate(about["network"]), about["sheet_charge_C_per_m2"])
        words += (
            f" The whole step displaces {moved:.2f} C/m² through the mid-planes, where water of which all dipoles are"
            f" aligned displaces {SATURATED} C/m²: no linear permittivity can match what lies beyond."
        )
    apart = (
        "Ions in implicit water differ from the continuum by one thing, that they are particles, and from the atoms by"
        " one thing, the water."
    )
    return [f"{words} {apart}", *summary.addresses(data.checks)]


def _law(data: ReportData) -> list[str]:
    law, of_atoms = data.law, data.md_law
    if law is None:
        return []
    text = "Found by genetic programming on some of the slits, judged on the others."
    if not law.provenance.get("found", True):
        text = "The search finds no law above the noise of the continuum's record."
    if of_atoms is not None:
        text += (
            f" The same search on the atoms' record ends with {of_atoms.target} = {of_atoms.expression}"
            f" (R² {of_atoms.metrics.get('r2', float('nan')):.2f})."
            if of_atoms.provenance.get("found", True)
            else " The same search on the atoms' record finds no law above its noise."
        )
    return [text]


def _circuit(data: ReportData) -> list[str]:
    text = (
        "The circuit's elements are all extracted from the continuum record. The capacitors follow the voltage, and the"
        " open space's charge is what the terminal current leaves after the slits: so the agreement tests the"
        " resistances, and the transmission line, with the same capacitors and a constant resistance, is what to"
        " compare with."
    )
    if data.law is not None and not usable_by_circuit(data.law):
        text += (
            " The law found is no resistance that is positive from an empty slit to a full one, so that no circuit can"
            " take it: here the nano-circuitry model has equation 1, as fitted to the continuum record."
        )
    return [text]


SECTIONS: dict[str, tuple[str, Callable[[ReportData], list[str]]]] = {
    "geometry": ("Where things are", _geometry),
    "comparison": ("Molecular dynamics against continuum", _comparison),
    "small-step": ("Three levels of a small step", _small_step),
    "mechanisms": ("Currents by mechanism", lambda data: []),
    "law": ("The law", _law),
    "circuit": ("From slits to voltammograms", _circuit),
}


@cache
def captions() -> dict[str, dict[str, str]]:
    """Section, title and caption of every figure, by its key and in the page's order."""
    text = (resources.files("validation.report") / "templates" / "figures.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def figure_of(key: str, data: ReportData) -> FigureWithCaption | None:
    """A figure of the page; None where `data` has no table for it."""
    table_of, draw = SHOWN[key]
    table, entry = table_of(data), captions()[key]
    if table is None or not len(table):
        return None
    caption = " ".join(entry["caption"].format(**_words(data)).split())
    drawn = None if draw is None else partial(draw, data, table)
    head, rows = AS_TEXT.get(key, ((), lambda table: []))
    return FigureWithCaption(key, entry["title"], caption, table, drawn, head, rows(table))


def sections(data: ReportData) -> list[Section]:
    """Every section for which there is something to show."""
    result = []
    for key, (title, paragraphs) in SECTIONS.items():
        keys = [name for name, entry in captions().items() if entry["section"] == key]
        shown = [figure for name in keys if (figure := figure_of(name, data)) is not None]
        if key == "comparison" and "levels" not in data.tables:
            title = "Over time"
        if shown:
            result.append(Section(key, title, paragraphs(data), shown))
    return result


def all_figures(data: ReportData) -> Iterator[FigureWithCaption]:
    """Every figure of the page, evidence of claims included."""
    for section in sections(data):
        yield from section.figures
    yield from claim_figures(data).values()


def claim_figures(data: ReportData) -> dict[str, FigureWithCaption]:
    """The figure of each claim that was judged, by its id."""
    result = {}
    for claim in data.claims:
        table, known = thinned(claim.evidence), CLAIMS[claim.id]
        title = f"{claim.id}: {claim.title}"
        result[claim.id] = FigureWithCaption(claim.id, title, known.see, table, partial(known.draw, table))
    return result
