"""Ions: valence and size for the continuum, one or several charged sites for molecular dynamics.

A monatomic ion (or one of a single coarse-grained site) has a mass, a charge and a Lennard-Jones sphere, mixed by
Lorentz and Berthelot. An ion of several sites has an OpenMM ForceField XML and a structure (`transslit.molecule`),
whose text is kept here, so that a frozen configuration holds all that its digest answers for.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import AfterValidator, Discriminator, Tag, model_validator

from transslit.config import Config, described
from transslit.errors import visible
from transslit.molecule import ELEMENTS, Molecule, Site, read_molecule
from transslit.units import DiffusionCoefficient, ElementaryCharge, Length, Mass, MolarEnergy

Quantity = TypeVar("Quantity")
Words = Annotated[str, AfterValidator(visible)]  # for people, on one line and without what steers a terminal


class Sourced(Config, Generic[Quantity]):
    """A value with the place it was taken from, and what it does not claim."""

    value: Quantity = described("the value, as text with its unit (a bare number where it has none)")
    source: Words = described("DOI or data book that it was taken from, or `assumption` and why", min_length=1)
    note: Words = described("what the value does not claim", default="")


class MDParameters(Config):
    """Lennard-Jones and charge of an ion of one site (Lorentz-Berthelot mixing)."""

    mass: Sourced[Mass] = described("mass", "m", "mass")
    charge: Sourced[ElementaryCharge] = described("charge; need not be the valence", "q", "elementary charge")
    sigma: Sourced[Length] = described("Lennard-Jones diameter", "sigma", "length")
    epsilon: Sourced[MolarEnergy] = described("Lennard-Jones depth", "epsilon", "molar energy")


class MolecularParameters(Config):
    """An ion of several sites. In a file `forcefield` and `structure` are paths beside it; here they are the texts."""

    forcefield: Sourced[str] = described("path, from this file, of an OpenMM ForceField XML with one residue")
    structure: Sourced[str] = described("path of a PDB with that residue's atoms, by the same names")
    rigid: bool = described("hold every bonded distance", default=False)


def _kind(md: Any) -> Literal["one_site", "several_sites"]:
    keys = md if isinstance(md, dict) else type(md).model_fields
    return "several_sites" if {"forcefield", "structure"} & set(keys) else "one_site"


MDKind = Annotated[MDParameters, Tag("one_site")] | Annotated[MolecularParameters, Tag("several_sites")]


class Ion(Config):
    """One ionic species: name, valence z, stoichiometric number per formula unit, D and a."""

    name: str = described(
        "letters and digits; of a monatomic ion, its chemical symbol", pattern=r"^[A-Za-z][A-Za-z0-9]*$"
    )
    valence: int = described("charge number in the continuum; never zero", "z", strict=True, ge=-9, le=9)
    stoichiometry: int = described("ions of this kind per formula unit", "n", default=1, strict=True, ge=1, le=99)
    diffusion_coefficient: Sourced[DiffusionCoefficient] = described(
        "in the continuum, everywhere", "D", "diffusion coefficient"
    )
    diameter: Sourced[Length] = described("edge of its cell in the continuum's lattice gas", "a", "length")
    md: MDKind = described("molecular dynamics: of one site, or of several", discriminator=Discriminator(_kind))

    @model_validator(mode="after")
    def _physical(self) -> Self:
        if self.valence == 0:
            raise ValueError("an ion's valence must not be zero")
        self.molecule  # noqa: B018 - a fault in its texts is the user's, and is raised here
        return self

    @cached_property
    def molecule(self) -> Molecule:
        """The ion's residue, sites and bonds.

        Raises
        ------
        BadInput : a force field or structure that cannot be read
        """
        if isinstance(self.md, MolecularParameters):
            return read_molecule(self.md.forcefield.value, self.md.structure.value, f"ions.{self.name}.md")
        element = self.name if self.name in ELEMENTS else None
        site = Site(self.name, element, self.md.mass.value, self.md.charge.value, (0.0, 0.0, 0.0))
        return Molecule(f"I{self.name.upper()}"[:3], (site,), ())

    @property
    def sites(self) -> tuple[Site, ...]:
        """What carries mass and charge; one site at the origin for a monatomic ion."""
        return self.molecule.sites

    @property
    def bonds(self) -> tuple[tuple[int, int], ...]:
        """Pairs of bonded sites, by their places in `sites`."""
        return self.molecule.bonds

    @property
    def mass(self) -> float:
        """Da, of the whole ion."""
        return float(sum(site.mass for site in self.sites))

    @property
    def charge(self) -> float:
        """In e, of the whole ion in molecular dynamics; `valence` is the continuum's."""
        return float(sum(site.charge for site in self.sites))
