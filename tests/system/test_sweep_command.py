"""`transslit sweep` as a user runs it: every flag of the stage, one table, one line for each fault."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

ELEMENTS = ["--resistance", "5ohm", "--layers", "4", "--points", "101", "--workers", "1", "--out", "run"]


def test_a_sweep_of_circuits_leaves_one_tidy_table_and_a_plot(inside, tmp_path):
    words = ["--vary", "gamma=0:0.9:2", "--vary", "open-resistance=1ohm,2ohm", "--plot", "area:gamma"]
    done = inside("transslit", "sweep", "circuit", *ELEMENTS, *words, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["counts"] == {"done": 4, "failed": 0, "pending": 0}
    table = pd.read_csv(tmp_path / told["files"][0])
    assert table["open_resistance_ohm"].tolist() == [1, 2, 1, 2]
    assert table["peak_current_A"].iloc[2] > table["peak_current_A"].iloc[0]
    assert (pd.read_parquet(tmp_path / "run" / "sweep.parquet")["gamma"] == table["gamma"]).all()
    assert (tmp_path / "run" / "area_W-over-gamma.png").stat().st_size > 10_000


def test_failed_points_are_told_by_the_exit_code(inside):
    done = inside("transslit", "sweep", "circuit", *ELEMENTS, "--vary", "gamma=0,2")
    assert done.returncode == 3
    assert "1 done, 1 failed" in done.stdout
    assert "reaches zero" in done.stdout


def test_a_flag_is_varied_by_its_truth(inside, tmp_path):
    done = inside("transslit", "sweep", "circuit", *ELEMENTS, "--vary", "half-cell=yes,false,maybe")
    assert done.returncode == 3
    assert "1 failed: half_cell: maybe: give true or false" in done.stdout
    table = pd.read_csv(tmp_path / "run" / "sweep.csv")
    whole, half = table["peak_current_A"][1], table["peak_current_A"][0]
    assert half == pytest.approx(2 * whole, rel=1e-3)  # all of V_m on one electrode


def test_a_voltammogram_of_rounded_corners_has_the_elements_of_a_sharp_one(inside, tmp_path):
    words = [
        "--slit",
        "2nm",
        "--slit-length",
        "8nm",
        "--layers",
        "3",
        "--steps",
        "60",
        "--workers",
        "1",
        "--out",
        "run",
    ]
    done = inside("transslit", "sweep", "continuum", *words, "--vary", "drive=cv,smoothed-cv")
    assert done.returncode == 0, done.stdout
    table = pd.read_csv(tmp_path / "run" / "sweep.csv")
    for element in ("R_c_ohm_m", "C_slit_F_per_m", "gamma"):
        assert table[element][1] == pytest.approx(table[element][0], rel=0.1)
    assert table["filling_spread"].isna().tolist() == [False, True]


def test_the_law_of_a_table(inside, tmp_path):
    """A sweep takes a stage's arguments too."""
    current = pd.Series(range(1, 201)) / 100
    pd.DataFrame({"I_A_per_m": current, "dphi_V": 2 * current}).to_csv(tmp_path / "table.csv", index=False)
    words = [
        "--inputs",
        "I_A_per_m",
        "--functions",
        "square",
        "--vary",
        "held-out=none",
        "--workers",
        "1",
        "--out",
        "run",
    ]
    done = inside("transslit", "sweep", "discover", tmp_path / "table.csv", *words, "--out", "run")
    assert done.returncode == 0, done.stderr + done.stdout
    table = pd.read_csv(tmp_path / "run" / "sweep.csv")
    assert table["held_out"].tolist() == ["none"]
    assert table["r2"].to_list() == pytest.approx([1])


def test_claims_over_an_option(inside, tmp_path):
    """Claims about circuits alone, which run nothing else."""
    words = ["--claims", "C24,C22", "--vary", "seed=0,1", "--workers", "1", "--out", "run"]
    done = inside("transslit", "sweep", "claims", *words)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "run" / "sweep.csv")
    assert table["C22"].tolist() == table["C24"].tolist() == ["reproduced"] * 2
    assert (table["C24_value"] > 0).all()
    assert (table["C24_u95"] > 0).all()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sweep", "cv", "--vary", "slit=1nm,2nm"], ["stage: cv", "continuum"]),
        (["sweep", "continuum"], ["vary", "NAME="]),
        (["sweep", "claims", "--vary", "claims=C99"], ["claims: C99", "give some of C01 to"]),
        (["sweep", "continuum", "--vary", "slit=1nm:2nm"], ["vary", "LOW:HIGH:COUNT"]),
        (["sweep", "continuum", "--vary", "colour=1nm,2nm"], ["colour", "ion_diameter"]),
        (["sweep", "continuum", "--vary", "reservoir=1nm,2nm"], ["options of transslit continuum: reservoir_length"]),
        (["sweep", "circuit", "--vary", "half-cell=perhaps,maybe"], ["half_cell: perhaps: give true or false"]),
        (["sweep", "md", "--slit", "1nm", "--vary", "allow-charged=maybe"], ["allow_charged: maybe: give true or"]),
        (["sweep", "continuum", "--vary", "slit=1,2"], ["slit: 1", "nm"]),
        (["sweep", "continuum", "--vary", "slit=1nm,2nm", "--colour=red"], ["colour"]),
        (["sweep", "continuum", "--table", "none.csv"], ["table: none.csv"]),
        (["sweep", "circuit", "--vary", "gamma=0,1", "--law"], ["law", "records"]),
        (["sweep", "continuum", "--vary", "slit=1nm,2nm", "--plot", "gamma"], ["plot", "Y:X"]),
        (["sweep", "continuum", "--vary", "slit=1nm,2nm", "--workers", "0"], ["workers: 0"]),
        (["sweep", "continuum", "--vary", "slit=1nm,2nm", "--scheduler", "nowhere"], ["scheduler: nowhere"]),
    ],
)
def test_bad_input_is_one_line(inside, tmp_path, words, said):
    done = inside("transslit", *words)
    assert done.returncode == 2, done.stderr
    line = done.stderr.strip().splitlines()[-1]
    assert all(text in line for text in said), line
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_ctrl_c_leaves_a_table_and_no_process(tmp_path):
    """SIGINT to the whole group, as a terminal sends it, with two workers at work."""
    words = ["--resistance", "5ohm", "--layers", "2000", "--vary", "gamma=0:0.9:60", "--workers", "2", "--out", "run"]

    def alone():
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs ignore it, and so would their children
        os.setsid()

    command = [Path(sys.executable).with_name("transslit"), "sweep", "circuit", *words]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    running = subprocess.Popen(command, cwd=tmp_path, preexec_fn=alone, **streams)
    while len(list(tmp_path.glob("run/points/*.json"))) < 3:
        assert running.poll() is None, running.stderr.read()
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=300)
    assert running.returncode == 130, said
    assert "interrupted; the same command resumes" in said
    assert "Traceback" not in said
    status = pd.read_csv(tmp_path / "run" / "sweep.csv")["status"].value_counts()
    assert status["done"] >= 3
    assert status.sum() == 60
    for _ in range(100):
        if not group(running.pid):
            return
        time.sleep(0.1)
    raise AssertionError(f"still there: {group(running.pid)}")


def group(leader):
    """Process ids of a group."""
    return [pid for pid in psutil.pids() if getpgid(pid) == leader]


def getpgid(pid):
    """Group of a process; None where it has ended."""
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
