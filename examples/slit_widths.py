"""How does the conductance from slit to slit depend on the slit's width, empty and full?

Adaptive cycles of four layers, d = 1.5 to 5 nm; `conductance` draws the smallest and largest of each width.
"""

import tempfile
from pathlib import Path

import pandas as pd

from continuum import ContinuumConfig, resistances, run
from transslit import SlitNetwork, load_electrolyte
from transslit.progress import Progress
from validation.continuum_figures import conductance, save

WIDTHS = (1.5e-9, 2e-9, 3e-9, 4e-9, 5e-9)  # m


def main(figures: Path | None = None) -> pd.Series:
    """Largest over smallest conductivity through the charging sweep, by width in m."""
    tables = []
    for width in WIDTHS:
        network = SlitNetwork(slit=width, layers=4)
        config = ContinuumConfig(network=network, electrolyte=load_electrolyte("KCl"), stepping="adaptive")
        with tempfile.TemporaryDirectory() as folder:
            table = resistances(run(config, Path(folder), Progress(quiet=True)))
        tables.append(table[table["I_A_per_m"] > 0].query("q > 0.02 and time_s < 2e-5").assign(d_m=width))
    table = pd.concat(tables)
    if figures is not None:
        save({"conductance": conductance(table)}, figures)
    by = table.groupby("d_m")["conductivity_S_per_m"]
    return by.max() / by.min()


if __name__ == "__main__":
    print(main(Path("figures")).round(2).to_string())
