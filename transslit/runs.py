"""Run folders: one owner at a time, stages that are reused when their configuration matches, atomic files.

A stage is a function of a frozen configuration and a folder. It leaves its artefacts there; the folder's
`manifest.json` is written last and says with what they were made, so a folder without one is unfinished
and the stage may continue from whatever checkpoint it keeps there.
"""

from __future__ import annotations

import errno
import fcntl
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transslit.config import Config, digest
from transslit.errors import BadInput

PACKAGES = ("transslit", "openmm", "mdtraj", "MDAnalysis", "fipy", "deap", "numpy", "scipy", "pandas", "sympy")


def write_text(path: Path, text: str) -> None:
    """Write `text` whole or not at all."""
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole or not at all; NaN is refused."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False, default=str) + "\n")


def read_json(path: Path) -> Any:
    """Content of a JSON file, or None where there is none or it is torn."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


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
        BadInput : the folder holds the same stage of another configuration
        """
        part = RunFolder(self.path / name)
        part.path.mkdir(parents=True, exist_ok=True)
        manifest = part.claim(config, inputs)
        if manifest is None:
            began, cpu = time.time(), time.process_time()
            extra = dict(run(part.path) or {})
            spent = {"wall_s": round(time.time() - began, 3), "cpu_s": round(time.process_time() - cpu, 3)}
            manifest = part.conclude(config, seed, {**spent, **extra}, inputs)
        return part.path, manifest

    def claim(self, config: Config, inputs: Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """Mark the folder as this configuration's; the manifest if it is finished already.

        Raises
        ------
        BadInput : it holds another configuration, finished or not
        """
        content = config.model_dump(mode="json")
        key = digest([content, dict(inputs or {})])
        manifest = read_json(self.path / "manifest.json")
        earlier = manifest or read_json(self.path / "started.json")
        if earlier is None:
            write_json(self.path / "started.json", {"digest": key, "config": content})
        elif earlier.get("digest") != key:
            changed = differences(earlier.get("config", {}), content) or "what it was made from differs"
            raise BadInput(
                "out", self.path, f"holds a run of another configuration ({changed}); choose another --out or remove it"
            )
        return manifest

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
        write_json(self.path / "manifest.json", manifest)
        (self.path / "started.json").unlink(missing_ok=True)
        return manifest


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """The first few leaves in which two configurations differ, as text."""

    def leaves(content: Any, prefix: str = "") -> dict[str, Any]:
        if isinstance(content, Mapping):
            return {k: v for key, value in content.items() for k, v in leaves(value, f"{prefix}{key}.").items()}
        return {prefix.rstrip("."): content}

    a, b = leaves(old), leaves(new)
    changed = [f"{key} {a.get(key)} there, {b.get(key)} here" for key in {**a, **b} if a.get(key) != b.get(key)]
    return "; ".join(changed[:2])


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
        lock = open(path / ".lock", "a+", encoding="utf-8")  # noqa: SIM115 - held for the whole run
    except OSError as error:
        raise BadInput("out", path, f"cannot be written ({error.strerror}); choose another folder") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BadInput(
                "out", path, "another run is using this folder; wait for it or choose another --out"
            ) from None
        try:
            yield RunFolder(path)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
                raise BadInput(
                    "out", path, f"cannot be written ({error.strerror}); what was finished is kept"
                ) from None
            raise
