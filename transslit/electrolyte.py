"""Electrolytes: ions, solvent and composition, read from one TOML file with a source for every value.

The bulk must be neutral, both in the continuum's valences and in molecular dynamics' charges.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from scipy import constants

from transslit.config import Config
from transslit.errors import BadInput
from transslit.ions import Ion, Sourced
from transslit.units import Concentration, Density, Length, Mass, Temperature

Permittivity = Annotated[float, Field(ge=1, allow_inf_nan=False)]  # relative


class Solvent(Config):
    """The solvent: a fixed-charge model for molecular dynamics, a permittivity for the continuum.

    A liquid of ions alone has the model "none": its permittivity and density are the liquid's.
    """

    model: Literal["spce", "none"]
    permittivity: Sourced[Permittivity]
    density: Sourced[Density]  # kg/m^3
    molar_mass: Sourced[Mass] | None = None  # Da, of the solvent's molecules

    @model_validator(mode="after")
    def _molecules(self) -> Self:
        if (self.model == "none") != (self.molar_mass is None):
            raise ValueError("a solvent needs a molar_mass, and no solvent has none")
        return self


class Electrolyte(Config):
    """A salt (or mixture) in a solvent."""

    name: str
    title: str = ""
    ions: Annotated[tuple[Ion, ...], Field(min_length=2)]
    solvent: Solvent
    concentration: Concentration = 1000.0  # mol/m^3 of formula units, when none is asked for
    temperature: Temperature = 298.15  # K at which the values above hold
    allow_charged: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.names)) != len(self.ions):
            raise ValueError("two ions share a name")
        if sum(ion.stoichiometry * ion.valence for ion in self.ions):
            raise BadInput(
                f"{self.name}: ions.valence",
                ", ".join(f"{ion.stoichiometry} {ion.name} of {ion.valence:+d}" for ion in self.ions),
                "valences times stoichiometries must add up to zero",
            )
        net = sum(ion.stoichiometry * ion.charge for ion in self.ions)
        if abs(net) > 1e-9 and not self.allow_charged:
            charges = {ion.name: ion.charge for ion in self.ions}
            worst = max(self.ions, key=lambda ion: abs(charges[ion.name] - ion.valence))
            raise BadInput(
                f"{self.name}: ions.{worst.name}.md.charge",
                f"{charges[worst.name]:g} e",
                f"the salt would carry {net:+g} e per formula unit; {worst.valence:+d} e would make it neutral"
                " (--allow-charged overrides; that is not physical)",
            )
        return self

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(ion.name for ion in self.ions)

    @cached_property
    def valences(self) -> np.ndarray:
        """z_k, shape (ions,)."""
        return np.array([ion.valence for ion in self.ions], dtype=float)

    @cached_property
    def diffusion_coefficients(self) -> np.ndarray:
        """D_k in m^2/s, shape (ions,)."""
        return np.array([ion.diffusion_coefficient.value for ion in self.ions])

    @cached_property
    def molar_volumes(self) -> np.ndarray:
        """a_k^3 N_A in m^3/mol, shape (ions,): occupied fraction per unit concentration."""
        return np.array([ion.diameter.value**3 * constants.N_A for ion in self.ions])

    def bulk(self, concentration: float | None = None) -> np.ndarray:
        """Ion concentrations in mol/m^3, shape (ions,), at `concentration` of formula units.

        Raises
        ------
        BadInput : the ions would fill the volume (close packing)
        """
        salt = self.concentration if concentration is None else concentration
        bulk = salt * np.array([ion.stoichiometry for ion in self.ions], dtype=float)
        if self.molar_volumes @ bulk >= 1:
            most = salt / (self.molar_volumes @ bulk) / 1000
            raise BadInput("concentration", f"{salt / 1000:g} M", f"ions of this size pack at {most:.3g} M; give less")
        return bulk

    def debye_length(self, concentration: float | None = None) -> float:
        """lambda_D = sqrt(eps kT / sum z^2 e^2 n) in m."""
        ionic = float(self.valences**2 @ self.bulk(concentration)) * constants.N_A * constants.e**2
        permittivity = self.solvent.permittivity.value * constants.epsilon_0
        return math.sqrt(permittivity * constants.k * self.temperature / ionic)

    def with_diameter(self, diameter: float) -> Electrolyte:
        """The same electrolyte with every ion's lattice-gas diameter set to `diameter` (m)."""
        chosen = Sourced[Length].read("ion_diameter", value=diameter, source="chosen for this run")
        ions = tuple(ion.model_copy(update={"diameter": chosen}) for ion in self.ions)
        return self.model_copy(update={"ions": ions})

    def with_permittivity(self, permittivity: float) -> Electrolyte:
        """The same electrolyte with another relative permittivity of the solvent."""
        chosen = Sourced[Permittivity].read("permittivity", value=permittivity, source="chosen for this run")
        return self.model_copy(update={"solvent": self.solvent.model_copy(update={"permittivity": chosen})})
