"""The circuit's cyclic voltammogram against the continuum's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from circuit.measures import cv_distance
from transslit import TransSlitRecord
from validation.verdicts.verdict import Estimate, Verdict, judge


def circuit_cv(
    ncm: pd.DataFrame,
    tlm: pd.DataFrame,
    cv: TransSlitRecord,
    wall_s: Mapping[str, float],
    setting: str,
) -> list[Verdict]:
    """The circuit's CV against the continuum's, beside what constant resistances would give."""
    reference = cell_voltammogram(cv)
    distance, plain = (cv_distance(terminal, reference) for terminal in (ncm, tlm))
    times = [(name, wall_s[name]) for name in ("continuum-cv", "circuit")]
    curves = reference[["time_s", "V_m_V"]].assign(continuum_A_per_m=reference["I_m_A"])
    for name, table in (("ncm", ncm), ("tlm", tlm)):
        curves[f"{name}_A_per_m"] = np.interp(reference["time_s"], table["time_s"], table["I_m_A"])
    return [
        judge(
            "circuit.cv",
            "The nano-circuitry model's CV is the continuum's",
            Estimate.exact(distance),
            high=0.03,
            reason=f"RMS over the peak current; constant resistances (TLM) give {plain:.2%}, so this rate"
            f" {'hardly leaves the quasi-static limit and the test is weak' if plain < 0.05 else 'tests the law'}",
            setting=setting,
            evidence=curves,
        ),
        judge(
            "circuit.better",
            "The varying resistance predicts the CV better than a constant one",
            Estimate.exact(distance / plain),
            high=1.0,
            reason="distance of the nano-circuitry model over that of the transmission line model",
            setting=setting,
            evidence=curves,
        ),
        judge(
            "circuit.time",
            "The circuit takes far less time than the continuum",
            Estimate.exact(times[0][1] / max(times[1][1], 1e-3)),
            low=10.0,
            reason="wall time of the continuum CV over that of both circuits",
            setting=setting,
            evidence=pd.DataFrame(times, columns=["stage", "wall_s"]),
        ),
    ]


def cell_voltammogram(cv: TransSlitRecord) -> pd.DataFrame:
    """Terminal table of a continuum CV with the names of a circuit's: time_s, V_m_V, I_m_A per metre of depth."""
    table = cv.terminal.rename(columns={"I_m_A_per_m": "I_m_A"})
    return table.assign(V_m_V=2 * table["phi_m_V"])
