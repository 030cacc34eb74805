"""The run store: folders of stages, which are reused when their configuration matches, and small results by key.

A stage is a function of a frozen configuration and a folder, in which it leaves its artefacts. The folder's
`manifest.json` is written last and holds the full configuration, so that a folder without one is unfinished, and its
stage continues from its checkpoint. One process owns a run folder at a time. `Results` keeps what needs no folder of
its own, such as the points of a sweep, in one file each.
"""

from __future__ import annotations

import errno
import importlib.metadata
import logging
import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from transslit.config import SCHEMA, Config, digest
from transslit.errors import BadInput, StageFailed
from transslit.files import file_checksum, read_object, read_sealed, write_json, write_sealed

LOGGER = logging.getLogger("transslit")
PACKAGES = ("transslit", "openmm", "mdtraj", "MDAnalysis", "fipy", "deap", "numpy", "scipy", "pandas", "sympy")
MANIFEST, STARTED = "manifest.json", "started.json"
LOCK, MARKER = ".lock", ".lock-held"
BESIDE = ("evidence", "claims.json")  # of claims, which may be judged in a folder before its validation
Content = TypeVar("Content")


def versions() -> dict[str, str]:
    """Versions of this suite, of Python and of the packages that the numbers depend on."""
    numbers = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            numbers[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return numbers


def surroundings() -> dict[str, Any]:
    """What results depend on besides the configuration: `versions`, `platform` and, in a checkout, `revision`."""
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    content: dict[str, Any] = {"versions": versions(), "platform": machine}
    home = Path(__file__).resolve().parent.parent
    if (home / ".git").exists() and (git := shutil.which("git")):
        describe = [git, "--no-optional-locks", "-C", str(home), "describe"]
        describe += ["--always", "--dirty", "--abbrev=12", "--exclude=*"]
        result = subprocess.run(describe, capture_output=True, text=True, check=False)
        if result.returncode == 0:
            content["revision"] = result.stdout.strip()
    return content


def stage_digest(config: Config, inputs: Mapping[str, str] | None = None) -> str:
    """SHA-256 that a stage's result is recognised by: its configuration and the digests of what it reads."""
    return digest([SCHEMA, config.non_defaults(), dict(inputs or {})])


def matches(manifest: Mapping[str, Any], config: Config, inputs: Mapping[str, str] | None = None) -> bool:
    """Whether a stage's manifest is of this configuration and these inputs; False for an empty one.

    The full configurations are compared too, in the fields that both have: a default may have changed.
    """
    if manifest.get("digest") != stage_digest(config, inputs):
        return False
    there, here = _leaves(manifest.get("config")), _leaves(config.model_dump(mode="json"))
    return all(there[name] == here[name] for name in there.keys() & here.keys())


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
        inputs : digests of the stages that it reads
        seed : random seed, for the manifest

        Returns
        -------
        folder, manifest

        Raises
        ------
        BadInput : the folder holds the stage of another configuration, or a file in it was changed or is missing
        """
        part = RunFolder(self.path / name)
        part.path.mkdir(parents=True, exist_ok=True)
        manifest = part.claim(config, inputs)
        if manifest is None:
            LOGGER.info("running %s", part.path)
            LOGGER.debug("%s: %s", part.path, config.non_defaults())
            began, cpu = time.time(), time.process_time()
            try:
                extra = dict(run(part.path) or {})
            except BadInput:
                part.release()
                raise
            spent = {"wall_s": round(time.time() - began, 3), "cpu_s": round(time.process_time() - cpu, 3)}
            manifest = part.conclude(config, seed, {**spent, **extra, "files": part.artefacts()}, inputs)
            LOGGER.info("finished %s in %.1f s", part.path, spent["wall_s"])
        else:
            LOGGER.info("reused %s", part.path)
            part.verify(manifest)
        return part.path, manifest

    def claim(self, config: Config, inputs: Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """Mark the folder as this configuration's; the manifest if the stage is finished, None otherwise.

        Raises
        ------
        BadInput : the folder holds another configuration, finished or not, or files of no run
        """
        content = config.model_dump(mode="json")
        manifest = read_manifest(self.path)
        earlier = manifest or read_object(self.path / STARTED, "out")
        if not earlier:
            names = sorted(path.name for path in self.path.iterdir())
            if foreign := [name for name in names if name not in BESIDE and not _hidden(name)]:
                raise BadInput(
                    "out", self.path, f"holds {foreign[0]}, which is of no run; choose an empty or new folder"
                )
            write_json(self.path / STARTED, _identity(config, inputs))
        elif (schema := earlier.get("schema", 1)) != SCHEMA:
            other = f"holds a run of another version of transslit (schema {schema} there, {SCHEMA} here)"
            raise BadInput("out", self.path, f"{other}; choose another --out or remove it")
        elif not matches(earlier, config, inputs):
            changed = differences(earlier.get("config"), content) or "what it was made from differs"
            raise BadInput(
                "out", self.path, f"holds a run of another configuration ({changed}); choose another --out or remove it"
            )
        return manifest or None

    def release(self) -> None:
        """Free the folder for another configuration if the stage left no file in it."""
        if {path.name for path in self.path.iterdir()} <= {STARTED, LOCK, MARKER}:
            (self.path / STARTED).unlink(missing_ok=True)

    def artefacts(self) -> dict[str, str]:
        """SHA-256 of every file that the stage left, by its path relative to the folder."""
        names = {
            path.relative_to(self.path).as_posix(): path for path in sorted(self.path.rglob("*")) if path.is_file()
        }
        own = {name: path for name, path in names.items() if not _hidden(name) and name not in (STARTED, MANIFEST)}
        return {name: file_checksum(path) for name, path in own.items()}

    def verify(self, manifest: Mapping[str, Any], field: str = "out") -> None:
        """Refuse a finished stage of which a file is missing or was changed; `field` is named in the fault.

        Raises
        ------
        BadInput : names the file
        """
        for name, known in manifest.get("files", {}).items():
            path = self.path / name
            if not path.is_file() or file_checksum(path) != known:
                missing = "was changed since it was written" if path.is_file() else "is missing"
                raise BadInput(field, path, f"{missing}; remove {self.path / MANIFEST} and it to run again")

    def conclude(
        self, config: Config, seed: int | None, extra: Mapping[str, Any], inputs: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Write the manifest, which marks the folder as finished; returns it."""
        own = {"inputs": dict(inputs or {}), "seed": seed}
        manifest = {**_identity(config, inputs), **own, **surroundings(), **extra}
        write_sealed(self.path / MANIFEST, manifest)
        (self.path / STARTED).unlink(missing_ok=True)
        return manifest


def _identity(config: Config, inputs: Mapping[str, str] | None) -> dict[str, Any]:
    """What a folder is recognised by: schema, digest and, for messages, the full configuration."""
    return {"schema": SCHEMA, "digest": stage_digest(config, inputs), "config": config.model_dump(mode="json")}


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def read_manifest(folder: Path, field: str = "out") -> dict[str, Any]:
    """The manifest of a finished stage; empty where there is none.

    Raises
    ------
    BadInput : damaged
    """
    return read_sealed(folder / MANIFEST, field)


def run_of(folder: Path) -> Path:
    """The folder of the finished run whose record lies in `folder`; `folder` itself if it is no part of a run."""
    return folder.parent if folder.name == "record" and (folder.parent / MANIFEST).exists() else folder


def differences(old: object, new: object) -> str:
    """The first two leaves in which two JSON-able contents differ, as text."""
    a, b = _leaves(old), _leaves(new)
    changed = [key for key in {**a, **b} if a.get(key) != b.get(key)]
    return "; ".join(f"{key} {_brief(a.get(key))} there, {_brief(b.get(key))} here" for key in changed[:2])


def _brief(value: object, most: int = 60) -> str:
    return text if len(text := str(value)) <= most else f"{text[: most - 3]}..."


def _leaves(content: object, prefix: str = "") -> dict[str, object]:
    """Values of nested JSON objects, and of lists of objects, by their dotted path."""
    if isinstance(content, list) and any(isinstance(value, Mapping) for value in content):
        content = dict(enumerate(content))
    if not isinstance(content, Mapping):
        return {prefix.rstrip("."): content}
    return {path: leaf for key, value in content.items() for path, leaf in _leaves(value, f"{prefix}{key}.").items()}


class Results(Generic[Content]):
    """Small results by key, each in a JSON file of its own with a checksum: points of a sweep, settings of a study.

    Several processes may share the folder: a file is written under a temporary name of its process and renamed.

    Parameters
    ----------
    folder : where the files are; it exists
    kind : type of a result, a pydantic model or what pydantic validates (a TypedDict, dict[str, float | str])
    stage : what a failure to write is reported for
    """

    def __init__(self, folder: Path, kind: type[Content], stage: str) -> None:
        self.folder, self.stage = folder, stage
        self._adapter = TypeAdapter(kind)

    def read(self, key: str) -> Content | None:
        """The result; None if there is none or its file is damaged, so that it is computed again."""
        try:
            content = read_sealed(self.folder / f"{key}.json")
            return self._adapter.validate_python(content, strict=True) if content else None
        except (BadInput, ValidationError):
            return None

    def write(self, key: str, content: Content) -> None:
        """Write a result, whole or not at all.

        Raises
        ------
        StageFailed : the file cannot be written
        """
        partial = self.folder / f".{key}.{socket.gethostname()}.{os.getpid()}"
        try:
            write_sealed(partial, self._adapter.dump_python(content, mode="json"))
            partial.replace(self.folder / f"{key}.json")
        except OSError as error:
            partial.unlink(missing_ok=True)
            reason = f"{self.folder} cannot be written ({error.strerror}); what was finished is kept"
            raise StageFailed(self.stage, reason) from None


def _errors(*names: str) -> set[int]:
    """Numbers of the system's errors by name, of those that the system has."""
    return {getattr(errno, name) for name in names if hasattr(errno, name)}


NO_LOCKS = _errors("ENOLCK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP")
UNWRITABLE = _errors("ENOSPC", "EDQUOT", "EROFS", "EACCES")


def _lock(path: Path) -> AbstractContextManager[BaseFileLock]:
    """Lock a folder, by the system or, where its file system has no locks (as some NFS), by a file that marks it.

    filelock removes the marker of a killed run, if it can see that the process has ended.

    Raises
    ------
    Timeout : another process owns the folder
    OSError : the folder cannot be written
    """
    try:
        return FileLock(path / LOCK, fallback_to_soft=False).acquire(timeout=0)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    # Not .lock itself: the empty file that a system's lock leaves would be mistaken for the marker of a run.
    return SoftFileLock(path / MARKER).acquire(timeout=0.2)


@contextmanager
def open_run(path: Path) -> Iterator[RunFolder]:
    """Open (and make) a run folder for this process alone.

    Raises
    ------
    BadInput : another process runs in the folder, or it cannot be written
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = _lock(path)
    except Timeout as busy:  # a subclass of OSError
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
