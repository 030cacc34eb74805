"""Files: what was written is read, and anything else is refused with its place."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from transslit import BadInput
from transslit.errors import LONGEST, visible
from transslit.files import (
    check_numbers,
    parse_json,
    read_json,
    read_object,
    read_sealed,
    read_table,
    read_text,
    read_toml,
    write_sealed,
    write_table,
)


def test_a_byte_order_mark_and_line_ends_of_windows_are_no_content(tmp_path):
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbfa = 1\r\nb = 2\r\n")
    assert read_text(path, "file") == "a = 1\nb = 2\n"
    assert read_toml(path, "file") == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "not text"),
        (b"a = ", "not valid TOML"),
        (b"a = " + b"[" * 100_000, "TOML|deeply"),
        (b"a=1\na=2", "TOML"),
    ],
)
def test_toml_that_cannot_be_read_is_one_line(tmp_path, content, said):
    (tmp_path / "a.toml").write_bytes(content)
    with pytest.raises(BadInput, match=said):
        read_toml(tmp_path / "a.toml", "file")


def test_what_is_not_there_or_a_folder_is_one_line(tmp_path):
    for path in (tmp_path / "none", tmp_path, tmp_path / "a\0b"):
        with pytest.raises(BadInput, match="cannot be read"):
            read_text(path, "file")


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}', "NaN", "[Infinity]", "-Infinity", "1e999", '{"a": -1e400}', "[" * 100_000, "", "{"]
)
def test_json_has_finite_numbers_and_no_bottomless_depth(text):
    with pytest.raises(ValueError, match=r".+"):
        parse_json(text)


def test_json_of_another_kind_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("[1]")
    assert read_json(tmp_path / "a.json") == [1]
    with pytest.raises(BadInput, match="object"):
        read_object(tmp_path / "a.json")
    assert read_object(tmp_path / "none.json") == {}


def test_a_sealed_file_that_was_changed_is_refused(tmp_path):
    path = tmp_path / "a.json"
    write_sealed(path, {"n": 1, "x": [0.1, 2], "t": ("a",)})
    assert read_sealed(path) == {"n": 1, "x": [0.1, 2], "t": ["a"]}
    path.write_text(path.read_text().replace("0.1", "0.2"))
    with pytest.raises(BadInput, match="checksum"):
        read_sealed(path)
    content = json.loads(path.read_text())
    del content["checksum"]
    path.write_text(json.dumps(content))
    assert read_sealed(path)["x"] == [0.2, 2]
    with pytest.raises(BadInput, match="n"):
        read_sealed(path, sealed="n")


def test_a_table_round_trip_and_its_flipped_bits(tmp_path):
    """Flipped in every byte of a column of noise, which does not compress: most would be other numbers."""
    table = pd.DataFrame({"x": np.random.default_rng(0).normal(size=50)})
    path = tmp_path / "t.parquet"
    write_table(path, table)
    pd.testing.assert_frame_equal(read_table(path, "t", ["x"]), table, check_exact=True)
    column = pq.ParquetFile(path).metadata.row_group(0).column(0)
    whole = path.read_bytes()
    refused = 0
    for place in range(column.dictionary_page_offset, column.dictionary_page_offset + column.total_compressed_size):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        try:
            pd.testing.assert_frame_equal(read_table(path, "t"), table, check_exact=True)
        except BadInput:
            refused += 1
    assert refused > 350


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["much"] * 3, "x: much: must hold plain numbers"),
        ([True] * 3, "x: True: must hold plain numbers"),
        ([1.0, np.nan, 2.0], "nan in row 2"),
        ([1.0, 2.0, -np.inf], "-inf in row 3"),
        ([[1], [2], [3]], "must hold plain numbers"),
        (pd.array([1, None, 3], dtype="Int64"), "nan in row 2"),
        (pd.date_range("2020", periods=3), "must hold plain numbers"),
    ],
)
def test_a_column_without_finite_numbers_is_named(values, said):
    with pytest.raises(BadInput, match=said):
        check_numbers(pd.DataFrame({"x": values}), ["x"])


def test_columns_that_are_missing_or_twice_are_named():
    table = pd.DataFrame([[1.0, 2.0]], columns=["x", "x"])
    with pytest.raises(BadInput, match="twice"):
        check_numbers(table, ["x"])
    with pytest.raises(BadInput, match="record: without y: needs x, y"):
        check_numbers(table.iloc[:, :1], ["x", "y"], "record")


def test_a_fault_is_one_line_of_bounded_length_in_which_nothing_steers_a_terminal():
    fault = str(BadInput("field", "a\nb\x1b[31m\u202e\udcff" + "c" * 10_000, "give less"))
    assert len(fault) < LONGEST + 100
    assert "a\\u000ab\\u001b[31m\\u202e\\udcff" in fault
    assert visible("\U000e0001 é ½ 中") == "\\U000e0001 é ½ 中"
