"""On which time scales does Nernst-Planck hold in the atoms? Steps and ramps of the same charge, side by side.

The share of the counted charge that the parts of the two-point flux leave over (`validation.checks.unexplained_charge`)
in windows of time. A step fills such slits within picoseconds, before water has turned and friction has built up; a
slow enough drive should leave little.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd

from transslit import TransSlitRecord
from transslit.series import series
from validation.checks.unexplained_charge import unexplained_share

SHARE = 0.25  # what D in the slits (some 15 %) and the path's geometric conductance (10 %) leave open anyway
EDGES = (0.0, 0.5e-12, 1e-12, 2e-12, 5e-12, 10e-12, 20e-12, 50e-12, 100e-12)  # s after onset


def time_scales(records: Mapping[str, TransSlitRecord], share: float = SHARE, i: int = 1) -> pd.DataFrame:
    """Table of s by drive and time after onset, the slowest drive last.

    Returns
    -------
    one row per drive and window, and one (`whole`) per drive: `drive`, `rise_s` (0 for a step), `from_s`, `to_s`,
    `whole`, `charge_C_per_m` (counted, mean of the half-electrodes), `share`, `low`, `high` (95 %), `samples`
    (effective), `boxes`, `verdict` (pass where the interval lies within +-`share`) and `basis` (in words)
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
            estimate = unexplained_share(record, i, (start, stop))
            rows.append(
                {
                    "drive": name,
                    "rise_s": float(record.metadata.get("drive", {}).get("ramp", 0.0)),
                    "from_s": start,
                    "to_s": stop,
                    "whole": whole,
                    "charge_C_per_m": float(carried[-1] if whole else carried[n + 1] - carried[n]),
                    "share": estimate.value,
                    "low": estimate.low,
                    "high": estimate.high,
                    "samples": estimate.samples,
                    "boxes": estimate.boxes,
                    "verdict": estimate.inside(-share, share),
                    "basis": estimate.basis(-share, share).removeprefix("; "),
                }
            )
    return pd.DataFrame(rows).sort_values(["rise_s", "drive", "whole", "from_s"], ignore_index=True)


def holds_from(table: pd.DataFrame, share: float = SHARE) -> str:
    """From which drive on Nernst-Planck leaves less than `share`, in a sentence; `table` from `time_scales`."""
    whole = table[table["whole"]].sort_values("rise_s")
    slower = [(whole["rise_s"] >= rise).to_numpy() for rise in whole["rise_s"]]
    small = [bool((whole["verdict"][rows] == "pass").all()) for rows in slower]
    if any(small):
        first = whole.iloc[small.index(True)]
        return f"Nernst-Planck leaves less than {share:.0%} of the charge from {first['drive']} on"
    failed = whole.loc[whole["verdict"] == "fail", "drive"]
    named = f"; more than that for {', '.join(failed)}" if len(failed) else ""
    return f"no drive leaves less than {share:.0%} of the charge beyond doubt{named}"
