"""Tables of the shape of a cyclic voltammogram, with a law planted in them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

RESISTANCE = 0.12  # ohm*m, the order of a 20 nm slit in 1 M KCl
PEAK = 0.05  # A/m


def _current(time: np.ndarray, i: int) -> np.ndarray:
    """Trapezoid of one cycle with RC transients, A/m; slits far from the bulk carry less and lag more."""
    lag, peak = 0.04 + 0.03 * i, PEAK * (1.2 - 0.22 * i)
    charging = time <= 1
    rise = 1 - np.exp(-time / lag)
    fall = -1 + 2 * np.exp(-np.maximum(time - 1, 0) / lag)
    return peak * np.where(charging, rise, fall) * (1 + 0.15 * np.cos(time))


def cv_table(
    resistance: Callable[[np.ndarray], np.ndarray],
    noise: float = 0.01,
    seed: int = 0,
    slits: int = 4,
    rows: int = 400,
    offset: float = 0.0,
    misfit: float = 0.0,
) -> pd.DataFrame:
    """dphi = I R_c resistance(q) + offset over one cycle; q goes from 0 to 1 and back.

    `noise` (white), `offset` and `misfit` (a slow oscillation that no form in I and q has) are fractions of the
    target's root mean square.
    """
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 2, rows + 1)[1:]
    tables = []
    for i in range(1, slits + 1):
        current = _current(time, i)
        charge = np.cumsum(current)
        q = np.abs(charge) / np.abs(charge).max()
        target = current * RESISTANCE * resistance(q)
        wave = np.sqrt(2) * np.sin(2 * np.pi * 1.3 * time + i / 3)
        columns = {"time_s": time * 1e-5, "I_A_per_m": current, "q": q, "dphi_V": target, "wave": wave}
        tables.append(pd.DataFrame(columns).assign(group=f"0.{i}", i=i))
    table = pd.concat(tables, ignore_index=True)
    scale = np.sqrt(np.mean(table["dphi_V"] ** 2))
    unexplained = noise * rng.standard_normal(len(table)) + misfit * table.pop("wave")
    table["dphi_V"] += scale * (offset + unexplained)
    return table


@pytest.fixture(scope="session")
def make_table() -> Callable[..., pd.DataFrame]:
    return cv_table
