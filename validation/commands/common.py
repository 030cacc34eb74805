"""What the commands share: options, the application, and how a stage is run and reported."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from transslit.config import Config
from transslit.errors import BadInput
from transslit.library import load_electrolyte
from transslit.progress import Progress
from transslit.units import MINUS, number
from validation.presets import ValidateConfig


def whole(text: str | int) -> int:
    """A whole number option: digits 0 to 9 alone, where Python's own `int` takes 1_0 and the digits of all scripts."""
    if isinstance(text, str):
        decimal(text)
        if not text.strip().lstrip(f"+-{MINUS}").isdigit():
            raise typer.BadParameter(f"{text}: give a whole number")
        text = text.replace(MINUS, "-")
    return int(text)


def decimal(text: str | float) -> float:
    """A number option without a unit."""
    try:
        return number(text) if isinstance(text, str) else float(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text}: {error}") from None


SlitText = Annotated[str, typer.Option(help="Free width between sheet surfaces, such as 0.59nm.")]
SaltText = Annotated[str, typer.Option(help="Name of a shipped electrolyte, or the path of a TOML file.")]
MolarText = Annotated[str | None, typer.Option(help="Salt concentration, such as 1M. Default: the electrolyte's.")]
OutPath = Annotated[Path | None, typer.Option(help="Run folder. The same command with the same folder resumes.")]
SeedInt = Annotated[int, typer.Option(parser=whole, help="Random seed; the same seed gives the same numbers.")]
ReplicasInt = Annotated[
    int | None, typer.Option(parser=whole, help="Molecular-dynamics replicas. Default: 3, or 8 with the paper preset.")
]
WorkersInt = Annotated[
    int | None,
    typer.Option(parser=whole, help="Processes of this machine that share the work; the result is the same."),
]
SchedulerText = Annotated[
    str | None, typer.Option(help="Dask scheduler whose workers are to do it, as tcp://host:8786.")
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, nothing else.")]
ChargedFlag = Annotated[bool, typer.Option("--allow-charged", help="Accept a salt that is not neutral (not physical).")]

# Of a record's metadata, what its manifest says too.
CONTINUED = ("continued_from_state", "equilibrium_continued_from_state")

app = typer.Typer(
    help="Nanoconfined ion transport, from atoms to circuits.", no_args_is_help=True, add_completion=False
)


def asked(
    slit: str,
    electrolyte: str,
    concentration: str | None,
    preset: str,
    replicas: int | None,
    seed: int,
    allow_charged: bool,
) -> ValidateConfig:
    """The configuration that the options of `validate` and `transslit md` share, checked."""
    salt = load_electrolyte(electrolyte, allow_charged=allow_charged)
    config = ValidateConfig.read(
        slit=slit,
        electrolyte=salt,
        concentration=salt.concentration if concentration is None else concentration,
        preset=preset,
        replicas=(8 if preset == "paper" else 3) if replicas is None else replicas,
        seed=seed,
    )
    config.check()
    return config


def refuse_others(
    command: Callable[..., int], given: Mapping[str, Any], drive: str, takes: Mapping[str, Sequence[str]]
) -> None:
    """Refuse options, by name, that are given and that `drive` does not take; `takes` says which each drive does.

    Raises
    ------
    BadInput : names the option, and the drives that would take it
    """
    defaults = {name: parameter.default for name, parameter in inspect.signature(command).parameters.items()}
    for name in dict.fromkeys(option for options in takes.values() for option in options):
        if name not in takes[drive] and given[name] != defaults[name]:
            takers = ", ".join(kind for kind, options in takes.items() if name in options)
            raise BadInput(name, given[name], f"a {drive} drive does not take it ({takers} would)")


def run_stage(folder: Path, config: Config, run: Any, seed: int, as_json: bool) -> int:
    """Run one simulation into `folder` and say what it left."""
    from transslit.record import TransSlitRecord
    from transslit.runs import open_run

    with open_run(folder) as opened:

        def stage(path: Path) -> dict[str, Any]:
            metadata = run(config, path, Progress()).metadata
            return {key: metadata[key] for key in CONTINUED if key in metadata}

        _, manifest = opened.stage("", config, stage, seed=seed)
    record = TransSlitRecord.read(folder)
    rows = {name: len(getattr(record, name)) for name in ("crossings", "slits", "terminal")}
    if as_json:
        print(json.dumps({"out": str(folder), "rows": rows, "wall_s": manifest.get("wall_s")}))
    else:
        print(f"record: {folder / 'record'} ({rows['crossings']} crossings, {rows['slits']} slit states)")
    return 0


def length(field: str, text: str) -> float:
    """A length option in m; `BadInput` names the option."""
    from transslit.units import parse

    try:
        return parse(text, "length")
    except ValueError as error:
        raise BadInput(field, text, str(error)) from None
