"""Positions of the atoms before and after charging, as tables for a figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from md.files import load_arrays
from transslit import Electrolyte

TITLES = {"before": "before the step", "after": "at the end, charged"}


def snapshots(folder: Path, electrolyte: Electrolyte) -> tuple[dict[str, pd.DataFrame], tuple[float, ...]]:
    """Tables (species, x_nm, y_nm, z_nm) by title from `cell_before.npz` and `cell_after.npz`; and the box in nm.

    Species are "C", "O" (of water; hydrogens are left out) and the ions' names; positions are wrapped into the box.
    """
    names = {"GRA": "C", "HOH": "O", **{ion.molecule.residue: ion.name for ion in electrolyte.ions}}
    frames: dict[str, pd.DataFrame] = {}
    box = np.ones(3)
    for name, title in TITLES.items():
        saved = load_arrays(folder / f"cell_{name}.npz", "run the stage again", positions_nm=(None, 3), box_nm=(3,))
        positions, residue, box = saved["positions_nm"], saved["residue"], saved["box_nm"]
        water = residue == "HOH"
        shown = ~water
        shown[np.flatnonzero(water)[::3]] = True  # the oxygen is the first atom of each molecule
        species = np.array([names.get(name, name) for name in residue[shown]])
        x, y, z = (positions[shown] % box).T
        frames[title] = pd.DataFrame({"species": species, "x_nm": x, "y_nm": y, "z_nm": z})
    return frames, tuple(float(length) for length in box)
