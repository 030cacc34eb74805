"""Figures of a continuum run: one function each, tables in, a matplotlib Figure out; nothing is computed here
beyond unit changes for the axes and the choice of an instant. `main_figures` are those of every run, `draw` makes those
of the fields from a run folder.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import matplotlib as mpl
import matplotlib.collections
import matplotlib.patches
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from continuum.accumulation import Accumulation
from continuum.crossing_line import CrossingLine
from continuum.extract import LadderParameters, extract
from continuum.field_map import FieldMap
from continuum.frames import Frames
from continuum.open_space_flux import OpenSpaceFlux
from continuum.reductions import capacitances, migration_laws, resistances
from continuum.slit_wells import SlitWells
from transslit import BadInput, TransSlitRecord
from transslit.plot import terminal_curves
from transslit.style import COLOURS, INK, MECHANISMS, MV, NM, ZERO, legend, panels, save, scaled, styled, tagged

US = 1e6
MOST_NAMED = 6  # crossings in a legend
TIME = "t / µs"
PARTS = {name: look for name, look in MECHANISMS.items() if "residual" not in name}
RATES = {f"rate_{name}_mol_per_m3_s": (name, colour) for name, colour in PARTS.values()}


def by_slit(numbers: np.ndarray) -> dict[int, tuple]:
    """A colour per slit or crossing, dark next to the bulk."""
    return dict(zip(sorted(numbers), sns.color_palette("viridis", len(numbers)), strict=True))


def zero(ax: Axes) -> None:
    """A faint line at zero."""
    ax.axhline(0, color="0.8", lw=0.8, zorder=0)


def twin(ax: Axes, colours: tuple, labels: tuple[str, str]) -> Axes:
    """A second ordinate; each one's label has the colour of its curve."""
    other = ax.twinx()
    other.spines["right"].set_visible(True)
    for side, colour, label in ((ax, colours[0], labels[0]), (other, colours[1], labels[1])):
        side.set_ylabel(label, color=colour)
        side.tick_params(axis="y", colors=colour)
    return other


def align(ax: Axes, other: Axes) -> None:
    """Put the zeros of both ordinates at one height, the middle."""
    for side in (ax, other):
        reach = 1.05 * np.abs(side.dataLim.intervaly).max()
        side.set_ylim(-reach, reach)


@styled
def open_space(profile: pd.DataFrame, terminal: pd.DataFrame, debye_length: float) -> Figure:
    """Parts of the current against distance at one instant, whole and far off, and over time next to the electrode."""
    figure, axes = panels(3, width=3.7, height=3.0)
    left, middle, right = axes[0]
    time = terminal["time_s"].iloc[(terminal["I_m_A_per_m"] - terminal["I_m_A_per_m"].max()).abs().argmin()]
    total = terminal.loc[terminal["time_s"] == time, "I_m_A_per_m"].iloc[0]
    instant = profile[profile["time_s"] == time]
    nearest = profile["x_m"].unique()[np.argmin(np.abs(profile["x_m"].unique() - debye_length))]
    history = profile[profile["x_m"] == nearest]
    for column, (name, colour) in {**PARTS, "I_junction_A_per_m": ("liquid junction", "0.5")}.items():
        for ax in (left, middle):
            ax.plot(instant["x_m"] / debye_length, instant[column] / total, ".-", ms=4, color=colour, label=name)
        right.plot(history["time_s"] * US, history[column], color=colour)
    left.axvline(nearest / debye_length, color="0.6", ls=":")
    left.set_yscale("symlog", linthresh=1)
    right.set_yscale("symlog", linthresh=1e-2)
    left.set(xlabel="$x/\\lambda_D$", ylabel="$I/I_m$", title=f"open space, t = {time * US:.3g} µs")
    middle.set(xlabel="$x/\\lambda_D$", ylabel="$I/I_m$", title="the same, far off", ylim=(-1.2, 2.2))
    right.set(xlabel=TIME, ylabel="I / A m$^{-1}$", title=f"at {nearest / debye_length:.2g} $\\lambda_D$ (dotted line)")
    for ax in axes[0]:
        zero(ax)
    legend(left)
    return figure


