"""The paper's circuit figures drawn: tables of `studies.circuit_figures.tables` in, a matplotlib Figure out.

`write_figures(["ED12"], folder, progress)` computes and draws; a CSV with the same name lies beside each PNG.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from studies.circuit_figures import tables
from transslit.errors import BadInput
from transslit.files import whole, write_text
from transslit.progress import Progress
from transslit.runs import RunFolder
from transslit.style import COLOURS, panels, styled

Look = dict[str, Any]  # options of a line, by matplotlib's names

V_M, I_M, TIME = "$V_m$ / mV", "$I_m$ / mA", "t / µs"
MILLI, MICRO, NANO = 1e3, 1e6, 1e9


def _lines(ax: Axes, table: pd.DataFrame, looks: dict[str, Look], current: str = "I_m_A") -> None:
    for name, look in looks.items():
        case = table[table["case"] == name]
        ax.plot(MILLI * case["V_m_V"], MILLI * case[current], label=_typeset(name), **look)
    ax.set(xlabel=V_M, ylabel=I_M if current == "I_m_A" else "$I_m$ / mA m$^{-1}$")
    ax.legend()


def _ramp(names: list[str], palette: str) -> dict[str, Look]:
    """A colour of a sequential palette per case."""
    return {name: {"color": c} for name, c in zip(names, sns.color_palette(palette, len(names)), strict=True)}


@styled
def draw_4c(table: pd.DataFrame) -> Figure:
    """CVs of NCM and TLM over that of mPNP."""
    figure, axes = panels(1, width=4.6, height=3.6)
    looks: dict[str, Look] = {
        "mPNP": {"color": "0.6", "lw": 4},
        "NCM": {"color": COLOURS[0]},
        "TLM": {"color": COLOURS[3], "ls": "--"},
    }
    _lines(axes[0, 0], table, looks, "I_m_A_per_m")
    return figure


@styled
def draw_11d(table: pd.DataFrame) -> Figure:
    """CVs by the source of Q; below, the smoothed V_m."""
    figure = Figure(figsize=(4.6, 4.8), layout="constrained")
    upper, lower = figure.subplots(2, height_ratios=[3, 1])
    own = table[table["case"] == "own Q"]
    looks = {
        "own Q": {"color": "0.7", "lw": 5},
        "Q from mPNP": {"color": COLOURS[0]},
        "Q from TLM": {"color": COLOURS[3], "ls": "", "marker": "h", "markevery": max(1, len(own) // 60), "ms": 5},
    }
    _lines(upper, table, looks, "I_m_A_per_m")
    lower.plot(MICRO * own["time_s"], MILLI * own["V_m_V"], color="0.3")
    lower.set(xlabel=TIME, ylabel=V_M)
    return figure


@styled
def draw_cases(table: pd.DataFrame) -> Figure:
    """CVs, a line per case."""
    figure, axes = panels(1, width=4.6, height=3.6)
    _lines(axes[0, 0], table, _ramp(list(table["case"].unique()), "viridis"))
    return figure


@styled
def draw_13a(table: pd.DataFrame) -> Figure:
    """The NCM's CV, solid, among those of the TLM, dashed."""
    figure, axes = panels(1, width=6.2, height=3.6)
    ncm, *lines = table["case"].unique()
    looks = {ncm: {"color": COLOURS[2], "lw": 2.5}}
    looks |= {name: {**look, "ls": "--"} for name, look in _ramp(lines, "plasma").items()}
    _lines(axes[0, 0], table, looks)
    axes[0, 0].legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


