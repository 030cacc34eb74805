"""Configuration of a continuum run: geometry, electrolyte, drive, surface model and resolution."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from transslit import BadInput, ChargeStep, Drive, Electrolyte, SlitNetwork, TriangularCV
from transslit.config import Config
from transslit.electrolyte import own_temperature
from transslit.units import Concentration, Length, LengthOrZero, Temperature, Time

Permittivity = Annotated[float, Field(ge=1, allow_inf_nan=False)]
FINEST = 15e-12  # m, least default size of cells at surfaces: a third of an ionic liquid's Debye length, good to 0.2 %


class ContinuumConfig(Config):
    """One run of the modified Poisson-Nernst-Planck equations; lengths in m, times in s.

    `cell = "half"` is one electrode from its closing wall to the mid-plane of the cell, where phi = 0 and
    c = bulk; it takes a potential or a current. `cell = "full"` is the closed cell of molecular dynamics, from the
    mid-plane of the positive electrode's wall to that of the negative one's, with the sheets' charge given.
    """

    network: SlitNetwork = Field(description="geometry of one electrode and its reservoir")
    electrolyte: Electrolyte = Field(description="ions and solvent")
    concentration: Concentration = Field(
        1000.0, description="concentration of formula units, in mol/m^3: of the bulk (half cell) or initial (full cell)"
    )
    drive: Drive = Field(TriangularCV(), description="what is imposed on the electrodes over time")
    temperature: Temperature = Field(
        default_factory=own_temperature, description="temperature, in K; the electrolyte's unless given"
    )
    permittivity: Permittivity | None = Field(
        None, description="relative permittivity of the electrolyte; the solvent's unless given"
    )
    stern_thickness: LengthOrZero = Field(0.3e-9, description="thickness of the Stern layer of a half cell, in m")
    stern_permittivity: Permittivity | None = Field(
        None, description="relative permittivity of the Stern layer; the electrolyte's unless given"
    )
    stern_model: Literal["robin", "resolved"] = Field(
        "robin", description="Stern layer as a boundary condition (robin) or as a meshed, ion-free layer (resolved)"
    )
    sheet_permittivity: Permittivity = Field(
        1.0, description="relative permittivity of the sheets of a full cell; 1 if they do not polarise"
    )
    cell: Literal["half", "full"] = Field(
        "half", description="one electrode up to the mid-plane (half), or the closed cell of two (full)"
    )

    steps: int = Field(200, ge=4, le=1_000_000, description="time steps per cycle of a voltammogram")
    stepping: Literal["fixed", "adaptive"] = Field(
        "fixed", description="time steps of a voltammogram: uniform, or adapted to the solution as for all other drives"
    )
    scheme: Literal["euler", "bdf2"] | None = Field(
        None, description="time scheme; bdf2 for a voltammogram with adaptive steps, euler otherwise, unless given"
    )
    first_step: Time = Field(1e-15, description="first time step of a potential step or a charge step, in s")
    record_interval: Time = Field(1e-13, description="first interval between frames of a charge step or ramp, in s")
    record_growth: float = Field(
        1.0, ge=1, le=2, description="ratio of an interval between frames to the one before, of a charge step or ramp"
    )
    step_tolerance: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None,
        description="extrapolation error of an adaptive step, in bulk concentrations;"
        " 0.01 of the first-order scheme and 0.035 of the second-order one, unless given",
    )
    until_periodic: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="stop after a cycle that changes the state by less, in kT/e and bulk concentrations"
    )
    checkpoint_every: int = Field(20, ge=1, description="number of frames from one checkpoint to the next")
    store_every: int = Field(1, ge=1, description="keep each frame of this many, and the last, of a finished run")

    surface_cell: Length | None = Field(
        None,
        description="size of the mesh's cells at surfaces, in m;"
        " a tenth of the Debye length, 0.015 nm to 0.05 nm, unless given",
    )
    slit_cell: Length = Field(0.25e-9, description="largest size of cells across slits and edge gaps, in m")
    bulk_cell: Length = Field(2.0e-9, description="largest size of cells along slits and in the reservoir, in m")
    growth: float = Field(1.35, gt=1, le=2, description="approximate ratio of the sizes of neighbouring cells")
    refinement: float = Field(1.0, gt=0, le=20, description="factor by which every cell of the mesh is made smaller")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self.network.admits(self.electrolyte)
        self.electrolyte.bulk(self.concentration)
        self.electrolyte.admits_temperature(self.temperature)
        charge = isinstance(self.drive, ChargeStep)
        if charge != (self.cell == "full"):
            drive = "a charge-step or charge-ramp" if self.cell == "full" else "a potential or current"
            raise BadInput("drive", self.drive.kind, f"a {self.cell} cell takes {drive} drive")
        if isinstance(self.drive, TriangularCV) and self.steps % 2:
            raise BadInput("steps", self.steps, "give an even number, so that a step ends where the sweep turns")
        if self.resolved and not (
            0 < self.stern_thickness < min(self.network.slit / 2, self.network.edge_gap, self.network.reservoir_length)
        ):
            raise BadInput(
                "stern_thickness",
                f"{self.stern_thickness * 1e9:g} nm",
                "a resolved layer must fit twice into the slit and once into gap and reservoir",
            )
        return self

    @property
    def resolved(self) -> bool:
        """Whether the Stern layer is meshed as an ion-free layer."""
        return self.stern_model == "resolved" and self.cell == "half"

    @property
    def order(self) -> int:
        """Order of the time scheme."""
        adapts = isinstance(self.drive, TriangularCV) and self.stepping == "adaptive"
        return 2 if self.scheme == "bdf2" or (self.scheme is None and adapts) else 1

    @property
    def tolerance(self) -> float:
        """Largest extrapolation error of a step, in bulk concentrations.

        The extrapolation is linear for both schemes: the second-order one is as accurate with longer steps.
        """
        return self.step_tolerance or (0.035 if self.order == 2 else 0.01)

    @property
    def relative_permittivity(self) -> float:
        """Relative permittivity of the electrolyte."""
        return self.permittivity or self.electrolyte.solvent.permittivity.value

    @property
    def relative_stern_permittivity(self) -> float:
        """Relative permittivity of the Stern layer."""
        return self.stern_permittivity or self.relative_permittivity

    @property
    def cell_at_surface(self) -> float:
        """Cell size at surfaces before refinement, in m."""
        tenth = self.electrolyte.debye_length(self.concentration) / 10
        return self.surface_cell or max(min(tenth, 0.05e-9), FINEST)
