"""The FiPy mesh of a slit network: a graded tensor grid with the sheets cut out (or marked).

Half cell: x from the closing wall's face (x = 0) to the mid-plane; sheets are cut out, so that their faces
are exterior faces, where the Stern condition of the electrode holds. Full cell: x from the mid-plane of one
closing wall to that of the other; sheets and walls stay in the mesh as cells that no ion may enter, with
their charge on their centre planes. 0 <= y <= L between mirror planes. FiPy's mesh is in nm, since its own
geometry is tested at lengths near one; every array of `SlitMesh` is in SI.

Cell sizes follow h(s) = min(cap, h_surface + (growth - 1) s) with s the distance to the nearest fine line;
lines are placed at equal steps of the integral of 1/h, so that `refinement` divides every cell alike; if it is
a whole number the lines of the coarse mesh are lines of the fine one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from fipy.meshes.mesh2D import Mesh2D
from scipy.integrate import cumulative_trapezoid

from continuum.config import ContinuumConfig

Array = np.ndarray
NM = 1e-9  # m


def graded(points: list[tuple[float, float]], cap: float, growth: float, refinement: float) -> Array:
    """Grid lines through `points`, each (position, cell size there), both in m; shape (lines,)."""
    pieces = [np.array([points[0][0]])]
    for (start, h_start), (stop, h_stop) in pairwise(points):
        s = np.linspace(0, stop - start, 2001)
        slope = growth - 1
        h = np.minimum(cap, np.minimum(h_start + slope * s, h_stop + slope * s[::-1]))
        cells_to = cumulative_trapezoid(1 / h, s, initial=0)
        count = max(1, round(refinement * max(1, round(cells_to[-1]))))
        inner = np.interp(np.linspace(0, cells_to[-1], count + 1)[1:-1], cells_to, s)
        pieces.append(np.concatenate([start + inner, [stop]]))
    return np.concatenate(pieces)


@dataclass(frozen=True, eq=False)
class Faces:
    """Faces between cells `lower` and `upper` (`upper` is -1 on a boundary); arrays of shape (faces,).

    `area` is per depth (m), `to_lower` and `to_upper` are distances from cell centres to the face (m),
    `position` its centre (2, faces) in m, `axis` 0 for faces normal to x.
    """

    lower: Array
    upper: Array
    area: Array
    to_lower: Array
    to_upper: Array
    position: Array
    axis: Array

    def __getitem__(self, chosen: Array) -> Faces:
        return Faces(*(values[..., chosen] for values in vars(self).values()))

    def __len__(self) -> int:
        return self.lower.size


class SlitMesh:
    """Cells, faces and regions of the network of `config`, on a FiPy mesh.

    Attributes
    ----------
    fipy : the FiPy mesh, in nm
    x_lines, y_lines : grid lines in m
    number : (nx, ny) cell number by column and row, -1 where the sheets are cut out
    centres : (2, cells) m; volumes : (cells,) m^2 per depth
    solid, stern : (cells,) inside a sheet or wall; inside a resolved Stern layer
    ion_cells : (m,) the cells that ions may enter; ion_number : (cells,) their numbering, -1 elsewhere
    inner, electrode, midplane : `Faces` between cells, on the electrode, on the mid-plane (half cell)
    """

    def __init__(self, config: ContinuumConfig) -> None:
        self.config = config
        self.full = config.cell == "full"
        self.x_lines, self.y_lines = _x_lines(config), _y_lines(config)
        solid, stern = self._regions()
        active = np.ones_like(solid) if self.full else ~solid
        self.number = np.full(active.shape, -1)
        self.number[active] = np.arange(active.sum())
        self.fipy = masked_tensor_mesh(self.x_lines / NM, self.y_lines / NM, active)
        self.centres = np.asarray(self.fipy.cellCenters) * NM
        self.volumes = np.asarray(self.fipy.cellVolumes) * NM**2
        self.solid, self.stern = solid[active], stern[active]
        self.ion_cells = np.flatnonzero(~self.solid & ~self.stern)
        self.ion_number = np.full(self.volumes.size, -1)
        self.ion_number[self.ion_cells] = np.arange(self.ion_cells.size)
        self._sort_faces()

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.volumes.size

    @cached_property
    def length(self) -> float:
        """x of the far end (half cell: the mid-plane; full cell: the face of the second wall), in m."""
        network = self.config.network
        return (2 if self.full else 1) * (network.depth + network.reservoir_length)

    def _regions(self) -> tuple[Array, Array]:
        """Masks (nx, ny) of sheets and walls, and of a resolved Stern layer around them."""
        network = self.config.network
        x = (self.x_lines[1:] + self.x_lines[:-1]) / 2
        y = (self.y_lines[1:] + self.y_lines[:-1]) / 2
        layer = self.config.stern_thickness if self.config.resolved else 0.0

        def sheets(position: Array, grown: float) -> Array:
            mask = np.repeat((position < grown)[:, None], y.size, axis=1)
            for j, centre in enumerate(network.sheet_centres):
                low, high = network.gap(j)
                tip = (y < high - grown) if high < network.slit_length else (y > low + grown)
                mask |= (np.abs(position - centre) < network.sheet_thickness / 2 + grown)[:, None] & ~tip[None, :]
            return mask

        # In a half cell x starts at the wall's face, so that the wall has no cells (`position < 0`).
        solid, grown = sheets(x, 0.0), sheets(x, layer)
        if self.full:
            solid |= sheets(self.length - x, 0.0)
            grown = solid
        return solid, grown & ~solid

    def _sort_faces(self) -> None:
        mesh = self.fipy
        first, second = (np.ma.filled(ids, -1) for ids in mesh.faceCellIDs)
        position = np.asarray(mesh.faceCenters) * NM
        vertical = np.ptp(np.asarray(mesh.vertexCoords)[0][np.asarray(mesh.faceVertexIDs)], axis=0) < 1e-9
        axis = np.where(vertical, 0, 1)
        centre = self.centres[axis, first]
        other = np.where(second >= 0, self.centres[axis, second], np.inf)
        across = position[axis, np.arange(axis.size)]
        swap = other < centre
        lower, upper = np.where(swap, second, first), np.where(swap, first, second)
        distance = np.abs(across - self.centres[axis, lower])
        beyond = np.where(upper >= 0, np.abs(self.centres[axis, upper] - across), 0.0)
        faces = Faces(lower, upper, np.asarray(mesh._faceAreas) * NM, distance, beyond, position, axis)
        exterior = second < 0
        mirror = exterior & (axis == 1) & (_at(across, 0.0) | _at(across, self.y_lines[-1]))
        far = exterior & (axis == 0) & _at(across, self.x_lines[-1])
        self.inner = faces[~exterior]
        none = np.zeros_like(far)
        self.midplane = faces[none if self.full else far]
        self.electrode = faces[none if self.full else exterior & ~mirror & ~far]

    @cached_property
    def sheet_area(self) -> Array:
        """Full cell: (cells,) area (m, per depth) of charged sheet in each cell, signed by electrode.

        The charge lies on faces of the centre planes; its halves go to the cells on both sides, which is
        exact for equal cells. The walls' centre planes are the ends of the cell, which holds half of them.
        """
        area = np.zeros(self.cells)
        faces, network = self.inner, self.config.network
        on_solid = (faces.axis == 0) & self.solid[faces.lower] & self.solid[faces.upper]
        for sign, planes in ((1.0, network.sheet_centres), (-1.0, self.length - network.sheet_centres)):
            for plane in planes:
                chosen = faces[on_solid & _at(faces.position[0], plane)]
                np.add.at(area, chosen.lower, sign * chosen.area / 2)
                np.add.at(area, chosen.upper, sign * chosen.area / 2)
            end = self.number[0] if sign > 0 else self.number[-1]
            area[end] += sign * np.diff(self.y_lines) / 2
        return area

    def interpolation(self, x: float, y: float) -> tuple[Array, Array]:
        """Four cells around a point of the free space and their bilinear weights, each of shape (4,)."""
        columns, wx = _bracket((self.x_lines[1:] + self.x_lines[:-1]) / 2, x)
        rows, wy = _bracket((self.y_lines[1:] + self.y_lines[:-1]) / 2, y)
        cells = self.number[np.ix_(columns, rows)].ravel()
        weights = np.outer(wx, wy).ravel()
        weights = np.where(cells >= 0, weights, 0.0)
        return cells, weights / weights.sum()


def _at(position: Array, place: float) -> Array:
    return np.abs(position - place) < 1e-6 * NM


def _bracket(centres: Array, position: float) -> tuple[Array, Array]:
    if centres.size == 1:
        return np.array([0, 0]), np.array([1.0, 0.0])
    low = int(np.clip(np.searchsorted(centres, position) - 1, 0, centres.size - 2))
    part = np.clip((position - centres[low]) / (centres[low + 1] - centres[low]), 0.0, 1.0)
    return np.array([low, low + 1]), np.array([1 - part, part])


def _x_lines(config: ContinuumConfig) -> Array:
    network, fine, full = config.network, config.cell_at_surface, config.cell == "full"
    layer = [config.stern_thickness] if config.resolved else []
    slit, half = network.slit, network.sheet_thickness / 2
    settings = {"growth": config.growth, "refinement": config.refinement}
    coarse = config.bulk_cell
    across = [0.0, *layer, *(slit - h for h in layer), slit]
    slit_lines = graded([(p, fine) for p in across], config.slit_cell, **settings)
    half_sheet = graded([(0.0, fine), (half, coarse)], config.slit_cell, **settings)
    sheet_lines = np.concatenate([half_sheet, 2 * half - half_sheet[-2::-1]])
    lines = [-half_sheet[::-1]] if full else [np.zeros(1)]
    for i in range(network.slits):
        origin = i * network.pitch
        lines += [origin + slit_lines[1:], origin + slit + sheet_lines[1:]]
    if network.slits:  # the network's value to the last bit, which the selection of planes compares with
        lines[-1][-1] = network.depth
    depth, far = network.depth, network.depth + network.reservoir_length
    open_points = [(depth, fine), *((depth + h, fine) for h in layer), (far, coarse)]
    lines.append(graded(open_points, coarse, **settings)[1:])
    left = np.concatenate(lines)
    return np.concatenate([left, 2 * far - left[-2::-1]]) if full else left


def _y_lines(config: ContinuumConfig) -> Array:
    network, fine = config.network, config.cell_at_surface
    length, gap = network.slit_length, network.edge_gap
    layer = config.stern_thickness if config.resolved else 0.0
    tips = sorted({gap, gap - layer, length - gap, length - gap + layer}) if network.slits else []
    tips = [tip for n, tip in enumerate(tips) if n == 0 or tip - tips[n - 1] > 1e-13]
    points = [(0.0, config.bulk_cell), *((tip, fine) for tip in tips), (length, config.bulk_cell)]
    pieces: list[Array] = []
    for start, stop in pairwise(points):
        # Across a gap, as across a slit, the double layers of the sheet's edge must be resolved.
        cap = config.slit_cell if stop[0] - start[0] <= 2 * gap and network.slits else config.bulk_cell
        lines = graded([start, stop], cap, config.growth, config.refinement)
        pieces.append(lines if not pieces else lines[1:])
    return np.concatenate(pieces)


def masked_tensor_mesh(x: Array, y: Array, active: Array) -> Mesh2D:
    """FiPy mesh of the cells of a tensor grid where `active` (nx, ny) holds, numbered along y first."""
    nx, ny = active.shape
    upright, flat = np.zeros((nx + 1, ny), dtype=bool), np.zeros((nx, ny + 1), dtype=bool)
    upright[:-1] |= active
    upright[1:] |= active
    flat[:, :-1] |= active
    flat[:, 1:] |= active
    corner = np.zeros((nx + 1, ny + 1), dtype=bool)
    for shift in ((0, 0), (0, 1), (1, 0), (1, 1)):
        corner[shift[0] : shift[0] + nx, shift[1] : shift[1] + ny] |= active

    def numbered(mask: Array, start: int = 0) -> Array:
        ids = np.full(mask.shape, -1)
        ids[mask] = start + np.arange(mask.sum())
        return ids

    vertex, rising = numbered(corner), numbered(upright)
    level = numbered(flat, int(upright.sum()))
    i, j = np.nonzero(upright)
    k, m = np.nonzero(flat)
    ends = np.array(
        [np.concatenate([vertex[i, j], vertex[k, m]]), np.concatenate([vertex[i, j + 1], vertex[k + 1, m]])]
    )
    a, b = np.nonzero(active)
    around = np.array([level[a, b], rising[a + 1, b], level[a, b + 1], rising[a, b]])
    u, v = np.nonzero(corner)
    return Mesh2D(vertexCoords=np.array([x[u], y[v]]), faceVertexIDs=ends, cellFaceIDs=around)
