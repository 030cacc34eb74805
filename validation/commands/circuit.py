"""`transslit circuit`: nano-circuitry and transmission line models."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from transslit.errors import BadInput
from transslit.files import read_json
from transslit.units import MINUS, number
from validation.commands.common import JsonFlag, OutPath, SeedInt, app, decimal, refuse_others, whole

DRIVES: dict[str, tuple[str, ...]] = {  # and the options that each takes
    "cv": ("scan_rate", "window", "cycles"),
    "smoothed-cv": ("scan_rate", "window", "cycles", "smoothing"),
    "rates": ("scan_rate", "window", "cycles"),
    "potential-step": ("window", "duration"),
    "galvanostatic": ("current", "window", "lower", "cycles"),
    "power": ("power", "window", "lower", "cycles"),
    "table": ("drive_table",),
}
ELEMENTS = (
    "resistance",
    "gamma",
    "slit_capacitance",
    "open_resistance",
    "open_capacitance",
    "charge_max",
    "layers",
)
PASSED_ON = ("polarity", "initial_voltage", "points", "model")  # fields of the configuration by the same name
BY_SLIT = (  # options whose values --slit gives
    "law",
    "electrode",
    "resistance",
    "gamma",
    "slit_capacitance",
    "open_resistance",
    "open_capacitance",
    "charge_max",
)
WHOLE = re.compile(rf"[+\-{MINUS}]?[0-9]*")
LISTED = ("resistance", "gamma", "slit_capacitance", "charge_max")  # one value, or one for each slit


@app.command(
    "circuit",
    epilog="""Examples:

transslit circuit --resistance 5ohm --gamma 0.9 --layers 20 --export spice --out runs/ncm

transslit circuit --slit 2.4nm --layers 6 --cycles 1 --out runs/no-mpnp

transslit circuit --resistance 5ohm --gamma 0.6 --drive galvanostatic --current 5mA --out runs/gcd

transslit circuit --resistance 5ohm --impedance 1kHz:1GHz --bias 0.2V --out runs/eis

transslit circuit --resistance 2ohm --fit measured.mpt --out runs/fit

