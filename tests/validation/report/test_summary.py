"""The paragraph follows the numbers: other verdicts, other sentences."""

import pytest

from validation.report.summary import addresses, in_short, paragraphs
from validation.verdicts.verdict import Estimate, judge


def verdict(identity, value, low, high, u=0.0):
    estimate = Estimate(value, value - u, value + u)
    return judge(identity, "planted", estimate, low=low, high=high, reason="planted", setting="none")


def planted(charge=(1.0, 1.0), rise=(1.0, 1.0), sign=(0.9, 0.9, 1.0), u=0.01):
    found = [verdict(f"against.{i}.charge", value, 0.9, 1.1, u) for i, value in enumerate(charge, start=1)]
    found += [verdict(f"against.{i}.t63", value, 0.5, 2.0, u) for i, value in enumerate(rise, start=1)]
    return found + [
        verdict(f"{p}.pos.1.sign", v, 0.5, float("inf"), u) for p, v in zip(("md", "step", "cv"), sign, strict=True)
    ]


def test_where_all_agrees_it_holds():
    where, mechanism = paragraphs(planted(), 0.59e-9)
    assert where.startswith("At d = 0.59 nm the continuum (modified Poisson-Nernst-Planck) holds: of 4 comparisons")
    assert "4 agree, 0 disagree and 0 stay open" in where
    assert "disagrees on" not in where
    assert (
        "the charge stored when the shorter run ends in every slit (atoms over continuum 1.00 ± 0.01 and 1.00 ± 0.01)"
        in where
    )
    assert "agree that diffusion enhances migration" in mechanism
    assert "as under the step" in mechanism


def test_other_numbers_other_words():
    where, _ = paragraphs(planted(charge=(0.5, 1.0), rise=(0.02, 0.05)), 0.59e-9)
    assert "holds in part" in where
    assert "It agrees with the atoms on the charge stored when the shorter run ends in slit 2 (" in where
    assert "the charge stored when the shorter run ends in slit 1 (atoms over continuum 0.50 ± 0.01)" in where
    assert "how fast a slit fills (time to one level) in every slit (the atoms' is 20 to 50 times smaller)" in where
    assert paragraphs(planted(charge=(0.6, 1.0)), 0.59e-9) != paragraphs(planted(charge=(0.5, 1.0)), 0.59e-9)


def test_open_questions_stay_open():
    where, mechanism = paragraphs(planted(charge=(1.0, 1.0), u=0.6), 2e-9)
    assert where.startswith("At d = 2 nm")
    assert "is not confirmed anywhere" in where
    assert "The data do not decide on" in where
    assert "the atoms leave open whether the two agree" in mechanism


def test_nothing_agrees():
    assert "does not hold" in in_short(planted(charge=(0.1, 0.1), rise=(9.0, 9.0)), 0.59e-9)


@pytest.mark.parametrize(
    ("sign", "words"),
    [
        ((0.1, 0.1, 1.0), ("does not enhance migration under this drive", "the answer depends on the drive")),
        ((0.1, 0.9, 0.9), ("contradict each other", "as under the step")),
    ],
)
def test_the_mechanism_is_compared(sign, words):
    _, mechanism = paragraphs(planted(sign=sign), 0.59e-9)
    assert all(word in mechanism for word in words)


@pytest.mark.parametrize(("value", "word"), [(0.3, "less charge"), (-0.3, "more charge")])
def test_the_residual_has_a_direction(value, word):
    left = verdict("md.residual", value, -0.5, 0.5, 0.1)
    assert f"makes 30% ± 10% {word} cross than is counted" in paragraphs([*planted(), left], 0.59e-9)[1]


def test_without_a_comparison_nothing_is_said():
    assert paragraphs([verdict("verify.md.parts", 0.0, 0.0, 1.0)], 0.59e-9) == []
    assert in_short([], 0.59e-9) == ""


def test_differences_of_levels_have_an_address():
    found = [verdict(f"levels.{i}.particles", value, -0.25, 0.25, 0.05) for i, value in ((1, 0.0), (2, -0.6))]
    found.append(verdict("levels.1.water", 0.2, -0.25, 0.25, 0.5))
    particles, water = addresses(found)
    assert particles == (
        "That ions are particles changes the charge stored in slit 2 (-60% ± 5%)"
        " and changes nothing beyond a quarter in slit 1 (+0% ± 5%)."
    )
    assert water == "That water is molecules is not resolved in slit 1 (+20% ± 50%)."
    assert addresses([]) == []
