"""The claim on molecular dynamics, judged by the statistics of the cross-checks."""

from __future__ import annotations

import pandas as pd

from transslit import TransSlitRecord
from transslit.plot import Axis, plot
from transslit.series import SMOOTHING, difference, half_cells
from validation.checks.mechanism import mechanism
from validation.claims.registry import Finding, claim
from validation.claims.uncertainty import Evidence, Need
from validation.verdicts.verdict import CLAIM

DIFFERENCES = {
    "phi_V": ("$\\Delta\\varphi_1$", True),
    "rho_C_per_m3": ("$\\Delta\\rho_1$", True),
    "c_mol_per_m3": ("$\\Delta c_1$", False),
}


def _courses(record: TransSlitRecord) -> pd.DataFrame:
    """Differences between slits 1 and 2 over the largest of each, by electrode; ions crowd with net charge: - dc."""
    tables = []
    for electrode in ("positive", "negative"):
        if not half_cells(record, electrode):
            continue
        for column, (label, signed) in DIFFERENCES.items():
            result = difference(record, column, 1, electrode, signed).smoothed(SMOOTHING).after(0.0)
            mean = result.mean if signed else -result.mean
            rows = pd.DataFrame({"time_s": result.time, "share": mean / abs(mean).max()})
            tables.append(rows.assign(difference=label if signed else f"-{label}", electrode=electrode))
    return pd.concat(tables, ignore_index=True)


@claim(
    "C04",
    figure="ED4",
    see="If the claim held, the three lines would rise and fall together in both panels.",
    needs=[Need("atoms")],
    draw=plot(
        Axis("time_s", "t / ps", 1e12),
        Axis("share", "over its largest"),
        hue="difference",
        panel="electrode",
        marks="-",
    ),
)
def atoms(evidence: Evidence) -> Finding:
    """In atoms at 0.59 nm dphi_1, drho_1 and dc_1 rise and fall together, and migration and diffusion have one
    direction.

    After the charge step, slits 1 and 2 (between like sheets), both electrodes: the share of the charge that crosses
    while the two-point migration and diffusion currents agree in sign, and the correlations of dphi_1 with the
    differences of net charge and of ions; 95 % intervals over boxes and half-electrodes.
    """
    record, setting = evidence.atoms()
    wanted = {f"md.{electrode}.1.{what}" for electrode in ("pos", "neg") for what in ("sign", "rho", "c")}
    parts = [
        result.changed(
            title=f"{result.title}, {'positive' if '.pos.' in result.id else 'negative'} electrode",
            verdict=CLAIM[result.verdict],
            u_statistical=result.uncertainty,
        )
        for result in mechanism(record, "md", "")
        if result.id in wanted
    ]
    return Finding(tuple(parts), setting, _courses(record))
