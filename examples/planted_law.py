"""Plant a law in noisy data and have the search find it again."""

from discovery import DiscoveryConfig, discover
from discovery.planted import inside_intervals, planted_table, slit_law, true_constants
from transslit.progress import Progress


def main() -> float:
    """The gamma that the search finds; 0.6 was planted."""
    planted = slit_law("1 - b*q", b=0.6)
    law = discover(
        planted_table(planted, noise=0.02, seed=7, rows=400), DiscoveryConfig(seed=1, form="general"), None, Progress()
    )
    print(f"{law.target} = {law.expression}")
    truth = true_constants(law, planted)
    assert truth is not None, "the law has another form"
    print(f"in form; inside their intervals: {inside_intervals(law, truth)}")
    return law.constants["gamma"].value


if __name__ == "__main__":
    print(f"gamma = {main():.3f}")
