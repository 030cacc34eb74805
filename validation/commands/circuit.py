"""`transslit circuit`: nano-circuitry and transmission line models."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import pandas as pd
import typer
from pydantic import Field

from circuit import CircuitConfig, HalfCell, simulate
from circuit.electrode import Electrode
from circuit.export import Export
from circuit.measured import read_curve, read_drive
from circuit.measures import cv_distance, summary
from circuit.resistance import slit_resistance
from circuit.surrogate import ELEMENTS, Surrogate, with_units
from transslit.config import Config
from transslit.drive import (
    ConstantPower,
    Galvanostatic,
    PotentialStep,
    RateSeries,
    SmoothedCV,
    TriangularCV,
)
from transslit.errors import BadInput
from transslit.files import file_checksum, read_json, read_table
from transslit.law import Law
from transslit.network import SlitNetwork
from transslit.options import Options, Texts
from transslit.record import TransSlitRecord
from transslit.reply import Reply, numbers
from transslit.runs import open_run, run_of
from transslit.shell import Drawn, JsonFlag, OutPath, command_app, draw_beside, with_options
from transslit.units import Concentration, Length, Voltage, decades
from validation.checks.circuit_cv import cell_voltammogram
from validation.commands.terminal import open_console
from validation.presets import Seed
from validation.simulations.circuit import extracted_circuit
from validation.sweep import Stage, Work


class TableFile(Config):
    """A drive that is read from a table."""

    kind: Literal["table"] = Field("table", description="cell voltage or current from a table")
    drive_table: Path = Field(description="CSV with time_s and V_m_V or I_m_A, in any unit")


class Further(Drawn):
    """Options that are no fields of `CircuitConfig`, and the drive as options describe it."""

    slit: Length | None = Field(
        None, description="slit width (1nm to 5nm): every element from fitted continuum runs, per metre of depth"
    )
    concentration: Concentration | None = Field(None, description="of KCl with --slit, 0.1M to 2M; default: 1M")
    drive: Annotated[
        TriangularCV | SmoothedCV | RateSeries | PotentialStep | Galvanostatic | ConstantPower | TableFile,
        Field(discriminator="kind"),
    ] = Field(TriangularCV(), description="what is imposed on the cell over time")
    record: Path | None = Field(
        None, description="run of the continuum: all elements and the drive from its record, R(q) and C(u) as tables"
    )
    entry: Annotated[int, Field(ge=1)] | None = Field(
        None, description="another formula of the law's hall of fame, by its number there"
    )
    electrode: Path | None = Field(
        None, description="JSON file of elements, tables among them, which replace those of the options"
    )
    counter: Path | None = Field(None, description="JSON file of the counter electrode's elements, if they differ")
    half_cell: bool = Field(False, description="one electrode alone: V_m = phi_m")
    impedance: str | None = Field(None, description="frequencies, as 1kHz:1GHz; leaves impedance.parquet")
    bias: Voltage = Field(0.0, description="cell voltage at which the impedance is calculated")
    ragone: str | None = Field(
        None, description="powers of the cell, as 1mW:20mW (galvanostatic, power); leaves ragone.parquet"
    )
    fit: Path | None = Field(
        None, description="measured .mpt, .mpr, .DTA, .txt or .csv: fit R_c, gamma, C_slit and R_open"
    )
    export: Export | None = Field(None, description="write a netlist or tables too")
    seed: Seed = 0


SIZES = frozenset(Electrode.model_fields)
CYCLES = {drive.model_fields["kind"].default: drive for drive in (TriangularCV, SmoothedCV)}
OPTIONS = Options(
    Further,
    CircuitConfig,
    Electrode,
    without=("full_cell",),
    defaults={"slit_capacitance": "80nF", "open_resistance": "1ohm", "open_capacitance": "10nF", "cycles": "2"},
)
app = command_app()


class Circuit(NamedTuple):
    """What the options describe: a configuration, its law if any, and with --slit a summary of the elements.

    `measured` is the cyclic voltammogram of the record that the elements are from, if the circuit repeats it.
    """

    config: CircuitConfig
    law: Law | None
    fitted: dict[str, float]
    measured: pd.DataFrame | None = None
    electrode: Electrode | None = None


@app.command(
    epilog="""Examples:

transslit circuit --resistance 5ohm --gamma 0.9 --layers 20 --export spice --out runs/ncm

transslit circuit runs/law --record runs/cv --out runs/ncm

transslit circuit --record runs/cv --electrode-area 1cm^2 --thickness 10um --sheet-size 200nm --out runs/cell

transslit circuit --slit 2.4nm --layers 6 --cycles 1 --out runs/no-mpnp

transslit circuit --resistance 5ohm --gamma 0.6 --drive galvanostatic --current 5mA --out runs/gcd

transslit circuit --resistance 5ohm --impedance 1kHz:1GHz --bias 0.2V --out runs/eis

