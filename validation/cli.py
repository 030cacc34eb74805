"""The command line: `validate`, and `transslit` with each stage as a command of its own.

Values come as text and meet their units in the configurations; every fault a user can make ends in one
line on standard error and exit code 2. With `--json`, standard output is one JSON object and nothing else.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from transslit.config import Config
from transslit.drive import TriangularCV
from transslit.electrolyte import Electrolyte, load_electrolyte, shipped
from transslit.errors import BadInput, TransslitError
from transslit.network import SlitNetwork
from transslit.progress import Progress
from validation.config import STAGES, ValidateConfig

SlitText = Annotated[str, typer.Option(help="Free width between sheet surfaces, such as 0.59nm.")]
SaltText = Annotated[str, typer.Option(help="Name of a shipped electrolyte, or the path of a TOML file.")]
MolarText = Annotated[str | None, typer.Option(help="Salt concentration, such as 1M. Default: the electrolyte's.")]
OutPath = Annotated[Path | None, typer.Option(help="Run folder. The same command with the same folder resumes.")]
SeedInt = Annotated[int, typer.Option(help="Random seed; the same seed gives the same numbers.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, nothing else.")]
ChargedFlag = Annotated[bool, typer.Option("--allow-charged", help="Accept a salt that is not neutral. Not physical.")]

app = typer.Typer(
    help="Nanoconfined ion transport, from atoms to circuits.", no_args_is_help=True, add_completion=False
)
electrolytes_app = typer.Typer(help="Electrolytes: list, show, check.", no_args_is_help=True)
app.add_typer(electrolytes_app, name="electrolytes")
validate_app = typer.Typer(add_completion=False)


@validate_app.command(epilog="Example: validate --slit 0.59nm --electrolyte KCl --concentration 1M --out runs/first")
def validate(
    slit: SlitText,
    electrolyte: SaltText = "KCl",
    concentration: MolarText = None,
    preset: Annotated[str, typer.Option(help="quick (minutes on two cores) or paper (long; wants a GPU).")] = "quick",
    out: OutPath = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 on an inconclusive required check too.")
    ] = False,
    replicas: Annotated[int, typer.Option(help="Molecular-dynamics replicas.")] = 3,
    stages: Annotated[str, typer.Option(help="Comma-separated stages to run.")] = "md,continuum,discover,circuit",
    seed: SeedInt = 0,
    as_json: JsonFlag = False,
    allow_charged: ChargedFlag = False,
) -> int:
    """Run atoms, continuum, discovery and circuit at one slit size, judge them, and write the report."""
    wanted = tuple(part.strip() for part in stages.split(",") if part.strip())
    if not wanted or set(wanted) - set(STAGES):
        raise BadInput("stages", stages, f"give one or more of {','.join(STAGES)}")
    config = _asked(slit, electrolyte, concentration, preset, replicas, seed, allow_charged)
    from validation.pipeline import validate as run
    from validation.terminal import summary
    from validation.verdict import exit_code

    folder = out or Path("runs") / f"validate-{config.electrolyte.name}-{slit.replace(' ', '')}-{preset}"
    found = run(config, folder, wanted, Progress())
    if as_json:
        print(json.dumps(found.summary))
    else:
        summary(found)
    return exit_code(found.verdicts, strict)


@app.command("md", epilog="Example: transslit md --slit 0.59nm --replicas 3 --out runs/md")
def md_command(
    slit: SlitText,
    electrolyte: SaltText = "KCl",
    concentration: MolarText = None,
    preset: Annotated[str, typer.Option(help="quick or paper.")] = "quick",
    replicas: Annotated[int, typer.Option(help="Independent replicas.")] = 3,
    out: OutPath = None,
    seed: SeedInt = 0,
    as_json: JsonFlag = False,
    allow_charged: ChargedFlag = False,
) -> int:
    """Charge a graphene cell by a step in molecular dynamics, and reduce it to a trans-slit record."""
    asked = _asked(slit, electrolyte, concentration, preset, replicas, seed, allow_charged)
    import md
    from validation.pipeline import md_config

    return _stage(out or Path("runs/md"), md_config(asked), md.run, seed, as_json)


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
        salt = salt.with_diameter(_length("ion_diameter", ion_diameter))
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
    return _stage(out or Path("runs/continuum"), config, continuum.run, seed, as_json)


@app.command("discover", epilog="Example: transslit discover runs/cv --out runs/law")
def discover_command(
    sources: Annotated[
        list[Path], typer.Argument(help="Run folders or records, or one CSV table.", metavar="RECORD...")
    ],
    target: Annotated[str, typer.Option(help="Column to explain.")] = "dphi_V",
    inputs: Annotated[str, typer.Option(help="Comma-separated columns to explain it by.")] = "I_A_per_m,q",
    out: OutPath = None,
    seed: SeedInt = 0,
    as_json: JsonFlag = False,
) -> int:
    """Search for the law behind trans-slit records, or behind a table with units in its column names."""
    import discovery
    from transslit.record import TransSlitRecord
    from transslit.runs import open_run

    names = tuple(name.strip() for name in inputs.split(",") if name.strip())
    if len(sources) == 1 and sources[0].suffix == ".csv":
        table = discovery.read_table(sources[0], target, names)
    else:
        records = [TransSlitRecord.read(source) for source in sources]
        TransSlitRecord.concat(records)  # refuses what must not be mixed
        table = discovery.table_from_records(records)
    config = discovery.DiscoveryConfig.read(target=target, inputs=names, seed=seed)
    folder = out or Path("runs/discover")
    made_from = {"table": _table_digest(table)}
    with open_run(folder) as run:
        run.stage("", config, lambda path: _none(discovery.discover(table, config, path, Progress())), made_from, seed)
    if as_json:
        print((folder / "law.json").read_text(encoding="utf-8"), end="")
    else:
        from transslit.law import Law
        from validation.terminal import law

        law(Law.read(folder))
        print(f"law and front: {folder}")
    return 0


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


@app.command("report", epilog="Example: transslit report runs/first")
def report_command(
    folder: Annotated[Path, typer.Argument(help="Run folder of a finished validation.")],
    as_json: JsonFlag = False,
) -> int:
    """Say what a finished run found, and where its report is."""
    from transslit.runs import read_json

    verdicts = read_json(folder / "verdicts.json")
    if verdicts is None:
        raise BadInput("folder", folder, "holds no verdicts.json; give the folder of a finished validation")
    if as_json:
        print(json.dumps({"verdicts": verdicts, "report": str(folder / "report.html")}))
    else:
        from validation.terminal import table

        table(verdicts, folder)
    return 0


@electrolytes_app.command("list", epilog="Example: transslit electrolytes list")
def electrolytes_list(as_json: JsonFlag = False) -> int:
    """Names of the shipped electrolytes."""
    titles = {name: load_electrolyte(name).title for name in shipped()}
    print(json.dumps(titles) if as_json else "\n".join(f"{name:8} {title}" for name, title in titles.items()))
    return 0


@electrolytes_app.command("show", epilog="Example: transslit electrolytes show KCl")
def electrolytes_show(name: str, as_json: JsonFlag = False) -> int:
    """One electrolyte: every value with its source, and what follows from them."""
    from validation.terminal import electrolyte

    salt = load_electrolyte(name)
    if as_json:
        print(json.dumps(salt.model_dump(mode="json")))
    else:
        electrolyte(salt)
    return 0


@electrolytes_app.command("check", epilog="Example: transslit electrolytes check my.toml")
def electrolytes_check(file: str) -> int:
    """Read an electrolyte's file and say whether it can be used."""
    salt: Electrolyte = load_electrolyte(file)
    salt.bulk()
    print(
        f"{salt.name}: {', '.join(salt.names)}; neutral; packs below close packing at {salt.concentration / 1000:g} M"
    )
    return 0


