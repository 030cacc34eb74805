"""Configuration of a search; the descriptions of its fields are the help texts of the command line."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from discovery.functions import SEARCHABLE
from transslit.config import Config
from transslit.errors import BadInput


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
        return self
