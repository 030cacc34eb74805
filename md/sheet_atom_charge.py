"""Charge of every sheet atom at each frame, imposed or solved for; used by the analyzers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import constants

from md.cell import Cell
from md.files import load_arrays


def solved_charges(folder: Path, box: int, cell: Cell, frames: int) -> np.ndarray | None:
    """Charges in e that were solved for in a box at constant potential, shape (frames, sheet atoms); else None.

    Raises
    ------
    StageFailed : they cannot be read, or are not of that shape
    """
    if cell.config.fixed_charge:
        return None
    shape = (frames, len(cell.sheet_atoms["sign"]))
    remedy = f"move it and replica-{box}.xtc away to run the replica again"
    return load_arrays(folder / f"charges-{box}.npz", remedy, charge_e=shape)["charge_e"]


class SheetAtomCharge:
    """Charges in e of the sheet atoms, in the order of `cell`; `solved` (frames, sheet atoms) if not imposed."""

    def __init__(self, cell: Cell, solved: np.ndarray | None = None) -> None:
        self.cell, self.solved = cell, solved

    def at(self, time: float, frame: int) -> np.ndarray:
        """Charge in e of every sheet atom at `time` (s), frame `frame` of the trajectory; shape (sheet atoms,)."""
        if self.solved is not None:
            return self.solved[frame].astype(float)
        return self.cell.sheet_atoms["sign"] * self.cell.per_sheet_atom(time)

    def sigma(self, time: float, frame: int) -> np.ndarray:
        """Charge per sheet area (both faces) in C/m^2, mean over the half-cell's electrode, shape (half-cells,)."""
        charge, sign = self.at(time, frame), self.cell.sheet_atoms["sign"]
        each = np.array([charge[sign == own].sum() for _, own in self.cell.electrodes])
        return np.repeat(each, 2) / self.cell.electrode_area * constants.e
