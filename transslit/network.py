"""The nanoslit network: staggered sheets between two mirror planes, slits numbered from the bulk.

x = 0 is the electrolyte-side face of the closing wall and x grows towards the bulk; 0 <= y <= L runs
along a slit. `layers` sheets, the wall among them, make `layers - 1` slits. Sheet j = 0, 1, ... lies on
the bulk side of slit j + 1 (sheet 0 faces the reservoir) and hangs alternately from y = 0 (j even) and
from y = L (j odd), stopping an edge gap short of the other mirror plane.
"""

from __future__ import annotations

from functools import cached_property
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from transslit.config import Config
from transslit.electrolyte import Electrolyte
from transslit.errors import BadInput
from transslit.units import Length

LONGEST = 10e-6  # m, of a length in a mesh whose cells are nanometres


class SlitNetwork(Config):
    """Geometry of one half-cell, all lengths in m."""

    slit: Length = Field(description="free width d between the surfaces of neighbouring sheets, in m")
    layers: int = Field(6, ge=1, le=1000, description="number of sheets, the closing wall among them")
    slit_length: Length = Field(20e-9, description="length L of a slit, the distance of the mirror planes, in m")
    edge_gap: Length = Field(1e-9, description="width g of the gap between a sheet's edge and a mirror plane, in m")
    sheet_thickness: Length = Field(0.34e-9, description="thickness t of a sheet, which excludes ions, in m")
    reservoir_length: Length = Field(
        10e-9, description="distance from the outermost sheet to the mid-plane of the reservoir, in m"
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not 0.3e-9 <= self.slit <= 100e-9:
            raise BadInput("slit", f"{self.slit * 1e9:g} nm", "give 0.3 nm to 100 nm; less than 0.3 nm holds no ion")
        for name in ("slit_length", "sheet_thickness", "reservoir_length"):
            if (length := getattr(self, name)) > LONGEST:
                raise BadInput(name, f"{length:g} m", f"give at most {LONGEST * 1e6:g} um")
        if self.edge_gap >= self.slit_length:
            raise BadInput(
                "edge_gap",
                f"{self.edge_gap * 1e9:g} nm",
                f"must be below the slit length {self.slit_length * 1e9:g} nm",
            )
        return self

    def admits(self, electrolyte: Electrolyte) -> None:
        """Raise `BadInput` unless every ion fits into slit and edge gap."""
        widest = max(ion.diameter.value for ion in electrolyte.ions)
        for field in ("slit", "edge_gap"):
            if (width := getattr(self, field)) < widest:
                raise BadInput(field, f"{width * 1e9:g} nm", f"narrower than an ion; give at least {widest * 1e9:g} nm")

    @property
    def slits(self) -> int:
        """Number of slits, layers - 1."""
        return self.layers - 1

    @property
    def pitch(self) -> float:
        """Centre-to-centre distance of the sheets, d + t, in m."""
        return self.slit + self.sheet_thickness

    @property
    def depth(self) -> float:
        """x of the outer face of the outermost sheet (of the wall, for one layer), in m."""
        return self.slits * self.pitch

    @cached_property
    def slit_centres(self) -> np.ndarray:
        """x of the centre of slit i = 1 ... slits, in m, shape (slits,)."""
        i = np.arange(1, self.slits + 1)
        return (self.slits - i) * self.pitch + self.slit / 2

    @cached_property
    def sheet_centres(self) -> np.ndarray:
        """x of the centre plane of sheet j = 0 ... slits - 1, in m, shape (slits,)."""
        j = np.arange(self.slits)
        return (self.slits - j) * self.pitch - self.sheet_thickness / 2

    def gap(self, sheet: int) -> tuple[float, float]:
        """The y interval (m) that sheet `sheet` leaves open."""
        length, gap = self.slit_length, self.edge_gap
        return (length - gap, length) if sheet % 2 == 0 else (0.0, gap)

    @cached_property
    def geometric_conductance(self) -> float:
        """Conductance between the centres of neighbouring slits, per depth and per unit conductivity.

        Laplace's equation on the path from mid-slit through the edge gap to the next mid-slit (half of
        it, by mirror symmetry about the sheet's centre plane), five-point stencil. Dimensionless: the
        current per depth between two slit centres is conductivity * geometric_conductance * voltage.
        """
        return _laplace_conductance(self.slit, self.slit_length / 2, self.edge_gap, self.sheet_thickness)


def _laplace_conductance(width: float, half_length: float, gap: float, thickness: float) -> float:
    """Laplace conductance of slit (0 < x < width) plus half a gap (width < x < width + thickness/2).

    Dirichlet at y = half_length in the slit and at the gap's far end; halved, since two such
    halves are in series. The grid resolves the narrowest feature with twelve cells, to about 1 %.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import spsolve

    gap = min(gap, half_length)
    nx, ny_gap, nt = 12, 12, max(2, round(12 * thickness / 2 / width))
    ny = ny_gap + max(4, round(12 * (half_length - gap) / width)) if half_length > gap else ny_gap
    dx = np.concatenate([np.full(nx, width / nx), np.full(nt, thickness / 2 / nt)])
    dy = np.concatenate(
        [np.full(ny_gap, gap / ny_gap), np.full(ny - ny_gap, (half_length - gap) / max(ny - ny_gap, 1))]
    )
    inside = np.zeros((dx.size, dy.size), dtype=bool)
    inside[:nx], inside[:, :ny_gap] = True, True
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(inside.sum())

    def links(a: np.ndarray, b: np.ndarray, conductance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        both = (a >= 0) & (b >= 0)
        return a[both], b[both], conductance[both]

    gx = dy[None, :] / ((dx[1:] + dx[:-1]) / 2)[:, None]
    gy = dx[:, None] / ((dy[1:] + dy[:-1]) / 2)[None, :]
    left, right, g = (
        np.concatenate(parts)
        for parts in zip(links(number[:-1], number[1:], gx), links(number[:, :-1], number[:, 1:], gy), strict=True)
    )
    n = int(inside.sum())
    diagonal = np.bincount(left, g, n) + np.bincount(right, g, n)
    source = np.zeros(n)
    slit_end, gap_end = number[:nx, -1], number[-1, :ny_gap]
    g_slit, g_gap = dx[:nx] / (dy[-1] / 2), dy[:ny_gap] / (dx[-1] / 2)
    diagonal[slit_end] += g_slit
    diagonal[gap_end] += g_gap
    source[slit_end] = g_slit  # potential one at mid-slit, zero at the gap's centre plane
    rows = np.concatenate([left, right, np.arange(n)])
    columns = np.concatenate([right, left, np.arange(n)])
    matrix = coo_array((np.concatenate([-g, -g, diagonal]), (rows, columns)), shape=(n, n)).tocsc()
    potential = spsolve(matrix, source)
    return float(g_gap @ potential[gap_end]) / 2
