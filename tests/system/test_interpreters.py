"""The suite installs from a copy of this checkout into a fresh virtual environment of each Python, and runs there."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "runs", "studies")


def run(*words, cwd):
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_it_installs_and_runs(version, tmp_path):
    """An untouched checkout, versions of the constraints file, a folder apart from the source."""
    name = f"python{version}"
    found = shutil.which(name) and subprocess.run([name, "--version"], capture_output=True, check=False)
    if not found or found.returncode:
        pytest.skip(f"no {name} here")
    source, environment, work = (tmp_path / part for part in ("source", "environment", "work"))
    shutil.copytree(ROOT, source, ignore=LEFT_OUT)
    work.mkdir()
    run(name, "-m", "venv", environment, cwd=tmp_path)
    scripts = environment / "bin"
    run(scripts / "pip", "install", "-q", "-c", "constraints.txt", ".", cwd=source)
    assert run(scripts / "python", "--version", cwd=work).startswith(f"Python {version}.")
    assert "circuit" in run(scripts / "transslit", "--help", cwd=work)
    listed = json.loads(run(scripts / "transslit", "electrolytes", "list", "--json", cwd=work))
    assert {path.stem for path in (ROOT / "transslit" / "electrolytes").glob("*.toml")} <= set(listed["electrolytes"])
    told = json.loads(run(scripts / "transslit", "circuit", "--resistance", "5ohm", "--json", cwd=work))
    assert told["summary"]["smallest_resistance"] == {"value": 5.0, "unit": "ohm"}
    shutil.rmtree(environment)  # more than a gigabyte, which pytest would keep
