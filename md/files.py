"""Readers of the arrays and trajectories of a run, which check that they are whole, numeric, finite and of a shape."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from MDAnalysis.lib.formats.libmdaxdr import XTCFile

from transslit.errors import StageFailed, first_line

Shape = tuple[int | None, ...]  # None: any length along that axis


def read_arrays(path: Path, **shapes: Shape) -> dict[str, np.ndarray]:
    """All arrays of an .npz file; those named in `shapes` are present, finite numbers and of that shape.

    Raises
    ------
    ValueError : the file's fault, without its path
    """
    try:
        with zipfile.ZipFile(path) as archive:  # reads every member to its end, which verifies its checksum
            members = {name.removesuffix(".npy"): io.BytesIO(archive.read(name)) for name in archive.namelist()}
        found = {name: np.lib.format.read_array(data, allow_pickle=False) for name, data in members.items()}
    except FileNotFoundError:
        raise ValueError("is missing") from None
    except Exception as error:  # zipfile, zlib and numpy raise a dozen types on damaged bytes
        raise ValueError(f"cannot be read ({first_line(error)})") from None
    for name, shape in shapes.items():
        if name not in found:
            raise ValueError(f"lacks {name}")
        _check(name, found[name], shape)
    return found


def load_arrays(path: Path, remedy: str, **shapes: Shape) -> dict[str, np.ndarray]:
    """As `read_arrays`; `remedy` is the message's advice if the file cannot be used.

    Raises
    ------
    StageFailed : the file is damaged, not of these shapes, or empty
    """
    try:
        found = read_arrays(path, **shapes)
        if empty := [name for name in shapes if not found[name].size]:
            raise ValueError(f"has an empty {empty[0]}")
    except ValueError as error:
        raise StageFailed("md", f"{path}: {error}; {remedy}") from None
    return found


def load_array(path: Path, remedy: str, shape: Shape) -> np.ndarray:
    """The array of an .npy file, with the checks of `load_arrays`."""
    try:
        with open(path, "rb") as file:
            found = np.lib.format.read_array(file, allow_pickle=False)
        _check("it", found, shape)
    except Exception as error:  # as in `read_arrays`
        raise StageFailed("md", f"{path}: cannot be used ({first_line(error)}); {remedy}") from None
    return found


def readable_frames(path: Path) -> int:
    """Number of frames of an XTC file; 0 if its last frame cannot be read."""
    try:
        with XTCFile(str(path)) as file:
            frames = len(file)
            file.seek(frames - 1)
            file.read()
    except (OSError, ValueError):
        return 0
    return frames


def _check(name: str, values: np.ndarray, shape: Shape) -> None:
    if values.dtype.kind not in "biuf":
        raise ValueError(f"{name} is not numeric")
    alike = len(values.shape) == len(shape)
    if not alike or any(want not in (None, have) for want, have in zip(shape, values.shape, strict=True)):
        wanted = tuple("any" if want is None else want for want in shape)
        raise ValueError(f"{name} has the shape {values.shape}, not {wanted}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} is not finite")
