"""From counted crossings, contents and potentials of all replicas to one `TransSlitRecord`.

The parts of I_i are those of the two-point flux of `transslit.decomposition` between slit centres,

    I_i = sum_k z_k F g D_k [...],   K = slit i+1, L = slit i,   g = network.geometric_conductance,

with potentials and concentrations as moving averages over `smoothing` (never across t = 0): a single frame's
potential fluctuates by many kT/e. For the same reason the weight w(v) in the drift's mean concentration
c* = c_K + (c_L - c_K) w(v) is taken at the v averaged over the replicas and both faces of the electrode: c* is
not linear in v, and noise alone would turn it upwind. One block alone is decomposed as the continuum is.
What the parts leave of the counted current is `I_residual_A_per_m`. For each ion the table also has its counted
current, `I_<ion>_A_per_m`, and the sum of its parts, `I_<ion>_explained_A_per_m`: that is proportional to its D_k,
whose error thereby reaches the intervals of shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import constants

from md.cell import Cell
from transslit.decomposition import drift_mean, steric_excess
from transslit.drive import CARBONS_PER_AREA
from transslit.record import TransSlitRecord

FARADAY = constants.N_A * constants.e  # C/mol
PACKED = 0.98  # occupied fraction at which the steric excess of a crowded frame is cut off


@dataclass(frozen=True)
class Counted:
    """What a trajectory counts: T frames, 4 blocks, n slits, k kinds of ions; towards the bulk is positive.

    time (T,) s; contents (T, 4, n, k) ions of the whole box; crossed (T, 4, n + 1, k) net crossings since the
    frame before of sheets 0 ... n - 1 and of the mid-plane; phi (T, 4, n) V.
    """

    run: int
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
    cell: Cell, diffusion: np.ndarray, phi: np.ndarray, concentration: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Migration, diffusion and steric current of each ion in A/m, shape (R, T, 4, n - 1, k).

    `phi` (R, T, 4, n) in V and `concentration` (R, T, 4, n, k) in mol/m^3 of R replicas; `diffusion` D_k (k,).
    """
    electrolyte = cell.electrolyte
    valence = np.array([ion.charge for ion in electrolyte.ions])
    thermal = constants.k * cell.config.temperature / constants.e
    occupied = np.minimum(concentration @ electrolyte.molar_volumes, PACKED)
    steric = steric_excess(occupied)
    drift_phi = valence * (phi[..., :-1] - phi[..., 1:])[..., None] / thermal  # L minus K, K the deeper slit
    drift_mu = np.broadcast_to((steric[..., :-1] - steric[..., 1:])[..., None], drift_phi.shape)
    v = drift_phi + drift_mu
    electrodes = v.reshape(*v.shape[:2], 2, 2, *v.shape[3:])
    typical = np.broadcast_to(electrodes.mean(axis=(0, 3), keepdims=True), electrodes.shape).reshape(v.shape)
    deeper, nearer = concentration[..., 1:, :], concentration[..., :-1, :]
    carried = drift_mean(typical, deeper, nearer)
    scale = FARADAY * valence * diffusion * cell.network.geometric_conductance
    return (
        -scale * carried * drift_phi,
        -scale * (nearer - deeper),
        -scale * carried * drift_mu,
    )


