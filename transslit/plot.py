"""Figures of tidy tables: a table in, a matplotlib Figure out.

`plot(x, y, hue, panel)` makes the function that draws a table; an `Axis` is a column with its label and the factor to
the unit that the label names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter

from transslit.style import COLOURS, INK, ZERO, panels, scaled, styled

HEIGHT, WIDTH, LEGEND, PANELS = 2.7, 3.1, 1.1, 3  # inch, inch, inch, per row
Draw = Callable[[pd.DataFrame], Figure]
DASHES = ("-", "--", "-.", ":")


@dataclass(frozen=True)
class Axis:
    """A column, its label with unit, and the factor from SI to that unit."""

    column: str
    label: str
    scale: float = 1.0
    log: bool = False  # of y


D = Axis("d_m", "d / nm", 1e9)
TIME = Axis("time_s", "t / µs", 1e6)
PHASE = Axis("phase", "cycle")


def plot(
    x: Axis,
    y: Axis,
    hue: str | None = None,
    panel: str | None = None,
    marks: str = "o-",
    level: float | None = None,
    free: bool = False,
    laws: tuple[str, ...] = (),
) -> Draw:
    """A figure function: `y` over `x`, a line per value of `hue`, a panel per value of `panel`.

    `level` draws a horizontal line; `free` gives each panel its own axes; values of `hue` named in `laws` are drawn as
    thin lines over the marks of the others.
    """

    @styled
    def draw(table: pd.DataFrame) -> Figure:
        parts = [("", table)]
        if panel is not None:
            parts = [(_named(panel, key), part) for key, part in table.groupby(panel, sort=False)]
        rows = -(-len(parts) // PANELS)
        columns = min(len(parts), PANELS)
        figure = Figure(figsize=(WIDTH * columns + LEGEND * (hue is not None), HEIGHT * rows), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, sharex=not free, sharey=not free).ravel()
        for ax, (title, part) in zip(axes, parts, strict=False):
            _lines(ax, part, x, y, hue, marks, laws)
            ax.set(title=title)
            ax.xaxis.set_major_locator(MaxNLocator(5))
            if level is not None:
                ax.axhline(level, color="0.7", lw=0.8, zorder=0)
            if y.log:
                ax.set_yscale("log")
                ax.yaxis.set_minor_formatter(NullFormatter())
        for ax in axes[len(parts) :]:
            ax.remove()
        figure.supxlabel(x.label, size="medium")
        figure.supylabel(y.label, size="medium")
        if hue is not None:
            figure.legend(*axes[0].get_legend_handles_labels(), fontsize="small", loc="outside right upper")
        return figure

    return draw


@styled
def terminal_curves(time: pd.Series, drive: tuple[pd.Series, str, str], current: tuple[pd.Series, str, str]) -> Figure:
    """Current over the drive where that returns to its start, as in a cyclic voltammogram; else both over time.

    Parameters
    ----------
    time : in s
    drive, current : values (SI), symbol and unit
    """
    (x, volt), (y, ampere) = (_prefixed(*quantity) for quantity in (drive, current))
    returns = abs(x.iloc[-1] - x.iloc[0]) < 0.01 * np.ptp(x)
    figure, axes = panels(1 if returns else 2, width=4.2, height=3.2)
    if returns:
        axes[0, 0].plot(x, y, color=COLOURS[0])
        axes[0, 0].set(xlabel=volt, ylabel=ampere)
        axes[0, 0].axhline(0, color=ZERO, lw=0.8, zorder=0)
        return figure
    t, second = _prefixed(time, "t", "s")
    for ax, values, label in ((axes[0, 0], x, volt), (axes[0, 1], y, ampere)):
        ax.plot(t, values, color=COLOURS[0])
        ax.set(xlabel=second, ylabel=label)
    return figure


def _prefixed(values: pd.Series, symbol: str, unit: str) -> tuple[pd.Series, str]:
    """Values in a prefixed unit, and the label of their axis."""
    factor, label = scaled(values.to_numpy(), symbol, unit)
    return factor * values, label


def _named(column: str | None, key: object) -> str:
    """The words for a value of a column: numbers are slits or crossings and need their letter."""
    return str(key) if isinstance(key, str) else f"{column} = {key:g}"


def _lines(ax: Axes, table: pd.DataFrame, x: Axis, y: Axis, hue: str | None, marks: str, laws: tuple[str, ...]) -> None:
    groups = [("", table)] if hue is None else list(table.groupby(hue, sort=False))
    ordered = hue is not None and pd.api.types.is_numeric_dtype(table[hue]) and len(groups) > 2
    colours = sns.color_palette("viridis" if ordered else "colorblind", len(groups))
    for number, ((key, part), colour) in enumerate(zip(groups, colours, strict=True)):
        label = None if hue is None else _named(hue, key)
        style: dict[str, Any] = {"ms": 3, "lw": 1.2, "color": colour}
        if key in laws:
            style |= {"ls": "-", "marker": "", "color": INK}
        elif marks == "-" and not ordered:  # told apart without colour, and where one lies on another
            style["ls"] = DASHES[number % len(DASHES)]
        ax.plot(
            part[x.column] * x.scale,
            part[y.column] * y.scale,
            *([] if "ls" in style else [marks]),
            label=label,
            **style,
        )
