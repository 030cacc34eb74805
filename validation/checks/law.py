"""The discovered law: its error on slits that the search did not see, and the fall of its resistance with filling."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from discovery.problem import held_out_rows
from transslit import BadInput, Law
from transslit.resampling import STANDARD_ERRORS
from validation.verdicts.verdict import Estimate, Verdict, judge


def law(law: Law, rows: pd.DataFrame, setting: str) -> list[Verdict]:
    """Held-out error on `rows`, and the fraction gamma by which a filled slit's resistance falls.

    gamma is that of the law found; where this is not equation 1, the gamma of equation 1 fitted to the same rows stands
    beside it under a name of its own.
    """
    reason, same = "gamma = 1 - R(q=1)/R(q=0)", {"R_c", "gamma"} == set(law.constants)
    verdicts = [
        judge(
            "law.held_out",
            "The law found on some slits predicts the voltage of the others",
            Estimate.exact(float(law.metrics.get("r2_held_out", float("nan")))),
            low=0.98,
            reason="R2 on slits that the search never saw",
            setting=setting,
            evidence=predictions(law, rows),
        ),
        judge(
            "law.gamma",
            "A filled slit resists less, by the law found: the resistance falls by the share gamma",
            gamma(law),
            low=0.0,
            high=1.0,
            reason=f"{reason} of {'equation 1' if same else 'the law found, which is not equation 1'}",
            setting=setting,
            evidence=resistances(law),
        ),
    ]
    fit = None if same else law.provenance.get("references", {}).get("paper")
    if fit is not None and "gamma" in fit["constants"]:
        ends = fit["intervals"]
        constants = [(name, fit["constants"][name]["value"], *ends[name]) for name in fit["constants"] if name in ends]
        verdicts.append(
            judge(
                "law.gamma_eq1",
                "A filled slit resists less, by equation 1 fitted to the same rows",
                Estimate.around(fit["constants"]["gamma"]["value"], *ends["gamma"]),
                low=0.0,
                high=1.0,
                reason="gamma of dphi = I R_c (1 - gamma q), the paper's law, with its block bootstrap; the law found"
                " describes the rows better",
                setting=setting,
                evidence=pd.DataFrame(constants, columns=["constant", "value", "low", "high"]),
            )
        )
    return verdicts


def atomic_law(law: Law, rows: pd.DataFrame, setting: str) -> list[Verdict]:
    """Whether the atoms' record, as `rows`, holds a law at all; a few picoseconds of noise may not."""
    r2 = float(law.metrics.get("r2", float("nan")))
    searched = bool(law.provenance.get("found", True))
    return [
        judge(
            "law.md",
            "The search finds a law in molecular dynamics' own record",
            Estimate(r2, 0.0, 1.0) if not searched else Estimate.exact(r2),
            low=0.5,
            reason="R2 of the law; where the search reports that noise is all there is, the record decides nothing",
            setting=setting,
            evidence=predictions(law, rows),
        )
    ]


def gamma(law: Law) -> Estimate:
    """1 - R(q=1)/R(q=0) of any law, its interval by first-order propagation; not finite where it is no resistance.

    The constants' covariance, and the interval of equation 1, are the search's block bootstrap.
    """
    if "gamma" in law.constants:
        constant = law.constants["gamma"]
        known = law.provenance.get("intervals_95", {}).get("gamma")
        reach = STANDARD_ERRORS * constant.std
        return Estimate.around(constant.value, *(known or (constant.value - reach, constant.value + reach)))
    if not is_resistance(law):
        return Estimate.exact(math.nan)
    value = _fall(law)
    if not law.covariance:
        return Estimate.exact(value)
    gradient = []
    for name, constant in law.constants.items():
        step = 1e-4 * (abs(constant.value) or 1.0)
        moved = [
            _fall(replace(law, constants={**law.constants, name: replace(constant, value=constant.value + change)}))
            for change in (step, -step)
        ]
        gradient.append((moved[0] - moved[1]) / (2 * step))
    reach = STANDARD_ERRORS * float(np.sqrt(np.array(gradient) @ np.array(law.covariance) @ np.array(gradient)))
    return Estimate(value, value - reach, value + reach)


def is_resistance(law: Law) -> bool:
    """Whether the voltage is proportional to the current, so that a circuit can take the law."""
    try:
        law.resistance()
    except BadInput:
        return False
    return True


def usable_by_circuit(law: Law) -> bool:
    """Whether a circuit can take the law: a resistance, positive and finite from an empty slit to a full one."""
    R = resistances(law)["R_ohm_m"].to_numpy()
    return bool(R.size and np.isfinite(R).all() and (R > 0).all())


def predictions(law: Law, rows: pd.DataFrame) -> pd.DataFrame:
    """Target and prediction at the rows of a search, and which of them it never saw."""
    known = law.provenance
    held_out = held_out_rows(rows, known.get("held_out", "none"), known.get("seed", 0))
    with np.errstate(all="ignore"):  # a logarithm of an empty slit
        predicted = law.predict(**{name: rows[name].to_numpy() for name in law.inputs})
    table = rows[["replica", "i", "time_s", *law.inputs, law.target]]
    return table.assign(predicted=predicted, held_out=held_out).reset_index(drop=True)


def resistances(law: Law) -> pd.DataFrame:
    """R(q) of a law at 21 fillings; no rows where it is no resistance."""
    q = np.linspace(0.0, 1.0, 21 if is_resistance(law) else 0)
    with np.errstate(all="ignore"):  # a logarithm of an empty slit
        return pd.DataFrame({"q": q, "R_ohm_m": law.resistance()[0](q) if q.size else q})


def _fall(law: Law) -> float:
    with np.errstate(all="ignore"):  # R = 0 where the search finds nothing
        empty, full = law.resistance()[0](np.array([0.0, 1.0]))
        return float(1 - full / empty) if np.isfinite(empty) else math.nan
