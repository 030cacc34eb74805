"""How does the resistance between slits depend on their width? One search over cycles of four widths.

Adaptive cycles of four layers; the width of 2 nm takes no part in the search and judges the law.
"""

import tempfile
from pathlib import Path

from continuum import ContinuumConfig, run
from discovery import DiscoveryConfig, discover, table_from_records
from transslit import SlitNetwork, load_electrolyte
from transslit.progress import Progress

WIDTHS = (1.5e-9, 2e-9, 3e-9, 5e-9)  # m
SEARCH = DiscoveryConfig(
    inputs=("I_A_per_m", "q", "d"), held_out=("d=2",), population=60, generations=8, functions=("square", "sqrt")
)


def main() -> tuple[str, float]:
    """The law, and its R^2 at 2 nm."""
    records = []
    for width in WIDTHS:
        network = SlitNetwork(slit=width, layers=4)
        config = ContinuumConfig(network=network, electrolyte=load_electrolyte("KCl"), stepping="adaptive")
        with tempfile.TemporaryDirectory() as folder:
            records.append(run(config, Path(folder), Progress(quiet=True)))
    law = discover(table_from_records(records), SEARCH, None, Progress())
    return f"{law.target} = {law.numeric}", law.provenance["judged"]["d=2"]["r2"]


if __name__ == "__main__":
    text, score = main()
    print(f"{text}\nR^2 at 2 nm: {score:.4f}")
