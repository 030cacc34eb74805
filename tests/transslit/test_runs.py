"""The run store: reuse, refusal of another configuration, one owner, nothing half-written."""

import contextlib
import errno
import os
import signal
import subprocess
import sys
import textwrap

import pytest
from pydantic import create_model
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from transslit import BadInput, SlitNetwork, StageFailed
from transslit.config import SCHEMA, Config
from transslit.files import read_json, read_object, read_sealed, write_json, write_sealed
from transslit.runs import Results, matches, open_run, read_manifest

CONFIG = SlitNetwork(slit="2nm")


def counting(calls):
    def run(folder):
        calls.append(folder)
        (folder / "result").write_text("42")

    return run


def test_a_finished_stage_is_reused(tmp_path):
    calls = []
    for _ in range(2):
        with open_run(tmp_path) as run:
            folder, manifest = run.stage("a", CONFIG, counting(calls), seed=3)
    assert len(calls) == 1
    assert (folder / "result").read_text() == "42"
    assert manifest["seed"] == 3
    assert manifest["versions"]["numpy"]


def test_another_configuration_is_never_overwritten(tmp_path):
    calls = []
    with open_run(tmp_path) as run:
        run.stage("a", CONFIG, counting(calls))
        before = (tmp_path / "a" / "manifest.json").read_bytes()
        with pytest.raises(BadInput, match="layers 6 there, 7 here"):
            run.stage("a", SlitNetwork(slit="2nm", layers=7), counting(calls))
        with pytest.raises(BadInput, match="made from"):
            run.stage("a", CONFIG, counting(calls), inputs={"record": "another"})
    assert len(calls) == 1
    assert (tmp_path / "a" / "manifest.json").read_bytes() == before


class Older(Config):
    tolerance: float = 1e-3
    network: SlitNetwork = CONFIG


Newer = create_model("Newer", __base__=Older, scheme=(str, "euler"))
Stricter = create_model("Stricter", __base__=Older, tolerance=(float, 1e-4))


def test_a_stage_is_reused_after_a_field_was_added_and_not_after_a_default_changed(tmp_path):
    calls = []
    with open_run(tmp_path) as run:
        run.stage("a", Older(), counting(calls))
        manifest = run.stage("a", Newer(), counting(calls))[1]
        assert manifest["config"]["network"]["layers"] == 6  # in full, whether or not it is the default
        assert matches(manifest, Newer())
        with pytest.raises(BadInput, match=r"scheme None there, bdf2 here"):
            run.stage("a", Newer(scheme="bdf2"), counting(calls))
        assert Stricter().digest == Older().digest
        assert not matches(manifest, Stricter())
        with pytest.raises(BadInput, match=r"tolerance 0.001 there, 0.0001 here"):
            run.stage("a", Stricter(), counting(calls))
    assert len(calls) == 1


@pytest.mark.parametrize("finished", [True, False])
def test_a_folder_of_another_schema_is_refused(tmp_path, finished):
    def interrupted(folder):
        raise KeyboardInterrupt

    with open_run(tmp_path) as run:
        with contextlib.suppress(KeyboardInterrupt):
            run.stage("", CONFIG, counting([]) if finished else interrupted)
        path = tmp_path / ("manifest.json" if finished else "started.json")
        content = read_sealed(path) if finished else read_object(path)
        assert content.pop("schema") == SCHEMA
        (write_sealed if finished else write_json)(path, content)
        with pytest.raises(BadInput, match=rf"another version of transslit \(schema 1 there, {SCHEMA} here\)"):
            run.stage("", CONFIG, counting([]))
    assert read_manifest(tmp_path).get("config") == (CONFIG.model_dump(mode="json") if finished else None)


def test_an_unfinished_stage_continues_only_with_its_own_configuration(tmp_path):
    def broken(folder):
        (folder / "checkpoint").write_text("half")
        raise KeyboardInterrupt

    with open_run(tmp_path) as run, pytest.raises(KeyboardInterrupt):
        run.stage("a", CONFIG, broken)
    with open_run(tmp_path) as run:
        with pytest.raises(BadInput, match="another configuration"):
            run.stage("a", SlitNetwork(slit="3nm"), broken)
        folder, _ = run.stage("a", CONFIG, counting([]))
    assert (folder / "checkpoint").read_text() == "half"
    assert not (folder / "started.json").exists()


