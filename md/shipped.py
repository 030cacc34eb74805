"""Shipped records of molecular dynamics for comparison with a fresh run: `md/reference/<name>/record/`.

They are longer runs of `transslit md` of this package: runs of the same model, not experiments.
"""

from __future__ import annotations

from pathlib import Path

from transslit import Electrolyte, TransSlitRecord

SHIPPED = Path(__file__).parent / "reference"


def references(electrolyte: Electrolyte, slit: float, folder: Path = SHIPPED) -> dict[str, TransSlitRecord]:
    """Shipped records of an electrolyte at the slit width `slit` (m), by a label that names the drive."""
    found = {}
    for path in sorted(folder.glob("*/record/record.json"), key=lambda path: (len(str(path)), path)):  # 5 before 20 ps
        record = TransSlitRecord.read(path.parent)
        same_slit = abs(record.metadata["network"]["slit"] - slit) < 1e-12
        if same_slit and record.metadata["electrolyte"] == electrolyte.name:
            found[f"{path.parent.parent.name} (shipped)"] = record
    return found


def small_steps(like: TransSlitRecord, folder: Path = SHIPPED) -> list[TransSlitRecord]:
    """Shipped records of atoms in the network and salt, and after the charge step, of `like`."""
    about = like.metadata
    found = []
    for path in sorted(folder.glob("*/record/record.json")):
        record = TransSlitRecord.read(path.parent)
        own = record.metadata
        alike = all(own[name] == about[name] for name in ("network", "electrolyte"))
        if alike and abs(own["sheet_charge_C_per_m2"] / about["sheet_charge_C_per_m2"] - 1) < 1e-3:
            found.append(record)
    return found