def _asked(
    slit: str, electrolyte: str, concentration: str | None, preset: str, replicas: int, seed: int, allow_charged: bool
) -> ValidateConfig:
    """The configuration that the options of `validate` and `transslit md` share, checked."""
    salt = load_electrolyte(electrolyte, allow_charged=allow_charged)
    config = ValidateConfig.read(
        slit=slit,
        electrolyte=salt,
        concentration=salt.concentration if concentration is None else concentration,
        preset=preset,
        replicas=replicas,
        seed=seed,
    )
    config.check()
    return config


def _stage(folder: Path, config: Config, run: Any, seed: int, as_json: bool) -> int:
    """Run one simulation into `folder` and say what it left."""
    from transslit.record import TransSlitRecord
    from transslit.runs import open_run

    with open_run(folder) as opened:
        _, manifest = opened.stage("", config, lambda path: _none(run(config, path, Progress())), seed=seed)
    record = TransSlitRecord.read(folder)
    rows = {name: len(getattr(record, name)) for name in ("crossings", "slits", "terminal")}
    if as_json:
        print(json.dumps({"out": str(folder), "rows": rows, "wall_s": manifest["wall_s"]}))
    else:
        print(f"record: {folder / 'record'} ({rows['crossings']} crossings, {rows['slits']} slit states)")
    return 0


def _none(_: object) -> None:
    """Drop a stage's return value: what it made is in its folder."""


def _length(field: str, text: str) -> float:
    from transslit.units import parse

    try:
        return parse(text, "length")
    except ValueError as error:
        raise BadInput(field, text, str(error)) from None


def _table_digest(table: Any) -> str:
    import hashlib

    import pandas as pd

    return hashlib.sha256(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes()).hexdigest()


def _run(program: typer.Typer, name: str) -> int:
    """Run a command line and turn every fault into one line and an exit code."""
    warnings.filterwarnings("ignore")
    logging.getLogger().setLevel(logging.ERROR)
    try:
        code = program(standalone_mode=False, prog_name=name)
        return code if isinstance(code, int) else 0
    except TransslitError as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"{name}: interrupted; the same command resumes", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1
    except Exception as error:
        message = getattr(error, "format_message", None)
        if message is None:
            raise
        print(f"{name}: error: {' '.join(str(message()).split())}", file=sys.stderr)
        return BadInput.exit_code


def main() -> None:
    """Entry point of `transslit`."""
    sys.exit(_run(app, "transslit"))


def validate_main() -> None:
    """Entry point of `validate`."""
    sys.exit(_run(validate_app, "validate"))
