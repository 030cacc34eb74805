"""`transslit md`: the atoms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from transslit.errors import BadInput
from transslit.executor import Inline, executor
from transslit.progress import Progress
from transslit.record import TransSlitRecord
from validation.commands.common import (
    ChargedFlag,
    JsonFlag,
    MolarText,
    OutPath,
    ReplicasInt,
    SaltText,
    SchedulerText,
    SeedInt,
    SlitText,
    WorkersInt,
    app,
    asked,
    decimal,
    run_stage,
    whole,
)

# The options that each drive takes.
DRIVES = {
    "charge-step": ("charge_per_carbon", "duration"),
    "charge-ramp": ("charge_per_carbon", "ramp", "duration"),
    "charge-pulse": ("charge_per_carbon", "duration", "rest"),
    "potential-step": ("voltage", "duration", "rest"),
    "cv": ("scan_rate", "window", "cycles"),
}

# The options that are those of `validate`.
SHARED = ("slit", "electrolyte", "concentration", "preset", "replicas", "seed", "allow_charged")

Text = str | None


@app.command(
    "md", epilog="Example: transslit md --slit 0.59nm --drive charge-ramp --ramp 20ps --duration 10ps --out runs/ramp"
)
def md_command(
    slit: SlitText,
    electrolyte: SaltText = "KCl",
    concentration: MolarText = None,
    preset: Annotated[str, typer.Option(help="quick or paper.")] = "quick",
    replicas: ReplicasInt = None,
    drive: Annotated[str, typer.Option(help=f"What is imposed: {', '.join(DRIVES)}.")] = "charge-step",
    charge_per_carbon: Annotated[Text, typer.Option(help="charge-*: final charge, such as 0.041e.")] = None,
    ramp: Annotated[Text, typer.Option(help="charge-ramp: time in which the charge grows (20ps).")] = None,
    duration: Annotated[Text, typer.Option(help="Steps and ramps: time at the final value (10ps).")] = None,
    rest: Annotated[
        Text, typer.Option(help="charge-pulse (10ps), potential-step (0ps): time at zero after it.")
    ] = None,
    voltage: Annotated[Text, typer.Option(help="potential-step: voltage between the electrodes (2V).")] = None,
    scan_rate: Annotated[Text, typer.Option(help="cv: scan rate of that voltage (0.1V/ps).")] = None,
    window: Annotated[Text, typer.Option(help="cv: the voltage at which it turns (2V).")] = None,
    cycles: Annotated[int | None, typer.Option(parser=whole, help="cv: how many cycles (1).")] = None,
    friction: Annotated[
        float | None,
        typer.Option(parser=decimal, help="Langevin friction in 1/ps (5 for charge-step and -pulse, else 1)."),
    ] = None,
    platform: Annotated[str, typer.Option(help="auto (CUDA, OpenCL, CPU in turn) or one of them.")] = "auto",
    remake_equilibrium: Annotated[
        Path | None, typer.Option(help="Only make the uncharged start afresh, as PATH.npz and PATH.json; no charging.")
    ] = None,
    workers: WorkersInt = 1,
    scheduler: SchedulerText = None,
    out: OutPath = None,
    seed: SeedInt = 0,
    as_json: JsonFlag = False,
    allow_charged: ChargedFlag = False,
) -> int:
    """Charge a graphene cell in molecular dynamics, and reduce it to a trans-slit record."""
    config = configured(dict(locals()))
    if remake_equilibrium is not None:
        return _remake(config, remake_equilibrium, as_json)
    import md

    def shared(config: md.MDConfig, folder: Path, progress: Progress) -> TransSlitRecord:
        with executor(workers, scheduler) as pool:
            return md.run(config, folder, progress, None if isinstance(pool, Inline) else pool)

    return run_stage(out or Path("runs/md"), config, shared, seed, as_json)


def configured(given: dict[str, Any]) -> Any:
    """The configuration that the command's options, by name, describe.

    Raises
    ------
    BadInput : an option that cannot be used, or that the drive does not take
    """
    drive = given["drive"]
    if drive not in DRIVES:
        raise BadInput("drive", drive, f"give {', '.join(DRIVES)}")
    changes = {name: given[name] for takes in DRIVES.values() for name in takes if given[name] is not None}
    for name in changes:
        if name not in DRIVES[drive]:
            takers = ", ".join(kind for kind, takes in DRIVES.items() if name in takes)
            raise BadInput(name, changes[name], f"a {drive} drive does not take it ({takers} would)")
    if given["friction"] is not None:
        changes["friction"] = given["friction"]
    wanted = asked(**{name: given[name] for name in SHARED})
    from validation.presets import md_config

    return md_config(wanted, drive=drive, platform=given["platform"], **changes)


def _remake(config: Any, path: Path, as_json: bool) -> int:
    """Make the equilibrium in a working folder beside `path`, from which a killed command goes on."""
    import md
    from transslit.runs import open_run

    with open_run(md.equilibrium_work(path)) as opened:
        opened.claim(config)
        found = md.remake_equilibrium(config, path, Progress())
    drift = found.provenance["drift_in_words"]
    files = [str(path.with_name(path.name + suffix)) for suffix in (".npz", ".json")]
    print(json.dumps({"files": files, "drift": drift}) if as_json else f"{' and '.join(files)}: {drift}")
    return 0
