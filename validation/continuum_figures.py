"""Figures of a continuum run: one function each, tables in, a matplotlib Figure out; nothing is computed here
beyond unit changes for the axes and the choice of an instant. `draw` makes them all from a run folder.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import matplotlib.collections
import matplotlib.patches
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from transslit import BadInput, TransSlitRecord
from validation.figures import COLOURS, MECHANISMS, MV, NM, STYLE, _panels

US = 1e6
PARTS = {name: look for name, look in MECHANISMS.items() if "residual" not in name}
RATES = {f"rate_{name}_mol_per_m3_s": (name, colour) for name, colour in PARTS.values()}


def _slit_colours(numbers: np.ndarray) -> dict[int, tuple]:
    return dict(zip(sorted(numbers), sns.color_palette("viridis", len(numbers)), strict=True))


def _zero(ax: Axes) -> None:
    ax.axhline(0, color="0.8", lw=0.8, zorder=0)


def open_space(profile: pd.DataFrame, terminal: pd.DataFrame, debye_length: float) -> Figure:
    """Parts of the current against distance at one instant, and over time one Debye length off the electrode."""
    figure, axes = _panels(2, width=4.2)
    time = terminal["time_s"].iloc[(terminal["I_m_A_per_m"] - terminal["I_m_A_per_m"].max()).abs().argmin()]
    total = terminal.loc[terminal["time_s"] == time, "I_m_A_per_m"].iloc[0]
    instant = profile[profile["time_s"] == time]
    nearest = profile["x_m"].unique()[np.argmin(np.abs(profile["x_m"].unique() - debye_length))]
    history = profile[profile["x_m"] == nearest]
    for column, (name, colour) in PARTS.items():
        axes[0, 0].plot(instant["x_m"] / debye_length, instant[column] / total, color=colour, label=name)
        axes[0, 1].plot(history["time_s"] * US, history[column] * MV, color=colour)
    _zero(axes[0, 0])
    _zero(axes[0, 1])
    axes[0, 0].set_yscale("symlog", linthresh=1)
    axes[0, 1].set_yscale("symlog", linthresh=10)
    axes[0, 0].set(xlabel="$x/\\lambda_D$", ylabel="$I/I_m$", title=f"t = {time * US:.3g} µs")
    axes[0, 1].set(xlabel="t / µs", ylabel="I / mA m$^{-1}$", title=f"{nearest / debye_length:.2g} $\\lambda_D$ off")
    axes[0, 0].legend()
    return figure


def wells(profile: pd.DataFrame, record: TransSlitRecord) -> Figure:
    """Potential across the slits at one instant; phi_i against rho_i there; their differences over the cycle."""
    figure, axes = _panels(3)
    left, middle, right = axes[0]
    for _, part in profile.groupby("slit"):
        left.plot(part["x_m"] * NM, part["phi_V"] * MV, ".-", ms=3, lw=1, color=COLOURS[0])
    left.set(xlabel="x / nm", ylabel="$\\varphi$ / mV", title=f"t = {profile['time_s'].iloc[0] * US:.3g} µs")
    slits = record.slits[record.slits["time_s"] == profile["time_s"].iloc[0]]
    for i, colour in _slit_colours(slits["i"].to_numpy()).items():
        one = slits[slits["i"] == i]
        middle.plot(one["rho_C_per_m3"] * 1e-6, one["phi_V"] * MV, "o", color=colour, label=f"$i={i}$")
    middle.set(xlabel="$\\rho_i$ / MC m$^{-3}$", ylabel="$\\varphi_i$ / mV")
    middle.legend()
    phi = record.slits.pivot_table(index="time_s", columns="i", values=["phi_V", "rho_C_per_m3"])
    twin = right.twinx()
    right.plot(phi.index * US, (phi["phi_V"][2] - phi["phi_V"][1]) * MV, color=COLOURS[0])
    twin.plot(phi.index * US, (phi["rho_C_per_m3"][2] - phi["rho_C_per_m3"][1]) * 1e-6, color=COLOURS[3], ls="--")
    right.set(xlabel="t / µs", title="between slits 1 and 2")
    right.set_ylabel("$\\Delta\\varphi_1$ / mV", color=COLOURS[0])
    twin.set_ylabel("$\\Delta\\rho_1$ / MC m$^{-3}$", color=COLOURS[3])
    return figure


def resistivity(table: pd.DataFrame) -> Figure:
    """Resistivity over the cycle, crossing by crossing; resistance against charge, and by the law."""
    figure, axes = _panels(3)
    left, middle, right = axes[0]
    for i, colour in _slit_colours(table["i"].unique()).items():
        part = table[table["i"] == i].sort_values("time_s")
        left.plot(part["time_s"] * US, part["resistivity_ohm_m"], ".", ms=3, color=colour, label=f"$i={i}$")
        middle.plot(part["q"], part["R_ohm_m"], ".", ms=3, color=colour)
        right.plot(part["time_s"] * US, part["R_ohm_m"], ".", ms=3, color=colour)
        right.plot(part["time_s"] * US, part["R_law_ohm_m"], color=colour, lw=0.8)
    left.set(xlabel="t / µs", ylabel="resistivity / $\\Omega$ m", ylim=(0, None))
    middle.set(xlabel="$q_i$", ylabel="$\\Delta\\varphi_i/I_i$ / $\\Omega$ m", ylim=(0, None))
    right.set(xlabel="t / µs", ylabel="$R_i$ / $\\Omega$ m", ylim=(0, None), title="lines: $R_c(1-\\gamma q_i)$")
    left.legend()
    return figure


def origin(accumulation: pd.DataFrame, record: TransSlitRecord, laws: pd.DataFrame, i: int = 2) -> Figure:
    """Shares of current and charge by slit, migration against theta c dphi, and how slit i gains its ions."""
    figure, axes = _panels(3)
    left, middle, right = axes[0]
    current = record.terminal["I_m_A_per_m"]
    time = record.terminal["time_s"].iloc[int(np.argmax(current))]
    at = record.crossings[record.crossings["time_s"] == time]
    held = record.slits[record.slits["time_s"] == time]
    left.plot(at["i"], at["I_A_per_m"] / current.max(), "D-", color=COLOURS[2], label="$I_i/I_m$")
    left.plot(held["i"], held["Q_C_per_m"] / held["Q_C_per_m"].sum(), "o-", color=COLOURS[4], label="$Q_i/Q_m$")
    left.set(xlabel="i", title=f"t = {time * US:.3g} µs", ylim=(0, None))
    left.legend()
    law = laws[laws["i"] == i].iloc[0]
    part = record.joined()
    part = part[part["i"] == i].sort_values("time_s")
    expected = law["theta_A_m2_per_V_mol"] * part["c_mol_per_m3"] * part["dphi_V"]
    middle.plot(part["time_s"] * US, part["I_migration_A_per_m"] * MV, ".", ms=3, color=COLOURS[0], label="migration")
    middle.plot(part["time_s"] * US, expected * MV, color="0.2", lw=0.8, label=f"$\\theta c_{i}\\Delta\\varphi_{i}$")
    middle.set(xlabel="t / µs", ylabel="I / mA m$^{-1}$", title=f"$R^2$ = {law['r_squared']:.4f}")
    middle.legend()
    slit = accumulation[accumulation["i"] == i]
    for column, (name, colour) in RATES.items():
        right.plot(slit["time_s"] * US, slit[column] / 1e3 / US, color=colour, label=name)
    right.plot(slit["time_s"] * US, slit["rate_total_mol_per_m3_s"] / 1e3 / US, color="0.2", ls="--", label="total")
    right.set(xlabel="t / µs", ylabel=f"d$c_{i}$/dt / M µs$^{{-1}}$")
    _zero(right)
    right.legend()
    return figure


def conductance(extremes: pd.DataFrame) -> Figure:
    """Largest and smallest conductance and conductivity against slit width.

    `extremes` has columns d_m, conductance_S_per_m and conductivity_S_per_m, each row one sample of a run.
    """
    figure, axes = _panels(2, width=4.0)
    for ax, column, label in (
        (axes[0, 0], "conductance_S_per_m", "conductance / S m$^{-1}$"),
        (axes[0, 1], "conductivity_S_per_m", "conductivity / S m$^{-1}$"),
    ):
        by = extremes.groupby("d_m")[column]
        ax.plot(by.min().index * NM, by.min(), "^-", color=COLOURS[0], label="smallest")
        ax.plot(by.max().index * NM, by.max(), "s-", color=COLOURS[3], label="largest")
        ax.set(xlabel="d / nm", ylabel=label, ylim=(0, None))
    axes[0, 0].legend()
    return figure


def local_map(table: pd.DataFrame, line: pd.DataFrame, gap: pd.DataFrame) -> Figure:
    """Potential in the network with the current's arrows, local resistivity along x, and the flux across a gap."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.2, 3.4), layout="constrained")
        ax, middle, right = figure.subplots(1, 3, width_ratios=[1.5, 1, 1])
    low, high = table["phi_V"].min() * MV, table["phi_V"].max() * MV
    cells = mpl.collections.PatchCollection(
        [
            mpl.patches.Rectangle(((x - w / 2) * NM, (y - h / 2) * NM), w * NM, h * NM)
            for x, y, w, h in table[["x_m", "y_m", "width_m", "height_m"]].to_numpy()
        ],
        cmap="viridis",
        edgecolor="none",
        rasterized=True,
    )
    cells.set_array(table["phi_V"].to_numpy() * MV)
    cells.set_clim(low, high)
    ax.add_collection(cells)
    figure.colorbar(cells, ax=ax, label="$\\varphi$ / mV")
    # The cell nearest to each point of an even grid; long arrows are shortened, by the root.
    points = np.stack(np.meshgrid(np.linspace(0, table["x_m"].max(), 36), np.linspace(0, table["y_m"].max(), 18)), -1)
    apart = np.abs(table[["x_m", "y_m"]].to_numpy()[:, None] - points.reshape(-1, 2))
    covers = (apart <= table[["width_m", "height_m"]].to_numpy()[:, None] / 2).all(axis=2)
    arrows = table.iloc[np.unique(covers.argmax(axis=0)[covers.any(axis=0)])]
    size = np.hypot(arrows["jx_A_per_m2"], arrows["jy_A_per_m2"])
    root = np.sqrt(size * size.max())
    ax.quiver(
        arrows["x_m"] * NM,
        arrows["y_m"] * NM,
        arrows["jx_A_per_m2"] / root,
        arrows["jy_A_per_m2"] / root,
        color="white",
        width=0.004,
        scale=14,
    )
    ax.set(
        xlim=(0, (table["x_m"] + table["width_m"] / 2).max() * NM),
        ylim=(0, (table["y_m"] + table["height_m"] / 2).max() * NM),
        xlabel="x / nm",
        ylabel="y / nm",
        title=f"t = {table['time_s'].iloc[0] * US:.3g} µs",
    )
    middle.plot(line["x_m"] * NM, line["resistivity_ohm_m"], color=COLOURS[3])
    twin = middle.twinx()
    twin.plot(line["x_m"] * NM, line["phi_V"] * MV, color=COLOURS[0], ls="--")
    middle.set(xlabel="x / nm")
    middle.set_ylabel("$-\\partial_x\\varphi/j_x$ / $\\Omega$ m", color=COLOURS[3])
    twin.set_ylabel("$\\varphi$ / mV", color=COLOURS[0])
    _zero(middle)
    right.plot(gap["from_edge_m"] * NM, gap["j_A_per_m2"] * 1e-6, ".-", color=COLOURS[0])
    right.set(xlabel="from the sheet's edge / nm", ylabel="$j_x$ / MA m$^{-2}$", ylim=(0, None))
    return figure


