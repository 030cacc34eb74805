"""Commands as a user runs them: the installed scripts, in a folder of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(sys.executable).parent


def run_command(*words, cwd, timeout=600):
    """Run `validate ...` or `transslit ...`; returns the finished process with text streams."""
    program, *arguments = (str(word) for word in words)
    return subprocess.run(
        [SCRIPTS / program, *arguments], cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False
    )


@pytest.fixture
def command(tmp_path):
    """`command("validate", "--slit", ...)` in an empty folder."""
    return lambda *words, **options: run_command(*words, **{"cwd": tmp_path, **options})
