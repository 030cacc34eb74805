"""What is left to do is counted and timed before it starts; what is finished is not."""

import re

import pytest

import md
from transslit import load_electrolyte
from transslit.progress import Progress
from transslit.runs import RunFolder
from validation.claims import cost as plan
from validation.presets import STAGES, ClaimsConfig

DAY = 86400.0


def runs(text):
    return int(re.search(r"\((\d+) runs\)", text).group(1))


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    """`told(stages, days, claims, salt)`: what is said of a run folder where the atoms take so many days."""

    def say(stages, days=0.01, claims=False, salt="KCl"):
        salt = load_electrolyte(salt)
        cell = md.Cell(md.quick(0.59e-9, salt, salt.concentration))
        monkeypatch.setattr(md, "workload", lambda cell, folder: (1234, days * DAY))
        config = ClaimsConfig(electrolyte=salt, concentration=salt.concentration) if claims else None
        plan.announce(RunFolder(tmp_path), cell if "md" in stages else None, config, stages, Progress())
        return capsys.readouterr().err

    return say


def test_days_of_atoms_come_with_a_way_around_them(told):
    text = told(STAGES, days=19.0, claims=True)
    assert "molecular dynamics 19 days (1234 atoms, 3 replicas)" in text
    assert "--stages ions,continuum,discover,circuit,claims does the rest first" in text
    assert runs(text) > 50
    assert "evidence for the claims 4 min" in text  # 4 s a run; the atoms are this validation's own
    assert "the same command resumes" in text


def test_an_evening_of_atoms_is_no_matter(told):
    assert "--stages" not in told(STAGES[:-1], days=0.2)
    assert "--stages" not in told(("md",), days=19.0)  # nothing else is asked for


@pytest.mark.parametrize(("salt", "more"), [("KCl", 0), ("NaCl", 1)])  # a record of KCl comes with the suite
def test_without_atoms_of_its_own_the_claims_need_some(told, salt, more):
    counts = [runs(told((*atoms, "continuum", "claims"), claims=True, salt=salt)) for atoms in (("md",), ())]
    assert counts[1] == counts[0] + more


def test_what_is_there_is_not_announced(told, tmp_path):
    for name in plan.PARTS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}", encoding="utf-8")
    assert "continuum, law" not in told(STAGES[:-1])
    (tmp_path / "md").mkdir()
    (tmp_path / "md" / "manifest.json").write_text("{}", encoding="utf-8")
    assert told(STAGES[:-1]) == ""


@pytest.mark.parametrize(("seconds", "words"), [(5, "1 min"), (600, "10 min"), (3 * 3600, "3 h"), (5 * DAY, "5 days")])
def test_times_in_words(seconds, words):
    assert plan.approximate_duration(seconds) == words
