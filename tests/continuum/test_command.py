"""`transslit continuum`: its drives and what it refuses, in this process."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from continuum import Frames
from transslit import TransSlitRecord
from validation import cli

SMALL = {
    "--slit": "1nm",
    "--layers": "2",
    "--slit-length": "4nm",
    "--edge-gap": "0.8nm",
    "--reservoir-length": "4nm",
    "--steps": "20",
}


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def command(text):
        words = text.split()
        switches = [word for word in words if word == "--json"]
        words = [word for word in words if word != "--json"]
        given = {**SMALL, **dict(zip(words[::2], words[1::2], strict=True))}
        words = ["continuum", *(word for pair in given.items() for word in pair), *switches]
        code = cli.run(cli.app, "transslit", words)
        return code, capsys.readouterr()

    return command


@pytest.mark.parametrize(
    ("options", "column", "largest"),
    [
        ("--drive cv --stern-model resolved --cycles 9 --until-periodic 0.5", "phi_m_V", 0.2),
        ("--drive cv --stepping adaptive --window 200mV", "phi_m_V", 0.1),
        ("--drive smoothed-cv --smoothing 0.2 --store-every 4", "phi_m_V", 0.2 * (1 - 0.2 / 4)),
        ("--drive potential-step --voltage 200mV --duration 10ns --rest 10ns", "phi_m_V", 0.1),
        ("--drive galvanostatic --current 200mA/m --upper 100mV", "phi_m_V", 0.05),
        ("--drive charge-step --charge 0.1C/m^2 --duration 1ps", "sigma_C_per_m2", 0.1),
        ("--drive charge-ramp --charge 0.1C/m^2 --duration 1ps --ramp 0.5ps", "sigma_C_per_m2", 0.1),
    ],
)
def test_every_drive_runs(call, options, column, largest):
    code, streams = call(f"{options} --out run --json")
    assert code == 0, streams.err
    record = TransSlitRecord.read("run")
    assert record.terminal[column].max() == pytest.approx(largest, abs=2e-6)
    with Frames("run") as frames:
        assert frames.complete
        assert np.isfinite(frames[-1].phi).all()
        assert frames.config.order == (2 if "adaptive" in options else 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--drive dance", ["drive", "galvanostatic"]),
        ("--drive galvanostatic", ["current", "--current"]),
        ("--drive galvanostatic --current 3A", ["current", "3A", "mA/m"]),
        ("--drive potential-step --voltage 0.4 --duration 1us", ["voltage", "0.4", "mV"]),
        ("--drive potential-step --voltage 400mV", ["duration"]),
        ("--drive charge-ramp --charge 1C --duration 1ps --ramp 1ps", ["charge", "1C", "C/m^2"]),
        ("--drive charge-ramp --charge 0.1C/m^2 --duration 1ps --ramp 2ps", ["ramp"]),
        ("--drive smoothed-cv --smoothing 2", ["smoothing", "2"]),
        ("--stern-model soft", ["stern_model", "resolved"]),
        ("--stepping odd", ["stepping", "adaptive"]),
        ("--store-every 0", ["store_every"]),
        ("--steps 21", ["steps", "even"]),
    ],
)
def test_bad_options_are_refused_in_one_line(call, tmp_path, options, words):
    code, streams = call(f"{options} --out run")
    assert code == 2
    assert len(streams.err.strip().splitlines()) == 1
    assert all(word in streams.err for word in words), streams.err
    assert not list(tmp_path.iterdir())


def test_a_run_killed_in_mid_cycle_resumes_to_the_last_bit(call, tmp_path):
    options = "--drive cv --steps 120 --json"
    words = [word for pair in SMALL.items() for word in pair if "--steps" not in pair]
    program = "from validation.cli import main; main()"
    command = [sys.executable, "-c", program, "continuum", *words, *options.split(), "--out", "killed"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        limit = time.monotonic() + 120
        while not list((tmp_path / "killed").glob("segment-*.npz")):
            assert process.poll() is None, "finished before it could be killed"
            assert time.monotonic() < limit
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "killed" / "frames.h5").exists()
    begun = {path.name for path in (tmp_path / "killed").glob("segment-*.npz")}
    assert begun
    for out in ("killed", "whole"):
        code, streams = call(f"{options} --out {out}")
        assert code == 0, streams.err
    killed, whole = (TransSlitRecord.read(tmp_path / out) for out in ("killed", "whole"))
    for table in ("crossings", "slits", "terminal"):
        assert getattr(killed, table).equals(getattr(whole, table))
    with Frames(tmp_path / "killed") as one, Frames(tmp_path / "whole") as other:
        for name in ("phi_V", "c_mol_per_m3"):
            np.testing.assert_array_equal(one._file[name][::20], other._file[name][::20])


def test_a_diverging_run_ends_in_one_line_and_keeps_its_frames(call, tmp_path):
    """200 V in ten steps: no step of such a size converges, and the halved ones get nowhere."""
    code, streams = call(
        "--drive cv --scan-rate 1V/us --window 200V --steps 10 --slit-length 2nm --reservoir-length 2nm --out run"
    )
    assert code == 3
    line = streams.err.strip().splitlines()[-1]
    for words in ("continuum", "no convergence", "at t = ", " s, phi_m = ", " V, worst at x = ", " nm, y = ", "kept"):
        assert words in line
    with Frames(tmp_path / "run") as frames:
        assert not frames.complete
        assert np.isfinite(frames[-1].phi).all()
        assert frames[-1].c.min() > 0
