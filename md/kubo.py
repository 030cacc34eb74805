"""Analyzer: linear response of the slits' charges to a charge step, from the fluctuations of an uncharged cell (Kubo).

A charge dq of every sheet atom of the positive electrode, and -dq of the negative one, adds dq A to the energy,

    A = sum over ions of z_k e phi(x, y),    phi: potential of the sheets per charge of an atom (`md.sheet_field`),

and the charge Q_i of slit i follows a step of dq at t = 0 as (R. Kubo, J. Phys. Soc. Jpn. 12, 570 (1957))

    dQ_i(t) = -dq / kT [<Q_i A> - <Q_i(t) A(0)>] = -dq / (2 kT) <[Q_i(t) - Q_i(0)] [A(t) - A(0)]>,

averages over the uncharged equilibrium. The second form holds because equilibrium is stationary and its positions are
reversible in time; slow changes of contents do not enter it before they have happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from MDAnalysis import Universe
from MDAnalysis.analysis.results import Results
from scipy import constants, ndimage

from md.atoms import FramewiseAnalysis, frame_time
from md.cell import Cell
from md.sheet_field import potential_map
from md.starts import slit_contents
from transslit.errors import BadInput


class SheetEnergy(FramewiseAnalysis):
    """Energy of the ions in the field of the sheets per charge, and charges of the slits, of an uncharged trajectory.

    Frames after the onset of the drive (t > 0) are left out.

    Parameters
    ----------
    universe : MDAnalysis universe of the ions of `cell` in implicit water
    cell : the cell that was simulated

    Attributes
    ----------
    results.time : (frames,) s
    results.energy : A, (frames,), in eV per elementary charge of a sheet atom
    results.charge : charge of slits 1 ... n in e, each times the sign of its electrode, shape (frames, half-cells, n)
    """

    framewise = ("time", "energy", "charge")

    def __init__(self, universe: Universe, cell: Cell, **options: Any) -> None:
        super().__init__(universe, cell, **options)
        if cell.config.water != "implicit":
            raise BadInput("water", cell.config.water, "the response is that of ions in implicit water")
        sign = cell.sheet_atoms["sign"].astype(float)
        self._spline = ndimage.spline_filter(potential_map(cell, sign, cell.permittivity), mode="grid-wrap")
        self._valence = np.array([ion.charge for ion in cell.electrolyte.ions])
        self._sign = np.repeat([sign for _, sign in cell.electrodes], 2)

    def _single_frame(self) -> None:
        time = frame_time(self._ts, self.cell.config.frame_interval)
        if time > 0:
            return
        ions, kind = self.atoms.ion_positions(self._ts), self.atoms.kind
        place = ions[:, :2].T / self.cell.box[:2, None] * np.array(self._spline.shape)[:, None]
        phi = ndimage.map_coordinates(self._spline, place, mode="grid-wrap", prefilter=False)
        numbers = [slit_contents(self.cell, ions[kind == k, 0])[:, :-1] for k in range(len(self._valence))]
        self.results.time.append(time)
        self.results.energy.append(float(self._valence[kind] @ phi))
        self.results.charge.append(self._sign[:, None] * np.tensordot(self._valence, np.array(numbers), axes=1))

    def _conclude(self) -> None:
        for name in self.framewise:
            self.results[name] = np.array(self.results[name])


def kubo_response(
    boxes: Sequence[Results], cell: Cell, charge: float, times: np.ndarray, blocks: int = 10
) -> pd.DataFrame:
    """Response of the slits' charges to a charge step, as the mean over half-cells, and its standard error.

    Parameters
    ----------
    boxes : `SheetEnergy.results` of independent boxes, frames at equal intervals
    charge : dq, charge of a sheet atom of the positive electrode in e
    times : after the step, whole numbers of frames, in s
    blocks : number of parts of each trajectory, whose scatter gives the error; each should be much longer than the
        charges need to relax

    Returns
    -------
    table : time_s, i, Q_C_per_m and Q_error_C_per_m: charge per depth of one half of the network, 0 <= y <= L, of a
        positive electrode, as in a record

    Raises
    ------
    BadInput : a time that is no whole number of frames, or longer than a block
    """
    thermal = constants.k * cell.config.temperature / constants.e  # eV
    scale = -charge / (2 * thermal) * constants.e / (2 * cell.depth)
    slits, rows = np.arange(1, cell.network.slits + 1), []
    for time in np.asarray(times, dtype=float):
        parts = [part for box in boxes for part in _products(box, time, blocks)]
        mean = scale * np.mean(parts, axis=0)
        error = abs(scale) * np.std(parts, axis=0, ddof=1) / np.sqrt(len(parts))
        rows += [[time, i, q, e] for i, q, e in zip(slits, mean, error, strict=True)]
    return pd.DataFrame(rows, columns=["time_s", "i", "Q_C_per_m", "Q_error_C_per_m"])


def _products(box: Results, time: float, blocks: int) -> list[np.ndarray]:
    """Means of [Q_i(t) - Q_i(0)] [A(t) - A(0)] over the half-cells and each block of origins, each of shape (n,)."""
    interval = box.time[1] - box.time[0]
    lag = round(time / interval)
    if abs(lag - time / interval) > 1e-6 or not 0 < lag < len(box.time) // blocks:
        longest = interval * (len(box.time) // blocks - 1) * 1e12
        fits = f"give whole frames of {interval * 1e12:g} ps, at most {longest:g} ps, or longer trajectories"
        raise BadInput("times", f"{time * 1e12:g} ps", fits)
    energy = box.energy[lag:] - box.energy[:-lag]
    charge = (box.charge[lag:] - box.charge[:-lag]).mean(axis=1)
    return [part.mean(axis=0) for part in np.array_split(charge * energy[:, None], blocks)]
