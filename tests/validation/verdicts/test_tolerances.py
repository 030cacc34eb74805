"""A group's own tolerances: judged again, refused by name, left aside where a run did not judge their kind."""

import pandas as pd
import pytest

from transslit import BadInput
from validation.claims.registry import CLAIMS, Finding
from validation.verdicts.tolerances import apply_tolerances, read_tolerances
from validation.verdicts.verdict import Estimate, Measured, exit_code, judge, part
from validation.verdicts.words import FAMILIES


@pytest.fixture
def table(tmp_path):
    """`table(text)`: the tolerances of a TOML file."""

    def read(text):
        path = tmp_path / "ours.toml"
        path.write_text(text, encoding="utf-8")
        return read_tolerances(path, {*FAMILIES, *CLAIMS})

    return read


@pytest.fixture
def verdicts():
    check = judge(
        "against.1.charge", "charge", Estimate(0.85, 0.83, 0.87), low=0.9, high=1.1, reason="ours", setting=""
    )
    parts = (
        part("share", Measured(0.97, 0.01), low=0.95, reason="planted"),
        part("slope", Measured(-0.1, 0.01, (0.02, 0.02)), high=0.0, reason="planted"),
    )
    return [check, CLAIMS["C03"].verdict(Finding(parts, "planted", pd.DataFrame()))]


def test_limits_requirement_and_reason(table, verdicts):
    check, claim = apply_tolerances(
        verdicts,
        table('["against.1.charge"]\nlow = 0.8\nreason = "our cell"\n["C03.a"]\nlow = 0.99\n[C03]\nrequired = true\n'),
    )
    assert (check.verdict, check.tolerance, check.reason) == ("pass", "0.8 to 1.1", "our cell")
    assert claim.verdict == "not reproduced"
    assert claim.value == 0.97
    assert claim.required
    assert exit_code([check, claim], strict=False) == 1
    assert exit_code(verdicts, strict=False) == 0


def test_a_pass_by_ones_own_limits_must_survive_the_inputs_too(table, verdicts):
    _, claim = apply_tolerances(verdicts, table('["C03.b"]\nhigh = -0.085\n'))
    assert claim.verdict == "inconclusive"


def test_kinds_that_were_not_judged_are_left_aside(table, verdicts):
    assert apply_tolerances(verdicts, table('["md.pos.1.sign"]\nlow = 0.9\n[C11]\nrequired = true\n')) == verdicts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('["against.1.charg"]\nlow = 0', "against.1.charg: no such check or claim; nearest: against.1.charge"),
        ('["C03.c"]\nlow = 0', "C03.c: no such check or claim; nearest: C03"),
        ("[C99]\nlow = 0", "C99: no such check or claim"),
        ("[C03]\nlow = 0", "C03: has several parts; give limits for C03.a, C03.b"),
        ("[C03.a]\nlow = 0", "quote ids with dots"),
        ("[C03]\nlower = 0", "lower"),
        ('["C03.a"]\nlow = 2\nhigh = 1', "low (2) is above high (1)"),
        ('["against.1.charge"]\nlow = 2', "low 2 is above high 1.1; give both"),
        ("[C03", "is not valid TOML"),
        ("[C03]\nlow = nan", "low"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(table, verdicts, text, said):
    with pytest.raises(BadInput) as caught:
        apply_tolerances(verdicts, table(text))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        read_tolerances(tmp_path / "none.toml", set())
