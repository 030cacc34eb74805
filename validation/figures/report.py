"""The report's figures: one function each, tidy tables in, a matplotlib Figure out; nothing is computed here
beyond unit changes for the axes. Lines carry the tags by which the page toggles them (`transslit.svg`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from transslit import BadInput, Law, SlitNetwork
from transslit.style import (
    COLOURS,
    INK,
    ION_COLOURS,
    LINES,
    MECHANISMS,
    MV,
    NM,
    SHEET,
    SOURCES,
    ZERO,
    panels,
    styled,
    tagged,
)
from transslit.svg import band

RADIUS, ION = {"C": 0.075, "O": 0.11}, 0.13  # nm, small enough to see between them


@styled
def network_drawing(network: SlitNetwork) -> Figure:
    """The slit network to scale: sheets, slits numbered from the bulk, the ions' way in."""
    width = (network.depth + network.reservoir_length) * NM
    length = network.slit_length * NM
    figure, axes = panels(1, width=8.0, height=min(max(8.0 * length / width, 2.2), 4.0))
    ax: Axes = axes[0, 0]
    thickness = network.sheet_thickness * NM
    ax.add_patch(Rectangle((-thickness, 0), thickness, length, color=SHEET))
    for j, centre in enumerate(network.sheet_centres * NM):
        low, high = (value * NM for value in network.gap(j))
        bottom, top = (0.0, low) if j % 2 == 0 else (high, length)
        ax.add_patch(Rectangle((centre - thickness / 2, bottom), thickness, top - bottom, color=SHEET))
    for i, centre in enumerate(network.slit_centres * NM, start=1):
        ax.text(centre, length / 2, str(i), ha="center", va="center", color=COLOURS[0], weight="bold", size=7)
    ax.text(network.depth * NM + network.reservoir_length * NM / 2, length / 2, "reservoir", ha="center", color=ZERO)
    ax.axvline(width, color="0.6", ls=":")
    ax.set(xlim=(-2 * thickness, width), ylim=(0, length), xlabel="x / nm", ylabel="y / nm", aspect="equal")
    return figure


@styled
def filling(curves: pd.DataFrame) -> Figure:
    """Stored charge of each slit after the step, a panel each: atoms with their 95 % band, continuum as a line."""
    return _courses(
        curves, [("stored", i) for i in _places(curves, "stored")], "slit {i}", "stored charge / nC m$^{-1}$"
    )


@styled
def contents(curves: pd.DataFrame) -> Figure:
    """Ion concentration of each slit after the step, a panel each."""
    return _courses(curves, [("content", i) for i in _places(curves, "content")], "slit {i}", "$c_i$ / M")


@styled
def differences(curves: pd.DataFrame) -> Figure:
    """Trans-slit differences of potential, net charge and ion concentration: a row per pair of neighbouring slits."""
    pairs = _places(curves, "dphi")
    figure, axes = panels(3, len(pairs), height=2.3)
    for row, i in zip(axes, pairs, strict=True):
        tag = f"slits {i} and {i + 1}"
        labels = (f"$\\Delta\\varphi_{i}$ / mV", f"$\\Delta\\rho_{i}$ / MC m$^{{-3}}$", f"$\\Delta c_{i}$ / M")
        for ax, quantity, label in zip(row, ("dphi", "drho", "dc"), labels, strict=True):
            _course(ax, curves[(curves["quantity"] == quantity) & (curves["i"] == i)], tag)
            ax.axhline(0, color=ZERO, lw=0.8, zorder=0)
            ax.set(xlabel="t / ps" if i == pairs[-1] else "", title=label, xscale="log")
            if quantity == "dphi":
                ax.set_yscale("asinh", linear_width=100)
                ax.set_yticks([-1000, -100, 0, 100, 1000, 10000])
    axes[0, -1].legend()
    return figure


