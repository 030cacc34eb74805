"""The trans-slit record: the common tables to which molecular dynamics and continuum runs are reduced.

Three tidy tables with units in their column names, and metadata that `concat` checks:

crossings : one row per (replica, time, i), the current from slit i+1 to slit i and its parts
slits     : one row per (replica, time, i), potential, ionic charge and concentrations of slit i
terminal  : one row per (replica, time), the drive and the charging current

Signs: I > 0 carries positive charge towards the bulk, so dphi_i = phi_{i+1} - phi_i = I_i R_i with
R_i > 0; the charging current of the terminal is positive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field
from scipy.interpolate import PchipInterpolator

from transslit.errors import BadInput, StageFailed
from transslit.files import check_numbers, checked, file_checksum, read_sealed, read_table, write_sealed, write_table
from transslit.network import SlitNetwork

KEYS = ["replica", "time_s", "i"]
PARTS = ["I_migration_A_per_m", "I_diffusion_A_per_m", "I_steric_A_per_m", "I_residual_A_per_m"]
CROSSINGS = [*KEYS, "dphi_V", "I_A_per_m", *PARTS]
SLITS = [*KEYS, "phi_V", "Q_C_per_m", "rho_C_per_m3", "c_mol_per_m3"]  # then c_<ion>_mol_per_m3
TERMINAL = ["replica", "time_s", "I_m_A_per_m"]  # and phi_m_V or sigma_C_per_m2
EVEN = 1.01  # largest ratio of the longest to the shortest step of uniform times
TABLES = ("crossings", "slits", "terminal")
SUMS = "sha256"
PRECISION = 1e-9  # of the parts of a current, to which they add up to it,
ROUND_OFF = 1e-13  # or of the one-way currents whose difference it is
DRIVES = ("phi_m_V", "sigma_C_per_m2")
MUST_AGREE = ("electrolyte", "temperature_K", "sign")
SIGN: Literal["I > 0 carries positive charge towards the bulk; charging current positive"] = (
    "I > 0 carries positive charge towards the bulk; charging current positive"
)


Positive = Annotated[float, Field(gt=1e-30, lt=1e30, strict=True)]


class Loose(BaseModel):
    """A part of the metadata: the entries that are read have types, and further entries are allowed."""

    model_config = ConfigDict(extra="allow")


class DriveEntry(Loose):
    """The drive, as `transslit.drive` writes it."""

    kind: str
    window: Positive | None = None
    scan_rate: Positive | None = None


class HalfCellEntry(Loose):
    """Half-cell of the rows of one `replica`: its box, its electrode and its face.

    Boxes that fork from one trajectory share a `start`; where it is told, it takes the box's place in intervals. `half`
    numbers the places of a box's half-cells, which differ from electrode and face where electrodes are exchanged.
    """

    box: int
    start: int | None = None
    electrode: Literal["positive", "negative"]
    face: str
    half: int | None = None


class Metadata(Loose):
    """Metadata of a record: required entries, and optional ones that are checked."""

    electrolyte: str
    temperature_K: Positive  # noqa: N815 - the unit
    source: str
    sign: Literal["I > 0 carries positive charge towards the bulk; charging current positive"] = SIGN
    network: SlitNetwork | None = None
    drive: DriveEntry | None = None
    half_cells: dict[str, HalfCellEntry] = Field(default_factory=dict)  # by replica
    one_way_A_per_m: Annotated[float, Field(ge=0, lt=1e30, strict=True)] = 0.0  # noqa: N815 - the unit
    blocks: None = None  # former name of half_cells
    sha256: dict[str, str] = Field(default_factory=dict)  # of the tables' files


@dataclass(frozen=True)
class TransSlitRecord:
    """Three tables and their metadata; `metadata` holds at least `MUST_AGREE` and `source`."""

    crossings: pd.DataFrame
    slits: pd.DataFrame
    terminal: pd.DataFrame
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.metadata.setdefault("sign", SIGN)
        for name, columns in (("crossings", CROSSINGS), ("slits", SLITS), ("terminal", TERMINAL)):
            table: pd.DataFrame = getattr(self, name)
            drives = [column for column in DRIVES if name == "terminal" and column in table.columns]
            ions = [column for column in table.columns if name == "slits" and str(column).startswith("c_")]
            check_numbers(table, dict.fromkeys([*columns, *drives, *ions]), f"record table {name}")
            keys = [key for key in KEYS if key in columns]
            if table.duplicated(keys).any():
                raise BadInput(f"record table {name}", "rows repeated", "one row per replica, time and slit")
            for key in set(keys) - {"time_s"}:
                if (table[key] % 1 != 0).any() or (table[key] < (key == "i")).any():
                    raise BadInput(
                        f"record table {name}",
                        f"{key} is {table[key].min():g}",
                        "must count from one" if key == "i" else "must count from zero",
                    )
        instants = pd.MultiIndex.from_frame(self.terminal[["replica", "time_s"]])
        states = pd.MultiIndex.from_frame(self.slits[KEYS])
        if not pd.MultiIndex.from_frame(self.crossings[KEYS]).isin(states).all():
            raise BadInput("record table slits", "rows missing", "needs one for each row of crossings")
        if not states.droplevel("i").isin(instants).all():
            raise BadInput("record table terminal", "rows missing", "needs one for each instant of slits")
        if len(self.slits) != len(states.droplevel("i").unique()) * len(states.unique("i")):
            raise BadInput("record table slits", "rows missing", "needs every slit at each instant")
        if not set(DRIVES) & set(self.terminal.columns):
            raise BadInput("record table terminal", "no drive", f"needs {' or '.join(DRIVES)}")
        total = self.crossings["I_A_per_m"].to_numpy(dtype=float)
        parts = self.crossings[PARTS].to_numpy(dtype=float)
        gap = np.abs(parts.sum(axis=1) - total).max(initial=0.0)
        largest = max(PRECISION * np.abs(parts).sum(axis=1).max(initial=0.0), self.round_off)
        if not gap <= largest:
            raise BadInput(
                "record table crossings",
                f"parts miss the total by {gap:.3g} A/m",
                f"must add up to I_A_per_m within {largest:.3g} A/m",
            )

    @classmethod
    def made(
        cls, stage: str, crossings: pd.DataFrame, slits: pd.DataFrame, terminal: pd.DataFrame, metadata: dict[str, Any]
    ) -> Self:
        """The record that a stage of this suite made; a fault in it is the stage's, not its user's.

        Raises
        ------
        StageFailed : names the fault
        """
        try:
            return cls(crossings, slits, terminal, metadata)
        except BadInput as fault:
            raise StageFailed(stage, f"made a record that is none ({fault})") from None

    @property
    def round_off(self) -> float:
        """Round-off of a current in A/m, where the metadata tell the one-way currents whose difference it is."""
        return ROUND_OFF * float(self.metadata.get("one_way_A_per_m", 0.0))

    @property
    def ions(self) -> list[str]:
        """Ion names, from the concentration columns."""
        columns = (column.removesuffix("_mol_per_m3") for column in self.slits.columns if column.startswith("c_"))
        return [column.removeprefix("c_") for column in columns if column != "c"]

    def joined(self) -> pd.DataFrame:
        """Crossings with the content of their slit: Q_C_per_m and q = |Q_i| / max |Q_i| per replica and slit."""
        slits = self.slits[[*KEYS, "phi_V", "Q_C_per_m", "rho_C_per_m3", "c_mol_per_m3"]].copy()
        magnitude = slits["Q_C_per_m"].abs()
        slits["q"] = magnitude / magnitude.groupby([slits["replica"], slits["i"]]).transform("max")
        return self.crossings.merge(slits, on=KEYS, how="left", validate="one_to_one")

    def resampled(self, points: int = 800) -> Self:
        """The record resampled uniformly in time, at `points` + 1 times per replica, as unweighted fits need it.

        Adaptive steps are short where the solution changes fast. Between the turns of the drive every column is
        interpolated by monotone cubics (F. N. Fritsch, R. E. Carlson, SIAM J. Numer. Anal. 17, 238 (1980)), piece by
        piece, so that the kinks at the turns stay sharp. A record of uniform steps is returned unchanged.
        """
        drives = {replica: rows.sort_values("time_s") for replica, rows in self.terminal.groupby("replica")}
        steps = {replica: np.diff(rows["time_s"]) for replica, rows in drives.items()}
        if all(step.max(initial=0.0) <= EVEN * step.min(initial=np.inf) for step in steps.values()):
            return self
        imposed = "phi_m_V" if "phi_m_V" in self.terminal else "sigma_C_per_m2"
        tables = {}
        for name in ("crossings", "slits", "terminal"):
            table: pd.DataFrame = getattr(self, name)
            keys = [key for key in ("replica", "i") if key in table.columns]
            pieces = [
                _on_even_times(rows, drives[rows["replica"].iloc[0]], imposed, points).assign(
                    **{key: rows[key].iloc[0] for key in keys}
                )
                for _, rows in table.groupby(keys)
            ]
            tables[name] = pd.concat(pieces, ignore_index=True)[list(table.columns)] if pieces else table
        if len(tables["crossings"]):
            tables["crossings"]["I_A_per_m"] = tables["crossings"][PARTS].sum(axis=1)
        return type(self)(**tables, metadata={**self.metadata, "resampled": points})

    def write(self, folder: Path) -> None:
        """Write `crossings|slits|terminal.parquet` and, last, `record.json` to `folder`, which is made if missing."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = {name: folder / f"{name}.parquet" for name in TABLES}
        for name, path in paths.items():
            write_table(path, getattr(self, name))
        sums = {path.name: file_checksum(path) for path in paths.values()}
        write_sealed(folder / "record.json", {**dict(sorted(self.metadata.items())), SUMS: sums})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a record that `write` wrote; `folder` may also be a run folder that holds `record/`.

        Raises
        ------
        BadInput : a file is missing or damaged, a column is missing or holds no numbers, metadata of another type
        """
        folder = Path(folder)
        if (folder / "record" / "record.json").exists():
            folder = folder / "record"
        if not (folder / "record.json").exists():
            raise BadInput("record", folder, "holds no trans-slit record (record.json is missing)")
        metadata = read_sealed(folder / "record.json", "record", SUMS)
        checked(metadata, Metadata, folder / "record.json", "record")
        sums = metadata.pop(SUMS, {})
        tables = {name: _table(folder / f"{name}.parquet", sums) for name in TABLES}
        return cls(**tables, metadata=metadata)

    @classmethod
    def concat(cls, records: Iterable[Self]) -> Self:
        """One record of several, with replicas renumbered.

        Raises
        ------
        BadInput : the records differ in one of `MUST_AGREE`
        """
        records = list(records)
        first = records[0].metadata
        for record in records[1:]:
            for key in MUST_AGREE:
                if record.metadata.get(key) != first.get(key):
                    raise BadInput(
                        f"record {key}", record.metadata.get(key), f"must equal {first.get(key)} to be joined"
                    )
        merged: dict[str, list[pd.DataFrame]] = {"crossings": [], "slits": [], "terminal": []}
        offset = 0
        for record in records:
            for name, tables in merged.items():
                table: pd.DataFrame = getattr(record, name)
                tables.append(table.assign(replica=table["replica"] + offset))
            offset += int(record.terminal["replica"].max()) + 1
        shared = {key: value for key, value in first.items() if all(r.metadata.get(key) == value for r in records)}
        if one_way := max(record.metadata.get("one_way_A_per_m", 0.0) for record in records):
            shared["one_way_A_per_m"] = one_way
        return cls(**{name: pd.concat(tables, ignore_index=True) for name, tables in merged.items()}, metadata=shared)


def _table(path: Path, sums: Mapping[str, str]) -> pd.DataFrame:
    """A table of the record, verified by its checksum in `sums`."""
    table = read_table(path, "record")
    if path.name in sums and sums[path.name] != file_checksum(path):
        raise BadInput("record", path, "is damaged, or is not the table that was written with record.json")
    return table


def _on_even_times(rows: pd.DataFrame, drive: pd.DataFrame, imposed: str, points: int) -> pd.DataFrame:
    """`rows` of one replica (and slit) at uniform times; the column `imposed` of `drive` says where the drive turns."""
    times = drive["time_s"].to_numpy()
    slopes = np.sign(np.diff(drive[imposed].to_numpy()))
    turns = np.flatnonzero(slopes[1:] * slopes[:-1] < 0) + 1
    even = np.linspace(times[0], times[-1], points + 1)
    columns = [name for name in rows.columns if name not in KEYS]
    values, out = rows.sort_values("time_s")[columns].to_numpy(), np.empty((even.size, len(columns)))
    for start, stop in pairwise([0, *turns, times.size - 1]):
        inside = (even >= times[start]) & (even <= times[stop])
        out[inside] = PchipInterpolator(times[start : stop + 1], values[start : stop + 1])(even[inside])
    return pd.DataFrame(out, columns=columns).assign(time_s=even)
