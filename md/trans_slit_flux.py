"""Analyzer: counted trans-slit currents, slit contents and 2D-Poisson potentials of a trajectory.

Planes. Each sheet's centre plane, and the reservoirs' mid-planes, cut the box. An ion that moves from u0 to
u1 = u0 + (nearest-image displacement) crosses the plane e (and its images) floor((u1 - e)/Lx) - floor((u0 -
e)/Lx) times, signed: dithering nets zero, the box's ends need no care. I_i at a frame is the charge that
crossed since the frame before over that time; contents are counted between the same planes, so frame by frame

    Q_i(t_n) - Q_i(t_{n-1}) = (t_n - t_{n-1}) (I_i - I_{i-1}),   I_n = 0 behind the deepest slit n.

Potential. All charges of a frame (carbons with the charge they carry from t = 0 on), averaged over z, go through
`md.poisson`; phi_i is the mean over the slit's two centres (y = L/2 and its mirror image 3L/2), relative
to the mean over the mid-plane of the block's own reservoir.

Everything is per depth and for one network half, 0 <= y <= L: box totals over 2 Lz. Concentrations are
contents over d L. A replica's rows come in four blocks, numbered 4 run + block (`Cell.blocks`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from MDAnalysis.analysis.base import AnalysisBase
from scipy import constants

from md.atoms import ANGSTROM, Atoms, frame_time, step_between
from md.cell import Cell
from md.poisson import ChargeMap
from md.reduction import Counted, record_of
from transslit.errors import StageFailed


class TransSlitFlux(AnalysisBase):
    """Reduce a trajectory of `cell` to a `TransSlitRecord`.

    Parameters
    ----------
    universe : MDAnalysis universe of the cell's atoms (residues GRA, ions, HOH)
    cell : the cell that was simulated
    diffusion_coefficients : D_k in the slits in m^2/s, shape (ions,); the electrolyte's bulk values if None
    run : number of the replica
    charged : whether carbons carry their charge at time 0 and after

    Attributes
    ----------
    results.record : `TransSlitRecord`
    results.counted : `md.reduction.Counted`, the arrays that the record is reduced from
    results.phi_map : mean potential in V on the grid of `results.grid` over the analysed frames at t >= 0
    """

    def __init__(
        self,
        universe: Any,
        cell: Cell,
        diffusion_coefficients: np.ndarray | None = None,
        *,
        run: int = 0,
        charged: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(universe.trajectory, **options)
        self.cell, self.number, self.charged = cell, run, charged
        self.atoms = Atoms(universe, cell)
        self.diffusion_coefficients = diffusion_coefficients

    def _prepare(self) -> None:
        cell, network = self.cell, self.cell.network
        self._map = ChargeMap(cell.box)
        carbons = cell.carbons
        charge = carbons["sign"] * cell.config.charge_per_carbon * constants.e
        self._sheets = self._map.deposit(carbons["positions"], charge * self.charged)
        planes = np.append(network.slat_centres, network.depth + network.reservoir)
        # (blocks, slats + 1): slats 0 ... slits - 1, then the reservoir's mid-plane
        self._planes = np.array([cell.to_box(block, planes) for block in cell.blocks])
        self._direction = np.array([block["direction"] for block in cell.blocks])
        self._centres = np.array([cell.to_box(block, network.slit_centres) for block in cell.blocks])
        self._edges = np.append(network.slat_centres + network.slat_thickness / 2, 0.0)
        self._times: list[float] = []
        self._contents: list[np.ndarray] = []
        self._crossed: list[np.ndarray] = []
        self._phi: list[np.ndarray] = []
        self._last: np.ndarray | None = None
        self.results.phi_map, self._mapped = np.zeros(self._map.shape), 0

    def _single_frame(self) -> None:
        time = frame_time(self._ts, self.cell.config.frame_interval)
        x = self.atoms.ion_positions(self._ts)[:, 0]
        self._times.append(time)
        self._contents.append(self._count(x))
        self._crossed.append(self._crossings(x))
        self._last = x
        mobile = self._ts.positions[self.atoms.mobile].astype(float) * ANGSTROM
        density = self._map.deposit(mobile, self.atoms.mobile_charge)
        if time >= 0:
            density += self._sheets
        phi = self._map.solve(density)
        if time >= 0:
            self.results.phi_map += phi
            self._mapped += 1
        self._phi.append(self._at_slits(phi))

    def _count(self, x: np.ndarray) -> np.ndarray:
        """Ions between the planes, shape (blocks, slits, kinds)."""
        kinds, slits = len(self.cell.electrolyte.ions), self.cell.network.slits
        contents = np.zeros((4, slits, kinds))
        for b, block in enumerate(self.cell.blocks):
            outward = self._direction[b] * step_between(np.asarray(block["wall"]), x, self.cell.box[0])
            slit = np.where(outward >= 0, (outward[:, None] < self._edges[None, :-1]).sum(axis=1), 0)
            inside = slit > 0
            np.add.at(contents[b], (slit[inside] - 1, self.atoms.kind[inside]), 1)
        return contents

    def _crossings(self, x: np.ndarray) -> np.ndarray:
        """Net crossings towards the bulk since the last frame, shape (blocks, slats + 1, kinds)."""
        kinds = len(self.cell.electrolyte.ions)
        crossed = np.zeros((*self._planes.shape, kinds))
        if self._last is None:
            return crossed
        length = self.cell.box[0]
        end = self._last + step_between(self._last, x, length)
        planes = np.append(self._planes.ravel(), self.cell.walls)
        # x itself where the displacement was direct, so that counts and contents see the same number
        end = np.where(np.abs(end - x) < 1e-6 * length, x, end)
        net = np.floor((end[:, None] - planes) / length) - np.floor((self._last[:, None] - planes) / length)
        if net[:, -2:].any():
            raise StageFailed("md analysis", f"an ion passed a closed wall before {self._times[-1] * 1e12:.3f} ps")
        for k in range(kinds):
            total = net[self.atoms.kind == k, :-2].sum(axis=0).reshape(self._planes.shape)
            crossed[..., k] = total * self._direction[:, None]
        return crossed

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
        self.results.phi_map /= max(self._mapped, 1)
        self.results.grid = self._map.spacing
        self.results.counted = Counted(
            run=self.number,
            time=np.array(self._times),
            contents=np.array(self._contents),
            crossed=np.array(self._crossed),
            phi=np.array(self._phi),
        )
        if len(self._times):
            self.results.record = record_of([self.results.counted], self.cell, self.diffusion_coefficients)
