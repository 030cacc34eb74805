"""The chain: atoms and continuum, driven alike -> records -> cross-check -> law -> circuit -> report.

Each stage is a function of a frozen configuration in a subfolder of the run (`transslit.runs`), so a run
that was killed continues where it was, and a finished stage is read back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

import md
from circuit import CircuitConfig, Table
from continuum import ContinuumConfig, LadderParameters, extract
from continuum import run as run_continuum
from continuum.tables import capacitance_tables
from discovery import DiscoveryConfig, discover, table_from_records
from transslit import ChargeStep, Law, SlitNetwork, TransSlitRecord, TriangularCV
from transslit.progress import Progress
from transslit.runs import RunFolder, open_run
from validation import crosscheck, scaling, verification
from validation.claims.config import ClaimsConfig
from validation.claims.evidence import Evidence
from validation.claims.stage import judge_claims, needed, read_claims
from validation.config import ValidateConfig, at_preset
from validation.exports import read_terminal, write_circuit
from validation.plan import announce
from validation.tolerances import Tolerances, apply_tolerances
from validation.verdict import Verdict

STEP_DURATION = 2e-9  # s; the continuum fills with its Debye time of some 0.05 ns, longer than atoms are followed


@dataclass
class Findings:
    """All that the report shows; what was not run is None."""

    config: ValidateConfig
    setting: str
    folder: Path
    cell: md.Cell
    network: SlitNetwork
    atoms: TransSlitRecord | None = None
    step: TransSlitRecord | None = None
    cv: TransSlitRecord | None = None
    law: Law | None = None
    md_law: Law | None = None
    ladder: LadderParameters | None = None
    ncm: pd.DataFrame | None = None
    tlm: pd.DataFrame | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    manifests: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def summary(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "setting": self.setting,
            "out": str(self.folder),
            "verdicts": [verdict.row() for verdict in self.verdicts],
            "law": None if self.law is None else self.law.expression,
            "wall_s": {name: manifest["wall_s"] for name, manifest in self.manifests.items()},
        }


def validate(
    config: ValidateConfig,
    out: Path,
    stages: tuple[str, ...] | None = None,
    progress: Progress | None = None,
    tolerances: Tolerances | None = None,
) -> Findings:
    """Run the chain into `out` and write record, law, verdicts, report and manifest there.

    `stages` are the configuration's own when left out; `tolerances` take the place of those of the checks they name.

    Raises
    ------
    BadInput : the input cannot be used, or `out` holds another configuration or is in use
    StageFailed : a stage broke down; what it had reached is kept
    """
    progress, stages = progress or Progress(), stages or config.stages
    molecular = md_config(config)
    cell = md.Cell(molecular)
    found = Findings(config, config.setting, out, cell, config.network)
    with open_run(out) as run:
        run.claim(config)
        claims = _claims_config(config) if "claims" in stages else None
        announce(run, cell, claims, stages, progress)
        if "continuum" in stages:
            _continuum(run, config, found, progress)
        if claims is not None:  # before the atoms, which may take days
            Evidence(claims, run, progress).gather(needed(atoms=False))
        if "md" in stages:
            _md(run, molecular, found, progress)
        _judge_records(found)
        if "discover" in stages:
            _discover(run, config, found, progress)
        if "circuit" in stages:
            _circuit(run, found, progress)
        _claims(run, found, progress, claims)
        found.verdicts = apply_tolerances(found.verdicts, tolerances or {})
        _publish(run, found)
    return found


def md_config(config: ValidateConfig, **changes: Any) -> md.MDConfig:
    """Configuration of the atoms; `changes` are other fields of `MDConfig`, as SI numbers or text with units."""
    preset = {"quick": md.quick, "paper": md.paper}[config.preset]
    settings = {"seed": config.seed, "replicas": config.replicas, **changes}
    return preset(config.slit, config.electrolyte, config.concentration, **settings)


def matched_step(config: md.MDConfig, cell: md.Cell) -> ContinuumConfig:
    """The continuum run of the atoms' own cell: geometry, sheet charge and ion numbers."""
    return ContinuumConfig(
        network=cell.network,
        electrolyte=config.electrolyte,
        concentration=cell.initial_concentration,
        drive=ChargeStep(sigma=cell.sheet_charge, duration=STEP_DURATION),
        record_growth=1.05,
        cell="full",
    )


def cv_config(config: ValidateConfig) -> ContinuumConfig:
    """The continuum CV of the preset's network at the asked slit."""
    cycle = ContinuumConfig(
        network=config.network,
        electrolyte=config.electrolyte,
        concentration=config.concentration,
        drive=TriangularCV(),
        steps=400,
        scheme="bdf2",  # the circuit is to meet the equations, not the error of their time steps
    )
    return at_preset(cycle, config.preset)


def _md(run: RunFolder, config: md.MDConfig, found: Findings, progress: Progress) -> None:
    def stage(folder: Path) -> None:
        md.run(config, folder, progress)

    folder, found.manifests["md"] = run.stage("md", config, stage, seed=config.seed)
    found.atoms = TransSlitRecord.read(folder)


