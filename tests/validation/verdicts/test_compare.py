"""Two runs side by side: what changed, and by how much against its uncertainty."""

import json
import math

import pytest

from transslit import BadInput
from validation.verdicts.compare import compare, counts
from validation.verdicts.verdict import Estimate, judge


@pytest.fixture
def run(tmp_path):
    def write(name, **values):
        rows = []
        for identity, (value, u) in values.items():
            estimate = Estimate(value, value - u, value + u)
            rows.append(judge(identity, f"title of {identity}", estimate, low=0.5, reason="r", setting="s").row())
        (tmp_path / name).mkdir()
        (tmp_path / name / "verdicts.json").write_text(json.dumps(rows), encoding="utf-8")
        return tmp_path / name

    return write


def test_changes_are_told_from_noise(run):
    a = run("a", same=(1.0, 0.1), noise=(1.0, 0.3), shift=(1.0, 0.03), turned=(1.0, 0.1), gone=(1.0, 0.0))
    b = run("b", same=(1.0, 0.1), noise=(1.2, 0.4), shift=(1.5, 0.04), turned=(0.1, 0.1), new=(1.0, 0.0))
    pairs = {pair.id: pair for pair in compare(a, b)}
    assert {name: pair.what for name, pair in pairs.items()} == {
        "same": "equal",
        "noise": "within uncertainty",
        "shift": "shifted",
        "turned": "verdict changed",
        "gone": "only in A",
        "new": "only in B",
    }
    assert pairs["noise"].u == pytest.approx(0.5)  # sqrt(0.3^2 + 0.4^2)
    assert pairs["noise"].against_u == pytest.approx(0.4)
    assert pairs["shift"].against_u == pytest.approx(10.0)
    assert [pairs["turned"].verdict_a, pairs["turned"].verdict_b] == ["pass", "fail"]
    assert counts(list(pairs.values()))["shifted"] == 1


def test_exact_numbers_have_no_u(run):
    (pair,) = compare(run("a", exact=(1.0, 0.0)), run("b", exact=(1.1, 0.0)))
    assert pair.what == "shifted"
    assert pair.against_u is None


def test_what_has_no_number_is_equal_to_itself(run):
    (pair,) = compare(run("a", none=(math.nan, 0.0)), run("b", none=(math.nan, 0.0)))
    assert pair.what == "equal"
    assert pair.change is None


def test_a_folder_without_verdicts_is_refused(run, tmp_path):
    with pytest.raises(BadInput, match=r"verdicts\.json"):
        compare(run("a", same=(1.0, 0.1)), tmp_path)
