"""`validate` as a user runs it: the continuum half of the chain by default, all of it behind `slow`."""

import json
import os
import signal
import time

import pandas as pd
import pytest

from transslit import Law, TransSlitRecord

CONTINUUM = ("validate", "--slit", "0.59nm", "--stages", "continuum,discover,circuit", "--out", "run")


def verdicts(folder):
    return {row["id"]: row for row in json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))}


def test_standard_output_is_one_json_object(finished):
    folder, stdout = finished
    assert stdout.count("\n") == 1
    assert json.loads(stdout)["verdicts"] == list(verdicts(folder).values())


def test_the_folder_holds_what_is_promised(finished):
    folder, _ = finished
    record = TransSlitRecord.read(folder)
    assert record.crossings["i"].max() == 4  # six layers, five slits
    assert record.terminal["time_s"].max() == pytest.approx(2 * 0.4 / 2e4)
    for name in ("law.json", "verdicts.json", "report.html", "manifest.json"):
        assert (folder / name).stat().st_size > 0
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert {"continuum-cv", "discover", "circuit"} == set(manifest["stages"])
    for identity in verdicts(folder):  # the table that each number follows from
        assert len(pd.read_parquet(folder / "tables" / f"{identity}.parquet")) > 0, identity


def test_diffusion_enhances_migration_in_the_continuum_cv(finished):
    found = verdicts(finished[0])
    assert found["cv.pos.1.sign"]["verdict"] == "pass"
    assert found["cv.pos.1.sign"]["value"] > 0.99


def test_a_filled_slit_resists_less(finished):
    """At 0.59 nm by some 70 %, more than the half of the paper at 1.5 nm, and on a curve."""
    law = Law.read(finished[0])
    empty, half, full = law.resistance()[0](pd.Series([0.0, 0.5, 1.0]).to_numpy())
    assert 1 - full / empty == pytest.approx(0.7, abs=0.05)
    assert full < half < empty
    assert law.metrics["r2_held_out"] > 0.98


def test_required_checks_pass_and_each_has_a_reason(finished):
    found = verdicts(finished[0])
    required = [row for row in found.values() if row["required"]]
    assert {row["id"] for row in required} == {"verify.cv.parts", "cv.pos.1.sign"}
    assert {row["verdict"] for row in required} == {"pass"}
    assert all(row["reason"] and row["tolerance"] and row["setting"] for row in found.values())


def test_running_again_reuses_everything(finished, command):
    folder, stdout = finished
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.suffix in (".parquet", ".html", ".json")}
    frames = {path: path.stat().st_mtime_ns for path in folder.rglob("*.h5")}
    done = command(*CONTINUUM, "--json", cwd=folder.parent)
    assert done.stdout == stdout
    assert frames
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.h5")} == frames  # no stage ran again
    changed = [path.name for path, content in before.items() if path.read_bytes() != content]
    assert changed == []


def test_another_configuration_is_refused(finished, command):
    folder, _ = finished
    before = (folder / "manifest.json").read_bytes()
    done = command(*CONTINUUM, "--seed", "1", cwd=folder.parent)
    assert done.returncode == 2
    assert "seed 0 there, 1 here" in done.stderr
    assert (folder / "manifest.json").read_bytes() == before


def wait_for(path, process, limit=180):
    end = time.monotonic() + limit
    while not path.exists():
        assert process.poll() is None, "finished before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_killed_run_is_alone_resumes_and_gives_the_same_record(finished, command, start, tmp_path):
    first = start()
    wait_for(tmp_path / "run" / "continuum-cv" / "started.json", first)
    time.sleep(2.0)  # somewhere in the middle of the voltammogram
    second = command(*CONTINUUM)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert second.returncode == 2
    assert "another run" in second.stderr
    done = command(*CONTINUUM)
    assert done.returncode == 0, done.stderr
    for name in ("crossings", "slits", "terminal"):
        once, resumed = (
            pd.read_parquet(folder / "record" / f"{name}.parquet") for folder in (finished[0], tmp_path / "run")
        )
        pd.testing.assert_frame_equal(once, resumed, check_exact=True)
    assert (finished[0] / "law.json").read_text() == (tmp_path / "run" / "law.json").read_text()


def test_an_interrupt_says_how_to_resume(start, tmp_path):
    process = start()
    wait_for(tmp_path / "run" / "continuum-cv" / "started.json", process)
    while process.poll() is None:  # Python loses an interrupt that falls into a finaliser: press again, as a user would
        process.send_signal(signal.SIGINT)
        time.sleep(4)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; the same command resumes" in said


@pytest.mark.slow
def test_the_whole_chain(command, tmp_path):
    """Atoms included; a quarter of an hour is promised on two free cores, and a third more allowed for busy ones."""
    began = time.monotonic()
    done = command("validate", "--slit", "0.59nm", "--out", "run", timeout=1500)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 1200
    found = verdicts(tmp_path / "run")
    assert found["verify.md.starts"]["verdict"] == "pass"
    assert 0.5 < found["verify.md.neutralised"]["value"] < 1.1
    assert found["verify.md.reservoir"]["verdict"] == "pass"
    assert 0.2 < found["against.1.charge"]["value"] < 1.2  # ten picoseconds fill a good part of what the sheets ask for
