"""Checkpoints of a run: one file holds the frames since the checkpoint before and the state to continue from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, NonNegativeInt

from continuum.mesh import Array
from transslit import BadInput
from transslit.errors import first_line


class Counters(BaseModel):
    """Progress of a run and its cost, which a checkpoint holds beside arrays."""

    model_config = ConfigDict(extra="forbid")

    digest: str  # of the configuration
    frames: NonNegativeInt
    steps: NonNegativeInt
    retries: list[dict[str, float | str]]
    newton: tuple[NonNegativeInt, NonNegativeInt]  # factorisations, iterations
    leg: NonNegativeInt
    cycle_changes: list[float]  # of the state from one cycle's end to the next, in kT/e and bulk concentrations
    stopped: bool


def checkpoint_name(frames: int) -> str:
    """Name of the file of the checkpoint after `frames` frames."""
    return f"segment-{frames:07d}.npz"


def set_aside(path: Path) -> Path:
    """Rename a checkpoint, so that it is no longer used, to a name that no file has."""
    aside = path.with_name(f"{path.name}.unreadable")
    while aside.exists():
        aside = aside.with_name(f"{aside.name}-too")
    return path.rename(aside)


def read_checkpoint(path: Path) -> dict[str, Array]:
    """Arrays of a checkpoint.

    Raises
    ------
    ValueError : damaged, or not one
    BadInput : this user may not read it
    """
    try:
        with np.load(path) as saved:
            return {name: saved[name] for name in saved.files}
    except PermissionError:
        raise BadInput("out", path, "may not be read by this user") from None
    except Exception as error:  # numpy, zipfile and zlib raise a dozen types on damaged bytes
        raise ValueError(f"cannot be read ({first_line(error)})") from None
