"""Figures of a search: the Pareto front, and the predictions of the law against the data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from discovery.problem import held_out_rows
from transslit.columns import stem_of, unit_of
from transslit.files import whole
from transslit.law import Law

MOST_COLOURS = 10


def plot_front(hall: pd.DataFrame, law: Law) -> Figure:
    """Relative error against complexity in the hall of fame, with the Pareto front as a line and the law as a star.

    Parameters
    ----------
    hall : the table of hall_of_fame.csv
    law : the law selected from it
    """
    shown = hall.assign(error=np.sqrt(hall["loss"]))
    figure = Figure(figsize=(5, 3.4), layout="constrained")
    axes = figure.subplots()
    blue, orange = sns.color_palette("colorblind", 2)
    sns.scatterplot(shown, x="complexity", y="error", color=blue, alpha=0.5, ax=axes, label="hall of fame")
    sns.lineplot(shown[shown["on_front"]], x="complexity", y="error", color=blue, ax=axes, label="front")
    chosen = shown[shown["chosen"]]
    sns.scatterplot(chosen, x="complexity", y="error", color=orange, s=120, marker="*", ax=axes, label="law", zorder=3)
    axes.set(xlabel="complexity (nodes)", ylabel="error / rms of target", yscale="log", title=law.expression)
    sns.move_legend(axes, "center left", bbox_to_anchor=(1, 0.5), frameon=False)
    axes.locator_params(axis="x", integer=True)
    return figure


def _axis_label(column: str, source: str) -> str:
    unit = unit_of(column)
    return f"{stem_of(column)} ({source})" if unit == "1" else f"{stem_of(column)} / {unit} ({source})"


def plot_prediction(table: pd.DataFrame, law: Law) -> Figure:
    """Prediction of the law against the target, coloured by slit width, slit or group."""
    predicted = law.predict(**{name: table[name].to_numpy(dtype=float) for name in law.inputs})
    shown = pd.DataFrame({"measured": table[law.target], "predicted": predicted})
    colour = next((name for name in ("d", "i", "group") if name in table and len(pd.unique(table[name])) > 1), None)
    if colour is not None and len(pd.unique(table[colour])) <= MOST_COLOURS:
        shown[colour] = table[colour].map("{:g}".format) if colour == "d" else table[colour].astype(str)
    else:
        colour = None
    held_out = held_out_rows(table, law.provenance.get("held_out", "none"), law.provenance.get("seed", 0))
    shown["rows"] = np.where(held_out, "held out", "training")
    figure = Figure(figsize=(5.2, 4), layout="constrained")
    axes = figure.subplots()
    ends = [shown["measured"].min(), shown["measured"].max()]
    axes.plot(ends, ends, color="0.6", lw=1, zorder=0)
    sns.scatterplot(
        shown,
        x="measured",
        y="predicted",
        hue=colour,
        style="rows",
        markers={"training": "o", "held out": "X"},
        palette="colorblind" if colour else None,
        s=12,
        linewidth=0,
        ax=axes,
    )
    axes.locator_params(nbins=5)
    axes.ticklabel_format(style="sci", scilimits=(-2, 3))
    sns.move_legend(axes, "center left", bbox_to_anchor=(1, 0.5), frameon=False)
    axes.set(xlabel=_axis_label(law.target, "measured"), ylabel=_axis_label(law.target, "predicted"))
    return figure


def draw(table: pd.DataFrame, law: Law, folder: Path) -> None:
    """Write front.png and prediction.png beside the hall of fame in `folder`."""
    hall = pd.read_csv(folder / "hall_of_fame.csv")
    for name, figure in (("front", plot_front(hall, law)), ("prediction", plot_prediction(table, law))):
        with whole(folder / f"{name}.png") as partial:
            figure.savefig(partial, dpi=150)
