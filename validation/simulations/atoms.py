"""Records of molecular dynamics: run in a run folder, or found where there is one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import md
from md.shipped import SHIPPED
from transslit import TransSlitRecord
from transslit.executor import Inline, cores, executor
from transslit.files import read_object
from validation.presets import MD_WIDTH, ClaimsConfig
from validation.simulations.runs import Simulations
from validation.verdicts.words import nm

PLACE = "evidence/runs/md-0.59nm"
WHOLE = md.MDConfig.model_fields["charge_per_carbon"].default  # e, of the paper's step


def atoms(simulations: Simulations, name: str, config: md.MDConfig) -> TransSlitRecord:
    """The record of molecular dynamics of `config`, run in the folder `name` where it is not there yet."""
    made: list[TransSlitRecord] = []

    def work(path: Path) -> None:
        if config.water == "explicit":  # each box on all cores
            made.append(md.run(config, path, simulations.progress))
            return
        with executor(min(cores(), config.replicas)) as pool:
            made.append(md.run(config, path, simulations.progress, None if isinstance(pool, Inline) else pool))

    folder, simulations.manifests[name] = simulations.folder.stage(name, config, work, seed=config.seed)
    return made[0] if made else TransSlitRecord.read(folder)


def find(folder: Path, config: ClaimsConfig, given: Path | None) -> tuple[Path, str] | None:
    """Folder of a finished record that the claims of `config` can use, and its origin in words; None if there is none.

    The record given; else, in a run `folder`, that of its validation or of its claims; else one that comes with the
    suite.
    """
    if given is not None:
        return given, f"record given ({given.name})"
    for place, words in ((folder / "md", "this validation's run"), (folder / PLACE, "quick preset")):
        if (place / "manifest.json").exists() and fits(_metadata(place), config):
            return place, words
    for place in sorted(SHIPPED.glob("*")):
        if fits(_metadata(place), config):
            return place, f"reference record {place.name} that comes with the suite"
    return None


def found_or_run(simulations: Simulations, config: ClaimsConfig, given: Path | None) -> tuple[TransSlitRecord, str]:
    """The record that `find` names, or else of a run of the quick preset, and its setting in words."""
    result = find(simulations.folder.path, config, given)
    if result is None:
        settings = md.quick(
            MD_WIDTH, config.electrolyte, config.concentration, seed=config.seed, replicas=config.replicas
        )
        record, words = atoms(simulations, PLACE, settings), "quick preset"
    else:
        record, words = TransSlitRecord.read(result[0]), result[1]
    about = record.metadata
    return record, f"{about['electrolyte']}, d = {nm(about['network']['slit'])}, molecular dynamics: {words}"


def _metadata(folder: Path) -> dict[str, Any]:
    return read_object(folder / "record" / "record.json") or read_object(folder / "record.json")


def fits(about: dict[str, Any], config: ClaimsConfig) -> bool:
    """Whether a record is one of atoms at 0.59 nm, after the paper's charge step, in the salt that is asked for."""
    network = about.get("network")
    slit = network.get("slit") if isinstance(network, dict) else None
    return (
        about.get("source") == "md"
        and about.get("water", "explicit") == "explicit"
        and about.get("charge_per_carbon_e", WHOLE) == WHOLE
        and about.get("drive", {"kind": "charge-step"}).get("kind") == "charge-step"
        and about.get("electrolyte") == config.electrolyte.name
        and isinstance(slit, float)
        and math.isclose(slit, MD_WIDTH, rel_tol=1e-3)
    )
