"""Run folders: one owner at a time, stages that are reused when their configuration matches, atomic files.

A stage is a function of a frozen configuration and a folder. It leaves its artefacts there; the folder's
`manifest.json` is written last and says with what they were made, so a folder without one is unfinished
and the stage may continue from whatever checkpoint it keeps there.
"""

from __future__ import annotations

import errno
import importlib.metadata
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from transslit.config import Config, digest
from transslit.errors import BadInput
from transslit.files import file_checksum, read_object, read_sealed, write_json, write_sealed

PACKAGES = ("transslit", "openmm", "mdtraj", "MDAnalysis", "fipy", "deap", "numpy", "scipy", "pandas", "sympy")
MANIFEST, STARTED = "manifest.json", "started.json"
LOCK, MARKER = ".lock", ".lock-held"
BESIDE = ("evidence", "claims.json")  # of claims, which may be judged in a folder before its validation


def versions() -> dict[str, str]:
    """Versions of this suite, of Python and of the packages that the numbers depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def surroundings() -> dict[str, Any]:
    """What made the numbers, besides the configuration: `versions`, `platform` and, in a checkout, `revision`."""
    found: dict[str, Any] = {"versions": versions()}
    found["platform"] = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    home = Path(__file__).resolve().parent.parent
    if (home / ".git").exists() and (git := shutil.which("git")):
        asked = [
            git,
            "--no-optional-locks",
            "-C",
            str(home),
            "describe",
            "--always",
            "--dirty",
            "--abbrev=12",
            "--exclude=*",
        ]
        told = subprocess.run(asked, capture_output=True, text=True, check=False)
        if told.returncode == 0:
            found["revision"] = told.stdout.strip()
    return found


class RunFolder:
    """An open run folder; make one with `open_run`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def stage(
        self,
        name: str,
        config: Config,
        run: Callable[[Path], Mapping[str, Any] | None],
        inputs: Mapping[str, str] | None = None,
        seed: int | None = None,
    ) -> tuple[Path, dict[str, Any]]:
        """Run `run(folder)` in the subfolder `name`, or reuse what it left.

        Parameters
        ----------
        name : subfolder; "" is the run folder itself
        config : what the result is a function of
        run : leaves its artefacts in the folder; what it returns goes into the manifest
        inputs : digests of the stages it reads
        seed : random seed, for the manifest

        Returns
        -------
        folder, manifest

        Raises
        ------
        BadInput : the folder holds the same stage of another configuration, or a file of it is not what was left
        """
        part = RunFolder(self.path / name)
        part.path.mkdir(parents=True, exist_ok=True)
        manifest = part.claim(config, inputs)
        if manifest is None:
            began, cpu = time.time(), time.process_time()
            try:
                extra = dict(run(part.path) or {})
            except BadInput:
                part.release()
                raise
            spent = {"wall_s": round(time.time() - began, 3), "cpu_s": round(time.process_time() - cpu, 3)}
            manifest = part.conclude(config, seed, {**spent, **extra, "files": part.artefacts()}, inputs)
        else:
            part.verify(manifest)
        return part.path, manifest

    def claim(self, config: Config, inputs: Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """Mark the folder as this configuration's; the manifest if it is finished already.

        Raises
        ------
        BadInput : it holds another configuration, finished or not, or files of no run
        """
        content = config.model_dump(mode="json")
        key = digest([content, dict(inputs or {})])
        manifest = read_manifest(self.path)
        earlier = manifest or read_object(self.path / STARTED, "out")
        if not earlier:
            names = sorted(path.name for path in self.path.iterdir())
            if foreign := [name for name in names if name not in BESIDE and not _hidden(name)]:
                raise BadInput(
                    "out", self.path, f"holds {foreign[0]}, which is of no run; choose an empty or new folder"
                )
            write_json(self.path / STARTED, {"digest": key, "config": content})
        elif earlier.get("digest") != key:
            changed = differences(earlier.get("config"), content) or "what it was made from differs"
            raise BadInput(
                "out", self.path, f"holds a run of another configuration ({changed}); choose another --out or remove it"
            )
        return manifest or None

    def release(self) -> None:
        """Forget the configuration of a folder in which its stage left nothing."""
        if {path.name for path in self.path.iterdir()} <= {STARTED, LOCK, MARKER}:
            (self.path / STARTED).unlink(missing_ok=True)

    def artefacts(self) -> dict[str, str]:
        """SHA-256 of every file that the stage left, by its path from the folder."""
        names = {
            path.relative_to(self.path).as_posix(): path for path in sorted(self.path.rglob("*")) if path.is_file()
        }
        own = {name: path for name, path in names.items() if not _hidden(name) and name not in (STARTED, MANIFEST)}
        return {name: file_checksum(path) for name, path in own.items()}

    def verify(self, manifest: Mapping[str, Any]) -> None:
        """Refuse a finished stage of which a file is missing or is not what it was.

        Raises
        ------
        BadInput : names the file
        """
        for name, known in manifest.get("files", {}).items():
            path = self.path / name
            if not path.is_file() or file_checksum(path) != known:
                missing = "was changed since it was written" if path.is_file() else "is missing"
                raise BadInput("out", path, f"{missing}; remove {self.path / MANIFEST} and it to run again")

    def conclude(
        self, config: Config, seed: int | None, extra: Mapping[str, Any], inputs: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Write the manifest, which marks the folder as finished; returns it."""
        content = config.model_dump(mode="json")
        manifest = {
            "digest": digest([content, dict(inputs or {})]),
            "config": content,
            "inputs": dict(inputs or {}),
            "seed": seed,
            **surroundings(),
            **extra,
        }
        write_sealed(self.path / MANIFEST, manifest)
        (self.path / STARTED).unlink(missing_ok=True)
        return manifest


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def read_manifest(folder: Path, field: str = "out") -> dict[str, Any]:
    """The manifest of a finished stage; empty where there is none.

    Raises
    ------
    BadInput : damaged
    """
    return read_sealed(folder / MANIFEST, field)


def differences(old: Any, new: Mapping[str, Any]) -> str:
    """The first few leaves in which two configurations differ, as text."""

    def leaves(content: Any, prefix: str = "") -> dict[str, Any]:
        if isinstance(content, Mapping):
            return {k: v for key, value in content.items() for k, v in leaves(value, f"{prefix}{key}.").items()}
        return {prefix.rstrip("."): content}

    a, b = leaves(old), leaves(new)
    changed = [f"{key} {a.get(key)} there, {b.get(key)} here" for key in {**a, **b} if a.get(key) != b.get(key)]
    return "; ".join(changed[:2])


def _errors(*names: str) -> set[int]:
    """Numbers of the system's errors by name; Windows lacks some."""
    return {getattr(errno, name) for name in names if hasattr(errno, name)}


NO_LOCKS = _errors("ENOLCK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP")
UNWRITABLE = _errors("ENOSPC", "EDQUOT", "EROFS", "EACCES")


def _lock(path: Path) -> AbstractContextManager[BaseFileLock]:
    """Lock a folder, by the system or, where its file system has no locks (as some NFS), by a file that marks it.

    filelock removes the marker that a killed run left, if it can tell that its process is gone.

    Raises
    ------
    Timeout : another process holds it
    OSError : it cannot be written
    """
    try:
        return FileLock(path / LOCK, fallback_to_soft=False).acquire(timeout=0)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    # Not .lock itself: the empty file that a system's lock leaves would be taken for the marker of a run.
    return SoftFileLock(path / MARKER).acquire(timeout=0.2)


@contextmanager
def open_run(path: Path) -> Iterator[RunFolder]:
    """Open (and make) a run folder for this process alone.

    Raises
    ------
    BadInput : another process runs in it, or it cannot be written
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = _lock(path)
    except Timeout as busy:  # an OSError too
        killed = f" (if it was killed, remove {MARKER} there)" if Path(busy.lock_file).name == MARKER else ""
        accepts = f"another run is using this folder{killed}; wait for it or choose another --out"
        raise BadInput("out", path, accepts) from None
    except OSError as error:
        raise BadInput("out", path, f"cannot be written ({error.strerror}); choose another folder") from None
    with lock:
        try:
            yield RunFolder(path)
        except OSError as error:
            if error.errno in UNWRITABLE:
                raise BadInput(
                    "out", path, f"cannot be written ({error.strerror}); what was finished is kept"
                ) from None
            raise