@styled
def currents_by_mechanism(crossings: pd.DataFrame) -> Figure:
    """Trans-slit current by mechanism over the CV, one panel per pair of slits."""
    pairs = sorted(crossings["i"].unique())[:4]
    figure, axes = panels(len(pairs), width=2.7, sharey=True)
    for ax, i in zip(axes[0], pairs, strict=True):
        part = crossings[crossings["i"] == i]
        place = f"slits {i} and {i + 1}"
        for column, (name, colour) in MECHANISMS.items():
            if part[column].abs().max() > 0:
                gid = tagged(name, place)
                ax.plot(part["time_s"] * 1e6, part[column] * MV, color=colour, label=name, gid=gid)
        total = {"color": INK, "lw": 1, "ls": "--", "label": "total", "gid": tagged("total", place)}
        ax.plot(part["time_s"] * 1e6, part["I_A_per_m"] * MV, **total)
        ax.axhline(0, color=ZERO, lw=0.8, zorder=0)
        ax.set(title=f"from slit {i + 1} to {i}", xlabel="t / µs")
    axes[0, 0].set_ylabel("$I_i$ / mA m$^{-1}$")
    legend(axes[0, -1])
    return figure


@styled
def wells(profile: pd.DataFrame, record: TransSlitRecord) -> Figure:
    """Potential across the slits at one instant; phi_i against rho_i there; their differences over the cycle."""
    figure, axes = panels(3, width=3.7, height=3.0)
    left, middle, right = axes[0]
    time = profile["time_s"].iloc[0]
    for _, part in profile.groupby((profile["slit"].diff() != 0).cumsum()):
        left.plot(part["x_m"] * NM, part["phi_V"] * MV, ".-", ms=3, lw=1, color=COLOURS[0])
    slits = record.slits[record.slits["time_s"] == time]
    colours = by_slit(slits["i"].to_numpy())
    for i, colour in colours.items():
        one = slits[slits["i"] == i]
        middle.plot(one["rho_C_per_m3"] * 1e-6, one["phi_V"] * MV, "o", color=colour)
        middle.annotate(
            f" {i}" if i < max(colours) else f" {i}, at the wall",
            (one["rho_C_per_m3"].iloc[0] * 1e-6, one["phi_V"].iloc[0] * MV),
        )
        inside = profile[profile["slit"] == i]
        left.annotate(str(i), (inside["x_m"].mean() * NM, inside["phi_V"].min() * MV), (0, -11), ha="center",
                      textcoords="offset points", size="small")  # fmt: skip
    left.set(xlabel="x / nm", ylabel="$\\varphi$ / mV", title=f"potential wells, t = {time * US:.3g} µs")
    left.margins(y=0.12)
    middle.margins(x=0.25)
    middle.set(xlabel="$\\rho_i$ / MC m$^{-3}$", ylabel="$\\varphi_i$ / mV", title="slit $i$ at that time")
    phi = record.slits.pivot_table(index="time_s", columns="i", values=["phi_V", "rho_C_per_m3"])
    labels = ("$\\Delta\\varphi_2$ / mV", "$\\Delta\\rho_2$ / MC m$^{-3}$")
    other = twin(right, (COLOURS[0], COLOURS[3]), labels)
    right.plot(phi.index * US, (phi["phi_V"][3] - phi["phi_V"][2]) * MV, color=COLOURS[0])
    other.plot(phi.index * US, (phi["rho_C_per_m3"][3] - phi["rho_C_per_m3"][2]) * 1e-6, color=COLOURS[3], ls="--")
    align(right, other)
    zero(right)
    right.set(xlabel=TIME, title="between slits 2 and 3")
    return figure


