"""A run folder described as an RO-Crate: `ro-crate-metadata.json`, so that repositories know what each file is.

Source: P. Sefton et al., RO-Crate Metadata Specification 1.1, doi:10.5281/zenodo.4541002. The root data set has
a name, a description, a date and a licence; every file its type, size and SHA-256; one action says what made them.
"""

from __future__ import annotations

import hashlib
import mimetypes
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from transslit.errors import BadInput
from transslit.files import write_json
from transslit.runs import read_manifest
from validation.report.tables import Material

NAME = "ro-crate-metadata.json"
CONTEXT = "https://w3id.org/ro/crate/1.1/context"
SPECIFICATION = "https://w3id.org/ro/crate/1.1"
LICENCE = {
    "@id": "#licence",
    "@type": "CreativeWork",
    "name": "No licence stated",
    "description": "The data are whoever's computed them; state a licence here before publishing.",
}
TYPES = {".parquet": "application/vnd.apache.parquet", ".h5": "application/x-hdf5", ".md": "text/markdown"}
WHAT = {
    "report.html": "Report of the validation",
    "report.md": "Report of the validation as Markdown",
    "verdicts.json": "Verdicts with number, uncertainty, tolerance and reason",
    "law.json": "Law found by the equation search",
    "manifest.json": "Configuration, seeds, versions, platform and times of every stage",
}


def write_crate(folder: Path) -> Path:
    """Write the metadata of a finished run into `folder`; its path.

    Raises
    ------
    BadInput : not the folder of a finished validation
    """
    manifest = read_manifest(folder, "folder")
    if not manifest:
        raise BadInput("folder", folder, "holds no manifest.json; give the folder of a finished validation")
    setting = Material.read(folder).setting
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _hidden(path.relative_to(folder))]
    files = [_file(path, folder) for path in paths if path.name != NAME]
    published = datetime.fromtimestamp((folder / "manifest.json").stat().st_mtime, UTC).isoformat(timespec="seconds")
    parts = [{"@id": entry["@id"]} for entry in files]
    graph: list[dict[str, Any]] = [
        {
            "@id": NAME,
            "@type": "CreativeWork",
            "conformsTo": {"@id": SPECIFICATION},
            "about": {"@id": "./"},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"Ion transport in a nanoslit network: {setting}",
            "description": "Molecular dynamics, continuum, law and circuit at one slit width, cross-checked.",
            "datePublished": published,
            "license": {"@id": LICENCE["@id"]},
            "hasPart": parts,
            "mentions": {"@id": "#validation"},
        },
        LICENCE,
        {
            "@id": "#validation",
            "@type": "CreateAction",
            "name": f"validate {setting}",
            "instrument": {"@id": "#transslit"},
            "endTime": published,
            "description": f"seed {manifest['seed']}, {manifest['platform']}, configuration {manifest['digest']}",
            "result": parts,
        },
        {
            "@id": "#transslit",
            "@type": "SoftwareApplication",
            "name": "transslit",
            "version": manifest.get("revision") or manifest["versions"].get("transslit", "unknown"),
            "softwareRequirements": [f"{name} {version}" for name, version in manifest["versions"].items()],
        },
        *files,
    ]
    write_json(folder / NAME, {"@context": CONTEXT, "@graph": graph})
    return folder / NAME


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _file(path: Path, folder: Path) -> dict[str, Any]:
    relative = path.relative_to(folder).as_posix()
    with path.open("rb") as stream:
        checksum = hashlib.file_digest(stream, "sha256").hexdigest()
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return {
        "@id": relative,
        "@type": "File",
        "name": WHAT.get(relative, relative),
        "encodingFormat": kind,
        "contentSize": str(path.stat().st_size),
        "sha256": checksum,
    }
