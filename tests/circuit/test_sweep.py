"""A sweep is its runs: every combination, in order, refusals named."""

import pytest

from circuit import simulate
from circuit.measures import summary
from circuit.sweep import sweep
from transslit import BadInput, TriangularCV
from transslit.drive import Galvanostatic


def test_every_combination_is_the_run_by_itself(paper):
    config = paper(layers=4, points=101)
    table = sweep(config, {"gamma": [0.0, 0.9, 1.5], "scan_rate": [2e4, 4e3]}, workers=2)
    assert list(table)[:3] == ["gamma", "scan_rate_V_per_s", "refused"]
    assert table["gamma"].tolist() == [0.0, 0.0, 0.9, 0.9, 1.5, 1.5]
    assert table["scan_rate_V_per_s"].tolist() == 3 * [2e4, 4e3]
    alone = summary(simulate(paper(layers=4, points=101, gamma=0.9, drive=TriangularCV(scan_rate=4e3, cycles=2))))
    assert table.iloc[3][list(alone)].to_dict() == pytest.approx(alone, rel=1e-12, abs=0)
    assert alone["smallest_resistance_ohm"] == pytest.approx(0.5, rel=0.05)
    assert alone["largest_charge_C"] == pytest.approx(16e-9, rel=0.02, abs=0)
    assert table["refused"].str.contains("reaches zero in slit").tolist() == 4 * [False] + 2 * [True]
    assert table.iloc[4:]["peak_current_A"].isna().all()


def test_layers_are_whole_and_the_bar_counts(paper):
    told = []

    class Bar:
        def task(self, title, total):
            from contextlib import nullcontext

            return nullcontext(lambda done: told.append((done, total)))

    table = sweep(paper(points=101), {"layers": [2.0, 3.0]}, progress=Bar(), workers=1)
    assert told == [(1, 2), (2, 2)]
    assert table["peak_current_A"].is_monotonic_increasing


def test_what_cannot_be_swept_is_refused(paper):
    with pytest.raises(BadInput, match="give one of layers"):
        sweep(paper(), {"colour": [1.0]})
    with pytest.raises(BadInput, match="galvanostatic"):
        sweep(paper(drive=Galvanostatic(current=1e-3)), {"scan_rate": [1.0]})
