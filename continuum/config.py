"""What a continuum run is a function of: geometry, electrolyte, drive, surface model and resolution."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from transslit import BadInput, ChargeStep, Drive, Electrolyte, SlitNetwork, TriangularCV
from transslit.config import Config
from transslit.electrolyte import own_temperature
from transslit.units import Concentration, Length, LengthOrZero, Temperature, Time

Permittivity = Annotated[float, Field(ge=1, allow_inf_nan=False)]
FINEST = 15e-12  # m, of cells at surfaces unless asked for: a third of an ionic liquid's Debye length, good to 0.2 %


class ContinuumConfig(Config):
    """One run of the modified Poisson-Nernst-Planck equations; lengths in m, times in s.

    `cell = "half"` is one electrode from its closing wall to the mid-plane of the cell, where phi = 0 and
    c = bulk; it takes a potential or a current. `cell = "full"` is the closed cell of molecular dynamics, from the
    mid-plane of the positive electrode's wall to that of the negative one's, with the sheets' charge given.
    """

    network: SlitNetwork
    electrolyte: Electrolyte
    concentration: Concentration = 1000.0  # mol/m^3 of formula units: bulk (half), initial (full)
    drive: Drive = TriangularCV()
    temperature: Temperature = Field(default_factory=own_temperature)  # the electrolyte's
    permittivity: Permittivity | None = None  # relative; None is the solvent's
    stern_thickness: LengthOrZero = 0.3e-9  # half cell only
    stern_permittivity: Permittivity | None = None  # None is the solvent's
    stern_model: Literal["robin", "resolved"] = "robin"
    sheet_permittivity: Permittivity = 1.0  # full cell: a sheet that does not polarise
    cell: Literal["half", "full"] = "half"

    # Time: `steps` uniform steps per CV cycle, or steps that keep the change per step near the tolerance.
    steps: Annotated[int, Field(ge=4, le=1_000_000)] = 200
    stepping: Literal["fixed", "adaptive"] = "fixed"  # of CVs; all other drives adapt
    scheme: Literal["euler", "bdf2"] | None = None  # None is bdf2 where a CV adapts, euler elsewhere
    first_step: Time = 1e-15
    record_interval: Time = 1e-13  # first, of a charge step
    record_growth: Annotated[float, Field(ge=1, le=2)] = 1.0  # of that interval from one frame to the next
    step_tolerance: Annotated[float, Field(gt=0, le=1)] | None = None  # extrapolation error, in bulk concentrations
    until_periodic: Annotated[float, Field(gt=0, le=1)] | None = None  # stop after a cycle that changes less: kT/e, c
    checkpoint_every: Annotated[int, Field(ge=1)] = 20  # frames
    store_every: Annotated[int, Field(ge=1)] = 1  # of the frames, and the last, that a finished run keeps

    # Mesh: cell sizes at surfaces and their caps; `refinement` divides all of them.
    surface_cell: Length | None = None  # None is a tenth of the Debye length, 0.015 to 0.05 nm
    slit_cell: Length = 0.25e-9  # across slits and gaps
    bulk_cell: Length = 2.0e-9  # along slits and in the reservoir
    growth: Annotated[float, Field(gt=1, le=2)] = 1.35  # of neighbouring cells, about
    refinement: Annotated[float, Field(gt=0, le=20)] = 1.0

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
        """Of the time scheme."""
        adapts = isinstance(self.drive, TriangularCV) and self.stepping == "adaptive"
        return 2 if self.scheme == "bdf2" or (self.scheme is None and adapts) else 1

    @property
    def tolerance(self) -> float:
        """Extrapolation error that a step may have, in bulk concentrations; by linear extrapolation, whatever the
        order, so that a second-order scheme may take longer steps to the same end (0.035 against 0.01).
        """
        return self.step_tolerance or (0.035 if self.order == 2 else 0.01)

    @property
    def relative_permittivity(self) -> float:
        """Of the electrolyte."""
        return self.permittivity or self.electrolyte.solvent.permittivity.value

    @property
    def relative_stern_permittivity(self) -> float:
        """Of the Stern layer."""
        return self.stern_permittivity or self.relative_permittivity

    @property
    def cell_at_surface(self) -> float:
        """Cell size at surfaces before refinement, in m."""
        tenth = self.electrolyte.debye_length(self.concentration) / 10
        return self.surface_cell or max(min(tenth, 0.05e-9), FINEST)
