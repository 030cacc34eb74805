"""Ions: valence and size for the continuum and, optionally, a force field for molecular dynamics.

A monatomic ion (or one of a single coarse-grained site) has a mass, a charge and a Lennard-Jones sphere, mixed by the
Lorentz-Berthelot rules. An ion of several sites has an OpenMM ForceField XML and a structure (`transslit.molecule`).
Their texts are stored here, so that the digest of a frozen configuration covers them.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import AfterValidator, Discriminator, Tag, model_validator

from transslit.config import Config, described
from transslit.errors import BadInput, visible
from transslit.molecule import ELEMENTS, Molecule, Site, read_molecule
from transslit.units import DiffusionCoefficient, ElementaryCharge, Length, Mass, MolarEnergy

Quantity = TypeVar("Quantity")
Words = Annotated[str, AfterValidator(visible)]  # printable text on one line, without terminal control characters


class Sourced(Config, Generic[Quantity]):
    """A value with its source, and a note on its limits."""

    value: Quantity = described("the value, as text with its unit (a bare number where it has none)")
    source: Words = described("DOI or data book of the value, or `assumption` and its reason", min_length=1)
    note: Words = described("limits of the value", default="")


class MDParameters(Config):
    """Force field of an ion of one site (Lorentz-Berthelot mixing)."""

    mass: Sourced[Mass] = described("mass", "m")
    charge: Sourced[ElementaryCharge] = described("charge; may differ from the valence", "q")
    sigma: Sourced[Length] = described("Lennard-Jones diameter", "sigma")
    epsilon: Sourced[MolarEnergy] = described("Lennard-Jones depth", "epsilon")


class MolecularParameters(Config):
    """Force field of an ion of several sites. A TOML file gives paths; its reader replaces them by the files' texts."""

    forcefield: Sourced[str] = described("path, relative to this file, of an OpenMM ForceField XML with one residue")
    structure: Sourced[str] = described("path of a PDB file with the atoms of that residue, by the same names")
    rigid: bool = described("constrain every bond length", default=False)


def _kind(md: Any) -> Literal["one_site", "several_sites"]:
    keys = md if isinstance(md, dict) else type(md).model_fields
    return "several_sites" if {"forcefield", "structure"} & set(keys) else "one_site"


ForceField = Annotated[
    Annotated[MDParameters, Tag("one_site")] | Annotated[MolecularParameters, Tag("several_sites")],
    Discriminator(_kind),
]


class Ion(Config):
    """One ionic species; without a force field (`md`) it serves the continuum alone."""

    name: str = described(
        "letters and digits; of a monatomic ion, its chemical symbol", pattern=r"^[A-Za-z][A-Za-z0-9]*$"
    )
    valence: int = described("charge number in the continuum; not zero", "z", strict=True, ge=-9, le=9)
    stoichiometry: int = described("number of these ions per formula unit", "n", default=1, strict=True, ge=1, le=99)
    diffusion_coefficient: Sourced[DiffusionCoefficient] = described("uniform, in the continuum", "D")
    diameter: Sourced[Length] = described("edge of its cell in the continuum's lattice gas", "a")
    md: ForceField | None = described("force field of molecular dynamics, of one site or of several", default=None)

    @model_validator(mode="after")
    def _physical(self) -> Self:
        if self.valence == 0:
            raise ValueError("an ion's valence must not be zero")
        if self.md is not None:
            self.molecule  # noqa: B018 - refuses a force field or structure that cannot be read
        return self

    @cached_property
    def molecule(self) -> Molecule:
        """The ion's residue, sites and bonds.

        Raises
        ------
        BadInput : the ion has no force field, or its force field or structure cannot be read
        """
        if self.md is None:
            accepts = "molecular dynamics needs mass, charge, sigma and epsilon, or a force field"
            raise BadInput(f"ions.{self.name}.md", "missing", f"{accepts}; see docs/electrolytes.md")
        if isinstance(self.md, MolecularParameters):
            return read_molecule(self.md.forcefield.value, self.md.structure.value, f"ions.{self.name}.md")
        element = self.name if self.name in ELEMENTS else None
        site = Site(self.name, element, self.md.mass.value, self.md.charge.value, (0.0, 0.0, 0.0))
        return Molecule(f"I{self.name.upper()}"[:3], (site,), ())

    @property
    def sites(self) -> tuple[Site, ...]:
        """Interaction sites with mass and charge; one at the origin for a monatomic ion."""
        return self.molecule.sites

    @property
    def bonds(self) -> tuple[tuple[int, int], ...]:
        """Pairs of bonded sites, by their indices in `sites`."""
        return self.molecule.bonds

    @property
    def mass(self) -> float:
        """Mass of the whole ion in Da."""
        return float(sum(site.mass for site in self.sites))

    @property
    def charge(self) -> float:
        """Charge of the whole ion in molecular dynamics, in e; the continuum uses `valence`."""
        return float(sum(site.charge for site in self.sites))
