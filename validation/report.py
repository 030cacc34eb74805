"""The report: one self-contained page that opens with the verdicts and shows what they rest on."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jinja2
import pandas as pd
from matplotlib.figure import Figure

from validation import figures
from validation.scaling import last_cycle
from validation.terminal import constants_line, number
from validation.verdict import Verdict

if TYPE_CHECKING:
    from validation.pipeline import Findings

GROUPS = {
    "A": "Mechanism in molecular dynamics (charge step)",
    "B": "Mechanism in the matched continuum run (charge step)",
    "C": "Mechanism in the continuum (cyclic voltammogram)",
    "X": "Molecular dynamics against continuum: a cross-model comparison",
    "L": "The law",
    "N": "The circuit",
    "V": "Verification: what must hold for the numbers to mean anything",
}


PLACES = {"": "value", "md": "molecular dynamics", "step": "continuum, step", "cv": "continuum, CV"}
SIGNS = {"pos": "+", "neg": "−"}


@dataclass(frozen=True)
class Exhibit:
    """A figure with its caption, and its data as a download."""

    key: str
    svg: str
    caption: str
    data: str  # data: URI, or nothing


@dataclass(frozen=True)
class Section:
    """A heading, a sentence or two, and exhibits."""

    key: str
    title: str
    text: str
    exhibits: list[Exhibit]


@dataclass(frozen=True)
class Matrix:
    """Verdicts of one group: a row per statement, a column per place where it was judged."""

    title: str
    columns: list[str]
    rows: list[tuple[Verdict, list[Verdict | None]]]  # the row's first verdict speaks for its title and tolerance


def render(found: Findings) -> str:
    """The page as HTML text."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("validation"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["number"] = number
    return environment.get_template("report.html").render(
        found=found,
        answers=answers(found),
        counts={name: sum(v.verdict == name for v in found.verdicts) for name in ("pass", "fail", "inconclusive")},
        matrices=matrices(found.verdicts),
        sections=[section for build in SECTIONS if (section := build(found)) is not None],
        law=_law_line(found),
        configs={name: json.dumps(manifest["config"], indent=1) for name, manifest in found.manifests.items()},
    )


def answers(found: Findings) -> list[tuple[str, str, str]]:
    """For each source: its name, the verdict on its first pair of slits, and the number in words."""
    cards: list[tuple[str, str, str]] = []
    for prefix, name in (("A", "Molecular dynamics"), ("B", "Continuum, same step"), ("C", "Continuum, CV")):
        signs = [v for v in found.verdicts if v.id == f"{prefix}.pos.1.sign"]
        if signs:
            share = "undefined" if signs[0].value is None else f"{signs[0].value:.0%}"
            spread = f" ± {signs[0].uncertainty:.0%}" if signs[0].uncertainty else ""
            cards.append((name, signs[0].verdict, f"{share}{spread} of the charge"))
    return cards


def matrices(verdicts: list[Verdict]) -> list[Matrix]:
    """Verdicts by group; an id reads `group.place.statement`, where the place may be missing or have dots."""
    made = []
    for prefix, title in GROUPS.items():
        group = {verdict.id: verdict for verdict in verdicts if verdict.id.split(".")[0] == prefix}
        places = list(dict.fromkeys(_split(identity)[0] for identity in group))
        statements = list(dict.fromkeys(_split(identity)[1] for identity in group))
        cells = {_split(identity): verdict for identity, verdict in group.items()}
        rows = []
        for statement in statements:
            row = [cells.get((place, statement)) for place in places]
            rows.append((next(verdict for verdict in row if verdict is not None), row))
        if rows:
            made.append(Matrix(title, [_place(place) for place in places], rows))
    return made


def _split(identity: str) -> tuple[str, str]:
    _, *place, statement = identity.split(".")
    return ".".join(place), statement


def _place(place: str) -> str:
    """Column head of a place such as pos.1 (electrode and outer slit of the pair) or 2 (a slit)."""
    electrode, _, pair = place.rpartition(".")
    if electrode:
        return f"{SIGNS[electrode]} electrode, slits {pair} and {int(pair) + 1}"
    return f"slit {place}" if place.isdigit() else PLACES[place]


def _law_line(found: Findings) -> str:
    if found.law is None:
        return ""
    return f"{found.law.target} = {found.law.expression}   ({constants_line(found.law)})"


def _exhibit(key: str, figure: Figure, caption: str, table: pd.DataFrame | None = None) -> Exhibit:
    data = ""
    if table is not None:
        encoded = base64.b64encode(table.to_csv(index=False, float_format="%.7g").encode()).decode()
        data = f"data:text/csv;base64,{encoded}"
    return Exhibit(key, figures.to_svg(figure), caption, data)


