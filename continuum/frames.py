"""Fields of a run as frames: HDF5 on disk, and a reader with the interface that AnalysisBase asks of a trajectory.

`frames.h5` holds time_s (frames,), phi_V (frames, cells), c_mol_per_m3 (frames, ions, ion cells), and per frame
drive (phi_m in V, or the sheets' charge in C/m^2), I_m_A_per_m and electrode_C_per_m (NaN for a full cell);
its attributes hold the configuration, from which the mesh is made again, and whether the run was complete.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import h5py
import numpy as np

from continuum.config import ContinuumConfig
from continuum.mesh import Array
from continuum.mpnp import ModifiedPNP
from transslit import BadInput

SERIES = ("time_s", "phi_V", "c_mol_per_m3", "drive", "I_m_A_per_m", "electrode_C_per_m")


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
        try:
            self._file = h5py.File(self.path, "r")
            self.config = ContinuumConfig.model_validate_json(self._file.attrs["config"])
            self.complete = bool(self._file.attrs["complete"])
            self.times: Array = self._file["time_s"][:]
        except (OSError, KeyError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise BadInput("frames", self.path, f"missing, truncated or not frames of a run ({reason})") from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Frames:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def equations(self) -> ModifiedPNP:
        """The equations (and mesh) that these frames solve."""
        return ModifiedPNP(self.config)

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
        """Frame by number; negative numbers count from the end."""
        number = range(self.n_frames)[number]
        f = self._file
        return Frame(
            number,
            float(self.times[number]),
            f["phi_V"][number],
            f["c_mol_per_m3"][number],
            float(f["drive"][number]),
            float(f["I_m_A_per_m"][number]),
            float(f["electrode_C_per_m"][number]),
        )

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
    """Chosen frames of a reader, read one at a time."""

    def __init__(self, frames: Frames, numbers: Array) -> None:
        self._frames, self._numbers = frames, numbers

    def __len__(self) -> int:
        return self._numbers.size

    def __iter__(self) -> Iterator[Frame]:
        return (self._frames.frame(int(number)) for number in self._numbers)


def write_frames(path: Path, config: ContinuumConfig, series: dict[str, Array], complete: bool) -> None:
    """Write `frames.h5`, whole or not at all."""
    partial = path.with_name(f".{path.name}.part")
    with h5py.File(partial, "w") as file:
        file.attrs["config"] = config.model_dump_json()
        file.attrs["complete"] = complete
        file.attrs["sign"] = "I_m > 0 charges the electrode positively"
        for name in SERIES:
            file[name] = series[name]
    partial.replace(path)


def thin(frames: Frames, every: int) -> None:
    """Leave every `every`-th frame and the last in the file of `frames`, which are to be opened again."""
    kept = np.union1d(np.arange(0, frames.n_frames, every), [frames.n_frames - 1])
    series = {name: frames._file[name][kept] for name in SERIES}
    write_frames(frames.path, frames.config, series, frames.complete)
