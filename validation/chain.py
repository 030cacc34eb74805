"""The chain: atoms and continuum, driven alike -> records -> checks -> law -> circuit -> report.

Each simulation is a function of a frozen configuration in a subfolder of the run (`transslit.runs`), so a run that was
killed continues where it was, and a finished one is read back. `validate` runs, then judges: what it judges, `judge`
judges of any records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

import md
from circuit.stage import write_circuit
from discovery import DiscoveryConfig, table_from_records
from transslit import Electrolyte, Law, SlitNetwork, TransSlitRecord, TriangularCV
from transslit.config import Config, digest
from transslit.errors import BadInput
from transslit.files import file_checksum, read_table
from transslit.progress import Progress
from transslit.runs import RunFolder, open_run, read_manifest, run_of
from validation.checks.circuit_cv import circuit_cv
from validation.checks.judge import Judged, Source, families, judge_records
from validation.checks.law import atomic_law, law, usable_by_circuit
from validation.checks.levels import compare_levels, of_small_step
from validation.claims.cost import announce
from validation.claims.judge import judge_claims, needed, read_claims
from validation.claims.uncertainty import Evidence
from validation.presets import ValidateConfig, cv_config, ions_step, matched_step, md_config
from validation.report.gather import gather
from validation.report.page import publish
from validation.report.provenance import provenance
from validation.report.tables import PARTS, Facts
from validation.simulations.atoms import atoms
from validation.simulations.circuit import extracted_circuit
from validation.simulations.runs import Manifest, Run, Simulations
from validation.verdicts.tolerances import Tolerances, apply_tolerances
from validation.verdicts.verdict import Verdict

MODELS = ("ncm", "tlm")
NEEDS = {"discover": (("continuum",), ("md",)), "circuit": (("continuum", "discover"),)}  # of a stage, one of these


@dataclass
class ChainResult:
    """Everything that a validation (or the judgement of records) found; what was not run is missing."""

    setting: str
    folder: Path
    sources: dict[str, Source] = field(default_factory=dict)  # by family: md, step, ions, small, cv
    laws: dict[str, Law] = field(default_factory=dict)  # of the sources cv and md
    circuits: dict[str, pd.DataFrame] = field(default_factory=dict)  # terminal tables of ncm and tlm
    verdicts: list[Verdict] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)  # what could not be judged, in words
    manifests: dict[str, Manifest] = field(default_factory=dict)

    def add(self, judged: Judged) -> None:
        """Take over verdicts, and what could not be judged."""
        self.verdicts += judged.verdicts
        self.lacking += judged.lacking


def validate(
    config: ValidateConfig,
    out: Path,
    stages: Sequence[str] | None = None,
    progress: Progress | None = None,
    tolerances: Tolerances | None = None,
) -> ChainResult:
    """Run the chain into `out` and write record, law, verdicts, report and manifest there.

    `stages` are the configuration's own when left out; `tolerances` take the place of those of the checks they name.
    The continuum's charge step repeats the cell of molecular dynamics, and so needs the stage `md`.

    Raises
    ------
    BadInput : the input cannot be used, or `out` holds another configuration or is in use
    StageFailed : a stage broke down; what it had reached is kept
    """
    progress, stages = progress or Progress(), stages or config.stages
    if "ions" in stages and not config.dissolved:
        raise BadInput("stages", "ions", f"{config.electrolyte.name} has no water that could be implicit; leave it out")
    for stage, needs in NEEDS.items():
        if stage in stages and not any(set(each) <= set(stages) for each in needs):
            accepts = f"{stage} needs {' or '.join(' and '.join(each) for each in needs)} too"
            raise BadInput("stages", ",".join(stages), accepts)
    cell = md.Cell(md_config(config)) if "md" in stages else None
    with open_run(out) as run:
        run.claim(config)
        claims = config.claims if "claims" in stages else None
        announce(run, cell, claims, stages, progress)
        simulations = Simulations(run, progress)
        result = ChainResult(config.setting, out, manifests=simulations.manifests)
        cv = _simulate(simulations, config, cell, result, stages)
        result.add(judge_records(result.sources, ("md", "step") if {"md", "step"} <= set(result.sources) else None,
                                config.setting))  # fmt: skip
        if "ions" in stages:
            result.verdicts += compare_levels(of_small_step(result.sources), f"{config.setting}, small step")
        if "discover" in stages:
            _discover(simulations, config.seed, result)
        if "circuit" in stages and cv is not None and "cv" in result.laws:
            _circuit(simulations, cv, result)
        result.verdicts += read_claims(out) if claims is None else judge_claims(run, claims, progress=progress)
        result.verdicts = apply_tolerances(result.verdicts, tolerances or {})
        _publish(run, config, cell, result)
    return result


class JudgeConfig(Config):
    """What a judgement's folder is recognised by."""

    records: tuple[str, ...]  # checksums
    seed: int = 0


