"""Configuration of a circuit run: the elements of the ladder, the drive and the output times.

Element values are those of one half-cell. Per metre of depth (ohm m, F/m, C/m, giving A/m) or absolute (ohm, F,
C, giving A) they are the same numbers: the depth is then 1 m.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

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

    over: Literal["q", "potential"] = Field(default="q", description="variable: q, or the capacitor's voltage |u| in V")
    at: tuple[NotNegative, ...] = Field(min_length=2, description="increasing values of the variable")
    value: tuple[Positive, ...] = Field(min_length=2, description="the element at these points, in ohm or F")

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

    A tuple has one value for each slit, slit 1 (nearest the bulk) first: a graded electrode. A table replaces the
    constants of its element.
    """

    layers: int = Field(
        default=20,
        strict=True,
        ge=1,
        le=100_000,
        description="number of sheets, the closing wall included; 1: no slits",
    )
    resistance: Resistance | tuple[Resistance, ...] | None = Field(
        default=None,
        description="trans-slit resistance R_c of an uncharged slit, in ohm, without a law; of all slits or each",
    )
    gamma: Finite | tuple[Finite, ...] = Field(
        default=0.0,
        description="fraction by which the resistance of a full slit falls: R = R_c (1 - gamma q); of all or each",
    )
    resistance_table: Tables | None = Field(default=None, description="resistance of a slit over q, in ohm")
    slit_capacitance: Capacitance | tuple[Capacitance, ...] | None = Field(
        default=None, description="capacitance C_slit of a slit, in F; of all or each"
    )
    capacitance_table: Tables | None = Field(
        default=None, description="capacitance dQ/du of a slit over q or |u|, in F"
    )
    open_resistance: Resistance = Field(description="resistance R_open of the open space, in ohm")
    open_capacitance: Capacitance = Field(description="capacitance C_open of the open space, in F")
    open_capacitance_table: Table | None = Field(
        default=None, description="capacitance of the open space over |u|, in F"
    )
    charge_max: Charge | tuple[Charge, ...] | None = Field(
        default=None,
        description="charge of a slit at which q = 1, in C; of all or each; default: its charge at the largest |phi_m|",
    )
    half_entrance_resistor: bool = Field(
        default=False, strict=True, description="halve the first slit's resistance: ladder of a continuous line"
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

    counter: HalfCell | None = Field(default=None, description="counter electrode, if different from the working one")
    drive: CircuitDrive = Field(default=TriangularCV(), description="what is imposed on the cell over time")
    polarity: Literal[1, -1] = Field(default=1, description="-1 reverses the sign of the drive: V_m sweeps down first")
    initial_voltage: Voltage = Field(default=0.0, description="cell voltage at which the cell rests before t = 0, in V")
    points: int = Field(default=2000, ge=3, le=10_000_000, description="number of output times")
    model: Literal["ncm", "tlm"] = Field(
        default="ncm", description="nano-circuitry model (ncm) or transmission line model, of constant R (tlm)"
    )
    full_cell: bool = Field(
        default=True, description="two half-cells in series, V_m = 2 phi_m if they are equal; else one, V_m = phi_m"
    )
    tolerance: float = Field(
        default=2e-6, gt=1e-13, le=1e-2, description="error of a time step, relative to phi_m and I_m"
    )

    @model_validator(mode="after")
    def _grid_holds_corners(self) -> Self:
        if isinstance(self.drive, TriangularCV) and self.points < 2 * self.drive.cycles + 1:
            cycles, least = self.drive.cycles, 2 * self.drive.cycles + 1
            raise BadInput("points", self.points, f"{cycles} cycles need {least} points or more, one on each corner")
        if self.counter is not None and not self.full_cell:
            raise BadInput("counter", "in a half-cell", "a counter electrode needs a full cell")
        if self.polarity == -1 and self.drive.kind == "power":
            raise BadInput("polarity", -1, "a constant power has no sign to turn")
        return self

    @property
    def half_cells(self) -> int:
        """Number of equal half-cells in series, V_m / phi_m; 1 if the two differ."""
        return 2 if self.full_cell and self.counter is None else 1

    @property
    def electrodes(self) -> tuple[HalfCell, ...]:
        """The half-cells that are solved for: this one, and the counter electrode if it differs."""
        return (self,) if self.counter is None else (self, self.counter)

    @property
    def full_charge(self) -> float | np.ndarray:
        """Charge of a slit at which q = 1, in C (or C/m): a number, or an array (slits,) for a graded electrode."""
        charges = self.full_charges(self)
        return float(charges[0]) if charges.size and (charges == charges[0]).all() else charges

    def full_charges(self, electrode: HalfCell) -> np.ndarray:
        """Charge of each slit of one electrode at which q = 1, in C, shape (slits,).

        Raises
        ------
        BadInput : `charge_max` is missing, and the drive has no largest voltage or the slits no constant capacitance
        """
        if electrode.charge_max is not None:
            return electrode.per_slit("charge_max")
        largest = (self.drive.largest_voltage or abs(self.initial_voltage)) / (2 if self.full_cell else 1)
        if not largest or electrode.slit_capacitance is None:
            raise BadInput("charge_max", "missing", "give the charge at which q = 1: this drive or table has no window")
        return electrode.per_slit("slit_capacitance") * largest
