"""Commands as a user runs them: the installed scripts, in a folder of their own."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from validation import cli

SCRIPTS = Path(sys.executable).parent


def run_command(*words, cwd, timeout=600, env=None):
    """Run `validate ...` or `transslit ...`; returns the finished process with text streams."""
    program, *arguments = (str(word) for word in words)
    return subprocess.run(
        [SCRIPTS / program, *arguments], cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False, env=env
    )


CONTINUUM = ("validate", "--slit", "0.59nm", "--stages", "continuum,discover,circuit", "--out", "run")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Folder and standard output of a finished run of the continuum half of the chain."""
    folder = tmp_path_factory.mktemp("validate")
    done = run_command(*CONTINUUM, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "run", done.stdout


def hears_interrupts():
    """A shell's background jobs ignore Ctrl-C, and so would their children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start(tmp_path):
    """Start that run in an empty folder and return the process, to be killed."""

    def begin():
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(
            [SCRIPTS / CONTINUUM[0], *CONTINUUM[1:]], cwd=tmp_path, preexec_fn=hears_interrupts, **streams
        )

    return begin


@pytest.fixture
def inside(tmp_path, monkeypatch, capsys):
    """`inside("validate", "--slit", ...)`: the same command line within this process, for speed."""

    def call(program, *arguments):
        monkeypatch.chdir(tmp_path)
        typer_app = {"validate": cli.validate_app, "transslit": cli.app}[program]
        code = cli.run(typer_app, program, [str(word) for word in arguments])
        streams = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, streams.out, streams.err)

    return call


@pytest.fixture
def command(tmp_path):
    """`command("validate", "--slit", ...)` in an empty folder."""
    return lambda *words, **options: run_command(*words, **{"cwd": tmp_path, **options})
