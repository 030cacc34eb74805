"""Vector field of the path from one slit to the next, the weight of forces and velocities of the ions on the path.

w = -grad h solves Laplace's equation in slit i+1, the edge gap and slit i, with no flow through sheets and mirror
planes, a uniform source in the middle half of slit i+1 (L/4 < y < 3L/4) and a uniform sink in that of slit i,

    div w = s(x, y),   <h> over the middle of slit i+1 minus <h> over that of slit i = 1.

So |w| is 1 / (length of the path), w follows the path around the edge of the sheet, and int |w|^2 = int h s is its
geometric conductance g_w. If concentrations c are uniform in the middles, int c div w = g_w (c_{i+1} - c_i). w is the
analogue for flow of the weighting field of W. Shockley and S. Ramo for charge (J. Appl. Phys. 9, 635 (1938),
doi:10.1063/1.1710367).

In a mesh cell w is linear between the fluxes through its faces (Raviart-Thomas), so that div w is exact.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from md.cell import Cell
from transslit.network import SlitNetwork

FINEST = 0.015e-9  # m, largest spacing of the mesh cells: a hundredth of the path


class PathField:
    """w of `network` in coordinates of the path (u, v).

    u runs along x from the centre plane of the sheet towards the bulk, v along y from the mirror plane on which the
    sheet is fixed (0) to the mirror plane of the edge gap (L).
    """

    def __init__(self, network: SlitNetwork, spacing: float = FINEST) -> None:
        self.network = network
        length, gap, width, thickness = network.slit_length, network.edge_gap, network.slit, network.sheet_thickness
        self.u = _edges([-width - thickness / 2, -thickness / 2, thickness / 2, width + thickness / 2], spacing)
        self.v = _edges([0.0, length - gap, length], spacing)

    @property
    def length(self) -> float:
        """Nominal length of the path in m: along the slit to mid-gap, through the gap, and back to mid-slit."""
        return self.network.slit_length - self.network.edge_gap + self.network.pitch

    @cached_property
    def source(self) -> np.ndarray:
        """div w at unit flow through the gap, per m^2, shape (cells in u, cells in v)."""
        network = self.network
        overlap = np.diff(np.clip(self.v, network.slit_length / 4, network.slit_length * 3 / 4)) / np.diff(self.v)
        centre = (self.u[1:] + self.u[:-1]) / 2
        side = np.where(np.abs(centre) > network.sheet_thickness / 2, -np.sign(centre), 0.0)
        return side[:, None] * overlap / (network.slit * network.slit_length / 2)

    @cached_property
    def _solved(self) -> tuple[np.ndarray, np.ndarray, float]:
        """At unit flow: w_u on the faces (nu + 1, nv), w_v on (nu, nv + 1) in 1/m, and the drop <h> (dimensionless)."""
        du, dv = np.diff(self.u), np.diff(self.v)
        shape = (len(du), len(dv))
        centre_u, centre_v = (self.u[1:] + self.u[:-1]) / 2, (self.v[1:] + self.v[:-1]) / 2
        network = self.network
        free = (np.abs(centre_u) > network.sheet_thickness / 2)[:, None] | (
            centre_v > network.slit_length - network.edge_gap
        )
        number = np.where(free, np.cumsum(free).reshape(shape) - 1, -1)
        along_u = np.where(free[1:] & free[:-1], dv / np.diff(centre_u)[:, None], 0.0)
        along_v = np.where(free[:, 1:] & free[:, :-1], du[:, None] / np.diff(centre_v), 0.0)
        links = [
            (number[:-1][along_u > 0], number[1:][along_u > 0], along_u[along_u > 0]),
            (number[:, :-1][along_v > 0], number[:, 1:][along_v > 0], along_v[along_v > 0]),
        ]
        left, right, weight = (np.concatenate(part) for part in zip(*links, strict=True))
        n = int(free.sum())
        diagonal = np.bincount(left, weight, n) + np.bincount(right, weight, n)
        diagonal[0] *= 2  # fixes the additive constant of h
        rows, columns = (np.concatenate(part) for part in ((left, right, np.arange(n)), (right, left, np.arange(n))))
        matrix = coo_array((np.concatenate([-weight, -weight, diagonal]), (rows, columns)), shape=(n, n)).tocsc()
        source = (self.source * du[:, None] * dv)[free]
        h = np.zeros(shape)
        h[free] = spsolve(matrix, source)
        flow_u, flow_v = np.zeros((len(du) + 1, len(dv))), np.zeros((len(du), len(dv) + 1))
        flow_u[1:-1] = along_u * (h[:-1] - h[1:]) / dv
        flow_v[:, 1:-1] = along_v * (h[:, :-1] - h[:, 1:]) / du[:, None]
        return flow_u, flow_v, float(source @ h[free])

    @property
    def conductance(self) -> float:
        """g_w, dimensionless: flow per depth, diffusivity and difference of the mean concentrations of the middles."""
        return 1 / self._solved[2]

    def at(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(w_u, w_v) in 1/m and div w in 1/m^2 at points `u`, `v` in m; zero off the path."""
        flow_u, flow_v, drop = self._solved
        a, b = np.searchsorted(self.u, u, "right") - 1, np.searchsorted(self.v, v, "right") - 1
        inside = (a >= 0) & (a < len(self.u) - 1) & (b >= 0) & (b < len(self.v) - 1)
        a, b = np.where(inside, a, 0), np.where(inside, b, 0)
        p = (u - self.u[a]) / (self.u[a + 1] - self.u[a])
        q = (v - self.v[b]) / (self.v[b + 1] - self.v[b])
        scale = inside / drop
        return (
            scale * ((1 - p) * flow_u[a, b] + p * flow_u[a + 1, b]),
            scale * ((1 - q) * flow_v[a, b] + q * flow_v[a, b + 1]),
            scale * self.source[a, b],
        )


class Paths:
    """Fields of all paths of a cell, in coordinates of its box."""

    def __init__(self, cell: Cell) -> None:
        self.cell, self.field = cell, PathField(cell.network)

    def at(self, number: int, i: int, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """w along the box's (x, y) in 1/m, shape (..., 2), and div w in 1/m^2, shape (...), from slit i+1 to slit i.

        `number` is the index of the half-cell, both of whose mirror halves have the path; `i` counts from 1;
        `positions` (..., 2 or 3) in m.
        """
        cell, network = self.cell, self.cell.network
        half_cell, direction = cell.half_cells[number], cell.half_cells[number].direction
        away = positions[..., 0] - cell.to_box(half_cell, network.sheet_centres[i])
        u = direction * (away - cell.box[0] * np.round(away / cell.box[0]))
        y = positions[..., 1] % cell.box[1]
        back = y > network.slit_length
        v, sign = np.where(back, cell.box[1] - y, y), np.where(back, -1.0, 1.0)
        if i % 2:  # the sheet is fixed at y = L
            v, sign = network.slit_length - v, -sign
        along_u, along_v, divergence = self.field.at(u, v)
        return np.stack([direction * along_u, sign * along_v], axis=-1), divergence


def _edges(corners: list[float], spacing: float) -> np.ndarray:
    """Edges of mesh cells of equal width between each two `corners`, none wider than `spacing`."""
    parts = [
        np.linspace(low, high, int(np.ceil((high - low) / spacing - 1e-9)) + 1)[:-1] for low, high in pairwise(corners)
    ]
    return np.append(np.concatenate(parts), corners[-1])
