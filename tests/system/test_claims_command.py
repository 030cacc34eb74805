"""`transslit claims` as a user runs it, on claims that need no simulation."""

import json
import re
from pathlib import Path

import pytest

import md
from transslit import load_electrolyte
from transslit.library import shipped
from transslit.progress import Progress
from transslit.runs import RunFolder
from validation.claims import CLAIMS
from validation.claims.judge import read_claims
from validation.claims.uncertainty import Evidence, Need
from validation.presets import ClaimsConfig


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
    assert len(CLAIMS["C22"].draw(again[0].evidence).axes) == 1  # from the table alone
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


def test_records_that_exist_are_used_by_the_claims_that_they_fit(inside, tmp_path):
    """A run of `transslit continuum` in the setting of the claims at 1.5 nm, which text gives but for round-off."""
    words = ["--stepping", "adaptive", "--scheme", "bdf2", "--step-tolerance", "0.03", "--steps", "400"]
    assert inside("transslit", "continuum", "--slit", "1.5nm", *words, "--out", "cv").returncode == 0
    small = ["--layers", "2", "--slit-length", "4nm", "--reservoir-length", "4nm", "--steps", "20"]
    assert inside("transslit", "continuum", "--slit", "1.5nm", *small, "--out", "other").returncode == 0
    atoms = Path(md.__file__).parent / "reference" / "charge-step-10ps"
    config = ClaimsConfig(electrolyte=load_electrolyte("KCl"), concentration=load_electrolyte("KCl").concentration)
    evidence = Evidence(config, RunFolder(tmp_path), Progress(quiet=True), [tmp_path / "cv", tmp_path / "other", atoms])
    left = [label for _, label, _ in evidence.left([Need("cv", (1.5e-9,)), Need("atoms")])]
    assert left == ["1.5 nm, coarser mesh", "1.5 nm, longer steps"]
    assert evidence.cv(1.5e-9).folder == tmp_path / "cv"
    assert evidence.atoms()[1].endswith("record given (charge-step-10ps)")
    assert evidence.unused == [tmp_path / "other"]
    done = inside("transslit", "claims", "--claims", "C24", "--record", "other", "--out", "run")
    assert done.returncode == 0
    assert "Claims: other is not used: no claim needs a run of its configuration." in done.stderr


def test_a_changed_record_is_refused(inside, tmp_path):
    small = ["--layers", "2", "--slit-length", "4nm", "--reservoir-length", "4nm", "--steps", "20"]
    assert inside("transslit", "continuum", "--slit", "1.5nm", *small, "--out", "run").returncode == 0
    with (tmp_path / "run" / "frames.h5").open("ab") as frames:
        frames.write(b"0")
    done = inside("transslit", "claims", "--claims", "C24", "--record", "run/record", "--out", "claims")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "record: run/frames.h5: was changed since it was written" in done.stderr


def test_a_salt_without_a_force_field_lacks_the_claim_on_atoms(inside, tmp_path):
    """Tolerances of checks, which a group keeps in the same file, are left aside."""
    ion = r"\[ions\.md\](?:\n[^\n]+)+\n"
    (tmp_path / "own.toml").write_text(re.sub(ion, "", shipped()["KCl"].read_text(encoding="utf-8")), encoding="utf-8")
    (tmp_path / "ours.toml").write_text('["cv.pos.1.sign"]\nlow = 0.9\n', encoding="utf-8")
    words = ("--claims", "C04,C24", "--electrolyte", "own.toml", "--tolerances", "ours.toml", "--json")
    done = inside("transslit", "claims", *words)
    assert done.returncode == 0, done.stderr
    assert [row["id"] for row in json.loads(done.stdout)["verdicts"]] == ["C24"]
    assert "C04 is not judged: own has no force field" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--claims", "C99"], f"claims: C99: give some of C01 to {max(CLAIMS)}"),
        (["--claims", ""], f"claims: : give some of C01 to {max(CLAIMS)}"),
        (["--preset", "fast"], "preset: fast"),
        (["--concentration", "1"], "concentration: 1: give a concentration with its unit"),
        (["--electrolyte", "KCI"], "did you mean KCl"),
        (["--claims", "C04", "--record", "nowhere"], "record: nowhere: holds no trans-slit record"),
        (["--claims", "C24", "--tolerances", "none.toml"], "tolerances: none.toml: cannot be read"),
    ],
)
def test_bad_input_is_one_line(inside, options, said):
    done = inside("transslit", "claims", "--out", "run", *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
