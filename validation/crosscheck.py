"""The cross-checks: does diffusion enhance migration, in atoms and in the continuum, and do the two agree?

Signs and correlations test the paper's mechanism in each source by itself. The comparison of molecular
dynamics with the matched continuum run (same geometry, same charge step, same ion numbers) is a
cross-model comparison: a disagreement says where the continuum fails at this slit, not that either code
is wrong. What must hold for the numbers to mean anything at all is in `validation.verification`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from transslit import TransSlitRecord
from validation.statistics import (
    SMOOTHING,
    Series,
    bootstrap,
    difference,
    durations,
    final_level,
    pearson,
    replicas,
    rise_time,
    same_sign_share,
    series,
    tabled,
)
from validation.time_scales import unexplained_share
from validation.verdict import Estimate, Verdict, judge

HALF = "one half is what two unrelated signs would give"
Statistic = Callable[[np.ndarray, np.ndarray], float]  # of times and values


def mechanism(
    record: TransSlitRecord, prefix: str, setting: str, *, required: bool = False, seed: int = 0
) -> list[Verdict]:
    """Signs and correlations of one record, for each electrode and each pair of slits between like sheets."""
    window = SMOOTHING if record.metadata["source"] == "md" else 0.0
    deepest = int(record.slits["i"].max())
    pairs = range(1, max(deepest - 1, 2))  # the slit beside the closing wall is not like the others
    verdicts = []
    for electrode in ("positive", "negative"):
        if not replicas(record, electrode):
            continue
        for i in pairs:
            name = f"{prefix}.{electrode[:3]}.{i}"
            where = f"{setting}, {electrode} electrode, slits {i} and {i + 1}"
            parts = [
                _smooth(series(record, column, i, electrode), window)
                for column in ("I_migration_A_per_m", "I_diffusion_A_per_m", "I_A_per_m")
            ]
            currents = tabled(I_migration_A_per_m=parts[0], I_diffusion_A_per_m=parts[1], I_A_per_m=parts[2])
            charge = parts[2].blocks * durations(parts[2].time)
            share = bootstrap(same_sign_share, parts[0].blocks, parts[1].blocks, charge, seed=seed, runs=parts[0].runs)
            verdicts.append(
                judge(
                    f"{name}.sign",
                    "Charge crosses while migration and diffusion agree in sign",
                    share,
                    low=0.5,
                    reason=f"share of the charge transferred; {HALF}",
                    setting=where,
                    required=required and i == 1,
                    evidence=currents,
                )
            )
            span = durations(parts[0].time)
            net = bootstrap(
                lambda m, d, w=span: float(d @ (w * m) / (m @ (w * m))),
                *(p.blocks for p in parts[:2]),
                seed=seed,
                runs=parts[0].runs,
            )
            verdicts.append(
                judge(
                    f"{name}.net",
                    "Diffusion goes with migration",
                    net,
                    low=0.0,
                    reason="slope of the diffusion current on the migration current; positive means enhancement",
                    setting=where,
                    evidence=currents,
                )
            )
            voltage = _smooth(series(record, "dphi_V", i, electrode), window)
            for column, label, signed in (
                ("rho_C_per_m3", "net charge density", True),
                ("c_mol_per_m3", "ion concentration", False),
            ):
                step = _smooth(difference(record, column, i, electrode, signed=signed), window)
                if not signed:  # ions crowd where net charge does: c_i - c_{i+1} goes with dphi_i
                    step = Series(step.time, -step.blocks, step.runs)
                name_of_step = "drho_C_per_m3" if signed else "minus_dc_mol_per_m3"
                verdicts.append(
                    judge(
                        f"{name}.{'rho' if signed else 'c'}",
                        f"Trans-slit voltage and difference of {label} rise and fall together",
                        bootstrap(pearson, voltage.blocks, step.blocks, seed=seed, runs=voltage.runs),
                        low=0.0,
                        reason="Pearson correlation over time, oriented towards the fuller slit; positive is the claim",
                        setting=where,
                        evidence=tabled(**{"dphi_V": voltage, name_of_step: step}),
                    )
                )
    return verdicts


def md_against_continuum(md: TransSlitRecord, continuum: TransSlitRecord, setting: str, seed: int = 0) -> list[Verdict]:
    """Filling of each slit: course, rise time, final charge and final concentration; both electrodes pooled."""
    verdicts = []
    for i in sorted(md.slits["i"].unique()):
        where = f"{setting}, slit {i}, both electrodes"
        stored, reference = (_stored(record, i) for record in (md, continuum))
        target = np.interp(stored.time, reference.time, reference.mean)
        level = final_level(reference.time, reference.mean)
        held, content = (series(record, "c_mol_per_m3", i, "both", signed=False) for record in (md, continuum))
        filling = _both("stored_C_per_m", stored, reference)
        verdicts += [
            judge(
                f"X.{i}.course",
                "Filling of the slit over time, atoms against continuum",
                bootstrap(
                    lambda q, t=target, s=level: float(np.sqrt(np.mean((q - t) ** 2)) / abs(s)),
                    stored.blocks,
                    seed=seed,
                    runs=stored.runs,
                ),
                high=0.2,
                reason="RMS difference over the final charge; 20 % is what one ion in a slit of some five makes",
                setting=where,
                evidence=filling,
            ),
            judge(
                f"X.{i}.t63",
                "Rise time to 63 %, atoms over continuum",
                _ratio(stored, rise_time(reference.time, reference.mean), rise_time, seed),
                low=0.5,
                high=2.0,
                reason="bulk diffusion coefficients and permittivity are used in the continuum; within a factor of two",
                setting=where,
                evidence=filling,
            ),
            judge(
                f"X.{i}.charge",
                "Final ionic charge, atoms over continuum",
                _ratio(stored, level, final_level, seed),
                low=0.9,
                high=1.1,
                reason="both must screen the same sheets; 10 % is what the choice of a slit's boundary can shift",
                setting=where,
                evidence=filling,
            ),
            judge(
                f"X.{i}.content",
                "Final ion concentration, atoms over continuum",
                _ratio(held, final_level(content.time, content.mean), final_level, seed),
                low=0.8,
                high=1.25,
                reason="co-ions left in the slit decide; a quarter is one co-ion in a slit of some four counter-ions",
                setting=where,
                evidence=_both("c_mol_per_m3", held, content),
            ),
        ]
    return verdicts


def residual(md: TransSlitRecord, setting: str, seed: int = 0) -> Verdict:
    """Share of the counted charge that Nernst-Planck between slit centres does not explain."""
    currents = {column: series(md, column, 1, "both").after(0.0) for column in ("I_A_per_m", "I_residual_A_per_m")}
    return judge(
        "A.residual",
        "Charge that Nernst-Planck leaves unexplained in molecular dynamics",
        unexplained_share(md, seed=seed),
        low=-0.5,
        high=0.5,
        reason="residual over counted charge, the error of D in the slits included; within one half the two-point flux"
        " describes more than it leaves",
        setting=f"{setting}, between slits 1 and 2",
        evidence=tabled(**currents),
    )


def _both(name: str, atoms: Series, continuum: Series) -> pd.DataFrame:
    """Evidence of a comparison: one quantity of both sources, told apart by `source`."""
    parts = {"atoms": tabled(**{name: atoms}), "continuum": tabled(**{name: continuum})}
    return pd.concat([table.assign(source=source) for source, table in parts.items()], ignore_index=True)


def _smooth(data: Series, window: float) -> Series:
    """The driven part of the data, smoothed over `window` if there is one."""
    return (data.smoothed(window) if window else data).after(0.0)


def _stored(record: TransSlitRecord, i: int) -> Series:
    """Charge stored on the sheets' side of slit i since the step, positive while charging (C/m)."""
    ionic = series(record, "Q_C_per_m", i, "both")
    before = ionic.time <= 0
    start = ionic.blocks[:, before].mean(axis=1, keepdims=True) if before.any() else ionic.blocks[:, :1]
    return Series(ionic.time, start - ionic.blocks, ionic.runs).after(0.0)


def _ratio(data: Series, reference: float, statistic: Statistic, seed: int) -> Estimate:
    return bootstrap(lambda mean: statistic(data.time, mean) / reference, data.blocks, seed=seed, runs=data.runs)
