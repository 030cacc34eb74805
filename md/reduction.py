"""From counted crossings, contents and potentials of all boxes to one `TransSlitRecord`.

The parts of I_i are those of the two-point flux of `transslit.decomposition` between slit centres,

    I_i = sum_k z_k F g D_k [...],   K = slit i+1, L = slit i,   g = network.geometric_conductance,

with potentials and concentrations as moving averages over `smoothing` (not across jumps of the drive), because the
potential of a single frame fluctuates by many kT/e. For the same reason the weight w(v) in the drift's mean
concentration c* = c_K + (c_L - c_K) w(v) is evaluated at v averaged over the boxes and both faces of the electrode: c*
is not linear in v, and noise alone would shift it upwind. A single half-cell is decomposed as the continuum is.
`I_residual_A_per_m` is the counted current less the parts. For each ion the table also has its counted current,
`I_<ion>_A_per_m`, and the sum of its parts, `I_<ion>_explained_A_per_m`, which is proportional to D_k, so that the
error of D_k enters the intervals of shares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import constants

from md.cell import Cell
from transslit.decomposition import FluxParts, decompose, steric_excess
from transslit.record import TransSlitRecord

FARADAY = constants.N_A * constants.e  # C/mol
PACKED = 0.98  # largest occupied fraction at which the steric excess is evaluated


@dataclass(frozen=True)
class Counts:
    """Counts of one box: T frames, 4 half-cells, n slits, k kinds of ions; towards the bulk is positive.

    time (T,) s; contents (T, 4, n, k) ions of the whole box; crossed (T, 4, n + 1, k) net crossings since the
    frame before of sheets 0 ... n - 1 and of the mid-plane; phi (T, 4, n) V; sigma (T, 4) C/m^2, the drive's if None.
    """

    box: int
    time: np.ndarray
    contents: np.ndarray
    crossed: np.ndarray
    phi: np.ndarray
    sigma: np.ndarray | None = None


def moving_average(values: np.ndarray, time: np.ndarray, width: float, jumps: tuple[float, ...] = (0.0,)) -> np.ndarray:
    """Centred mean over `width` (s) along axis 0, over fewer frames at the ends and at `jumps` (s) of the drive."""
    if len(time) < 2:
        return values
    reach = int(width / (time[1] - time[0]) / 2 + 1e-9)
    parts = []
    for part in np.split(values, np.searchsorted(time, np.asarray(jumps) - 1e-18)):
        count = len(part)
        total = np.concatenate([np.zeros((1, *part.shape[1:])), np.cumsum(part, axis=0)])
        low, high = np.maximum(np.arange(count) - reach, 0), np.minimum(np.arange(count) + reach + 1, count)
        span = (high - low).reshape(-1, *[1] * (part.ndim - 1))
        parts.append((total[high] - total[low]) / span)
    return np.concatenate(parts)


def current_parts(
    cell: Cell, diffusion: np.ndarray, phi: np.ndarray, concentration: np.ndarray, numbers: Sequence[int] | None = None
) -> FluxParts:
    """Migration, diffusion and steric current of each ion in A/m, shape (R, T, 4, n - 1, k).

    `phi` (R, T, 4, n) in V and `concentration` (R, T, 4, n, k) in mol/m^3 of R boxes; `diffusion` D_k in m^2/s, (k,);
    `numbers` the boxes' (0 ... R - 1 if None).
    """
    numbers = range(len(phi)) if numbers is None else numbers
    electrolyte = cell.electrolyte
    valence = np.array([ion.charge for ion in electrolyte.ions])
    thermal = constants.k * cell.config.temperature / constants.e
    occupied = np.minimum(concentration @ electrolyte.molar_volumes, PACKED)
    steric = steric_excess(occupied)
    drift_phi = valence * (phi[..., :-1] - phi[..., 1:])[..., None] / thermal  # L minus K, K the deeper slit
    drift_mu = np.broadcast_to((steric[..., :-1] - steric[..., 1:])[..., None], drift_phi.shape)
    v = drift_phi + drift_mu
    typical = np.empty_like(v)
    for boxes, halves in ((own, pair) for own in _alike(cell, numbers) for pair in (slice(0, 2), slice(2, 4))):
        typical[boxes, :, halves] = v[boxes, :, halves].mean(axis=(0, 2), keepdims=True)
    deeper, nearer = concentration[..., 1:, :], concentration[..., :-1, :]
    scale = FARADAY * valence * diffusion * cell.network.geometric_conductance
    return decompose(scale, deeper, nearer, drift_phi, drift_mu, typical)


def _alike(cell: Cell, numbers: Sequence[int]) -> list[np.ndarray]:
    """Places in `numbers` of the boxes whose electrodes are charged alike: one array, or two of pairs."""
    exchanged = np.array([cell.of_box(number).exchanged for number in numbers])
    return [own for own in (np.flatnonzero(~exchanged), np.flatnonzero(exchanged)) if own.size]


def _polarity(cell: Cell, number: int) -> np.ndarray:
    """Sign of the electrode of each half-cell of a box, shape (4,)."""
    return np.repeat([float(sign) for _, sign in cell.of_box(number).electrodes], 2)


class _Boxes(NamedTuple):
    """Arrays as of `Counts`, of R boxes and of the frames that all of them have; sigma (R, T, 4) in C/m^2."""

    numbers: list[int]
    time: np.ndarray
    contents: np.ndarray
    crossed: np.ndarray
    phi: np.ndarray
    sigma: np.ndarray


def record_of(
    counted: list[Counts],
    cell: Cell,
    diffusion: np.ndarray | None = None,
    metadata: Mapping[str, object] | None = None,
    starts: int | None = None,
) -> TransSlitRecord:
    """One record of all boxes.

    Parameters
    ----------
    diffusion : D_k in m^2/s, shape (ions,); the electrolyte's bulk values if None
    metadata : added to those of the cell
    starts : number of starts, over which the boxes are dealt in turn; one for each box if None
    """
    if diffusion is None:
        diffusion = cell.electrolyte.diffusion_coefficients
    boxes = _stacked(counted, cell)
    time, length = boxes.time, len(boxes.time)
    span = np.diff(time, prepend=time[0] - (time[1] - time[0] if length > 1 else 1.0))
    current_of_ion = boxes.crossed * _charge(cell) / (2 * cell.depth) / span[None, :, None, None, None]
    current = boxes.crossed @ _charge(cell) / (2 * cell.depth) / span[None, :, None, None]
    slits = np.arange(1, cell.network.slits + 1)
    crossings = _crossings(boxes, cell, diffusion, current[..., 1:-1], current_of_ion[..., 1:-1, :])
    terminal = {"sigma_C_per_m2": boxes.sigma, "I_m_A_per_m": current[..., -1], "I_0_A_per_m": current[..., 0]}
    if not cell.config.fixed_charge:
        polarity = np.stack([_polarity(cell, number) for number in boxes.numbers])
        terminal["phi_m_V"] = cell.voltage(time)[:, None] / 2 * polarity[:, None]
    return TransSlitRecord.made(
        "md",
        _table(boxes, slits[:-1], crossings),
        _table(boxes, slits, _contents(boxes, cell)),
        _table(boxes, np.array([0]), {name: array[..., None] for name, array in terminal.items()}).drop(columns="i"),
        {**_metadata(boxes, cell, diffusion, starts), **(metadata or {})},
    )


def _stacked(counted: list[Counts], cell: Cell) -> _Boxes:
    length = min(len(each.time) for each in counted)
    time = counted[0].time[:length]
    sigma = [
        _imposed(cell, time)[:, None] * _polarity(cell, each.box) if each.sigma is None else each.sigma[:length]
        for each in counted
    ]
    contents, crossed, phi = (
        np.stack([getattr(each, name)[:length] for each in counted]) for name in ("contents", "crossed", "phi")
    )
    return _Boxes([each.box for each in counted], time, contents, crossed, phi, np.stack(sigma))


def _charge(cell: Cell) -> np.ndarray:
    """Charge of each ion in C, shape (ions,)."""
    return np.array([ion.charge for ion in cell.electrolyte.ions]) * constants.e


def _concentration(boxes: _Boxes, cell: Cell) -> np.ndarray:
    """Concentrations in mol/m^3, shape (R, T, 4, n, k)."""
    volume = cell.network.slit * cell.network.slit_length * (2 * cell.depth)
    return boxes.contents / constants.N_A / volume


def _crossings(
    boxes: _Boxes, cell: Cell, diffusion: np.ndarray, current: np.ndarray, current_of_ion: np.ndarray
) -> dict[str, np.ndarray]:
    """Columns of the crossings, arrays (R, T, 4, n - 1), from the counted currents in A/m."""

    def smooth(values: np.ndarray) -> np.ndarray:
        width, jumps = cell.config.smoothing, cell.config.jumps
        return np.stack([moving_average(each, boxes.time, width, jumps) for each in values])

    parts = current_parts(cell, diffusion, smooth(boxes.phi), smooth(_concentration(boxes, cell)), boxes.numbers)
    migration, spread, steric = (part.sum(axis=-1) for part in parts)
    by_ion = {}
    for k, name in enumerate(cell.electrolyte.names):
        by_ion[f"I_{name}_A_per_m"] = current_of_ion[..., k]
        by_ion[f"I_{name}_explained_A_per_m"] = parts.total[..., k]
    return {
        "dphi_V": boxes.phi[..., 1:] - boxes.phi[..., :-1],
        "I_A_per_m": current,
        "I_migration_A_per_m": migration,
        "I_diffusion_A_per_m": spread,
        "I_steric_A_per_m": steric,
        "I_residual_A_per_m": current - (migration + spread + steric),
        **by_ion,
    }


def _contents(boxes: _Boxes, cell: Cell) -> dict[str, np.ndarray]:
    """Columns of the slits, arrays (R, T, 4, n)."""
    concentration = _concentration(boxes, cell)
    q = boxes.contents @ _charge(cell) / (2 * cell.depth)
    return {
        "phi_V": boxes.phi,
        "Q_C_per_m": q,
        "rho_C_per_m3": q / (cell.network.slit * cell.network.slit_length),
        "c_mol_per_m3": concentration.sum(axis=-1),
        **{f"c_{name}_mol_per_m3": concentration[..., k] for k, name in enumerate(cell.electrolyte.names)},
    }


def _table(boxes: _Boxes, index: np.ndarray, columns: dict[str, np.ndarray]) -> pd.DataFrame:
    """Tidy rows from arrays (R, T, 4, n) over `index`, ordered by replica, time and i."""
    labels = 4 * np.array(boxes.numbers)[:, None] + np.arange(4)
    shape = (len(boxes.numbers), 4, len(boxes.time), len(index))
    keys = {
        "replica": np.broadcast_to(labels[:, :, None, None], shape),
        "time_s": np.broadcast_to(boxes.time[None, None, :, None], shape),
        "i": np.broadcast_to(index, shape),
    }
    values = {name: np.swapaxes(array, 1, 2) for name, array in columns.items()}
    return pd.DataFrame({name: array.ravel() for name, array in {**keys, **values}.items()})


def _metadata(boxes: _Boxes, cell: Cell, diffusion: np.ndarray, starts: int | None) -> dict[str, object]:
    names, config = cell.electrolyte.names, cell.config
    return {
        "source": "md",
        "electrolyte": cell.electrolyte.name,
        "temperature_K": config.temperature,
        "concentration_mol_per_m3": config.concentration,
        "water": config.water,
        "network": cell.network.model_dump(mode="json"),
        "sheet_charge_C_per_m2": cell.sheet_charge,
        "depth_m": cell.depth,
        "smoothing_s": config.smoothing,
        "D_used_m2_per_s": dict(zip(names, np.asarray(diffusion, dtype=float).tolist(), strict=True)),
        "half_cells": {
            str(4 * box + h): {
                "box": box,
                "start": cell.config.start_of(box) % (starts or box + 1),
                "electrode": half_cell.electrode,
                "face": half_cell.face,
                "half": h,
            }
            for box in boxes.numbers
            for h, half_cell in enumerate(cell.of_box(box).half_cells)
        },
    }


def _imposed(cell: Cell, time: np.ndarray) -> np.ndarray:
    """Sheet charge of the positive electrode in C/m^2, shape (T,)."""
    return cell.per_sheet_atom(time) * cell.sheet_lattice.atoms_per_area * constants.e
