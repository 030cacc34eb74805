"""Claims on the slits' currents and contents: diffusion-enhanced migration, and why it is there."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from continuum import Run
from continuum.measures import Runs, agreement, by_width, falling, instant, wide
from transslit.plot import TIME, Axis, D, plot
from transslit.series import pearson
from validation.claims.registry import Finding, claim
from validation.claims.uncertainty import Evidence, Need
from validation.presets import NARROW, WIDTHS
from validation.verdicts.verdict import part
from validation.verdicts.words import nm

WHOLE = 0.95
TURNS = "95 %: at each turn of the drive the currents pass zero within the time in which the network itself charges"
ALWAYS = "always, but for one sample"
STEADY = (2e-9, 3e-9, 4e-9)  # m, the widths of ED3 and ED7


def _shares(run: Run, name: str) -> dict[str, float]:
    """Smallest share over the crossings, of the cycle and of the charge."""
    table = agreement(run)
    return {what: float(table.loc[table["part"] == name, what].min()) for what in ("cycle", "charge")}


@claim(
    "C02",
    figure="2f, ED3",
    see=(
        "Points at 1 mean one sign for the whole cycle: see how little is lost in wide slits, and that no "
        "crossing is the exception."
    ),
    needs=[Need("cv", WIDTHS, inputs=True)],
    draw=plot(D, Axis("cycle", "share of the cycle with one sign"), hue="i", panel="part", level=1.0),
)
def enhancement(evidence: Evidence) -> Finding:
    """Diffusion points the way of migration between all slits, the whole cycle, at every width.

    Share of the first cycle, and of the charge that crosses in it, during which the migration and the diffusion current
    have one sign; the smallest of all crossings, at d = 1.5, 2, 3, 4 and 5 nm.
    """
    parts = [
        part(f"Share of the {what} at {nm(d)}", share, low=WHOLE, reason=TURNS)
        for d in WIDTHS
        for what, share in evidence.at(partial(_shares, name="diffusion"), d).items()
    ]
    return Finding(parts, evidence.setting("d = 1.5 to 5 nm"), by_width(evidence.runs(WIDTHS), agreement))


@claim(
    "C03",
    figure="ED3",
    see=("The steric part (right) stays at 1 in narrow slits and falls off, without a step at 2 nm, as they widen."),
    needs=[Need("cv", (NARROW, *WIDTHS), inputs=True)],
    draw=plot(D, Axis("charge", "share of the charge with one sign"), hue="i", panel="part", level=1.0),
)
def steric(evidence: Evidence) -> Finding:
    """The steric flux joins migration and diffusion below 2 nm, and does so the more the narrower the slits.

    Share of the charge that crosses while the steric and the migration current have one sign, the smallest of all
    crossings; its slope against ln d over 1 to 5 nm. With ions of 0.5 nm most of the charge has one sign at
    5 nm too: nothing changes abruptly at 2 nm.
    """
    widths = (NARROW, *WIDTHS)

    def measured(runs: Runs) -> dict[str, float]:
        charge = {d: _shares(runs[d], "steric")["charge"] for d in sorted(runs)}
        slope = float(np.polyfit(np.log(list(charge)), list(charge.values()), 1)[0])
        return {nm(d): share for d, share in charge.items()} | {"slope": slope}

    result = evidence.measure(measured, widths)
    shares = {f"Share of the charge at {nm(d)}": result[nm(d)] for d in (NARROW, WIDTHS[0])}
    parts = [part(title, share, low=WHOLE, reason=TURNS) for title, share in shares.items()]
    falls = "negative: more in narrower slits"
    parts.append(part("Slope of that share against ln d", result["slope"], high=0.0, reason=falls))
    return Finding(parts, evidence.setting("d = 1 to 5 nm"), by_width(evidence.runs(widths), agreement))


def _ranks(run: Run) -> dict[str, float]:
    table = _mid_charge(run)
    table = table[table["i"] < table["i"].max()]
    return {"rank": float(spearmanr(table["rho_C_per_m3"], table["phi_V"]).statistic)}


def _mid_charge(run: Run) -> pd.DataFrame:
    return run.record.slits[run.record.slits["time_s"] == instant(run, 0.25)]


@claim(
    "C05",
    figure="ED5b",
    see=("One point a slit: potential should rise from left to right. The slit beside the closing wall stands apart."),
    needs=[Need("cv", (2e-9,), inputs=True)],
    draw=plot(
        Axis("rho_C_per_m3", "net charge density / MC m$^{-3}$", 1e-6),
        Axis("phi_V", "$\\varphi_i$ / mV", 1e3),
        hue="i",
        marks="o",
    ),
)
def screening(evidence: Evidence) -> Finding:
    """A slit with the more negative net charge has the lower potential.

    Rank correlation of phi_i with rho_i over the slits between like sheets, a quarter into the cycle, d = 2 nm. The
    slit beside the closing wall is left out: it has a full sheet on one side.
    """
    result = evidence.at(_ranks, 2e-9)["rank"]
    parts = (part("Rank correlation", result, low=0.99, reason="four slits: 1 or it is not an order"),)
    return Finding(parts, evidence.setting("d = 2 nm, a quarter into the cycle"), _mid_charge(evidence.cv(2e-9)))


def _pearson(run: Run) -> dict[str, float]:
    phi, rho = (np.diff(wide(run.record, column).to_numpy(), axis=1) for column in ("phi_V", "rho_C_per_m3"))
    pairs = phi.shape[1] - 1  # the innermost pair ends beside the wall
    return {str(i + 1): pearson(phi[:, i], rho[:, i]) for i in range(pairs)}


def _differences(run: Run) -> pd.DataFrame:
    phi, rho = (wide(run.record, column).diff(axis=1).iloc[:, 1:-1] for column in ("phi_V", "rho_C_per_m3"))
    tables = []
    for what, values in (("voltage", phi), ("net charge density", rho)):
        scaled = (values / values.abs().max()).rename(columns=lambda i: i - 1)
        tables.append(scaled.reset_index().melt("time_s", var_name="i", value_name="share").assign(difference=what))
    table = pd.concat(tables, ignore_index=True)
    return table.assign(i=table["i"].astype(int))


@claim(
    "C06",
    figure="ED5c",
    see="The two lines of each panel, each over its own largest, keep together through both sweeps.",
    needs=[Need("cv", (2e-9,), inputs=True)],
    draw=plot(TIME, Axis("share", "over its largest"), hue="difference", panel="i", marks="-"),
)
def coupling(evidence: Evidence) -> Finding:
    """The trans-slit voltage follows the difference of net charge over the whole cycle.

    Pearson correlation of dphi_i with rho_{i+1} - rho_i over the cycle, for each pair of slits between like sheets,
    d = 2 nm.
    """
    parts = [
        part(f"Correlation, i = {i}", r, low=0.9, reason="four fifths of the variance in common")
        for i, r in evidence.at(_pearson, 2e-9).items()
    ]
    return Finding(parts, evidence.setting("d = 2 nm"), _differences(evidence.cv(2e-9)))


def _filling_order(run: Run) -> pd.DataFrame:
    return falling(run, "rho_C_per_m3", run.config.network.slits - 1)  # without the slit beside the wall


@claim(
    "C14",
    figure="ED7a-c",
    see="All lines at 1: a shallower slit holds more net charge at every moment of charging.",
    needs=[Need("cv", STEADY, inputs=True)],
    draw=plot(D, Axis("share", "share of the charging sweep"), hue="i", level=1.0),
)
def filling(evidence: Evidence) -> Finding:
    """While charging, a shallower slit holds more net charge than the next.

    Share of the charging sweep (from a tenth of it) during which |rho_i| is above |rho_{i+1}|, the smallest of the
    pairs of slits between like sheets, at d = 2, 3 and 4 nm.
    """
    parts = [
        part(f"Share of the charging sweep at {nm(d)}", share, low=0.99, reason=ALWAYS)
        for d in STEADY
        for share in evidence.at(lambda run: {"least": float(_filling_order(run)["share"].min())}, d).values()
    ]
    return Finding(parts, evidence.setting("d = 2, 3, 4 nm"), by_width(evidence.runs(STEADY), _filling_order))


def _orders(run: Run) -> dict[str, float]:
    last = run.config.network.slits - 1  # without the slit beside the wall
    return {
        "current": float(falling(run, "I_A_per_m")["share"].min()),
        "charge": float(falling(run, "Q_C_per_m", last)["share"].min()),
    }


def _shares_of_slits(run: Run) -> pd.DataFrame:
    at = run.record.terminal["time_s"] == instant(run, 0.25)
    total = float(run.record.terminal.loc[at, "I_m_A_per_m"].iloc[0])
    rows = run.record.joined()
    rows, held = rows[rows["time_s"] == instant(run, 0.25)], _mid_charge(run)
    current = pd.DataFrame({"i": rows["i"], "share": rows["I_A_per_m"] / total, "of": "current I_m"})
    charge = pd.DataFrame({"i": held["i"], "share": held["Q_C_per_m"] / held["Q_C_per_m"].sum(), "of": "charge Q_m"})
    return pd.concat([current, charge], ignore_index=True)


@claim(
    "C15",
    figure="ED8b",
    see="Both fall from slit to slit; the last slit, beside the closing wall, is not compared.",
    needs=[Need("cv", (2e-9,), inputs=True)],
    draw=plot(Axis("i", "slit, crossing i"), Axis("share", "share"), hue="of"),
)
def supply(evidence: Evidence) -> Finding:
    """The trans-slit current falls from slit to slit, and shallower slits hold the larger share of the charge.

    Share of the charging sweep (from a tenth of it) during which I_i is above I_{i+1}, and |Q_i| above |Q_{i+1}|, the
    smallest of all pairs; the charge without the slit beside the closing wall. d = 2 nm.
    """
    result = evidence.at(_orders, 2e-9)
    parts = [
        part("Share of the sweep with I_i > I_{i+1}", result["current"], low=0.99, reason=ALWAYS),
        part("Share of the sweep with |Q_i| > |Q_{i+1}|", result["charge"], low=0.99, reason=ALWAYS),
    ]
    return Finding(parts, evidence.setting("d = 2 nm"), _shares_of_slits(evidence.cv(2e-9)))