@styled
def resistivity(table: pd.DataFrame, record: TransSlitRecord) -> Figure:
    """Voltage and current of each crossing over the cycle, and the resistivity that they make."""
    numbers = sorted(record.crossings["i"].unique())[:3]
    figure, axes = panels(len(numbers) + 1, width=3.2, height=2.9)
    for ax, i in zip(axes[0], numbers, strict=False):
        part = record.crossings[record.crossings["i"] == i]
        labels = (f"$\\Delta\\varphi_{i}$ / mV", f"$I_{i}$ / mA m$^{{-1}}$")
        other = twin(ax, (COLOURS[0], "0.3"), labels)
        ax.plot(part["time_s"] * US, part["dphi_V"] * MV, color=COLOURS[0])
        other.plot(part["time_s"] * US, part["I_A_per_m"] * MV, color="0.3", ls="--")
        reach = record.crossings[["dphi_V", "I_A_per_m"]].abs().max() * 1.05 * MV
        ax.set(xlabel=TIME, title=f"slit {i + 1} to {i}", ylim=(-reach["dphi_V"], reach["dphi_V"]))
        other.set_ylim(-reach["I_A_per_m"], reach["I_A_per_m"])
        zero(ax)
    last = axes[0, -1]
    for i, colour in by_slit(table["i"].unique()).items():
        part = table[table["i"] == i]
        last.plot(part["time_s"] * US, part["resistivity_ohm_m"] * 1e3, ".", ms=3, color=colour, label=f"$i={i}$")
    last.set(xlabel=TIME, ylabel="resistivity / m$\\Omega$ m", ylim=(0, None), title="$\\Delta\\varphi_i/I_i$, all $i$")
    legend(last, markerscale=3)
    return figure


@styled
def storage(table: pd.DataFrame, record: TransSlitRecord) -> Figure:
    """Net charge of the slits, how they differ, and the resistance that it predicts beside dphi/I."""
    figure, axes = panels(3, width=3.7, height=3.0)
    left, middle, right = axes[0]
    rho = record.slits.pivot_table(index="time_s", columns="i", values="rho_C_per_m3") * 1e-6
    for i, colour in by_slit(rho.columns.to_numpy()).items():
        left.plot(rho.index * US, rho[i], color=colour, label=f"$i={i}$")
        if i > 1:
            middle.plot(rho.index * US, rho[i] - rho[1], color=colour)
    left.set(xlabel=TIME, ylabel="$\\rho_i$ / MC m$^{-3}$", title="net charge of the slits")
    middle.set(xlabel=TIME, ylabel="$\\rho_i-\\rho_1$ / MC m$^{-3}$", title="what sets them apart")
    zero(middle)
    legend(left)
    for i, colour in by_slit(table["i"].unique()).items():
        part = table[table["i"] == i].sort_values("time_s")
        right.plot(part["time_s"] * US, part["R_ohm_m"], ".", ms=3, color=colour)
        for _, sweep in part.groupby(part["I_A_per_m"] > 0):
            right.plot(sweep["time_s"] * US, sweep["R_law_ohm_m"], color="0.2", lw=0.9)
    right.set(xlabel=TIME, ylabel="$R_i$ / $\\Omega$ m", ylim=(0, None))
    right.set_title("points $\\Delta\\varphi_i/I_i$, lines $R_c(1-\\gamma q_i)$")
    return figure


