"""The campaign as a map: how far the circuits are from the continuum, over how deep a sweep charges the network."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from transslit.style import COLOURS, legend, panels, styled

SHOWN = {"distance_tlm": ("TLM", COLOURS[7], "x"), "distance_law": ("NCM, law found", COLOURS[0], "o")}
Axis = tuple[str, float, tuple[float, ...]]  # label, scale from SI, ticks (none: decades)
COLUMNS: dict[str, Axis] = {
    "depth": ("$R_cC_{slit}n^2$ / duration of a sweep", 1.0, ()),
    "slit": ("d / nm", 1e9, (0.6, 1, 2, 5)),
    "concentration": ("c / M", 1e-3, (0.05, 0.2, 1, 3)),
    "layers": ("layers", 1.0, (3, 6, 12, 25, 50)),
    "scan_rate": ("scan rate / V s$^{-1}$", 1.0, ()),
    "window": ("window / V", 1.0, (0.05, 0.1, 0.2, 0.5, 1)),
}


@styled
def draw(table: pd.DataFrame) -> Figure:
    """Distance of the circuits from the continuum over depth and over each coordinate of the campaign."""
    figure, axes = panels(3, 2, width=3.6, height=2.8, sharey=True)
    for ax, (column, (label, scale, ticks)) in zip(axes.ravel(), COLUMNS.items(), strict=True):
        for name, (said, colour, mark) in SHOWN.items():
            if name in table:
                ax.plot(scale * table[column], table[name], mark, ms=4, color=colour, alpha=0.7, label=said)
        ax.set(xlabel=label, xscale="log", yscale="log")
        if ticks:
            ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            ax.xaxis.set_minor_formatter(NullFormatter())
    for ax in axes[:, 0]:
        ax.set_ylabel("distance from the continuum / peak")
    legend(axes[0, -1])
    return figure
