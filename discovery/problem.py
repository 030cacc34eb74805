"""The data of a search: scaled variables in training rows and held-out rows.

The scaled variables are x_j / max|x_j| and y / rms(y), so that a search does not depend on the units of its table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from discovery.config import DiscoveryConfig
from discovery.fit import Array, Rows
from discovery.tables import FEWEST_ROWS, check_table
from transslit.errors import BadInput
from transslit.units import number

RANDOM_FIFTH = "a fifth of the rows"
NEAR_ZERO = 0.01  # of an input's largest magnitude; a smaller input is not divided by


@dataclass(frozen=True)
class Problem:
    """Scaled training rows and held-out rows, and their scales."""

    rows: Rows  # for training
    groups: Array  # of the training rows, integers
    held_out: Rows | None
    held_out_by_condition: Mapping[str, Rows]  # such as "i=4"; empty for a random fifth of the rows
    x_scales: tuple[float, ...]
    y_scale: float
    signed: frozenset[int]  # inputs that take both signs
    vanishing: frozenset[int]  # inputs that pass through or near zero
    weighted: bool
    meaning: Mapping[str, str]  # of the inputs that are derived from a record


def _groups(table: pd.DataFrame) -> Array:
    if "group" in table.columns:
        return table["group"].astype(str).to_numpy()
    keys = [key for key in ("replica", "i") if key in table.columns]
    if not keys:
        return np.full(len(table), "all")
    return table[keys].astype(str).agg(".".join, axis=1).to_numpy()


def rows_where(table: pd.DataFrame, condition: str) -> Array:
    """Mask of the rows that meet "column=value", shape (rows,).

    Raises
    ------
    BadInput : no such column, or no row with that value
    """
    column, _, value = (part.strip() for part in condition.partition("="))
    if column not in table.columns:
        names = ", ".join(str(name) for name in ("i", "cycle", "d", "group") if name in table.columns)
        raise BadInput("held_out", condition, f"must be COLUMN=VALUE of the table's columns, such as {names or 'i=4'}")
    values = table[column]
    if pd.api.types.is_numeric_dtype(values):
        try:
            mask = np.isclose(values.to_numpy(dtype=float), number(value), rtol=1e-9)
        except ValueError as error:
            raise BadInput("held_out", condition, f"column {column} holds numbers ({error})") from None
    else:
        mask = values.astype(str).to_numpy() == value
    if not mask.any():
        present = [f"{v:g}" if isinstance(v, float) else str(v) for v in pd.unique(values)[:8]]
        raise BadInput("held_out", condition, f"no such row; {column} is {', '.join(present)}")
    return mask


def _held_out(table: pd.DataFrame, config: DiscoveryConfig) -> tuple[Array, dict[str, Array]]:
    """Mask of the held-out rows, shape (rows,), and of those that meet each condition."""
    if config.held_out == "none":
        return np.zeros(len(table), dtype=bool), {}
    if config.held_out != "last":
        masks = {condition: rows_where(table, condition) for condition in config.held_out}
        held_out = np.any(list(masks.values()), axis=0)
        if held_out.all():
            raise BadInput("held_out", ", ".join(masks), "must leave rows for training")
        return held_out, masks
    for column in ("i", "group"):
        if column in table.columns and len(pd.unique(table[column])) > 1:
            last = table["i"].max() if column == "i" else table["group"].iloc[-1]
            mask = rows_where(table, f"{column}={last}")
            return mask, {f"{column}={last}": mask}
    return _random_fifth(len(table), config.seed), {}


def _random_fifth(count: int, seed: int) -> Array:
    return np.isin(np.arange(count), np.random.default_rng(seed).permutation(count)[: count // 5])


def make_problem(table: pd.DataFrame, config: DiscoveryConfig) -> Problem:
    """Check and scale a table, and set apart the held-out rows: slits, cycles, slit widths, or a fifth of the rows.

    Raises
    ------
    BadInput : see `check_table`; a condition that no row meets, or that leaves too few rows for training
    """
    check_table(table, config.target, config.inputs)
    x = table[list(config.inputs)].to_numpy(dtype=float).T
    y = table[config.target].to_numpy(dtype=float)
    held_out, masks = _held_out(table, config)
    if (training := int((~held_out).sum())) < FEWEST_ROWS:
        raise BadInput("table rows", training, f"too few for training; {FEWEST_ROWS} or more must not be held out")
    for name, values in zip(config.inputs, x, strict=True):
        if np.ptp(values[~held_out]) <= 1e-9 * np.abs(values).max():
            raise BadInput(
                f"column {name}", "constant in the training rows", "hold out fewer rows, or remove this input"
            )
    weighted = f"{config.target}_std" in table.columns
    weights = 1.0 / table[f"{config.target}_std"].to_numpy(dtype=float) if weighted else np.ones(len(y))
    weights /= np.sqrt(np.mean(weights[~held_out] ** 2))
    x_scales = np.abs(x).max(axis=1)
    y_scale = float(np.sqrt(np.mean(y[~held_out] ** 2)))
    if not y_scale > 0:
        raise BadInput(f"column {config.target}", "zero in every training row", "must vary to be searched")
    rows = Rows(x / x_scales[:, None], y / y_scale, weights)
    signed = frozenset(np.flatnonzero((x < 0).any(axis=1)).tolist())
    vanishing = np.abs(x).min(axis=1) < NEAR_ZERO * x_scales
    _, numbers = np.unique(_groups(table)[~held_out], return_inverse=True)
    meaning: Mapping[str, str] = table.attrs.get("meaning", {})
    return Problem(
        rows.take(np.flatnonzero(~held_out)),
        numbers,
        rows.take(np.flatnonzero(held_out)) if held_out.any() else None,
        {name: rows.take(np.flatnonzero(mask)) for name, mask in masks.items()},
        tuple(x_scales.tolist()),
        y_scale,
        signed,
        signed | frozenset(np.flatnonzero(vanishing).tolist()),
        weighted,
        {name: meaning[name] for name in config.inputs if name in meaning},
    )


def held_out_rows(table: pd.DataFrame, conditions: Sequence[str] | str, seed: int = 0) -> Array:
    """Mask of the held-out rows of a table, shape (rows,), from `held_out` and `seed` of its law's provenance."""
    if conditions == RANDOM_FIFTH:
        return _random_fifth(len(table), seed)
    if isinstance(conditions, str):
        return np.zeros(len(table), dtype=bool)
    return np.any([rows_where(table, condition) for condition in conditions], axis=0)
