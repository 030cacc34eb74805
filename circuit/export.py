"""Export: a SPICE netlist of the ladder, an EC-Lab text file and CSV of its result.

SPICE: resistors that follow a charge are written `R... r='expression'`, which ngspice evaluates all along; in braces
they would be constants. q = |V| C_slit / Q_max comes from the voltage on the slit's capacitor. ngspice's i(V1)
flows into the source's + terminal: the charging current is -i(V1).
EC-Lab: the text layout of a cyclic voltammetry (`.mpt`) as read by galvani and its like, marked as simulated.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import sympy

from circuit.config import CircuitConfig, HalfCell
from circuit.program import corners_of, segments_of
from circuit.resistance import Q, SlitResistance, slit_resistance
from circuit.result import SIGN, CircuitResult
from transslit import __version__
from transslit.drive import TriangularCV
from transslit.errors import BadInput
from transslit.law import Law

SPICE_FUNCTIONS = {
    "exp": "exp",
    "log": "ln",
    "Abs": "abs",
    "sign": "sgn",
    "sin": "sin",
    "cos": "cos",
    "tanh": "tanh",
    "sinh": "sinh",
    "cosh": "cosh",
    "Max": "max",
    "Min": "min",
}


def spice_expression(expression: sympy.Expr, q: str) -> str:
    """R(q) in ngspice's syntax, with the text `q` for the dimensionless charge; every operation in parentheses.

    Whole powers become products, since ngspice's own power takes the absolute value of its base.

    Raises
    ------
    BadInput : a function has no counterpart in SPICE
    """
    if expression == Q:
        return f"({q})"
    if expression.is_number:
        return f"({float(expression)!r})"
    if expression.is_Pow:
        base, exponent = spice_expression(expression.base, q), expression.exp
        if exponent.is_Integer and abs(exponent) <= 12:
            product = "*".join([base] * abs(int(exponent)))
            return f"({product})" if exponent > 0 else f"(1/({product}))"
        return f"exp({spice_expression(exponent, q)}*ln(max({base},1e-30)))"
    parts = [spice_expression(argument, q) for argument in expression.args]
    if expression.is_Add or expression.is_Mul:
        return "(" + ("+" if expression.is_Add else "*").join(parts) + ")"
    name = SPICE_FUNCTIONS.get(type(expression).__name__)
    if name is None:
        raise BadInput("law", str(expression), "has no counterpart in SPICE")
    text = parts[0]
    if name in ("max", "min"):  # of two at a time
        for part in parts[1:]:
            text = f"{name}({text},{part})"
        return text
    return f"{name}({text})"


def half_cell(config: CircuitConfig, cell: HalfCell, resistance: SlitResistance, name: str) -> list[str]:
    """Subcircuit `name e b`: electrode and mid-plane.

    Raises
    ------
    BadInput : an element is a table
    """
    for table in ("capacitance_table", "open_capacitance_table"):
        if getattr(cell, table) is not None:
            raise BadInput(table, "given", "a netlist holds constants only; leave the table out")
    lines = [
        f".subckt {name} e b",
        f"Ropen s0 b {cell.open_resistance!r}",
        f"Copen e s0 {cell.open_capacitance!r}",
    ]
    uncharged = resistance.value(np.zeros(cell.slits))
    follows = [Q in e.free_symbols for e in resistance.expressions]
    full = config.full_charges(cell) if any(follows) else np.ones(cell.slits)
    for i, (capacitance, largest) in enumerate(zip(cell.per_slit("slit_capacitance"), full, strict=True), start=1):
        expression = resistance.expression(i)
        if expression is None:
            raise BadInput("resistance_table", "given", "a netlist holds formulas only; leave the table out")
        share = 0.5 if i == 1 and cell.half_resistor_mouth else 1.0
        q = f"{float(capacitance / largest)!r}*abs(v(e,s{i}))"
        text = spice_expression(expression * (1 if share == 1 else sympy.Float(share)), q)
        value = f"r='{text}'" if Q in expression.free_symbols else repr(share * float(uncharged[i - 1]))
        lines += [f"R{i} s{i} s{i - 1} {value}", f"C{i} e s{i} {float(capacitance)!r}"]
    return [*lines, ".ends"]


def to_spice(config: CircuitConfig, law: Law | None = None, counter_law: Law | None = None) -> str:
    """Netlist of the cell for ngspice's batch mode; `ngspice -b -r cv.raw cell.cir` leaves time, v(p) and i(V1).

    A full cell is written as what it is: two half-cells back to back. A drive that gives the current has I1 in the
    place of V1, and leaves time and v(p).

    Raises
    ------
    BadInput : as `circuit.simulate`, or the law, a table or the drive has no counterpart in SPICE
    """
    segments, corners = segments_of(config), corners_of(config)
    if config.initial_voltage or any(s.c or s.until is not None or s.mode == "power" for s in segments):
        raise BadInput("export", f"spice of a {config.drive.kind} drive", "needs one of straight lines, from 0 V on")
    laws = (law, counter_law)
    resistances = [slit_resistance(config, laws[i], cell) for i, cell in enumerate(config.electrodes)]
    names = ("halfcell", "counter")
    cells = zip(names, config.electrodes, resistances, strict=False)
    subcircuits = [line for name, cell, resistance in cells for line in half_cell(config, cell, resistance, name)]
    instances = ["X1 p 0 halfcell"]
    if config.full_cell:
        instances = ["X1 p m halfcell", f"X2 0 m {'counter' if config.counter else 'halfcell'}"]
    edge = 1e-9 * float(corners[-1])  # s, in which a jump is made
    points: list[tuple[float, float]] = []
    for start, segment in zip(corners.tolist(), segments, strict=False):
        if not points and segment.a and segment.mode == "voltage":
            points.append((0.0, 0.0))
        if not points or points[-1][1] != segment.a:
            points.append((start + (edge if points else 0.0), segment.a))
        points.append((start + segment.duration, segment.a + segment.b * segment.duration))
    steps = [f"{float(t)!r} {float(v)!r}" for t, v in points]
    by_voltage = segments[0].mode == "voltage"
    source = "V1 p 0" if by_voltage else "I1 0 p"
    step = float(corners[-1]) / (config.points - 1)
    return "\n".join(
        [
            f"* transslit {__version__}: {config.model.upper()}, {config.layers} layers (simulated)",
            f"* R(q) = {resistances[0].expression(1)}; charging current = -i(V1); per metre of depth read A/m",
            *subcircuits,
            *instances,
            f"{source} PWL(" + "\n+ ".join(steps) + ")",
            ".options reltol=1e-7 abstol=1e-13 vntol=1e-10 chgtol=1e-20 trtol=1 method=trap",
            f".tran {step!r} {float(corners[-1])!r} 0 {step!r}",
            ".save v(p) i(V1)" if by_voltage else ".save v(p)",
            ".end",
            "",
        ]
    )


def to_csv(result: CircuitResult, path: Path | None = None) -> str:
    """Terminal table as CSV, under `#` lines that give the sign convention and the circuit; also written to `path`."""
    head = [f"# transslit {__version__}, simulated", f"# sign: {SIGN}"]
    head += [f"# {key}: {result.metadata[key]}" for key in ("model", "cell", "depth", "resistance", "charge_max_C")]
    text = "\n".join(head) + "\n" + result.terminal.to_csv(index=False, lineterminator="\n")
    return _written(text, path)


def to_mpt(result: CircuitResult, path: Path | None = None, started: datetime = datetime(1970, 1, 1)) -> str:
    """EC-Lab text file of the CV; `started` stands where an instrument gives its clock. Latin-1, CRLF.

    Columns: mode, ox/red, error, time/s, control/V, Ewe/V (both V_m), <I>/mA, cycle number, (Q-Qo)/C.
    """
    config, table = result.config, result.terminal
    drive = config.drive
    if not isinstance(drive, TriangularCV):
        raise BadInput("export", f"mpt of a {drive.kind} drive", "holds a cyclic voltammetry; export csv")
    time = table["time_s"].to_numpy()
    voltage, current = table["V_m_V"].to_numpy(), table["I_m_A"].to_numpy()
    sweep = np.minimum((time / drive.half_period * (1 + 1e-12)).astype(int), 2 * drive.cycles - 1)
    charge = np.concatenate([[0.0], np.cumsum(np.diff(time) * (current[1:] + current[:-1]) / 2)])
    columns = {
        "mode": np.full(len(time), "2"),
        "ox/red": np.where(current > 0, "1", "0"),
        "error": np.full(len(time), "0"),
        "time/s": _numbers(time),
        "control/V": _numbers(voltage),
        "Ewe/V": _numbers(voltage),
        "<I>/mA": _numbers(1e3 * current),
        "cycle number": _numbers(sweep // 2 + 1.0),
        "(Q-Qo)/C": _numbers(charge),
    }
    top = config.polarity * drive.window
    parameters = {
        "Comments": f"SIMULATED by transslit {__version__}: {config.model.upper()}, {config.layers} layers",
        "Sign": SIGN,
        "Ei (V)": "0.000",
        "dE/dt": f"{drive.scan_rate:.6g}",
        "dE/dt unit": "V/s",
        "E1 (V)": f"{top:.6g}",
        "E2 (V)": "0.000",
        "nc cycles": str(drive.cycles - 1),
    }
    head = [
        "",
        "Cyclic Voltammetry",
        "",
        f"Acquisition started on : {started:%m/%d/%Y %H:%M:%S}",
        *(f"{key:<20}{value}" for key, value in parameters.items()),
        "",
    ]
    lines = ["EC-Lab ASCII FILE", f"Nb header lines : {len(head) + 3:<25}", *head, "\t".join(columns)]
    rows = pd.DataFrame(columns).to_csv(sep="\t", header=False, index=False, lineterminator="\r\n")
    return _written("\r\n".join(lines) + "\r\n" + rows, path)


def _numbers(values: np.ndarray) -> list[str]:
    return [f"{value:.9E}" for value in values]


def _written(text: str, path: Path | None) -> str:
    """`text`, which is also put at `path` whole or not at all; line ends as they are."""
    if path is not None:
        partial = path.with_name(f".{path.name}.part")
        partial.write_bytes(text.encode("latin-1", errors="replace"))
        partial.replace(path)
    return text
