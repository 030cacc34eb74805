"""Electrolytes: ions, solvent and composition, read from one TOML file with a source for every value.

The bulk must be neutral, by the continuum's valences and, where every ion has a force field, by the charges of
molecular dynamics.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from scipy import constants

from transslit.config import Config, described
from transslit.errors import BadInput
from transslit.ions import Ion, Sourced, Words
from transslit.units import Concentration, Density, Length, Mass, Temperature

TemperatureRange = tuple[Temperature, Temperature]
Permittivity = Annotated[float, Field(ge=1, strict=True, allow_inf_nan=False)]  # relative


class Solvent(Config):
    """The solvent: a fixed-charge model for molecular dynamics, a permittivity for the continuum.

    A liquid of ions alone has the model "none": its permittivity and density are the liquid's.
    """

    model: Literal["spce", "none"] = described("water of molecular dynamics; `none` for a liquid of ions alone")
    permittivity: Sourced[Permittivity] = described("relative permittivity in the continuum", "eps_r")
    density: Sourced[Density] = described("of the solvent, or of the liquid of ions", "rho")
    molar_mass: Sourced[Mass] | None = described("of its molecules; not with `none`", "M", default=None)
    temperature_range: Sourced[TemperatureRange] | None = described(
        "lowest and highest temperature at which the values above are valid", default=None
    )

    @model_validator(mode="after")
    def _molecules(self) -> Self:
        if (self.model == "none") != (self.molar_mass is None):
            raise ValueError("a solvent needs a molar_mass; model = none has no molecules and takes none")
        if self.temperature_range is not None and not self.temperature_range.value[0] < self.temperature_range.value[1]:
            raise ValueError("temperature_range: give the lower temperature first")
        return self


class Electrolyte(Config):
    """A salt (or mixture) in a solvent."""

    name: str = described("name in records and folders; the file's name if not given", pattern=r"^\w[\w .+-]*$")
    title: Words = described("description in one line", default="")
    ions: tuple[Ion, ...] = described("two or more; the bulk is neutral")
    solvent: Solvent = described("solvent of the ions")
    concentration: Concentration = described("default concentration of formula units", "c", default=1000.0)
    temperature: Temperature = described("temperature at which the values hold", "T", default=298.15)
    allow_charged: bool = described("accept a net charge; set by --allow-charged only", default=False)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.ions) < 2:
            raise ValueError("an electrolyte needs two ions or more")
        if len(set(self.names)) != len(self.ions):
            raise ValueError("two ions share a name")
        if sum(ion.stoichiometry * ion.valence for ion in self.ions):
            raise BadInput(
                f"{self.name}: ions.valence",
                ", ".join(f"{ion.stoichiometry} {ion.name} of {ion.valence:+d}" for ion in self.ions),
                "valences times stoichiometries must add up to zero",
            )
        net = sum(ion.stoichiometry * ion.charge for ion in self.ions) if self.has_force_field else 0.0
        if abs(net) > 1e-9 and not self.allow_charged:
            worst = max(self.ions, key=lambda ion: abs(ion.charge - ion.valence))
            raise BadInput(
                f"{self.name}: ions.{worst.name}.md.charge",
                f"{worst.charge:g} e",
                f"the salt would carry {net:+g} e per formula unit; {worst.valence:+d} e would make it neutral"
                " (--allow-charged overrides; that is not physical)",
            )
        self.admits_temperature(self.temperature)
        return self

    @property
    def has_force_field(self) -> bool:
        """Whether molecular dynamics can use the electrolyte: every ion has its force field."""
        return all(ion.md is not None for ion in self.ions)

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
        BadInput : the ions would fill the volume (close packing), or a liquid of ions alone would not have its density
        """
        salt = self.concentration if concentration is None else concentration
        if self.solvent.model == "none" and self.has_force_field and abs(salt / self.liquid_concentration - 1) > 0.02:
            whole = f"{self.liquid_concentration / 1000:.4g} M"
            raise BadInput(
                "concentration", f"{salt / 1000:g} M", f"without a solvent the liquid's density makes {whole}"
            )
        bulk = salt * self.stoichiometries
        if self.molar_volumes @ bulk >= 1:
            most = self.close_packing / 1000
            raise BadInput("concentration", f"{salt / 1000:g} M", f"ions of this size pack at {most:.3g} M; give less")
        return bulk

    @cached_property
    def stoichiometries(self) -> np.ndarray:
        """Ions of each kind per formula unit, shape (ions,)."""
        return np.array([ion.stoichiometry for ion in self.ions], dtype=float)

    @property
    def liquid_concentration(self) -> float:
        """Formula units in mol/m^3 of a liquid of ions alone, by its density and the masses of the force field."""
        return self.solvent.density.value / (1e-3 * sum(ion.stoichiometry * ion.mass for ion in self.ions))

    @property
    def close_packing(self) -> float:
        """Formula units in mol/m^3 at which the ions fill the volume, 1 / sum_k n_k a_k^3 N_A."""
        return float(1 / (self.molar_volumes @ self.stoichiometries))

    @property
    def absolute_permittivity(self) -> float:
        """Permittivity of the solvent in F/m."""
        return self.solvent.permittivity.value * constants.epsilon_0

    def debye_length(self, concentration: float | None = None) -> float:
        """lambda_D = sqrt(eps kT / sum z^2 e^2 n) in m."""
        ionic = float(self.valences**2 @ self.bulk(concentration)) * constants.N_A * constants.e**2
        return math.sqrt(self.absolute_permittivity * constants.k * self.temperature / ionic)

    @property
    def bjerrum_length(self) -> float:
        """e^2 / (4 pi eps kT) in m, the distance at which two elementary charges have the energy kT."""
        return constants.e**2 / (4 * math.pi * self.absolute_permittivity * constants.k * self.temperature)

    def conductivity(self, concentration: float | None = None) -> float:
        """Nernst-Einstein conductivity of ions that move independently, F^2 / RT sum z^2 D c, in S/m."""
        faraday = constants.e * constants.N_A
        mobile = float(np.sum(self.valences**2 * self.diffusion_coefficients * self.bulk(concentration)))
        return faraday**2 / (constants.R * self.temperature) * mobile

    def most_surface_charge(self, sign: int, slit: float | None = None) -> float:
        """Largest |charge| in C/m^2 of a wall that close-packed counter-ions can balance.

        They fill the slit between two such walls (width `slit` in m), or form one layer. `sign` is the wall's. The
        counter-ion is that of the highest charge per volume.
        """
        dense = np.where(self.valences * sign < 0, np.abs(self.valences) / self.molar_volumes, 0.0)
        best = int(np.argmax(dense))
        depth = self.ions[best].diameter.value if slit is None else slit / 2
        return float(dense[best] * constants.N_A * constants.e * depth)

    def admits_temperature(self, temperature: float) -> None:
        """Raise `BadInput` unless the solvent's values are valid at `temperature` (K)."""
        known = self.solvent.temperature_range
        if known is not None and not known.value[0] <= temperature <= known.value[1]:
            accepts = f"the solvent's values are for {known.value[0]:g} K to {known.value[1]:g} K"
            raise BadInput(f"{self.name}: temperature", f"{temperature:g} K", accepts)

    def with_diameter(self, diameter: float) -> Electrolyte:
        """The same electrolyte with every ion's lattice-gas diameter set to `diameter` (m)."""
        chosen = Sourced[Length].read("ion_diameter", value=diameter, source="chosen for this run")
        ions = tuple(ion.model_copy(update={"diameter": chosen}) for ion in self.ions)
        return self.model_copy(update={"ions": ions})

    def with_permittivity(self, permittivity: float) -> Electrolyte:
        """The same electrolyte with another relative permittivity of the solvent."""
        chosen = Sourced[Permittivity].read("permittivity", value=permittivity, source="chosen for this run")
        return self.model_copy(update={"solvent": self.solvent.model_copy(update={"permittivity": chosen})})


def own_temperature(known: dict[str, Any]) -> float:
    """Default of a configuration's `temperature` in K: that of its `electrolyte`, a field before it."""
    return known["electrolyte"].temperature if "electrolyte" in known else 298.15
