"""How much more does the deepest slit store when filling a slit eases the way into it?

Twenty layers at 20 mV/us: the nano-circuitry model (gamma = 0.9) against the transmission line (gamma = 0).
"""

from circuit import CircuitConfig, simulate
from transslit import TriangularCV

ELEMENTS = {
    "layers": 20,
    "resistance": "5ohm",
    "slit_capacitance": "4nF",
    "open_resistance": "1ohm",
    "open_capacitance": "1nF",
    "drive": TriangularCV(scan_rate="20mV/us", window="400mV", cycles=2),
}


def main() -> float:
    """Largest charge of slit 19 with a falling resistance over that with a constant one."""
    stored = {}
    for gamma in (0.9, 0.0):
        slits = simulate(CircuitConfig.read(gamma=gamma, **ELEMENTS)).slits
        stored[gamma] = slits.loc[slits["slit"] == 19, "q_C"].max()
    return stored[0.9] / stored[0.0]


if __name__ == "__main__":
    print(f"slit 19 stores {main():.2f} times as much")
