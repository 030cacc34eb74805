"""Every fenced command and snippet of the README and of docs/ runs, one after the other, in a folder of its page."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from distributed import LocalCluster

from tests.system.conftest import SCRIPTS
from tests.system.test_electrolytes import blocks as blocks_of_electrolytes

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CLUSTER = "tcp://node1:8786"
INSTALL = "python3 -m venv"  # what .ci/run and test_interpreters run
SLOW = (
    "transslit md",
    "validate --slit",
    "sweep claims",
    "sweep continuum",
    "sweep discover",
    "--md",
    "from md",
    "SLURM",
)
# What a page's snippets take from elsewhere: names in Python, runs and files of the shell.
NAMES = """
from pathlib import Path
from transslit import load_electrolyte
folder, electrolyte, waters = Path("runs/python"), load_electrolyte("KCl"), 512
"""
RUNS = {
    "discovery": """
for d in 1.5 2 3; do transslit continuum --slit ${d}nm --layers 6 --steps 40 --cycles 2 --out runs/${d}nm -q; done
transslit continuum --slit 2nm --layers 5 --steps 60 --out runs/cv -q
python -c "import pandas as pd; from transslit import TransSlitRecord as T; from pathlib import Path
T.read(Path('runs/cv')).joined()[['dphi_V', 'I_A_per_m', 'Q_C_per_m', 'i']].iloc[5:].to_csv('data.csv', index=False)"
""",
    "sweeps": "transslit continuum --slit 2nm --layers 5 --steps 60 --out runs/cv -q",
    "verdicts": f"""
transslit continuum --slit 2nm --layers 5 --steps 60 --out runs/cv -q
cp -r {ROOT}/md/reference/charge-step-10ps runs/md
transslit continuum --slit 0.59nm --layers 4 --drive charge-step --charge 0.25C/m^2 --duration 10ps --out runs/step -q
""",
}
ELSEWHERE = {
    "claims": "tests/validation/claims/test_claims.py: it adds a claim to the registry, which a test takes away"
}


def snippets(page):
    """(language, text) of the fenced blocks that can be run."""
    found = FENCED.findall(page.read_text(encoding="utf-8"))
    return [(language, text) for language, text in found if language in ("sh", "python") and INSTALL not in text]


def commands(page):
    """Each command of a page, in order: lines of the shell, whole snippets of Python; and whether it takes long."""
    for language, text in snippets(page):
        for command in text.strip().splitlines() if language == "sh" else [text]:
            if command.strip() and not command.startswith("#"):
                yield language, command, any(word in " ".join(command.split()) for word in SLOW)


def run(language, command, folder):
    if CLUSTER in command:  # stands for the address of a reader's own
        with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
            run(language, command.replace(CLUSTER, cluster.scheduler_address), folder)
        return
    environment = os.environ | {"PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", "MPLBACKEND": "Agg"}
    words = ["bash", "-euo", "pipefail", "-c", command] if language == "sh" else [sys.executable, "-c", NAMES + command]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=3000)
    judged = command.startswith("transslit judge")  # 1: a required check of the record fails
    assert done.returncode in ((0, 1) if judged else (0,)), f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def prepare(page, folder):
    if page.stem in RUNS:
        run("sh", RUNS[page.stem], folder)
    if page.stem in ("README", "electrolytes"):
        (folder / "LiBr.toml").write_text(blocks_of_electrolytes("toml")[0], encoding="utf-8")


def test_every_kind_of_block_is_known():
    """Shell and Python run; others are formulas, output and files, which have no language or a file's."""
    languages = {language for page in PAGES for language, _ in FENCED.findall(page.read_text(encoding="utf-8"))}
    assert languages <= {"sh", "python", "toml", "text", ""}


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem not in ELSEWHERE], ids=lambda page: page.stem)
def test_what_a_page_says_runs(page, tmp_path):
    """Without what takes minutes, and what needs its results."""
    quick = [(language, command) for language, command, slow in commands(page) if not slow]
    if quick:
        prepare(page, tmp_path)
    for language, command in quick:
        run(language, command, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(4000)
@pytest.mark.parametrize("page", [page for page in PAGES if page.stem not in ELSEWHERE], ids=lambda page: page.stem)
def test_so_does_the_rest(page, tmp_path):
    """All of it, in order; the cluster's address is that of one on this machine."""
    if not any(slow for _, _, slow in commands(page)):
        return
    prepare(page, tmp_path)
    for language, command, _ in commands(page):
        if "SLURMCluster" not in command:  # of another package; test_scheduler runs what it starts
            run(language, command, tmp_path)
