"""Tables of the shape of a cyclic voltammogram, with a law planted in them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from discovery.planted import RESISTANCE, voltammogram


def cv_table(
    resistance: Callable[[np.ndarray], np.ndarray],
    noise: float = 0.01,
    seed: int = 0,
    slits: int = 4,
    rows: int = 400,
    misfit: float = 0.0,
) -> pd.DataFrame:
    """dphi = I R_c resistance(q) over one cycle; q goes from 0 to 1 and back.

    `noise` (white) and `misfit` (a slow oscillation that no form in I and q has) are fractions of the target's root
    mean square.
    """
    table = voltammogram(rows, slits)
    target = table["I_A_per_m"] * RESISTANCE * resistance(table["q"].to_numpy())
    wave = np.sqrt(2) * np.sin(2 * np.pi * 1.3 * table["time_s"] * 1e5 + table["i"] / 3)
    unexplained = noise * np.random.default_rng(seed).standard_normal(len(table)) + misfit * wave
    return table.assign(dphi_V=target + np.sqrt(np.mean(target**2)) * unexplained)


@pytest.fixture(scope="session")
def make_table() -> Callable[..., pd.DataFrame]:
    return cv_table
