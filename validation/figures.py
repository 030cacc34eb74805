"""The report's figures: one function each, tables in, a matplotlib Figure out; nothing is computed here
beyond means, bands and unit changes for the axes.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import wraps
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from transslit import Law, SlitNetwork, TransSlitRecord
from validation.statistics import SMOOTHING, Series, difference, series

COLOURS = sns.color_palette("colorblind")
MECHANISMS = {
    "I_migration_A_per_m": ("migration", COLOURS[0]),
    "I_diffusion_A_per_m": ("diffusion", COLOURS[3]),
    "I_steric_A_per_m": ("steric", COLOURS[4]),
    "I_residual_A_per_m": ("residual", COLOURS[7]),
}
STYLE = {
    **sns.axes_style("ticks"),
    **sns.plotting_context("notebook", font_scale=0.8),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "transslit",
    "font.family": "sans-serif",
}
PS, NM, MV = 1e12, 1e9, 1e3


def to_svg(figure: Figure) -> str:
    """The figure as an SVG element, the same bytes for the same figure."""
    stream = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(stream, format="svg", bbox_inches="tight", transparent=True, metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Draw under the report's style and nobody else's."""

    @wraps(draw)
    def inside(*arguments: Any, **options: Any) -> Figure:
        with mpl.rc_context(STYLE):
            return draw(*arguments, **options)

    return inside


def _panels(
    columns: int, rows: int = 1, width: float = 3.4, height: float = 2.7, **options: Any
) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


@styled
def network_drawing(network: SlitNetwork) -> Figure:
    """The slit network to scale: sheets, slits numbered from the bulk, the ions' way in."""
    width = (network.depth + network.reservoir) * NM
    length = network.slit_length * NM
    figure, axes = _panels(1, width=8.0, height=min(max(8.0 * length / width, 2.2), 4.0))
    ax: Axes = axes[0, 0]
    thickness = network.slat_thickness * NM
    ax.add_patch(Rectangle((-thickness, 0), thickness, length, color="0.25"))
    for j, centre in enumerate(network.slat_centres * NM):
        low, high = (value * NM for value in network.gap(j))
        bottom, top = (0.0, low) if j % 2 == 0 else (high, length)
        ax.add_patch(Rectangle((centre - thickness / 2, bottom), thickness, top - bottom, color="0.25"))
    for i, centre in enumerate(network.slit_centres * NM, start=1):
        ax.text(centre, length / 2, str(i), ha="center", va="center", color=COLOURS[0], weight="bold", size=7)
    ax.text(network.depth * NM + network.reservoir * NM / 2, length / 2, "reservoir", ha="center", color="0.4")
    ax.axvline(width, color="0.6", ls=":")
    ax.set(xlim=(-2 * thickness, width), ylim=(0, length), xlabel="x / nm", ylabel="y / nm", aspect="equal")
    return figure


@styled
def cell_picture(frames: dict[str, pd.DataFrame], box: tuple[float, float]) -> Figure:
    """The atoms in the x-y plane, one panel per moment: carbons, water oxygens faint, ions bold.

    `frames` maps a title to a table with columns species, x_nm, y_nm; `box` is (x, y) in nm.
    """
    figure, axes = _panels(1, len(frames), width=8.0, height=8.0 * box[1] / box[0] + 0.5, sharex=True)
    for ax, (title, atoms) in zip(axes[:, 0], frames.items(), strict=True):
        others = [name for name in atoms["species"].unique() if name not in ("C", "O")]
        for name, size, colour, alpha in [
            ("O", 0.6, "0.6", 0.5),
            ("C", 1.5, "0.2", 1.0),
            *((ion, 14, COLOURS[k], 1.0) for ion, k in zip(sorted(others), (1, 2, 4, 8), strict=False)),
        ]:
            part = atoms[atoms["species"] == name]
            label = {"O": "water", "C": "carbon"}.get(name, name)
            ax.scatter(
                part["x_nm"], part["y_nm"], s=size, color=colour, alpha=alpha, lw=0, label=label, rasterized=True
            )
        ax.set(title=title, xlim=(0, box[0]), ylim=(0, box[1]), ylabel="y / nm", aspect="equal")
    axes[-1, 0].set_xlabel("x / nm")
    axes[0, 0].legend(ncols=6, loc="lower right", bbox_to_anchor=(1, 1), markerscale=2, borderpad=0)
    return figure