transslit circuit --figure ED12 --out runs/figures""",
)
def circuit_command(
    law: Annotated[Path | None, typer.Argument(help="law.json, or the folder that holds it.", metavar="[LAW]")] = None,
    slit: Annotated[
        str | None,
        typer.Option(help="Slit width (1nm to 5nm): every element from fitted continuum runs, per metre of depth."),
    ] = None,
    concentration: Annotated[str, typer.Option(help="Of KCl, 0.1M to 2M (with --slit).")] = "1M",
    resistance: Annotated[
        str | None, typer.Option(help="R_c of one trans-slit step; with commas, slit by slit.")
    ] = None,
    gamma: Annotated[str, typer.Option(help="Share by which a full slit's resistance falls.")] = "0",
    slit_capacitance: Annotated[str, typer.Option(help="C_slit; with commas, slit by slit.")] = "80nF",
    open_resistance: Annotated[str, typer.Option(help="R_open.")] = "1ohm",
    open_capacitance: Annotated[str, typer.Option(help="C_open.")] = "10nF",
    layers: Annotated[int, typer.Option(parser=whole, help="2D sheets; one more than slits.")] = 20,
    model: Annotated[str, typer.Option(help="ncm or tlm.")] = "ncm",
    electrode: Annotated[
        Path | None, typer.Option(help="JSON file of elements, as tables, that take the place of the options'.")
    ] = None,
    counter: Annotated[
        Path | None, typer.Option(help="JSON file of the other electrode's elements, where it differs.")
    ] = None,
    half_cell: Annotated[bool, typer.Option("--half-cell", help="One electrode alone: V_m = phi_m.")] = False,
    drive: Annotated[str, typer.Option(help=f"One of {', '.join(DRIVES)}.")] = "cv",
    scan_rate: Annotated[str, typer.Option(help="Scan rate of the cell voltage; with commas, for rates.")] = "20mV/us",
    window: Annotated[str, typer.Option(help="Window, step or upper limit of the cell voltage.")] = "400mV",
    lower: Annotated[str, typer.Option(help="Lower limit of the cell voltage (galvanostatic, power).")] = "0V",
    current: Annotated[str | None, typer.Option(help="Current (galvanostatic).")] = None,
    power: Annotated[str | None, typer.Option(help="Power of the cell (power).")] = None,
    duration: Annotated[str | None, typer.Option(help="How long a potential step is held.")] = None,
    smoothing: Annotated[float, typer.Option(parser=decimal, help="Rounded share of a sweep (smoothed-cv).")] = 0.1,
    drive_table: Annotated[
        Path | None, typer.Option(help="CSV with time_s and V_m_V or I_m_A, in any unit (table).")
    ] = None,
    cycles: Annotated[int, typer.Option(parser=whole, help="Cycles.")] = 2,
    polarity: Annotated[int, typer.Option(parser=whole, help="-1 turns the drive's sign: V_m sweeps down first.")] = 1,
    initial_voltage: Annotated[str, typer.Option(help="Cell voltage at which the cell rests before.")] = "0V",
    charge_max: Annotated[
        str | None, typer.Option(help="Charge at which q = 1. Default: slit capacitance times window/2.")
    ] = None,
    points: Annotated[int, typer.Option(parser=whole, help="Output times.")] = 2000,
    impedance: Annotated[str | None, typer.Option(help="Frequencies as 1kHz:1GHz; leaves impedance.parquet.")] = None,
    bias: Annotated[str, typer.Option(help="Cell voltage at which the impedance is taken.")] = "0V",
    ragone: Annotated[
        str | None, typer.Option(help="Powers of the cell as 1mW:20mW (galvanostatic, power); leaves ragone.parquet.")
    ] = None,
    fit: Annotated[
        Path | None, typer.Option(help="Measured .mpt, .mpr, .DTA, .txt or .csv: fit R_c, gamma, C_slit and R_open.")
    ] = None,
    export: Annotated[str | None, typer.Option(help="spice, mpt or csv, beside the tables.")] = None,
    figure: Annotated[
        str | None, typer.Option(help="Draw a figure of the paper, with its data: 4c, 4d, 4e, ED11c ... ED14, or all.")
    ] = None,
    out: OutPath = None,
    seed: SeedInt = 0,
    as_json: JsonFlag = False,
) -> int:
    """Predict a cyclic voltammogram (or any other run) with the nano-circuitry or transmission line model."""
    from transslit.runs import open_run
    from validation.simulations.circuit import decades, fit_circuit, write_circuit

    if figure is not None:
        if any(given is not None for given in (law, slit, resistance, electrode, impedance, ragone, fit, export)):
            raise BadInput("figure", figure, "has elements and a drive of its own; give --out alone with it")
        return _figures(figure, out or Path("runs/circuit-figures"), as_json)
    if export not in (None, "spice", "mpt", "csv"):
        raise BadInput("export", export, "give spice, mpt or csv")
    if fit is not None and (law or impedance or ragone):
        raise BadInput("fit", fit, "goes with --resistance as its guess, without a law, an impedance or a Ragone plot")
    config, found = configured(dict(locals()))
    made_from = {"law": str(found.numeric) if found else "", "export": export or ""}
    if fit is not None:
        from circuit.measured import read_curve

        curve = read_curve(fit)
        made_from["fit"] = _digest(fit)
        work = lambda path: fit_circuit(path, config, curve)  # noqa: E731
    else:
        frequencies = decades("impedance", impedance, "frequency", "1kHz:1GHz")
        powers = decades("ragone", ragone, "power", "1mW:20mW")
        volts = _volts("bias", bias)
        made_from |= {"impedance": f"{impedance} at {bias}" if impedance else "", "ragone": ragone or ""}
        told = _told(dict(locals())) if slit is not None else {}

        def work(path: Path) -> dict[str, Any]:
            written = write_circuit(path, config, found, export, frequencies, volts, powers)
            return written | {"summary": told | written["summary"]}

    folder = out or Path("runs/circuit")
    with open_run(folder) as run:
        _, manifest = run.stage("", config, work, made_from, seed)
    if as_json:
        print(json.dumps({"out": str(folder), **manifest["summary"]}))
    else:
        from validation.commands.terminal import open_console

        lines = "\n".join(
            f"{name}: {value:.6g}" if isinstance(value, float) else f"{name}: {value}"
            for name, value in manifest["summary"].items()
        )
        open_console().print(f"{lines}\ntables: {folder}")
    return 0


def configured(given: dict[str, Any]) -> tuple[Any, Any]:
    """The configuration and the law (or None) that the command's options, by name, describe.

    Raises
    ------
    BadInput : an option that cannot be used, or neither or both of a law and a resistance
    """
    law, electrode, counter = given["law"], given["electrode"], given["counter"]
    held = {} if electrode is None else _elements("electrode", electrode)
    if given["slit"] is not None:
        held = fitted(given)[0] | {"half_entrance_resistor": True}
    if law is not None and given["gamma"] != "0":
        raise BadInput("gamma", given["gamma"], "a law has its own; leave one of the two out")
    if given["impedance"] is None and _volts("bias", given["bias"]) != 0:
        raise BadInput("bias", given["bias"], "is of an impedance; give --impedance LOW:HIGH too")
    if (law is None) == (given["resistance"] is None and not {"resistance", "resistance_table"} & set(held)):
        raise BadInput("law", law or "none", "give a law.json, --resistance or --slit, one of the three")
    from transslit.law import Law

    found = None if law is None else Law.read(law)
    import circuit
    from circuit.resistance import slit_resistance

    other = None if counter is None else circuit.HalfCell.read_file(str(counter), _elements("counter", counter))
    values: dict[str, Any] = {name: _listed(name, given[name]) for name in ELEMENTS} | held
    values |= {name: given[name] for name in PASSED_ON}
    values |= {"counter": other, "full_cell": not given["half_cell"], "drive": _drive(given)}
    if given["slit"] is None:
        config = circuit.CircuitConfig.read_file("" if electrode is None else str(electrode), values)
    else:
        config = circuit.CircuitConfig.read(**values)
    slit_resistance(config, found)  # refuses what is no resistance, before anything is run
    return config, found


def fitted(given: dict[str, Any]) -> tuple[dict[str, float], dict[str, float]]:
    """Elements that the options `slit`, `concentration`, `window` and `scan_rate` stand for, and their errors.

    Raises
    ------
    BadInput : an option that would give an element too, another drive than a CV, or outside the domain of the fit
    """
    options = inspect.signature(circuit_command).parameters
    for name in BY_SLIT:
        if given[name] != options[name].default:
            raise BadInput(name, given[name], "--slit gives every element; leave one of the two out")
    if given["drive"] not in ("cv", "smoothed-cv"):
        raise BadInput("drive", given["drive"], "the elements that --slit gives are those of a cv or smoothed-cv")
    from circuit.surrogate import Surrogate
    from transslit.units import parse

    kinds = {"slit": "length", "concentration": "concentration", "window": "voltage", "scan_rate": "scan rate"}
    operation = {}
    for name, kind in kinds.items():
        try:
            operation[name] = parse(given[name], kind)
        except ValueError as error:
            raise BadInput(name, given[name], str(error)) from None
    return Surrogate.shipped().at(**operation)


def _figures(asked: str, folder: Path, as_json: bool) -> int:
    from studies.circuit_figures.drawings import chosen, write_figures
    from transslit.progress import Progress
    from transslit.runs import open_run

    chosen(asked)
    with open_run(folder):
        files = [str(path) for path in write_figures(asked, folder, Progress())]
    print(json.dumps({"out": str(folder), "files": files}) if as_json else "\n".join(files))
    return 0


def _told(given: dict[str, Any]) -> dict[str, float]:
    """The elements that --slit gave, each with its 95 % half-width."""
    values, errors = fitted(given)
    units = {"resistance": "_ohm_m", "capacitance": "_F_per_m", "charge_max": "_C_per_m", "gamma": ""}
    named = {name: f"{name}{next(unit for end, unit in units.items() if name.endswith(end))}" for name in values}
    return {
        key: value
        for name, full in named.items()
        for key, value in ((full, values[name]), (f"{full}_u95", 1.96 * errors[name]))
    }


def _listed(name: str, value: Any) -> Any:
    """A value as given, or the values between its commas as a tuple."""
    if name not in LISTED or not isinstance(value, str):
        return value
    parts = tuple(part.strip() for part in value.split(","))
    if len(parts) == 2 and WHOLE.fullmatch(parts[0]) and (parts[1].isdigit() or name != "gamma"):
        raise BadInput(name, value, f"a comma is no decimal point; did you mean {parts[0]}.{parts[1]}?")
    if name != "gamma":
        return parts if len(parts) > 1 else parts[0]
    try:
        numbers = tuple(number(part) for part in parts)
    except ValueError as error:
        raise BadInput("gamma", value, f"{error}; give a number (0.9), or one for each slit") from None
    return numbers if len(numbers) > 1 else numbers[0]


def _volts(name: str, text: str) -> float:
    from transslit.units import parse

    try:
        return parse(text, "voltage")
    except ValueError as error:
        raise BadInput(name, text, str(error)) from None


def _elements(name: str, path: Path) -> dict[str, Any]:
    """Elements of an electrode from a JSON file."""
    from circuit import HalfCell

    if not path.exists():
        raise BadInput(name, path, "no such file")
    content = read_json(path, name)
    known = ", ".join(HalfCell.model_fields)
    if not isinstance(content, dict) or not set(content) <= set(HalfCell.model_fields):
        raise BadInput(name, path, f"must hold an object of elements: {known}")
    return content


def _drive(given: dict[str, Any]) -> Any:
    """The drive that the options describe."""
    from transslit import drive as drives

    kind, cycles = given["drive"], {"cycles": given["cycles"]}
    if kind not in DRIVES:
        raise BadInput("drive", kind, f"give one of {', '.join(DRIVES)}")
    refuse_others(circuit_command, given, kind, DRIVES)
    name = {"galvanostatic": "current", "power": "power", "potential-step": "duration"}.get(kind, "")
    if name and given[name] is None:
        raise BadInput(name, "missing", f"a {kind} drive needs --{name}")
    swept = {"scan_rate": given["scan_rate"], "window": given["window"], **cycles}
    limits = {"upper": given["window"], "lower": given["lower"], **cycles}
    if kind == "cv":
        return drives.TriangularCV.read(**swept)
    if kind == "smoothed-cv":
        return drives.SmoothedCV.read(smoothing=given["smoothing"], **swept)
    if kind == "rates":
        rates = tuple(part.strip() for part in given["scan_rate"].split(","))
        return drives.RateSeries.read(scan_rates=rates, window=given["window"], **cycles)
    if kind == "potential-step":
        duration = given["duration"]
        return drives.PotentialStep.read(voltage=given["window"], duration=duration, rest=duration)
    if kind == "galvanostatic":
        return drives.Galvanostatic.read(current=given["current"], **limits)
    if kind == "power":
        return drives.ConstantPower.read(power=given["power"], **limits)
    from circuit.measured import read_drive

    if given["drive_table"] is None:
        raise BadInput("drive_table", "missing", "a table drive needs --drive-table FILE.csv")
    return read_drive(given["drive_table"])


def _digest(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()
