"""Measures of a finished run: functions of its record resampled uniformly in time, numbers and tidy tables out.

Ratios such as dphi/I are taken where the current is driven, that is |I_i| above `DRIVEN` of its median: a triangular
sweep drives an almost constant current, and the rest is the turn, where dphi_i and I_i pass zero at slightly different
times. (The largest |I_i| would not do: long steps overshoot at the turn.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from continuum.finished import Run
from continuum.reductions import resistances
from transslit import TransSlitRecord, TriangularCV

DRIVEN = 0.9
Runs = Mapping[float, Run]  # by slit width in m
PARTS = {"diffusion": "I_diffusion_A_per_m", "steric": "I_steric_A_per_m"}


def by_width(runs: Runs, table: Callable[[Run], pd.DataFrame]) -> pd.DataFrame:
    """Tables of each run, one below the other, with d_m and, in words, width."""
    tables = [table(run).assign(d_m=d, width=f"d = {d * 1e9:g} nm") for d, run in sorted(runs.items())]
    return pd.concat(tables, ignore_index=True)


def agreement(run: Run) -> pd.DataFrame:
    """Share of the cycle and of the charge during which a part has the sign of migration.

    Returns
    -------
    table : part (diffusion, steric), i, cycle, charge
    """
    rows = run.record.crossings.query("time_s > 0")
    tables = []
    for part, column in PARTS.items():
        same = rows[column] * rows["I_migration_A_per_m"] > 0
        moved = rows["I_A_per_m"].abs()
        grouped = pd.DataFrame({"i": rows["i"], "same": same, "with": same * moved, "all": moved}).groupby("i")
        table = grouped.agg(cycle=("same", "mean"), carried=("with", "sum"), total=("all", "sum")).reset_index()
        tables.append(table.assign(part=part, charge=table["carried"] / table["total"]))
    return pd.concat(tables, ignore_index=True)[["part", "i", "cycle", "charge"]]


def wide(record: TransSlitRecord, column: str) -> pd.DataFrame:
    """A column of slits or crossings with a column per i, by time."""
    table = record.crossings if column in record.crossings.columns else record.slits
    return table.pivot_table(index="time_s", columns="i", values=column)


def charging(run: Run) -> np.ndarray:
    """Times of the first sweep's driven part, from a tenth of it to its end, as a mask over the record's times."""
    time = np.sort(run.record.terminal["time_s"].unique())
    half = run.half_period
    return (time > 0.1 * half) & (time <= half)


def instant(run: Run, phase: float) -> float:
    """The record's time nearest to `phase` of the first cycle."""
    time = run.record.terminal["time_s"].to_numpy()
    return float(time[np.argmin(np.abs(time - 2 * phase * run.half_period))])


def falling(run: Run, column: str, last: int | None = None) -> pd.DataFrame:
    """Share of the charging sweep during which |column| of i is above that of i + 1.

    Returns
    -------
    table : i, share, for i + 1 up to `last`
    """
    values = wide(run.record, column).abs().to_numpy()[charging(run)]
    share = (values[:, :-1] > values[:, 1:]).mean(axis=0)
    table = pd.DataFrame({"i": np.arange(1, share.size + 1), "share": share})
    return table if last is None else table[table["i"] < last]


def driven(run: Run) -> pd.DataFrame:
    """`continuum.resistances` where the current is driven, with R by the law and the phase of the cycle."""
    table = resistances(run.record)
    resistance, gamma = run.law
    table["R_law_ohm_m"] = resistance * (1 - gamma * table["q"])
    plateau = table.groupby("i")["I_A_per_m"].transform(lambda current: current.abs().median())
    table = table[table["I_A_per_m"].abs() > DRIVEN * plateau].copy()
    table["phase"] = table["time_s"] / (2 * run.half_period)
    return table


def extremes(run: Run) -> dict[str, float]:
    """Largest and smallest of R in ohm m, r in ohm m and their inverses, means over the crossings.

    At the ends q = 0 and q = 1 of the fitted line rather than of single samples: R_c and (1 - gamma) R_c.
    """
    geometry = run.config.network.geometric_conductance
    largest, gamma = run.law
    smallest = largest * (1 - gamma)
    return {
        "R_max_ohm_m": largest,
        "R_min_ohm_m": smallest,
        "r_max_ohm_m": largest * geometry,
        "r_min_ohm_m": smallest * geometry,
        "dr_ohm_m": (largest - smallest) * geometry,
        "G_min_S_per_m": 1 / largest,
        "dkappa_S_per_m": (1 / smallest - 1 / largest) / geometry,
    }


def trend(runs: Runs, values: Mapping[float, float]) -> float:
    """Slope d ln f / d ln d of a straight line through the widths."""
    widths = np.log(sorted(runs))
    return float(np.polyfit(widths, np.log([values[d] for d in sorted(runs)]), 1)[0])


def spread(values: Iterable[float]) -> float:
    """(largest - smallest) / mean."""
    array = np.asarray(list(values), dtype=float)
    return float(np.ptp(array) / array.mean())


def spread_at_equal_filling(run: Run, at: Sequence[float] = (0.3, 0.5, 0.7, 0.9)) -> pd.DataFrame:
    """R of every crossing at the same q on the charging sweep.

    Returns
    -------
    table : i, q, R_ohm_m
    """
    table = driven(run)
    table = table[table["phase"] < 0.5]
    rows = []
    for i, part in table.groupby("i"):
        part = part.sort_values("q")
        rows += [(i, q, np.interp(q, part["q"], part["R_ohm_m"])) for q in at]
    return pd.DataFrame(rows, columns=["i", "q", "R_ohm_m"])


def summary(run: Run) -> dict[str, float]:
    """Elements of the ladder, resistivity per slit cell, and signs of the parts of the current; names have units.

    A `_with_migration` is the share of the cycle during which the part has the sign of migration, `_by_charge` that of
    the charge that crosses meanwhile; both are means over the crossings. `filling_spread` is the largest
    (largest - smallest) / mean over the crossings of R at equal q, of a sharp-cornered voltammogram, whose current is
    almost constant while it is driven. Only voltammetry has a ladder and resistivities.
    """
    values: dict[str, float] = {}
    if isinstance(run.config.drive, TriangularCV):
        ladder = run.ladder
        values = {
            "R_c_ohm_m": ladder.resistance,
            "R_c_std_ohm_m": ladder.resistance_std,
            "gamma": ladder.gamma,
            "gamma_std": ladder.gamma_std,
            "C_slit_F_per_m": ladder.slit_capacitance,
            "C_slit_std_F_per_m": ladder.slit_capacitance_std,
            "R_open_ohm_m": ladder.open_resistance,
            "C_open_F_per_m": ladder.open_capacitance,
            "Q_max_C_per_m": ladder.charge_max,
            "r_squared": min(ladder.r_squared),
            **{name: value for name, value in extremes(run).items() if name.startswith(("R_min", "r_"))},
        }
    if run.config.drive.kind == "cv":
        equal = spread_at_equal_filling(run)
        values["filling_spread"] = float(equal.groupby("q")["R_ohm_m"].apply(spread).max())
    for part, shares in agreement(run).groupby("part")[["cycle", "charge"]].mean().iterrows():
        values[f"{part}_with_migration"] = float(shares["cycle"])
        values[f"{part}_with_migration_by_charge"] = float(shares["charge"])
    return values
