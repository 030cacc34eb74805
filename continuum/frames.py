"""Fields of a run as frames: HDF5 on disk, and a reader with the interface that AnalysisBase asks of a trajectory.

`frames.h5` holds time_s (frames,), phi_V (frames, cells), c_mol_per_m3 (frames, ions, ion cells), and per frame
drive (phi_m in V, or the sheets' charge in C/m^2), I_m_A_per_m and electrode_C_per_m (NaN for a full cell);
its attributes hold the configuration, from which the mesh is made again, and whether the run was complete.
Every frame has a Fletcher checksum, and so has the file's structure (HDF5 1.10 and later): a file that a disk or a
copy damaged is refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import h5py
import numpy as np
import pandas as pd
from MDAnalysis.analysis.base import AnalysisBase

from continuum.config import ContinuumConfig
from continuum.mesh import Array
from continuum.mpnp import ModifiedPNP
from transslit import BadInput
from transslit.errors import first_line
from transslit.files import whole

SERIES = ("time_s", "phi_V", "c_mol_per_m3", "drive", "I_m_A_per_m", "electrode_C_per_m")
DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, IndexError)  # what h5py raises on it


@dataclass(frozen=True)
class Frame:
    """One instant: `time` in s, `phi` (cells,) in V, `c` (ions, ion cells) in mol/m^3, and the terminals."""

    frame: int
    time: float
    phi: Array
    c: Array
    drive: float
    terminal_current: float
    electrode_charge: float


class Frames:
    """Reader of `frames.h5` (or of the run folder that holds it); slicing gives a lighter view."""

    transformations: tuple[()] = ()

    def __init__(self, path: Path) -> None:
        path = Path(path)
        self.path = path / "frames.h5" if path.is_dir() else path
        with contextlib.ExitStack() as closing:
            try:
                self._file = closing.enter_context(h5py.File(self.path, "r"))
                self.config = ContinuumConfig.model_validate_json(self._file.attrs["config"])
                self.complete = bool(self._file.attrs["complete"])
                self.times: Array = self._file["time_s"][:]
                self._check()
            except DAMAGE as error:
                raise self._refused("missing, truncated or not frames of a run", error) from None
            closing.pop_all()  # stays open

    def _check(self) -> None:
        """Refuse datasets of other shapes or types than those of one run, by a ValueError."""
        frames, ions = self.times.size, self.config.electrolyte.valences.size
        shapes = {name: self._file[name].shape for name in SERIES}
        wanted: dict[str, tuple[int, ...]] = dict.fromkeys(SERIES, (frames,))
        wanted["phi_V"] = (frames, *shapes["phi_V"][-1:])
        wanted["c_mol_per_m3"] = (frames, ions, *shapes["c_mol_per_m3"][-1:])
        for name in SERIES:
            kind = self._file[name].dtype
            if frames == 0 or shapes[name] != wanted[name] or kind.kind != "f":
                raise ValueError(f"{name} holds {kind} of the shape {shapes[name]} in {frames} frames of {ions} ions")

    def _refused(self, what: str, error: Exception) -> BadInput:
        return BadInput("frames", self.path, f"{what} ({first_line(error)})")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Frames:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def equations(self) -> ModifiedPNP:
        """The equations (and mesh) that these frames solve.

        Raises
        ------
        BadInput : the frames have another number of cells
        """
        equations = ModifiedPNP(self.config)
        cells = self._file["phi_V"].shape[1], self._file["c_mol_per_m3"].shape[2]
        if cells != (equations.n, equations.m):
            mesh = f"the mesh of their configuration has {equations.n} cells, {equations.m} of them with ions"
            raise BadInput("frames", self.path, f"{mesh}, not {cells[0]} and {cells[1]}")
        return equations

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self.times.size

    def __len__(self) -> int:
        return self.n_frames

    def check_slice_indices(self, start: int | None, stop: int | None, step: int | None) -> tuple[int, int, int]:
        """`slice(start, stop, step)` with the frames' number put in."""
        return slice(start, stop, step).indices(self.n_frames)

    def frame(self, number: int) -> Frame:
        """Frame by number; negative numbers count from the end.

        Raises
        ------
        BadInput : the frame is damaged
        """
        number = range(self.n_frames)[number]
        try:
            phi, c, drive, current, charge = (self._file[name][number] for name in SERIES[1:])
        except DAMAGE as error:
            raise self._refused(f"frame {number} is damaged", error) from None
        return Frame(number, float(self.times[number]), phi, c, float(drive), float(current), float(charge))

    @overload
    def __getitem__(self, which: int) -> Frame: ...
    @overload
    def __getitem__(self, which: slice | Sequence[int] | Array) -> FrameView: ...
    def __getitem__(self, which: Any) -> Frame | FrameView:
        if isinstance(which, int | np.integer):
            return self.frame(int(which))
        return FrameView(self, np.arange(self.n_frames)[which])

    def __iter__(self) -> Iterator[Frame]:
        return iter(self[:])


class FrameView:
    """Selected frames of a reader, read one at a time."""

    def __init__(self, frames: Frames, numbers: Array) -> None:
        self._frames, self._numbers = frames, numbers

    def __len__(self) -> int:
        return self._numbers.size

    def __iter__(self) -> Iterator[Frame]:
        return (self._frames.frame(int(number)) for number in self._numbers)


class FrameAnalysis(AnalysisBase):
    """An analyzer of the frames of a run: each frame adds a table to `_rows`, and `results.table` holds all of them."""

    def __init__(self, frames: Frames, verbose: bool = False, **kwargs: Any) -> None:
        super().__init__(frames, verbose=verbose, **kwargs)
        self.frames_reader = frames

    def _prepare(self) -> None:
        self._rows: list[Any] = []

    def _conclude(self) -> None:
        self.results.table = pd.concat(self._rows, ignore_index=True)


def write_frames(path: Path, config: ContinuumConfig, series: dict[str, Array], complete: bool) -> None:
    """Write `frames.h5`, whole or not at all."""
    # v110 is the first whose structure has checksums.
    with whole(path) as partial, h5py.File(partial, "w", libver="v110") as file:
        file.attrs["config"] = np.bytes_(config.model_dump_json())  # of fixed length, which has a checksum
        file.attrs["complete"] = complete
        file.attrs["sign"] = "I_m > 0 charges the electrode positively"
        for name in SERIES:
            values = series[name]
            chunks = (1, *values.shape[1:]) if values.ndim > 1 else values.shape  # a field is read frame by frame
            file.create_dataset(name, data=values, chunks=chunks, fletcher32=True)


def thin(frames: Frames, every: int) -> None:
    """Keep every `every`-th frame and the last in the file of `frames`, which must be opened again.

    Raises
    ------
    BadInput : a frame is damaged
    """
    kept = np.union1d(np.arange(0, frames.n_frames, every), [frames.n_frames - 1])
    try:
        series = {name: frames._file[name][kept] for name in SERIES}
    except DAMAGE as error:
        raise frames._refused("a frame is damaged", error) from None
    write_frames(frames.path, frames.config, series, frames.complete)
