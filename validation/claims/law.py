"""Claims on the law: what the search finds in the continuum's own record."""

from __future__ import annotations

import numpy as np
import pandas as pd

from continuum import Run
from continuum.measures import driven
from discovery import DiscoveryConfig
from transslit.plot import Axis, plot
from validation.checks.law import gamma as gamma_of
from validation.checks.law import is_resistance
from validation.claims.registry import Finding, claim
from validation.claims.uncertainty import Evidence, Need
from validation.verdicts.verdict import Measured, part

FIT = "'describes very well': at most 2 % of the variance left"


@claim(
    "C11",
    figure="3a, eq 1",
    see=(
        "Points of every crossing, the law found as a thin line: see how far it is straight, and where the "
        "points bend away."
    ),
    needs=[Need("cv", (1.5e-9,), inputs=True)],
    draw=plot(
        Axis("q", "$q_i=|Q_i|/Q_i^{max}$"),
        Axis("R", "$\\Delta\\varphi_i/I_i$ / $\\Omega$ m"),
        hue="from",
        marks=".",
        laws=("law",),
    ),
)
def discovered(evidence: Evidence) -> Finding:
    """The search finds dphi = I (R_c - gamma R_c Q/Q_max), with gamma between 0 and 1 and about 0.5 at 1.5 nm.

    The search's choice by description length among its hall of fame, trained on all crossings but the last: whether it
    is equation 1; gamma, whose interval holds the fit's, the grid's and the time steps' error; R2 on the crossing held
    out.
    """
    law = evidence.law_at(1.5e-9)
    same = float({"R_c", "gamma"} == set(law.constants))
    fitted = evidence.at(lambda run: {"gamma": run.law[1]}, 1.5e-9)["gamma"]
    result = gamma_of(law)
    u = float(np.hypot(fitted.u_numerical or 0.0, result.half_width))
    gamma = Measured(result.value, u, fitted.inputs, fitted.variations)
    parts = (
        part("The law found is equation 1", same, low=1.0, reason=f"found: {law.expression}"),
        part("R2 on the crossing held out", law.metrics["r2_held_out"], low=0.98, reason=FIT),
        part("gamma lies between 0 and 1", gamma, low=0.0, high=1.0, reason="gamma = 1 - R(q = 1) / R(q = 0)"),
        part("gamma at 1.5 nm", gamma, low=0.45, high=0.55, reason="the paper gives 0.5, one digit"),
    )
    table = driven(evidence.cv(1.5e-9))[["i", "q", "R_ohm_m"]].rename(columns={"R_ohm_m": "R"})
    table["from"] = [f"crossing {i}" for i in table["i"]]
    tables = [table.drop(columns="i")]
    if is_resistance(law):
        grid = np.linspace(0, 1, 101)
        tables.append(pd.DataFrame({"q": grid, "R": law.resistance()[0](grid), "from": "law"}))
    return Finding(parts, evidence.setting("d = 1.5 nm"), pd.concat(tables, ignore_index=True))


def _crossing_two(run: Run) -> pd.DataFrame:
    """Rows of crossing 2 while it is driven, with dphi by equation 1 in the column expected_V."""
    rows = run.record.joined().query("i == 2 and time_s > 0")
    resistance, gamma = run.law
    return rows.assign(expected_V=rows["I_A_per_m"] * resistance * (1 - gamma * rows["q"]))


def _equation_one(run: Run) -> dict[str, float]:
    rows = _crossing_two(run)
    missed = float(((rows["dphi_V"] - rows["expected_V"]) ** 2).sum())
    return {"r2": 1 - missed / float(((rows["dphi_V"] - rows["dphi_V"].mean()) ** 2).sum())}


@claim(
    "C27",
    figure="ED15",
    see="The thin line is equation 1 over the passed charge: see how closely it follows the continuum.",
    needs=[Need("cv", (2e-9,), inputs=True)],
    draw=plot(
        Axis("charge_C_per_m", "$\\int I_2\\,dt$ / nC m$^{-1}$", 1e9),
        Axis("dphi_V", "$\\Delta\\varphi_2$ / mV", 1e3),
        hue="from",
        marks=".",
        laws=("equation 1",),
    ),
)
def passed_charge(evidence: Evidence) -> Finding:
    """The law also describes the passed charge, the integral of I_2, against dphi_2 at 2 nm.

    R2 of dphi_2 by equation 1 with the R_c and gamma of the whole network; and of the law that a search finds in
    crossing 2 alone from I_2 and its time integral in place of Q.
    """
    run = evidence.cv(2e-9)
    inputs = ("I_A_per_m", "charge_C_per_m")
    settings = DiscoveryConfig(inputs=inputs, form="general", held_out="none", seed=evidence.config.seed)
    law = evidence.search(run, settings, crossings=(2,))
    found = f"{FIT}; found: {law.expression}"
    parts = (
        part("R2 of equation 1 in crossing 2", evidence.at(_equation_one, 2e-9)["r2"], low=0.98, reason=FIT),
        part("R2 of the law found from the integral", law.metrics["r2"], low=0.98, reason=found),
    )
    rows = _crossing_two(run).sort_values("time_s")
    step = rows["time_s"].diff().fillna(0.0)
    charge = (step * (rows["I_A_per_m"] + rows["I_A_per_m"].shift()).fillna(0.0) / 2).cumsum()
    curves = [
        pd.DataFrame({"charge_C_per_m": charge, "dphi_V": rows[column], "from": name})
        for name, column in (("continuum", "dphi_V"), ("equation 1", "expected_V"))
    ]
    return Finding(parts, evidence.setting("d = 2 nm, crossing 2"), pd.concat(curves, ignore_index=True))
