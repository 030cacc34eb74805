"""What molecular dynamics must show for its levels to mean anything: independent starts, and a finished response."""

from __future__ import annotations

import math

import pandas as pd

from transslit import TransSlitRecord
from transslit.resampling import alike_halves
from transslit.series import as_table, neutralisation, places
from validation.verdicts.verdict import Estimate, Verdict, judge

ARRIVED = 0.95  # share of the electrodes' charge from which on levels are taken for final


def starts(record: TransSlitRecord, family: str, setting: str) -> Verdict:
    """Intraclass correlation of one half-electrode's ions across boxes at the onset of the drive, all slits and ions.

    Fails above the 99.9 % limit of unrelated starts, passes below the 95 % one.
    """
    time = record.slits["time_s"]
    columns = [f"c_{ion}_mol_per_m3" for ion in record.ions]
    onset = record.slits.loc[time == time[time <= max(0.0, time.min())].max(), ["replica", "i", *columns]]
    table = onset.pivot_table(columns, "replica", "i", dropna=False)
    r, usual, largest = alike_halves(table.to_numpy(), places(record, list(table.index)))
    return judge(
        f"verify.{family}.starts",
        "Boxes start with their ions in unrelated places",
        Estimate(r, r - (largest - usual), r, boxes=int(math.isnan(r))),
        high=usual,
        reason="correlation of what a half-electrode's slits hold in all boxes, beyond that of others; of unrelated"
        f" starts 95 % are below the tolerance and 99.9 % below {largest:.2g}; alike starts are one sample",
        setting=setting,
        required=True,
        evidence=onset,
    )


def neutralised(record: TransSlitRecord, family: str, setting: str) -> Verdict:
    """Charge of the ions that crossed the mid-planes over that of the electrodes, at its largest."""
    found = neutralisation(record)
    share, table = Estimate.exact(math.nan), pd.DataFrame()
    title, reason = "Ions neutralise the electrodes' charge", "the record does not tell the electrodes' charge"
    if found is not None:
        ions, electrode = found
        ends = ions.blocks[:, -1:], electrode.blocks[:, -1:]
        share = Estimate.of(lambda q, e: float(q[0] / e[0]), *ends, layout=(ions.boxes, None))
        table = as_table(ions_C_per_m=ions, electrode_C_per_m=electrode)
        title = f"Ions have neutralised {share.value:.0%} of the electrodes' charge"
        reason = "ions between the mid-planes around each electrode; below one half the response is hardly under way"
        if share.value < ARRIVED:
            reason += f"; below {ARRIVED:.0%} the run is unfinished, and its levels are not final"
    return judge(
        f"verify.{family}.neutralised", title, share, low=0.5, high=1.1, reason=reason, setting=setting,
        required=found is not None, evidence=table,
    )  # fmt: skip
