"""Where the claim on atoms takes its record of molecular dynamics from.

The first there is of: the folder that was given; the `md` stage of a validation at 0.59 nm in the same run folder; the
evidence's own run; a reference record that comes with the suite (after a charge step, of the same salt). Else the quick
preset is run.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from transslit import TransSlitRecord
from transslit.files import read_object
from transslit.progress import Progress
from transslit.runs import RunFolder
from validation.claims.config import MD_WIDTH, ClaimsConfig, nm
from validation.reference import SHIPPED

PLACE = "evidence/runs/md-0.59nm"


def find(run: RunFolder, config: ClaimsConfig, given: Path | None) -> tuple[Path, str] | None:
    """Folder of a finished record and what it is, in words; None where there is none."""
    if given is not None:
        return given, f"record given ({given.name})"
    for folder, words in ((run.path / "md", "this validation's run"), (run.path / PLACE, "quick preset")):
        if (folder / "manifest.json").exists() and _fits(_metadata(folder), config):
            return folder, words
    for folder in sorted(SHIPPED.glob("*")):
        about = _metadata(folder)
        if _fits(about, config) and about.get("drive", {"kind": "charge-step"}).get("kind") == "charge-step":
            return folder, f"reference record {folder.name} that comes with the suite"
    return None


def read(run: RunFolder, config: ClaimsConfig, given: Path | None, progress: Progress) -> tuple[TransSlitRecord, str]:
    """The record and its setting in words; runs the quick preset where there is none."""
    found = find(run, config, given)
    if found is None:
        import md

        settings = md.quick(
            MD_WIDTH, config.electrolyte, config.concentration, seed=config.seed, replicas=config.replicas
        )

        def work(path: Path) -> None:
            md.run(settings, path, progress)

        found = run.stage(PLACE, settings, work, seed=config.seed)[0], "quick preset"
    folder, words = found
    record = TransSlitRecord.read(folder)
    return (
        record,
        f"{record.metadata['electrolyte']}, d = {nm(record.metadata['network']['slit'])}, molecular dynamics: {words}",
    )


def _metadata(folder: Path) -> dict[str, Any]:
    return read_object(folder / "record" / "record.json") or read_object(folder / "record.json")


def _fits(about: dict[str, Any], config: ClaimsConfig) -> bool:
    """Whether a record is one of atoms at 0.59 nm in the salt that is asked for."""
    network = about.get("network")
    slit = network.get("slit") if isinstance(network, dict) else None
    return (
        about.get("source") == "md"
        and about.get("electrolyte") == config.electrolyte.name
        and isinstance(slit, float)
        and math.isclose(slit, MD_WIDTH, rel_tol=1e-3)
    )
