"""Verdicts: an interval decides, and the exit code follows from required checks alone."""

import math

import pytest

from validation.verdicts.verdict import Estimate, exit_code, judge, part


@pytest.mark.parametrize(
    ("estimate", "outcome"),
    [
        (Estimate(0.7, 0.6, 0.8), "pass"),
        (Estimate(0.7, 0.4, 0.9), "inconclusive"),
        (Estimate(0.3, 0.2, 0.4), "fail"),
        (Estimate(math.nan, math.nan, math.nan), "inconclusive"),
        (Estimate.exact(0.5), "pass"),
    ],
)
def test_an_interval_decides(estimate, outcome):
    verdict = judge("T", "test", estimate, low=0.5, reason="planted", setting="none")
    assert verdict.verdict == outcome
    claim = {"pass": "reproduced", "fail": "not reproduced"}.get(outcome, outcome)
    assert part("test", estimate, low=0.5, reason="planted").verdict == claim


def test_rows_are_finite_or_null():
    row = judge("T", "test", Estimate(math.nan, 0, 1), low=0.5, reason="planted", setting="none").row()
    assert row["value"] is None
    assert set(row) == {
        "id", "title", "verdict", "value", "uncertainty", "tolerance", "unit", "reason", "required", "setting",
        "interval", "widened", "limits", "u_numerical", "u_input", "u_statistical",
    }  # fmt: skip


def verdict(value, required, low=0.5, spread=0.0):
    estimate = Estimate(value, value - spread, value + spread)
    return judge("T", "test", estimate, low=low, reason="planted", setting="none", required=required)


def test_exit_code():
    good, bad, open_ = verdict(0.9, True), verdict(0.1, True), verdict(0.5, True, spread=0.2)
    assert exit_code([good, verdict(0.1, False)], strict=False) == 0
    assert exit_code([good, bad], strict=False) == 1
    assert exit_code([good, open_], strict=False) == 0
    assert exit_code([good, open_], strict=True) == 1


def test_an_undecided_verdict_says_how_many_boxes_would_settle_it():
    undecided = Estimate(0.6, 0.4, 0.8, samples=40, boxes=3)
    reason = judge("T", "test", undecided, low=0.5, reason="planted", setting="none").reason
    assert reason == "planted; 40 effective samples from 3 boxes; about 12 boxes of their own starts would settle it"
    decided = judge("T", "test", Estimate(0.7, 0.6, 0.8, 40, 3), low=0.5, reason="planted", setting="none")
    assert decided.reason == "planted; 40 effective samples from 3 boxes"
    below = Estimate(0.4, 0.1, 0.6, samples=40, boxes=3)  # reaches 0.2 up, and 0.1 are left
    assert "about 12 boxes" in judge("T", "test", below, low=0.5, reason="planted", setting="none").reason
    level = Estimate(0.5, 0.4, 0.6, samples=40, boxes=3)
    assert "more than" in judge("T", "test", level, low=0.5, reason="planted", setting="none").reason
    assert judge("T", "test", Estimate(0.6, 0.4, 0.8), low=0.5, reason="planted", setting="none").reason == "planted"
