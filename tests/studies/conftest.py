"""Studies as a user runs them, within this process; planted records of the tests of validation."""

import importlib.util
import subprocess
from pathlib import Path

import pytest

from validation import cli

spec = importlib.util.spec_from_file_location("planted", Path(__file__).parents[1] / "validation" / "conftest.py")
planted = importlib.util.module_from_spec(spec)
spec.loader.exec_module(planted)


@pytest.fixture
def make():
    """The builder of planted records."""
    return planted.planted


@pytest.fixture
def study(tmp_path, monkeypatch, capsys):
    """`study("salts", "KCl", ...)`: the command line of a study, run in an empty folder."""

    def call(name, *words):
        monkeypatch.chdir(tmp_path)
        module = importlib.import_module(f"studies.{name}.__main__")
        code = cli.run(module.app, name, [str(word) for word in words])
        streams = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, streams.out, streams.err)

    return call
