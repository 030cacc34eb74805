"""The figures' common style: colours, panels, the context under which a figure is drawn, and tags of its artists."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

P = ParamSpec("P")
INK = "#262626"  # text and axes
TAG = "~"
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
    "path.simplify": False,  # the page reads values off the drawn points
}
NM, MV = 1e9, 1e3
PREFIXES = dict(zip(range(-6, 5), ("a", "f", "p", "n", "µ", "m", "", "k", "M", "G", "T"), strict=True))
SHEET = "0.45"  # carbon, seen on white and on black
ZERO = "0.6"  # a line at zero, seen on white and on black
SOURCES = {"atoms": COLOURS[1], "continuum": COLOURS[0]}
LINES = {"atoms": "-", "continuum": "--"}
ION_COLOURS = tuple(COLOURS[k] for k in (4, 2, 1, 8))


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw under this style, whatever the process's is."""

    @wraps(draw)
    def inside(*arguments: P.args, **options: P.kwargs) -> Figure:
        with mpl.rc_context(STYLE):
            return draw(*arguments, **options)

    return inside


def panels(
    columns: int, rows: int = 1, width: float = 3.4, height: float = 2.7, **options: Any
) -> tuple[Figure, np.ndarray]:
    """A figure of panels of `width` and `height` in inches; its axes have shape (rows, columns)."""
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def tagged(*tags: str) -> str:
    """The gid of an artist that belongs to `tags`: a page shows and hides it by them."""
    return TAG + TAG.join(tags)


def legend(ax: Axes, **options: Any) -> None:
    """A legend to the right of the axes, where it covers no curve."""
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), **options)


def scaled(values: np.ndarray, symbol: str, unit: str) -> tuple[float, str]:
    """The factor to a prefixed unit in which the largest magnitude is 1 to 1000, and an axis' label."""
    largest = float(np.abs(values).max(initial=0.0))
    step = int(np.clip(np.floor(np.log10(largest) / 3), -6, 4)) if 0 < largest < np.inf else 0
    return 10.0 ** (-3 * step), f"{symbol} / {PREFIXES[step]}{unit}"


def save(figures: dict[str, Figure], folder: Path) -> list[Path]:
    """Write `NAME.png` of each figure into `folder`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, figure in figures.items():
        paths.append(folder / f"{name}.png")
        with mpl.rc_context(STYLE):
            figure.savefig(paths[-1], dpi=150)
    return paths