@styled
def draw_13b(table: pd.DataFrame) -> Figure:
    """Voltage across the second resistor, and every resistor, in time."""
    figure = Figure(figsize=(4.6, 4.8), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True)
    second = table[table["slit"] == 2]
    upper.axhline(0, color="0.8", lw=0.8)
    upper.plot(MICRO * second["time_s"], MILLI * second["dphi_V"], color=COLOURS[2])
    upper.set(ylabel=r"$\Delta\varphi_2$ / mV")
    _by_slit(lower, table, "R_ohm", 1.0)
    lower.plot(MICRO * second["time_s"], second["R_ohm"], color=COLOURS[2], lw=2.5, label="slit 2")
    lower.set(xlabel=TIME, ylabel=r"$R_i$ / $\Omega$", ylim=(0, None))
    lower.legend()
    return figure


@styled
def draw_12(table: pd.DataFrame) -> Figure:
    """A row per scan rate, a column per number of layers; the TLM is dashed."""
    figure, axes = panels(len(tables.LAYERS), len(tables.RATES), width=2.9, height=2.6)
    looks = {0.0: ("TLM", {"color": "0.3", "ls": "--"})}
    looks |= {g: (f"NCM, gamma = {g:g}", {"color": COLOURS[k]}) for g, k in ((0.5, 0), (0.9, 3))}
    for row, rate in zip(axes, tables.RATES, strict=True):
        for ax, layers in zip(row, tables.LAYERS, strict=True):
            panel = table[(table["rate"] == rate) & (table["layers"] == layers)]
            cases = panel.assign(case=[looks[g][0] for g in panel["gamma"]])
            _lines(ax, cases, dict(looks.values()))
            ax.set_title(f"{layers} layers, {_typeset(rate)}")
            ax.get_legend().set_visible(ax is axes[0, 0])
    return figure


@styled
def draw_14(table: pd.DataFrame) -> Figure:
    """Charge of each slit, a row per model and scan rate, a column per number of layers."""
    rows = [(rate, model) for rate in tables.RATES for model in ("TLM", "NCM")]
    figure, axes = panels(len(tables.LAYERS), len(rows), width=2.9, height=2.2)
    figure.suptitle("dark: slit 1, next to the bulk; bright: the deepest slit", fontsize="small")
    for line, (rate, model) in zip(axes, rows, strict=True):
        for ax, layers in zip(line, tables.LAYERS, strict=True):
            panel = table[(table["rate"] == rate) & (table["model"] == model) & (table["layers"] == layers)]
            _by_slit(ax, panel, "q_C", NANO)
            ax.set(
                title=f"{model}, {layers} layers, {_typeset(rate)}", xlabel=TIME, ylabel="$Q_i$ / nC", ylim=(0, 16.5)
            )
            ax.title.set_fontsize("small")
            deepest = panel.loc[panel["slit"] == layers - 1, "q_C"].max() * NANO
            label = f"slit {layers - 1}: {deepest:.2f} nC"
            ax.text(0.5, 0.95, label, ha="center", va="top", fontsize="x-small", transform=ax.transAxes)
    return figure


def _typeset(text: str) -> str:
    """A case or a rate with its mathematical signs."""
    signs = {"= -": "= \u2212", "us": "µs", "gamma": r"$\gamma$", "R_c": "$R_c$", "t_c": "$t_c$", " ohm": r" $\Omega$"}
    for plain, sign in signs.items():
        text = text.replace(plain, sign)
    return text


def _by_slit(ax: Axes, table: pd.DataFrame, column: str, scale: float) -> None:
    """A line per slit, dark next to the bulk."""
    wide = table.pivot_table(index="time_s", columns="slit", values=column)
    for slit, colour in zip(wide, sns.color_palette("viridis", wide.shape[1]), strict=True):
        ends = slit in (wide.columns[0], wide.columns[-1])
        ax.plot(MICRO * wide.index, scale * wide[slit], color=colour, lw=0.9, label=f"slit {slit}" if ends else None)


