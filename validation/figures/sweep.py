"""A column of a sweep against a parameter, with a line for each value of the next parameter."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from transslit.style import panels, styled


@styled
def figure(table: pd.DataFrame, y: str, x: str, parameters: Sequence[str]) -> Figure:
    """Points that are done, joined along `x`; a column `<y>_std` gives error bars.

    Parameters
    ----------
    parameters : columns, of which the first other one that varies has a line for each of its values
    """
    done = table[table["status"] == "done"].dropna(subset=[y])
    others = [name for name in parameters if name not in (x, y) and not (done[name] == done[name].iloc[0]).all()]
    drawn, axes = panels(1, width=5.2, height=3.6)
    ax = axes[0, 0]
    hue = next(iter(others), None)
    sns.lineplot(done, x=x, y=y, hue=hue, marker="o", errorbar=None, estimator=None, ax=ax, legend="full")
    std = next((name for name in map(str, done) if "_std" in name and name.replace("_std", "", 1) == y), None)
    if std is not None:
        ax.errorbar(done[x], done[y], done[std], fmt="none", ecolor="0.6", capsize=2, zorder=0)
    ax.set(xlabel=x, ylabel=y)
    return drawn