def judge(
    record: Path, out: Path, reference: Path | None = None, tolerances: Tolerances | None = None, seed: int = 0
) -> ChainResult:
    """Judge a record, whoever made it, and how it agrees with a `reference`; leave verdicts and the report in `out`.

    Each is a record's folder or that of a run.

    Raises
    ------
    BadInput : no record there, or `out` is of something else or cannot be written
    """
    given = [_source(record, "record")] + ([] if reference is None else [_source(reference, "against")])
    sources, first = families(given), given[0]
    with open_run(out) as run:
        config = JudgeConfig(records=tuple(map(_checksum, given)), seed=seed)
        run.claim(config)
        result = ChainResult(" against ".join(dict.fromkeys(each.setting for each in given)), out, sources)
        names = list(sources)
        compared = (names[0], names[1]) if len(names) == 2 else None
        result.add(judge_records(sources, compared, result.setting))
        result.verdicts = apply_tolerances(result.verdicts, tolerances or {})
        for family, made in ((name, _manifest(source)) for name, source in sources.items()):
            result.manifests |= made.get("stages", {family: made} if "wall_s" in made else {})
        network, electrolyte = _known(first)
        facts = Facts(
            setting=result.setting,
            slit=network.slit if network else 0.0,
            seed=seed,
            network=network,
            electrolyte=electrolyte,
            concentration=first.record.metadata.get("concentration_mol_per_m3"),
            lacking=tuple(result.lacking),
            provenance=provenance(seed, result.manifests),
        )
        gather(sources, result.verdicts, facts).write(out)
        publish(out)
        run.conclude(config, seed, {"stages": dict(result.manifests)})
    return result


def _checksum(source: Source) -> str:
    """SHA-256 of a record's files."""
    folder = source.folder or Path()
    place = folder / "record" if (folder / "record" / "record.json").exists() else folder
    return digest([file_checksum(place / name) for name in ("record.json", *(f"{part}.parquet" for part in PARTS))])


def _manifest(source: Source) -> dict[str, Any]:
    """The manifest of the run that left a record; empty if there is none."""
    return read_manifest(source.folder, "record") if source.folder else {}


def _source(folder: Path, option: str) -> Source:
    """The record in a folder that an option names, with its setting in words."""
    folder = run_of(folder)
    try:
        record = TransSlitRecord.read(folder)
    except BadInput as fault:
        raise BadInput(fault.field.replace("record", option, 1), fault.value, fault.accepts) from None
    about = record.metadata
    words = [str(about["electrolyte"])]
    if (amount := about.get("concentration_mol_per_m3")) is not None:
        words[0] += f" {amount / 1000:.6g} M"
    if (network := about.get("network")) is not None:
        words.append(f"d = {network['slit'] * 1e9:g} nm")
    return Source(record, ", ".join(words), folder)


def _known(source: Source) -> tuple[SlitNetwork | None, Electrolyte | None]:
    """Network and electrolyte of a record: from its metadata, and from the manifest of its run."""
    network = source.record.metadata.get("network")
    electrolyte = _manifest(source).get("config", {}).get("electrolyte")
    return (
        None if network is None else SlitNetwork.model_validate(network),
        None if electrolyte is None else Electrolyte.model_validate(electrolyte),
    )


