"""A voltage-driven record on even times, so that fits weigh every moment alike whatever steps were taken.

Adaptive steps crowd where the solution changes fast, and are long elsewhere. Between the turns of the drive every
column is interpolated by monotone cubics (F. N. Fritsch, R. E. Carlson, SIAM J. Numer. Anal. 17, 238 (1980)),
piece by piece, so that the kinks at the turns stay sharp.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.interpolate import PchipInterpolator

from transslit import TransSlitRecord
from transslit.record import KEYS, PARTS

POINTS = 800  # per record
EVEN = 1.01  # longest over shortest step, up to which a record is left alone


def evenly(record: TransSlitRecord, points: int = POINTS) -> TransSlitRecord:
    """Replica 0 of `record` on `points` + 1 even times; as it is where its steps are even already."""
    tables = {name: getattr(record, name) for name in ("crossings", "slits", "terminal")}
    tables = {name: table[table["replica"] == 0] for name, table in tables.items()}
    terminal = tables["terminal"].sort_values("time_s")
    times = terminal["time_s"].to_numpy()
    steps = np.diff(times)
    if steps.max() <= EVEN * steps.min():
        return TransSlitRecord(**tables, metadata=record.metadata)
    slopes = np.sign(np.diff(terminal["phi_m_V"].to_numpy()))
    turns = np.flatnonzero(slopes[1:] * slopes[:-1] < 0) + 1
    bounds = np.concatenate([[0], turns, [times.size - 1]])
    even = np.linspace(times[0], times[-1], points + 1)

    def resampled(table: pd.DataFrame) -> pd.DataFrame:
        table = table.sort_values("time_s")
        columns = [name for name in table.columns if name not in KEYS]
        values, out = table[columns].to_numpy(), np.empty((even.size, len(columns)))
        for start, stop in pairwise(bounds):
            inside = (even >= times[start]) & (even <= times[stop])
            out[inside] = PchipInterpolator(times[start : stop + 1], values[start : stop + 1])(even[inside])
        made = pd.DataFrame(out, columns=columns).assign(replica=0, time_s=even)
        if set(PARTS) <= set(columns):
            made["I_A_per_m"] = made[PARTS].sum(axis=1)
        return made

    for name in ("crossings", "slits"):
        pieces = [resampled(table).assign(i=i) for i, table in tables[name].groupby("i")]
        tables[name] = pd.concat(pieces, ignore_index=True) if pieces else tables[name]
    tables["terminal"] = resampled(terminal)
    return TransSlitRecord(**tables, metadata=record.metadata)
