"""What a circuit run is a function of: the ladder's elements, the drive and the output grid.

Element values are those of one half-cell. Per metre of depth (ohm m, F/m, C/m, giving A/m) or absolute (ohm, F,
C, giving A) they are the same numbers: the depth is then 1 m.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from transslit.config import Config
from transslit.drive import TriangularCV
from transslit.units import Capacitance, Charge, Resistance

Finite = Annotated[float, Field(allow_inf_nan=False)]


class CircuitConfig(Config):
    """A ladder of `layers` sheets (`layers - 1` slits) under cyclic voltammetry."""

    layers: Annotated[int, Field(ge=2, le=100_000)] = 20  # the closing wall is one of them
    resistance: Resistance | None = None  # ohm, R_c; a law takes its place
    gamma: Finite = 0.0  # R_d = -gamma R_c q
    slit_capacitance: Capacitance  # F
    open_resistance: Resistance  # ohm
    open_capacitance: Capacitance  # F
    charge_max: Charge | None = None  # C, where q = 1; by default what a slit holds at the largest |phi_m|
    drive: TriangularCV = TriangularCV()
    polarity: Literal[1, -1] = 1  # -1 sweeps V_m down first
    points: Annotated[int, Field(ge=3, le=10_000_000)] = 2000  # rows of the terminal table
    model: Literal["ncm", "tlm"] = "ncm"
    full_cell: bool = True  # two equal half-cells in series, V_m = 2 phi_m; else V_m = phi_m of one half-cell
    half_resistor_mouth: bool = False  # the first slit's resistor halved: the ladder of a continuous line
    tolerance: Annotated[float, Field(gt=1e-13, le=1e-2)] = 1e-6  # error of one step, of phi_m's and of I_m's size

    @model_validator(mode="after")
    def _grid_holds_corners(self) -> Self:
        if self.points < 2 * self.drive.cycles + 1:
            raise ValueError(
                f"{self.drive.cycles} cycles need at least {2 * self.drive.cycles + 1} points, one on each corner"
            )
        return self

    @property
    def slits(self) -> int:
        """Number of slits: one less than the layers."""
        return self.layers - 1

    @property
    def half_cells(self) -> int:
        """Half-cells in series: V_m / phi_m."""
        return 2 if self.full_cell else 1

    @property
    def full_charge(self) -> float:
        """Charge of a slit at which q = 1, in C (or C/m)."""
        return self.charge_max or self.slit_capacitance * self.drive.window / self.half_cells