def _geometry(found: Findings) -> Section:
    exhibits = [
        _exhibit(
            "network",
            figures.network_drawing(found.network),
            "The half-cell of the continuum CV, to scale: closing wall on the left, sheets in black hanging alternately"
            " from the two mirror planes, slits numbered from the bulk, mid-plane of the cell dotted.",
        )
    ]
    if found.atoms is not None:
        from md import snapshots

        frames, box = snapshots(found.folder / "md", found.config.electrolyte)
        exhibits.append(
            _exhibit(
                "cell",
                figures.cell_picture(frames, box),
                "The atoms, seen along the ribbons: before and after the charge step. The positive electrode is on the"
                " left; each electrode is open on both faces of its wall, so that the cell has no dipole.",
            )
        )
    return Section(
        "geometry",
        "Where things are",
        "Slit i = 1 is nearest the bulk. Currents are positive when they carry positive charge towards the bulk.",
        exhibits,
    )


def _comparison(found: Findings) -> Section | None:
    if found.atoms is None and found.step is None:
        return None
    exhibits = [
        _exhibit(
            "filling",
            figures.filling(found.atoms, found.step),
            "Charge stored against each slit after the step, per metre of depth; both electrodes pooled, bands are 95 %"
            " bootstrap intervals over replicas and half-electrodes. The last slit lies beside the closing wall.",
            found.atoms.slits if found.atoms is not None else None,
        ),
        _exhibit(
            "differences",
            figures.differences(found.atoms, found.step),
            "Differences between the first two slits, in the charging frame. Where the differences of potential and of"
            " net charge move together, migration and diffusion of net charge point the same way.",
        ),
    ]
    if found.atoms is not None:
        table = pd.read_parquet(found.folder / "md" / "reservoir.parquet")
        exhibits.append(
            _exhibit(
                "reservoir",
                figures.reservoir(table, found.config.concentration),
                "Salt left in the molecular-dynamics reservoir: it starts above the concentration asked for, because"
                " the electrodes take their counter-ions out of it.",
                table,
            )
        )
    return Section(
        "comparison",
        "Molecular dynamics against continuum",
        "The continuum run repeats the atoms' cell: the same sheets, gaps and reservoirs, the same charge per sheet,"
        " the same number of ions. It is another model, not a reference: atoms have water molecules, hydration"
        " shells and a bare vacuum permittivity, the continuum has bulk diffusion coefficients and bulk permittivity.",
        exhibits,
    )


def _mechanisms(found: Findings) -> Section | None:
    records = {"atoms": found.atoms, "continuum, same step": found.step}
    known = {name: record for name, record in records.items() if record is not None}
    exhibits = []
    if known:
        exhibits.append(
            _exhibit(
                "step-charges",
                figures.step_charges(known),
                "Charge carried from slit 2 to slit 1 since the step, by mechanism. The residual is what the two-point"
                " flux between slit centres does not explain of the counted charge; it is zero for the continuum by"
                " construction.",
                pd.concat(record.crossings.assign(source=name) for name, record in known.items()),
            )
        )
    if found.cv is not None:
        exhibits.append(
            _exhibit(
                "cv-currents",
                figures.cv_currents(found.cv),
                "Trans-slit currents of the continuum CV by mechanism. Diffusion enhances migration where the two lie"
                " on the same side of zero.",
                found.cv.crossings,
            )
        )
    return Section("mechanisms", "Currents by mechanism", "", exhibits) if exhibits else None


def _law(found: Findings) -> Section | None:
    if found.cv is None or found.law is None:
        return None
    text = "Found by genetic programming on some of the slits, judged on the others."
    if found.md_law is not None:
        searched = found.md_law.provenance.get("found", True)
        text += (
            f" The same search on the atoms' record ends with {found.md_law.target} = {found.md_law.expression}"
            f" (R² {found.md_law.metrics.get('r2', float('nan')):.2f})."
            if searched
            else " The same search on the atoms' record finds no law above its noise."
        )
    return Section(
        "law",
        "The law",
        text,
        [
            _exhibit(
                "law-figure",
                figures.law_figure(found.cv, found.law),
                "Left: resistance between neighbouring slits against filling, with the law. Middle: trans-slit voltage"
                " over the cycle, points from the continuum, line by the law. Right: the front it was chosen from."
                " Points where the current passes through zero are left out of the left panel.",
                found.cv.joined(),
            )
        ],
    )


def _circuit(found: Findings) -> Section | None:
    if found.cv is None or found.ncm is None or found.tlm is None:
        return None
    curves = {"continuum": last_cycle(found.cv), "nano-circuitry model": found.ncm, "transmission line": found.tlm}
    table = pd.concat(curve[["time_s", "V_m_V", "I_m_A"]].assign(source=name) for name, curve in curves.items())
    return Section(
        "circuit",
        "From slits to voltammograms",
        "The circuit's elements are all extracted from the continuum record. The capacitors follow the voltage, and the"
        " open space's charge is what the terminal current leaves after the slits: so the agreement tests the"
        " resistances, and the transmission line, with the same capacitors"
        " and a constant resistance, is what to compare with.",
        [
            _exhibit(
                "voltammograms",
                figures.voltammograms(curves),
                "Cyclic voltammogram of the cell by the continuum, by the circuit with the discovered resistance, and"
                " by the circuit with a constant one.",
                table,
            )
        ],
    )


SECTIONS: tuple[Callable[[Findings], Section | None], ...] = (_geometry, _comparison, _mechanisms, _law, _circuit)
