"""From judged records, laws and circuits to the report's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from continuum.density_profile import density_profiles as continuum_profiles
from md import Cell, snapshots
from md.density_profile import density_profiles as md_profiles
from md.shipped import references
from transslit.files import read_table
from validation.checks.courses import curves, levels
from validation.checks.judge import Source
from validation.checks.levels import of_small_step, three_levels
from validation.report.tables import PARTS, Facts, ReportData
from validation.verdicts.verdict import Verdict

NAMES = {"md": "atoms", "step": "continuum", "continuum": "continuum"}  # of a family's record in comparisons


def gather(
    sources: Mapping[str, Source],
    verdicts: Sequence[Verdict],
    facts: Facts,
    circuits: Mapping[str, pd.DataFrame] | None = None,
    cell: Cell | None = None,
) -> ReportData:
    """Reduce judged records to what their report shows.

    Parameters
    ----------
    sources : records by family
    circuits : terminal tables of `ncm` and `tlm`
    cell : of molecular dynamics, where its trajectories lie in the folder of its source
    """
    tables = {f"{family}-{part}": getattr(s.record, part) for family, s in sources.items() for part in PARTS}
    # In one order, whether a record was made in this process or read back.
    metadata = {family: dict(sorted(source.record.metadata.items())) for family, source in sources.items()}
    facts = facts.model_copy(update={"records": metadata})
    stepped = {NAMES[family]: source.record for family, source in sources.items() if family in NAMES}
    if stepped:
        tables["curves"] = curves(stepped)
    if {"md", "step"} <= set(sources):
        tables["levels"] = levels(sources["md"].record, sources["step"].record)
    if {"ions", "small"} <= set(sources):
        tables["three-levels"] = three_levels(of_small_step(sources))
        tables["small-curves"] = curves(of_small_step(sources))
    if "md" in sources and facts.electrolyte is not None:
        shipped = references(facts.electrolyte, facts.slit)
        tables |= {"references": curves({"this run": sources["md"].record, **shipped})} if shipped else {}
    across = []
    if cell is not None and sources["md"].folder is not None:
        place = sources["md"].folder
        frames, box = snapshots(place, cell.config.electrolyte)
        tables["atoms"] = pd.concat([table.assign(moment=title) for title, table in frames.items()])
        facts = facts.model_copy(update={"box_nm": box})
        tables["reservoir"] = read_table(place / "reservoir.parquet", "folder")
        across.append(md_profiles(place, cell))
    if "step" in sources and sources["step"].folder is not None:
        across.append(continuum_profiles(sources["step"].folder))
    if across:
        tables["profiles"] = pd.concat(across, ignore_index=True)
    tables |= circuits or {}
    return ReportData(list(verdicts), {k: t.reset_index(drop=True) for k, t in tables.items()}, facts)
