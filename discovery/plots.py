"""Figures of a search: the front that the law was chosen from, and what the law predicts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from transslit.law import Law


def plot_front(hall: pd.DataFrame, law: Law) -> Figure:
    """Relative error against complexity of the hall of fame, its front joined, the law marked.

    Parameters
    ----------
    hall : the table of hall_of_fame.parquet
    law : the law chosen from it
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
    return figure


def plot_prediction(table: pd.DataFrame, law: Law) -> Figure:
    """Prediction of the law against the target, one colour per group of the table."""
    predicted = law.predict(**{name: table[name].to_numpy(dtype=float) for name in law.inputs})
    shown = pd.DataFrame({"measured": table[law.target], "predicted": predicted})
    shown["group"] = table["group"] if "group" in table.columns else "all"
    held_out = law.provenance.get("held_out", [])
    shown["rows"] = np.where(
        shown["group"].isin(held_out if isinstance(held_out, list) else []), "held out", "training"
    )
    figure = Figure(figsize=(4.4, 4), layout="constrained")
    axes = figure.subplots()
    ends = [shown["measured"].min(), shown["measured"].max()]
    axes.plot(ends, ends, color="0.6", lw=1, zorder=0)
    sns.scatterplot(shown, x="measured", y="predicted", hue="group", style="rows", palette="colorblind", s=14, ax=axes)
    axes.set(xlabel=f"{law.target}, measured", ylabel=f"{law.target}, predicted")
    return figure
