"""On which time scales does Nernst-Planck hold in the atoms? Steps and ramps of the same charge, side by side.

The share of the counted charge that the parts of the two-point flux leave over in a window of time is

    s = int (I - I_migration - I_diffusion - I_steric) dt / int I dt,

signed: positive where more crosses than Nernst-Planck has it, negative where less. The parts are proportional to
each ion's D in the slits, whose own error enters the interval with that of the blocks. A step fills such slits
within picoseconds, before water has turned and friction has built up; a slow enough drive should leave s small.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from transslit import TransSlitRecord
from validation.statistics import bootstrap, series
from validation.verdict import Estimate

SHARE = 0.25  # what D in the slits (some 15 %) and the path's geometric conductance (10 %) leave open anyway
EDGES = (0.0, 0.5e-12, 1e-12, 2e-12, 5e-12, 10e-12, 20e-12, 50e-12, 100e-12)  # s after onset


def explained(record: TransSlitRecord) -> dict[str, float]:
    """Columns of what Nernst-Planck explains of each ion's current, with the relative error of the ion's D."""
    known, error = (record.metadata.get(name, {}) for name in ("D_used_m2_per_s", "D_in_slit_error_m2_per_s"))
    return {
        f"I_{ion}_explained_A_per_m": float(error.get(ion) or 0.0) / known[ion]
        for ion in record.ions
        if ion in known and f"I_{ion}_explained_A_per_m" in record.crossings
    }


def unexplained(left: np.ndarray, total: np.ndarray, *explained_and_factors: Any) -> float:
    """s from the charges left over and counted; then what each ion explains of it, and by how much its D is off."""
    half = len(explained_and_factors) // 2
    charges, factors = explained_and_factors[:half], explained_and_factors[half:]
    missed = sum((1 - factor) * charge.sum() for charge, factor in zip(charges, factors, strict=True))
    counted = total.sum()
    return float((left.sum() + missed) / counted) if counted else math.nan


def unexplained_share(
    record: TransSlitRecord, i: int = 1, window: tuple[float, float] = (0.0, math.inf), seed: int = 0
) -> Estimate:
    """s of crossing `i` of both electrodes over the `window` in s after onset, with its 95 % interval.

    A current stands for the interval that its frame ends.
    """
    names = explained(record)
    arrays = []
    for column in ("I_residual_A_per_m", "I_A_per_m", *names):
        data = series(record, column, i, "both").after(0.0)
        inside = (data.time > window[0] + 1e-18) & (data.time <= window[1] + 1e-18)
        arrays.append((data.blocks * np.diff(data.time, prepend=0.0))[:, inside])
    return bootstrap(unexplained, *arrays, seed=seed, runs=data.runs, factors=list(names.values()))


def time_scales(
    records: Mapping[str, TransSlitRecord], share: float = SHARE, i: int = 1, seed: int = 0
) -> pd.DataFrame:
    """Table of s by drive and time after onset, the slowest drive last.

    Returns
    -------
    one row per drive and window, and one (`whole`) per drive: `drive`, `rise_s` (0 for a step), `from_s`, `to_s`,
    `whole`, `charge_C_per_m` (counted, mean of the half-electrodes), `share`, `low`, `high` (95 %), `samples`
    (effective), `replicas`, `verdict` (pass where the interval lies within +-`share`) and `basis` (in words)
    """
    rows = []
    for name, record in records.items():
        current = series(record, "I_A_per_m", i, "both").after(0.0)
        end = float(current.time[-1])
        edges = [edge for edge in EDGES if edge < end - 1e-15] + [end]
        windows = [*pairwise(edges), (0.0, end)]
        charge = np.concatenate([[0.0], np.cumsum(current.mean * np.diff(current.time, prepend=0.0))])
        carried = np.interp(edges, np.append(0.0, current.time), charge)
        for n, (start, stop) in enumerate(windows):
            whole = n == len(windows) - 1
            found = unexplained_share(record, i, (start, stop), seed)
            rows.append(
                {
                    "drive": name,
                    "rise_s": float(record.metadata.get("drive", {}).get("ramp", 0.0)),
                    "from_s": start,
                    "to_s": stop,
                    "whole": whole,
                    "charge_C_per_m": float(carried[-1] if whole else carried[n + 1] - carried[n]),
                    "share": found.value,
                    "low": found.low,
                    "high": found.high,
                    "samples": found.samples,
                    "replicas": found.replicas,
                    "verdict": found.inside(-share, share),
                    "basis": found.basis(-share, share).removeprefix("; "),
                }
            )
    return pd.DataFrame(rows).sort_values(["rise_s", "drive", "whole", "from_s"], ignore_index=True)


def holds_from(table: pd.DataFrame, share: float = SHARE) -> str:
    """From which drive on Nernst-Planck leaves less than `share`, in a sentence; `table` from `time_scales`."""
    whole = table[table["whole"]].sort_values("rise_s")
    slower = [(whole["rise_s"] >= rise).to_numpy() for rise in whole["rise_s"]]
    held = [bool((whole["verdict"][rows] == "pass").all()) for rows in slower]
    if any(held):
        first = whole.iloc[held.index(True)]
        return f"Nernst-Planck leaves less than {share:.0%} of the charge from {first['drive']} on"
    failed = whole.loc[whole["verdict"] == "fail", "drive"]
    named = f"; more than that for {', '.join(failed)}" if len(failed) else ""
    return f"no drive leaves less than {share:.0%} of the charge beyond doubt{named}"
