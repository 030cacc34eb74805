"""From which charging time on does Nernst-Planck describe the atoms? Compares molecular dynamics runs of several ramps.

    transslit md --slit 0.59nm --out runs/step
    transslit md --slit 0.59nm --drive charge-ramp --ramp 20ps --out runs/ramp-20ps
    python examples/charging_time_scales.py runs/step runs/ramp-20ps

Prints the share of the charge that migration, diffusion and steric part leave over, draws it, and names the drive.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from studies.charging_time_scales.figures import time_scales as draw
from studies.charging_time_scales.time_scales import holds_from, time_scales
from transslit import TransSlitRecord
from validation.figures.style import save


def main(folders: Sequence[Path], figures: Path | None = None) -> str:
    """From which drive on less than a quarter is left over; the table is printed."""
    table = time_scales({Path(folder).name: TransSlitRecord.read(folder) for folder in folders})
    shown = table.assign(to_ps=(table["to_s"] * 1e12).round(1), from_ps=(table["from_s"] * 1e12).round(1))
    print(shown[["drive", "from_ps", "to_ps", "share", "low", "high", "verdict", "basis"]].round(2).to_string())
    if figures is not None:
        save({"time_scales": draw(table)}, figures)
    return holds_from(table)


if __name__ == "__main__":
    print(main([Path(name) for name in sys.argv[1:]], Path("figures")))
