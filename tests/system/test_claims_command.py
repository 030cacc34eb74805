"""`transslit claims` as a user runs it, on claims that need no simulation."""

import json

import pytest

from validation.claims.judge import read_claims


def test_chosen_claims_leave_rows_parts_and_tables(inside, tmp_path):
    done = inside("transslit", "claims", "--claims", "c24,C22", "--out", "run", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    rows = json.loads((tmp_path / "run" / "claims.json").read_text(encoding="utf-8"))
    assert [row["id"] for row in rows] == ["C22", "C24"]
    assert sorted(row["id"] for row in said["verdicts"]) == ["C22", "C24"]
    for row in rows:
        assert row["verdict"] == "reproduced"
        assert {"value", "uncertainty", "tolerance", "reason", "setting", "figure", "statement", "u_numerical"} <= set(
            row
        )
        assert all(part["id"].startswith(f"{row['id']}.") for part in row["parts"])
        assert not row["required"]
    again = read_claims(tmp_path / "run")
    assert [claim.id for claim in again] == ["C22", "C24"]
    assert len(again[0].draw().axes) == 1  # from the table alone
    # Another claim joins those that are there.
    assert inside("transslit", "claims", "--claims", "C23", "--out", "run").returncode == 0
    assert [claim.id for claim in read_claims(tmp_path / "run")] == ["C22", "C23", "C24"]


def test_own_tolerances_decide_the_exit_code(inside, tmp_path):
    (tmp_path / "ours.toml").write_text('[C24]\nrequired = true\n["C24.b"]\nlow = 0.9\n', encoding="utf-8")
    done = inside("transslit", "claims", "--claims", "C24", "--tolerances", "ours.toml", "--out", "run")
    assert done.returncode == 1
    assert "not reproduced" in done.stdout
    rows = json.loads((tmp_path / "run" / "claims.json").read_text(encoding="utf-8"))
    assert rows[0]["verdict"] == "not reproduced"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--claims", "C99"], "claims: C99: give some of C01 to C27"),
        (["--claims", ""], "claims: : give some of C01 to C27"),
        (["--preset", "fast"], "preset: fast"),
        (["--concentration", "1"], "concentration: 1: give a concentration with its unit"),
        (["--electrolyte", "KCI"], "did you mean KCl"),
        (["--claims", "C04", "--md", "nowhere"], "record: nowhere: holds no trans-slit record"),
        (["--claims", "C24", "--tolerances", "none.toml"], "tolerances: none.toml: cannot be read"),
    ],
)
def test_bad_input_is_one_line(inside, options, said):
    done = inside("transslit", "claims", "--out", "run", *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