@styled
def draw_11c(table: pd.DataFrame) -> Figure:
    """Ladders of NCM, left, and TLM, right, with the formula of each element."""
    figure, axes = panels(2, width=4.6, height=2.6)
    formulas = table.set_index("element")
    for ax, model in zip(axes[0], ("NCM", "TLM"), strict=True):
        follows = "R_d" in str(formulas.loc["R_i", model])
        _ladder(ax, varying=follows)
        ax.set(title=f"{model}: $R_i$ = {'$R_c + R_d$' if follows else '$R_c$'}", aspect=1)
        ax.set(xlim=(-0.4, 8.6), ylim=(-1.4, 1.9))
        ax.set_axis_off()
    return figure


def _ladder(ax: Axes, varying: bool) -> None:
    """Two slits, dots, and the last one; the electrode is the line above."""
    wire: Look = {"color": "0.2", "lw": 1.2}
    ax.plot([1.7, 8.2], [1.4, 1.4], **wire)
    ax.text(8.25, 1.4, r"$\varphi_m$", va="center")
    names = ("R_{open}", "R_1", "R_2", "R_n")
    for k, name in enumerate(names):
        x = 2 * k
        ax.plot([x, x + 0.45], [0, 0], **{**wire, "ls": ":" if k == 3 else "-"})
        ax.add_patch(Rectangle((x + 0.45, -0.17), 0.8, 0.34, fill=False, **wire))
        if varying and k:
            arrow = {"arrowstyle": "->", "color": COLOURS[3]}
            ax.annotate("", (x + 1.15, 0.42), (x + 0.55, -0.42), arrowprops=arrow)
        ax.plot([x + 1.25, x + 2], [0, 0], **wire)
        ax.text(x + 0.85, -0.72, f"${name}$", ha="center")
        node = x + 1.7
        for low, high in ((0, 0.62), (0.78, 1.4)):
            ax.plot([node, node], [low, high], **wire)
        for y in (0.62, 0.78):
            ax.plot([node - 0.25, node + 0.25], [y, y], **wire)
        ax.text(node - 0.3, 0.9, "$C_{open}$" if k == 0 else "$C_{slit}$", ha="right", fontsize="small")
    ax.plot([-0.05, -0.05], [-0.25, 0.25], **wire)
    ax.text(-0.05, -1.2, "mid-plane", ha="left", fontsize="small")


FIGURES: dict[str, tuple[Callable[..., pd.DataFrame], Callable[[pd.DataFrame], Figure]]] = {
    "4c": (tables.figure_4c, draw_4c),
    "4d": (tables.figure_4d, draw_cases),
    "4e": (tables.figure_4e, draw_cases),
    "ED11c": (tables.figure_11c, draw_11c),
    "ED11d": (tables.figure_11d, draw_11d),
    "ED12": (tables.figure_12, draw_12),
    "ED13a": (tables.figure_13a, draw_13a),
    "ED13b": (tables.figure_13b, draw_13b),
    "ED14": (tables.figure_14, draw_14),
}
OF_RECORD = ("4c", "ED11d")


def figure_names(text: str) -> list[str]:
    """Names of the figures that `text` stands for: one, all panels of one (4, ED13), or `all`.

    Raises
    ------
    BadInput : there is no such figure
    """
    names = [name for name in FIGURES if text == "all" or name.lower().startswith(text.lower())]
    if not names or not text:
        raise BadInput("figure", text, f"give {', '.join(FIGURES)} or all")
    return names


def write_figures(names: Sequence[str], folder: RunFolder, progress: Progress) -> list[Path]:
    """Compute and draw; leaves NAME.png and NAME.csv in `folder`, and the continuum's run in its subfolder mpnp.

    Raises
    ------
    BadInput : the subfolder holds another run
    """
    record = tables.smoothed_record(folder, progress) if set(names) & set(OF_RECORD) else None
    written = []
    for name in names:
        compute, draw = FIGURES[name]
        table = compute(record) if name in OF_RECORD else compute()
        picture, data = (folder.path / f"{name}.{suffix}" for suffix in ("png", "csv"))
        write_text(data, table.to_csv(index=False, float_format="%.9g"))
        with whole(picture) as partial:
            draw(table).savefig(partial, dpi=150)
        written += [picture, data]
    return written