def flock_fails(monkeypatch, number):
    """The system's lock fails, as it does on some network file systems."""

    def failing(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", failing)


BEFORE = {True: "", False: "import fcntl\ndef none(*_): raise OSError(errno.ENOLCK, '')\nfcntl.flock = none"}


@pytest.mark.parametrize("locks", [True, False])
def test_a_second_run_is_refused_and_a_killed_one_leaves_no_lock(tmp_path, monkeypatch, locks):
    """Also where the file system has no locks."""
    script = textwrap.dedent(f"""
        import errno
        import time
        from pathlib import Path
        exec({BEFORE[locks]!r})
        from transslit.runs import open_run
        with open_run(Path({str(tmp_path)!r})):
            print("open", flush=True)
            time.sleep(60)
    """)
    if not locks:
        flock_fails(monkeypatch, errno.ENOLCK)
    other = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "open\n"
    with pytest.raises(BadInput, match="another run") as refused, open_run(tmp_path):
        pass
    assert ("remove .lock-held" in refused.value.accepts) != locks
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    other.stdout.close()
    with open_run(tmp_path):
        pass


@pytest.mark.parametrize("name", ["ENOLCK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"])
def test_without_locks_a_file_marks_the_folder(tmp_path, monkeypatch, name):
    """What a run with locks left is no marker; the next run finds none."""
    with open_run(tmp_path):
        pass
    flock_fails(monkeypatch, getattr(errno, name))
    for _ in range(2):
        with open_run(tmp_path):
            assert (tmp_path / ".lock-held").exists()
            with pytest.raises(BadInput, match="another run"), open_run(tmp_path):
                pass
        assert not (tmp_path / ".lock-held").exists()


def test_another_fault_of_the_lock_is_not_another_run(tmp_path, monkeypatch):
    flock_fails(monkeypatch, errno.EIO)
    with pytest.raises(BadInput, match=f"cannot be written .{os.strerror(errno.EIO)}"), open_run(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_bad_input(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be written"), open_run(tmp_path / "file" / "run"):
        pass


def test_a_full_disk_is_one_line_and_keeps_what_was_finished(tmp_path):
    def full(folder):
        raise OSError(28, "No space left on device")

    with open_run(tmp_path) as run:
        run.stage("a", CONFIG, counting([]))
    with pytest.raises(BadInput, match="No space left"), open_run(tmp_path) as run:
        run.stage("b", CONFIG, full)
    assert read_json(tmp_path / "a" / "manifest.json") is not None
    assert read_json(tmp_path / "b" / "manifest.json") is None


def test_json_is_whole_or_absent(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "x.json", {"bad": float("nan")})
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "x.json").write_text('{"torn": ')
    with pytest.raises(BadInput, match="damaged"):
        read_json(tmp_path / "x.json")
    assert read_json(tmp_path / "y.json") is None


def refusing(folder):
    raise BadInput("law", "q", "is no resistance")


def test_a_refused_stage_leaves_its_folder_to_another_configuration(tmp_path):
    """Unless it has left a file there already."""

    def half(folder):
        (folder / "frames").touch()
        refusing(folder)

    with open_run(tmp_path) as run:
        for work, other in ((refusing, counting([])), (half, refusing)):
            with pytest.raises(BadInput, match="no resistance"):
                run.stage(work.__name__, CONFIG, work)
            with (
                contextlib.nullcontext() if work is refusing else pytest.raises(BadInput, match="another configuration")
            ):
                run.stage(work.__name__, SlitNetwork(slit="3nm"), other)


def test_a_finished_stage_of_which_a_file_was_changed_or_lost_is_not_reused(tmp_path):
    def run_it():
        with open_run(tmp_path) as run:
            return run.stage("", CONFIG, counting([]))[1]

    assert list(run_it()["files"]) == ["result"]
    (tmp_path / "more.txt").write_text("put there later")
    run_it()
    (tmp_path / "result").write_text("43")
    with pytest.raises(BadInput, match=r"result: was changed"):
        run_it()
    (tmp_path / "result").unlink()
    with pytest.raises(BadInput, match=r"result: is missing"):
        run_it()


def test_a_manifest_with_another_number_is_refused(tmp_path):
    with open_run(tmp_path) as run:
        run.stage("", CONFIG, lambda folder: {"summary": {"current_A": 1.25}})
        path = tmp_path / "manifest.json"
        path.write_text(path.read_text().replace("1.25", "1.35"))
        with pytest.raises(BadInput, match="damaged"):
            run.stage("", CONFIG, counting([]))


def test_a_folder_with_files_of_no_run_is_left_alone(tmp_path):
    (tmp_path / "result").write_text("the user's own")
    with open_run(tmp_path) as run, pytest.raises(BadInput, match="holds result, which is of no run"):
        run.stage("", CONFIG, counting([]))
    assert (tmp_path / "result").read_text() == "the user's own"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "result"]


class Point(TypedDict):
    status: str
    values: dict[str, float | None]


POINT: Point = {"status": "done", "values": {"R_ohm": 0.1, "gamma": None}}


def test_a_result_is_what_was_written_or_not_there(tmp_path):
    results = Results(tmp_path, Point, "sweep")
    assert results.read("a") is None
    results.write("a", POINT)
    assert results.read("a") == POINT
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    whole = (tmp_path / "a.json").read_text()
    for damaged in (whole[:40], whole.replace("0.1", "0.2"), "", "[1]"):
        (tmp_path / "a.json").write_text(damaged)
        assert results.read("a") is None
    write_sealed(tmp_path / "a.json", {"status": "done", "values": {"R_ohm": "0.1"}})
    assert results.read("a") is None
    results.write("a", POINT)
    assert results.read("a") == POINT


def test_a_result_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(StageFailed, match=r"sweep: .*none cannot be written"):
        Results(tmp_path / "none", Point, "sweep").write("a", POINT)


def test_two_processes_write_the_same_result(tmp_path):
    """Whoever reads meanwhile finds nothing or a whole result, and no temporary file stays."""
    script = textwrap.dedent(f"""
        from pathlib import Path
        from transslit.runs import Results
        results = Results(Path({str(tmp_path)!r}), dict[str, float], "sweep")
        for n in range(300):
            results.write("a", {{str(k): float(n) for k in range(200)}})
    """)
    others = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(2)]
    results = Results(tmp_path, dict[str, float], "sweep")
    while not (tmp_path / "a.json").exists() and any(other.poll() is None for other in others):
        pass
    while any(other.poll() is None for other in others):
        content = results.read("a")
        assert content is not None
        assert len(set(content.values())) == 1
    assert [other.returncode for other in others] == [0, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
