"""What must hold for the numbers to mean anything: additivity, conservation, temperature. All but one are required."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from transslit import BadInput, TransSlitRecord
from transslit.files import check_numbers, read_table
from transslit.record import PARTS, PRECISION
from validation.checks.atoms import neutralised, starts
from validation.verdicts.verdict import Estimate, Verdict, judge


def additivity(record: TransSlitRecord, prefix: str, setting: str) -> Verdict:
    """Largest gap between the current and the sum of its parts, over the largest current."""
    total = record.crossings["I_A_per_m"]
    rows = record.crossings[["replica", "i"]].assign(
        gap_A_per_m=(record.crossings[PARTS].sum(axis=1, skipna=False) - total).abs(), I_A_per_m=total.abs()
    )
    largest = rows.groupby(["replica", "i"], as_index=False).max(skipna=False)
    return judge(
        f"{prefix}.parts",
        "Migration, diffusion, steric part and residual add up to the current",
        Estimate.exact(_largest_over(largest["gap_A_per_m"], largest["I_A_per_m"])),
        high=max(PRECISION, record.round_off / float(largest["I_A_per_m"].max())),
        reason="the decomposition is exact; round-off only, of the one-way currents where the net one is far smaller",
        setting=setting,
        required=True,
        evidence=largest,
    )


def _largest_over(off: pd.Series, of: pd.Series) -> float:
    """The largest of the one over that of the other; not a number where a value is none: then nothing passes."""
    return float(off.max(skipna=False) / of.max(skipna=False))


def conservation(record: TransSlitRecord, family: str, setting: str) -> list[Verdict]:
    """Additivity of the parts, and conservation of a closed continuum's ions; starts and response of atoms."""
    verdicts = [additivity(record, f"verify.{family}", setting)]
    if record.metadata["source"] == "md":
        verdicts += [starts(record, family, setting), neutralised(record, family, setting)]
    if "ion_drift" in record.metadata:
        drift = float(record.metadata["ion_drift"])
        verdicts.append(
            judge(
                f"verify.{family}.ions",
                "Every ion's number is conserved in the closed cell",
                Estimate.exact(drift),
                high=1e-10,
                reason="largest relative change of an ion's number; the scheme conserves exactly",
                setting=setting,
                required=True,
                evidence=pd.DataFrame({"largest_relative_change": [drift]}),
            )
        )
    return verdicts


def thermostat(record: TransSlitRecord, temperature: pd.DataFrame, family: str, setting: str) -> Verdict:
    """Kinetic temperature (columns box, time_s, T_K) in the last quarter of the run over the thermostat's."""
    ratios = _late(temperature, "T_K", record.metadata["temperature_K"])
    return judge(
        f"verify.{family}.temperature",
        "The heat of the charge step has been carried off",
        Estimate.of(lambda ratio: float(ratio.mean()), ratios[["ratio"]].to_numpy()),
        low=0.95,
        high=1.05,
        reason="kinetic temperature over the thermostat's, last quarter of the run; 5 % shifts diffusion by 10 %",
        setting=setting,
        required=True,
        evidence=ratios,
    )


def reservoir(table: pd.DataFrame, concentration: float, family: str, setting: str) -> Verdict:
    """Concentration of the reservoirs (columns box, time_s, c_mol_per_m3) over the one asked for, last quarter."""
    levels = _late(table, "c_mol_per_m3", concentration)
    return judge(
        f"verify.{family}.reservoir",
        "Reservoir concentration after charging over the one asked for",
        Estimate.of(lambda ratio: float(ratio.mean()), levels[["ratio"]].to_numpy()),
        low=0.6,
        high=1.4,
        reason="a reservoir of some twenty ion pairs fluctuates by a quarter; a wrong ion count is off by half",
        setting=setting,
        evidence=levels,
    )


def _late(table: pd.DataFrame, column: str, expected: float) -> pd.DataFrame:
    """Mean of a column over the last quarter of the time, by box, and its ratio to what is expected."""
    late = table[table["time_s"] > 0.75 * table["time_s"].max()]
    means = late.groupby("box", as_index=False)[column].mean()
    return means.assign(ratio=means[column] / expected)


def read_beside(path: Path, *columns: str) -> pd.DataFrame:
    """A table that a stage left beside its record, whose `columns` another version may have named otherwise.

    Raises
    ------
    BadInput : it cannot be read, or lacks a column
    """
    table = read_table(path, "table")
    if missing := [name for name in columns if name not in table]:
        again = "another version wrote it: remove its folder and run the validation again"
        raise BadInput("table", path, f"has no column {', '.join(missing)}; {again}")
    check_numbers(table, columns, f"table {path.name}")
    return table
