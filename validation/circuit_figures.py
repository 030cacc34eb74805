"""The paper's circuit figures from circuits alone: Fig. 4d-e and Extended Data Figs. 12, 13 and 14.

`python -m validation.circuit_figures [FOLDER]` writes them as SVG. C_slit = 80 nF, 20 layers unless the figure varies
them; R_open and C_open are not given in the paper and are 1 ohm and 10 nF here. One function computes the curves of a
figure as tables, another draws them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from circuit import CircuitConfig, simulate
from circuit.measures import one_cycle
from transslit import TriangularCV

RATES = {20: 2e4, 4: 4e3}  # V/s, by mV/us


def config(**changes: Any) -> CircuitConfig:
    """The paper's circuit (Extended Data Fig. 13) but for `changes`."""
    base: dict[str, Any] = {
        "layers": 20,
        "resistance": 5.0,
        "gamma": 0.9,
        "slit_capacitance": 80e-9,
        "open_resistance": 1.0,
        "open_capacitance": 10e-9,
        "drive": TriangularCV(cycles=2),
    }
    return CircuitConfig(**{**base, **changes})


def _cycle(label: str, case: CircuitConfig, **more: str) -> pd.DataFrame:
    return one_cycle(simulate(case).terminal, case).assign(case=label, **more)


def figure_4d() -> pd.DataFrame:
    """CVs of gamma from -0.9 to 0.9 at R_c = 5 ohm."""
    return pd.concat(_cycle(f"gamma = {g:+g}", config(gamma=g)) for g in (-0.9, -0.5, 0.0, 0.5, 0.9))


def figure_4e() -> pd.DataFrame:
    """CVs of R_c from 1 to 10 ohm at gamma = 0.9."""
    return pd.concat(_cycle(f"R_c = {r:g} ohm", config(resistance=float(r))) for r in (1, 2, 5, 10))


def figure_ed12() -> pd.DataFrame:
    """CVs by layers, rate and gamma; gamma = 0 is the TLM."""
    rows = []
    for layers in (6, 10, 20, 50):
        for name, rate in RATES.items():
            for gamma in (0.0, 0.5, 0.9):
                case = config(layers=layers, gamma=gamma, drive=TriangularCV(scan_rate=rate, cycles=2))
                rows.append(_cycle(f"gamma = {gamma:g}", case, panel=f"{layers} layers, {name} mV/us"))
    return pd.concat(rows)


def figure_ed13() -> pd.DataFrame:
    """TLM at R_c = 5, 2, 1, 0.5 ohm (t_c = R_c C = 0.4 to 0.04 us) beside the NCM at 5 ohm."""
    lines = [
        _cycle(f"TLM, t_c = {r * 0.08:g} us", config(resistance=float(r), model="tlm")) for r in (5.0, 2.0, 1.0, 0.5)
    ]
    return pd.concat([_cycle("NCM", config()), *lines])


def figure_ed13b() -> pd.DataFrame:
    """R and the voltage across it of slit 2 of the NCM, in time."""
    slits = simulate(config()).slits
    second = slits[slits["slit"] == 2].reset_index(drop=True)
    first = slits[slits["slit"] == 1].reset_index(drop=True)
    return second.assign(dphi_V=second["phi_V"] - first["phi_V"])


def figure_ed14() -> pd.DataFrame:
    """Charge of each slit over two cycles, by TLM and NCM, at both rates."""
    rows = []
    for name, rate in RATES.items():
        for model in ("tlm", "ncm"):
            case = config(model=model, drive=TriangularCV(scan_rate=rate, cycles=2), points=400)
            rows.append(simulate(case).slits.assign(panel=f"{model.upper()}, {name} mV/us"))
    return pd.concat(rows)


def draw_cv(table: pd.DataFrame) -> Figure:
    """I_m on V_m, a line per `case`; in panels where the table has a column `panel`."""
    data = table.assign(V=1e3 * table["V_m_V"], I=1e3 * table["I_m_A"])
    style = {"x": "V", "y": "I", "hue": "case", "sort": False, "palette": "colorblind"}
    if "panel" in data:
        grid = sns.relplot(data, kind="line", col="panel", col_wrap=4, height=2.4, **style)
        grid.set_titles("{col_name}")
        axes, figure = grid.axes.flat, grid.figure
    else:
        figure = Figure(figsize=(5, 4), layout="constrained")
        axes = [figure.subplots()]
        sns.lineplot(data, ax=axes[0], **style)
        axes[0].legend(title=None)
    for ax in axes:
        ax.set(xlabel="cell voltage V_m (mV)", ylabel="current I_m (mA)")
    return figure


def draw_resistance(table: pd.DataFrame) -> Figure:
    """Voltage across slit 2's resistor, and that resistor, in time."""
    figure = Figure(figsize=(5, 4), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True)
    upper.plot(1e6 * table["time_s"], 1e3 * table["dphi_V"])
    lower.plot(1e6 * table["time_s"], table["R_ohm"])
    upper.set(ylabel="voltage on R_2 (mV)")
    lower.set(xlabel="time (us)", ylabel="R_2 (ohm)")
    return figure


def draw_charges(table: pd.DataFrame) -> Figure:
    """Charge of each slit in time, in panels."""
    data = table.assign(t=1e6 * table["time_s"], Q=1e9 * table["q_C"])
    style = {"x": "t", "y": "Q", "hue": "slit", "palette": "viridis"}
    grid = sns.relplot(data, kind="line", col="panel", col_wrap=2, height=2.6, **style, facet_kws={"sharex": False})
    grid.set_titles("{col_name}").set_axis_labels("time (us)", "charge Q_i (nC)")
    return grid.figure


FIGURES = {
    "fig4d": (figure_4d, draw_cv),
    "fig4e": (figure_4e, draw_cv),
    "ed12": (figure_ed12, draw_cv),
    "ed13a": (figure_ed13, draw_cv),
    "ed13b": (figure_ed13b, draw_resistance),
    "ed14": (figure_ed14, draw_charges),
}


def main(folder: Path = Path("circuit-figures")) -> None:
    """Write every figure to `folder`."""
    matplotlib.use("svg")
    folder.mkdir(parents=True, exist_ok=True)
    for name, (compute, draw) in FIGURES.items():
        draw(compute()).savefig(folder / f"{name}.svg")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
