"""Tables for the search: from trans-slit records, from a user's file, and their dimensionless form.

Scaled variables: x_j / max|x_j| and y / rms(y) (for dphi of I and q: dphi/(I_max R_c0), I/I_max, q), so that a
search does not depend on the units of its table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from discovery.config import DiscoveryConfig
from discovery.fit import Array, Rows
from transslit.errors import BadInput
from transslit.record import MUST_AGREE, TransSlitRecord
from transslit.units import registry

FEWEST_ROWS = 20
NEAR_ZERO = 0.01  # of an input's largest magnitude: below, dividing by it has its pole in the data


def table_from_records(records: Iterable[TransSlitRecord]) -> pd.DataFrame:
    """Rows of `record.joined()` with `group` (record.replica.i) and `charge_C_per_m` (the integral of I over time).

    The first instant of every group (at rest, before the drive acts) and rows without a defined q are left out.

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
        rows = record.joined().sort_values(["replica", "i", "time_s"], kind="stable")
        rows.insert(0, "group", [f"{number}.{r}.{i}" for r, i in zip(rows["replica"], rows["i"], strict=True)])
        by_group = rows.groupby("group", sort=False)
        step = by_group["time_s"].diff().fillna(0.0)
        mean = (rows["I_A_per_m"] + by_group["I_A_per_m"].shift()).fillna(0.0) / 2
        rows["charge_C_per_m"] = (mean * step).groupby(rows["group"], sort=False).cumsum()
        defined = np.isfinite(rows[["dphi_V", "I_A_per_m", "q"]].to_numpy(dtype=float)).all(axis=1)
        later = rows["time_s"].to_numpy() > by_group["time_s"].transform("min").to_numpy()
        tables.append(rows[defined & later])
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    if table.empty:
        raise BadInput("record", "no usable rows", "give records with currents, potentials and charges over time")
    return table


def read_table(path: Path, target: str, inputs: Sequence[str]) -> pd.DataFrame:
    """A user's CSV or Parquet table, checked for a search.

    Raises
    ------
    BadInput : unreadable, columns missing, not numeric, NaN or constant, too few rows
    """
    path = Path(path)
    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except OSError as error:
        raise BadInput("table", path, f"cannot be read ({error.strerror or error})") from None
    except ValueError as error:  # pandas' parser errors, wrong encodings and pyarrow's errors among them
        raise BadInput("table", path, f"is not a CSV or Parquet table ({str(error).splitlines()[0]})") from None
    check_table(table, target, inputs)
    return table


def check_table(table: pd.DataFrame, target: str, inputs: Sequence[str]) -> None:
    """Refuse what a search cannot use, with the column's name.

    Raises
    ------
    BadInput : columns missing or twice, not numeric, NaN or infinite, constant, or fewer than 20 rows
    """
    for name in (target, *inputs):
        if name not in table.columns:
            raise BadInput("column", name, f"not in the table, which has {', '.join(map(str, table.columns))}")
    if not table.columns.is_unique:
        raise BadInput("column", table.columns[table.columns.duplicated()][0], "appears twice in the table")
    if len(table) < FEWEST_ROWS:
        raise BadInput("table rows", len(table), f"too few for a search; give {FEWEST_ROWS} or more")
    error = f"{target}_std"
    for name in (target, *inputs, *([error] if error in table.columns else [])):
        if not pd.api.types.is_numeric_dtype(table[name]) or pd.api.types.is_bool_dtype(table[name]):
            raise BadInput(
                f"column {name}", f"{table[name].iloc[0]!s:.40}", "must hold plain numbers, units in the name"
            )
        values = table[name].to_numpy(dtype=float)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            raise BadInput(f"column {name}", f"{values[bad[0]]} in row {bad[0] + 1}", "every row needs a finite number")
        if name == error:
            if not (values > 0).all():
                raise BadInput(f"column {name}", values.min(), "uncertainties must be positive")
        elif values.max() - values.min() <= 1e-9 * np.abs(values).max():  # the digits of a number as text
            raise BadInput(f"column {name}", f"constant at {values[0]:g}", "must vary to be searched")


@dataclass(frozen=True)
class Problem:
    """What a search sees: scaled training and held-out rows, and the scales that undo it."""

    rows: Rows
    groups: Array  # of the training rows, integers
    held: Rows | None
    x_scales: tuple[float, ...]
    y_scale: float
    signed: frozenset[int]  # inputs that take both signs
    vanishing: frozenset[int]  # inputs that pass through or near zero
    weighted: bool
    held_out: tuple[str, ...]  # names of the held-out groups; empty where rows were drawn or none


def _groups(table: pd.DataFrame) -> Array:
    if "group" in table.columns:
        return table["group"].astype(str).to_numpy()
    keys = [key for key in ("replica", "i") if key in table.columns]
    if not keys:
        return np.full(len(table), "all")
    return table[keys].astype(str).agg(".".join, axis=1).to_numpy()


