"""One curve, written as instruments write it, is read alike from each file; other files are refused in one line."""

import json
import os
import time as clock
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuit import simulate
from circuit.export import to_csv, to_mpt
from circuit.measured import read_curve, read_drive
from transslit import BadInput

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "curves"
EXPECTED = json.loads((CORPUS / "expected.json").read_text()) if CORPUS.is_dir() else {}
TIME = np.linspace(0.0, 30.0, 31)
VOLTAGE = 0.3 - np.abs(TIME - 15) / 50  # V, 0 to 0.3 and back
CURRENT = 2e-3 * np.tanh(3.2 - TIME / 5)  # A, charging first


def table(names, columns, separator="\t", comma=False, trailing=False, digits=".16E", end="\r\n"):
    """Text of columns under their names; `trailing` ends each line with a separator, as EC-Lab does."""
    rows = [separator.join(names)]
    for values in zip(*columns, strict=True):
        row = separator.join(format(float(value), digits) for value in values)
        rows.append(row.replace(".", ",") if comma else row)
    return "".join(row + separator * trailing + end for row in rows)


def eclab(names, columns, program="EC-Lab", notes="", encoding="latin-1", **more):
    """EC-Lab text; a note may hold anything but the end of a line."""
    head = ["", "Cyclic Voltammetry", "", f"Comments : {notes}", ""]
    lines = [f"{program} ASCII FILE", f"Nb header lines : {len(head) + 3:<20}", *head]
    return ("\r\n".join(lines) + "\r\n" + table(names, columns, trailing=True, **more)).encode(encoding)


def gamry(blocks, comma=False):
    """Gamry's .DTA of one table for each of the blocks (time, voltage, current), after one at open circuit."""
    text = "EXPLAIN\nTAG\tCV\nTITLE\tLABEL\tCyclic 1,5 V & 2.5 V\tTest\n"
    text += "OCVCURVE\tTABLE\t1\n\tPt\tT\tVf\tVm\n\t#\ts\tV vs. Ref.\tV\n\t0\t0.5\t9.0\t9.0\nEOC\tQUANT\t9.0\n"
    for number, (time, voltage, current) in enumerate(blocks, 1):
        text += f"CURVE{number}\tTABLE\n\tPt\tT\tVf\tIm\tOver\n\t#\ts\tV vs. Ref.\tA\tbits\n"
        for row in zip(time, voltage, current, strict=True):
            cells = "\t".join(f"{value:.16E}" for value in row)
            text += f"\t0\t{cells.replace('.', ',') if comma else cells}\t...........\n"
    return text.encode()


def by_charge(t, v, i):
    dq = np.concatenate([[0.0], i[1:] * np.diff(t)]) / 3.6
    return eclab(["I Range", "time/s", "dQ/mA.h", "dq/mA.h", "(Q-Qo)/mA.h", "Ewe/V"], [t, t, np.cumsum(dq), dq, t, v])


