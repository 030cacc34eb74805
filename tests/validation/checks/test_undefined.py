"""What is not a number passes no check."""

import numpy as np
import pytest

from md.shipped import SHIPPED
from transslit import TransSlitRecord
from validation.checks.atoms import neutralised
from validation.checks.conservation import additivity


@pytest.mark.parametrize(
    ("table", "column", "undecided"),
    [
        ("crossings", "I_A_per_m", {"verify.parts"}),
        ("crossings", "I_migration_A_per_m", {"verify.parts"}),
        ("terminal", "I_m_A_per_m", {"verify.md.neutralised"}),
        ("terminal", "sigma_C_per_m2", {"verify.md.neutralised"}),
    ],
)
def test_what_is_not_a_number_passes_nothing(table, column, undecided):
    record = TransSlitRecord.read(SHIPPED / "charge-step-10ps")

    def judged():
        verdicts = [additivity(record, "verify", "here"), neutralised(record, "md", "here")]
        return {verdict.id for verdict in verdicts if verdict.verdict != "pass"}

    assert judged() == set()
    rows = getattr(record, table)
    rows.loc[rows.index[-1], column] = np.nan
    assert judged() == undecided