@styled
def filling(md: TransSlitRecord | None, continuum: TransSlitRecord | None) -> Figure:
    """Stored charge of each slit after the step: atoms with their 95 % band, continuum as a line."""
    record = md or continuum
    assert record is not None
    slits = sorted(record.slits["i"].unique())
    figure, axes = _panels(len(slits), sharey=True)
    for ax, i in zip(axes[0], slits, strict=True):
        if md is not None:
            _banded(ax, series(md, "Q_C_per_m", i, "both").after(0.0), -NM, "atoms", COLOURS[1])
        if continuum is not None:
            data = series(continuum, "Q_C_per_m", i, "both").after(0.0)
            ax.plot(data.time * PS, -data.mean * NM, color=COLOURS[0], label="continuum")
        ax.set(title=f"slit {i}", xlabel="t / ps", xscale="log")
    axes[0, 0].set_ylabel("stored charge / nC m$^{-1}$")
    axes[0, -1].legend()
    return figure


@styled
def differences(md: TransSlitRecord | None, continuum: TransSlitRecord | None, i: int = 1) -> Figure:
    """Trans-slit differences of potential, net charge and ion concentration between slits i and i + 1."""
    figure, axes = _panels(3)
    rows = (
        ("phi_V", f"$\\Delta\\varphi_{i}$ / mV", MV, True),
        ("rho_C_per_m3", f"$\\Delta\\rho_{i}$ / MC m$^{{-3}}$", 1e-6, True),
    )
    for ax, (column, label, scale, signed) in zip(
        axes[0], (*rows, ("c_mol_per_m3", f"$\\Delta c_{i}$ / M", 1e-3, False)), strict=True
    ):
        if md is not None:
            _banded(
                ax, difference(md, column, i, "both", signed).smoothed(SMOOTHING).after(0.0), scale, "atoms", COLOURS[1]
            )
        if continuum is not None:
            data = difference(continuum, column, i, "both", signed).after(0.0)
            ax.plot(data.time * PS, data.mean * scale, color=COLOURS[0], label="continuum")
        ax.axhline(0, color="0.8", lw=0.8, zorder=0)
        ax.set(xlabel="t / ps", title=label, xscale="log")
        if column == "phi_V":
            ax.set_yscale("symlog", linthresh=100)
    axes[0, -1].legend()
    return figure


@styled
def step_charges(records: dict[str, TransSlitRecord], i: int = 1) -> Figure:
    """Charge carried from slit i + 1 to slit i since the step, by mechanism, one panel per source."""
    figure, axes = _panels(len(records), width=4.4)
    for ax, (title, record) in zip(axes[0], records.items(), strict=True):
        for column, (name, colour) in {**MECHANISMS, "I_A_per_m": ("total", (0.2, 0.2, 0.2))}.items():
            current = series(record, column, i, "both").after(0.0)
            if np.any(current.blocks):
                span = np.diff(current.time, prepend=0.0)  # a current stands for the interval that it ends
                _banded(ax, Series(current.time, np.cumsum(current.blocks * span, axis=1)), NM, name, colour)
        ax.axhline(0, color="0.8", lw=0.8, zorder=0)
        ax.set(title=title, xlabel="t / ps", xscale="log", ylabel=f"$\\int I_{i}\\,dt$ / nC m$^{{-1}}$")
        ax.legend()
    return figure


@styled
def cv_currents(cv: TransSlitRecord) -> Figure:
    """Trans-slit current by mechanism over the CV, one panel per pair of slits."""
    pairs = sorted(cv.crossings["i"].unique())[:4]
    figure, axes = _panels(len(pairs), width=2.7, sharey=True)
    for ax, i in zip(axes[0], pairs, strict=True):
        part = cv.crossings[cv.crossings["i"] == i]
        for column, (name, colour) in MECHANISMS.items():
            if part[column].abs().max() > 0:
                ax.plot(part["time_s"] * 1e6, part[column] * MV, color=colour, label=name)
        ax.plot(part["time_s"] * 1e6, part["I_A_per_m"] * MV, color="0.2", lw=1, ls="--", label="total")
        ax.axhline(0, color="0.8", lw=0.8, zorder=0)
        ax.set(title=f"from slit {i + 1} to {i}", xlabel="t / µs")
    axes[0, 0].set_ylabel("$I_i$ / mA m$^{-1}$")
    axes[0, -1].legend()
    return figure


