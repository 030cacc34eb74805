"""`transslit discover` as a user runs it: on a table, on records of several widths, killed, and with bad input."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from discovery.planted import BENCHMARK_LAWS, planted_table
from transslit.record import TransSlitRecord
from validation import cli

CHARGE = 3e-9  # C/m
SCRIPT = [Path(sys.executable).parent / "transslit", "discover"]
OWN = ["data.csv", "--target", "dphi_V", "--inputs", "I_A_per_m,Q_C_per_m", "--out", "law"]


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """The command within this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def command(*words):
        code = cli.run(cli.app, "transslit", ["discover", *words])
        return code, capsys.readouterr()

    return command


def own_table(rows=200):
    """A user's table: the paper's law in I and the negative Q of the slit."""
    table = planted_table(BENCHMARK_LAWS["paper"], 0.01, 0, rows)
    return table.assign(Q_C_per_m=-CHARGE * table.pop("q"))


def width_record(width, electrolyte="KCl", falls=0.5, times=80):
    """Two slits whose resistance is 0.2 ohm m + 0.4e-9 ohm m^2 / d when empty and 1 - `falls` of that when full."""
    time_s = np.linspace(0, 1, times)
    tables = []
    for i in (1, 2):
        current = np.cos(np.pi * time_s) * (1 + 0.2 * np.sin(5 * time_s)) / i
        charge = -np.sin(np.pi * time_s) * 1e-9
        resistance = (0.2 + 0.4e-9 / width) * (1 - falls * np.abs(charge) / np.abs(charge).max())
        columns = {"replica": 0, "time_s": time_s, "i": i, "dphi_V": current * resistance, "I_A_per_m": current}
        tables.append(pd.DataFrame(columns).assign(Q_C_per_m=charge))
    rows = pd.concat(tables, ignore_index=True)
    parts = {f"I_{name}_A_per_m": 0.0 for name in ("diffusion", "steric", "residual")}
    crossings = rows.drop(columns="Q_C_per_m").assign(I_migration_A_per_m=rows["I_A_per_m"], **parts)
    slits = rows[["replica", "time_s", "i", "Q_C_per_m"]].assign(phi_V=0.0, rho_C_per_m3=0.0, c_mol_per_m3=1.0)
    terminal = pd.DataFrame({"replica": 0, "time_s": time_s, "I_m_A_per_m": 0.0, "phi_m_V": time_s})
    metadata = {"electrolyte": electrolyte, "temperature_K": 298.15, "source": "test", "network": {"slit": width}}
    return TransSlitRecord(crossings, slits, terminal, metadata)