DIALECTS = {  # file name and bytes, of time (s), V_m (V) and I_m (A)
    "EC-Lab": lambda t, v, i: ("a.mpt", eclab(["mode", "time/s", "Ewe/V", "<I>/mA"], [0 * t, t, v, 1e3 * i])),
    "EC-Lab, decimal comma": lambda t, v, i: (
        "a.mpt",
        eclab(["mode", "time/s", "control/V/mA", "Ewe/V", "I/mA"], [0 * t, t, 9 + t, v, 1e3 * i], comma=True),
    ),
    "EC-Lab, 0x85 in its head": lambda t, v, i: (
        "a.txt",
        eclab(
            ["time/s", "<Ewe>/V", "I/\u00b5A", "<I>/\u00b5A"],
            [t, v, 9 + t, 1e6 * i],
            notes="2\x85 cm\u00b2\x85 3,5\x85",
        ),
    ),
    "EC-Lab, UTF-8": lambda t, v, i: (
        "a.mpt",
        eclab(["time/s", "<Ewe/V>", "I/\u03bcA", "I Range"], [t, v, 1e6 * i, 0 * t], encoding="utf-8"),
    ),
    "BT-Lab": lambda t, v, i: ("a.mpt", eclab(["time/s", "Ecell/V", "I/mA"], [t, v, 1e3 * i], program="BT-Lab")),
    "cell voltage after Ewe": lambda t, v, i: (
        "a.mpt",
        eclab(["time/s", "Ewe/V", "<I>/A", "<Ece>/V", "Ewe-Ece/V"], [t, 9 + t, i, 9 - t, v]),
    ),
    "cell voltage before Ewe": lambda t, v, i: (
        "a.mpt",
        eclab(["Ewe-Ece/mV", "Ece/V", "Ewe/V", "time/s", "I/nA"], [1e3 * v, 9 - t, 9 + t, t, 1e9 * i]),
    ),
    "Ewe and Ece": lambda t, v, i: ("a.mpt", eclab(["Ece/mV", "Ewe/V", "time/s", "I/A"], [-500 * v, v / 2, t, i])),
    "charge": lambda t, v, i: ("a.mpt", by_charge(t, v, i)),
    "bare columns": lambda t, v, i: (
        "a.txt",
        table(["time/s", "Ewe/V", "<I>/mA"], [t, v, 1e3 * i]).replace("-", "\u2212").encode(),
    ),
    "commas": lambda t, v, i: ("a.csv", table(["time_s", "V_m_V", "I_m_A"], [t, v, i], ",", digits="").encode()),
    "ours": lambda t, v, i: (
        "a.csv",
        b"# sign: charging, or so\n# 1,2\n"
        + table(["time_s", "V_m_V", "phi_m_V", "I_m_A"], [t, v, t, i], ",").encode(),
    ),
    "semicolons": lambda t, v, i: (
        "a.csv",
        table(["time/h", "U/kV", "a, b", "I/pA"], [t / 3600, 1e-3 * v, t, 1e12 * i], ";", comma=True).encode(
            "utf-8-sig"
        ),
    ),
    "quoted": lambda t, v, i: (
        "a.csv",
        table(['"Time (min)"', '"Potential (mV)"', '"I"', '"Current (\u00b5A)"'], [t / 60, 1e3 * v, t, 1e6 * i], ",")
        .replace("\r\n", "\r")
        .encode("latin-1"),
    ),
    "UTF-16": lambda t, v, i: ("a.csv", table(["time/s", "Ecell/V", "I/A"], [t, v, i], ",").encode("utf-16")),
    "UTF-16, big-endian": lambda t, v, i: (
        "a.txt",
        b"\xfe\xff" + table(["time/s", "V/V", "I/A"], [t, v, i]).encode("utf-16-be"),
    ),
    "Arbin": lambda t, v, i: (
        "a.csv",
        table(["Step_Time(s)", "Test_Time(s)", "Current(A)", "Voltage(V)"], [t, t, i, v], ",").encode(),
    ),
    "battery data format": lambda t, v, i: (
        "a.csv",
        table(["Test Time / s", "Current / A", "Voltage / V", "Cycle Count / 1"], [t, i, v, t], ",").encode(),
    ),
    "its machine-readable names": lambda t, v, i: (
        "a.csv",
        table(["test_time_second", "voltage_volt", "current_ampere"], [t, v, i], ",").encode(),
    ),
    "PyBaMM": lambda t, v, i: (
        "a.csv",
        table(["", "Time [s]", "Current [A]", "Voltage [V]"], [t, t, -i, v], ",").encode(),
    ),
    "Gamry": lambda t, v, i: ("a.DTA", gamry([(t[:4], v[:4], i[:4]), (t[4:], v[4:], i[4:])])),
    "Gamry, decimal comma": lambda t, v, i: ("a.dta", gamry([(t, v, i)], comma=True)),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("curves")


def read(folder, name, content):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_curve(folder / name)


def agrees(curve, time, voltage, current, dialect):
    """To 1e-6 of each number; a mean current over a step has none in the first row."""
    first = 1 if dialect == "charge" else 0
    assert curve.time == pytest.approx(time - time[0], rel=1e-6)
    assert curve.voltage == pytest.approx(voltage, rel=1e-6, abs=0)
    assert curve.current[first:] == pytest.approx(current[first:], rel=1e-6, abs=0)
    return True


@pytest.mark.parametrize("dialect", DIALECTS)
def test_one_curve_in_every_dialect(folder, dialect):
    curve = read(folder, *DIALECTS[dialect](TIME + 1024, VOLTAGE, CURRENT))
    assert agrees(curve, TIME, VOLTAGE, CURRENT, dialect)


numbers = st.floats(-1e100, 1e100).map(lambda x: 0.0 if abs(x) < 1e-100 else x)  # scaled and back without underflow
rows = st.lists(st.tuples(st.floats(1e-3, 1e4), numbers, numbers), min_size=10, max_size=200)


@settings(max_examples=100, deadline=None)
@given(dialect=st.sampled_from(sorted(DIALECTS)), rows=rows)
def test_any_curve_in_every_dialect(folder, dialect, rows):
    steps, voltage, current = np.array(rows).T
    time = np.cumsum(steps) - steps[0]
    if dialect == "PyBaMM":  # charges while its voltage rises
        voltage, current = np.sort(voltage), np.abs(current)
    assert agrees(read(folder, *DIALECTS[dialect](time, voltage, current)), time, voltage, current, dialect)


@settings(max_examples=200, deadline=None)
@given(
    dialect=st.sampled_from(sorted(DIALECTS)),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=20),
    head=st.booleans(),
)
def test_torn_bytes_give_a_curve_or_one_line(folder, dialect, flips, head):
    name, content = DIALECTS[dialect](TIME, VOLTAGE, CURRENT)
    torn = bytearray(content)
    for place, byte in flips:
        torn[int(place * (min(len(torn), 250) if head else len(torn)))] = byte
    try:
        curve = read(folder, name, bytes(torn))
    except BadInput as error:
        said = str(error)
    else:
        said = ""
        assert np.isfinite([curve.time, curve.voltage, curve.current]).all()
        assert (np.diff(curve.time) > 0).all()
    assert "\n" not in said


