"""Laws as columns of a sweep's table."""

from __future__ import annotations

from pathlib import Path

import discovery
from discovery import DiscoveryConfig
from transslit import Law, TransSlitRecord
from transslit.errors import TransslitError
from transslit.progress import Progress


def law_columns(law: Law) -> dict[str, object]:
    """Expression of a law, whether one was found, constants with their errors, and metrics."""
    values: dict[str, object] = {"law": law.expression, "law_found": bool(law.provenance.get("found", True))}
    for name, constant in law.constants.items():
        values |= {f"law_{name}": constant.value, f"law_{name}_std": constant.std}
    return values | dict(law.metrics)


def record_law(folder: Path, settings: DiscoveryConfig) -> dict[str, object]:
    """Search for the law of the record in `folder`; the reason if there can be no search."""
    try:
        table = discovery.table_from_records([TransSlitRecord.read(folder).resampled()])
        return law_columns(discovery.discover(table, settings, folder / "law", Progress(quiet=True)))
    except TransslitError as error:  # the other columns are of use without it
        return {"law": "", "law_found": False, "law_error": str(error)}
