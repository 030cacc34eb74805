"""The circuit of a continuum record, every element from it."""

from __future__ import annotations

from typing import Any

from circuit import CircuitConfig, Table
from continuum.extract import LadderParameters, extract
from continuum.tables import capacitance_tables, ladder_tables
from transslit import TransSlitRecord
from transslit.drive import Drive

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
    **changes: Any,
) -> CircuitConfig:
    """The ladder of replica 0 of a voltage-driven record, under `drive`; per metre of depth.

    Parameters
    ----------
    ladder : what `extract` gave for the record, where it is known already
    voltage_dependent : let the capacitors follow the voltage, C(|u|), as the record's do
    tabulated : let the resistances follow the charge as the record's do, R(q), instead of equation 1 or a law
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
            elements["resistance_table"] = Table(over="q", at=R.at, value=R.value)
            elements |= {"charge_max": R.charge_max, "open_resistance": tables.open_resistance}
    return CircuitConfig.model_validate(elements | changes)
