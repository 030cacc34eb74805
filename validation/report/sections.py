"""The report's sections: what they show, in what order, and the words beside it.

A figure with its caption, or a table alone, is one entry of `SHOWN`: its section, the table that it needs (nothing is
shown where that is None), and the function that draws it. Paragraphs are functions of `ReportData`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from transslit.network import SlitNetwork
from validation.checks.circuit_cv import cell_voltammogram
from validation.checks.law import drives
from validation.claims import CLAIMS
from validation.figures import report as figures
from validation.report import summary
from validation.report.tables import ReportData

MOST = 4000  # rows behind a figure of the page
COURSES = 8000  # and of all courses over time together
Table = pd.DataFrame | None


@dataclass(frozen=True)
class FigureWithCaption:
    """A figure (`draw` makes it) or, without one, the table `data` itself; `caption` says what to see."""

    key: str
    title: str
    caption: str
    data: pd.DataFrame | None = field(default=None, repr=False)
    draw: Callable[[], Figure] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Section:
    """A heading, paragraphs, and figures."""

    key: str
    title: str
    paragraphs: list[str]
    figures: list[FigureWithCaption]


@dataclass(frozen=True)
class Shown:
    """How one figure of the page is made; the caption's {names} are those of `_words`."""

    section: str
    key: str
    title: str
    caption: str
    table: Callable[[ReportData], Table]
    draw: Callable[[ReportData, pd.DataFrame], Figure] | None

    def made(self, data: ReportData) -> FigureWithCaption | None:
        """The figure of `data`; None where its table is missing."""
        table = self.table(data)
        if table is None or not len(table):
            return None
        draw = None if self.draw is None else partial(self.draw, data, table)
        return FigureWithCaption(self.key, self.title, self.caption.format(**_words(data)), table, draw)


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


def named(name: str, data: ReportData) -> Table:
    """A table of the report."""
    return data.tables.get(name)


def courses(quantities: tuple[str, ...], data: ReportData) -> Table:
    """Courses over time of some quantities, of all sources."""
    table = data.tables.get("curves")
    return None if table is None else thinned(table, COURSES)[lambda rows: rows["quantity"].isin(quantities)]


def _references(data: ReportData) -> Table:
    table = data.tables.get("references")
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