def test_a_total_charge_gives_its_steps_and_an_increment_goes_first(folder):
    """2 uA.h in 10 s are 0.72 mA; EC-Lab's own mean current of the first row is 0."""
    time = 10.0 * np.arange(12)
    total = np.repeat([0.0, 2.0], 6).cumsum()
    names = ["time/s", "Ewe/V", "(Q-Qo)/\u00b5Ah"]
    curve = read(folder, "a.csv", table(names, [time, time, total], ","))
    assert curve.current == pytest.approx([0.0] * 6 + [0.72e-3] * 6)
    curve = read(folder, "a.csv", table([*names, "dq/mC"], [time, time, total, time], ","))
    assert curve.current == pytest.approx(np.concatenate([[0.0], 1e-4 * time[1:]]))


@pytest.mark.parametrize("names", [("Time [s]", "Current [A]", "Voltage [V]"), ("t [s]", "I [mA]", "V [V]")])
def test_the_sign_of_a_current_in_brackets_must_fit(folder, names):
    """PyBaMM discharges with a positive current; a charging one under its names, or the reverse, is refused."""
    current = np.gradient(VOLTAGE, TIME)
    sign = -1 if names[0] == "Time [s]" else 1
    factor = 1e-3 if "mA" in names[1] else 1.0
    curve = read(folder, "a.csv", table(names, [TIME, sign * current, VOLTAGE], ","))
    assert curve.current == pytest.approx(factor * current)
    with pytest.raises(BadInput, match="does not fit its voltage"):
        read(folder, "a.csv", table(names, [TIME, -sign * current, VOLTAGE], ","))


