"""One CV of a small nanoslit network by the modified Poisson-Nernst-Planck equations.

Does diffusion help migration from slit 2 to slit 1, and by how much does the resistance fall as slits fill?
"""

import tempfile
from pathlib import Path

from continuum import ContinuumConfig, run
from transslit import SlitNetwork, load_electrolyte
from transslit.progress import Progress


def main() -> tuple[float, float]:
    """Share of the charge that crosses with migration and diffusion of one sign; smallest over largest resistance."""
    network = SlitNetwork(slit="1.5nm", layers=4, slit_length="10nm", reservoir_length="5nm")
    config = ContinuumConfig(network=network, electrolyte=load_electrolyte("KCl"), steps=100)
    with tempfile.TemporaryDirectory() as folder:
        crossings = run(config, Path(folder), Progress()).crossings
    pair = crossings[crossings["i"] == 1]
    together = pair["I_migration_A_per_m"] * pair["I_diffusion_A_per_m"] > 0
    flowing = pair[pair["I_A_per_m"].abs() > 0.5 * pair["I_A_per_m"].abs().max()]
    resistance = flowing["dphi_V"] / flowing["I_A_per_m"]
    share = pair["I_A_per_m"].abs()[together].sum() / pair["I_A_per_m"].abs().sum()
    return float(share), float(resistance.min() / resistance.max())


if __name__ == "__main__":
    share, ratio = main()
    print(f"{share:.0%} of the charge crosses with diffusion behind migration; the resistance falls to {ratio:.0%}")
