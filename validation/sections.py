"""The report's sections: what they show, in what order, and the words beside it.

An exhibit is a figure or a table with its caption (what to see) and its data. Sections and exhibits are made from
`Material` alone; the page and the notebook version are laid out from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from transslit.network import SlitNetwork
from validation import figures, narrative
from validation.material import Material
from validation.scaling import drives, last_cycle

MOST = 4000  # rows behind a figure of the page
COURSES = 8000  # and of all courses over time together


@dataclass(frozen=True)
class Exhibit:
    """A figure (`draw` makes it) or, without one, the table `data` itself; `caption` says what to see."""

    key: str
    title: str
    caption: str
    data: pd.DataFrame | None = field(default=None, repr=False)
    draw: Callable[[], Figure] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Section:
    """A heading, paragraphs, and exhibits."""

    key: str
    title: str
    paragraphs: list[str]
    exhibits: list[Exhibit]


def sections(material: Material) -> list[Section]:
    """Every section for which there is something to show."""
    return [section for build in BUILDERS if (section := build(material)) is not None]


def exhibits(material: Material) -> Iterator[Exhibit]:
    """Every exhibit of the page, evidence of claims included."""
    for section in sections(material):
        yield from section.exhibits
    yield from claim_exhibits(material).values()


def claim_exhibits(material: Material) -> dict[str, Exhibit]:
    """The figure of each claim that was judged, by its id."""
    found = {}
    for claim in material.claims:
        table = thinned(claim.evidence)
        found[claim.id] = Exhibit(claim.id, f"{claim.id}: {claim.title}", claim.see, table, partial(claim.draw, table))
    return found


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


def _geometry(material: Material) -> Section:
    network = material.config.network
    shown = [
        Exhibit(
            "network",
            "The slit network, to scale",
            "The half-cell of the continuum voltammogram. Ions come from the reservoir on the right and cascade through"
            f" slits 1 to {network.slits}, each {network.slit * 1e9:g} nm wide; sheets (grey) hang alternately from the"
            " two mirror planes, the closing wall is on the left, the mid-plane of the cell dotted.",
            _outline(network),
            lambda: figures.network_drawing(network),
        )
    ]
    cell = material.cell
    if cell is not None and "atoms" in material.tables:
        atoms, box = material.tables["atoms"], material.facts["box_nm"]
        shown.append(
            Exhibit(
                "cell",
                "The atoms' cell before and after charging",
                "Compare the slits: before the step both ions are in all of them; after it counter-ions fill them and"
                " co-ions have left. The positive electrode is on the left, the negative on the right, each open on"
                " both faces of its wall, so that the cell has no dipole; slits are numbered from the bulk."
                + (" Water is drawn pale, hydrogens are left out." if _in_water(material) else "")
                + " One looks through the depth of the box.",
                atoms,
                lambda: figures.cell_picture(atoms, box, cell),
            )
        )
    return Section(
        "geometry",
        "Where things are",
        ["Slit 1 is nearest the bulk. A current is positive when it carries positive charge towards the bulk."],
        shown,
    )


def _in_water(material: Material) -> bool:
    return material.config.electrolyte.solvent.model != "none"


def _outline(network: SlitNetwork) -> pd.DataFrame:
    """Rectangles of the sheets in nm: x from, x to, y from, y to."""
    rows = [("wall", -network.sheet_thickness, 0.0, 0.0, network.slit_length)]
    for j, centre in enumerate(network.sheet_centres):
        low, high = network.gap(j)
        bottom, top = (0.0, low) if j % 2 == 0 else (high, network.slit_length)
        rows.append(
            (f"sheet {j}", centre - network.sheet_thickness / 2, centre + network.sheet_thickness / 2, bottom, top)
        )
    table = pd.DataFrame(rows, columns=["what", "x0_nm", "x1_nm", "y0_nm", "y1_nm"])
    table.iloc[:, 1:] *= 1e9
    return table


def _comparison(material: Material) -> Section | None:
    if "curves" not in material.tables:
        return None
    curves, tables = thinned(material.tables["curves"], COURSES), material.tables
    both = "levels" in tables
    shown = [
        Exhibit(
            "filling",
            "Charge stored in each slit after the step",
            "See how long each slit takes and where it ends. Per metre of depth, both electrodes pooled; bands are 95 %"
            " bootstrap intervals over replicas and half-electrodes. The last slit lies beside the closing wall.",
            curves[curves["quantity"] == "stored"],
            lambda: figures.filling(curves),
        ),
        Exhibit(
            "contents",
            "Ions in each slit after the step",
            "See whether charge comes by exchange (flat: co-ions leave as counter-ions enter) or by gain (rising).",
            curves[curves["quantity"] == "content"],
            lambda: figures.contents(curves),
        ),
    ]
    if (curves["quantity"] == "dphi").any():
        shown.append(
            Exhibit(
                "differences",
                "Differences between neighbouring slits",
                "Where the difference of potential (left) and of net charge (middle) move together, migration and"
                " diffusion of net charge point the same way. In the charging frame, both electrodes pooled.",
                curves[curves["quantity"].isin(["dphi", "drho", "dc"])],
                lambda: figures.differences(curves),
            )
        )
    if "profiles" in tables:
        shown.append(
            Exhibit(
                "profiles",
                "Ions across the width of each slit, charged",
                "See whether ions stand in layers (atoms) or spread over the width (continuum), and on which side:"
                " x runs from the slit's centre plane towards the bulk. Atoms over the last quarter of their run, bands"
                " are 95 % intervals; the continuum at its own end.",
                tables["profiles"],
                lambda: figures.profiles(tables["profiles"]),
            )
        )
    if both:
        shown.append(
            Exhibit(
                "levels",
                "Levels, charges carried and rise times",
                "Atoms over continuum at each run's own end; for differences between slits, which decay while the slits"
                " fill, at the same time. In brackets the 95 % interval.",
                tables["levels"],
            )
        )
    if "reservoir" in tables:
        shown.append(
            Exhibit(
                "reservoir",
                "Salt left in the atoms' reservoir",
                "It starts above the concentration asked for, because the electrodes take their counter-ions out of it:"
                " see how near the dotted line it ends.",
                tables["reservoir"],
                lambda: figures.reservoir(tables["reservoir"], material.config.concentration),
            )
        )
    if "references" in tables:
        runs = tables["references"]
        runs = thinned(runs[runs["quantity"] == "stored"])
        shown.append(
            Exhibit(
                "references",
                "This run beside shipped runs of the same cell",
                "See how much of the filling is the drive's: slower drives leave the atoms more time. The shipped"
                " records come from this package's own molecular dynamics, under the drive that their name tells, with"
                " more replicas; they are not experiments.",
                runs,
                lambda: figures.filling(runs),
            )
        )
    told = narrative.paragraphs(material.checks, material.config.slit, tables.get("levels"))
    told.append(
        "The continuum run repeats the atoms' cell: the same sheets, gaps and reservoirs, the same charge per sheet,"
        " the same number of ions. It is another model, not a reference: atoms have"
        f" {'water molecules, hydration shells' if _in_water(material) else 'shapes, layers'} and a bare vacuum"
        " permittivity, the continuum has bulk diffusion coefficients and bulk permittivity."
    )
    title = "Molecular dynamics against continuum" if both else "After the charge step"
    return Section("comparison", title, told if both else [], shown)


def _mechanisms(material: Material) -> Section | None:
    shown = []
    curves = material.tables.get("curves")
    curves = None if curves is None else thinned(curves, COURSES)
    if curves is not None and (curves["quantity"] == "total").any():
        shown.append(
            Exhibit(
                "step-charges",
                "Charge carried by each mechanism after the step",
                "Diffusion helps where its line lies on the side of migration's. The residual is what the two-point"
                " flux between slit centres does not explain of the counted charge; for the continuum it is zero by"
                " construction.",
                curves[curves["quantity"].isin(["total", "migration", "diffusion", "steric", "residual"])],
                lambda: figures.step_charges(curves),
            )
        )
    cv = material.record("cv")
    if cv is not None and len(cv.crossings):
        shown.append(
            Exhibit(
                "cv-currents",
                "Currents by mechanism over the voltammogram",
                "Diffusion enhances migration where the two lie on the same side of zero.",
                cv.crossings,
                lambda: figures.cv_currents(cv),
            )
        )
    return Section("mechanisms", "Currents by mechanism", [], shown) if shown else None


def _law(material: Material) -> Section | None:
    cv, law, of_atoms = material.record("cv"), material.law(), material.law("md_law")
    if cv is None or law is None:
        return None
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
    table = cv.joined()
    exhibit = Exhibit(
        "law-figure",
        "Resistance, prediction and choice",
        "Left: resistance between neighbouring slits falls as they fill; the line is the law. Middle: trans-slit"
        " voltage over the cycle, points from the continuum, lines by the law. Right: the front it was chosen from."
        " Points where the current passes through zero are left out.",
        table,
        lambda: figures.law_figure(table, law),
    )
    return Section("law", "The law", [text], [exhibit])


def _circuit(material: Material) -> Section | None:
    cv = material.record("cv")
    if cv is None or "ncm" not in material.tables:
        return None
    named = {"continuum": last_cycle(cv), "nano-circuitry": material.tables["ncm"]}
    named["transmission line"] = material.tables["tlm"]
    curves = [table[["time_s", "V_m_V", "I_m_A"]].assign(source=name) for name, table in named.items()]
    table = pd.concat(curves, ignore_index=True)
    exhibit = Exhibit(
        "voltammograms",
        "Cyclic voltammogram of the cell",
        "See which line follows the continuum: the circuit whose resistance follows its charge, or the one with a"
        " constant resistance (transmission line).",
        table,
        lambda: figures.voltammograms(table),
    )
    text = (
        "The circuit's elements are all extracted from the continuum record. The capacitors follow the voltage, and the"
        " open space's charge is what the terminal current leaves after the slits: so the agreement tests the"
        " resistances, and the transmission line, with the same capacitors and a constant resistance, is what to"
        " compare with."
    )
    law = material.law()
    if law is not None and not drives(law):
        text += (
            " The law found is no resistance that is positive from an empty slit to a full one, so that no circuit can"
            " take it: here the nano-circuitry model has equation 1, as fitted to the continuum record."
        )
    return Section("circuit", "From slits to voltammograms", [text], [exhibit])


BUILDERS: tuple[Callable[[Material], Section | None], ...] = (_geometry, _comparison, _mechanisms, _law, _circuit)
