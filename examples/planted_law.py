"""Plant a law in noisy data and have the search find it again."""

import numpy as np
import pandas as pd

from discovery import DiscoveryConfig, discover
from transslit.progress import Progress


def main() -> float:
    """The gamma that the search finds; 0.6 was planted."""
    rng = np.random.default_rng(7)
    rows = []
    for i in (1, 2, 3):
        time = np.linspace(0, 1, 120)
        filling = np.where(time < 0.5, 2 * time, 2 - 2 * time)
        current = 1e-2 / i * np.where(time < 0.5, 1 - np.exp(-time / 0.05), np.exp(-(time - 0.5) / 0.05) - 1)
        voltage = 0.7 * current * (1 - 0.6 * filling) + 2e-5 * rng.normal(size=time.size)
        rows.append(pd.DataFrame({"group": f"0.{i}", "i": i, "I_A_per_m": current, "q": filling, "dphi_V": voltage}))
    law = discover(pd.concat(rows, ignore_index=True), DiscoveryConfig(seed=1), None, Progress())
    print(f"{law.target} = {law.expression}")
    empty, full = law.resistance()[0](np.array([0.0, 1.0]))
    return float(1 - full / empty)


if __name__ == "__main__":
    print(f"gamma = {main():.3f}")
