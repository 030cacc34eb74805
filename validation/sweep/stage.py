"""A stage as a sweep sees it: how its options are read, and what it computes for a row of the table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from transslit.config import Config


@dataclass(frozen=True)
class Work:
    """What is run at a point; it pickles.

    Parameters
    ----------
    config : configuration of the stage
    row : runs the stage in a folder and returns the measured columns
    inputs : digests of what is read beside the configuration
    """

    config: Config
    row: Callable[[Path], Mapping[str, object]]
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage:
    """A stage that can be swept.

    Parameters
    ----------
    read : the work that texts of options, by name, and arguments describe
    options : names of the options that can be set or varied
    argument : name by which the stage's argument is varied, if it has one
    leaves_record : whether a trans-slit record is left in the folder
    resumes : whether points that are interrupted continue, in a folder of the sweep; others have a temporary folder
    """

    name: str
    read: Callable[[Mapping[str, str], Sequence[str]], Work]
    options: Collection[str]
    argument: str = ""
    leaves_record: bool = False
    resumes: bool = False
