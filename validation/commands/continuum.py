"""`transslit continuum`: the modified Poisson-Nernst-Planck equations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from transslit.drive import ChargeRamp, ChargeStep, Galvanostatic, PotentialStep, SmoothedCV, TriangularCV
from transslit.errors import BadInput
from transslit.library import load_electrolyte
from transslit.network import SlitNetwork
from transslit.units import parse
from validation.commands.common import (
    JsonFlag,
    MolarText,
    OutPath,
    SaltText,
    SeedInt,
    SlitText,
    app,
    decimal,
    length,
    refuse_others,
    run_stage,
    whole,
)

# What each drive is made of: the options that it takes, and those that it needs.
DRIVES: dict[str, tuple[type, tuple[str, ...], tuple[str, ...]]] = {
    "cv": (TriangularCV, ("scan_rate", "window", "cycles"), ()),
    "smoothed-cv": (SmoothedCV, ("scan_rate", "window", "cycles", "smoothing"), ()),
    "potential-step": (PotentialStep, ("voltage", "duration", "rest"), ("voltage", "duration")),
    "galvanostatic": (Galvanostatic, ("current", "upper", "lower", "cycles"), ("current",)),
    "charge-step": (ChargeStep, ("sigma", "duration"), ("sigma", "duration")),
    "charge-ramp": (ChargeRamp, ("sigma", "duration", "ramp"), ("sigma", "duration", "ramp")),
}

# Options that are fields of the configuration by the same name.
PASSED_ON = ["stern_model", "temperature", "steps", "stepping", "scheme", "until_periodic", "refinement", "store_every"]


@app.command("continuum", epilog="Example: transslit continuum --slit 2nm --layers 6 --scan-rate 20mV/us --out runs/cv")
def continuum_command(
    slit: SlitText,
    electrolyte: SaltText = "KCl",
    concentration: MolarText = None,
    layers: Annotated[int, typer.Option(parser=whole, help="2D sheets, the closing wall among them.")] = 6,
    slit_length: Annotated[str, typer.Option(help="Distance of the mirror planes.")] = "20nm",
    edge_gap: Annotated[str, typer.Option(help="Gap between a sheet's edge and the mirror plane.")] = "1nm",
    sheet_thickness: Annotated[str, typer.Option(help="Thickness of a sheet, which excludes ions.")] = "0.34nm",
    reservoir_length: Annotated[str, typer.Option(help="Open space up to the mid-plane.")] = "10nm",
    ion_diameter: Annotated[str | None, typer.Option(help="Lattice-gas diameter of all ions.")] = None,
    stern_thickness: Annotated[str, typer.Option(help="Stern layer thickness.")] = "0.3nm",
    stern_model: Annotated[str, typer.Option(help="robin or resolved.")] = "robin",
    temperature: Annotated[str | None, typer.Option(help="Temperature. Default: the electrolyte's.")] = None,
    permittivity: Annotated[
        float | None, typer.Option(parser=decimal, help="Relative permittivity of the solvent.")
    ] = None,
    drive: Annotated[str, typer.Option(help=f"What is imposed: {', '.join(DRIVES)}.")] = "cv",
    scan_rate: Annotated[str, typer.Option(help="Scan rate of the cell voltage.")] = "20mV/us",
    window: Annotated[str, typer.Option(help="Window of the cell voltage.")] = "400mV",
    cycles: Annotated[int, typer.Option(parser=whole, help="Cycles of a CV or of a galvanostatic drive.")] = 1,
    smoothing: Annotated[
        float, typer.Option(parser=decimal, help="smoothed-cv: span of the mean over V_m, in half-periods.")
    ] = 0.1,
    voltage: Annotated[str | None, typer.Option(help="potential-step: cell voltage V_m, such as 400mV.")] = None,
    duration: Annotated[str | None, typer.Option(help="Steps and ramps: time at the final value, such as 1us.")] = None,
    rest: Annotated[str, typer.Option(help="potential-step: time at 0 V afterwards.")] = "0s",
    current: Annotated[str | None, typer.Option(help="galvanostatic: current per depth, such as 50mA/m.")] = None,
    upper: Annotated[str, typer.Option(help="galvanostatic: V_m at which discharge begins.")] = "400mV",
    lower: Annotated[str, typer.Option(help="galvanostatic: V_m at which charge begins again.")] = "0V",
    charge: Annotated[str | None, typer.Option(help="charge-step, -ramp: per sheet, such as 0.25C/m^2.")] = None,
    ramp: Annotated[str | None, typer.Option(help="charge-ramp: time in which the charge grows.")] = None,
    steps: Annotated[int, typer.Option(parser=whole, help="Time steps per CV cycle.")] = 200,
    stepping: Annotated[str, typer.Option(help="fixed or adaptive; all but CVs adapt.")] = "fixed",
    scheme: Annotated[str | None, typer.Option(help="euler or bdf2. Default: bdf2 where a CV adapts.")] = None,
    until_periodic: Annotated[
        float | None,
        typer.Option(parser=decimal, help="Stop after a cycle that changes the state by less, in kT/e and bulk c."),
    ] = None,
    refinement: Annotated[float, typer.Option(parser=decimal, help="Divides every cell of the mesh.")] = 1.0,
    store_every: Annotated[
        int, typer.Option(parser=whole, help="Keep every so many frames of the fields, and the last.")
    ] = 1,
    figures: Annotated[bool, typer.Option("--figures", help="Also draw the run, as PNG in OUT/figures.")] = False,
    out: OutPath = None,
    seed: SeedInt = 0,
    as_json: JsonFlag = False,
) -> int:
    """Run the modified Poisson-Nernst-Planck equations on the network, and reduce them to a record."""
    config = configured(dict(locals()))
    import continuum

    folder = out or Path("runs/continuum")
    code = run_stage(folder, config, continuum.run, seed, as_json)
    if figures:
        from continuum.figures import draw

        draw(folder)
    return code


def configured(given: dict[str, Any]) -> Any:
    """The configuration that the command's options, by name, describe.

    Raises
    ------
    BadInput : an option that cannot be used
    """
    salt = load_electrolyte(given["electrolyte"])
    if given["ion_diameter"] is not None:
        salt = salt.with_diameter(length("ion_diameter", given["ion_diameter"]))
    if given["permittivity"] is not None:
        salt = salt.with_permittivity(given["permittivity"])
    if given["temperature"] is None:
        given = given | {"temperature": salt.temperature}
    imposed = read_drive(given["drive"], given | {"sigma": given["charge"]})
    network = SlitNetwork.read(**{name: given[name] for name in SlitNetwork.model_fields})
    network.admits(salt)
    import continuum

    config = continuum.ContinuumConfig.read(
        network=network,
        electrolyte=salt,
        concentration=salt.concentration if given["concentration"] is None else given["concentration"],
        drive=imposed,
        cell="full" if isinstance(imposed, ChargeStep) else "half",
        stern_thickness=given["stern_thickness"],
        **{name: given[name] for name in PASSED_ON},
    )
    salt.bulk(config.concentration)
    salt.admits_temperature(config.temperature)
    return config


def read_drive(kind: str, given: dict[str, Any]) -> Any:
    """The drive `kind` from the options that concern it.

    Raises
    ------
    BadInput : no such drive, an option that it needs is missing, or a value that it refuses
    """
    if kind not in DRIVES:
        raise BadInput("drive", kind, f"give {', '.join(DRIVES)}")
    made, takes, needs = DRIVES[kind]
    options = {name: ["charge" if taken == "sigma" else taken for taken in DRIVES[name][1]] for name in DRIVES}
    refuse_others(continuum_command, given, kind, options)
    for name in needs:
        if given[name] is None:
            option = "charge" if name == "sigma" else name
            raise BadInput(option, "missing", f"a {kind} drive needs --{option}")
    values = {name: given[name] for name in takes}
    for name, (option, quantity) in {
        "current": ("current", "current per depth"),
        "sigma": ("charge", "surface charge"),
    }.items():
        if name in values:
            try:
                values[name] = parse(values[name], quantity)
            except ValueError as error:
                raise BadInput(option, values[name], str(error)) from None
    return made.read(**values)  # type: ignore[attr-defined]
