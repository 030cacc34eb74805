"""Statistics of judged settings: where each claim holds, the ranking of settings, sensitivities of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest, qmc

from studies.missing_methods.sensitivity import emulated_indices
from studies.missing_methods.setting import LABELS, NAMES, Setting
from studies.missing_methods.table import Part, claims_hold, coordinates, margins, with_resistivity_slopes
from transslit import SlitNetwork
from transslit.progress import Progress
from transslit.resampling import CONFIDENCE
from validation.claims.resistance import FLAT
from validation.presets import BOX, WIDTHS

# A number for each claim: label, column or columns of the table, and their transformation.
NUMBERS: dict[str, tuple[str | tuple[str, ...], str]] = {
    "C02 least share of the cycle, 5 nm": ("C02.i", ""),
    "C03 slope of the steric share": ("C03.c", ""),
    "C03 steric share at 3 nm": ("steric 3", ""),
    "C08 spread over the slits": (("C08.a", "C08.b", "C08.c", "C08.d"), "log max"),
    "C09 slope of dr, r = R G": ("C09.c", ""),
    "C09 slope of dr, r = R d / L": ("slope dr", ""),
    "C10 slope of R_max": ("C10.a", ""),
    "C10 slope of R_min": ("C10.b", ""),
    "C11 gamma at 1.5 nm": ("gamma 1.5", ""),
    "C12 smallest R over (1 - gamma) R_c": ("C12.e", ""),
    "C13 error of equation 1b": (("C13.a", "C13.b", "C13.c"), "log max"),
    "C17 slope of dkappa, r = R G": ("C17.b", ""),
    "C18 flux at the edge over the mirror": ("C18.a", "log"),
    "C19 deviation of C_slit": (("C19.b", "C19.d", "C19.f", "C19.h", "C19.j"), "log max"),
}


def claim_shares(table: pd.DataFrame, parts: Sequence[Part], filling: int) -> pd.DataFrame:
    """Where each claim holds.

    Parameters
    ----------
    table : judged settings: the defaults, then `filling` space-filling ones (without those that failed)
    filling : rows after the first that fill the box evenly

    Returns
    -------
    table by claim : share of the box in which it holds, with its 95 % interval (low, high; E. B. Wilson's), the margin
        at the defaults and the median over the box; and in `where`, the coordinates whose middle half, among the
        settings where it holds, leaves out the box's middle
    """
    whole, margin = claims_hold(table, parts), margins(table, parts)
    even = whole.iloc[1 : filling + 1]
    x = coordinates(table)[1 : filling + 1]
    rows = []
    for claim in whole:
        count = int(even[claim].sum())
        interval = binomtest(count, len(even)).proportion_ci(CONFIDENCE, method="wilson")
        rows.append(
            {
                "claim": claim,
                "share": count / len(even),
                "low": interval.low,
                "high": interval.high,
                "defaults": bool(whole[claim].iloc[0]),
                "margin": float(margin[claim].iloc[0]),
                "median": float(margin[claim].iloc[1 : filling + 1].median()),
                "where": _tendencies(x[even[claim].to_numpy()]) if count >= 5 else "",
            }
        )
    return pd.DataFrame(rows).set_index("claim")


def _tendencies(x: np.ndarray) -> str:
    """Parameters that are mostly large or mostly small among the coordinates `x`, in words."""
    low, high = np.quantile(x, [0.25, 0.75], axis=0)
    words = [f"small {LABELS[name]}" for name, top in zip(BOX, high[: len(BOX)], strict=True) if top < 0.5]
    words += [f"large {LABELS[name]}" for name, bottom in zip(BOX, low[: len(BOX)], strict=True) if bottom > 0.5]
    return ", ".join(words)


def ranking(table: pd.DataFrame, parts: Sequence[Part]) -> pd.DataFrame:
    """The settings by number of claims that hold, then by shortfall: `held`, `missing` (ids), `shortfall`.

    The shortfall is the sum over the claims of how far they lie outside their tolerance, each at most 1.
    """
    whole, margin = claims_hold(table, parts), margins(table, parts)
    short = (-margin.fillna(-1.0)).clip(lower=0.0, upper=1.0).sum(axis=1)
    missing = [" ".join(whole.columns[~row]) for row in whole.to_numpy()]
    ranked = table.assign(held=whole.sum(axis=1), shortfall=short, missing=missing)
    return ranked.sort_values(["held", "shortfall"], ascending=[False, True], kind="stable")


def slope_of_resistance(setting: Setting) -> float:
    """d ln R / d ln d over the paper's widths, by Laplace's equation: R of a network without any double layer."""
    network = {name: getattr(setting, name) for name in ("slit_length", "edge_gap", "sheet_thickness")}
    resistance = [1 / SlitNetwork(slit=d, **network).geometric_conductance for d in WIDTHS]
    return float(np.polyfit(np.log(WIDTHS), np.log(resistance), 1)[0])


def flat_by_geometry(count: int = 256, seed: int = 0) -> dict[str, float]:
    """Geometries in which R_max of the bulk electrolyte would hardly change with d, of `count` that admit 0.3 nm ions.

    Returns
    -------
    numbers : their `share`; the largest `slit_length` and `edge_gap` in m (0 for none)
    """
    sample = np.full((count, len(NAMES)), 0.25)
    columns = [NAMES.index(name) for name in ("slit_length", "edge_gap", "sheet_thickness")]
    sample[:, columns] = qmc.Sobol(3, seed=seed).random(count)
    sample[:, NAMES.index("ion_diameter")] = 0.0
    settings = [Setting.at(row) for row in sample]
    level = [setting for setting in settings if abs(slope_of_resistance(setting)) <= FLAT]
    return {
        "share": len(level) / count,
        "slit_length": max((setting.slit_length for setting in level), default=0.0),
        "edge_gap": max((setting.edge_gap for setting in level), default=0.0),
    }


def numbers(table: pd.DataFrame) -> pd.DataFrame:
    """The `NUMBERS` of each row, a column each."""
    table = with_resistivity_slopes(table)
    values = {}
    for label, (columns, change) in NUMBERS.items():
        value = table[list(columns)].max(axis=1, skipna=False) if isinstance(columns, tuple) else table[columns]
        with np.errstate(invalid="ignore", divide="ignore"):
            values[label] = np.log(value) if "log" in change else value
    return pd.DataFrame(values).astype(float)


def sensitivities(table: pd.DataFrame, seed: int = 0, progress: Progress | None = None) -> pd.DataFrame:
    """`sensitivity.emulated_indices` of each of the `NUMBERS`, one below the other, with `number`."""
    x, columns, tables = coordinates(table), numbers(table), []
    with (progress or Progress(quiet=True)).task("Sensitivities", len(columns.columns)) as advance:
        for label, column in columns.items():
            y = column.to_numpy()
            known = np.isfinite(y)
            tables.append(emulated_indices(x[known], y[known], list(NAMES), seed).assign(number=str(label)))
            advance(len(tables))
    return pd.concat(tables, ignore_index=True)
