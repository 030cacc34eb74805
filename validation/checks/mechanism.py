"""The paper's mechanism in one record: do diffusion and migration carry charge the same way?

Signs and correlations, for each electrode and each pair of slits between like sheets: the slit beside the closing wall
is not like the others. What must hold for the numbers to mean anything at all is in `checks.conservation`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from transslit import TransSlitRecord
from transslit.resampling import FISHER, LINEAR, SHARE, Scale
from transslit.series import (
    SMOOTHING,
    Series,
    as_table,
    difference,
    durations,
    half_cells,
    pearson,
    same_sign_share,
    series,
)
from validation.verdicts.verdict import Estimate, Verdict, judge

HALF = "one half is what two unrelated signs would give"
CONTENTS = (("rho", "rho_C_per_m3", "net charge density", True), ("c", "c_mol_per_m3", "ion concentration", False))


class Pair(NamedTuple):
    """A pair of neighbouring slits, i and i + 1, of one electrode."""

    record: TransSlitRecord
    electrode: str
    i: int

    def smooth(self, data: Series) -> Series:
        """The driven part of the data; of particles, smoothed over their thermal noise."""
        about = self.record.metadata
        window = max(SMOOTHING, about.get("smoothing_s", 0.0)) if about["source"] == "md" else 0.0
        return (data.smoothed(window) if window else data).after(0.0)

    def current(self, column: str) -> Series:
        """A column of the crossing between them."""
        return self.smooth(series(self.record, column, self.i, self.electrode))

    def step(self, column: str, signed: bool) -> Series:
        """Slit i + 1 less slit i; ions crowd where net charge does: c_i - c_{i+1} goes with dphi_i."""
        result = self.smooth(difference(self.record, column, self.i, self.electrode, signed=signed))
        return result if signed else replace(result, blocks=-result.blocks)


def pairs_of(record: TransSlitRecord) -> Iterator[Pair]:
    """Every pair of slits between like sheets, of each electrode that the record has."""
    deepest = int(record.slits["i"].max())
    for electrode in ("positive", "negative"):
        if half_cells(record, electrode):
            yield from (Pair(record, electrode, i) for i in range(1, max(deepest - 1, 2)))


def mechanism(record: TransSlitRecord, family: str, setting: str, *, required: bool = False) -> list[Verdict]:
    """Signs and correlations of one record, as checks of a `family` (first part of their ids)."""
    verdicts = []
    for pair in pairs_of(record):
        name = f"{family}.{pair.electrode[:3]}.{pair.i}"
        where = f"{setting}, {pair.electrode} electrode, slits {pair.i} and {pair.i + 1}"
        verdicts += _currents(pair, name, where, required and pair.i == 1)
        verdicts += _differences(pair, name, where)
    return verdicts


def _currents(pair: Pair, name: str, where: str, required: bool) -> list[Verdict]:
    """Agreement in sign, and slope, of the diffusion and the migration current."""
    migration, diffusion, total = (
        pair.current(column) for column in ("I_migration_A_per_m", "I_diffusion_A_per_m", "I_A_per_m")
    )
    table = as_table(I_migration_A_per_m=migration, I_diffusion_A_per_m=diffusion, I_A_per_m=total)
    span = durations(total.time)
    blocks = migration.blocks, diffusion.blocks

    def over(statistic: Callable[..., float], *arrays: np.ndarray, scale: Scale = LINEAR) -> Estimate:
        return Estimate.of(statistic, *arrays, layout=migration.layout, scale=scale)

    return [
        judge(
            f"{name}.sign",
            "Charge crosses while migration and diffusion agree in sign",
            over(same_sign_share, *blocks, total.blocks * span, scale=SHARE),
            low=0.5,
            reason=f"share of the charge transferred; {HALF}",
            setting=where,
            required=required,
            evidence=table,
        ),
        judge(
            f"{name}.net",
            "Diffusion goes with migration",
            over(lambda m, d: float(d @ (span * m) / (m @ (span * m))), *blocks),
            low=0.0,
            reason="slope of the diffusion current on the migration current; positive means enhancement",
            setting=where,
            evidence=table,
        ),
    ]


def _differences(pair: Pair, name: str, where: str) -> list[Verdict]:
    """Correlation of the trans-slit voltage with the differences of net charge and of ions."""
    voltage = pair.current("dphi_V")
    verdicts = []
    for what, column, label, signed in CONTENTS:
        step = pair.step(column, signed)
        columns = {"dphi_V": voltage, "drho_C_per_m3" if signed else "minus_dc_mol_per_m3": step}
        verdicts.append(
            judge(
                f"{name}.{what}",
                f"Trans-slit voltage and difference of {label} rise and fall together",
                Estimate.of(pearson, voltage.blocks, step.blocks, layout=voltage.layout, scale=FISHER),
                low=0.0,
                reason="Pearson correlation over time, oriented towards the fuller slit; positive is the claim",
                setting=where,
                evidence=as_table(**columns),
            )
        )
    return verdicts