@styled
def step_charges(curves: pd.DataFrame) -> Figure:
    """Charge carried between neighbouring slits since the step, by mechanism: a column per source, a row per pair."""
    sources, pairs = list(curves["source"].unique()), _places(curves, "total")
    figure, axes = panels(len(sources), len(pairs), width=4.6, height=2.4)
    styles = {"total": ("total", INK)} | {column.split("_")[1]: pair for column, pair in MECHANISMS.items()}
    for row, i in zip(axes, pairs, strict=True):
        for ax, source in zip(row, sources, strict=True):
            part = curves[(curves["source"] == source) & (curves["i"] == i)]
            for quantity, (name, colour) in styles.items():
                own = part[part["quantity"] == quantity]
                if len(own):
                    _banded(ax, own, colour, name, "-", name, source, f"slits {i} and {i + 1}")
            ax.axhline(0, color=ZERO, lw=0.8, zorder=0)
            ax.set(title=f"{source}, slit {i + 1} to {i}", xscale="log", ylabel=f"$\\int I_{i}\\,dt$ / nC m$^{{-1}}$")
            ax.set_xlabel("t / ps" if i == pairs[-1] else "")
    _shared_legend(axes[0, -1], axes)
    return figure


@styled
def profiles(table: pd.DataFrame) -> Figure:
    """Density of each ion across each slit after charging: a row per electrode, a column per slit."""
    after = table[table["moment"] == "after"]
    slits, ions = sorted(after["i"].unique()), sorted(after["ion"].unique())
    figure, axes = panels(len(slits), 2, height=2.4, sharex=True)
    for row, electrode in zip(axes, ("positive", "negative"), strict=True):
        for ax, i in zip(row, slits, strict=True):
            for (ion, colour), source in product(zip(ions, ION_COLOURS, strict=False), after["source"].unique()):
                part = after[(after["electrode"] == electrode) & (after["i"] == i) & (after["ion"] == ion)]
                part = part[part["source"] == source].rename(columns={"x_nm": "x", "c_M": "value"})
                _band(ax, part, colour, f"{ion}, {source}", LINES[source], ion, source, f"slit {i}", electrode)
            ax.set(title=f"slit {i}, {electrode} electrode", xlabel="x / nm" if electrode == "negative" else "")
            ax.set_ylim(0, None)
        row[0].set_ylabel("c / M")
    _shared_legend(axes[0, -1], axes)
    return figure


@styled
def cell_picture(atoms: pd.DataFrame, box: tuple[float, float, float], network: SlitNetwork) -> Figure:
    """The cell seen along the ribbons, a panel per moment: sheets, waters and ions as shaded spheres, slits numbered.

    `atoms` has columns moment, species, x_nm, y_nm, z_nm; `box` is (x, y, z) in nm.
    """
    moments = list(atoms["moment"].unique())
    figure, axes = panels(1, len(moments), width=8.6, height=8.6 * box[1] / box[0] + 0.55, sharex=True)
    ions = [name for name in atoms["species"].unique() if name not in ("C", "O")]
    colours = {"C": (0.35, 0.37, 0.4), "O": (0.55, 0.75, 0.9)} | dict(zip(sorted(ions), ION_COLOURS, strict=False))
    for ax, moment in zip(axes[:, 0], moments, strict=True):
        _spheres(ax, atoms[atoms["moment"] == moment], box[2], colours)
        ax.set(title=moment, ylabel="y / nm", xlim=(0, box[0]), ylim=(0, box[1]), aspect="equal")
    for wall, direction in product((box[0] / 4, 3 * box[0] / 4), (-1, 1)):
        for i, centre in enumerate(network.slit_centres, start=1):
            x = wall + direction * (network.sheet_thickness / 2 + centre) * NM
            axes[0, 0].text(x, box[1] * 1.01, str(i), ha="center", va="bottom", color=COLOURS[0], weight="bold", size=7)
    for place, sign in ((box[0] / 4, "+"), (3 * box[0] / 4, "−")):
        axes[-1, 0].text(place, -0.02 * box[1], sign, ha="center", va="top", weight="bold")
    axes[0, 0].set_title(axes[0, 0].get_title(loc="left"), pad=14)
    axes[-1, 0].set_xlabel("x / nm")
    there = [name for name in colours if (atoms["species"] == name).any()]
    handles = [Line2D([], [], marker="o", ls="", color=colours[name], label=_species(name)) for name in there]
    axes[0, 0].legend(handles=handles, ncols=6, loc="lower right", bbox_to_anchor=(1, 1.06), borderpad=0)
    return figure