@styled
def origin(accumulation: pd.DataFrame, record: TransSlitRecord, laws: pd.DataFrame, i: int = 2) -> Figure:
    """Shares of current and charge by slit, migration against theta c dphi, and how slit i gains its ions."""
    figure, axes = panels(4, width=3.2, height=2.9)
    shares, migration, gain, drift = axes[0]
    current = record.terminal["I_m_A_per_m"]
    time = record.terminal["time_s"].iloc[int(np.argmax(current))]
    at = record.crossings[record.crossings["time_s"] == time]
    held = record.slits[record.slits["time_s"] == time]
    shares.plot(at["i"], at["I_A_per_m"] / current.max(), "D-", color=COLOURS[2], label="current $I_i/I_m$")
    charge = held["Q_C_per_m"] / held["Q_C_per_m"].sum()
    shares.plot(held["i"], charge, "o-", color=COLOURS[4], label="charge $Q_i/\\sum Q$")
    shares.set(xlabel="i", xticks=held["i"], title=f"shares, t = {time * US:.3g} µs", ylim=(0, None))
    legend(shares)
    law = laws[laws["i"] == i].iloc[0]
    part = record.joined()
    part = part[part["i"] == i].sort_values("time_s")
    expected = law["theta_A_m2_per_V_mol"] * part["c_mol_per_m3"] * part["dphi_V"]
    colours = dict(PARTS.values())
    moved = part["I_migration_A_per_m"] * MV
    migration.plot(part["time_s"] * US, moved, ".", ms=4, color=colours["migration"], label="migration")
    migration.plot(part["time_s"] * US, expected * MV, color="0.2", lw=1, label=f"$\\theta c_{i}\\Delta\\varphi_{i}$")
    migration.set(xlabel=TIME, ylabel="I / mA m$^{-1}$", title=f"slit {i + 1} to {i}, $R^2$ = {law['r_squared']:.4f}")
    legend(migration)
    slit = accumulation[accumulation["i"] == i]
    for column, (name, colour) in RATES.items():
        gain.plot(slit["time_s"] * US, slit[column] / 1e3 / US, color=colour, label=name)
    gain.plot(slit["time_s"] * US, slit["rate_total_mol_per_m3_s"] / 1e3 / US, color="0.2", ls="--", label="total")
    gain.set(xlabel=TIME, ylabel=f"d$c_{i}$/dt / M µs$^{{-1}}$", title=f"ions into slit {i}")
    legend(gain)
    for name in ("diffusion", "steric"):
        drift.plot(part["time_s"] * US, part[f"I_{name}_A_per_m"] * MV, color=colours[name], label=name)
    both = part["I_diffusion_A_per_m"] + part["I_steric_A_per_m"]
    drift.plot(part["time_s"] * US, both * MV, color="0.2", ls="--", label="both")
    drift.set(xlabel=TIME, ylabel="I / mA m$^{-1}$", title=f"beside migration, slit {i + 1} to {i}")
    legend(drift)
    for ax in (migration, gain, drift):
        zero(ax)
    return figure


@styled
def local_map(table: pd.DataFrame, line: pd.DataFrame, gap: pd.DataFrame) -> Figure:
    """Potential in the network with the current's arrows, local resistivity along x, and the flux across a gap."""
    figure = Figure(figsize=(12, 3.6), layout="constrained")
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
    ax.set_facecolor("0.25")  # sheets
    x = line["x_m"] * NM
    labels = ("$-\\partial_x\\varphi/j_x$ / $\\Omega$ m", "$\\varphi$ / mV")
    other = twin(middle, (COLOURS[3], COLOURS[0]), labels)
    middle.plot(x, line["resistivity_ohm_m"], color=COLOURS[3])
    other.plot(x, line["phi_V"] * MV, color=COLOURS[0], ls="--")
    r = line["resistivity_ohm_m"]
    for part in (r > 0, r < 0):
        middle.fill_between(x, r, 0, where=part, interpolate=True, color=COLOURS[3], alpha=0.15, lw=0)
    ax.plot([x.min(), x.max()], [line["y_m"].iloc[0] * NM] * 2, color=COLOURS[3], lw=1.5)
    middle.set(xlabel="x / nm", title="along the orange line")
    zero(middle)
    right.plot(gap["from_edge_m"] * NM, gap["j_A_per_m2"] * 1e-6, ".-", color=COLOURS[0])
    right.set(xlabel="from the sheet's edge / nm", ylabel="$j_x$ / MA m$^{-2}$", ylim=(0, None), title="across its gap")
    return figure


@styled
def capacitance(table: pd.DataFrame) -> Figure:
    """Charge against voltage, slit by slit, and their ratio over time."""
    figure, axes = panels(2, width=4.4, height=3.0)
    left, right = axes[0]
    for n, (i, colour) in enumerate(by_slit(table["i"].unique()).items()):
        part = table[table["i"] == i].sort_values("time_s")
        left.plot(part["u_V"] * MV, part["q_C_per_m"] * 1e9, ".", ms=8 - n, color=colour, label=f"$i={i}$")
        right.plot(part["time_s"] * US, part["C_F_per_m"] * 1e9, color=colour, lw=3 - 0.5 * n)
    left.set(xlabel="$|\\varphi_m-\\varphi_i|$ / mV", ylabel="$|Q_i|$ / nC m$^{-1}$", title="stored charge")
    right.set(xlabel=TIME, ylabel="$C_i$ / nF m$^{-1}$", ylim=(0, 1.15 * table["C_F_per_m"].max() * 1e9))
    right.set_title("$C_i=|Q_i|/|\\varphi_m-\\varphi_i|$")
    legend(left)
    return figure