def test_our_own_exports_are_read(paper, tmp_path):
    result = simulate(paper(points=101))
    to_mpt(result, tmp_path / "cv.mpt")
    to_csv(result, tmp_path / "cv.csv")
    for name in ("cv.mpt", "cv.csv"):
        curve = read_curve(tmp_path / name)
        for mine, column in ((curve.time, "time_s"), (curve.voltage, "V_m_V"), (curve.current, "I_m_A")):
            assert mine == pytest.approx(result.terminal[column].to_numpy(), rel=1e-8, abs=1e-12)


@pytest.fixture
def galvani(monkeypatch):
    """Hands over what galvani would make of a binary file; the reading of bytes is galvani's."""
    biologic = pytest.importorskip("galvani.BioLogic", reason="galvani is not installed (pip install galvani)")

    def hand(**columns):
        class File:
            def __init__(self, path):
                self.data = np.zeros(12, dtype=[(name, "f8") for name in columns])
                for name, values in columns.items():
                    self.data[name] = values

        monkeypatch.setattr(biologic, "MPRfile", File)

    return hand, lambda fail: monkeypatch.setattr(biologic, "MPRfile", fail)


def test_an_mpr_is_read_by_galvani(folder, galvani):
    """With EC-Lab's names and units, but <Ece>, which galvani calls <Ecv>."""
    content = b"BIO-LOGIC MODULAR FILE"
    with pytest.raises(BadInput, match=r"cannot be read as \.mpr"):
        read(folder, "a.mpr", content)
    time = 2.0 + np.arange(12)
    galvani[0](**{"flags": 1, "time/s": time, "<Ewe>/V": 0.1, "<I>/mA": 3.0, "<Ecv>/V": -0.3})
    curve = read(folder, "a.mpr", content)
    assert curve.time == pytest.approx(time - 2)
    assert curve.current == pytest.approx(np.full(12, 3e-3))
    assert curve.voltage == pytest.approx(np.full(12, 0.4))
    galvani[0](**{"time/s": time, "Ewe/V": np.where(time == 5, np.nan, 0.1), "<I>/mA": 3.0})
    with pytest.raises(BadInput, match="row 4 of Ewe/V: 'nan' is not a finite number"):
        read(folder, "a.mpr", content)


@pytest.mark.parametrize("fault", [NotImplementedError("column 182\nis unknown"), AssertionError(), KeyError(7)])
def test_what_galvani_cannot_read_is_one_line(folder, galvani, fault):
    def fail(path):
        raise fault

    galvani[1](fail)
    said = f"{type(fault).__name__}: {' '.join(str(fault).split())}"
    with pytest.raises(BadInput, match=said):
        read(folder, "a.mpr", b"BIO-LOGIC MODULAR FILE")


