"""Configuration of a search; the descriptions of its fields are the help texts of the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from discovery.functions import SEARCHABLE
from transslit.columns import unit_of
from transslit.config import Config
from transslit.errors import BadInput
from transslit.units import registry

RESISTANCE, GENERAL = "resistance", "general"


def _searchable(name: str) -> str:
    if name not in SEARCHABLE:
        raise ValueError(f"give some of {', '.join(SEARCHABLE)}")
    return name


Function = Annotated[str, AfterValidator(_searchable)]


class DiscoveryConfig(Config):
    """Settings of the search for a law `target` = f(`inputs`), of its selection and of its validation."""

    target: str = Field("dphi_V", description="Column that the law predicts.")
    inputs: tuple[str, ...] = Field(
        ("I_A_per_m", "q"),
        min_length=1,
        max_length=8,
        description="Columns that the law depends on. Beside the columns of a record there are q = |Q_i|/max|Q_i|, "
        "q_I = |integral of I_i dt|/max, d = slit width in nm, and cycle.",
    )
    form: str | None = Field(
        None,
        description="resistance: the current times a positive R of the other inputs, which a circuit can take; "
        'general: any law; or a formula whose constants are fitted, such as "I*R_c*(1 - gamma*q)", with inputs with or '
        "without their units. Default: resistance for a voltage over one current and other inputs, else general.",
    )
    functions: tuple[Function, ...] = Field(
        ("square", "sqrt", "exp", "log", "tanh"),
        description=f"Functions that the law may contain, of {', '.join(SEARCHABLE)}.",
    )
    population: int = Field(80, ge=8, multiple_of=4, description="Trees in the population of each island.")
    generations: int = Field(18, ge=1, description="Largest number of generations.")
    islands: int = Field(3, ge=1, le=64, description="Populations that evolve side by side.")
    migration_every: int = Field(4, ge=1, description="Generations between two migrations of the best trees.")
    patience: int = Field(5, ge=1, description="Generations without a better Pareto front after which a search ends.")
    max_complexity: int = Field(20, ge=3, description="Largest number of nodes of the written formula.")
    max_length: int = Field(24, ge=3, description="Largest number of nodes of a tree in the population.")
    max_terms: int = Field(5, ge=1, le=12, description="Largest number of terms, each with a fitted coefficient.")
    max_parameters: int = Field(2, ge=0, le=4, description="Largest number of fitted constants inside functions.")
    held_out: tuple[str, ...] | Literal["last", "none"] = Field(
        "last",
        description="Rows that validate the law and take no part in the search: those that meet one of the conditions "
        "COLUMN=VALUE, such as i=4 or cycle=2 or d=3; last: the slit with the largest number (without a column i, the "
        "last group; without groups, a fifth of the rows); none: all rows are training rows.",
    )
    tolerance: float = Field(
        0.01,
        gt=0,
        lt=1,
        description="Root-mean-square error, relative to that of the target, below which a better fit does not justify "
        "a longer formula (the model error of noise-free data is of this size).",
    )
    search_rows: int = Field(
        400,
        ge=20,
        description="Largest number of training rows in the search; the best forms are refitted on all rows.",
    )
    bootstrap: int = Field(
        1000, ge=20, description="Bootstrap resamples for the confidence intervals of the constants."
    )
    seed: int = Field(0, ge=0, description="Seed of all random numbers; one seed gives one law.")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.inputs)) != len(self.inputs):
            raise BadInput("inputs", ",".join(self.inputs), "an input is named twice")
        if self.target in self.inputs:
            raise BadInput("target", self.target, "must not be among the inputs")
        if self.form == RESISTANCE and not self._resistance:
            given = f"{self.target} of {', '.join(self.inputs)}"
            raise BadInput("form", f"resistance: {given}", "needs a voltage, one current and another input, with units")
        return self

    @property
    def current(self) -> int | None:
        """Position of I among the inputs."""
        return self._position(lambda name: name == "I" or name.startswith("I_"))

    @property
    def charge(self) -> int | None:
        """Position of q, or of q_I (the same by the integral of I), among the inputs."""
        return self._position({"q", "q_I"}.__contains__)

    @property
    def restricted(self) -> bool:
        """Whether the law is to be a resistance times the current."""
        return self.form == RESISTANCE or (self.form is None and self._resistance)

    @property
    def formula(self) -> str | None:
        """The formula that is to be fitted instead of a search."""
        return None if self.form in (None, RESISTANCE, GENERAL) else self.form

    @property
    def general(self) -> Self:
        """The same search without restriction."""
        return self.model_copy(update={"form": GENERAL})

    @property
    def _resistance(self) -> bool:
        """Whether target and inputs are those of a resistance: a voltage, and one current among several inputs."""
        if self.current is None or len(self.inputs) == 1:
            return False
        volt, ampere = (registry().Quantity(1.0, unit_of(name)) for name in (self.target, self.inputs[self.current]))
        return volt.is_compatible_with("V") and any(ampere.is_compatible_with(unit) for unit in ("A", "A/m"))

    def _position(self, meant: Callable[[str], bool]) -> int | None:
        found = [j for j, name in enumerate(self.inputs) if meant(name)]
        return found[0] if len(found) == 1 else None
