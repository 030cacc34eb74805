"""`transslit continuum`: the modified Poisson-Nernst-Planck equations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from transslit.drive import TriangularCV
from transslit.electrolyte import load_electrolyte
from transslit.errors import BadInput
from transslit.network import SlitNetwork
from validation.commands.common import JsonFlag, MolarText, OutPath, SaltText, SeedInt, SlitText, app, length, run_stage


@app.command("continuum", epilog="Example: transslit continuum --slit 2nm --layers 6 --scan-rate 20mV/us --out runs/cv")
def continuum_command(
    slit: SlitText,
    electrolyte: SaltText = "KCl",
    concentration: MolarText = None,
    layers: Annotated[int, typer.Option(help="2D sheets, the closing wall among them.")] = 6,
    slit_length: Annotated[str, typer.Option(help="Distance of the mirror planes.")] = "20nm",
    edge_gap: Annotated[str, typer.Option(help="Gap between a sheet's edge and the mirror plane.")] = "1nm",
    slat_thickness: Annotated[str, typer.Option(help="Thickness of a sheet, which excludes ions.")] = "0.34nm",
    reservoir: Annotated[str, typer.Option(help="Open space up to the mid-plane.")] = "10nm",
    ion_diameter: Annotated[str | None, typer.Option(help="Lattice-gas diameter of all ions.")] = None,
    stern: Annotated[str, typer.Option(help="Stern layer thickness.")] = "0.3nm",
    stern_model: Annotated[str, typer.Option(help="robin or resolved.")] = "robin",
    temperature: Annotated[str, typer.Option(help="Temperature.")] = "298.15K",
    permittivity: Annotated[float | None, typer.Option(help="Relative permittivity of the solvent.")] = None,
    drive: Annotated[str, typer.Option(help="What is imposed: cv.")] = "cv",
    scan_rate: Annotated[str, typer.Option(help="Scan rate of the cell voltage.")] = "20mV/us",
    window: Annotated[str, typer.Option(help="Window of the cell voltage.")] = "400mV",
    cycles: Annotated[int, typer.Option(help="CV cycles.")] = 1,
    steps: Annotated[int, typer.Option(help="Time steps per cycle.")] = 200,
    out: OutPath = None,
    seed: SeedInt = 0,
    as_json: JsonFlag = False,
) -> int:
    """Run the modified Poisson-Nernst-Planck equations on the network, and reduce them to a record."""
    salt = load_electrolyte(electrolyte)
    if ion_diameter is not None:
        salt = salt.with_diameter(length("ion_diameter", ion_diameter))
    if permittivity is not None:
        salt = salt.with_permittivity(permittivity)
    if drive != "cv":
        raise BadInput("drive", drive, "give cv")
    network = SlitNetwork.read(
        slit=slit,
        layers=layers,
        slit_length=slit_length,
        edge_gap=edge_gap,
        slat_thickness=slat_thickness,
        reservoir=reservoir,
    )
    network.admits(salt)
    import continuum

    config = continuum.ContinuumConfig.read(
        network=network,
        electrolyte=salt,
        concentration=salt.concentration if concentration is None else concentration,
        drive=TriangularCV.read(scan_rate=scan_rate, window=window, cycles=cycles),
        stern_thickness=stern,
        stern_model=stern_model,
        temperature=temperature,
        steps=steps,
    )
    salt.bulk(config.concentration)
    return run_stage(out or Path("runs/continuum"), config, continuum.run, seed, as_json)
