"""Figure of the time scales on which Nernst-Planck holds among atoms."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from studies.charging_time_scales.time_scales import SHARE
from transslit.style import COLOURS, panels, styled

PS = 1e12  # ps per s


@styled
def draw_time_scales(table: pd.DataFrame, share: float = SHARE) -> Figure:
    """Share of the charge that Nernst-Planck leaves over by time after onset, and of the whole by drive.

    `table` is from `time_scales.time_scales`; bars are 95 % intervals.
    """
    figure, axes = panels(2, width=4.2, height=3.0, sharey=True)
    drives = list(dict.fromkeys(table["drive"]))
    windows: Axes = axes[0, 0]
    for n, drive in enumerate(drives):
        part = table[(table["drive"] == drive) & ~table["whole"]]
        middle = (part["from_s"] + part["to_s"]) / 2 * PS * 1.03 ** (n - len(drives) / 2)  # side by side
        _draw_intervals(windows, middle, part, COLOURS[n % len(COLOURS)], drive)
    windows.set(xscale="log", xlabel="time after onset (ps)", ylabel="left over of the charge", title="in windows")
    windows.legend()
    whole: Axes = axes[0, 1]
    for n, drive in enumerate(drives):
        part = table[(table["drive"] == drive) & table["whole"]]
        _draw_intervals(whole, [n], part, COLOURS[n % len(COLOURS)], drive)
    whole.set(title="in all")
    whole.set_xticks(range(len(drives)), drives)
    for ax in (windows, whole):
        ax.axhspan(-share, share, color="0.92", zorder=0)
        ax.axhline(0, color="0.5", linewidth=0.8, zorder=1)
    windows.set_ylim(-2, 1.2)
    return figure


def _draw_intervals(ax: Axes, at: pd.Series | list[int], part: pd.DataFrame, colour: tuple, label: str) -> None:
    ends = [part["share"] - part["low"], part["high"] - part["share"]]
    ax.errorbar(at, part["share"], yerr=[end.clip(lower=0) for end in ends], fmt="o", color=colour, label=label)
