"""Analyzer: counted trans-slit currents, slit contents and 2D-Poisson potentials of a trajectory.

Planes. The centre planes of the sheets and the mid-planes of the reservoirs divide the box. An ion that moves from u0
to u1 = u0 + (nearest-image displacement) crosses the plane e (and its images) floor((u1 - e)/Lx) - floor((u0 - e)/Lx)
times, signed: an ion that crosses back and forth counts zero, and the ends of the box need no special treatment. I_i at
a frame is the charge that crossed since the frame before, over that time. Contents are counted between the same
planes, so that frame by frame

    Q_i(t_n) - Q_i(t_{n-1}) = (t_n - t_{n-1}) (I_i - I_{i-1}),   I_n = 0 behind the deepest slit n.

Potential. `md.poisson` gives the potential of all charges of a frame (sheet atoms with the charge that is imposed or
solved for at that time), averaged over z. phi_i is the mean over the two centres of the slit (y = L/2 and its mirror
image 3L/2), relative to the mean over the mid-plane of the half-cell's reservoir.

Frames are reduced independently. Crossings need neighbouring frames and are counted at the end, so that a parallel run
(`backend="multiprocessing"`) equals a serial one.

All values are per depth and for one half of the network, 0 <= y <= L: box totals over 2 Lz. Concentrations are contents
over d L. The rows of a box carry the labels 4 box + half-cell (`Cell.half_cells`) in the column `replica`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from MDAnalysis import Universe
from MDAnalysis.analysis.results import ResultsGroup
from scipy import constants

from md.atoms import ANGSTROM, FramewiseAnalysis, frame_time, step_between
from md.cell import Cell
from md.poisson import ChargeMap
from md.reduction import Counts, record_of
from md.sheet_atom_charge import SheetAtomCharge
from transslit.errors import StageFailed


class TransSlitFlux(FramewiseAnalysis):
    """Reduce a trajectory of `cell` to a `TransSlitRecord`.

    Parameters
    ----------
    universe : MDAnalysis universe of the cell's atoms (residues GRA, ions, HOH)
    cell : the cell that was simulated
    diffusion_coefficients : D_k in the slits in m^2/s, shape (ions,); the electrolyte's bulk values if None
    box : number of the box
    solved : charge of every sheet atom in e at every frame of the trajectory, shape (frames, sheet atoms), if it was
        solved for (constant potential)

    Attributes
    ----------
    results.record : `TransSlitRecord`
    results.counts : `md.reduction.Counts`, the arrays from which the record is made
    results.phi_map : mean potential in V on the grid of `results.grid` over the analysed frames at t >= 0
    """

    framewise = ("time", "x", "phi", "sigma")  # s, the ions' x in m, V, C/m^2 per half-cell

    def __init__(
        self,
        universe: Universe,
        cell: Cell,
        diffusion_coefficients: np.ndarray | None = None,
        *,
        box: int = 0,
        solved: np.ndarray | None = None,
        **options: Any,
    ) -> None:
        super().__init__(universe, cell, **options)
        self.number = box
        self.sheet_atom_charge = SheetAtomCharge(cell, solved)
        self.diffusion_coefficients = diffusion_coefficients
        network = cell.network
        planes = np.append(network.sheet_centres, network.depth + network.reservoir_length)
        # (half-cells, sheets + 1): sheets 0 ... slits - 1, then the mid-plane of the reservoir
        self._planes = np.array([cell.to_box(half_cell, planes) for half_cell in cell.half_cells])
        self._direction = np.array([half_cell.direction for half_cell in cell.half_cells])
        self._centres = np.array([cell.to_box(half_cell, network.slit_centres) for half_cell in cell.half_cells])
        self._edges = np.append(network.sheet_centres + network.sheet_thickness / 2, 0.0)
        self._map = ChargeMap(cell.box, permittivity=cell.permittivity)

    def _prepare(self) -> None:
        super()._prepare()
        self.results.phi_sum, self.results.charged_frames = np.zeros(self._map.shape), 0

    def _get_aggregator(self) -> ResultsGroup:
        gathered = dict.fromkeys(self.framewise, ResultsGroup.flatten_sequence)
        return ResultsGroup({**gathered, "phi_sum": ResultsGroup.ndarray_sum, "charged_frames": sum})

    def _single_frame(self) -> None:
        time = frame_time(self._ts, self.cell.config.frame_interval)
        positions = self._ts.positions[self.atoms.mobile].astype(float) * ANGSTROM
        density = self._map.deposit(positions, self.atoms.mobile_charge)
        sheets = self.sheet_atom_charge.at(time, self._ts.frame) * constants.e
        density += self._map.deposit(self.cell.sheet_atoms["positions"], sheets)
        phi = self._map.solve(density)
        if time >= 0:
            self.results.phi_sum += phi
            self.results.charged_frames += 1
        self.results.time.append(time)
        self.results.x.append(self.atoms.ion_positions(self._ts)[:, 0])
        self.results.phi.append(self._at_slits(phi))
        self.results.sigma.append(self.sheet_atom_charge.sigma(time, self._ts.frame))

    def _at_slits(self, phi: np.ndarray) -> np.ndarray:
        """phi at the slit centres relative to the half-cells' mid-planes, shape (half-cells, slits)."""
        length = self.cell.network.slit_length
        centre = (
            self._map.at(phi, self._centres, np.asarray(length / 2))
            + self._map.at(phi, self._centres, np.asarray(3 * length / 2))
        ) / 2
        across = (np.arange(self._map.shape[1])) * self._map.spacing[1]
        reference = self._map.at(phi, self._planes[:, -1:], across).mean(axis=1)
        return centre - reference[:, None]

    def _conclude(self) -> None:
        x, time = np.array(self.results.x), np.array(self.results.time)
        self.results.phi_map = self.results.phi_sum / max(self.results.charged_frames, 1)
        self.results.grid = self._map.spacing
        self.results.counts = Counts(
            box=self.number,
            time=time,
            contents=self._contents(x),
            crossed=self._crossings(x, time),
            phi=np.array(self.results.phi),
            sigma=np.array(self.results.sigma),
        )
        if len(time):
            self.results.record = record_of([self.results.counts], self.cell, self.diffusion_coefficients)

    def _contents(self, x: np.ndarray) -> np.ndarray:
        """Ions between the planes, shape (frames, half-cells, slits, kinds), from their x (frames, ions) in m."""
        kinds, slits = len(self.cell.electrolyte.ions), self.cell.network.slits
        contents = np.zeros((len(x), len(self._direction), slits, kinds))
        for h, half_cell in enumerate(self.cell.half_cells):
            outward = self._direction[h] * step_between(np.asarray(half_cell.wall), x, self.cell.box[0])
            slit = np.where(outward >= 0, (outward[..., None] < self._edges[:-1]).sum(axis=-1), 0)
            for i in range(slits):
                for k in range(kinds):
                    contents[:, h, i, k] = (slit[:, self.atoms.kind == k] == i + 1).sum(axis=1)
        return contents

    def _crossings(self, x: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Net crossings towards the bulk since the frame before, shape (frames, half-cells, sheets + 1, kinds)."""
        kinds = len(self.cell.electrolyte.ions)
        crossed = np.zeros((len(x), *self._planes.shape, kinds))
        length = self.cell.box[0]
        last = x[:-1]
        end = last + step_between(last, x[1:], length)
        # x itself where no image was taken, so that crossings and contents use the same number
        end = np.where(np.abs(end - x[1:]) < 1e-6 * length, x[1:], end)

        def through(plane: np.ndarray) -> np.ndarray:
            return np.floor((end - plane) / length) - np.floor((last - plane) / length)

        for wall in self.cell.walls:
            passed = through(wall).any(axis=1)
            if passed.any():
                picoseconds = time[1 + int(passed.argmax())] * 1e12
                raise StageFailed("md analysis", f"an ion passed a closed wall before {picoseconds:.3f} ps")
        for h, p in np.ndindex(self._planes.shape):
            net = through(self._planes[h, p]) * self._direction[h]
            for k in range(kinds):
                crossed[1:, h, p, k] = net[:, self.atoms.kind == k].sum(axis=1)
        return crossed
