"""Coverage of statistics of planted series, rise times and shares with known answers."""

import numpy as np
import pytest

from transslit.resampling import FISHER, SHARE
from transslit.series import (
    Series,
    as_table,
    difference,
    final_level,
    first_passage,
    layout,
    pearson,
    places,
    same_level,
    same_sign_share,
    series,
    stored,
)
from validation.verdicts.verdict import Estimate

BOX, HALF = (index.ravel() for index in np.indices((6, 4)))
TIME = np.linspace(0.05, 20, 400)
COVERED = {  # statistic of two courses, its scale, and what it is without noise
    "level": (lambda a, b: final_level(TIME, a), {}),
    "passage": (lambda a, b: first_passage(TIME, a, 0.5), {}),
    "slope": (lambda a, b: float(a @ b / (a @ a)), {}),
    "correlation": (pearson, {"scale": FISHER}),
    "share": (lambda a, b: same_sign_share(a - 0.5, b, a), {"scale": SHARE}),
}


@pytest.mark.parametrize("name", COVERED)
@pytest.mark.parametrize("effects", [(0.0, 0.0), (0.1, 0.0), (0.0, 0.1), (0.1, 0.1)])
def test_intervals_cover_what_follows_from_the_mean(name, effects):
    """Blocks whose level, rate and phase vary with the box and the half-electrode; 400 trials: 1 % at 95 %."""
    statistic, options = COVERED[name]
    rng, (of_box, of_half), hits = np.random.default_rng(5), effects, 0

    def courses(level, rate, phase):
        return level * (1 - np.exp(-rate * TIME / 2)), np.sin(TIME / 2 + phase) + TIME / 10

    truth = statistic(*courses(1.0, 1.0, 0.0))
    for _ in range(400):
        varied = rng.normal(0, 0.1, (24, 3)) + rng.normal(0, of_box or 1e-9, (6, 3))[BOX]
        varied += rng.normal(0, of_half or 1e-9, (4, 3))[HALF]
        first, second = (np.array(each) for each in zip(*(courses(1 + a, 1 + b, c) for a, b, c in varied), strict=True))
        found = Estimate.of(statistic, first, second, layout=(BOX, HALF), **options)
        assert found.low <= found.value <= found.high
        hits += found.low <= truth <= found.high
    assert 0.915 <= hits / 400 <= 0.99


def test_one_block_is_deterministic():
    estimate = Estimate.of(lambda mean: float(mean.sum()), np.ones((1, 5)))
    assert estimate.low == estimate.value == estimate.high == 5


def test_errors_of_measured_factors_add_to_the_interval():
    """f times a mean of 2: its own interval and 10 % of f, in quadrature, where few blocks leave that of the mean."""
    sample = 2 + np.random.default_rng(8).normal(size=(8, 1))

    def product(mean, factor):
        return float(mean[0] * factor)

    alone, both = (Estimate.of(product, sample, factors=[error]) for error in (0.0, 0.1))
    assert Estimate.of(product, np.full((8, 1), 2.0), factors=[0.1]).half_width == pytest.approx(1.96 * 0.2, rel=0.01)
    one = Estimate.of(product, sample, layout=(np.zeros(8), None), factors=[0.1])
    assert (one.low, one.high) == (-np.inf, np.inf)
    assert alone.half_width < both.half_width < np.hypot(alone.half_width, 0.1 * 2.4 * abs(both.value))


def test_first_passage_of_an_exponential():
    """To 63 % of the lower of two levels: after one time constant of the lower, and half the charge of the higher."""
    time = np.linspace(0, 20, 2001)
    low, high = (level * (1 - np.exp(-time / 2)) for level in (-4.0, -8.0))
    level = same_level((time, low), (time, high))
    assert level == pytest.approx(-4 * (1 - np.exp(-1)), rel=1e-3)
    assert first_passage(time, low, level) == pytest.approx(2.0, rel=2e-3)
    assert first_passage(time, high, level) == pytest.approx(-2 * np.log(1 - 0.632 / 2), rel=2e-3)
    assert np.isnan(first_passage(time, np.zeros_like(time), level))
    assert np.isnan(first_passage(time, low, -5.0))
    assert np.isnan(first_passage(time, low, 0.0))


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


def test_series_know_their_boxes_and_half_electrodes(make):
    record = make(noise=0.1)
    current = series(record, "I_A_per_m", 1, "both")
    assert [len(set(each)) for each in current.layout] == [6, 2]
    for data in (
        current.after(0.0),
        current.smoothed(1e-12),
        stored(record, 1),
        difference(record, "phi_V", 1, "both"),
    ):
        assert all(map(np.array_equal, data.layout, current.layout))
    assert as_table(I_A_per_m=current)["box"].nunique() == 6
    for label, half in record.metadata["half_cells"].items():
        half["start"] = int(label) % 2
    boxes, halves = places(record, [0, 1, 6, 7])
    assert (boxes.tolist(), halves.tolist()) == ([0, 1, 0, 1], [1, 1, 0, 0])
    assert layout(record, [0, 1, 6, 7])[0].tolist() == boxes.tolist()
    assert layout(record, [0, 1, 6, 7])[1] is None  # of different starts nothing but the start is shared
    record.metadata["half_cells"] = {}
    assert layout(record, [3, 5])[1] is None
    assert layout(record, [3, 5])[0].tolist() == [3, 5]


def test_a_band_is_the_interval_of_the_mean_at_each_time():
    values = np.random.default_rng(7).normal(size=(24, 5)) + np.arange(4)[HALF][:, None]
    low, high = Series(np.arange(5.0), values, BOX, HALF).band()
    for k in range(5):
        found = Estimate.of(lambda mean: float(mean[0]), values[:, [k]], layout=(BOX, HALF))
        assert (low[k], high[k]) == (pytest.approx(found.low), pytest.approx(found.high))
    assert np.isnan(Series(np.arange(5.0), values, np.zeros(24), HALF).band()).all()


def test_alike_blocks_widen_the_interval_and_are_worth_fewer_samples():
    """Copies in pairs are worth half of their number."""
    sample = np.repeat(np.random.default_rng(7).normal(size=(6, 30)), 2, axis=0)
    alone = Estimate.of(lambda mean: float(mean.mean()), sample)
    together = Estimate.of(lambda mean: float(mean.mean()), sample, layout=(np.repeat(np.arange(6), 2), None))
    assert together.half_width > 1.4 * alone.half_width
    assert together.boxes == 6
    assert alone.samples == pytest.approx(2 * together.samples, rel=0.1)


def test_one_box_decides_nothing():
    t = np.linspace(0, 1, 50)
    faces = np.array([np.sin(9 * t) + 3 * t, -np.sin(9 * t) - 2.9 * t])
    driver = np.tile(np.sin(9 * t), (2, 1))
    found = Estimate.of(pearson, driver, faces, layout=(np.array([0, 0]), np.array([0, 1])), scale=FISHER)
    assert found.inside(low=-2.0) == "inconclusive"
    assert "one box" in found.basis()
    apart = Estimate.of(pearson, driver, faces, layout=(np.array([0, 1]), None), scale=FISHER)
    assert apart.inside(low=-2.0) == "pass"
