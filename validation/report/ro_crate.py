"""A run folder described as an RO-Crate: `ro-crate-metadata.json`, so that repositories know what each file is.

Source: P. Sefton et al., RO-Crate Metadata Specification 1.1, doi:10.5281/zenodo.4541002. The root data set has
a name, a description, a date and a licence; every file its type, size and SHA-256; one action says what made them.
"""

from __future__ import annotations

import mimetypes
from datetime import UTC, datetime
from pathlib import Path

from transslit.errors import BadInput
from transslit.files import file_checksum, write_json
from transslit.runs import read_manifest
from validation.report.tables import ReportData

NAME = "ro-crate-metadata.json"
TYPES = {".parquet": "application/vnd.apache.parquet", ".h5": "application/x-hdf5", ".md": "text/markdown"}
NAMES = {
    "report.html": "Report of the validation",
    "report.md": "Report of the validation as Markdown",
    "verdicts.json": "Verdicts with number, uncertainty, tolerance and reason",
    "law.json": "Law found by the equation search",
    "manifest.json": "Configuration, seeds, versions, platform and times of every stage",
}
LICENCE = {
    "@type": "CreativeWork",
    "name": "No licence stated",
    "description": "The data are whoever's computed them; state a licence here before publishing.",
}


def write_crate(folder: Path) -> Path:
    """Write the metadata of a finished run into `folder`; its path.

    Raises
    ------
    BadInput : not the folder of a finished validation, or rocrate is not installed
    """
    try:
        from rocrate.model import ContextEntity, SoftwareApplication
        from rocrate.rocrate import ROCrate
    except ModuleNotFoundError:
        raise BadInput("ro_crate", "rocrate is missing", "install it: pip install 'transslit[crate]'") from None
    manifest = read_manifest(folder, "folder")
    if not manifest:
        raise BadInput("folder", folder, "holds no manifest.json; give the folder of a finished validation")
    setting = ReportData.read(folder).facts.setting
    published = datetime.fromtimestamp((folder / "manifest.json").stat().st_mtime, UTC).isoformat(timespec="seconds")
    crate = ROCrate(version="1.1")
    crate.name = f"Ion transport in a nanoslit network: {setting}"
    crate.description = "Molecular dynamics, continuum, law and circuit at one slit width, cross-checked."
    crate.datePublished = published
    crate.license = crate.add(ContextEntity(crate, "#licence", properties=LICENCE))
    version = manifest.get("revision") or manifest["versions"].get("transslit", "unknown")
    needs = [f"{name} {number}" for name, number in manifest["versions"].items()]
    program = {"name": "transslit", "version": version, "softwareRequirements": needs}
    suite = crate.add(SoftwareApplication(crate, "#transslit", properties=program))
    paths = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    shown = [path for path in paths if path.name != NAME and not any(part.startswith(".") for part in path.parts)]
    files = [crate.add_file(folder / path, path.as_posix(), properties=_properties(folder, path)) for path in shown]
    about = f"seed {manifest['seed']}, {manifest['platform']}, configuration {manifest['digest']}"
    made = {"name": f"validate {setting}", "endTime": published, "description": about}
    action = crate.add_action(suite, "#validation", result=files, properties=made)
    crate.root_dataset["mentions"] = action
    write_json(folder / NAME, crate.metadata.generate())
    return folder / NAME


def _properties(folder: Path, path: Path) -> dict[str, str]:
    return {
        "name": NAMES.get(path.as_posix(), path.as_posix()),
        "encodingFormat": TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        "contentSize": str((folder / path).stat().st_size),
        "sha256": file_checksum(folder / path),
    }
