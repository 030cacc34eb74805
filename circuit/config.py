"""What a circuit run is a function of: the ladder's elements, the drive and the output grid.

Element values are those of one half-cell. Per metre of depth (ohm m, F/m, C/m, giving A/m) or absolute (ohm, F,
C, giving A) they are the same numbers: the depth is then 1 m.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from transslit.config import Config
from transslit.drive import CircuitDrive, TriangularCV
from transslit.errors import BadInput
from transslit.units import Capacitance, Charge, Resistance, Voltage

Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]


class Table(Config):
    """A positive element as a monotone cubic through points: over q, or over |u| in V of its capacitor.

    Before the first point and after the last one the element keeps its value.
    """

    over: Literal["q", "potential"] = "q"
    at: Annotated[tuple[NotNegative, ...], Field(min_length=2)]
    value: Annotated[tuple[Positive, ...], Field(min_length=2)]  # ohm or F

    @model_validator(mode="after")
    def _rectangular(self) -> Self:
        if len(self.at) != len(self.value):
            raise ValueError(f"{len(self.at)} points with {len(self.value)} values")
        if not (np.diff(self.at) > 0).all():
            raise ValueError("its points must increase")
        return self


Tables = Table | tuple[Table, ...]


class HalfCell(Config):
    """Elements of one half-cell of `layers` sheets (`layers - 1` slits).

    Where a tuple is given, it holds a value for each slit, slit 1 (nearest the bulk) first: a graded electrode. A
    table takes the place of the constants of its element.
    """

    layers: Annotated[int, Field(strict=True, ge=1, le=100_000)] = (
        20  # the closing wall is one of them; 1 is open space alone
    )
    resistance: Resistance | tuple[Resistance, ...] | None = None  # ohm, R_c; a law takes its place
    gamma: Finite | tuple[Finite, ...] = 0.0  # R_d = -gamma R_c q
    resistance_table: Tables | None = None  # ohm over q
    slit_capacitance: Capacitance | tuple[Capacitance, ...] | None = None  # F
    capacitance_table: Tables | None = None  # F, dQ/du, over q or |u|
    open_resistance: Resistance  # ohm
    open_capacitance: Capacitance  # F
    open_capacitance_table: Table | None = None  # F over |u|
    charge_max: Charge | tuple[Charge, ...] | None = None  # C, where q = 1; default: at the largest |phi_m|
    half_entrance_resistor: Annotated[bool, Field(strict=True)] = (
        False  # the first slit's resistor halved: the ladder of a continuous line
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name in ("resistance", "gamma", "slit_capacitance", "charge_max", "resistance_table", "capacitance_table"):
            given = getattr(self, name)
            if isinstance(given, tuple) and len(given) != self.slits:
                raise BadInput(name, f"{len(given)} values", f"give one, or one for each of {self.slits} slits")
        if self.slit_capacitance is None and self.capacitance_table is None:
            raise BadInput("slit_capacitance", "missing", "give a slit's capacitance (80nF) or a table")
        for name in ("resistance_table", "open_capacitance_table"):
            over = "q" if name == "resistance_table" else "potential"
            if any(table.over != over for table in self.tables(name)):
                raise BadInput(name, "over another variable", f"must be over {over}")
        return self

    @property
    def slits(self) -> int:
        """Number of slits: one less than the layers."""
        return self.layers - 1

    def tables(self, name: str) -> tuple[Table, ...]:
        """The tables of a field, one per slit; none where the field is empty."""
        given = getattr(self, name)
        if given is None:
            return ()
        return given if isinstance(given, tuple) else (given,) * max(self.slits, 1)

    def per_slit(self, name: str) -> np.ndarray:
        """Values of a field, slit by slit, shape (slits,)."""
        return np.broadcast_to(np.asarray(getattr(self, name), dtype=float), (self.slits,)).copy()


class CircuitConfig(HalfCell):
    """A cell of two half-cells (or one) under a drive."""

    counter: HalfCell | None = None  # the other electrode, where it differs; the two share the current
    drive: CircuitDrive = TriangularCV()
    polarity: Literal[1, -1] = 1  # -1 turns the sign of the whole drive: V_m sweeps down first
    initial_voltage: Voltage = 0.0  # V of V_m, at which the cell has come to rest before t = 0
    points: Annotated[int, Field(ge=3, le=10_000_000)] = 2000  # rows of the terminal table
    model: Literal["ncm", "tlm"] = "ncm"
    full_cell: bool = True  # two equal half-cells in series, V_m = 2 phi_m; else V_m = phi_m of one half-cell
    tolerance: Annotated[float, Field(gt=1e-13, le=1e-2)] = 2e-6  # error of one step, of phi_m's and of I_m's size

    @model_validator(mode="after")
    def _grid_holds_corners(self) -> Self:
        if isinstance(self.drive, TriangularCV) and self.points < 2 * self.drive.cycles + 1:
            raise ValueError(
                f"{self.drive.cycles} cycles need at least {2 * self.drive.cycles + 1} points, one on each corner"
            )
        if self.counter is not None and not self.full_cell:
            raise BadInput("counter", "in a half-cell", "a counter electrode needs a full cell")
        if self.polarity == -1 and self.drive.kind == "power":
            raise BadInput("polarity", -1, "a constant power has no sign to turn")
        return self

    @property
    def half_cells(self) -> int:
        """Equal half-cells in series: V_m / phi_m; 1 also where the two differ."""
        return 2 if self.full_cell and self.counter is None else 1

    @property
    def electrodes(self) -> tuple[HalfCell, ...]:
        """The half-cells that are solved for: this one, and the counter electrode where it differs."""
        return (self,) if self.counter is None else (self, self.counter)

    @property
    def full_charge(self) -> Any:
        """Charge of a slit at which q = 1, in C (or C/m): a number, or an array (slits,) for a graded electrode."""
        found = self.full_charges(self)
        return float(found[0]) if found.size and (found == found[0]).all() else found

    def full_charges(self, electrode: HalfCell) -> np.ndarray:
        """Charge of each slit of one electrode at which q = 1, in C, shape (slits,).

        Raises
        ------
        BadInput : neither given nor to be had from the drive
        """
        if electrode.charge_max is not None:
            return electrode.per_slit("charge_max")
        largest = (self.drive.largest_voltage or abs(self.initial_voltage)) / (2 if self.full_cell else 1)
        if not largest or electrode.slit_capacitance is None:
            raise BadInput("charge_max", "missing", "give the charge at which q = 1: this drive or table has no window")
        return electrode.per_slit("slit_capacitance") * largest