@styled
def resistance_over_charge(table: pd.DataFrame, ladder: LadderParameters) -> Figure:
    """R = dphi/I of each crossing over q where the current is driven, and equation 1 with the elements of a ladder."""
    figure, axes = panels(1, width=5.0, height=3.2)
    ax = axes[0, 0]
    colours = by_slit(table["i"].unique())
    shown = list(colours)[:: max(1, len(colours) // MOST_NAMED)]
    factor, label = scaled(table["R_ohm_m"].to_numpy(), "$R_i=\\Delta\\varphi_i/I_i$", "$\\Omega$ m")
    for i, colour in colours.items():
        part = table[table["i"] == i]
        name = f"$i={i}$" if i in shown else None
        ax.plot(part["q"], factor * part["R_ohm_m"], ".", ms=3, color=colour, label=name)
    q = np.linspace(0, 1, 51)
    line = factor * ladder.resistance * (1 - ladder.gamma * q)
    ax.plot(q, line, color=INK, lw=1, label=f"$R_c(1-\\gamma q)$,\n$\\gamma={ladder.gamma:.3g}$")
    ax.set(xlabel="$q_i=|Q_i|/Q_i^{max}$", ylabel=label, ylim=(0, None))
    legend(ax, markerscale=3)
    return figure


def main_figures(record: TransSlitRecord, ladder: LadderParameters | None) -> dict[str, Callable[[], Figure]]:
    """What draws the figures of every run, by file name: the voltammogram, and with a `ladder` R over q."""
    terminal = record.terminal[record.terminal["replica"] == 0].sort_values("time_s")
    if "phi_m_V" in terminal:
        drive = (2 * terminal["phi_m_V"], "$V_m$", "V")  # of two equal half-cells
    else:
        drive = (terminal["sigma_C_per_m2"], "$\\sigma$", "C m$^{-2}$")
    current = (terminal["I_m_A_per_m"], "$I_m$", "A m$^{-1}$")
    figures: dict[str, Callable[[], Figure]] = {
        "voltammogram": partial(terminal_curves, terminal["time_s"], drive, current)
    }
    if ladder is not None:
        figures["resistance"] = lambda: resistance_over_charge(resistances(record), ladder)
    return figures


def draw(folder: Path) -> list[Path]:
    """Make every figure of the voltage-driven run in `folder`, as PNG in `folder/figures`; returns their paths.

    Raises
    ------
    BadInput : the run is not one of a half cell with three slits or more, which is what the figures show
    """
    record = TransSlitRecord.read(folder)
    with Frames(folder) as frames:
        network = frames.config.network
        if frames.config.cell == "full" or network.slits < 3:
            raise BadInput("figures", folder, "need a half cell driven by a potential or current, of 4 layers or more")
        stored = record.terminal[record.terminal["time_s"].isin(frames.times)]
        number = int(np.argmax(stored["I_m_A_per_m"]))
        instant = {"start": number, "stop": number + 1}
        line = CrossingLine(frames, i=1).run(**instant)
        debye = frames.config.electrolyte.debye_length(frames.config.concentration)
        space = OpenSpaceFlux(frames).run().results.table
        ratios = resistances(record, extract(record))
        figures = {
            "open-space": open_space(space, stored, debye),
            "trans-slit": currents_by_mechanism(record.crossings),
            "wells": wells(SlitWells(frames).run(**instant).results.table, record),
            "resistivity": resistivity(ratios, record),
            "storage": storage(ratios, record),
            "origin": origin(Accumulation(frames).run().results.table, record, migration_laws(record)),
            "local-map": local_map(FieldMap(frames).run(**instant).results.table, line.results.table, line.results.gap),
            "capacitance": capacitance(capacitances(record)),
        }
    return save(figures, folder / "figures")