def _simulate(
    simulations: Simulations, config: ValidateConfig, cell: md.Cell | None, result: ChainResult, stages: Sequence[str]
) -> Run | None:
    """Run continuum and atoms; returns the continuum's cyclic voltammogram, if it was run."""
    runs: dict[str, Run] = {}
    if "continuum" in stages:
        if cell is not None:
            runs["step"] = simulations.continuum("continuum-step", matched_step(cell))
        runs["cv"] = simulations.continuum("continuum-cv", cv_config(config))
    if "claims" in stages:  # before the atoms, which may take days
        Evidence(config.claims, simulations.folder, simulations.progress).gather(needed(atoms=False))
    if "ions" in stages:
        small = md.Cell(ions_step(config))
        runs["small"] = simulations.continuum("continuum-small", matched_step(small))
        record = atoms(simulations, "ions", small.config)
        result.sources["ions"] = Source(record, f"{config.setting}, small step", simulations.folder.path / "ions")
    if cell is not None:
        record = atoms(simulations, "md", cell.config)
        result.sources["md"] = Source(record, config.setting, simulations.folder.path / "md")
    for family, run in runs.items():
        result.sources[family] = Source(run.raw, config.setting, run.folder)
    return runs.get("cv")


def _discover(simulations: Simulations, seed: int, result: ChainResult) -> None:
    """Search for the laws of the voltammogram and of the atoms' record."""
    for family, name, source in (("cv", "discover", "continuum-cv"), ("md", "discover-md", "md")):
        if family not in result.sources:
            continue
        rows = table_from_records([result.sources[family].record])
        inputs = {"record": simulations.manifests[source]["digest"]}
        result.laws[family] = simulations.law(name, rows, DiscoveryConfig(seed=seed), inputs)
        check = law if family == "cv" else atomic_law
        result.verdicts += check(result.laws[family], rows, result.sources[family].driven)


def _circuit(simulations: Simulations, cv: Run, result: ChainResult) -> None:
    """Simulate the circuit of the voltammogram with the law, or with equation 1 where no circuit can take the law."""
    drive = TriangularCV.model_validate(cv.raw.metadata["drive"])
    settings = extracted_circuit(cv.raw, drive, cv.ladder)
    chosen = result.laws["cv"] if usable_by_circuit(result.laws["cv"]) else None

    def stage(folder: Path) -> None:
        for model in MODELS:
            write_circuit(folder / model, settings.model_copy(update={"model": model}), chosen)

    inputs = {
        name: simulations.manifests[stage]["digest"]
        for name, stage in (("law", "discover"), ("record", "continuum-cv"))
    }
    folder, simulations.manifests["circuit"] = simulations.folder.stage("circuit", settings, stage, inputs)
    columns = ("time_s", "V_m_V", "phi_m_V", "I_m_A")
    result.circuits = {model: read_table(folder / model / "terminal.parquet", "circuit", columns) for model in MODELS}
    wall_s = {name: simulations.manifests[name]["wall_s"] for name in ("continuum-cv", "circuit")}
    result.verdicts += circuit_cv(
        result.circuits["ncm"], result.circuits["tlm"], cv.raw, wall_s, result.sources["cv"].driven
    )


def _publish(run: RunFolder, config: ValidateConfig, cell: md.Cell | None, result: ChainResult) -> None:
    """Write record, law, verdicts, tables, page and manifest."""
    out = run.path
    if "cv" in result.sources:
        result.sources["cv"].record.write(out / "record")
    if "cv" in result.laws:
        result.laws["cv"].write(out / "law.json")
    facts = Facts(
        setting=config.setting,
        slit=config.slit,
        seed=config.seed,
        preset=config.preset,
        network=config.network,
        electrolyte=config.electrolyte,
        concentration=config.concentration,
        lacking=tuple(result.lacking),
        law=result.laws["cv"].to_json() if "cv" in result.laws else None,
        md_law=result.laws["md"].to_json() if "md" in result.laws else None,
        provenance=provenance(config.seed, result.manifests),
    )
    gather(result.sources, result.verdicts, facts, result.circuits, cell).write(out)
    publish(out)  # from what is on disk, as anybody can
    run.conclude(config, config.seed, {"stages": dict(result.manifests)})
