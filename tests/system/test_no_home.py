"""A user id without an account and a home folder, as in many containers, runs the commands in silence."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

SCRIPTS = Path(sys.executable).parent
UID = "12345"
READS = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")  # where Python lies in root's home folder
COMMANDS = {
    "list": ("electrolytes", "list"),
    "show": ("electrolytes", "show", "KCl"),
    "continuum": ("continuum", "--slit", "1nm", "--layers", "2", "--steps", "8"),
    "circuit": ("circuit", "--resistance", "5ohm"),
    "figure": ("continuum", "--slit", "1nm", "--layers", "4", "--steps", "8", "--figures", "--out", "drawn"),
}
SAID = dict.fromkeys(("continuum", "figure"), ("Continuum: cv ...", "Continuum: cv: done in "))


@pytest.fixture(scope="module")
def homeless():
    """`homeless("electrolytes", "list")` in a folder that anyone may write, with PATH alone in its environment."""
    if not hasattr(os, "geteuid") or os.geteuid() or not shutil.which("setpriv"):
        pytest.skip("only root, and with setpriv, can become a user id without an account")
    become = ["setpriv", "--reuid", UID, "--regid", UID, "--clear-groups"]
    alone = ["env", "-i", f"PATH={os.environ['PATH']}"]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)

        def run(*words):
            return subprocess.run([*become, *alone, *words], cwd=folder, capture_output=True, text=True, check=False)

        home = "import pathlib\ntry: print(pathlib.Path.home())\nexcept RuntimeError: print(None)"
        if run(sys.executable, "-c", home).returncode:
            become += READS
        if run(sys.executable, "-c", home).stdout != "None\n":
            pytest.skip(f"user id {UID} has a home folder or may not run this Python")
        yield lambda *words: run(SCRIPTS / "transslit", *words)


@pytest.mark.parametrize("name", COMMANDS)
def test_it_runs_in_silence(homeless, name):
    done = homeless(*COMMANDS[name])
    assert done.returncode == 0, done.stderr
    told = done.stderr.splitlines()
    said = SAID.get(name, [])
    assert len(told) == len(said), done.stderr
    assert all(line.startswith(start) for line, start in zip(told, said, strict=True))
    assert done.stdout


def test_the_shipped_electrolytes_are_those_of_everyone(homeless, command):
    words = ("electrolytes", "list", "--json")
    env = {name: value for name, value in os.environ.items() if name != "XDG_CONFIG_HOME"} | {"HOME": os.devnull}
    assert json.loads(homeless(*words).stdout) == json.loads(command("transslit", *words, env=env).stdout)
