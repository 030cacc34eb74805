"""Where electrolytes are found: the files that come along, and any file by its path."""

from __future__ import annotations

import difflib
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from transslit.electrolyte import Electrolyte
from transslit.errors import BadInput


def shipped() -> dict[str, Path]:
    """Names and files of the electrolytes that come with the suite."""
    folder = Path(str(resources.files("transslit") / "electrolytes"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_electrolyte(name: str, *, allow_charged: bool = False) -> Electrolyte:
    """Electrolyte by shipped name, or by the path of a TOML file.

    Raises
    ------
    BadInput : unknown name (with the nearest ones), unreadable or malformed file, unphysical content
    """
    known = shipped()
    if name in known:
        path = known[name]
    elif name.endswith(".toml") or "/" in name:
        path = Path(name)
    else:
        near = difflib.get_close_matches(name.lower(), [key.lower() for key in known], n=3, cutoff=0.4)
        names = [key for key in known if key.lower() in near] or list(known)
        raise BadInput("electrolyte", name, f"unknown; did you mean {' or '.join(names)}? (or give a .toml file)")
    content = contents(path)
    return Electrolyte.read(where=str(path), **{"name": path.stem, **content, "allow_charged": allow_charged})


def contents(path: Path) -> dict[str, Any]:
    """What a file holds, with the texts of the force fields and structures that it names in place of their paths."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput("electrolyte", path, f"cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput("electrolyte", path, f"is not valid TOML ({error})") from None
    ions = content.get("ions", [])
    for ion in ions if isinstance(ions, list) else []:
        md = ion.get("md") if isinstance(ion, dict) else None
        for field in ("forcefield", "structure"):
            entry = md.get(field) if isinstance(md, dict) else None
            if isinstance(entry, dict) and isinstance(named := entry.get("value"), str):
                entry["value"] = _text(path.parent / named, f"{path}: ions.{ion.get('name')}.md.{field}")
    return content


def _text(path: Path, field: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(field, path, f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise BadInput(field, path, "is not text") from None
