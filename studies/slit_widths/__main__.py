"""What changes from slit to slit with the slit's width: currents, resistivity, conductance and capacitance.

Adaptive cycles of four layers, d = 1 to 5 nm; the figures compare them.
"""

import tempfile
from pathlib import Path

import pandas as pd

from continuum import ContinuumConfig, capacitances, resistances, run
from studies.slit_widths import figures as width_figures
from transslit import SlitNetwork, load_electrolyte
from transslit.progress import Progress
from validation.figures.style import save

WIDTHS = (1e-9, 1.5e-9, 2e-9, 3e-9, 4e-9, 5e-9)  # m


def main(figures: Path | None = None) -> pd.Series:
    """Largest over smallest conductivity through the charging sweep, by width in m."""
    records = {}
    for width in WIDTHS:
        network = SlitNetwork(slit=width, layers=4)
        config = ContinuumConfig(network=network, electrolyte=load_electrolyte("KCl"), stepping="adaptive")
        with tempfile.TemporaryDirectory() as folder:
            records[width] = run(config, Path(folder), Progress(quiet=True))
    ratios = {width: resistances(record) for width, record in records.items()}
    charging = pd.concat([table[table["I_A_per_m"] > 0].assign(d_m=width) for width, table in ratios.items()])
    if figures is not None:
        drawn = {
            "width-currents": width_figures.currents(records),
            "width-resistivity": width_figures.resistivities(ratios),
            "width-conductance": width_figures.conductance(charging),
            "width-capacitance": width_figures.capacitances({w: capacitances(r) for w, r in records.items()}),
        }
        save(drawn, figures)
    by = charging.groupby("d_m")["conductivity_S_per_m"]
    return by.max() / by.min()


if __name__ == "__main__":
    print(main(Path("figures")).round(2).to_string())