def capacitance(table: pd.DataFrame) -> Figure:
    """Charge against voltage, slit by slit, and their ratio over time."""
    figure, axes = _panels(2, width=4.0)
    for i, colour in _slit_colours(table["i"].unique()).items():
        part = table[table["i"] == i].sort_values("time_s")
        axes[0, 0].plot(part["u_V"] * MV, part["q_C_per_m"] * 1e9, ".", ms=3, color=colour, label=f"$i={i}$")
        axes[0, 1].plot(part["time_s"] * US, part["C_F_per_m"] * 1e9, color=colour)
    axes[0, 0].set(xlabel="$|\\varphi_m-\\varphi_i|$ / mV", ylabel="$|Q_i|$ / nC m$^{-1}$")
    axes[0, 1].set(xlabel="t / µs", ylabel="$C_i$ / nF m$^{-1}$", ylim=(0, None))
    axes[0, 0].legend()
    return figure


def draw(folder: Path) -> list[Path]:
    """Make every figure of the voltage-driven run in `folder`, as PNG in `folder/figures`; returns their paths.

    Raises
    ------
    BadInput : the run is not one of a half cell with three slits or more, which is what the figures show
    """
    import continuum
    from validation.figures import cv_currents

    record = TransSlitRecord.read(folder)
    with continuum.Frames(folder) as frames:
        network = frames.config.network
        if frames.config.cell == "full" or network.slits < 3:
            raise BadInput("figures", folder, "need a half cell driven by a potential or current, of 4 layers or more")
        stored = record.terminal[record.terminal["time_s"].isin(frames.times)]
        number = int(np.argmax(stored["I_m_A_per_m"]))
        instant = {"start": number, "stop": number + 1}
        line = continuum.CrossingLine(frames, i=1).run(**instant)
        debye = frames.config.electrolyte.debye_length(frames.config.concentration)
        space = continuum.OpenSpaceFlux(frames).run().results.table
        figures = {
            "open-space": open_space(space, stored, debye),
            "trans-slit": cv_currents(record),
            "wells": wells(continuum.SlitWells(frames).run(**instant).results.table, record),
            "resistivity": resistivity(continuum.resistances(record, continuum.extract(record))),
            "origin": origin(
                continuum.Accumulation(frames).run().results.table, record, continuum.migration_laws(record)
            ),
            "local-map": local_map(
                continuum.FieldMap(frames).run(**instant).results.table, line.results.table, line.results.gap
            ),
            "capacitance": capacitance(continuum.capacitances(record)),
        }
    return save(figures, folder / "figures")


def save(figures: dict[str, Figure], folder: Path) -> list[Path]:
    """Write `NAME.png` of each figure into `folder`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, figure in figures.items():
        paths.append(folder / f"{name}.png")
        with mpl.rc_context(STYLE):
            figure.savefig(paths[-1], dpi=150)
    return paths
