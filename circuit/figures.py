"""Figures of a circuit's run."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from transslit.style import COLOURS, panels, styled

MILLI, MICRO = 1e3, 1e6


@styled
def draw_overlay(table: pd.DataFrame) -> Figure:
    """A measured curve, grey, and the circuit fitted to it: I_m on V_m, or V_m in time where the current was held."""
    figure, axes = panels(1, width=4.6, height=3.6)
    ax = axes[0, 0]
    if "fitted_I_m_A" in table:
        ax.plot(MILLI * table["V_m_V"], MILLI * table["I_m_A"], color="0.6", lw=3, label="measured")
        ax.plot(MILLI * table["V_m_V"], MILLI * table["fitted_I_m_A"], color=COLOURS[0], label="fitted")
        ax.set(xlabel="$V_m$ / mV", ylabel="$I_m$ / mA")
    else:
        ax.plot(MICRO * table["time_s"], MILLI * table["V_m_V"], color="0.6", lw=3, label="measured")
        ax.plot(MICRO * table["time_s"], MILLI * table["fitted_V_m_V"], color=COLOURS[0], label="fitted")
        ax.set(xlabel="t / µs", ylabel="$V_m$ / mV")
    ax.legend()
    return figure
