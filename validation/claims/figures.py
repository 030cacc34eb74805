"""The claims' figures: a tidy table in, a matplotlib Figure out.

`plot(x, y, hue, panel)` makes the figure function of a claim; an `Axis` is a column with its label and the factor to
the unit that the label names.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from validation.claims.registry import Draw
from validation.figures import styled

HEIGHT, WIDTH, PANELS = 2.7, 3.4, 3  # inch, inch, per row


@dataclass(frozen=True)
class Axis:
    """A column, its label with unit, and the factor from SI to that unit."""

    column: str
    label: str
    scale: float = 1.0
    log: bool = False


D = Axis("d_m", "d / nm", 1e9)
TIME = Axis("time_s", "t / µs", 1e6)
PHASE = Axis("phase", "cycle")
SLIT = Axis("i", "slit i")


def plot(
    x: Axis,
    y: Axis,
    hue: str | None = None,
    panel: str | None = None,
    marks: str = "o-",
    level: float | None = None,
    free: bool = False,
) -> Draw:
    """A figure function: `y` over `x`, a line per value of `hue`, a panel per value of `panel`.

    `level` draws a horizontal line; `free` gives each panel its own axes.
    """

    @styled
    def draw(table: pd.DataFrame) -> Figure:
        parts = [("", table)] if panel is None else [(str(key), part) for key, part in table.groupby(panel, sort=False)]
        rows = -(-len(parts) // PANELS)
        columns = min(len(parts), PANELS)
        figure = Figure(figsize=(WIDTH * columns, HEIGHT * rows), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, sharex=not free, sharey=not free).ravel()
        for ax, (title, part) in zip(axes, parts, strict=False):
            _lines(ax, part, x, y, hue, marks)
            ax.set(title=title)
            if level is not None:
                ax.axhline(level, color="0.7", lw=0.8, zorder=0)
            if x.log:
                ax.set_xscale("log")
            if y.log:
                ax.set_yscale("log")
        for ax in axes[len(parts) :]:
            ax.remove()
        figure.supxlabel(x.label, size="medium")
        figure.supylabel(y.label, size="medium")
        if hue is not None:
            axes[0].legend(title=hue, fontsize="small", title_fontsize="small")
        return figure

    return draw


def _lines(ax: Axes, table: pd.DataFrame, x: Axis, y: Axis, hue: str | None, marks: str) -> None:
    groups = [(None, table)] if hue is None else list(table.groupby(hue, sort=False))
    numeric = hue is not None and pd.api.types.is_numeric_dtype(table[hue]) and len(groups) > 2
    colours = sns.color_palette("viridis" if numeric else "colorblind", len(groups))
    for (key, part), colour in zip(groups, colours, strict=True):
        label = None if key is None else f"{key:g}" if isinstance(key, float) else str(key)
        ax.plot(part[x.column] * x.scale, part[y.column] * y.scale, marks, ms=3, lw=1.2, color=colour, label=label)
