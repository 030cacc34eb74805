"""Figures of the search and of the elements: tables in, a matplotlib Figure out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from circuit.surrogate import INPUTS, Surrogate
from studies.missing_methods.sensitivity import TRUSTED_R2
from studies.missing_methods.setting import LABELS, NAMES
from transslit.resampling import STANDARD_ERRORS
from transslit.style import COLOURS, panels, styled

SHORT = {"rate_of": "rate: $V_m$ or $\\varphi_m$", "window_of": "window: $V_m$ or $\\varphi_m$"}


@styled
def draw_indices(indices: pd.DataFrame) -> Figure:
    """Total Sobol index of every number (row) with respect to every parameter (column), with the emulator's R2."""
    table = indices.pivot_table(index="number", columns="name", values="total", sort=False)[list(NAMES)]
    quality = indices.groupby("number", sort=False)["r2"].first()
    labels = [SHORT.get(name, LABELS[name]) for name in NAMES]
    rows = [f"{number}  ({quality[number]:.2f})" for number in table.index]
    figure = Figure(figsize=(8.2, 0.32 * len(rows) + 1.6), layout="constrained")
    ax = figure.subplots()
    poor = np.broadcast_to((quality.loc[table.index] < TRUSTED_R2).to_numpy()[:, None], table.shape)
    sns.heatmap(
        table.clip(0, 1).to_numpy(),
        mask=poor,
        vmin=0,
        vmax=1,
        cmap="rocket_r",
        annot=True,
        fmt=".2f",
        annot_kws={"size": 7},
        xticklabels=labels,
        yticklabels=rows,
        cbar_kws={"label": "total index"},
        ax=ax,
    )
    ax.set(xlabel="", ylabel="")
    ax.set_xticklabels(labels, rotation=35, ha="right")
    return figure


@styled
def draw_statements(table: pd.DataFrame) -> Figure:
    """Values at the judged settings, pair by pair; grey are those of the paper."""
    figure, axes = panels(3, width=3.3, height=3.0)
    pairs = (
        ("gamma 1.5", "C10.a", "$\\gamma$ at 1.5 nm", "slope of $R_{max}$ against d", (0.45, 0.55), (-0.1, 0.1)),
        ("slit_nm", "C10.a", "slit length / nm", "slope of $R_{max}$ against d", None, (-0.1, 0.1)),
        (
            "gamma 1.5",
            "steric 3",
            "$\\gamma$ at 1.5 nm",
            "steric with migration, 3 nm",
            (0.45, 0.55),
            (0, 0.5),
        ),
    )
    data = table.assign(slit_nm=table["slit_length"] * 1e9)
    for ax, (x, y, label_x, label_y, wanted_x, wanted_y) in zip(axes[0], pairs, strict=True):
        if wanted_x is not None:
            ax.axvspan(*wanted_x, color="0.9", zorder=0)
        ax.axhspan(*wanted_y, color="0.9", zorder=0)
        drawn = ax.scatter(data[x], data[y], c=data["ion_diameter"] * 1e9, s=12, cmap="viridis")
        ax.plot(data[x].iloc[0], data[y].iloc[0], "o", ms=9, mfc="none", mec=COLOURS[3], label="defaults")
        ax.set(xlabel=label_x, ylabel=label_y)
    axes[0, 0].legend(loc="upper left", frameon=True)
    figure.colorbar(drawn, ax=axes[0, -1], label="ion diameter / nm")
    return figure


@styled
def draw_gamma(surrogate: Surrogate) -> Figure:
    """gamma over the slit width, by concentration, window and scan rate, with 95 % bands of the fit."""
    figure, axes = panels(3, width=3.3, height=2.8, sharey=True)
    width = np.geomspace(*surrogate.domain["slit"], 41)
    defaults = {"concentration": 1e3, "window": 0.4, "scan_rate": 2e4}
    values = {"concentration": (1e2, 3e2, 1e3, 2e3), "window": (0.1, 0.2, 0.4, 0.8), "scan_rate": (2e3, 2e4, 2e5)}
    for ax, (name, chosen) in zip(axes[0], values.items(), strict=True):
        unit, scale = INPUTS[name]
        for value, colour in zip(chosen, sns.color_palette("viridis", len(chosen)), strict=True):
            fits = [surrogate.at(d, **(defaults | {name: value})) for d in width]
            mean, std = (np.array([part["gamma"] for part in side]) for side in zip(*fits, strict=True))
            ax.plot(width * 1e9, mean, color=colour, label=f"{value / scale:g} {unit}")
            half = STANDARD_ERRORS * std
            ax.fill_between(width * 1e9, mean - half, mean + half, color=colour, alpha=0.2, lw=0)
        ax.set(xlabel="d / nm", title=name.replace("_", " "))
        ax.legend(fontsize="small", ncol=2, loc="upper center")
    axes[0, 0].set(ylabel="$\\gamma$", ylim=(0, 1.2))
    return figure
