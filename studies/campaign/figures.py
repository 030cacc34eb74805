"""The campaign as a map: how far the circuits are from the continuum, over how deep a sweep charges the network."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from transslit.style import COLOURS, legend, panels, styled

SHOWN = {"distance_tlm": ("TLM", COLOURS[7], "x"), "distance_law": ("NCM, law found", COLOURS[0], "o")}
COLUMNS = {
    "depth": "$R_cC_{slit}n^2$ / duration of a sweep",
    "slit": "d / m",
    "concentration": "c / mol m$^{-3}$",
    "layers": "layers",
    "scan_rate": "scan rate / V s$^{-1}$",
    "window": "window / V",
}


@styled
def draw(table: pd.DataFrame) -> Figure:
    """Distance of the circuits from the continuum over depth and over each coordinate of the campaign."""
    figure, axes = panels(3, 2, width=3.6, height=2.8, sharey=True)
    for ax, (column, label) in zip(axes.ravel(), COLUMNS.items(), strict=True):
        for name, (said, colour, mark) in SHOWN.items():
            if name in table:
                ax.plot(table[column], table[name], mark, ms=4, color=colour, alpha=0.7, label=said)
        ax.set(xlabel=label, xscale="log", yscale="log")
    for ax in axes[:, 0]:
        ax.set_ylabel("distance from the continuum / peak")
    legend(axes[0, -1])
    return figure
