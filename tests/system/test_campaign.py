"""Random input against every command, in this process: one line for a fault, an exit code, nothing half-written.

What is random: quantities, electrolytes' files, laws, tables, records with flipped bits, grids of a sweep. Commands
that would compute for long get an output folder that cannot be made, so that all of their input is read and nothing
runs. CAMPAIGN=20 in the environment looks at twenty times as many examples, others each time.
"""

import contextlib
import io
import json
import math
import os
import string
import tempfile
import time
import typing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sympy
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from transslit import BadInput, Law, TransSlitRecord
from transslit.errors import visible
from transslit.files import parse_json, read_table, write_table
from transslit.formula import read_formula
from transslit.library import shipped
from transslit.units import SI_UNITS, parse
from validation import cli
from validation.commands import SUMMARIES, module

KCL = shipped()["KCl"].read_text(encoding="utf-8")
NOWHERE = ("--out", "file/run")  # below a file
EFFORT = int(os.environ.get("CAMPAIGN", "1"))  # more looks at so many times as many examples, and at others each time


def campaign(examples=100):
    """Settings of a property: the same examples in every run, unless more are asked for."""
    return settings(
        max_examples=examples * EFFORT, derandomize=EFFORT == 1, deadline=None, suppress_health_check=list(HealthCheck)
    )


