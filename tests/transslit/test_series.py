"""Bootstrap coverage, rise times and shares with known answers."""

import numpy as np
import pytest

from transslit.series import Series, difference, pearson, rise_time, same_sign_share, series
from validation.verdicts.bootstrap import bootstrap


def test_bootstrap_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(5)
    hits = 0
    for k in range(200):
        sample = rng.normal(3.0, 1.0, (12, 4))
        estimate = bootstrap(lambda mean: float(mean.mean()), sample, seed=k)
        hits += estimate.low <= 3.0 <= estimate.high
    assert 0.85 <= hits / 200 <= 0.99  # 95 % nominal; twelve blocks make percentile intervals a little short


def test_one_block_is_deterministic():
    estimate = bootstrap(lambda mean: float(mean.sum()), np.ones((1, 5)))
    assert estimate.low == estimate.value == estimate.high == 5


def test_rise_time_of_an_exponential():
    time = np.linspace(0, 20, 2001)
    assert rise_time(time, -4 * (1 - np.exp(-time / 2))) == pytest.approx(2.0, rel=2e-3)
    assert np.isnan(rise_time(time, np.zeros_like(time)))


def test_same_sign_share():
    share = same_sign_share(np.array([1.0, 1, -1, -1]), np.array([1.0, -1, 1, -1]), np.array([3.0, 1, 1, 1]))
    assert share == pytest.approx(4 / 6)


def test_smoothing_keeps_a_line_and_a_constant():
    data = Series(np.arange(20.0), np.vstack([np.ones(20), np.arange(20.0)]))
    smooth = data.smoothed(5.0).blocks
    np.testing.assert_allclose(smooth[0], 1)
    np.testing.assert_allclose(smooth[1, 3:-3], np.arange(20.0)[3:-3])


def test_series_turn_both_electrodes_into_the_charging_frame(make):
    record = make(noise=0.0)
    charge = series(record, "Q_C_per_m", 1, "both")
    assert charge.blocks.shape == (12, 103)
    np.testing.assert_allclose(charge.blocks, charge.blocks[:1].repeat(12, axis=0))
    assert charge.mean[-1] < 0
    assert (difference(record, "rho_C_per_m3", 1, "both").mean >= 0).all()  # the inner slit lags: less negative
    assert pearson(np.arange(3.0), np.zeros(3)) != pearson(np.arange(3.0), np.arange(3.0))


def test_series_know_their_boxes_and_alike_faces_widen_the_interval(make):
    assert len(set(series(make(noise=0.1), "I_A_per_m", 1, "both").boxes)) == 6
    sample = np.repeat(np.random.default_rng(7).normal(size=(6, 30)), 2, axis=0)
    alone = bootstrap(lambda mean: float(mean.mean()), sample)
    together = bootstrap(lambda mean: float(mean.mean()), sample, boxes=np.repeat(np.arange(6), 2))
    assert together.half_width == pytest.approx(np.sqrt(2) * alone.half_width, rel=0.1)
    assert together.boxes == 6
    assert alone.samples == pytest.approx(2 * together.samples, rel=1e-6)


def test_an_interval_contains_its_value_and_one_box_decides_nothing():
    """Pearson of the mean of two faces is far from that of either; and both faces share one start."""
    t = np.linspace(0, 1, 50)
    faces = np.array([np.sin(9 * t) + 3 * t, -np.sin(9 * t) - 2.9 * t])
    driver = np.tile(np.sin(9 * t), (2, 1))
    found = bootstrap(pearson, driver, faces, boxes=np.array([0, 0]))
    assert found.low <= found.value <= found.high
    assert found.inside(low=-2.0) == "inconclusive"
    assert bootstrap(pearson, driver, faces, boxes=np.array([0, 1])).inside(low=-2.0) == "pass"
