"""Files: written whole or not at all, and read with checks of kind, shape, types and finite numbers.

Parquet tables have a checksum per page, by which a flipped bit is detected. Files that a person writes may begin with
a byte-order mark.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from pydantic import BaseModel, ValidationError

from transslit.errors import BadInput, first_line

LONGEST = 1 << 28  # bytes of a text file
Model = TypeVar("Model", bound=BaseModel)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, with the same suffix, that is renamed to it if the block succeeds."""
    partial = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    except Exception:
        partial.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write `text` whole or not at all."""
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole or not at all; NaN is refused."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False, default=str) + "\n")


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a Parquet table whole or not at all."""
    with whole(path) as partial:
        table.to_parquet(partial, index=False, write_page_checksum=True)


def read_text(path: Path, field: str) -> str:
    """A text file in UTF-8, without its byte-order mark.

    Raises
    ------
    BadInput : cannot be read, or is not text
    """
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
    except (OSError, ValueError) as error:  # a ValueError is a null byte in the path
        raise BadInput(field, path, f"cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(content) > LONGEST:
        raise BadInput(field, path, f"is longer than {LONGEST >> 20} MiB")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise BadInput(field, path, "is not text in UTF-8") from None


def read_toml(path: Path, field: str) -> dict[str, Any]:
    """Content of a TOML file.

    Raises
    ------
    BadInput : cannot be read, or is not TOML
    """
    try:
        return tomllib.loads(read_text(path, field))
    except RecursionError:
        raise BadInput(field, path, "is nested too deeply") from None
    except ValueError as error:  # tomllib's own, and Python's on a number of thousands of digits
        raise BadInput(field, path, f"is not valid TOML ({first_line(error)})") from None


def parse_json(text: str) -> Any:
    """Content of a JSON text, whose numbers are finite.

    Raises
    ------
    ValueError : not JSON, nested too deeply, a name twice in an object, or NaN or an infinity
    """

    def refuse(name: str) -> NoReturn:
        raise ValueError(f"{name} is no number")

    def finite(digits: str) -> float:
        value = float(digits)
        if not np.isfinite(value):
            raise ValueError(f"{digits[:40]} is beyond a number's range")
        return value

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            names = [name for name, _ in pairs]
            raise ValueError(f"{next(name for name in names if names.count(name) > 1)} is given twice")
        return content

    try:
        return json.loads(text, parse_constant=refuse, parse_float=finite, object_pairs_hook=once)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def read_json(path: Path, field: str = "file") -> Any:
    """Content of a JSON file; None where there is none.

    Raises
    ------
    BadInput : cannot be read, or is not JSON
    """
    if not path.exists():
        return None
    text = read_text(path, field)
    try:
        return parse_json(text)
    except ValueError as error:
        raise BadInput(field, path, f"is damaged or not JSON ({first_line(error)})") from None


def read_object(path: Path, field: str = "file") -> dict[str, Any]:
    """Content of a JSON file that holds an object; empty where there is no file.

    Raises
    ------
    BadInput : cannot be read, not JSON, or not an object
    """
    content = read_json(path, field)
    if isinstance(content, dict):
        return content
    if path.exists():
        raise BadInput(field, path, "must hold a JSON object")
    return {}


def write_sealed(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object whole or not at all, with the checksum that `read_sealed` verifies."""
    plain = json.loads(json.dumps(content, allow_nan=False, default=str))
    write_json(path, plain | {"checksum": _checksum(plain)})


def read_sealed(path: Path, field: str = "file", sealed: str = "checksum") -> dict[str, Any]:
    """Content that `write_sealed` wrote, without its checksum; empty where there is no file.

    A file with neither a checksum nor the key `sealed` is of another program or an earlier version: it is not verified.

    Raises
    ------
    BadInput : cannot be read, or was changed
    """
    content = read_object(path, field)
    if {"checksum", sealed} & content.keys() and content.pop("checksum", None) != _checksum(content):
        without = " and ".join(dict.fromkeys(["checksum", sealed]))
        raise BadInput(field, path, f"is damaged, or was changed (it would be read as it is without {without})")
    return content


def file_checksum(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes.

    Raises
    ------
    OSError : it cannot be read
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def checked(content: Any, model: type[Model], path: Path, field: str) -> Model:
    """`content` of the file `path` as `model`.

    Raises
    ------
    BadInput : the first field that is missing or of another type
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(map(str, fault["loc"])) or "content"
        raise BadInput(field, path, f"{where}: {fault['msg'].removeprefix('Value error, ')}") from None


def read_table(path: Path, field: str, columns: Iterable[str] = ()) -> pd.DataFrame:
    """A Parquet table whose `columns` hold finite numbers.

    Raises
    ------
    BadInput : cannot be read, is damaged, a column is missing, or as `check_numbers`
    """
    try:
        table = pd.read_parquet(path, page_checksum_verification=True)
        rows = pq.read_metadata(path).num_rows  # page headers hold this number too, but have no checksum
    except FileNotFoundError:
        raise BadInput(field, path, "no such file") from None
    except Exception as error:  # pyarrow and its decoders raise many types on damaged files
        raise BadInput(field, path, f"is damaged or not a Parquet table ({first_line(error)})") from None
    if len(table) != rows:
        raise BadInput(field, path, f"is damaged: {len(table)} of {rows} rows can be read")
    check_numbers(table, columns, f"{field} {path.name}")
    return table


def check_numbers(table: pd.DataFrame, columns: Iterable[str], where: str = "") -> None:
    """Refuse a table unless it has each of `columns` once, with a finite number in every row.

    Raises
    ------
    BadInput : names, after `where`, the column and the first such row (from 1)
    """
    columns = list(columns)
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise BadInput(where or "table", f"without {', '.join(missing)}", f"needs {', '.join(columns)}")
    for name in columns:
        field, values = f"{where}: column {name}" if where else f"column {name}", table[name]
        if isinstance(values, pd.DataFrame):
            raise BadInput(field, "twice", "one column of a name")
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            other = values[pd.to_numeric(values.astype(str), errors="coerce").isna()]
            example = f"{(other if len(other) else values).iloc[0]!s:.40}" if len(values) else values.dtype
            raise BadInput(field, example, "must hold plain numbers, units in the name")
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        bad = np.flatnonzero(~np.isfinite(numbers))
        if bad.size:
            raise BadInput(field, f"{numbers[bad[0]]} in row {bad[0] + 1}", "every row needs a finite number")
