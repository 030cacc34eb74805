"""Run folders under any sequence of starts, kills, damages and changed options: what is finished is what it should be.

A killed run is one whose process ends between two renames of files; what it leaves is taken up by the next start. After
damage a start may refuse, in one line, but neither it nor a reader may give another result.
"""

import contextlib
import io
import os
import shutil
import tempfile
from pathlib import Path
from unittest import mock

import pandas as pd
import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from transslit import BadInput, TransSlitRecord
from transslit.files import read_table
from validation import cli

CONTINUUM = ("continuum", "--slit", "1nm", "--layers", "3", "--steps", "24", "--refinement", "0.3", "--window")
CIRCUIT = ("circuit", "--resistance", "5ohm", "--layers", "3", "--points", "30", "--window")
RUNS = [(*stage, window) for stage in (CONTINUUM, CIRCUIT) for window in ("0.2V", "0.3V")]
TERMINAL = ("time_s", "V_m_V", "phi_m_V", "I_m_A")


class Killed(BaseException):
    """The end of the process."""


def call(words, out):
    """Exit code and standard error of a command that writes into `out`."""
    err = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
        code = cli.run(cli.app, "transslit", [*words, "--out", str(out)])
    return code, err.getvalue()


def result(words, out):
    """The tables that a finished run left, through the readers that everything uses."""
    if words[0] == "circuit":
        return [read_table(out / "terminal.parquet", "circuit", TERMINAL)]
    record = TransSlitRecord.read(out)
    return [record.crossings, record.slits, record.terminal]


def content(folder):
    """Every file's bytes, but those of the lock."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The tables of each run, made in a folder of its own."""
    found = {}
    for number, words in enumerate(RUNS):
        out = tmp_path_factory.mktemp("undisturbed") / str(number)
        assert call(words, out)[0] == 0
        found[words] = result(words, out)
    return found


class Folders(RuleBasedStateMachine):
    """One run folder, and what is known of it: which run claimed it, whether it is finished, whether it was damaged."""

    expected: dict

    @initialize()
    def begin(self):
        self.place = Path(tempfile.mkdtemp())
        self.out = self.place / "run"
        self.owner, self.damaged, self.finished = None, False, False

    def teardown(self):
        shutil.rmtree(self.place, ignore_errors=True)

    def same(self, words):
        found = result(words, self.out)
        for table, known in zip(found, self.expected[words], strict=True):
            pd.testing.assert_frame_equal(table, known, check_exact=True)

    @rule(words=st.sampled_from(RUNS))
    def start(self, words):
        before = content(self.out)
        code, err = call(words, self.out)
        note(f"{words} {code} {err}")
        if code == 0:
            self.same(words)
            self.owner, self.finished = words, True
            return
        assert code in (2, 3)
        assert err.count("\n") >= 1
        assert sum("error" in line for line in err.splitlines()) == 1
        if self.owner not in (None, words) and not self.damaged:
            assert code == 2
            assert "another configuration" in err
            assert content(self.out) == before
        else:
            assert self.damaged

    @rule(words=st.sampled_from(RUNS), renames=st.integers(0, 12))
    def kill(self, words, renames):
        left = [renames]
        rename = Path.replace

        def until(path, target):
            if not left[0]:
                raise Killed
            left[0] -= 1
            return rename(path, target)

        with mock.patch.object(Path, "replace", until), contextlib.suppress(Killed):
            code, _ = call(words, self.out)
            if code == 0:
                self.same(words)
                self.owner, self.finished = words, True
            return
        if self.owner is None and (self.out / "started.json").exists():
            self.owner = words

    @rule(
        which=st.integers(0, 30),
        how=st.sampled_from(["flip", "cut", "empty", "junk", "remove"]),
        place=st.floats(0, 1, exclude_max=True),
        bit=st.integers(0, 7),
    )
    def damage(self, which, how, place, bit):
        files = sorted(content(self.out))
        if not files:
            return
        path = files[which % len(files)]
        raw = bytearray(path.read_bytes())
        note(f"{how} {path.name}")
        if how == "remove":
            path.unlink()
        elif how == "flip" and raw:
            raw[int(place * len(raw))] ^= 1 << bit
            path.write_bytes(raw)
        else:
            path.write_bytes({"cut": raw[: len(raw) // 2], "junk": bytes(range(64))}.get(how, b""))
        self.damaged, self.owner = True, None

    @precondition(lambda self: self.damaged)
    @rule()
    def follow_the_advice(self):
        shutil.rmtree(self.out)
        self.owner, self.damaged, self.finished = None, False, False

    @invariant()
    def a_reader_gives_the_result_or_refuses(self):
        if getattr(self, "finished", False) and not self.damaged:
            self.same(self.owner)
        elif getattr(self, "out", None) and self.out.exists():
            for words in (RUNS[0], RUNS[-1]):
                with contextlib.suppress(BadInput):
                    found = result(words, self.out)
                    assert any(
                        all(a.equals(b) for a, b in zip(found, known, strict=True))
                        for run, known in self.expected.items()
                        if run[0] == words[0]
                    )


def test_a_finished_result_is_that_of_an_undisturbed_run(undisturbed):
    effort = int(os.environ.get("CAMPAIGN", "1"))
    machine = type("Machine", (Folders,), {"expected": undisturbed})
    case = machine.TestCase
    case.settings = settings(
        max_examples=12 * effort,
        stateful_step_count=12,
        deadline=None,
        derandomize=effort == 1,
        suppress_health_check=list(HealthCheck),
    )
    case("runTest").runTest()