transslit circuit --resistance 2ohm --fit measured.mpt --out runs/fit"""
)
@with_options(OPTIONS)
def circuit_command(
    texts: Texts,
    law: Annotated[Path | None, typer.Argument(help="law.json, or the folder that holds it.", metavar="[LAW]")] = None,
    out: OutPath = None,
    as_json: JsonFlag = False,
) -> int:
    """Predict a cyclic voltammogram (or any other run) with the nano-circuitry or transmission line model."""
    from circuit.figures import figures_of  # loads matplotlib, which the workers of a sweep do without
    from circuit.stage import fit_circuit, write_circuit

    further = OPTIONS.build(Further, texts)
    if further.fit is not None and (law or further.impedance or further.ragone):
        accepts = "goes with --resistance as its guess, without a law, an impedance or a Ragone plot"
        raise BadInput("fit", further.fit, accepts)
    config, known, fitted, measured, electrode = read(texts, [] if law is None else [str(law)])
    inputs = {"law": str(known.numeric) if known else "", "export": further.export or ""}
    if further.fit is not None:
        try:
            curve = read_curve(further.fit)
        except BadInput as fault:
            raise BadInput("fit", fault.value, fault.accepts) from None
        inputs["fit"] = file_checksum(further.fit)
    frequencies = decades("impedance", further.impedance, "frequency", "1kHz:1GHz")
    powers = decades("ragone", further.ragone, "power", "1mW:20mW")
    probed = f"{further.impedance} at {further.bias:g} V" if further.impedance else ""
    inputs |= {"impedance": probed, "ragone": further.ragone or ""}
    if electrode is not None:
        inputs["electrode"] = electrode.digest

    def work(path: Path) -> dict[str, object]:
        if further.fit is not None:
            return fit_circuit(path, config, curve)
        written = write_circuit(path, config, known, further.export, frequencies, further.bias, powers)
        summary = fitted | written["summary"]
        if electrode is not None:
            summary |= electrode.figures(config, known)
        if measured is not None:
            summary["distance_from_record"] = cv_distance(read_table(path / "terminal.parquet", "out"), measured)
        return {"summary": summary}

    folder = out or Path("runs/circuit")
    with open_run(folder) as run:
        _, manifest = run.stage("", config, work, inputs, further.seed)
    files = [] if further.no_figures else draw_beside(folder, figures_of(folder))
    reply = Reply(command="circuit", out=str(folder), summary=numbers(manifest["summary"]), files=files)

    def say() -> None:
        for name, value in manifest["summary"].items():
            open_console().print(f"{name}: {value:.6g}" if isinstance(value, float) else f"{name}: {value}")
        open_console().print(f"tables: {folder}")

    return reply.tell(as_json, say)


def read(texts: Texts, arguments: Sequence[str] = ()) -> Circuit:
    """The circuit that options and the law in `arguments` describe.

    Raises
    ------
    BadInput : an option that cannot be used, or neither or several of a law, a resistance and a slit width
    """
    further = OPTIONS.build(Further, texts)
    if arguments and "gamma" in texts:
        raise BadInput("gamma", texts["gamma"], "a law has its own; leave one of the two out")
    if further.impedance is None and further.bias:
        raise BadInput("bias", texts["bias"], "is of an impedance; give --impedance LOW:HIGH too")
    if further.slit is None and "concentration" in texts:
        raise BadInput("concentration", texts["concentration"], "is of the elements of a slit width; give --slit too")
    elements: dict[str, object] = {}
    fitted: dict[str, float] = {}
    law = Law.read(Path(arguments[0]), further.entry) if arguments else None
    if further.entry is not None and not arguments:
        raise BadInput("entry", further.entry, "is of the hall of fame of a law; give the law's folder too")
    if further.slit is not None:
        elements, fitted = _of_slit(further, texts, arguments)
    elif further.record is not None:
        elements = _of_record(further.record, further, texts, law)
        law = None if "resistance_table" in elements else law
    elif further.electrode is not None:
        elements = _elements("electrode", further.electrode)
    if (law is not None) == bool({"resistance", "resistance_table"} & {*texts, *elements}):
        name = arguments[0] if arguments else "none"
        raise BadInput("law", name, "give a law.json, --resistance, --slit or --record, one of them")
    elements = {"full_cell": not further.half_cell, "drive": further.drive} | elements
    if further.counter is not None:
        elements["counter"] = HalfCell.read_file(str(further.counter), _elements("counter", further.counter))
    if isinstance(further.drive, TableFile):
        elements["drive"] = read_drive(further.drive.drive_table)
    if further.electrode is None:
        config = OPTIONS.build(CircuitConfig, texts, **elements)
    else:
        config = CircuitConfig.read_file(str(further.electrode), OPTIONS.values(CircuitConfig, texts, **elements))
    electrode, network = _electrode(further, texts)
    if electrode is not None:
        values = {name: getattr(config, name) for name in CircuitConfig.model_fields}
        config = CircuitConfig.read(**values | electrode.scaled(config, network))
        law = None if law is None else electrode.law(law, network)
    slit_resistance(config, law)  # refuses what is no resistance before anything is run
    measured = None if further.record is None or electrode else _repeated(further.record, config)
    return Circuit(config, law, fitted, measured, electrode)


def row(config: CircuitConfig, law: Law | None, electrode: Electrode | None, folder: Path) -> dict[str, object]:
    """Columns of a sweep: the summary of a simulation, and of an electrode."""
    figures = {} if electrode is None else electrode.figures(config, law)
    return {**summary(simulate(config, law)), **figures}


def _work(texts: Texts, arguments: Sequence[str]) -> Work:
    config, law, _, _, electrode = read(texts, arguments)
    inputs = ({} if law is None else {"law": str(law.numeric)}) | ({"electrode": electrode.digest} if electrode else {})
    return Work(config, partial(row, config, law, electrode), inputs)


SINGLE = {"impedance", "bias", "ragone", "fit", "export", "no_figures"}  # results that are no columns of a table
STAGE = Stage("circuit", _work, OPTIONS.known.keys() - SINGLE, argument="law")


def _of_slit(further: Further, texts: Texts, arguments: Sequence[str]) -> tuple[dict[str, object], dict[str, float]]:
    """The elements of a slit width; and as a summary, each with its 95 % half-width.

    Raises
    ------
    BadInput : an option that gives an element too, another drive than a CV, or outside the domain of the fit
    """
    drive = further.drive
    others = {"law": arguments[0]} if arguments else {}
    for name, value in {**others, **texts}.items():
        if name in ("law", "electrode", *ELEMENTS):
            raise BadInput(name, value, "--slit gives every element; leave one of the two out")
    if not isinstance(drive, TriangularCV):
        raise BadInput("drive", drive.kind, "the elements that --slit gives are those of a cv or smoothed-cv")
    slit, concentration = further.slit or 0.0, further.concentration or 1000.0
    values, errors = Surrogate.shipped().at(slit, concentration, drive.window, drive.scan_rate)
    return {**values, "half_entrance_resistor": True}, with_units(values, errors)


def _electrode(further: Further, texts: Texts) -> tuple[Electrode | None, SlitNetwork]:
    """The size of the electrode, if it is given, and the network of the record or of the fitted elements.

    Raises
    ------
    BadInput : a size without elements per depth
    """
    network = SlitNetwork.read(slit=further.slit or 1e-9)
    given = sorted(SIZES & set(texts))
    if further.record is not None:
        network = SlitNetwork.model_validate(TransSlitRecord.read(run_of(further.record)).metadata["network"])
    elif given and further.slit is None:
        raise BadInput(given[0], texts[given[0]], "scales elements per depth; give --record or --slit too")
    return (OPTIONS.build(Electrode, texts) if given else None), network


def _of_record(folder: Path, further: Further, texts: Texts, law: Law | None) -> dict[str, object]:
    """The elements of a record and its drive, but for options that are given; R(q) of a law, if there is one.

    Raises
    ------
    BadInput : no record of a cyclic voltammogram, or an option that gives an element too
    """
    for name, value in texts.items():
        if name in ("slit", "electrode", *ELEMENTS):
            raise BadInput(name, value, "--record gives every element; leave one of the two out")
    record = TransSlitRecord.read(run_of(folder))
    known = record.metadata.get("drive") or {}
    kind = str(known.get("kind"))
    if kind not in CYCLES:
        accepts = f"elements are extracted from a run with --drive {' or '.join(CYCLES)}"
        raise BadInput("record", f"of drive {kind}", accepts)
    own, drive = CYCLES[kind].model_validate(known), further.drive
    if "drive" not in texts:
        known = OPTIONS.values(Further, {**texts, "drive": kind})["drive"]
        drive = type(own).read(**own.model_dump() | {name: known[name] for name in known if name in texts})
    electrode, network = _electrode(further, texts)
    layers = electrode.layers(network) if electrode else OPTIONS.values(CircuitConfig, texts).get("layers")
    circuit = extracted_circuit(record, own, tabulated=True, layers=layers, law=law)
    elements = {name: getattr(circuit, name) for name in HalfCell.model_fields if name not in ("resistance", "gamma")}
    return {name: value for name, value in elements.items() if value is not None} | {"drive": drive}


def _repeated(folder: Path, config: CircuitConfig) -> pd.DataFrame | None:
    """The voltammogram of a record; None if the circuit has another drive, number of layers or cell."""
    record = TransSlitRecord.read(run_of(folder))
    same = record.metadata["drive"] == config.drive.model_dump(mode="json")
    alike = same and config.layers == record.slits["i"].nunique() + 1 and config.half_cells == 2
    return cell_voltammogram(record) if alike else None


def _elements(name: str, path: Path) -> dict[str, object]:
    """Elements of an electrode from a JSON file."""
    if not path.exists():
        raise BadInput(name, path, "no such file")
    content = read_json(path, name)
    if not isinstance(content, dict) or not set(content) <= set(HalfCell.model_fields):
        raise BadInput(name, path, f"must hold an object of elements: {', '.join(HalfCell.model_fields)}")
    return content
