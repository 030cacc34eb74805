"""Every study says question, command, cost and answer, and its command runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

STUDIES = Path(__file__).parents[2] / "studies"
NAMES = sorted(path.name for path in STUDIES.iterdir() if (path / "__init__.py").exists())


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_says_what_a_reader_needs(name):
    text = (STUDIES / name / "README.md").read_text(encoding="utf-8")
    for word in ("**Question.**", "**Command**", f"python -m studies.{name}", "**Cost.**", "**Answer.**"):
        assert word in text, word
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (STUDIES / name / target).exists(), target


@pytest.mark.parametrize("name", NAMES)
def test_the_command_runs_from_a_checkout(name):
    words = [sys.executable, "-m", f"studies.{name}", "--help"]
    done = subprocess.run(words, cwd=STUDIES.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"python -m studies.{name}" in done.stdout
