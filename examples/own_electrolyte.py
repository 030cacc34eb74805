"""Read an electrolyte, change its ion size, and see what a surface charge leaves room for."""

from transslit import load_electrolyte


def main() -> tuple[float, float]:
    """Debye length in nm at 1 M, and the salt concentration in M at which ions of 0.4 nm would pack."""
    salt = load_electrolyte("NaCl").with_diameter(0.4e-9)
    packed = 1 / salt.molar_volumes.sum()
    return salt.debye_length(1000.0) * 1e9, packed / 1000


if __name__ == "__main__":
    length, packed = main()
    print(f"Debye length {length:.3f} nm, close packing at {packed:.1f} M")
