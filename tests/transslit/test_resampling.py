"""Blocks in groups: planted correlations are found, intervals cover as often as they say, widths scale."""

import numpy as np
import pytest

from transslit.resampling import (
    correlation_time,
    draws,
    effective_samples,
    independent_blocks,
    intraclass_correlation,
    wanted,
)

PAIRS = np.repeat(np.arange(6), 2)


def alike(correlation, rng, groups=PAIRS, times=4):
    """Unit normal blocks whose members of one group correlate by `correlation`."""
    shared = rng.normal(size=(groups.max() + 1, times))[groups]
    own = rng.normal(size=(len(groups), times))
    return np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own


@pytest.mark.parametrize("planted", [0.0, 0.4, 0.9])
def test_intraclass_correlation_is_found(planted):
    found = intraclass_correlation(alike(planted, np.random.default_rng(1), times=20000), PAIRS)
    assert found == pytest.approx(planted, abs=0.01)  # some 120,000 pairs


def test_copies_are_worth_one_and_unknown_groups_nothing_less():
    rng = np.random.default_rng(2)
    copies = alike(1.0, rng, times=50)
    assert independent_blocks(copies, PAIRS) == pytest.approx(6, rel=1e-6)
    assert independent_blocks(copies, np.arange(12)) == 12
    assert independent_blocks(copies, np.zeros(12)) == 12  # one group alone says nothing of itself


@pytest.mark.parametrize("planted", [0.0, 0.8])
def test_interval_covers_the_mean_with_alike_faces(planted):
    rng = np.random.default_rng(3)
    hits = 0
    for seed in range(200):
        sample = alike(planted, rng, times=60).mean(axis=1, keepdims=True) * np.sqrt(60)
        worth = independent_blocks(alike(planted, rng, times=60), PAIRS)
        low, high = np.percentile(draws(12, worth, seed, 400) @ sample, [2.5, 97.5])
        hits += low <= 0 <= high
    # nominal 95 %; the normal quantile for 6 to 12 blocks is short by some 4 %; sampling of 200: 1.6 %
    assert 0.86 <= hits / 200 <= 0.99


@pytest.mark.parametrize(("count", "worth"), [(12, 12.0), (12, 6.0), (4, 4.0)])
def test_draws_have_the_variance_of_a_mean(count, worth):
    values = np.random.default_rng(4).normal(size=count)
    drawn = draws(count, worth, number=200_000) @ values
    assert drawn.mean() == pytest.approx(values.mean(), abs=0.01)
    assert drawn.var() == pytest.approx(values.var(ddof=1) / worth, rel=0.02)


def test_effective_samples_of_a_moving_average():
    """A running sum of m white numbers correlates as 1 - k/m: 1 + 2 sum = m."""
    rng = np.random.default_rng(5)
    white = rng.normal(size=(12, 4000))
    smooth = np.apply_along_axis(np.convolve, 1, white, np.ones(10), "valid")
    assert correlation_time(white) == pytest.approx(1, abs=0.1)
    assert correlation_time(smooth) == pytest.approx(10, rel=0.1)
    assert effective_samples(white, PAIRS) == pytest.approx(12 * 4000, rel=0.15)


def test_wanted_replicas():
    assert wanted(3, 0.4, 0.1) == 48  # a quarter of the width takes sixteen times as many
    assert wanted(3, 0.4, 0.0) == np.inf
