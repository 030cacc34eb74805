"""Charge of every carbon at each frame, imposed or solved for; used by the analyzers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import constants

from md.cell import Cell
from md.files import load_arrays
from transslit.drive import CARBONS_PER_AREA


def solved_charges(folder: Path, box: int, cell: Cell, frames: int) -> np.ndarray | None:
    """Charges in e that were solved for in a box at constant potential, shape (frames, carbons); else None.

    Raises
    ------
    StageFailed : they cannot be read, or are not of that shape
    """
    if cell.config.fixed_charge:
        return None
    shape = (frames, len(cell.carbons["sign"]))
    remedy = f"move it and replica-{box}.xtc away to run the replica again"
    return load_arrays(folder / f"charges-{box}.npz", remedy, charge_e=shape)["charge_e"]


class CarbonCharge:
    """Charges in e of the carbons of `cell`, in its order; `solved` (frames, carbons) if they are not imposed."""

    def __init__(self, cell: Cell, solved: np.ndarray | None = None) -> None:
        self.cell, self.solved = cell, solved

    def at(self, time: float, frame: int) -> np.ndarray:
        """Charge in e of every carbon at `time` (s), which is frame `frame` of the trajectory; shape (carbons,)."""
        if self.solved is not None:
            return self.solved[frame].astype(float)
        return self.cell.carbons["sign"] * self.cell.per_carbon(time)

    def sigma(self, time: float, frame: int) -> np.ndarray:
        """Charge per sheet area (both faces) in C/m^2, mean over the half-cell's electrode, shape (half-cells,)."""
        charge, sign = self.at(time, frame), self.cell.carbons["sign"]
        per_carbon = np.array([charge[sign > 0].mean(), charge[sign < 0].mean()])
        return np.repeat(per_carbon, 2) * CARBONS_PER_AREA * constants.e