@contextlib.contextmanager
def folder():
    """An empty working folder, but for a file where a folder would have to be."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        Path("file").touch()
        try:
            yield Path(place)
        finally:
            os.chdir(before)


def told(fault):
    """A fault is one line, in which nothing steers a terminal."""
    assert visible(str(fault)) == str(fault)


def run(program, *words):
    """Run a command; its exit code and what it said, which no input may make longer than one line."""
    out, err = io.StringIO(), io.StringIO()
    app = {"validate": cli.validate_app, "transslit": cli.app}[program]
    note(f"{program} {words}")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.run(app, program, [str(word) for word in words])
    assert code in (0, 1, 2, 3)
    if code in (2, 3) and words[:2] != ("electrolytes", "check"):
        assert err.getvalue().count("\n") == 1, err.getvalue()
        told(err.getvalue()[:-1])
    return code, out.getvalue(), err.getvalue()


# Quantities

UNITS = {"length": ("nm", 1e-9), "voltage": ("mV", 1e-3), "time": ("us", 1e-6), "resistance": ("kohm", 1e3)}
DIGITS = st.text("0123456789", min_size=1, max_size=6)
LITTER = st.sampled_from(
    [",", "_", "*", "+", "(", ")", " 1", "..", "'", "\u2013", "\u0663", "²", "^", ";", "\n1", "\x1b[1m"]
)


@campaign()
@given(st.sampled_from(sorted(UNITS)), DIGITS, DIGITS, st.integers(-9, 9), st.sampled_from(["", "+", "-", "\u2212"]))
def test_one_number_and_one_unit_is_its_value(kind, whole, part, power, sign):
    unit, factor = UNITS[kind]
    text = f"{sign}{whole}.{part}e{power} {unit}"
    minus = -1 if sign in ("-", "\u2212") else 1
    expected = minus * float(f"{whole}.{part}e{power}") * factor
    assert parse(text, kind) == pytest.approx(expected, rel=1e-12, abs=0)


@campaign()
@given(DIGITS, DIGITS, LITTER, st.data())
def test_a_number_with_anything_else_in_it_is_refused(whole, part, litter, data):
    """Wherever it stands between the first digit and the last."""
    number = f"{whole}.{part}"
    place = data.draw(st.integers(1, len(number) - 1))
    with pytest.raises(ValueError, match="nm"):
        parse(f"{number[:place]}{litter}{number[place:]}nm", "length")


@campaign()
@given(st.text(max_size=30), st.sampled_from(sorted(SI_UNITS)))
def test_any_text_is_a_finite_number_or_refused(text, kind):
    with contextlib.suppress(ValueError):
        assert math.isfinite(parse(text, kind))


TEXTS = st.one_of(
    st.text(max_size=12),
    st.builds(
        lambda *parts: "".join(parts),
        st.sampled_from(["", "-", "\u2212", "+"]),
        DIGITS,
        st.sampled_from(["", ".", ",", "e", "."]),
        DIGITS,
        st.sampled_from(
            ["nm", "V", "mV/us", "M", "K", "s", "ohm", "nF", "e", "A/m", "C/m^2", "Hz", "", " ", "%", "nm nm"]
        ),
    ),
)
BASES = {  # words that each command needs beside the option that is tried
    "validate": ("validate", "--slit=0.59nm", *NOWHERE),
    "circuit": ("transslit", "circuit", "--resistance=5ohm", *NOWHERE),
    "claims": ("transslit", "claims", *NOWHERE),
    "continuum": ("transslit", "continuum", "--slit=2nm", *NOWHERE),
    "discover": ("transslit", "discover", "table.csv", *NOWHERE),
    "md": ("transslit", "md", "--slit=0.59nm", *NOWHERE),
    "judge": ("transslit", "judge", "nowhere", *NOWHERE),
    "electrolytes check": ("transslit", "electrolytes", "check", "KCl"),
    "electrolytes show": ("transslit", "electrolytes", "show", "KCl"),
}
ELSEWHERE = {"make_starts", "scheduler", "workers"}  # computes at once; a cluster


def options_of(name):
    """The options of a command that take a text."""
    first, _, last = name.partition(" ")
    app = cli.validate_app if name == "validate" else module(first).app
    callbacks = {command.name or "": command.callback for command in app.registered_commands}
    hints = typing.get_type_hints(callbacks[last])
    takes = {text for text, hint in hints.items() if {hint, *typing.get_args(hint)} & {str, int, float}}
    return sorted(takes - ELSEWHERE - {"return", "name", "file", "stage"})


@pytest.mark.parametrize("name", BASES)
@campaign(40)
@given(data=st.data())
def test_every_option_takes_a_value_or_refuses_it_in_a_line(name, data):
    option = data.draw(st.sampled_from(options_of(name))).replace("_", "-")
    program, *words = BASES[name]
    with folder() as place:
        rows = "\n".join(f"{0.1 * k},{k % 7},{k / 30}" for k in range(30))
        Path("table.csv").write_text(f"dphi_V,I_A_per_m,q\n{rows}", encoding="utf-8")
        code, out, _ = run(program, *words, f"--{option}={data.draw(TEXTS)}")
        if NOWHERE[0] in words:
            assert code == 2
            assert out == ""
        assert sorted(path.name for path in place.iterdir()) == ["file", "table.csv"]


def test_the_campaign_knows_every_command():
    named = set(SUMMARIES) - {"report", "sweep", "electrolytes"}  # below; by their own tests
    assert named | {"validate"} == {name for name in BASES if " " not in name}
    assert {"slit", "window", "layers", "smoothing"} < set(options_of("continuum"))


# Electrolytes' files

MARKS = [
    "[[ions]]\n",
    "[ions.md]\n",
    '"',
    "'",
    "= ",
    "{",
    "}",
    "\ufeff",
    "\r",
    "\0",
    "1e999",
    "nan",
    "-",
    "true",
    "[" * 300,
]
PIECES = st.one_of(st.text(max_size=6), st.sampled_from(MARKS))


@campaign(60)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), PIECES), min_size=1, max_size=3), st.booleans())
def test_a_damaged_electrolyte_is_read_or_refused_in_a_line(changes, twice):
    text = KCL + (KCL if twice else "")
    for place, cut, piece in changes:
        at = int(place * len(text))
        text = text[:at] + piece + text[at + cut :]
    with folder():
        Path("salt.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
        for words in (("show", "./salt.toml"), ("check", "./salt.toml"), ("check", "./salt.toml", "--json")):
            code, out, err = run("transslit", "electrolytes", *words)
            assert code in (0, 2)
            assert "\x1b" not in out + err
        assert run("transslit", "continuum", "--slit", "2nm", "--electrolyte", "./salt.toml", *NOWHERE)[0] == 2


# Laws

ATOMS = st.one_of(
    st.sampled_from(
        ["q", "I_A_per_m", "R_c", "gamma", "1", "0", "2.5", "9", "1e9", "1e400", "E", "oo", "nan", "x", ""]
    ),
    st.floats(0, 1e6).map(lambda value: f"{value:.6g}"),
)
FORMULAS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({}{}{})".format, inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner),
        st.builds(
            "{}({})".format, st.sampled_from(["exp", "log", "sqrt", "Abs", "tanh", "sign", "cosh", "foo"]), inner
        ),
        st.builds("{}({},{})".format, st.sampled_from(["Max", "Min"]), inner, inner),
        inner.map("-{}".format),
    ),
    max_leaves=25,
)
EXPRESSIONS = st.one_of(FORMULAS, FORMULAS.map("I_A_per_m*R_c*{}".format), st.text(string.printable, max_size=30))


def law_of(expression):
    return Law("dphi_V", ("I_A_per_m", "q"), "I_A_per_m", Law.paper(5.0, 0.5).constants).to_json() | {
        "expression": expression
    }


@campaign(150)
@given(EXPRESSIONS)
def test_a_law_is_read_or_refused_within_a_second(expression):
    began = time.process_time()
    try:
        law = Law.from_json(law_of(expression))
        law.resistance()
    except BadInput as fault:
        told(fault)
    finally:
        assert time.process_time() - began < 1


@campaign(30)
@given(FORMULAS)
def test_a_formula_has_the_value_that_python_gives_it(expression):
    """The grammar's precedence and functions, against Python's own on numbers."""
    names = {"q": 0.3, "R_c": 0.8, "gamma": 0.5, "I_A_per_m": 1.7}
    known = {"exp": math.exp, "log": math.log, "sqrt": math.sqrt, "Abs": abs, "tanh": math.tanh, "cosh": math.cosh}
    known |= {"sign": lambda x: (x > 0) - (x < 0), "Max": max, "Min": min}
    try:
        found = read_formula(expression, list(names), {})
    except ValueError:
        return
    value = found.subs({sympy.Symbol(name, real=True): value for name, value in names.items()}).evalf()
    try:
        expected = eval(expression, {"__builtins__": {}}, known | names)
    except (ArithmeticError, ValueError):
        return
    if isinstance(expected, complex) or not 1e-12 < abs(expected) < 1e12:
        return
    assert complex(value).real == pytest.approx(expected, rel=1e-6)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


@campaign(40)
@given(st.sampled_from(sorted(law_of("I_A_per_m*R_c"))), JSON)
def test_a_law_with_a_field_of_any_kind_is_run_or_refused(field, value):
    with folder():
        Path("law.json").write_text(
            json.dumps(law_of("I_A_per_m*R_c*(1 - gamma*q)") | {field: value}), encoding="utf-8"
        )
        run("transslit", "circuit", "law.json", "--layers", "2", "--points", "20", *NOWHERE)


# Tables

CELLS = st.one_of(
    st.floats(), st.integers(), st.text(max_size=4), st.sampled_from(["1,5", "1_0", "", "nan", "1e999", "0x10", "True"])
)


@campaign(40)
@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=4), max_size=30),
    st.sampled_from([",", ";", "\t"]),
    st.binary(max_size=3),
)
def test_any_table_is_searched_or_refused_in_a_line(rows, separator, litter):
    head = separator.join(("dphi_V", "I_A_per_m", "q"))
    text = "\n".join([head, *(separator.join(map(str, row)) for row in rows)])
    with folder():
        Path("table.csv").write_bytes(litter + text.encode("utf-8", "surrogatepass"))
        assert run("transslit", "discover", "table.csv", *NOWHERE)[0] == 2


COLUMNS = st.sampled_from(["text", "bool", "object", "nan", "inf", "short", "twice", "complex", "date"])


@campaign(20)
@given(COLUMNS, st.sampled_from(["dphi_V", "I_A_per_m", "q"]))
def test_a_parquet_table_with_a_column_of_another_kind_is_refused(kind, name):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({column: rng.normal(size=30) for column in ("dphi_V", "I_A_per_m", "q")})
    values = {
        "text": "much", "bool": True, "object": [[1.0]] * 30, "nan": math.nan, "inf": math.inf,
        "date": pd.Timestamp("2020-01-01"),
    }  # fmt: skip
    if kind in values:
        table[name] = values[kind]
    elif kind == "short":
        table = table.iloc[:3]
    else:
        table = table.drop(columns=name)
    with folder():
        table.to_parquet("table.parquet")
        code, _, err = run("transslit", "discover", "table.parquet", *NOWHERE)
        assert code == 2
        assert "file/run" not in err  # refused for its content, before the folder is asked for


# Records and files with flipped bits


def planted():
    """A small record of two slits."""
    keys = pd.MultiIndex.from_product([[0], 1e-9 * np.arange(12), [1, 2]], names=["replica", "time_s", "i"])
    table = keys.to_frame(index=False)
    phase = table["time_s"] / 4e-9
    slits = table.assign(
        phi_V=0.1 * phase, Q_C_per_m=-1e-9 * phase, rho_C_per_m3=phase, c_mol_per_m3=2.0, c_K_mol_per_m3=1.0
    )
    parts = {"I_migration_A_per_m": 0.7, "I_diffusion_A_per_m": 0.3, "I_steric_A_per_m": 0.0, "I_residual_A_per_m": 0.0}
    crossings = table[table["i"] == 1].assign(dphi_V=0.01, I_A_per_m=1.0, **parts).reset_index(drop=True)
    terminal = table[table["i"] == 1][["replica", "time_s"]].assign(phi_m_V=0.1, I_m_A_per_m=2.0).reset_index(drop=True)
    return TransSlitRecord(crossings, slits, terminal, {"electrolyte": "KCl", "temperature_K": 298.15, "source": "md"})


def flipped(path, place, bit):
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    path.write_bytes(content)


@campaign(250)
@given(
    st.sampled_from(["crossings.parquet", "slits.parquet", "terminal.parquet", "record.json"]),
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 7),
)
def test_a_record_with_a_flipped_bit_is_refused_or_is_the_record(name, place, bit):
    record = planted()
    with folder() as there:
        record.write(there / "record")
        flipped(there / "record" / name, place, bit)
        try:
            found = TransSlitRecord.read(there / "record")
        except BadInput as fault:
            told(fault)
            assert run("transslit", "discover", "record", *NOWHERE)[0] == 2
            return
        assert found.metadata == record.metadata
        for table in ("crossings", "slits", "terminal"):
            pd.testing.assert_frame_equal(getattr(found, table), getattr(record, table), check_exact=True)


@campaign(150)
@given(st.floats(0, 1, exclude_max=True), st.integers(0, 7))
def test_a_table_with_a_flipped_bit_is_refused_or_keeps_its_numbers(place, bit):
    table = planted().crossings
    with folder() as there:
        write_table(there / "table.parquet", table)
        flipped(there / "table.parquet", place, bit)
        with contextlib.suppress(BadInput):
            found = read_table(there / "table.parquet", "table", list(table))
            assert (found[list(table)].to_numpy() == table.to_numpy()[: len(found)]).all()


@campaign()
@given(st.text(max_size=40))
def test_any_text_is_finite_json_or_refused(text):
    with contextlib.suppress(ValueError):
        json.dumps(parse_json(text), allow_nan=False)


# Sweeps

GRIDS = st.builds(
    lambda name, parts, joint: f"{name}={joint.join(parts)}",
    st.sampled_from(["resistance", "gamma", "layers", "model", "out", "colour", ""]),
    st.lists(st.one_of(TEXTS, st.sampled_from(["1ohm", "2kohm", "3", "log", "²", "0.5", "1nm"])), max_size=4),
    st.sampled_from([",", ":"]),
)


@campaign(60)
@given(st.lists(GRIDS, max_size=2))
def test_any_grid_is_swept_or_refused_in_a_line(grids):
    words = [word for grid in grids for word in ("--vary", grid)]
    with folder():
        assert run("transslit", "sweep", "circuit", *words, "--resistance", "5ohm", "--workers", "1", *NOWHERE)[0] == 2
