"""Intervals cover as often as they say, whichever of the effects of a box and a half-electrode is planted."""

import numpy as np
import pytest

from transslit.resampling import (
    Spread,
    alike_halves,
    correlation_time,
    effective_samples,
    pseudo_values,
    spread,
    wanted,
)

TRIALS = 10_000  # a coverage of 95 % is known to 0.2 %
EFFECTS = {  # standard deviations of what a box, an electrode in a box and a half-electrode share, over the noise
    "none": (0, 0, 0), "box": (2, 0, 0), "electrode": (0, 2, 0), "half": (0, 0, 2), "half as the noise": (0, 0, 1),
    "half below it": (0, 0, 0.5), "box, half": (1, 0, 2), "electrode, half": (0, 2, 1), "all": (1, 1, 1),
    "all, large": (3, 3, 3),
}  # fmt: skip


def blocks(boxes, halves, effects, trials=TRIALS, seed=1):
    """Values (blocks, trials) of mean zero, box and half-electrode of each block; halves 0, 1 are one electrode."""
    rng = np.random.default_rng(seed)
    box, half = (index.ravel() for index in np.indices((boxes, halves)))
    of_box, of_electrode, of_half = effects
    values = rng.normal(size=(boxes * halves, trials)) + of_box * rng.normal(size=(boxes, trials))[box]
    values += of_electrode * rng.normal(size=(boxes, 2, trials))[box, half // 2]
    return values + of_half * rng.normal(size=(halves, trials))[half], box, half


def coverage(values, box, half):
    return np.mean(np.abs(values.mean(axis=0)) <= spread(values, box, half).half_width)


@pytest.mark.parametrize("effects", EFFECTS.values(), ids=EFFECTS)
@pytest.mark.parametrize("boxes", [3, 4, 8, 16])
def test_intervals_of_both_electrodes_cover_the_mean(boxes, effects):
    """93 % to 97 %; up to 97.5 % with three boxes, where H and noise are hardly told apart."""
    assert 0.933 <= coverage(*blocks(boxes, 4, effects)) <= (0.98 if boxes == 3 else 0.975)


@pytest.mark.parametrize("effects", EFFECTS.values(), ids=EFFECTS)
@pytest.mark.parametrize("boxes", [3, 4, 8, 16])
@pytest.mark.parametrize("halves", [2, 3])
def test_intervals_of_one_electrode_cover_the_mean_at_least_as_often_as_they_say(boxes, halves, effects):
    """One degree of freedom tells nothing from noise: up to 99.5 % where half-electrodes have no effect."""
    assert 0.945 <= coverage(*blocks(boxes, halves, effects)) <= 0.997


def test_intervals_miss_the_mean_that_see_the_effect_of_boxes_alone():
    """What replicas of one start do to intervals that take their boxes for independent: 95 % are some 60 %."""
    values, box, _ = blocks(8, 4, (0, 0, 1))
    assert coverage(values, box, None) == pytest.approx(0.5, abs=0.15)


def test_the_two_way_variance_is_that_of_the_mean_squares():
    """Against sums of squares written out; and by the labels alone, in any order."""
    values, box, half = blocks(5, 4, (1, 1, 1), trials=1)
    y = values.reshape(5, 4)
    residual = y - y.mean(axis=1, keepdims=True) - y.mean(axis=0) + y.mean()
    ms_box, ms_half, ms = 4 * y.mean(axis=1).var(ddof=1), 5 * y.mean(axis=0).var(ddof=1), (residual**2).sum() / 12
    variance = (ms_box + ms_half - ms) / 20
    freedom = variance**2 / ((ms_box / 20) ** 2 / 4 + (ms_half / 20) ** 2 / 3 + (ms / 20) ** 2 / 12)
    assert ms_half > ms
    found = spread(values[:, 0], box, half)
    assert (found.variance, found.freedom) == (pytest.approx(variance), pytest.approx(freedom))
    order = np.random.default_rng(3).permutation(20)
    again = spread(values[order, 0], 7 * box[order], half[order] - 9)
    assert again.variance == pytest.approx(found.variance)
    assert spread(values[:, 0], box).variance == pytest.approx(ms_box / 20)
    assert spread(values[:, 0]).variance == pytest.approx(y.var(ddof=1) / 20)
    assert Spread(np.array(1.0), np.array(3.0)).half_width == pytest.approx(3.1824463)  # tables of Student's t


def test_boxes_of_one_start_count_once_and_missing_half_electrodes_are_allowed():
    values, box, half = blocks(6, 4, (1, 0, 1))
    twice = [np.concatenate([each, each]) for each in (values, box, half)]
    np.testing.assert_allclose(spread(*twice).variance, spread(values, box, half).variance)
    np.testing.assert_allclose(spread(*twice).freedom, spread(values, box, half).freedom)
    there = (box != 2) | (half != 3)
    assert 0.93 <= coverage(values[there], box[there], half[there]) <= 0.975


def test_one_box_has_no_interval_and_copies_no_width():
    values, box, half = blocks(4, 4, (0, 0, 0), trials=3)
    assert np.isinf(spread(values, np.zeros(16), half).half_width).all()
    assert np.isinf(spread(np.full((16, 3), np.nan), box, half).half_width).all()
    np.testing.assert_array_equal(spread(np.ones((16, 3)), box, half).half_width, 0)


def test_pseudo_values_are_the_blocks_of_a_mean_and_the_slopes_of_a_function():
    first, second = np.random.default_rng(5).normal(3.0, 1e-5, (2, 12))
    np.testing.assert_allclose(pseudo_values(lambda mean: 2 * mean, [first]), 2 * first, rtol=1e-12)
    steep = pseudo_values(lambda mean: float(mean > 3.0), [first])  # a step at the mean: seen where d_j crosses it
    assert np.ptp(steep) > 0
    ratio = pseudo_values(lambda a, b: a / b, [first, second])
    slopes = (first - second) / second.mean()  # d(a/b) = da/b - a db/b^2 with a/b = 1
    np.testing.assert_allclose(ratio - ratio.mean(), slopes - slopes.mean(), atol=1e-9)


@pytest.mark.parametrize("variables", [1, 6, 12])
@pytest.mark.parametrize("boxes", [2, 4, 8])
def test_unrelated_starts_are_below_the_limits_as_often_as_they_say(boxes, variables):
    """999 and 950 times of 1000, with effects of boxes and electrodes, and with variables that are there twice."""
    above = np.zeros(2)
    for seed in range(1000):
        values, box, half = blocks(boxes, 4, (1, 1, 0), trials=6, seed=seed)
        found = alike_halves(values[:, np.arange(variables) % 6], (box, half))
        above += [found.correlation > found.usual, found.correlation > found.largest]
    assert above[0] <= 80
    assert above[1] <= 8


def test_alike_half_electrodes_are_found():
    values, box, half = blocks(5, 4, (0, 0, 2), trials=2000)
    found = alike_halves(values, (box, half))
    assert found.largest < found.correlation == pytest.approx(0.8, abs=0.01)
    copies = alike_halves(np.tile(np.arange(4.0), 5)[:, None], (box, half))
    assert copies.largest < copies.correlation == pytest.approx(1.0)
    assert alike_halves(np.ones((20, 3)), (box, half)).correlation == 0.0
    for unknown in ((np.zeros(20), half), (box, None), (box, np.zeros(20))):
        assert np.isnan(alike_halves(values, unknown).correlation)


def test_effective_samples_of_a_moving_average():
    """A running sum of m white numbers correlates as 1 - k/m: 1 + 2 sum = m."""
    rng = np.random.default_rng(5)
    white = rng.normal(size=(12, 4000))
    smooth = np.apply_along_axis(np.convolve, 1, white, np.ones(10), "valid")
    assert correlation_time(white) == pytest.approx(1, abs=0.1)
    assert correlation_time(smooth) == pytest.approx(10, rel=0.1)
    for of_mean, worth in ((1 / 12, 12), (1 / 6, 6), (2.0, 1), (np.inf, 1), (0.0, 12)):
        assert effective_samples(white, 1.0, of_mean) == pytest.approx(worth * 4000, rel=0.15)


def test_wanted_boxes():
    assert wanted(3, 0.4, 0.1) == 48  # a quarter of the width takes sixteen times as many
    assert wanted(3, 0.4, 0.0) == wanted(3, np.inf, 0.1) == np.inf
