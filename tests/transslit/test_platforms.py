"""What only Linux has is asked for with care: a stand-in for a system without it runs a command to its end."""

import ast
import io
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from transslit.progress import Progress

ROOT = Path(__file__).parents[2]
ROOMS = ("transslit", "md", "continuum", "discovery", "circuit", "validation")
MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "termios", "tty"}
CALLS = {
    *("fork", "forkpty", "getegid", "geteuid", "getgid", "getloadavg", "getuid", "killpg", "mkfifo", "nice", "setsid"),
    *("sched_getaffinity", "statvfs", "sysconf", "uname", "wait4", "SIGALRM", "SIGHUP", "SIGKILL", "EDQUOT"),
}
GUARDED = {("transslit/executor.py", "sched_getaffinity")}


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_asks_for_what_only_some_systems_have(room):
    """Neither imported nor called as an attribute; names in text (`getattr`) are guarded where they stand."""
    found = set()
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
            names |= {node.module or ""} if isinstance(node, ast.ImportFrom) else set()
            calls = {node.attr} if isinstance(node, ast.Attribute) else set()
            found |= {(path.relative_to(ROOT).as_posix(), name) for name in names & MODULES | calls & CALLS}
    assert found <= GUARDED


ELSEWHERE = """
    import errno, os, signal, sys
    for name in ("resource", "pwd", "grp", "termios"):
        sys.modules[name] = None  # its import fails
    for module, names in {os: ("sched_getaffinity", "geteuid", "statvfs"), errno: ("EDQUOT", "ENOLCK")}.items():
        for name in names:
            delattr(module, name)
    import importlib, pkgutil
    for room in ("transslit", "md", "continuum", "discovery", "circuit", "validation"):
        for module in pkgutil.walk_packages(importlib.import_module(room).__path__, f"{room}."):
            importlib.import_module(module.name)
    from md.propagate import choose_platform
    from validation import cli
    choose_platform("CPU")
    sys.exit(cli.run(cli.app, "transslit", ["circuit", "--resistance", "5ohm", "--out", "run"]))
"""


def test_a_command_runs_without_what_only_some_systems_have(tmp_path):
    """Every module of every room is imported, the threads of atoms are counted, and a circuit runs."""
    script = textwrap.dedent(ELSEWHERE)
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "smallest_resistance_ohm: 5" in done.stdout
    assert (tmp_path / "run" / "manifest.json").exists()


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("title", ["[emim][BF4]", "[/x]"])
def test_a_bar_shows_its_title_and_note_letter_by_letter(title, monkeypatch):
    """Square brackets are no markup."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Progress().task(title, 2) as advance:
        advance(2, f"with {title}")
    shown = sys.stderr.getvalue()
    assert f"{title:<26}" in shown
    assert f"with {title}" in shown