HEAD = "time/s,Ewe/V,<I>/mA\n"
ROWS = "".join(f"{t},0.5,0.25\n" for t in range(12))
COMMAS = ROWS.replace(",", ";").replace(".", ",")
SPECTRUM = [["freq/Hz", "Re(Z)/Ohm", "-Im(Z)/Ohm", "time/s", "<Ewe>/V", "<I>/mA"], [50 - TIME, *[TIME] * 5]]
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", "\n\n# only\n;;\n", "holds no table"),
        ("a.csv", PNG, "is not text"),
        ("a.csv", HEAD.encode() + b"\0" * 40, "is not text"),
        ("a.mpr", "EC-Lab ASCII FILE\n", "nor EC-Lab's binary"),
        ("a.csv", b"\xff\xfe" + HEAD.encode("utf-16-le") + b"\0", "codec"),
        ("a.csv", b"\xff\xfe" + (HEAD + ROWS + "\0").encode("utf-16-le"), "is not text"),
        ("a.mpt", "something else\n", "columns separated by"),
        ("a.csv", "time/s Ewe/V <I>/mA\n" + ROWS.replace(",", " "), "columns separated by"),
        ("a.csv", ROWS, "must name the columns"),
        ("a.csv", '"";"\xa0"\n', "must name the columns"),
        ("a.mpt", "EC-Lab ASCII FILE", "Nb header lines"),
        ("a.mpt", "EC-Lab ASCII FILE\r\nCyclic Voltammetry\r\ntime/s\tEwe/V\r\n", "Nb header lines"),
        ("a.mpt", "BT-Lab ASCII FILE\r\nNb header lines : 9\r\n\r\n", "table is missing"),
        ("a.mpt", "EC-Lab ASCII FILE\r\nNb header lines : 0\r\n" + HEAD, "table is missing"),
        ("a.mpt", eclab(["time/s", "Ewe/V", "I/mA"], [[], [], []]), "0 rows"),
        ("a.mpt", eclab(["time/s", "Ewe/V", "I/mA"], [TIME] * 3).replace(b"lines : 8", b"lines : 9"), "begins with"),
        ("a.mpt", eclab(["time/s", "Ewe/V", "I/mA"], [TIME] * 3).replace(b"lines : 8", b"lines : 6"), "Comments"),
        ("a.DTA", "EXPLAIN\nTAG\tCV\n", "holds no table CURVE"),
        ("a.DTA", gamry([(TIME, TIME, TIME)] * 2), "time must increase; row 32"),
        ("a.DTA", gamry([(TIME, TIME, TIME)] * 2).replace(b"\tbits", b"\tV", 1), "same two rows"),
        ("a.DTA", gamry([(TIME, TIME, TIME)]).replace(b"\tA\tbits", b"\tbits"), "columns in CURVE"),
        ("a.DTA", gamry([(TIME, TIME, TIME)]).replace(b"\nCURVE1", b"\nZCURVE"), "impedance spectrum"),
        ("a.csv", HEAD + "0,0,0\n", "1 rows; needs ten"),
        ("a.csv", HEAD + ROWS + "5,0,0\n", "row 13 does not"),
        ("a.csv", HEAD + ROWS + "11,0,0\n", "row 13 does not"),
        ("a.csv", HEAD + ROWS.replace("0.5", "x"), "row 1 of Ewe/V: 'x' is not a finite number"),
        ("a.csv", HEAD + ROWS.replace("3,0.5", "3,"), "row 4 of Ewe/V: '' is not"),
        ("a.csv", HEAD + ROWS.replace("3,0.5", "3,NaN"), "row 4 of Ewe/V: 'NaN' is not"),
        ("a.csv", HEAD + ROWS.replace("3,0.5", "3,1e999"), "row 4 of Ewe/V: 'inf' is not"),
        ("a.csv", HEAD.replace("time/s", "time/h") + ROWS + "1e308,0,0\n", "too large"),
        ("a.csv", HEAD + ROWS + "12,0.5\n", "row 13 holds 2 cells"),
        ("a.csv", HEAD + ROWS + "12,0.5,0.2,7\n", "row 13 holds more cells"),
        ("a.csv", HEAD + ROWS + "12,0.5,0.2" + "," * 99, "row 13 holds 102 cells"),
        ("a.csv", HEAD + ROWS.replace("5,0.5", '"5,0.5').replace("8,0.5", '8",0.5'), "row 6 holds 1 cells"),
        ("a.csv", HEAD[:-1] + ",note\n" + ROWS.replace("\n", ',"\n'), "quotation mark"),
        ("a.csv", HEAD[:-1] + ",note\n" + ROWS.replace("\n", ",-\n") + '12,0.5,0.25,"\n', "quotation mark"),
        ("a.csv", HEAD + ROWS.replace("3,0.5", '3,"1,234"'), r"row 4 of Ewe/V: '1,234' holds a comma"),
        ("a.csv", HEAD + ROWS.replace("0.5,0.25", '5,"1,234"'), "row 1 of <I>/mA: '1,234' holds a comma"),
        ("a.csv", HEAD + ROWS + '12,0.5,"' + "1" * 200_000 + '"', "field limit"),
        ("a.csv", "a/V," * 2000 + "b\n" + ROWS, "needs a column such as time/s"),
        ("a.csv", HEAD + ROWS.replace("0.5", "0,5"), "row 1 holds more cells"),
        ("a.csv", HEAD.replace(",", ";") + COMMAS.replace("3;0,5", "3;0.5"), "use one decimal mark"),
        ("a.csv", HEAD.replace(",", ";") + COMMAS.replace("3;0,5", "3;1.000,5"), "use one decimal mark"),
        ("a.csv", HEAD.replace(",", ";") + COMMAS.replace("3;0,5", "3;1,000,5"), "row 4 of Ewe/V: '1.000.5' is not"),
        ("a.csv", HEAD.replace(",", ";") + COMMAS.replace("0,5;0,25", "1,234;250"), "'1,234' may be read"),
        ("a.csv", HEAD.replace(",", ";") + COMMAS.replace("0,5;0,25", "-1.234;250"), "'-1.234' may be read"),
        ("a.csv", HEAD.replace(",", "\t") + ROWS.replace(",", "\t").replace("0.5", "1 000"), "'1 000' is not"),
        ("a.csv", "time,V,I\n" + ROWS, "time names no unit; write time/s"),
        ("a.csv", "time/s,V_m,I/A\n" + ROWS, "V_m names no unit; write v_m/V"),
        ("a.csv", "time/s,Ewe/V,I\n" + ROWS, "I names no unit"),
        ("a.csv", "time/s,Ewe/V,I/A.g-1\n" + ROWS, "I/A.g-1 has a unit, A.g-1,"),
        ("a.csv", "time/s,Ewe/V,I/mA/cm2\n" + ROWS, "needs a column such as <I>/mA"),
        ("a.csv", "T/K,Ewe/V,I/A\n" + ROWS, "T/K has a unit"),
        ("a.csv", "step time/s,Ewe/V,I/A\n" + ROWS, "such as time/s, with its unit; it has step time/s, Ewe/V"),
        ("a.csv", "time/s,control/V,I/A\n" + ROWS, "such as Ewe/V"),
        ("a.csv", "time/s,Ewe/V,control/mA\n" + ROWS, "such as <I>/mA"),
        ("a.csv", "time/s,Ewe/V,dQ/C\n" + ROWS, "such as <I>/mA"),
        ("a.csv", "time/s,Ewe/V,I/A,Current(A)\n" + ROWS.replace("\n", ",1\n"), "I/A and Current.A. would both do"),
        ("a.csv", "time/s,Ewe/V,I/A,I/A\n" + ROWS.replace("\n", ",1\n"), "I/A and I/A would both do"),
        ("a.mpt", eclab(*SPECTRUM), "impedance spectrum, but a curve of time, .*freq/Hz"),
        ("a.csv", table(SPECTRUM[0][:3], SPECTRUM[1][:3], ","), "impedance spectrum"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(folder, name, content, words):
    with pytest.raises(BadInput, match=words) as found:
        read(folder, name, content)
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 500 + len(str(folder))


def test_a_frequency_of_zero_belongs_to_a_curve(folder):
    """EC-Lab's modulo bat has one in every row."""
    curve = read(folder, "a.mpt", eclab(["freq/Hz", "time/s", "Ewe/V", "I/A"], [0 * TIME, TIME, VOLTAGE, CURRENT]))
    assert curve.current == pytest.approx(CURRENT)


def test_large_files_and_folders_are_refused_at_once(folder):
    """200 MB of zeros, or after 64 kB of rows; too many lines; a line without end: half a second each."""
    started = clock.process_time()
    with pytest.raises(BadInput, match="folder"):
        read_curve(folder)
    path = folder / "large.csv"
    for start, words in (("", "is not text"), (HEAD + 6000 * ROWS, "larger than 64 MB")):
        path.write_text(start)
        os.truncate(path, 200 * 2**20)
        with pytest.raises(BadInput, match=words):
            read_curve(path)
    path.write_text(HEAD + "1\n" * 1_000_001)
    with pytest.raises(BadInput, match="more than 1,000,000 lines"):
        read_curve(path)
    path.write_text("a/" + "(_" * 10_000_000 + ",b\n")
    with pytest.raises(BadInput, match="does not name columns"):
        read_curve(path)
    path.unlink()
    assert clock.process_time() - started < 2


def test_what_is_no_table_is_refused_by_its_first_rows(folder, monkeypatch):
    parsed = []

    def counted(text, **options):
        parsed.append(text.getvalue().count("\n") + 1)
        return parse(text, **options)

    parse = pd.read_csv
    monkeypatch.setattr("circuit.instruments.pd.read_csv", counted)
    with pytest.raises(BadInput, match="row 1 of time/s: 'x'"):
        read(folder, "a.csv", HEAD + "x,y,z\n" * 5000)
    assert parsed == [1000]


def test_a_drive_is_read_in_si_or_refused(folder):
    path = folder / "drive.csv"
    for head, field, factor in (
        ("time_ms,V_m_mV", "voltage", 1e-3),
        ("time/ms,Ewe/V", "voltage", 1.0),
        ("Time (ms),I/\u00b5A", "current", 1e-6),
    ):
        path.write_text(f"\ufeff{head}\n0,0\n1,2\n3,5\n", encoding="utf-8")
        drive = read_drive(path)
        assert drive.time == pytest.approx((0, 1e-3, 3e-3))
        assert getattr(drive, field) == pytest.approx((0, 2 * factor, 5 * factor))
    for head, words in (
        ("time,V_m_V,x", "time names no unit"),
        ("time_s,V_m,I_m_A", "V_m names no unit"),
        ("time_s,V_m_V,I_m_A", "one of the two"),
        ("time_s,dq/C,y", "one of the two"),
        ("time_s,I_m_A,I_m_mA", "both do as current"),
        ("Time [s],Current [A],x", "may be PyBaMM's"),
        ("freq/Hz,Re(Z)/Ohm,x", "impedance spectrum"),
        ("x,V_m_V,y", "such as time/s"),
    ):
        path.write_text(f"{head}\n0,0,0\n1,2,3\n")
        with pytest.raises(BadInput, match=words):
            read_drive(path)


@pytest.mark.skipif(not EXPECTED, reason="the folder of example files is not beside this checkout")
@pytest.mark.parametrize("name", EXPECTED or ["none"])
def test_example_files(name):
    answer = EXPECTED[name]
    if "V_max_V" not in answer:
        with pytest.raises(BadInput, match="spectrum" if "R0_ohm" in answer else "Nb header lines"):
            read_curve(CORPUS / name)
        return
    curve = read_curve(CORPUS / name)
    assert len(curve.time) == answer["rows"]
    assert curve.voltage.max() == pytest.approx(answer["V_max_V"], rel=1e-6)
    assert curve.current.max() == pytest.approx(answer["I_max_A"], rel=0.02 if "dq" in answer.get("note", "") else 1e-6)
    assert curve.time[-1] == pytest.approx(answer["t_end_s"], rel=1e-6)


def test_a_gamry_table_with_fewer_rows_than_it_says_is_torn(tmp_path):
    whole = gamry([(TIME, VOLTAGE, CURRENT)])
    path = tmp_path / "a.DTA"
    path.write_bytes(whole.replace(b"CURVE1\tTABLE", f"CURVE1\tTABLE\t{len(TIME)}".encode()))
    assert len(read_curve(path).time) == len(TIME)
    path.write_bytes(whole.replace(b"CURVE1\tTABLE", b"CURVE1\tTABLE\t100"))
    with pytest.raises(BadInput, match="says 100: is it torn"):
        read_curve(path)
