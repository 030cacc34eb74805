"""Interpolation of tabulated elements: R(q) and u(Q) of all slits at once, with their slopes.

A table becomes a monotone cubic (PCHIP), resampled on an even grid of `NODES` points so that one look-up serves every
slit at every time. The unknowns of the ladder are charges, so that a capacitor needs u(Q):

    C over |u| :  Q(u) = integral of C du, inverted by Newton's method at the grid's charges
    C over q   :  u(Q) = integral of dQ / C

Source of PCHIP: F. N. Fritsch, J. Butland, doi:10.1137/0905021.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import PchipInterpolator

from circuit.config import Table

Array = np.ndarray
NODES = 513


class Curves:
    """n functions of a positive variable, on even grids from 0; linear beyond, or constant.

    Parameters
    ----------
    top : end of the grid of each distinct function, shape (m,)
    value, slope : at the nodes, shape (m, NODES)
    constant : beyond the grid, keep the last value instead of the last slope
    row : which of the m is each of the n functions, shape (n,); the m themselves if None
    """

    def __init__(
        self, top: Array, value: Array, slope: Array, constant: bool = False, row: Array | None = None
    ) -> None:
        self.distinct, self.constant = (top, value, slope), constant
        self.row = np.arange(len(top)) if row is None else row
        step = (top / (value.shape[1] - 1))[:, None]
        rise = value[:, 1:] - value[:, :-1]
        m0, m1 = slope[:, :-1] * step, slope[:, 1:] * step
        # in s = position within an interval: c0 + c1 s + c2 s^2 + c3 s^3
        self.c = np.stack([value[:, :-1], m0, 3 * rise - 2 * m0 - m1, m0 + m1 - 2 * rise])
        area = (self.c * np.array([1, 1 / 2, 1 / 3, 1 / 4])[:, None, None]).sum(axis=0) * step
        self.area = np.concatenate([np.zeros((len(top), 1)), np.cumsum(area, axis=1)], axis=1)
        outer = np.zeros(len(top)) if constant else slope[:, -1]
        self.top, self.step, self.outer, self.last, self.whole = (
            each[self.row] for each in (top, step[:, 0], outer, value[:, -1], self.area[:, -1])
        )

    def subset(self, rows: list[int] | slice) -> Curves:
        """Some of the functions, in the order of `rows`."""
        return Curves(*self.distinct, self.constant, self.row[rows])

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """Values and slopes at x >= 0, shape (..., n)."""
        k, s, beyond = self._locate(x)
        c0, c1, c2, c3 = (c[self.row, k] for c in self.c)
        value = c0 + s * (c1 + s * (c2 + s * c3))
        slope = (c1 + s * (2 * c2 + 3 * s * c3)) / self.step
        if beyond.any():
            value = np.where(beyond, self.last + self.outer * (x - self.top), value)
            slope = np.where(beyond, self.outer, slope)
        return value, slope

    def integral(self, x: Array) -> Array:
        """Integral from 0 to x >= 0, shape (..., n)."""
        k, s, beyond = self._locate(x)
        c0, c1, c2, c3 = (c[self.row, k] for c in self.c)
        inside = self.area[self.row, k] + self.step * s * (c0 + s * (c1 / 2 + s * (c2 / 3 + s * c3 / 4)))
        more = x - self.top
        outside = self.whole + more * (self.last + self.outer * more / 2)
        return np.where(beyond, outside, inside)

    def _locate(self, x: Array) -> tuple[Array, Array, Array]:
        place = x / self.step
        beyond = ~(place < self.c.shape[2])
        k = np.where(beyond, 0, place).astype(np.intp)
        return k, np.where(beyond, 1.0, place - k), beyond


def element(tables: Sequence[Table]) -> Curves:
    """R (ohm) over q, one curve for each table; constant beyond its last point."""
    columns = []
    distinct, row = _distinct([(table, 0.0) for table in tables])
    for table, _ in distinct:
        x = np.linspace(0, table.at[-1], NODES)
        columns.append((table.at[-1], *_pchip(table, x)))
    return _stack(columns, row, constant=True)


def capacitor_voltages(tables: Sequence[Table], charge_max: Array | None) -> Curves:
    """u(Q) in V over |Q| in C of capacitors C(|u|) or C(q) in F; `charge_max` (n,) in C is where q = 1."""
    columns = []
    full = np.zeros(len(tables)) if charge_max is None else charge_max
    distinct, row = _distinct(
        [(table, float(q) if table.over == "q" else 0.0) for table, q in zip(tables, full, strict=True)]
    )
    for table, largest in distinct:
        fine = np.linspace(0, table.at[-1], 16 * (NODES - 1) + 1)
        if table.over == "q":
            inverse = largest / _pchip(table, fine)[0]
            middle = largest / _pchip(table, (fine[1:] + fine[:-1]) / 2)[0]
            simpson = (inverse[1:] + 4 * middle + inverse[:-1]) / 6 * np.diff(fine)
            u = np.concatenate([[0.0], np.cumsum(simpson)])[::16]
            columns.append((table.at[-1] * largest, u, inverse[::16] / largest))
            continue
        at, value = _anchored(table)
        antiderivative = PchipInterpolator(at, value).antiderivative()
        offset = antiderivative(0.0)
        charge = antiderivative(fine) - offset
        nodes = np.linspace(0, charge[-1], NODES)
        u = np.interp(nodes, charge, fine)
        for _ in range(4):
            u = np.clip(u - (antiderivative(u) - offset - nodes) / _pchip(table, u)[0], 0, fine[-1])
        columns.append((charge[-1], u, 1 / _pchip(table, u)[0]))
    return _stack(columns, row)


def linear(slope: Array) -> Curves:
    """Lines through 0 with `slope` (n,): constant capacitors beside tabulated ones."""
    distinct, row = np.unique(slope, return_inverse=True)
    x = np.linspace(0, 1, NODES) * np.ones((len(distinct), 1))
    return Curves(1 / distinct, x, distinct[:, None] * np.ones((1, NODES)), row=row)  # a line has no scale


def concatenated(curves: Sequence[Curves]) -> Curves:
    """The functions of all `curves` as one object."""
    top, value, slope = (np.concatenate(parts) for parts in zip(*(c.distinct for c in curves), strict=True))
    starts = np.cumsum([0, *(len(c.distinct[0]) for c in curves[:-1])])
    return Curves(
        top, value, slope, row=np.concatenate([c.row + start for c, start in zip(curves, starts, strict=True)])
    )


def _distinct(tables: Sequence[tuple[Table, float]]) -> tuple[list[tuple[Table, float]], Array]:
    """Each table (with a number) once, and which of them each one is: slits are mostly alike."""
    places: dict[tuple[int, float], int] = {}
    row = [places.setdefault((id(table), number), len(places)) for table, number in tables]
    first = {place: known for known, place in zip(tables, row, strict=True)}
    return [first[place] for place in range(len(places))], np.array(row)


def _anchored(table: Table) -> tuple[Array, Array]:
    at, value = np.array(table.at), np.array(table.value)
    if at[0] > 0:
        at, value = np.concatenate([[0.0], at]), np.concatenate([value[:1], value])
    return at, value


def _pchip(table: Table, x: Array) -> tuple[Array, Array]:
    curve = PchipInterpolator(*_anchored(table))
    return curve(x), curve.derivative()(x)


def _stack(columns: Sequence[tuple[float, Array, Array]], row: Array, constant: bool = False) -> Curves:
    top, value, slope = zip(*columns, strict=True)
    return Curves(np.array(top), np.array(value), np.array(slope), constant, row)
