"""Figures of molecular dynamics: the time scales on which Nernst-Planck holds, and what moves the ions."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from validation.checks.unexplained_charge import SHARE
from validation.figures.style import COLOURS, panels, styled

PS = 1e12  # ps per s
FORCES = {
    "mean_field": "mean field",
    "local_field": "local field",
    "water": "contact with water",
    "ions": "contact with ions",
    "carbon": "contact with carbon",
    "thermal": "thermal",
    "friction": "thermostat",
    "inertia": "inertia",
    "residual": "residual",
}


@styled
def time_scales(table: pd.DataFrame, share: float = SHARE) -> Figure:
    """Share of the charge that Nernst-Planck leaves over by time after onset, and of the whole by drive.

    `table` from `validation.time_scales.time_scales`; bars are 95 % intervals.
    """
    figure, axes = panels(2, width=4.2, height=3.0, sharey=True)
    drives = list(dict.fromkeys(table["drive"]))
    windows: Axes = axes[0, 0]
    for n, drive in enumerate(drives):
        part = table[(table["drive"] == drive) & ~table["whole"]]
        middle = (part["from_s"] + part["to_s"]) / 2 * PS * 1.03 ** (n - len(drives) / 2)  # side by side
        _bars(windows, middle, part, COLOURS[n % len(COLOURS)], drive)
    windows.set(xscale="log", xlabel="time after onset (ps)", ylabel="left over of the charge", title="in windows")
    windows.legend()
    whole: Axes = axes[0, 1]
    for n, drive in enumerate(drives):
        _bars(whole, [n], table[(table["drive"] == drive) & table["whole"]], COLOURS[n % len(COLOURS)], drive)
    whole.set(title="in all")
    whole.set_xticks(range(len(drives)), drives)
    for ax in (windows, whole):
        ax.axhspan(-share, share, color="0.92", zorder=0)
        ax.axhline(0, color="0.5", linewidth=0.8, zorder=1)
    windows.set_ylim(-2, 1.2)
    return figure


@styled
def forces(mean: pd.DataFrame) -> Figure:
    """Mean forces on an ion along the path from slit 2 to slit 1, by electrode and ion, with standard errors.

    `mean` from `md.mean_forces` of a table with its default grouping.
    """
    rows = mean.xs(1, level="i")
    figure, axes = panels(len(rows), width=2.4, height=3.2, sharey=True)
    order = list(FORCES)[::-1]
    for ax, ((electrode, ion), row) in zip(axes[0], rows.iterrows(), strict=True):
        ax.barh(
            [FORCES[part] for part in order],
            [row[f"{part}_pN"] for part in order],
            xerr=[row[f"{part}_error_pN"] for part in order],
            color=[COLOURS[0] if part in ("mean_field", "thermal") else "0.7" for part in order],
            ecolor="0.3",
        )
        ax.axvline(0, color="0.5", linewidth=0.8)
        ax.set(title=f"{ion}, {electrode}", xlabel="towards the bulk (pN)")
    return figure


def _bars(ax: Axes, at: object, part: pd.DataFrame, colour: tuple, label: str) -> None:
    ends = [part["share"] - part["low"], part["high"] - part["share"]]
    ax.errorbar(at, part["share"], yerr=[end.clip(lower=0) for end in ends], fmt="o", color=colour, label=label)  # type: ignore[arg-type]