@styled
def law_figure(table: pd.DataFrame, law: Law) -> Figure:
    """Resistance against filling, voltage over time, and the front of accuracy against complexity.

    `table` is that of `TransSlitRecord.joined`.
    """
    figure, axes = panels(3)
    table = table[table["I_A_per_m"].abs() > 0.05 * table["I_A_per_m"].abs().max()]
    grid = np.linspace(0, 1, 50)
    left, middle, right = axes[0]
    pairs = sorted(table["i"].unique())
    for i, colour in zip(pairs, sns.color_palette("viridis", len(pairs) + 1)[1:], strict=True):
        part, gid = table[table["i"] == i].sort_values("time_s"), tagged(f"slits {i} and {i + 1}")
        style = {"ls": "", "marker": ".", "ms": 3, "markevery": 1 + len(part) // 100, "color": colour, "gid": gid}
        left.plot(part["q"], part["dphi_V"] / part["I_A_per_m"], label=f"$i={i}$", **style)
        middle.plot(part["time_s"] * 1e6, part["dphi_V"] * MV, **style)
        predicted = law.predict(**{name: part[name].to_numpy() for name in law.inputs})
        middle.plot(part["time_s"] * 1e6, predicted * MV, color=INK, lw=0.8, gid=gid)
    with suppress(BadInput), np.errstate(all="ignore"):  # a law that is no resistance has no line here
        left.plot(grid, law.resistance()[0](grid), color=INK, label="law", gid=tagged("law"))
    left.set(xlabel="$q=|Q_i|/Q_i^{max}$", ylabel="$\\Delta\\varphi_i/I_i$ / $\\Omega$ m", ylim=(0, None))
    left.legend()
    middle.set(xlabel="t / µs", ylabel="$\\Delta\\varphi_i$ / mV")
    front = pd.DataFrame(list(law.front))
    if len(front):
        right.step(front["complexity"], front["loss"], where="post", color=COLOURS[0], marker="o", ms=4)
        right.set(xlabel="complexity", ylabel="loss", yscale="log")
    return figure


@styled
def voltammograms(curves: pd.DataFrame) -> Figure:
    """Current against cell voltage; columns source, V_m_V and I_m_A (per metre of depth)."""
    figure, axes = panels(1, width=5.0, height=3.4)
    styles = [{"color": ZERO, "lw": 3}, {"color": COLOURS[0]}, {"color": COLOURS[1], "ls": "--"}]
    for (name, table), style in zip(curves.groupby("source", sort=False), styles, strict=False):
        axes[0, 0].plot(table["V_m_V"] * MV, table["I_m_A"] * MV, label=name, gid=tagged(str(name)), **style)
    axes[0, 0].set(xlabel="$V_m$ / mV", ylabel="$I_m$ / mA m$^{-1}$")
    axes[0, 0].legend()
    return figure


@styled
def reservoir(table: pd.DataFrame, requested: float) -> Figure:
    """Salt concentration of the molecular-dynamics reservoir over time, per box, and the one asked for."""
    figure, axes = panels(1, width=5.0)
    for _, part in table.groupby("box"):
        axes[0, 0].plot(
            part["time_s"] * 1e12, part["c_mol_per_m3"] / 1000, color=COLOURS[1], lw=0.6, gid=tagged("boxes")
        )
    mean = table.groupby("time_s")["c_mol_per_m3"].mean() / 1000
    axes[0, 0].plot(mean.index * 1e12, mean, color=COLOURS[1], lw=2, label="mean of boxes", gid=tagged("mean"))
    axes[0, 0].axhline(requested / 1000, color=INK, ls=":", label="asked for")
    axes[0, 0].set(xlabel="t / ps", ylabel="c / M", ylim=(0, None))
    axes[0, 0].legend()
    return figure


def _spheres(ax: Axes, atoms: pd.DataFrame, depth: float, colours: Mapping[str, tuple[float, ...]]) -> None:
    """Discs of the atoms' size: waters first, pale, or they would veil the ions; of the rest the nearer last."""
    rows = atoms.iloc[np.lexsort((atoms["z_nm"], atoms["species"] != "O"))]
    diameter = 2 * rows["species"].map(RADIUS).fillna(ION).to_numpy()
    shade = (0.65 + 0.35 * rows["z_nm"] / depth).to_numpy()[:, None]  # the farther, the darker
    opacity = np.where(rows["species"] == "O", 0.28, 1.0)[:, None]
    faces = np.hstack([np.array([colours[name][:3] for name in rows["species"]]) * shade, opacity])
    discs = EllipseCollection(
        diameter, diameter, 0, units="xy", offsets=rows[["x_nm", "y_nm"]].to_numpy(), offset_transform=ax.transData,
        facecolors=faces, edgecolors=faces * [0.6, 0.6, 0.6, 1], linewidths=0.3, rasterized=True,
    )  # fmt: skip
    ax.add_collection(discs)


def _species(name: str) -> str:
    return {"O": "water", "C": "carbon"}.get(name, name)


def _places(curves: pd.DataFrame, quantity: str) -> list[int]:
    """Slits or crossings for which there is `quantity`."""
    return sorted(int(i) for i in curves.loc[curves["quantity"] == quantity, "i"].unique())


def _courses(curves: pd.DataFrame, shown: list[tuple[str, int]], title: str, label: str) -> Figure:
    figure, axes = panels(len(shown), sharey=True)
    for ax, (quantity, i) in zip(axes[0], shown, strict=True):
        _course(ax, curves[(curves["quantity"] == quantity) & (curves["i"] == i)], f"slit {i}")
        ax.set(title=title.format(i=i), xlabel="t / ps", xscale="log")
    axes[0, 0].set_ylabel(label)
    axes[0, -1].legend()
    return figure


def _course(ax: Axes, part: pd.DataFrame, *tags: str) -> None:
    """The sources of one quantity of one place."""
    for number, (source, own) in enumerate(part.groupby("source", sort=False)):
        colour = SOURCES.get(str(source), COLOURS[number % len(COLOURS)])
        _banded(ax, own, colour, str(source), LINES.get(str(source), "-"), str(source), *tags)


def _banded(ax: Axes, part: pd.DataFrame, colour: Any, label: str, line: str, *tags: str) -> None:
    _band(ax, part.rename(columns={"time_ps": "x"}), colour, label, line, *tags)


def _band(ax: Axes, part: pd.DataFrame, colour: Any, label: str, line: str, *tags: str) -> None:
    """A line of columns x and value with its band from low to high, tagged."""
    ax.plot(part["x"], part["value"], line, color=colour, label=label, gid=tagged(*tags))
    if part["low"].notna().any():
        ax.fill_between(part["x"], part["low"], part["high"], color=colour, alpha=0.2, lw=0, gid=band(*tags))


def _shared_legend(ax: Axes, axes: np.ndarray) -> None:
    """One legend, in `ax`, of everything that any of `axes` shows."""
    result: dict[str, Any] = {}
    for panel in axes.ravel():
        handles, labels = panel.get_legend_handles_labels()
        result |= {label: handle for handle, label in zip(handles, labels, strict=True) if label not in result}
    ax.legend(list(result.values()), list(result), loc="upper left", bbox_to_anchor=(1.0, 1.0))
