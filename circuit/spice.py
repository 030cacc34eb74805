"""Export: a netlist of the ladder for ngspice's batch mode.

Resistors that depend on a charge are written `R... r='expression'`, which ngspice evaluates at every time; in braces
they would be constants. q = |Q| / Q_max follows from the voltage on the slit's capacitor, q = |V| C_slit / Q_max, or,
where that capacitor is a table, from the charge itself. ngspice's i(V1) flows into the source's + terminal: the
charging current is -i(V1).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy

from circuit.config import CircuitConfig, HalfCell, Table
from circuit.curves import capacitor_voltages, element
from circuit.ladder import Ladder
from circuit.program import Segment, corners_of
from circuit.resistance import Q, SlitResistance
from circuit.simulate import at_rest, prepare, simulate
from transslit import __version__
from transslit.drive import Galvanostatic
from transslit.errors import BadInput
from transslit.law import Law

PARABOLA = 512  # straight lines of a rounded corner: the current follows their slope
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


def to_spice(config: CircuitConfig, law: Law | None = None, counter_law: Law | None = None) -> str:
    """Netlist of the cell; `ngspice -b -r cv.raw cell.cir` saves time, v(p) and i(V1).

    A full cell is written as two half-cells back to back. A drive that gives the current has I1 in the place of V1, and
    saves time and v(p); a galvanostat's turning points are at the times at which `simulate` has them.

    Raises
    ------
    BadInput : as `circuit.simulate`, or the law or the drive has no counterpart in SPICE
    """
    if config.drive.kind == "power":
        raise BadInput("export", "spice of a power drive", "a netlist holds a voltage or a current in time")
    ladder = prepare(config, law, counter_law)
    cells = zip(("halfcell", "counter"), config.electrodes, ladder.resistance, strict=False)
    subcircuits = [line for name, cell, resistance in cells for line in _half_cell(config, cell, resistance, name)]
    instances = ["X1 p 0 halfcell"]
    if config.full_cell:
        instances = ["X1 p m halfcell", f"X2 0 m {'counter' if config.counter else 'halfcell'}"]
    segments, corners = ladder.segments, corners_of(config)
    if isinstance(config.drive, Galvanostatic):
        corners = simulate(config, law, counter_law=counter_law).trajectory.corners
    by_voltage = segments[0].mode == "voltage"
    source = "V1 p 0" if by_voltage else "I1 0 p"
    step = float(corners[-1]) / (config.points - 1)
    noticed = 1e-7 * float(ladder.capacitance.min()) * ladder.scale  # C
    formula = ladder.resistance[0].expression(1)
    return "\n".join(
        [
            f"* transslit {__version__}: {config.model.upper()}, {config.layers} layers (simulated)",
            f"* R(q) = {'a table' if formula is None else formula}; charging current = -i(V1)",
            "* per metre of depth read A/m",
            *subcircuits,
            *instances,
            f"{source} PWL(" + "\n+ ".join(_waypoints(segments, corners, config.initial_voltage)) + ")",
            *_initial(config, ladder),
            f".options reltol=1e-7 abstol=1e-13 vntol=1e-10 chgtol={noticed!r} trtol=0.1 method=trap",
            f".tran {step!r} {float(corners[-1])!r} 0 {step!r}",
            ".save v(p) i(V1)" if by_voltage else ".save v(p)",
            ".end",
            "",
        ]
    )


def _half_cell(config: CircuitConfig, cell: HalfCell, resistance: SlitResistance, name: str) -> list[str]:
    """Subcircuit `name e b`: electrode and mid-plane."""
    opened, tables = cell.open_capacitance_table, cell.tables("capacitance_table")
    lines = [f".subckt {name} e b", f"Ropen s0 b {cell.open_resistance!r}"]
    lines += _capacitor(opened, None, "open", "s0")[0] if opened else [f"Copen e s0 {cell.open_capacitance!r}"]
    by_charge = resistance.follows_charge or any(table.over == "q" for table in tables)
    full = config.full_charges(cell) if by_charge else np.ones(cell.slits)
    ranges = () if resistance.expressions else cell.tables("resistance_table")
    empty = resistance.value(np.zeros(cell.slits))
    for i, largest in enumerate(full.tolist()):
        node = f"s{i + 1}"
        if tables:
            capacitor, charge = _capacitor(tables[i], largest, str(i + 1), node)
            lines += capacitor
            q = f"{1 / largest!r}*{charge}"
        else:
            capacitance = float(cell.per_slit("slit_capacitance")[i])
            lines.append(f"C{i + 1} e {node} {capacitance!r}")
            q = f"{capacitance / largest!r}*abs(v(e,{node}))"
        share = 0.5 if i == 0 and cell.half_entrance_resistor else 1.0
        formula = resistance.expression(i + 1)
        if formula is None:
            curve = element([ranges[i]])
            (top, *_), (values, *_), _ = curve.distinct
            value = f"r='{share!r}*{_lines(q, np.linspace(0.0, float(top), len(values)), values)}'"
        elif Q in formula.free_symbols:
            q = f"min({q},1)" if resistance.held else q
            value = f"r='{spice_expression(formula if share == 1 else formula * sympy.Float(share), q)}'"
        else:
            value = repr(share * float(empty[i]))
        lines.append(f"R{i + 1} {node} s{i} {value}")
    return [*lines, ".ends"]


def _capacitor(table: Table, largest: float | None, name: str, node: str) -> tuple[list[str], str]:
    """Lines of a capacitor that is a table, between electrode and node, and |Q| in C as an expression.

    Its voltage u is that of node `u...`, a unit capacitor C_1 charged with C_1 / C(|u|) times the current.
    """
    curve = capacitor_voltages([table], None if largest is None else np.array([largest]))
    (top, *_), (u, *_), (slope, *_) = curve.distinct
    unit = 1 / float(slope[0])
    across = f"abs(v(u{name}))"
    lines = [
        f"Eu{name} e x{name} u{name} 0 1",
        f"Vu{name} x{name} {node} 0",
        f"Bu{name} 0 u{name} i='i(Vu{name})*{unit!r}/{_lines(across, u, 1 / slope)}'",
        f"Cu{name} u{name} 0 {unit!r}",
        f"Ru{name} u{name} 0 1e15",  # for the operating point; it leaks within years
    ]
    return lines, _lines(across, u, np.linspace(0.0, float(top), len(u)), constant=False)


def _lines(variable: str, x: np.ndarray, y: np.ndarray, constant: bool = True) -> str:
    """Piecewise linear function through the nodes of a table; beyond the last one constant, or else linear."""
    pairs = list(zip(x.tolist(), y.tolist(), strict=True))
    if constant:
        pairs.append((1e3 * pairs[-1][0], pairs[-1][1]))
    return f"pwl({variable}," + ",".join(f"{a!r},{b!r}" for a, b in pairs) + ")"


def _waypoints(segments: Sequence[Segment], corners: np.ndarray, initial: float) -> list[str]:
    """Times and values of the source; a jump is made in a ten-millionth of the run."""
    edge = 1e-7 * float(corners[-1])
    points = [(0.0, float(initial) if segments[0].mode == "voltage" else 0.0)]
    for start, stop, segment in zip(corners[:-1].tolist(), corners[1:].tolist(), segments, strict=True):
        if points[-1][1] != segment.a:
            points.append((start + edge, float(segment.a)))
        tau = np.linspace(0.0, stop - start, PARABOLA + 1 if segment.c else 2)[1:]
        value = segment.a + tau * (segment.b + tau * segment.c)
        points += zip((start + tau).tolist(), value.tolist(), strict=True)
    return [f"{t!r} {v!r}" for t, v in points]


def _initial(config: CircuitConfig, ladder: Ladder) -> list[str]:
    """Initial condition of a charged cell: potentials of the electrode and a floating mid-plane, voltages of tables."""
    if not config.initial_voltage:
        return []
    charge = at_rest(ladder, config.initial_voltage)[ladder.first :]
    u = float(ladder.entrance_voltages(charge[ladder.entrance])[0])
    mid_plane = config.initial_voltage - u
    known = [f"v(p)={config.initial_voltage!r}"] + ([f"v(m)={mid_plane!r}"] if config.full_cell else [])
    both = ((1, config, u), (2, config.counter or config, -mid_plane))
    for instance, cell, voltage in both if config.full_cell else both[:1]:
        names = ["open"] if cell.open_capacitance_table else []
        names += [str(i + 1) for i in range(cell.slits)] if cell.capacitance_table else []
        known += [f"v(x{instance}.u{name})={voltage!r}" for name in names]
    return [".ic " + "\n+ ".join(known)]
