"""A column of a sweep against a parameter, with a line for each value of the next parameter."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from transslit.errors import BadInput
from validation.sweep.grid import option_name
from validation.sweep.table import LAST


def axes_of(text: str) -> tuple[str, str]:
    """The two columns that `Y:X` names."""
    y, _, x = text.partition(":")
    if not y or not x:
        raise BadInput("plot", text, "give Y:X, two columns of the table, as gamma:slit")
    return y, x


def draw(table: pd.DataFrame, y: str, x: str, out: Path) -> Path:
    """Draw `y` over `x` into `out`; the path of the figure.

    Raises
    ------
    BadInput : the table has no such column
    """
    y, x = (column(table, name) for name in (y, x))
    path = out / f"{y}-over-{x}.png"
    figure(table, y, x).savefig(path, dpi=200)
    return path


def column(table: pd.DataFrame, name: str) -> str:
    """The column that is `name`, or `name` and a unit."""
    wanted, known = option_name(name), [str(c) for c in table]
    found = [c for c in known if c == wanted] + [c for c in known if c.startswith(f"{wanted}_") and "_std" not in c]
    if not found:
        raise BadInput("plot", name, f"give columns of the table: {', '.join(c for c in known if c not in LAST)}")
    return found[0]


def figure(table: pd.DataFrame, y: str, x: str) -> Figure:
    """Points that are done, joined along `x`; `<y>_std` is drawn where the table has it."""
    done = table[table["status"] == "done"]
    others = [str(c) for c in done if c not in (x, y, *LAST) and done[c].duplicated().any()]
    hue = (
        next((c for c in others if not (done[c] == done[c].iloc[0]).all()), None) if done.duplicated(x).any() else None
    )
    sns.set_theme(style="ticks", palette="colorblind")
    drawn = Figure(figsize=(5.2, 3.6), layout="constrained")
    axes = drawn.subplots()
    known = done.dropna(subset=[y])
    sns.lineplot(known, x=x, y=y, hue=hue, marker="o", errorbar=None, estimator=None, ax=axes, legend="full")
    std = next((c for c in map(str, known) if "_std" in c and c.replace("_std", "", 1) == y), None)
    if std is not None:
        axes.errorbar(known[x], known[y], known[std], fmt="none", ecolor="0.6", capsize=2, zorder=0)
    axes.set(xlabel=x, ylabel=y)
    sns.despine(drawn)
    return drawn