def record_of(
    counted: list[Counted], cell: Cell, diffusion: np.ndarray | None = None, metadata: dict[str, Any] | None = None
) -> TransSlitRecord:
    """One record of all replicas; `diffusion` D_k in m^2/s (the electrolyte's bulk values if None)."""
    network, electrolyte = cell.network, cell.electrolyte
    if diffusion is None:
        diffusion = electrolyte.diffusion_coefficients
    length = min(len(each.time) for each in counted)
    time = counted[0].time[:length]
    per_half = 2 * cell.depth  # m: box totals to one network half, per depth
    charge = np.array([ion.charge for ion in electrolyte.ions]) * constants.e
    phi = np.stack([each.phi[:length] for each in counted])
    contents = np.stack([each.contents[:length] for each in counted])
    crossed = np.stack([each.crossed[:length] for each in counted])
    volume = network.slit * network.slit_length * per_half
    concentration = contents / constants.N_A / volume
    q = contents @ charge / per_half
    span = np.diff(time, prepend=time[0] - (time[1] - time[0] if length > 1 else 1.0))
    current = crossed @ charge / per_half / span[None, :, None, None]

    def smooth(values: np.ndarray) -> np.ndarray:
        return np.stack([moving_average(each, time, cell.config.smoothing, cell.config.jumps) for each in values])

    parts = current_parts(cell, diffusion, smooth(phi), smooth(concentration))
    migration, spread, steric = (part.sum(axis=-1) for part in parts)
    by_ion = {}
    for k, name in enumerate(electrolyte.names):
        by_ion[f"I_{name}_A_per_m"] = (crossed[..., k] * charge[k] / per_half / span[None, :, None, None])[..., 1:-1]
        by_ion[f"I_{name}_explained_A_per_m"] = sum(part[..., k] for part in parts)
    slits = np.arange(1, network.slits + 1)
    replicas = np.array([4 * each.run + b for each in counted for b in range(4)]).reshape(len(counted), 4)

    def table(index: np.ndarray, columns: dict[str, np.ndarray]) -> pd.DataFrame:
        """Tidy rows from arrays (R, T, 4, n) over `index`, ordered by replica, time and i."""
        shape = (len(counted), 4, length, len(index))
        keys = {
            "replica": np.broadcast_to(replicas[:, :, None, None], shape),
            "time_s": np.broadcast_to(time[None, None, :, None], shape),
            "i": np.broadcast_to(index, shape),
        }
        values = {name: np.swapaxes(array, 1, 2) for name, array in columns.items()}
        return pd.DataFrame({name: array.ravel() for name, array in {**keys, **values}.items()})

    counted_current = current[..., 1:-1]
    crossings = table(
        slits[:-1],
        {
            "dphi_V": phi[..., 1:] - phi[..., :-1],
            "I_A_per_m": counted_current,
            "I_migration_A_per_m": migration,
            "I_diffusion_A_per_m": spread,
            "I_steric_A_per_m": steric,
            "I_residual_A_per_m": counted_current - (migration + spread + steric),
            **by_ion,
        },
    )
    inside = {
        "phi_V": phi,
        "Q_C_per_m": q,
        "rho_C_per_m3": q / (network.slit * network.slit_length),
        "c_mol_per_m3": concentration.sum(axis=-1),
        **{f"c_{name}_mol_per_m3": concentration[..., k] for k, name in enumerate(electrolyte.names)},
    }
    electrode = np.array([1.0, 1.0, -1.0, -1.0])  # the sign of the block's
    sigma = np.stack(
        [_imposed(cell, time)[:, None] * electrode if each.sigma is None else each.sigma[:length] for each in counted]
    )
    ends = {"sigma_C_per_m2": sigma, "I_m_A_per_m": current[..., -1], "I_0_A_per_m": current[..., 0]}
    if not cell.config.fixed_charge:
        ends["phi_m_V"] = np.broadcast_to(cell.voltage(time)[:, None] / 2 * electrode, sigma.shape)
    terminal = table(np.array([0]), {name: array[..., None] for name, array in ends.items()}).drop(columns="i")
    half_cells = {
        str(4 * each.run + b): {"box": each.run, "electrode": block["electrode"], "face": block["face"]}
        for each in counted
        for b, block in enumerate(cell.blocks)
    }
    known = {
        "source": "md",
        "electrolyte": electrolyte.name,
        "temperature_K": cell.config.temperature,
        "concentration_mol_per_m3": cell.config.concentration,
        "network": network.model_dump(mode="json"),
        "sheet_charge_C_per_m2": cell.sheet_charge,
        "depth_m": cell.depth,
        "smoothing_s": cell.config.smoothing,
        "D_used_m2_per_s": dict(zip(electrolyte.names, np.asarray(diffusion, dtype=float).tolist(), strict=True)),
        "half_cells": half_cells,
    }
    return TransSlitRecord(crossings, table(slits, inside), terminal, {**known, **(metadata or {})})


def _imposed(cell: Cell, time: np.ndarray) -> np.ndarray:
    """Sheet charge of the positive electrode in C/m^2, shape (T,)."""
    return cell.per_carbon(time) * CARBONS_PER_AREA * constants.e