def test_a_users_own_table_killed_and_resumed(tmp_path):
    """The law, the hall of fame in three formats, two figures; SIGKILL in the middle changes none of them."""
    own_table().to_csv(tmp_path / "data.csv", index=False)
    done = subprocess.run([*SCRIPT, *OWN], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "law: dphi_V = I_A_per_m*(c0 + c1*Q_C_per_m)" in done.stdout
    assert "Searching for the law: done" in done.stderr
    law = json.loads((tmp_path / "law" / "law.json").read_text())
    assert law["constants"]["c0"]["unit"] == "ohm*m"
    assert law["constants"]["c1"]["value"] == pytest.approx(0.12 * 0.5 / CHARGE, rel=0.02)
    files = {name: (tmp_path / "law" / name).read_bytes() for name in ("law.json", "search.json", "front.png")}
    hall = pd.read_csv(tmp_path / "law" / "hall_of_fame.csv")
    other = pd.read_json(tmp_path / "law" / "hall_of_fame.json")
    pd.testing.assert_frame_equal(hall, other, check_dtype=False)
    assert (tmp_path / "law" / "hall_of_fame.tex").read_text().count("\\\\\n") == len(hall) + 1
    assert (tmp_path / "law" / "prediction.png").stat().st_size > 10_000

    shutil.rmtree(tmp_path / "law")
    running = subprocess.Popen([*SCRIPT, *OWN], cwd=tmp_path, stderr=subprocess.DEVNULL)
    while not (tmp_path / "law" / "search.json").exists():
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (tmp_path / "law" / "law.json").exists()
    resumed = subprocess.run([*SCRIPT, *OWN, "--json"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert json.loads(resumed.stdout)["law"]["expression"] == law["expression"]
    assert json.loads((tmp_path / "law" / "law.json").read_text(encoding="utf-8")) == law
    assert all((tmp_path / "law" / name).read_bytes() == content for name, content in files.items())


def test_records_of_several_widths_in_one_search(call, tmp_path):
    """d comes from the records; one width is held out for validation; both factors of the law are found."""
    for width in (1, 2, 3, 5):
        width_record(width * 1e-9).write(tmp_path / str(width))
    code, output = call(
        *["1", "2", "3", "5", "--inputs", "I_A_per_m,q,d", "--held-out", "d=2,i=2", "--functions", "square,sqrt"]
    )
    assert code == 0, output.err
    law = json.loads((tmp_path / "runs" / "discover" / "law.json").read_text())
    assert law["provenance"]["held_out"] == ["d=2", "i=2"]
    assert law["provenance"]["inputs"]["d"] == "slit width / 1e-09 m"
    assert all(judged["r2"] > 1 - 1e-9 for judged in law["provenance"]["judged"].values())
    assert law["metrics"]["rmse"] < 1e-9
    assert "held out d=2: R² = 1" in output.out


BAD = {
    "missing": (lambda t: t.drop(columns="Q_C_per_m"), "column: Q_C_per_m: not in the table"),
    "empty cell": (lambda t: t.assign(Q_C_per_m=t["Q_C_per_m"].where(t.index != 4)), "column Q_C_per_m: nan in row 5"),
    "constant": (lambda t: t.assign(Q_C_per_m=1e-9), "column Q_C_per_m: constant at 1e-09"),
    "few": (lambda t: t.head(9), "table rows: 9: too few"),
    "other unit": (lambda t: t.rename(columns={"I_A_per_m": "I_mA_per_m"}), "column I_A_per_m: I_mA_per_m in "),
    "two salts": (
        lambda t: t.assign(electrolyte=np.where(t.index < 50, "KCl", "NaCl")),
        "column electrolyte: KCl and NaCl",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_tables_get_one_line(call, tmp_path, fault):
    damage, message = BAD[fault]
    damage(own_table()).to_csv(tmp_path / "data.csv", index=False)
    refused(call(*OWN), message)
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]


def refused(outcome, message):
    code, output = outcome
    assert code == 2, output.err
    assert message in output.err
    assert output.err.count("\n") == 1
    assert output.out == ""


def test_two_tables_in_two_units_are_refused(call, tmp_path):
    own_table().to_csv(tmp_path / "data.csv", index=False)
    own_table().rename(columns={"dphi_V": "dphi_mV"}).to_csv(tmp_path / "more.csv", index=False)
    refused(call("more.csv", *OWN), "column dphi_V: dphi_mV in more.csv: give the same unit everywhere")
    both = own_table().assign(I_mA_per_m=lambda t: t["I_A_per_m"] * 1e3)
    both.to_csv(tmp_path / "data.csv", index=False)
    refused(
        call("data.csv", "--inputs", "I_A_per_m,I_mA_per_m"), "inputs: I_A_per_m, I_mA_per_m: are one quantity in two"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("1 2 --inputs I_A_per_m,q,d --held-out d=7", "held_out: d=7: no such row; d is 1, 2"),
        ("1 2 --inputs I_A_per_m,q,d --held-out d=2", "column d: constant in the training rows"),
        ("1 2 --held-out width=2", "held_out: width=2: must be COLUMN=VALUE"),
        ("1 --inputs I_A_per_m,q,d", "column d: constant at 1"),
        ("1 2 --functions sqrt,cosine", "functions"),
        ("1 salty", "record electrolyte: NaCl: must equal KCl"),
        ("1 data.csv", "record: data.csv: give either tables or records, not both"),
    ],
)
def test_records_that_do_not_fit_get_one_line(call, tmp_path, words, message):
    for width in (1, 2):
        width_record(width * 1e-9).write(tmp_path / str(width))
    width_record(1e-9, "NaCl").write(tmp_path / "salty")
    refused(call(*words.split()), message)
