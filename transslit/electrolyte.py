"""Electrolytes: ions, solvent and composition, read from one TOML file with a source for every value.

The bulk must be neutral, both in the continuum's valences and in molecular dynamics' charges.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Generic, Self, TypeVar

import numpy as np
from pydantic import Field, model_validator
from scipy import constants

from transslit.config import Config
from transslit.errors import BadInput
from transslit.units import (
    Concentration,
    Density,
    DiffusionCoefficient,
    ElementaryCharge,
    Length,
    Mass,
    MolarEnergy,
    Temperature,
)

Quantity = TypeVar("Quantity")
Permittivity = Annotated[float, Field(ge=1, allow_inf_nan=False)]  # relative


class Sourced(Config, Generic[Quantity]):
    """A value with the place it was taken from, and what it does not claim."""

    value: Quantity
    source: Annotated[str, Field(min_length=1)]
    note: str = ""


class MDParameters(Config):
    """Lennard-Jones and charge of a monatomic ion (Lorentz-Berthelot mixing)."""

    mass: Sourced[Mass]  # Da
    charge: Sourced[ElementaryCharge]  # e
    sigma: Sourced[Length]  # m
    epsilon: Sourced[MolarEnergy]  # kJ/mol


class Ion(Config):
    """One ionic species: name, valence z, stoichiometric number per formula unit, D and a."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]*$")]
    valence: int
    stoichiometry: Annotated[int, Field(ge=1)] = 1
    diffusion_coefficient: Sourced[DiffusionCoefficient]  # m^2/s
    diameter: Sourced[Length]  # m, of the lattice gas of the modified Poisson-Nernst-Planck model
    md: MDParameters

    @model_validator(mode="after")
    def _charged(self) -> Self:
        if self.valence == 0:
            raise ValueError("an ion's valence must not be zero")
        return self


class Solvent(Config):
    """The solvent: a fixed-charge model for molecular dynamics, a permittivity for the continuum."""

    model: Annotated[str, Field(pattern="^spce$")]
    permittivity: Sourced[Permittivity]
    density: Sourced[Density]  # kg/m^3
    molar_mass: Sourced[Mass]  # Da


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
        net = sum(ion.stoichiometry * ion.md.charge.value for ion in self.ions)
        if abs(net) > 1e-9 and not self.allow_charged:
            charges = {ion.name: ion.md.charge.value for ion in self.ions}
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


def shipped() -> dict[str, Path]:
    """Names and files of the electrolytes that come with the suite."""
    folder = Path(str(resources.files("transslit") / "electrolytes"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_electrolyte(name: str, *, allow_charged: bool = False) -> Electrolyte:
    """Electrolyte by shipped name, or by the path of a TOML file.

    Raises
    ------
    BadInput : unknown name (with the nearest ones), unreadable or malformed file, unphysical content
    """
    known = shipped()
    if name in known:
        path = known[name]
    elif name.endswith(".toml") or "/" in name:
        path = Path(name)
    else:
        near = difflib.get_close_matches(name.lower(), [key.lower() for key in known], n=3, cutoff=0.4)
        names = [key for key in known if key.lower() in near] or list(known)
        raise BadInput("electrolyte", name, f"unknown; did you mean {' or '.join(names)}? (or give a .toml file)")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput("electrolyte", path, f"cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput("electrolyte", path, f"is not valid TOML ({error})") from None
    return Electrolyte.read(where=str(path), **{"name": path.stem, **content, "allow_charged": allow_charged})
