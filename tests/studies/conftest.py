"""Studies as a user runs them, within this process."""

import importlib
import subprocess

import pytest

from validation import cli


@pytest.fixture
def study(tmp_path, monkeypatch, capsys):
    """`study("salts", "KCl", ...)`: the command line of a study, run in an empty folder."""

    def call(name, *words):
        monkeypatch.chdir(tmp_path)
        module = importlib.import_module(f"studies.{name}.__main__")
        code = cli.run(module.app, f"python -m studies.{name}", [str(word) for word in words])
        streams = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, streams.out, streams.err)

    return call
