"""The circuit of a continuum record, every element from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from circuit import CircuitConfig, Table
from circuit.resistance import of_law
from continuum.extract import LadderParameters, extract
from continuum.tables import QTable, capacitance_tables, ladder_tables
from transslit import BadInput, TransSlitRecord
from transslit.drive import Drive
from transslit.law import Law

POINTS = 41  # of a law as a table
LEAST = 1e-3  # of an empty slit's resistance, the least in a table

ELEMENTS = (
    "resistance",
    "gamma",
    "slit_capacitance",
    "open_resistance",
    "open_capacitance",
    "charge_max",
    "half_entrance_resistor",
)


def extracted_circuit(
    record: TransSlitRecord,
    drive: Drive,
    ladder: LadderParameters | None = None,
    voltage_dependent: bool = True,
    tabulated: bool = False,
    layers: int | None = None,
    law: Law | None = None,
    **changes: Any,
) -> CircuitConfig:
    """The ladder of replica 0 of a voltage-driven record, under `drive`; per metre of depth.

    Parameters
    ----------
    ladder : what `extract` gave for the record, where it is known already
    voltage_dependent : let the capacitors follow the voltage, C(|u|), as the record's do
    tabulated : let the resistances follow the charge as the record's do, R(q), instead of equation 1
    law : with `tabulated`, the resistances between slit centres, instead of the record's; they become tables where the
        record tells potentials at rest
    layers : number of sheets, if not the record's; every slit is then like the middle one
    changes : fields of the configuration that are to be others

    Raises
    ------
    BadInput : as `continuum.extract.extract`
    """
    ladder = ladder or extract(record)
    elements: dict[str, Any] = {name: getattr(ladder, name) for name in ELEMENTS}
    slits = record.slits["i"].nunique()
    elements |= {"layers": layers or slits + 1, "drive": drive, "points": 4001}
    if elements["layers"] == slits + 1:
        elements["charge_max"] = ladder.charges_max
    if voltage_dependent or tabulated:
        tables = ladder_tables(record, ladder) if tabulated else capacitance_tables(record, ladder)
        of_slits = tuple(Table(over="potential", **table.model_dump()) for table in tables.slits)
        elements["capacitance_table"] = of_slits if elements["layers"] == slits + 1 else of_slits[slits // 2]
        elements["open_capacitance_table"] = Table(over="potential", **tables.open_space.model_dump())
        if (R := tables.resistance) is not None:
            elements["open_resistance"] = tables.open_resistance
            if law is None:
                elements |= {"resistance_table": Table(at=R.at, value=R.value), "charge_max": R.charge_max}
            elif tables.over_centres is not None:
                charges = np.broadcast_to(elements["charge_max"], elements["layers"] - 1)
                elements["resistance_table"] = tuple(_of_law(law, tables.over_centres, float(c)) for c in charges)
    return CircuitConfig.model_validate(elements | changes)


def _of_law(law: Law, factor: QTable, charge_max: float) -> Table:
    """The resistance of a law between slit centres times `factor`, over q of a slit whose largest charge is given.

    Raises
    ------
    BadInput : the law is no resistance
    """
    q = np.linspace(0, 1, POINTS)
    value = of_law(law, 1).value(q[:, None])[:, 0] * np.interp(
        q * charge_max / factor.charge_max, factor.at, factor.value
    )
    if not value[0] > 0:
        raise BadInput("law", f"{value[0]:g} ohm m of an uncharged slit (q = 0)", "must be positive and finite")
    return Table(at=tuple(map(float, q)), value=tuple(map(float, np.maximum(value, LEAST * value[0]))))
