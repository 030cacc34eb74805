"""What a search is a function of, beside its table."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from transslit.config import Config

Function = Literal["square", "sqrt", "exp", "log", "tanh", "sinh", "sin", "cos"]


class DiscoveryConfig(Config):
    """Search, choice and judgement of a law `target` = f(`inputs`).

    `tolerance` is the root-mean-square error, as a fraction of the target's root mean square, below which a
    better fit is not worth a longer formula by itself (model-form error of noise-free data lives there).
    `held_out` names the rows that judge the law and take no part in finding it, as conditions COLUMN=VALUE of which
    a row meets one or more ("i=4", "cycle=2", "d=3"): "last" is the slit with the largest number (without a column
    `i`, the last group; without either, a fifth of the rows), "none" keeps every row for training.
    """

    target: str = "dphi_V"
    inputs: Annotated[tuple[str, ...], Field(min_length=1, max_length=8)] = ("I_A_per_m", "q")
    functions: tuple[Function, ...] = ("square", "sqrt", "exp", "log", "tanh")
    population: Annotated[int, Field(ge=8, multiple_of=4)] = 80  # trees of one island
    generations: Annotated[int, Field(ge=1)] = 18
    islands: Annotated[int, Field(ge=1, le=64)] = 3
    migration_every: Annotated[int, Field(ge=1)] = 4  # generations
    patience: Annotated[int, Field(ge=1)] = 5  # generations without a better front before an early stop
    max_complexity: Annotated[int, Field(ge=3)] = 20  # nodes of the written formula
    max_length: Annotated[int, Field(ge=3)] = 24  # nodes of a tree in the population
    max_terms: Annotated[int, Field(ge=1, le=12)] = 5  # coefficients of a sum
    max_parameters: Annotated[int, Field(ge=0, le=4)] = 2  # constants inside functions
    held_out: tuple[str, ...] | Literal["last", "none"] = "last"
    tolerance: Annotated[float, Field(gt=0, lt=1)] = 0.01
    search_rows: Annotated[int, Field(ge=20)] = 400  # rows that the search looks at; finalists see all
    bootstrap: Annotated[int, Field(ge=20)] = 1000  # resamples for the constants' intervals
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.inputs)) != len(self.inputs):
            raise ValueError("an input is named twice")
        if self.target in self.inputs:
            raise ValueError("the target must not be among the inputs")
        return self
