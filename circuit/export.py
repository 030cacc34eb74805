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

from circuit.config import CircuitConfig
from circuit.resistance import Q, SlitResistance, slit_resistance
from circuit.result import SIGN, CircuitResult
from circuit.simulate import drive_corners
from transslit import __version__
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


def half_cell(config: CircuitConfig, resistance: SlitResistance) -> list[str]:
    """Subcircuit `halfcell e b`: electrode and mid-plane."""
    scale = f"{config.slit_capacitance / config.full_charge!r}"
    lines = [
        ".subckt halfcell e b",
        f"Ropen s0 b {config.open_resistance!r}",
        f"Copen e s0 {config.open_capacitance!r}",
    ]
    constant = Q not in resistance.expression.free_symbols
    for i in range(1, config.layers):
        share = 0.5 if i == 1 and config.half_resistor_mouth else 1.0
        text = spice_expression(
            resistance.expression * (1 if share == 1 else sympy.Float(share)), f"{scale}*abs(v(e,s{i}))"
        )
        value = repr(share * float(resistance.value(np.zeros(1))[0])) if constant else f"r='{text}'"
        lines += [f"R{i} s{i} s{i - 1} {value}", f"C{i} e s{i} {config.slit_capacitance!r}"]
    return [*lines, ".ends"]


def to_spice(config: CircuitConfig, law: Law | None = None) -> str:
    """Netlist of the cell for ngspice's batch mode; `ngspice -b -r cv.raw cell.cir` leaves time, v(p) and i(V1).

    A full cell is written as what it is: two half-cells back to back, of which nothing but the elements are equal.

    Raises
    ------
    BadInput : as `circuit.simulate`, or the law has no counterpart in SPICE
    """
    resistance = slit_resistance(config, law)
    times, phi = drive_corners(config)
    corners = [f"{float(t)!r} {float(config.half_cells * v)!r}" for t, v in zip(times, phi, strict=True)]
    step = float(times[-1]) / (config.points - 1)
    cell = ["X1 p m halfcell", "X2 0 m halfcell"] if config.full_cell else ["X1 p 0 halfcell"]
    return "\n".join(
        [
            f"* transslit {__version__}: {config.model.upper()}, {config.layers} layers (simulated)",
            f"* R(q) = {resistance.expression}; charging current = -i(V1); per metre of depth read A/m",
            *half_cell(config, resistance),
            *cell,
            "V1 p 0 PWL(" + "\n+ ".join(corners) + ")",
            ".options reltol=1e-7 abstol=1e-13 vntol=1e-10 chgtol=1e-20 trtol=1 method=trap",
            f".tran {step!r} {float(times[-1])!r} 0 {step!r}",
            ".save v(p) i(V1)",
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
    time = table["time_s"].to_numpy()
    voltage, current = table["V_m_V"].to_numpy(), table["I_m_A"].to_numpy()
    sweep = np.minimum((time / config.drive.half_period * (1 + 1e-12)).astype(int), 2 * config.drive.cycles - 1)
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
    top = config.half_cells * float(drive_corners(config)[1][1])
    parameters = {
        "Comments": f"SIMULATED by transslit {__version__}: {config.model.upper()}, {config.layers} layers",
        "Sign": SIGN,
        "Ei (V)": "0.000",
        "dE/dt": f"{config.drive.scan_rate:.6g}",
        "dE/dt unit": "V/s",
        "E1 (V)": f"{top:.6g}",
        "E2 (V)": "0.000",
        "nc cycles": str(config.drive.cycles - 1),
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