def _held_out(table: pd.DataFrame, groups: Array, config: DiscoveryConfig) -> tuple[Array, tuple[str, ...]]:
    names = list(dict.fromkeys(groups.tolist()))
    if config.held_out == "none":
        return np.zeros(len(groups), dtype=bool), ()
    if config.held_out != "last":
        unknown = [name for name in config.held_out if name not in names]
        if unknown:
            raise BadInput("held_out", unknown[0], f"not a group of the table, which has {', '.join(names)}")
        chosen = list(config.held_out)
    elif "i" in table.columns:
        numbers = table["i"].to_numpy()
        chosen = list(dict.fromkeys(groups[numbers == numbers.max()].tolist()))
    else:
        chosen = names[-1:]
    if len(chosen) < len(names):
        return np.isin(groups, chosen), tuple(chosen)
    if config.held_out != "last":
        raise BadInput("held_out", ", ".join(chosen), "must leave groups to train on")
    drawn = np.random.default_rng(config.seed).permutation(len(groups))[: len(groups) // 5]
    return np.isin(np.arange(len(groups)), drawn), ()


def make_problem(table: pd.DataFrame, config: DiscoveryConfig) -> Problem:
    """Scale a checked table and set the held-out groups (or a fifth of the rows, if there is one group) apart.

    Raises
    ------
    BadInput : see `check_table`; a held-out group that is not there, or that leaves nothing to train on
    """
    check_table(table, config.target, config.inputs)
    x = table[list(config.inputs)].to_numpy(dtype=float).T
    y = table[config.target].to_numpy(dtype=float)
    groups = _groups(table)
    held, names = _held_out(table, groups, config)
    if (~held).sum() < FEWEST_ROWS:
        raise BadInput(
            "table rows", int((~held).sum()), f"too few to train on; {FEWEST_ROWS} or more must not be held out"
        )
    weighted = f"{config.target}_std" in table.columns
    weights = 1.0 / table[f"{config.target}_std"].to_numpy(dtype=float) if weighted else np.ones(len(y))
    weights /= np.sqrt(np.mean(weights[~held] ** 2))
    x_scales = np.abs(x).max(axis=1)
    y_scale = float(np.sqrt(np.mean(y[~held] ** 2)))
    if not y_scale > 0:
        raise BadInput(f"column {config.target}", "zero in every training row", "must vary to be searched")
    rows = Rows(x / x_scales[:, None], y / y_scale, weights)
    signed = frozenset(np.flatnonzero((x < 0).any(axis=1)).tolist())
    vanishing = np.abs(x).min(axis=1) < NEAR_ZERO * x_scales
    _, numbers = np.unique(groups[~held], return_inverse=True)
    return Problem(
        rows.take(np.flatnonzero(~held)),
        numbers,
        rows.take(np.flatnonzero(held)) if held.any() else None,
        tuple(x_scales.tolist()),
        y_scale,
        signed,
        signed | frozenset(np.flatnonzero(vanishing).tolist()),
        weighted,
        names,
    )


def unit_of(column: str) -> str:
    """The unit in a column's name, pint syntax: "I_A_per_m" is A/(m), "c_mol_per_m3" mol/(m**3), "q" 1."""
    parts = column.split("_")
    where = parts.index("per") - 1 if "per" in parts else len(parts) - 1
    if where < 1:
        return "1"

    def power(token: str) -> str:
        return re.sub(r"^([A-Za-z]+)(\d+)$", r"\1**\2", token)

    below = "*".join(power(token) for token in parts[where + 1 :] if token != "per")
    unit = f"{power(parts[where])}/({below})" if below else power(parts[where])
    try:
        registry().Unit(unit)
    except Exception:  # pint leaks those of Python's tokenizer; a name that is no unit is a number
        return "1"
    return unit


PREFERRED = ("ohm*m", "ohm", "V", "A/m", "C/m", "F/m", "S/m", "ohm*m**2")


def combined_unit(target: str, powers: Sequence[tuple[str, float]]) -> str:
    """Unit of target / prod input^power, written as one of `PREFERRED` where it is the same."""
    ureg = registry()
    unit = ureg.Quantity(1.0, unit_of(target)) if target else ureg.Quantity(1.0, "")
    for name, power in powers:
        unit = unit / ureg.Quantity(1.0, unit_of(name)) ** power
    if unit.dimensionless and abs(unit.to("").magnitude - 1) < 1e-12:
        return "1"
    for name in PREFERRED:
        if unit.is_compatible_with(name) and abs(unit.to(name).magnitude - 1) < 1e-12:
            return name
    return f"{unit.units:~C}"
