"""Claims on the trans-slit resistance: how it varies over the cycle, over the slits and with their width.

"Hardly changes with d" means |d ln f / d ln d| at most `FLAT` over 1.5 to 5 nm (12 % from end to end), "falls as d
falls" a slope above it. Resistivity is r = R G with G the Laplace conductance between two slits' centres, so that it
is that of the electrolyte: the bulk's at q = 0 in a wide slit. How the paper makes R an r is not in its text.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from continuum import Run
from continuum.measures import Runs, by_width, driven, extremes, falling, spread, spread_at_equal_filling, trend
from transslit.plot import PHASE, Axis, D, plot
from validation.claims.registry import Finding, claim
from validation.claims.uncertainty import Evidence, Need
from validation.presets import WIDTHS
from validation.verdicts.verdict import part
from validation.verdicts.words import nm

FLAT = 0.1
FLATNESS = "'hardly changes' is a slope of at most 0.1: 12 % from 1.5 to 5 nm"
RISING = "a slope above 0.1 is more than 'hardly changes'"
SWEPT = (1.5e-9, 2e-9, 3e-9, 4e-9)  # m, of ED6
STEADY = SWEPT[1:]  # of ED7
QUANTITIES = {
    "R_max_ohm_m": "largest",
    "R_min_ohm_m": "smallest",
    "r_max_ohm_m": "largest",
    "r_min_ohm_m": "smallest",
    "dr_ohm_m": "difference",
    "G_min_S_per_m": "smallest conductance / S m$^{-1}$",
    "dkappa_S_per_m": "variation of conductivity / S m$^{-1}$",
}
ALL = [Need("cv", WIDTHS, inputs=True)]
R = Axis("R_ohm_m", "$\\Delta\\varphi_i/I_i$ / $\\Omega$ m")


def _slopes(runs: Runs) -> dict[str, float]:
    values = {d: extremes(run) for d, run in runs.items()}
    names = next(iter(values.values()))
    return {name: trend(runs, {d: result[name] for d, result in values.items()}) for name in names}


def _extremes_table(runs: Runs, names: tuple[str, ...]) -> pd.DataFrame:
    rows = [(d, name, extremes(run)[name]) for d, run in sorted(runs.items()) for name in names]
    return pd.DataFrame(rows, columns=["d_m", "quantity", "value"]).replace({"quantity": QUANTITIES})


def _swing(run: Run) -> dict[str, float]:
    """Spread of dphi/I over the cycle, the smallest of the crossings; and how far dphi and I fall with i."""
    swing = float(driven(run).groupby("i")["R_ohm_m"].agg(spread).min())
    return {"swing": swing} | {name: float(falling(run, name)["share"].min()) for name in ("dphi_V", "I_A_per_m")}


@claim(
    "C07",
    figure="ED6a-l",
    see=(
        "An Ohmic crossing would be a level line. The fall is the charging sweep, the rise the discharging one; "
        "they do not meet at the turn."
    ),
    needs=[Need("cv", SWEPT, inputs=True)],
    draw=plot(PHASE, R, hue="i", panel="width", marks=".", free=True),
)
def not_ohmic(evidence: Evidence) -> Finding:
    """The trans-slit voltage is not Ohmic: its ratio to the current varies through the cycle.

    (largest - smallest) / mean of dphi_i/I_i over the driven part of the cycle (|I_i| above 0.9 of its median), the
    smallest of the crossings, at d = 1.5 to 4 nm; and the share of the charging sweep during which |dphi_i| and |I_i|
    fall with i.
    """
    reason = "above what a constant would look like to the eye; its numerical error is in the interval"
    parts = []
    for d in SWEPT:
        result = evidence.at(_swing, d)
        parts.append(part(f"Spread of dphi/I at {nm(d)}", result["swing"], low=0.1, reason=reason))
        for column, label in (("dphi_V", "|dphi_i|"), ("I_A_per_m", "|I_i|")):
            title = f"Share of the sweep in which {label} falls with i, {nm(d)}"
            parts.append(part(title, result[column], low=0.95, reason="but for the turn"))
    table = by_width(evidence.runs(SWEPT), lambda run: driven(run)[["phase", "i", "q", "R_ohm_m"]])
    return Finding(parts, evidence.setting("d = 1.5 to 4 nm"), table)


def _spread_of_slits(run: Run) -> dict[str, float]:
    return {"spread": float(spread_at_equal_filling(run).groupby("q")["R_ohm_m"].agg(spread).max())}


@claim(
    "C08",
    figure="ED6m-p",
    see="The lines of the crossings lie on one another.",
    needs=[Need("cv", SWEPT, inputs=True)],
    draw=plot(Axis("q", "$q_i$"), R, hue="i", panel="width", free=True),
)
def same_everywhere(evidence: Evidence) -> Finding:
    """The resistance at equal filling is the same between all slits of a network.

    (largest - smallest) / mean over the crossings of dphi_i/I_i at q_i = 0.3, 0.5, 0.7 and 0.9 on the charging sweep,
    the largest of the four, at d = 1.5 to 4 nm.
    """
    results = {nm(d): evidence.at(_spread_of_slits, d)["spread"] for d in SWEPT}
    reason = "5 %: lines that coincide in a figure"
    parts = [part(f"Spread at {width}", result, high=0.05, reason=reason) for width, result in results.items()]
    return Finding(parts, evidence.setting("d = 1.5 to 4 nm"), by_width(evidence.runs(SWEPT), spread_at_equal_filling))


@claim(
    "C09",
    figure="3d",
    see="By the claim the upper two fall to the left and the lowest is level.",
    needs=ALL,
    draw=plot(D, Axis("value", "resistivity / $\\Omega$ m"), hue="quantity"),
)
def resistivity(evidence: Evidence) -> Finding:
    """The largest and the smallest resistivity fall as d falls, while their difference hardly changes.

    Slopes d ln r / d ln d over 1.5 to 5 nm of r_max = G R_c, r_min = G R_c (1 - gamma) and their difference, with the
    fitted R_c and gamma of each width and the Laplace conductance G of the geometry.
    """
    result = evidence.measure(_slopes, WIDTHS)
    parts = (
        part("Slope of the largest resistivity", result["r_max_ohm_m"], low=FLAT, reason=RISING),
        part("Slope of the smallest resistivity", result["r_min_ohm_m"], low=FLAT, reason=RISING),
        part("Slope of their difference", result["dr_ohm_m"], low=-FLAT, high=FLAT, reason=FLATNESS),
    )
    table = _extremes_table(evidence.runs(WIDTHS), ("r_max_ohm_m", "r_min_ohm_m", "dr_ohm_m"))
    return Finding(parts, evidence.setting("d = 1.5 to 5 nm"), table)


@claim(
    "C10",
    figure="3c",
    see="By the claim the upper line is level and the lower falls to the left; both rise.",
    needs=ALL,
    draw=plot(D, Axis("value", "resistance / $\\Omega$ m"), hue="quantity"),
)
def resistance(evidence: Evidence) -> Finding:
    """The largest resistance hardly changes with d, the smallest falls as d falls.

    Slopes d ln R / d ln d over 1.5 to 5 nm of R_max = R_c and R_min = R_c (1 - gamma). How R depends on d is a matter
    of how much of it lies in the edge gap, so that slit length and gap, which the paper's text does not give, weigh
    most.
    """
    result = evidence.measure(_slopes, WIDTHS)
    parts = (
        part("Slope of the largest resistance", result["R_max_ohm_m"], low=-FLAT, high=FLAT, reason=FLATNESS),
        part("Slope of the smallest resistance", result["R_min_ohm_m"], low=FLAT, reason=RISING),
    )
    table = _extremes_table(evidence.runs(WIDTHS), ("R_max_ohm_m", "R_min_ohm_m"))
    return Finding(parts, evidence.setting("d = 1.5 to 5 nm"), table)


@claim(
    "C17",
    figure="ED9",
    see="By the claim the left line is level and the right one falls with width.",
    needs=ALL,
    draw=plot(D, Axis("value", ""), panel="quantity", free=True),
)
def conductance(evidence: Evidence) -> Finding:
    """The smallest conductance is nearly constant in d, and the variation of conductivity grows as d falls.

    Slopes over 1.5 to 5 nm of ln (1 / R_c) and of ln (1 / r_min - 1 / r_max) against ln d.
    """
    result = evidence.measure(_slopes, WIDTHS)
    parts = (
        part("Slope of the smallest conductance", result["G_min_S_per_m"], low=-FLAT, high=FLAT, reason=FLATNESS),
        part("Slope of the variation of conductivity", result["dkappa_S_per_m"], high=-FLAT, reason=RISING),
    )
    table = _extremes_table(evidence.runs(WIDTHS), ("G_min_S_per_m", "dkappa_S_per_m"))
    return Finding(parts, evidence.setting("d = 1.5 to 5 nm"), table)


def _turning_points(run: Run) -> dict[str, float]:
    table = driven(run)
    mean = table.pivot_table(index="phase", columns="i", values="R_ohm_m").dropna().mean(axis=1)
    phase, value = mean.index.to_numpy(dtype=float), mean.to_numpy()
    up, down = phase < 0.5, phase > 0.5
    resistance, gamma = run.law
    return {
        "t_max": float(phase[up][np.argmax(value[up])] / 0.5),
        "t_min": float((phase[down][np.argmin(value[down])] - 0.5) / 0.5),
        "max": float(value[up].max()) / resistance,
        "min": float(value[down].min()) / (resistance * (1 - gamma)),
        "ratio": float(value[up].max() / value[down].min()),
    }


@claim(
    "C12",
    figure="3b",
    see="Look for the largest value just after 0 and the smallest just after a half, where the sweep turns.",
    needs=[Need("cv", (2e-9,), inputs=True)],
    draw=plot(PHASE, R, hue="i", marks="."),
)
def turning_points(evidence: Evidence) -> Finding:
    """The resistance is largest, about R_c, as charging starts, and smallest, about (1 - gamma) R_c, as discharging
    starts.

    Mean over the crossings of dphi_i/I_i over the driven part of the cycle (|I_i| above 0.9 of its median), d = 2 nm:
    where in the charging sweep it is largest, where in the discharging sweep smallest, and both values over R_c and (1
    - gamma) R_c of the fit.
    """
    result = evidence.at(_turning_points, 2e-9)
    early, close = "'slightly after' the start: the first tenth of the sweep", "'close to': within a tenth"
    parts = (
        part("Largest over smallest resistance", result["ratio"], low=1.1, reason="a tenth: it varies at all"),
        part("Part of the charging sweep before the largest", result["t_max"], high=0.1, reason=early),
        part("Part of the discharging sweep before the smallest", result["t_min"], high=0.1, reason=early),
        part("Largest resistance over R_c", result["max"], low=0.9, high=1.1, reason=close),
        part("Smallest resistance over (1 - gamma) R_c", result["min"], low=0.9, high=1.1, reason=close),
    )
    return Finding(parts, evidence.setting("d = 2 nm"), driven(evidence.cv(2e-9))[["phase", "i", "q", "R_ohm_m"]])


def _misfit(run: Run) -> dict[str, float]:
    table = driven(run)
    return {"rms": float(np.sqrt(np.mean((table["R_law_ohm_m"] / table["R_ohm_m"] - 1) ** 2)))}


def _with_law(run: Run) -> pd.DataFrame:
    table = driven(run)[["phase", "i", "R_ohm_m", "R_law_ohm_m"]]
    table = table[table["i"] == 2].melt(["phase", "i"], var_name="from", value_name="R")
    return table.assign(**{"from": table["from"].map({"R_ohm_m": "dphi/I", "R_law_ohm_m": "equation 1b"})})


@claim(
    "C13",
    figure="ED7d-f",
    see="The thin line follows from the stored charge alone; see where the points leave it, after the turn.",
    needs=[Need("cv", STEADY, inputs=True)],
    draw=plot(
        PHASE, Axis("R", "$R_2$ / $\\Omega$ m"), hue="from", panel="width", marks=".", free=True, laws=("equation 1b",)
    ),
)
def resistance_from_filling(evidence: Evidence) -> Finding:
    """The resistance that follows from the stored charge by equation 1b is that of voltage over current.

    Root mean square of R_c (1 - gamma q_i) over dphi_i/I_i, less one, over the driven part of the cycle and all
    crossings, with R_c and gamma fitted at each width, d = 2, 3 and 4 nm.
    """
    results = {nm(d): evidence.at(_misfit, d)["rms"] for d in STEADY}
    reason = "5 %: points on a line in a figure"
    parts = [part(f"Relative error at {width}", result, high=0.05, reason=reason) for width, result in results.items()]
    return Finding(parts, evidence.setting("d = 2, 3, 4 nm"), by_width(evidence.runs(STEADY), _with_law))