SHOWN = (
    Shown(
        "geometry",
        "network",
        "The slit network, to scale",
        "The half-cell of the continuum voltammogram. Ions come from the reservoir on the right and cascade through"
        " slits 1 to {slits}, each {width} wide; sheets (grey) hang alternately from the two mirror planes, the closing"
        " wall is on the left, the mid-plane of the cell dotted.",
        _outline,
        lambda data, table: figures.network_drawing(_network(data)),
    ),
    Shown(
        "geometry",
        "cell",
        "The atoms' cell before and after charging",
        "Compare the slits: before the step both ions are in all of them; after it counter-ions fill them and co-ions"
        " have left. The positive electrode is on the left, the negative on the right, each open on both faces of its"
        " wall, so that the cell has no dipole; slits are numbered from the bulk.{water} The view is along the depth of"
        " the box.",
        partial(named, "atoms"),
        lambda data, table: figures.cell_picture(table, data.facts.box_nm, data.cell),
    ),
    Shown(
        "comparison",
        "filling",
        "Charge stored in each slit after the step",
        "See how long each slit takes and where it ends. Per metre of depth, both electrodes pooled; bands are 95 %"
        " bootstrap intervals over boxes and half-cells. The last slit lies beside the closing wall.",
        partial(courses, ("stored",)),
        lambda data, table: figures.filling(table),
    ),
    Shown(
        "comparison",
        "contents",
        "Ions in each slit after the step",
        "See whether charge comes by exchange (flat: co-ions leave as counter-ions enter) or by gain (rising).",
        partial(courses, ("content",)),
        lambda data, table: figures.contents(table),
    ),
    Shown(
        "comparison",
        "differences",
        "Differences between neighbouring slits",
        "Where the difference of potential (left) and of net charge (middle) move together, migration and diffusion of"
        " net charge point the same way. In the charging frame, both electrodes pooled.",
        partial(courses, ("dphi", "drho", "dc")),
        lambda data, table: figures.differences(table),
    ),
    Shown(
        "comparison",
        "profiles",
        "Ions across the width of each slit, charged",
        "See whether ions stand in layers (atoms) or spread over the width (continuum), and on which side: x runs from"
        " the slit's centre plane towards the bulk. Atoms over the last quarter of their run, bands are 95 % intervals;"
        " the continuum at its own end.",
        partial(named, "profiles"),
        lambda data, table: figures.profiles(table),
    ),
    Shown(
        "comparison",
        "levels",
        "Levels, charges carried and rise times",
        "Atoms over continuum at each run's own end; for differences between slits, which decay while the slits fill,"
        " at the same time. In brackets the 95 % interval.",
        partial(named, "levels"),
        None,
    ),
    Shown(
        "comparison",
        "reservoir",
        "Salt left in the atoms' reservoir",
        "It starts above the concentration asked for, because the electrodes take their counter-ions out of it: see how"
        " near the dotted line it ends.",
        partial(named, "reservoir"),
        lambda data, table: figures.reservoir(table, data.facts.concentration),
    ),
    Shown(
        "comparison",
        "references",
        "This run beside shipped runs of the same cell",
        "See how much of the filling is the drive's: slower drives leave the atoms more time. The shipped records come"
        " from this package's own molecular dynamics, under the drive that their name tells, with more boxes; they are"
        " not experiments.",
        _references,
        lambda data, table: figures.filling(table),
    ),
    Shown(
        "mechanisms",
        "step-charges",
        "Charge carried by each mechanism after the step",
        "Diffusion helps where its line lies on the side of migration's. The residual is what the two-point flux between"
        " slit centres does not explain of the counted charge; for the continuum it is zero by construction.",
        partial(courses, ("total", "migration", "diffusion", "steric", "residual")),
        lambda data, table: figures.step_charges(table),
    ),
    Shown(
        "mechanisms",
        "cv-currents",
        "Currents by mechanism over the voltammogram",
        "Diffusion enhances migration where the two lie on the same side of zero.",
        _cv,
        lambda data, table: figures.cv_currents(table),
    ),
    Shown(
        "law",
        "law-figure",
        "Resistance, prediction and choice",
        "Left: resistance between neighbouring slits falls as they fill; the line is the law. Middle: trans-slit voltage"
        " over the cycle, points from the continuum, lines by the law. Right: the front it was chosen from. Points where"
        " the current passes through zero are left out.",
        _law_rows,
        lambda data, table: figures.law_figure(table, data.law),
    ),
    Shown(
        "circuit",
        "voltammograms",
        "Cyclic voltammogram of the cell",
        "See which line follows the continuum: the circuit whose resistance follows its charge, or the one with a"
        " constant resistance (transmission line).",
        _voltammograms,
        lambda data, table: figures.voltammograms(table),
    ),
)
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
    if data.law is not None and not drives(data.law):
        text += (
            " The law found is no resistance that is positive from an empty slit to a full one, so that no circuit can"
            " take it: here the nano-circuitry model has equation 1, as fitted to the continuum record."
        )
    return [text]


SECTIONS: dict[str, tuple[str, Callable[[ReportData], list[str]]]] = {
    "geometry": ("Where things are", _geometry),
    "comparison": ("Molecular dynamics against continuum", _comparison),
    "mechanisms": ("Currents by mechanism", lambda data: []),
    "law": ("The law", _law),
    "circuit": ("From slits to voltammograms", _circuit),
}


def sections(data: ReportData) -> list[Section]:
    """Every section for which there is something to show."""
    found = []
    for key, (title, paragraphs) in SECTIONS.items():
        shown = [figure for entry in SHOWN if entry.section == key and (figure := entry.made(data)) is not None]
        if key == "comparison" and "levels" not in data.tables:
            title = "After the charge step"
        if shown:
            found.append(Section(key, title, paragraphs(data), shown))
    return found


def all_figures(data: ReportData) -> Iterator[FigureWithCaption]:
    """Every figure of the page, evidence of claims included."""
    for section in sections(data):
        yield from section.figures
    yield from claim_figures(data).values()


def claim_figures(data: ReportData) -> dict[str, FigureWithCaption]:
    """The figure of each claim that was judged, by its id."""
    found = {}
    for claim in data.claims:
        table, known = thinned(claim.evidence), CLAIMS[claim.id]
        title = f"{claim.id}: {claim.title}"
        found[claim.id] = FigureWithCaption(claim.id, title, known.see, table, partial(known.draw, table))
    return found