def _continuum(run: RunFolder, config: ValidateConfig, found: Findings, progress: Progress) -> None:
    for name, settings in (
        ("continuum-step", matched_step(md_config(config), found.cell)),
        ("continuum-cv", cv_config(config)),
    ):

        def stage(folder: Path, settings: ContinuumConfig = settings) -> None:
            run_continuum(settings, folder, progress)

        folder, found.manifests[name] = run.stage(name, settings, stage)
        record = TransSlitRecord.read(folder)
        if name == "continuum-step":
            found.step = record
        else:
            found.cv = record
            found.ladder = extract(record)


def _judge_records(found: Findings) -> None:
    where, seed = found.setting, found.config.seed
    if found.atoms is not None:
        found.verdicts += verification.molecular(found.atoms, found.folder / "md", found.config.concentration, where)
    for record, name in ((found.step, "charge step"), (found.cv, "CV")):
        if record is not None:
            found.verdicts += verification.continuum(record, f"{where}, {name}")
    if found.atoms is not None:
        found.verdicts += crosscheck.mechanism(found.atoms, "A", f"{where}, charge step", seed=seed)
        found.verdicts.append(crosscheck.residual(found.atoms, where, seed))
    if found.step is not None:
        found.verdicts += crosscheck.mechanism(found.step, "B", f"{where}, charge step")
    if found.cv is not None:
        found.verdicts += crosscheck.mechanism(found.cv, "C", f"{where}, CV", required=True)
    if found.atoms is not None and found.step is not None:
        found.verdicts += crosscheck.md_against_continuum(found.atoms, found.step, where, seed)


def _discover(run: RunFolder, config: ValidateConfig, found: Findings, progress: Progress) -> None:
    for name, record in (("discover", found.cv), ("discover-md", found.atoms)):
        if record is None:
            continue
        source = "continuum-cv" if name == "discover" else "md"
        rows, settings = table_from_records([record]), DiscoveryConfig(seed=config.seed)

        def stage(folder: Path, rows: pd.DataFrame = rows, settings: DiscoveryConfig = settings) -> None:
            discover(rows, settings, folder, progress)

        inputs = {"record": found.manifests[source]["digest"]}
        folder, found.manifests[name] = run.stage(name, settings, stage, inputs, seed=config.seed)
        law = Law.read(folder)
        if name == "discover":
            found.law = law
            found.verdicts += scaling.law(law, rows, f"{found.setting}, CV")
        else:
            found.md_law = law
            found.verdicts += scaling.atomic_law(law, rows, f"{found.setting}, charge step")


def _circuit(run: RunFolder, found: Findings, progress: Progress) -> None:
    if found.cv is None or found.law is None or found.ladder is None:
        return
    ladder, tables = found.ladder, capacitance_tables(found.cv, found.ladder)
    settings = CircuitConfig(
        layers=found.network.layers,
        resistance=ladder.resistance,
        gamma=ladder.gamma,
        slit_capacitance=ladder.slit_capacitance,
        capacitance_table=tuple(Table(over="potential", **table.model_dump()) for table in tables.slits),
        open_resistance=ladder.open_resistance,
        open_capacitance=ladder.open_capacitance,
        open_capacitance_table=Table(over="potential", **tables.open_space.model_dump()),
        charge_max=ladder.charge_max,
        half_entrance_resistor=ladder.half_entrance_resistor,
        drive=TriangularCV.model_validate(found.cv.metadata["drive"]),
    )
    law = found.law if scaling.drives(found.law) else None  # else equation 1, as the ladder was fitted

    def stage(folder: Path) -> None:
        for model in ("ncm", "tlm"):
            write_circuit(folder / model, settings.model_copy(update={"model": model}), law)

    inputs = {"law": found.manifests["discover"]["digest"], "record": found.manifests["continuum-cv"]["digest"]}
    folder, found.manifests["circuit"] = run.stage("circuit", settings, stage, inputs)
    found.ncm, found.tlm = (read_terminal(folder / model) for model in ("ncm", "tlm"))
    found.verdicts += scaling.circuit(found.ncm, found.tlm, found.cv, found.manifests, f"{found.setting}, CV")


def _claims_config(config: ValidateConfig) -> ClaimsConfig:
    return ClaimsConfig(**{name: getattr(config, name) for name in ClaimsConfig.model_fields})


def _claims(run: RunFolder, found: Findings, progress: Progress, config: ClaimsConfig | None) -> None:
    """Judge the paper's claims, or without `config` take those that were judged in this folder before."""
    if config is None:
        found.verdicts += read_claims(run.path)
        return
    found.verdicts += judge_claims(run, config, progress=progress)


def _publish(run: RunFolder, found: Findings) -> None:
    from validation.material import gather
    from validation.provenance import provenance
    from validation.report import publish

    out = run.path
    if found.cv is not None:
        found.cv.write(out / "record")
    if found.law is not None:
        found.law.write(out / "law.json")
    gather(found, provenance(found.config, found.manifests)).write(out)
    publish(out)  # from what is on disk, as anybody can
    run.conclude(found.config, found.config.seed, {"stages": found.manifests})
