"""Analyzer: counted trans-slit currents, slit contents and 2D-Poisson potentials of a trajectory.

Planes. Each sheet's centre plane, and the reservoirs' mid-planes, cut the box. An ion that moves from u0 to
u1 = u0 + (nearest-image displacement) crosses the plane e (and its images) floor((u1 - e)/Lx) - floor((u0 -
e)/Lx) times, signed: dithering nets zero, the box's ends need no care. I_i at a frame is the charge that
crossed since the frame before over that time; contents are counted between the same planes, so frame by frame

    Q_i(t_n) - Q_i(t_{n-1}) = (t_n - t_{n-1}) (I_i - I_{i-1}),   I_n = 0 behind the deepest slit n.

Potential. All charges of a frame (carbons with the charge that the drive gives them then, or that was solved for),
averaged over z, go through `md.poisson`; phi_i is the mean over the slit's two centres (y = L/2 and its mirror
image 3L/2), relative to the mean over the mid-plane of the block's own reservoir.

Frames are reduced one by one and independently; counting needs neighbours and is done at the end, so that a
parallel run (`backend="multiprocessing"`) gives what a serial one gives.

Everything is per depth and for one network half, 0 <= y <= L: box totals over 2 Lz. Concentrations are
contents over d L. A replica's rows come in four blocks, numbered 4 run + block (`Cell.blocks`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from MDAnalysis.analysis.results import ResultsGroup
from scipy import constants

from md.atoms import ANGSTROM, FramewiseAnalysis, frame_time, step_between
from md.carbon_charge import CarbonCharge
from md.cell import Cell
from md.poisson import ChargeMap
from md.reduction import Counted, record_of
from transslit.errors import StageFailed


class TransSlitFlux(FramewiseAnalysis):
    """Reduce a trajectory of `cell` to a `TransSlitRecord`.

    Parameters
    ----------
    universe : MDAnalysis universe of the cell's atoms (residues GRA, ions, HOH)
    cell : the cell that was simulated
    diffusion_coefficients : D_k in the slits in m^2/s, shape (ions,); the electrolyte's bulk values if None
    run : number of the replica
    charged : whether carbons carry the charge of the drive
    solved : charge of every carbon in e at every frame of the trajectory, shape (frames, carbons), where it was solved
        for (constant potential)

    Attributes
    ----------
    results.record : `TransSlitRecord`
    results.counted : `md.reduction.Counted`, the arrays that the record is reduced from
    results.phi_map : mean potential in V on the grid of `results.grid` over the analysed frames at t >= 0
    """

    framewise = ("time", "x", "phi", "sigma")  # s, the ions' x in m, V, C/m^2 per block

    def __init__(
        self,
        universe: Any,
        cell: Cell,
        diffusion_coefficients: np.ndarray | None = None,
        *,
        run: int = 0,
        charged: bool = True,
        solved: np.ndarray | None = None,
        **options: Any,
    ) -> None:
        super().__init__(universe, cell, **options)
        self.number, self.charged = run, charged
        self.carbon_charge = CarbonCharge(cell, solved)
        self.diffusion_coefficients = diffusion_coefficients
        network = cell.network
        planes = np.append(network.sheet_centres, network.depth + network.reservoir_length)
        # (blocks, sheets + 1): sheets 0 ... slits - 1, then the reservoir's mid-plane
        self._planes = np.array([cell.to_box(block, planes) for block in cell.blocks])
        self._direction = np.array([block["direction"] for block in cell.blocks])
        self._centres = np.array([cell.to_box(block, network.slit_centres) for block in cell.blocks])
        self._edges = np.append(network.sheet_centres + network.sheet_thickness / 2, 0.0)
        self._map = ChargeMap(cell.box)

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
        if self.charged:
            sheets = self.carbon_charge.at(time, self._ts.frame) * constants.e
            density += self._map.deposit(self.cell.carbons["positions"], sheets)
        phi = self._map.solve(density)
        if time >= 0:
            self.results.phi_sum += phi
            self.results.charged_frames += 1
        self.results.time.append(time)
        self.results.x.append(self.atoms.ion_positions(self._ts)[:, 0])
        self.results.phi.append(self._at_slits(phi))
        self.results.sigma.append(self.carbon_charge.sigma(time, self._ts.frame))

    def _at_slits(self, phi: np.ndarray) -> np.ndarray:
        """phi at the slit centres relative to the blocks' mid-planes, shape (blocks, slits)."""
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
        self.results.counted = Counted(
            run=self.number,
            time=time,
            contents=self._contents(x),
            crossed=self._crossings(x, time),
            phi=np.array(self.results.phi),
            sigma=np.array(self.results.sigma),
        )
        if len(time):
            self.results.record = record_of([self.results.counted], self.cell, self.diffusion_coefficients)

    def _contents(self, x: np.ndarray) -> np.ndarray:
        """Ions between the planes, shape (frames, blocks, slits, kinds), from their x (frames, ions) in m."""
        kinds, slits = len(self.cell.electrolyte.ions), self.cell.network.slits
        contents = np.zeros((len(x), len(self._direction), slits, kinds))
        for b, block in enumerate(self.cell.blocks):
            outward = self._direction[b] * step_between(np.asarray(block["wall"]), x, self.cell.box[0])
            slit = np.where(outward >= 0, (outward[..., None] < self._edges[:-1]).sum(axis=-1), 0)
            for i in range(slits):
                for k in range(kinds):
                    contents[:, b, i, k] = (slit[:, self.atoms.kind == k] == i + 1).sum(axis=1)
        return contents

    def _crossings(self, x: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Net crossings towards the bulk since the frame before, shape (frames, blocks, sheets + 1, kinds)."""
        kinds = len(self.cell.electrolyte.ions)
        crossed = np.zeros((len(x), *self._planes.shape, kinds))
        length = self.cell.box[0]
        last = x[:-1]
        end = last + step_between(last, x[1:], length)
        # x itself where the displacement was direct, so that counts and contents see the same number
        end = np.where(np.abs(end - x[1:]) < 1e-6 * length, x[1:], end)

        def through(plane: Any) -> np.ndarray:
            return np.floor((end - plane) / length) - np.floor((last - plane) / length)

        for wall in self.cell.walls:
            lost = through(wall).any(axis=1)
            if lost.any():
                at = time[1 + int(lost.argmax())] * 1e12
                raise StageFailed("md analysis", f"an ion passed a closed wall before {at:.3f} ps")
        for b, p in np.ndindex(self._planes.shape):
            net = through(self._planes[b, p]) * self._direction[b]
            for k in range(kinds):
                crossed[1:, b, p, k] = net[:, self.atoms.kind == k].sum(axis=1)
        return crossed
