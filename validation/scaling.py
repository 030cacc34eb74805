"""From slits to cells: is the discovered law the paper's, and does the circuit built on it predict the CV?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from transslit import Law, TransSlitRecord
from validation.verdict import Estimate, Verdict, judge


def law(found: Law, setting: str) -> list[Verdict]:
    """Held-out error and the fraction gamma by which a filled slit's resistance falls."""
    return [
        judge(
            "L.held_out",
            "The law found on some slits predicts the voltage of the others",
            Estimate.exact(float(found.metrics.get("r2_held_out", float("nan")))),
            low=0.98,
            reason="R2 on slits that the search never saw",
            setting=setting,
        ),
        judge(
            "L.gamma",
            "A filled slit resists less: the resistance falls by the share gamma",
            _gamma(found),
            low=0.0,
            high=1.0,
            reason="gamma = 1 - R(q=1)/R(q=0); the paper's law needs a value between 0 and 1",
            setting=setting,
        ),
    ]


def atomic_law(found: Law, setting: str) -> list[Verdict]:
    """Whether the atoms' record holds a law at all; a few picoseconds of noise may not."""
    r2 = float(found.metrics.get("r2", float("nan")))
    searched = bool(found.provenance.get("found", True))
    return [
        judge(
            "L.md",
            "The search finds a law in molecular dynamics' own record",
            Estimate(r2, 0.0, 1.0) if not searched else Estimate.exact(r2),
            low=0.5,
            reason="R2 of the law; where the search reports that noise is all there is, the record decides nothing",
            setting=setting,
        )
    ]


def circuit(
    ncm: pd.DataFrame,
    tlm: pd.DataFrame,
    cv: TransSlitRecord,
    manifests: Mapping[str, Mapping[str, Any]],
    setting: str,
) -> list[Verdict]:
    """The circuit's CV against the continuum's, beside what constant resistances would give."""
    reference = last_cycle(cv)
    distance, plain = (cv_distance(terminal, reference) for terminal in (ncm, tlm))
    speed = manifests["continuum-cv"]["wall_s"] / max(manifests["circuit"]["wall_s"], 1e-3)
    return [
        judge(
            "N.cv",
            "The nano-circuitry model's CV is the continuum's",
            Estimate.exact(distance),
            high=0.03,
            reason=f"RMS over the peak current; constant resistances (TLM) give {plain:.2%}, so this rate"
            f" {'hardly leaves the quasi-static limit and the test is weak' if plain < 0.05 else 'tests the law'}",
            setting=setting,
        ),
        judge(
            "N.better",
            "The varying resistance predicts the CV better than a constant one",
            Estimate.exact(distance / plain),
            high=1.0,
            reason="distance of the nano-circuitry model over that of the transmission line model",
            setting=setting,
        ),
        judge(
            "N.time",
            "The circuit takes far less time than the continuum",
            Estimate.exact(speed),
            low=10.0,
            reason="wall time of the continuum CV over that of both circuits",
            setting=setting,
        ),
    ]


def last_cycle(cv: TransSlitRecord) -> pd.DataFrame:
    """Terminal table of a continuum CV with the names of a circuit's: time_s, V_m_V, I_m_A per metre of depth."""
    table = cv.terminal.rename(columns={"I_m_A_per_m": "I_m_A"})
    return table.assign(V_m_V=2 * table["phi_m_V"])


def cv_distance(circuit: pd.DataFrame, reference: pd.DataFrame) -> float:
    """RMS difference of the current at the reference's times, over the reference's peak current.

    Times within 1 % of a cycle after each corner of the drive are included: nothing is left out.
    """
    current = np.interp(reference["time_s"], circuit["time_s"], circuit["I_m_A"])
    return float(np.sqrt(np.mean((current - reference["I_m_A"]) ** 2)) / reference["I_m_A"].abs().max())


def _gamma(found: Law) -> Estimate:
    if "gamma" in found.constants:
        constant = found.constants["gamma"]
        return Estimate(constant.value, constant.value - 1.96 * constant.std, constant.value + 1.96 * constant.std)
    resistance, _ = found.resistance()
    empty, full = resistance(np.array([0.0, 1.0]))
    return Estimate.exact(float(1 - full / empty))
