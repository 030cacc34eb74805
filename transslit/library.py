"""Find electrolytes by path or by name.

A name is searched in the user's folder (`$XDG_CONFIG_HOME/transslit/electrolytes`, else `~/.config/...`), then among
the entry points of the group `transslit.electrolytes`, then among those of this package. If several have the name, a
`NameClash` warning says which one is used. An entry point is the path of a TOML file, or a function that returns one.
"""

from __future__ import annotations

import difflib
import os
import warnings
from importlib import metadata, resources
from pathlib import Path
from typing import Any, NamedTuple

from transslit.electrolyte import Electrolyte
from transslit.errors import BadInput
from transslit.files import read_text, read_toml

GROUP = "transslit.electrolytes"


class NameClash(UserWarning):
    """Several electrolytes have one name."""


class Found(NamedTuple):
    """An electrolyte's file: where it was found, and its path or its entry point."""

    origin: str
    place: Path | metadata.EntryPoint

    def path(self) -> Path:
        """The TOML file.

        Raises
        ------
        BadInput : the entry point cannot be loaded, or gives no path
        """
        if isinstance(self.place, Path):
            return self.place
        try:
            loaded = self.place.load()
            return Path(loaded() if callable(loaded) else loaded)
        except Exception as error:  # code of another package may raise anything; the message names the package
            raise BadInput("electrolyte", self.place.value, f"{self.origin} cannot be loaded ({error})") from None


def shipped() -> dict[str, Path]:
    """Names and files of the electrolytes of this package."""
    return _files(Path(str(resources.files("transslit") / "electrolytes")))


def user_folder() -> Path | None:
    """Folder of the user's own electrolytes; None for a user id without a home folder (as in many containers)."""
    try:
        base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    except RuntimeError:
        return None
    return Path(base) / "transslit" / "electrolytes"


def known() -> dict[str, list[Found]]:
    """Every electrolyte with a name: name to where it was found, in the order of precedence."""
    found: dict[str, list[Found]] = {}
    own = user_folder()
    for name, path in (_files(own) if own else {}).items():
        found.setdefault(name, []).append(Found("the user's folder", path))
    for point in sorted(metadata.entry_points(group=GROUP), key=lambda point: point.value):
        package = point.dist.name if point.dist else "another package"
        found.setdefault(point.name, []).append(Found(f"the package {package}", point))
    for name, path in shipped().items():
        found.setdefault(name, []).append(Found("transslit", path))
    return dict(sorted(found.items()))


def find(name: str) -> Path:
    """The TOML file of an electrolyte, by its name or its path.

    Raises
    ------
    BadInput : unknown name; the message names the nearest ones
    """
    if name.endswith(".toml") or "/" in name:
        return Path(name)
    names = known()
    if name not in names:
        near = difflib.get_close_matches(name.lower(), [key.lower() for key in names], n=3, cutoff=0.4)
        likely = [key for key in names if key.lower() in near] or list(names)
        raise BadInput("electrolyte", name, f"unknown; did you mean {' or '.join(likely)}? (or give a .toml file)")
    used, *others = names[name]
    path = used.path()
    if others:
        hidden = " and ".join(other.origin for other in others)
        warnings.warn(f"electrolyte {name}: used is that of {used.origin}, {path}; not that of {hidden}", NameClash, 2)
    return path


def load_electrolyte(name: str, *, allow_charged: bool = False) -> Electrolyte:
    """Electrolyte by name, or by the path of a TOML file.

    Raises
    ------
    BadInput : unknown name, unreadable or malformed file, unphysical content
    """
    path = find(name)
    content = named(path)
    try:
        return Electrolyte.read_file(str(path), content | {"allow_charged": allow_charged})
    except BadInput as fault:
        raise BadInput(field_location(fault.field, content), fault.value, fault.accepts) from None


def named(path: Path) -> dict[str, Any]:
    """Content of a file, with its name (by default the file's) and the texts of force fields and structures.

    Raises
    ------
    BadInput : the file, or one that it names, cannot be read; or it is not TOML
    """
    content = read_toml(path, "electrolyte")
    ions = content.get("ions", [])
    for ion in ions if isinstance(ions, list) else []:
        md = ion.get("md") if isinstance(ion, dict) else None
        for field in ("forcefield", "structure"):
            entry = md.get(field) if isinstance(md, dict) else None
            if isinstance(entry, dict) and isinstance(beside := entry.get("value"), str):
                entry["value"] = read_text(path.parent / beside, f"{path}: ions.{ion.get('name')}.md.{field}")
    return {"name": path.stem, **content}


def field_location(field: str, content: dict[str, Any]) -> str:
    """A field's location with ions by name instead of number, and without the schema's tags of their kinds."""
    ions = content.get("ions", [])
    for place, ion in enumerate(ions if isinstance(ions, list) else []):
        name = ion.get("name") if isinstance(ion, dict) else None
        field = field.replace(f"ions.{place}.", f"ions.{name or place}.", 1)
    return field.replace(".md.one_site.", ".md.").replace(".md.several_sites.", ".md.")


def _files(folder: Path) -> dict[str, Path]:
    """Names and files of the electrolytes in a folder; none where it cannot be read."""
    try:
        return {path.stem: path for path in sorted(folder.glob("*.toml"))}
    except OSError:
        return {}
