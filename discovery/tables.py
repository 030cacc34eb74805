"""Tables for the search: from trans-slit records, or from a user's files.

The table of a record has the columns of `TransSlitRecord.joined()` and those of `MEANING`.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from transslit.columns import stem_of
from transslit.errors import BadInput
from transslit.files import check_numbers, read_table, read_text
from transslit.formula import FUNCTIONS
from transslit.record import MUST_AGREE, TransSlitRecord

FEWEST_ROWS = 20
LENGTH = 1e-9  # m, unit of d
LARGEST = 1e50  # number; squares of larger ones may overflow
FEWEST_REPLICAS = 3  # of a record, for their standard deviation to be the uncertainty of dphi
MEANING = {
    "q": "|Q_i| / max |Q_i| of its replica and slit",
    "q_I": "|integral of I_i dt| / its largest, of its replica and slit",
    "charge_C_per_m": "integral of I_i dt from the first instant",
    "d": f"slit width / {LENGTH:g} m",
    "cycle": "cycle of a periodic drive, from 1",
}


def table_from_records(records: Iterable[TransSlitRecord]) -> pd.DataFrame:
    """Rows of `record.joined()` with `group` (record.replica.i) and the columns of `MEANING`, on even times.

    If each record has three replicas or more, `dphi_V_std` is their standard deviation at each time and slit (the
    uncertainty of Nernst-Planck runs is unknown). The first instant of every group (at rest, before the drive acts) and
    rows without a defined q are left out.

    Raises
    ------
    BadInput : records of different electrolytes, temperatures or signs; no rows left
    """
    tables = []
    first: dict[str, Any] | None = None
    for number, record in enumerate(records):
        first = record.metadata if first is None else first
        for key in MUST_AGREE:
            if record.metadata.get(key) != first.get(key):
                raise BadInput(f"record {key}", record.metadata.get(key), f"must equal {first.get(key)} to be joined")
        rows = _rows_of(record.resampled())
        tables.append(rows.assign(group=f"{number}." + rows["group"]))
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    if table.empty:
        raise BadInput("record", "no usable rows", "give records with currents, potentials and charges over time")
    table = table.dropna(axis="columns", how="any")  # columns that only some of the records have
    table.attrs["meaning"] = MEANING
    return table


def _rows_of(record: TransSlitRecord) -> pd.DataFrame:
    rows = record.joined().sort_values(["replica", "i", "time_s"], kind="stable").reset_index(drop=True)
    rows.insert(0, "group", rows["replica"].astype(str) + "." + rows["i"].astype(str))
    by_group = rows.groupby("group", sort=False)
    step = by_group["time_s"].diff().fillna(0.0)
    mean = (rows["I_A_per_m"] + by_group["I_A_per_m"].shift()).fillna(0.0) / 2
    rows["charge_C_per_m"] = (mean * step).groupby(rows["group"], sort=False).cumsum()
    passed = rows["charge_C_per_m"].abs()
    rows["q_I"] = passed / passed.groupby(rows["group"], sort=False).transform("max")
    network, drive = record.metadata.get("network") or {}, record.metadata.get("drive") or {}
    rows["d"] = float(network.get("slit", np.nan)) / LENGTH
    if {"window", "scan_rate"} <= set(drive):
        period = 2 * drive["window"] / drive["scan_rate"]
        rows["cycle"] = np.ceil(rows["time_s"] / period - 1e-9).astype(int).clip(lower=1)
    else:
        rows["cycle"] = 1
    if rows["replica"].nunique() >= FEWEST_REPLICAS:
        rows["dphi_V_std"] = _scatter(rows, record.terminal)
    defined = np.isfinite(rows[["dphi_V", "I_A_per_m", "q", "q_I"]].to_numpy(dtype=float)).all(axis=1)
    later = rows["time_s"].to_numpy() > by_group["time_s"].transform("min").to_numpy()
    return rows[defined & later]


def _scatter(rows: pd.DataFrame, terminal: pd.DataFrame) -> pd.Series:
    """Standard deviation of dphi over the replicas in V, shape (rows,); replicas of a negative drive change their sign.

    The variance is averaged over nine instants, since that of a few replicas is itself uncertain.
    """
    drive = terminal["phi_m_V" if "phi_m_V" in terminal else "sigma_C_per_m2"]
    sign = np.sign(drive.groupby(terminal["replica"]).mean())
    variance = (rows["dphi_V"] * rows["replica"].map(sign)).groupby([rows["i"], rows["time_s"]]).var()
    smooth = variance.groupby(level="i", group_keys=False).apply(
        lambda v: v.rolling(9, center=True, min_periods=1).mean()
    )
    keys = pd.MultiIndex.from_frame(rows[["i", "time_s"]])
    return pd.Series(np.sqrt(smooth.reindex(keys).to_numpy()), index=rows.index)


def read_tables(paths: Sequence[Path], target: str, inputs: Sequence[str]) -> pd.DataFrame:
    """A user's CSV or Parquet tables as one, checked for a search.

    Raises
    ------
    BadInput : unreadable, columns missing or in two units, not numeric, NaN or constant, too few rows
    """
    tables = [_read(Path(path)) for path in paths]
    for path, table in zip(paths, tables, strict=True):
        for name in (target, *inputs):
            other = [str(c) for c in table.columns if c != name and stem_of(str(c)) == stem_of(name)]
            if name not in table.columns and other:
                raise BadInput(f"column {name}", f"{other[0]} in {path}", "give the same unit everywhere")
    if len(tables) > 1:
        for n, table in enumerate(tables):
            table["group"] = f"{n}." + table["group"].astype(str) if "group" in table.columns else str(n)
    table = pd.concat(tables, ignore_index=True) if len(tables) > 1 else tables[0]
    check_table(table, target, inputs)
    return table


def _read(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return read_table(path, "table")
    text = read_text(path, "table")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # for rows with more cells than the header
            table = pd.read_csv(StringIO(text), index_col=False)
        header = next(csv.reader(StringIO(text), strict=True))
    except pd.errors.ParserWarning:
        fault = "is not a CSV table: rows with more cells than names (commas separate cells, points are decimal marks)"
        raise BadInput("table", path, fault) from None
    except (ValueError, OverflowError, csv.Error) as error:  # pandas' parser errors among them
        raise BadInput("table", path, f"is not a CSV table ({str(error).splitlines()[0]})") from None
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise BadInput(f"table {path}", repeated[0], "names two columns")
    return table


def check_table(table: pd.DataFrame, target: str, inputs: Sequence[str]) -> None:
    """Refuse a table that a search cannot use.

    Raises
    ------
    BadInput : columns missing or twice, not numeric, NaN or infinite, constant, or fewer than 20 rows
    """
    for name in (target, *inputs):
        if name not in table.columns:
            raise BadInput("column", name, f"not in the table, which has {', '.join(map(str, table.columns))}")
        if not name.isidentifier() or name in FUNCTIONS:
            raise BadInput("column", name, "cannot be used in a formula; rename it to letters, digits and _, as I_mA")
    if not table.columns.is_unique:
        raise BadInput("column", table.columns[table.columns.duplicated()][0], "appears twice in the table")
    for name in ("group", "replica", "i"):
        if name in table.columns and table[name].isna().any():
            row = int(np.flatnonzero(table[name].isna())[0]) + 1
            raise BadInput(f"column {name}", f"empty in row {row}", "identifies the slit; give it in every row")
    if len(table) < FEWEST_ROWS:
        raise BadInput("table rows", len(table), f"too few for a search; give {FEWEST_ROWS} or more")
    for name in MUST_AGREE:
        if name in table.columns and name not in inputs and len(pd.unique(table[name])) > 1:
            first, other = pd.unique(table[name])[:2]
            raise BadInput(f"column {name}", f"{first} and {other}", "must have one value unless it is an input")
    for name in inputs:
        if name not in (same := [other for other in inputs if stem_of(other) == stem_of(name)])[:1]:
            raise BadInput("inputs", ", ".join(same), "are one quantity in two units; give it once")
    error = f"{target}_std"
    known = [target, *inputs, *([error] if error in table.columns else [])]
    check_numbers(table, known)
    for name in known:
        values = table[name].to_numpy(dtype=float)
        if np.abs(values).max() > LARGEST or (name == error and 0 < values.min() < 1 / LARGEST):
            raise BadInput(f"column {name}", np.abs(values).max(), f"beyond {LARGEST:g}; choose another unit")
        if name == error:
            if not (values > 0).all():
                raise BadInput(f"column {name}", values.min(), "uncertainties must be positive")
        elif values.max() - values.min() <= 1e-9 * np.abs(values).max():  # the digits of a number as text
            raise BadInput(f"column {name}", f"constant at {values[0]:g}", "must vary to be searched")