@styled
def law_figure(cv: TransSlitRecord, law: Law) -> Figure:
    """Resistance against filling, voltage over time, and the front of accuracy against complexity."""
    figure, axes = _panels(3)
    table = cv.joined()
    table = table[table["I_A_per_m"].abs() > 0.05 * table["I_A_per_m"].abs().max()]
    resistance, _ = law.resistance()
    grid = np.linspace(0, 1, 50)
    left, middle, right = axes[0]
    pairs = sorted(table["i"].unique())
    for i, colour in zip(pairs, sns.color_palette("viridis", len(pairs)), strict=True):
        part = table[table["i"] == i].sort_values("time_s")
        left.plot(part["q"], part["dphi_V"] / part["I_A_per_m"], ".", ms=3, color=colour, label=f"$i={i}$")
        middle.plot(part["time_s"] * 1e6, part["dphi_V"] * MV, ".", ms=3, color=colour)
        predicted = law.predict(**{name: part[name].to_numpy() for name in law.inputs})
        middle.plot(part["time_s"] * 1e6, predicted * MV, color="0.2", lw=0.8)
    left.plot(grid, resistance(grid), color="0.2", label="law")
    left.set(xlabel="$q=|Q_i|/Q_i^{max}$", ylabel="$\\Delta\\varphi_i/I_i$ / $\\Omega$ m", ylim=(0, None))
    left.legend()
    middle.set(xlabel="t / µs", ylabel="$\\Delta\\varphi_i$ / mV")
    front = pd.DataFrame(list(law.front))
    if len(front):
        right.step(front["complexity"], front["loss"], where="post", color=COLOURS[0], marker="o", ms=4)
        right.set(xlabel="complexity", ylabel="loss", yscale="log")
    return figure


@styled
def voltammograms(curves: dict[str, pd.DataFrame]) -> Figure:
    """Current against cell voltage; each table has V_m_V and I_m_A (per metre of depth)."""
    figure, axes = _panels(1, width=5.0, height=3.4)
    styles = [{"color": "0.2", "lw": 3, "alpha": 0.35}, {"color": COLOURS[0]}, {"color": COLOURS[1], "ls": "--"}]
    for (name, table), style in zip(curves.items(), styles, strict=False):
        axes[0, 0].plot(table["V_m_V"] * MV, table["I_m_A"] * MV, label=name, **style)
    axes[0, 0].set(xlabel="$V_m$ / mV", ylabel="$I_m$ / mA m$^{-1}$")
    axes[0, 0].legend()
    return figure


@styled
def reservoir(table: pd.DataFrame, asked: float) -> Figure:
    """Salt concentration of the molecular-dynamics reservoir over time, per replica, and the one asked for."""
    figure, axes = _panels(1, width=5.0)
    for _, part in table.groupby("replica"):
        axes[0, 0].plot(part["time_s"] * PS, part["c_mol_per_m3"] / 1000, color=COLOURS[1], lw=0.6, alpha=0.5)
    mean = table.groupby("time_s")["c_mol_per_m3"].mean() / 1000
    axes[0, 0].plot(mean.index * PS, mean, color=COLOURS[1], label="mean of replicas")
    axes[0, 0].axhline(asked / 1000, color="0.3", ls=":", label="asked for")
    axes[0, 0].set(xlabel="t / ps", ylabel="c / M", ylim=(0, None))
    axes[0, 0].legend()
    return figure


def _banded(ax: Axes, data: Series, scale: float, label: str, colour: tuple) -> None:
    ax.plot(data.time * PS, data.mean * scale, color=colour, label=label)
    if len(data.blocks) > 2:
        low, high = data.band()
        ax.fill_between(data.time * PS, low * scale, high * scale, color=colour, alpha=0.2, lw=0)
