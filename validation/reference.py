"""Records of molecular dynamics that are shipped, to stand beside a fresh run: `md/reference/<name>/record/`.

They were made once, at length, by this package's own `transslit md`; they are another run of the same model, not an
experiment, and the page says so.
"""

from __future__ import annotations

from pathlib import Path

import md
from transslit import Electrolyte, TransSlitRecord

SHIPPED = Path(md.__file__).parent / "reference"


def references(electrolyte: Electrolyte, slit: float, folder: Path = SHIPPED) -> dict[str, TransSlitRecord]:
    """Shipped records of this electrolyte at this slit width (m), by a label that tells what drove them."""
    found = {}
    for place in sorted(folder.glob("*/record/record.json"), key=lambda path: (len(str(path)), path)):  # 5 before 20 ps
        record = TransSlitRecord.read(place.parent)
        same_slit = abs(record.metadata["network"]["slit"] - slit) < 1e-12
        if same_slit and record.metadata["electrolyte"] == electrolyte.name:
            found[f"{place.parent.parent.name} (shipped)"] = record
    return found
