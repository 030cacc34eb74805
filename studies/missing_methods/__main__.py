"""`transslit methods`: the claims of the continuum at settings that the paper's text leaves open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from transslit.errors import BadInput
from validation.commands.common import JsonFlag, SchedulerText, WorkersInt, app, decimal, whole

PASSED_ON = (
    "slit_length",
    "edge_gap",
    "ion_diameter",
    "stern_permittivity",
    "sheet_thickness",
    "rate_of",
    "window_of",
)
LEAST, MOST = 32, 2**14  # settings of a sample


@app.command(
    "methods",
    epilog="""Examples:

transslit methods --slit-length 10nm --edge-gap 0.7nm --out runs/setting

transslit methods --sample 128 --refine 32,32 --out runs/methods

transslit sweep methods --vary edge-gap=0.5nm:2nm:7 --out runs/gaps""",
)
def methods_command(
    slit_length: Annotated[str, typer.Option(help="Distance of the mirror planes.")] = "20nm",
    edge_gap: Annotated[str, typer.Option(help="Opening between a sheet's tip and the mirror plane.")] = "1nm",
    ion_diameter: Annotated[str, typer.Option(help="Lattice-gas diameter of every ion.")] = "0.5nm",
    stern: Annotated[str, typer.Option(help="Stern layer's thickness.")] = "0.3nm",
    stern_permittivity: Annotated[float, typer.Option(parser=decimal, help="Its relative permittivity.")] = 78.4,
    sheet_thickness: Annotated[str, typer.Option(help="Thickness of the sheets.")] = "0.34nm",
    rate_of: Annotated[str, typer.Option(help="Whose rate 20 mV/us is: V_m (cell) or phi_m (electrode).")] = "cell",
    window_of: Annotated[str, typer.Option(help="Whose window 400 mV is: V_m (cell) or phi_m (electrode).")] = "cell",
    preset: Annotated[
        str | None,
        typer.Option(
            help="Mesh and time steps: quick or paper as of the claims, or coarse. Default: quick; a sample's coarse."
        ),
    ] = None,
    searched: Annotated[
        bool, typer.Option("--searched", help="Also search for the law, and run the numerical companions.")
    ] = False,
    sample: Annotated[
        int, typer.Option(parser=whole, help="Judge so many settings that fill the box, instead of one.")
    ] = 0,
    refine: Annotated[
        str | None, typer.Option(help="Then so many where most claims should hold, round by round: 32,32.")
    ] = None,
    elements: Annotated[
        bool, typer.Option("--elements", help="Instead, make the circuit's elements over width and operation anew.")
    ] = False,
    workers: WorkersInt = None,
    scheduler: SchedulerText = None,
    out: Annotated[Path | None, typer.Option(help="Folder. The same command with the same folder resumes.")] = None,
    as_json: JsonFlag = False,
) -> int:
    """Judge the continuum's claims at one setting of what the paper's text leaves open, or all over its box."""
    setting = configured(dict(locals())).config
    count, rounds = _count(sample), _rounds(refine)
    folder = out or Path("runs/methods")
    if elements or sample:
        from transslit.executor import executor

        with executor(workers, scheduler) as pool:
            if elements:
                from studies.missing_methods.elements import remake
                from transslit.progress import Progress

                told = remake(folder, pool, progress=Progress())
            else:
                from studies.missing_methods.report import searched_and_told

                told = searched_and_told(folder, pool, count, rounds, setting.preset)
    else:
        from studies.missing_methods.point import JUDGED, judge
        from transslit.files import write_json
        from transslit.runs import open_run

        with open_run(folder):
            row = judge(setting, folder, searched, JUDGED)
            write_json(folder / "methods.json", row)
        missing = [part for part in row["parts"] if part["verdict"] != "reproduced"]
        told = {
            "out": str(folder),
            "not held": {f"{part['id']} {part['title']}": part["value"] for part in missing} | row["failed"],
        }
    print(json.dumps(told) if as_json else "\n".join(_lines(told)))
    return 0


def configured(given: dict[str, Any]) -> Any:
    """The work of a sweep's point: the setting that the command's options, by name, describe.

    Raises
    ------
    BadInput : an option that cannot be used
    """
    from studies.missing_methods.setting import Setting
    from validation.sweep import Work

    if given.get("sample") and (given["searched"] or given["elements"]):
        raise BadInput("sample", given["sample"], "goes without --searched and --elements")
    preset = given["preset"] or ("coarse" if given["sample"] else "quick")
    values = {name: given[name] for name in PASSED_ON}
    setting = Setting.read(stern_thickness=given["stern"], preset=preset, **values)
    return Work(setting)


def _count(sample: int) -> int:
    if sample and not LEAST <= sample <= MOST:
        raise BadInput("sample", sample, f"give {LEAST} to {MOST} settings")
    return sample


def _rounds(text: str | None) -> tuple[int, ...]:
    parts = [part.strip() for part in (text or "").split(",") if part.strip()]
    try:
        rounds = tuple(whole(part) for part in parts)
    except typer.BadParameter as error:
        raise BadInput("refine", text, f"{error}, as 32 or 32,32") from None
    if not all(1 <= count <= MOST for count in rounds):
        raise BadInput("refine", text, f"give 1 to {MOST} settings a round")
    return rounds


def _lines(told: dict[str, Any]) -> list[str]:
    """A summary as lines, what is within it set in."""
    lines = []
    for name, value in told.items():
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {line}" for line in _lines(value))]
        else:
            lines.append(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")
    return lines
