"""What is not a number passes no check."""

import numpy as np
import pytest

from md.shipped import SHIPPED
from transslit import TransSlitRecord
from validation.checks.conservation import additivity, content_balance


@pytest.mark.parametrize(
    ("table", "column", "undecided"),
    [
        ("crossings", "I_A_per_m", {"verify.parts", "verify.balance"}),
        ("crossings", "I_migration_A_per_m", {"verify.parts"}),
        ("slits", "Q_C_per_m", {"verify.balance"}),
    ],
)
def test_what_is_not_a_number_passes_nothing(table, column, undecided):
    record = TransSlitRecord.read(SHIPPED / "charge-step-10ps")

    def judged():
        verdicts = [additivity(record, "verify", "here"), content_balance(record, "verify", "here", 1e-9, "counted")]
        return {verdict.id for verdict in verdicts if verdict.verdict != "pass"}

    assert judged() == set()
    rows = getattr(record, table)
    rows.loc[rows.index[-1], column] = np.nan
    assert judged() == undecided


def test_currents_that_end_early_leave_the_balance_open():
    record = TransSlitRecord.read(SHIPPED / "charge-step-10ps")
    last = record.crossings["time_s"] == record.crossings["time_s"].max()
    shorter = TransSlitRecord(record.crossings[~last], record.slits, record.terminal, record.metadata)
    assert content_balance(shorter, "verify", "here", 1e-9, "counted").verdict == "inconclusive"
