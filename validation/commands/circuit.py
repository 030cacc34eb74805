"""`transslit circuit`: nano-circuitry and transmission line models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from transslit.drive import TriangularCV
from transslit.errors import BadInput
from validation.commands.common import JsonFlag, OutPath, SeedInt, app


@app.command(
    "circuit",
    epilog="Example: transslit circuit --resistance 5ohm --gamma 0.9 --slit-capacitance 80nF --open-resistance 1ohm"
    " --open-capacitance 10nF --layers 20 --out runs/ncm",
)
def circuit_command(
    law: Annotated[Path | None, typer.Argument(help="law.json, or the folder that holds it.", metavar="[LAW]")] = None,
    resistance: Annotated[str | None, typer.Option(help="R_c of one trans-slit step.")] = None,
    gamma: Annotated[float, typer.Option(help="Share by which a full slit's resistance falls.")] = 0.0,
    slit_capacitance: Annotated[str, typer.Option(help="C_slit.")] = "80nF",
    open_resistance: Annotated[str, typer.Option(help="R_open.")] = "1ohm",
    open_capacitance: Annotated[str, typer.Option(help="C_open.")] = "10nF",
    layers: Annotated[int, typer.Option(help="2D sheets; one more than slits.")] = 20,
    model: Annotated[str, typer.Option(help="ncm or tlm.")] = "ncm",
    scan_rate: Annotated[str, typer.Option(help="Scan rate of the cell voltage.")] = "20mV/us",
    window: Annotated[str, typer.Option(help="Window of the cell voltage.")] = "400mV",
    cycles: Annotated[int, typer.Option(help="CV cycles.")] = 2,
    charge_max: Annotated[
        str | None, typer.Option(help="Charge at which q = 1. Default: slit capacitance times window/2.")
    ] = None,
    points: Annotated[int, typer.Option(help="Output times.")] = 2000,
    export: Annotated[str | None, typer.Option(help="spice, mpt or csv, beside the tables.")] = None,
    out: OutPath = None,
    seed: SeedInt = 0,
    as_json: JsonFlag = False,
) -> int:
    """Predict a cyclic voltammogram with the nano-circuitry (or transmission line) model."""
    from transslit.law import Law
    from transslit.runs import open_run
    from validation.exports import write_circuit

    if (law is None) == (resistance is None):
        raise BadInput("law", law or "none", "give a law.json or --resistance, one of the two")
    found = None if law is None else Law.read(law)
    import circuit

    if export not in (None, "spice", "mpt", "csv"):
        raise BadInput("export", export, "give spice, mpt or csv")
    config = circuit.CircuitConfig.read(
        layers=layers,
        resistance=resistance,
        gamma=gamma,
        slit_capacitance=slit_capacitance,
        open_resistance=open_resistance,
        open_capacitance=open_capacitance,
        charge_max=charge_max,
        drive=TriangularCV.read(scan_rate=scan_rate, window=window, cycles=cycles),
        points=points,
        model=model,
    )
    folder = out or Path("runs/circuit")
    made_from = {"law": found.expression if found else "", "export": export or ""}
    with open_run(folder) as run:
        _, manifest = run.stage("", config, lambda path: write_circuit(path, config, found, export), made_from, seed)
    if as_json:
        print(json.dumps({"out": str(folder), **manifest["summary"]}))
    else:
        from rich.console import Console

        lines = "\n".join(f"{name}: {value:.6g}" for name, value in manifest["summary"].items())
        Console().print(f"{lines}\ntables: {folder}", highlight=False)
    return 0
