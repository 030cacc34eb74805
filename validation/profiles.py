"""Density of each ion across the width of each slit, before and after charging: atoms against continuum.

    c_k(x) = < ions of kind k with x in the bin > / (bin width * 2 L * depth * N_A)        atoms
    c_k(x) = sum over the column's cells of c_k dy / L                                      continuum

x is measured from the slit's centre plane towards the bulk and spans the free width d; both are averaged over the
length L of the slit. Atoms are averaged over the last quarter of the run (after) or the time before the step, over
replicas and both faces of an electrode; bands are 95 % bootstrap intervals over these.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import constants

import md
from continuum import Frames
from md.atoms import Atoms, frame_time, step_between
from md.stage import open_universe
from validation.verdicts.bootstrap import Series

BINS = 16  # across a slit: some 0.04 nm at 0.59 nm, a third of a contact layer
MOMENTS = ("before", "after")


def atoms(folder: Path, cell: md.Cell) -> pd.DataFrame:
    """Profiles of the trajectories in `folder`.

    Returns
    -------
    table : source, moment, electrode, i, ion, x_nm, c_M, low, high
    """
    config = cell.config
    counts: dict[str, list[np.ndarray]] = {moment: [] for moment in MOMENTS}  # each (blocks, slits, ions, bins)
    for run in range(config.replicas):
        universe = open_universe(folder, run)
        select = Atoms(universe, cell)
        seen = {moment: np.zeros((4, cell.network.slits, len(config.electrolyte.ions), BINS)) for moment in MOMENTS}
        frames = dict.fromkeys(MOMENTS, 0)
        times = np.array([frame_time(frame, config.frame_interval) for frame in universe.trajectory])
        for moment, chosen in (("before", times <= 0), ("after", times >= times[-1] * 0.75)):
            for frame in universe.trajectory[np.flatnonzero(chosen)]:
                seen[moment] += _binned(select.ion_positions(frame)[:, 0], select.kind, cell)
                frames[moment] += 1
        for moment in MOMENTS:
            counts[moment].append(seen[moment] / max(frames[moment], 1))
    network = cell.network
    volume = network.slit / BINS * cell.box[1] * cell.box[2] * constants.N_A * 1e3  # per litre
    electrodes = [block["electrode"] for block in cell.blocks] * config.replicas
    tables = []
    for moment in MOMENTS:
        density = np.concatenate(counts[moment]) / volume
        for electrode in ("positive", "negative"):
            own = density[[name == electrode for name in electrodes]]
            low, high = Series(np.arange(own[0].size), own.reshape(len(own), -1)).band()
            shape = own.shape[1:]
            tables.append(
                _table("atoms", moment, electrode, own.mean(axis=0), low.reshape(shape), high.reshape(shape), cell)
            )
    return pd.concat(tables, ignore_index=True)


def _binned(x: np.ndarray, kind: np.ndarray, cell: md.Cell) -> np.ndarray:
    """Ions per bin, shape (blocks, slits, ions, BINS), of positions `x` in m."""
    network, kinds = cell.network, len(cell.electrolyte.ions)
    centres = np.array([cell.to_box(block, network.slit_centres) for block in cell.blocks])
    direction = np.array([block["direction"] for block in cell.blocks])[:, None, None]
    across = direction * step_between(centres[..., None], x, cell.box[0])  # (blocks, slits, ions)
    index = np.floor((across / network.slit + 0.5) * BINS).astype(int)
    inside = (index >= 0) & (index < BINS)
    block, slit, ion = np.nonzero(inside)
    shape = (4, network.slits, kinds, BINS)
    flat = np.ravel_multi_index((block, slit, kind[ion], index[inside]), shape)
    return np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape).astype(float)


def _table(
    source: str, moment: str, electrode: str, mean: np.ndarray, low: np.ndarray, high: np.ndarray, cell: md.Cell
) -> pd.DataFrame:
    """Tidy rows of arrays (slits, ions, bins)."""
    names = cell.electrolyte.names
    slit, ion, place = np.indices(mean.shape)
    x = ((np.arange(BINS) + 0.5) / BINS - 0.5) * cell.network.slit * 1e9
    return pd.DataFrame(
        {
            "source": source,
            "moment": moment,
            "electrode": electrode,
            "i": slit.ravel() + 1,
            "ion": np.array(names)[ion.ravel()],
            "x_nm": x[place.ravel()],
            "c_M": mean.ravel(),
            "low": low.ravel(),
            "high": high.ravel(),
        }
    )


def continuum(folder: Path) -> pd.DataFrame:
    """Profiles of a full-cell run at its first frame and at its last; columns as of `atoms`, without a band."""
    with Frames(folder) as frames:
        mesh, config = frames.equations.mesh, frames.config
        network = config.network
        x, weight = mesh.centres[0][mesh.ion_cells], mesh.volumes[mesh.ion_cells]
        tables = []
        for moment, number in (("before", 0), ("after", -1)):
            frame = frames.frame(number)
            for electrode in ("positive", "negative"):
                outward = x if electrode == "positive" else mesh.length - x
                for i, centre in enumerate(network.slit_centres, start=1):
                    inside = np.abs(outward - centre) < network.slit / 2
                    for name, c in zip(config.electrolyte.names, frame.c, strict=True):
                        part = pd.DataFrame({"x_nm": outward[inside] - centre, "w": weight[inside], "c": c[inside]})
                        part = part.assign(x_nm=(part["x_nm"] * 1e9).round(6), c=part["c"] * part["w"])
                        columns = part.groupby("x_nm").sum()
                        tables.append(
                            pd.DataFrame(
                                {
                                    "source": "continuum",
                                    "moment": moment,
                                    "electrode": electrode,
                                    "i": i,
                                    "ion": name,
                                    "x_nm": columns.index,
                                    "c_M": (columns["c"] / columns["w"]).to_numpy() / 1e3,
                                    "low": np.nan,
                                    "high": np.nan,
                                }
                            )
                        )
    return pd.concat(tables, ignore_index=True)
