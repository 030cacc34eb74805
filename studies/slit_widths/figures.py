"""Figures that compare slit widths: one function each, a table or record per width (m) in, a matplotlib Figure out."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from continuum.figures import PARTS, TIME, US, zero
from transslit import TransSlitRecord
from transslit.style import COLOURS, MV, NM, panels, styled


def _colours(widths: Mapping[float, object]) -> dict[float, tuple]:
    """A colour per slit width, dark for the narrowest."""
    return dict(zip(widths, sns.color_palette("viridis", len(widths)), strict=True))


@styled
def currents(records: Mapping[float, TransSlitRecord]) -> Figure:
    """Trans-slit current by mechanism over the cycle: a row per width, a column per crossing, one scale."""
    numbers = sorted(next(iter(records.values())).crossings["i"].unique())
    figure, axes = panels(len(numbers), len(records), width=3.2, height=2.0, sharex=True, sharey=True)
    for row, (width, record) in zip(axes, records.items(), strict=True):
        for ax, i in zip(row, numbers, strict=True):
            part = record.crossings[record.crossings["i"] == i]
            for column, (name, colour) in PARTS.items():
                ax.plot(part["time_s"] * US, part[column] * MV, color=colour, label=name)
            ax.set(title=f"d = {width * NM:g} nm, slit {i + 1} to {i}")
            zero(ax)
        row[0].set_ylabel("$I_i$ / mA m$^{-1}$")
    for ax in axes[-1]:
        ax.set_xlabel(TIME)
    axes[0, -1].legend()
    return figure


@styled
def resistivities(tables: Mapping[float, pd.DataFrame], i: int = 1) -> Figure:
    """Resistivity of crossing i over the cycle at each width, and its extremes through the charging sweep."""
    figure, axes = panels(3, width=3.7, height=3.0)
    left, middle, right = axes[0]
    largest, smallest = {}, {}
    for width, colour in _colours(tables).items():
        part = tables[width]
        part = part[part["i"] == i]
        resistance = part["R_ohm_m"]
        label = f"{width * NM:g} nm"
        left.plot(part["time_s"] * US, part["resistivity_ohm_m"] * 1e3, ".", ms=3, color=colour, label=label)
        middle.plot(part["time_s"] * US, resistance, ".", ms=3, color=colour)
        charging = part.loc[part["I_A_per_m"] > 0, "resistivity_ohm_m"] * 1e3
        largest[width * NM], smallest[width * NM] = charging.max(), charging.min()
    right.plot(largest.keys(), largest.values(), "s-", color=COLOURS[3], label="largest")
    right.plot(smallest.keys(), smallest.values(), "^-", color=COLOURS[0], label="smallest")
    left.set(
        xlabel=TIME, ylabel="resistivity / m$\\Omega$ m", ylim=(0, None), title=f"resistivity, slit {i + 1} to {i}"
    )
    middle.set(xlabel=TIME, ylabel="$\\Delta\\varphi/I$ / $\\Omega$ m", ylim=(0, None), title="resistance")
    right.set(xlabel="d / nm", ylabel="resistivity / m$\\Omega$ m", ylim=(0, None), title="its extremes on charging")
    left.legend(markerscale=3, ncols=2, title="d")
    right.legend()
    return figure


@styled
def conductance(extremes: pd.DataFrame) -> Figure:
    """Largest and smallest conductance and conductivity against slit width.

    `extremes` has columns d_m, conductance_S_per_m and conductivity_S_per_m, each row one sample of a run.
    """
    figure, axes = panels(2, width=4.0, height=3.0)
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


@styled
def capacitances(tables: Mapping[float, pd.DataFrame], i: int = 2) -> Figure:
    """Capacitance of slit i over the cycle at each width, and its range against the width."""
    figure, axes = panels(2, width=4.2, height=3.0)
    left, right = axes[0]
    top = 0.0
    for width, colour in _colours(tables).items():
        part = tables[width]
        part = part[part["i"] == i].sort_values("time_s")
        capacitance = part["C_F_per_m"] * 1e9
        top = max(top, capacitance.max())
        left.plot(part["time_s"] * US, capacitance, color=colour, label=f"{width * NM:g} nm")
        right.plot([width * NM] * 2, [capacitance.min(), capacitance.max()], "_-", ms=10, color=colour)
        right.plot(width * NM, capacitance.median(), "o", color=colour)
    left.set(xlabel=TIME, ylabel=f"$C_{i}$ / nF m$^{{-1}}$", ylim=(0, 1.1 * top), title=f"slit {i}")
    right.set(xlabel="d / nm", ylabel=f"$C_{i}$ / nF m$^{{-1}}$", ylim=(0, 1.1 * top), title="median and range")
    left.legend(ncols=2, title="d")
    return figure
