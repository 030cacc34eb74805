"""The study over the box: the search, then claims.md, settings.md, numbers.md and figures from its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path

import pandas as pd

from studies.missing_methods.analysis import claim_shares, flat_by_geometry, ranking, sensitivities
from studies.missing_methods.figures import draw_indices, draw_statements
from studies.missing_methods.search import search
from studies.missing_methods.sensitivity import TRUSTED_R2
from studies.missing_methods.setting import LABELS, READINGS, Preset
from studies.missing_methods.table import Part, statements_hold
from transslit.files import write_text
from transslit.progress import Progress
from validation.claims import CLAIMS
from validation.presets import BOX

YES = {True: "yes", False: "no"}
Summary = Mapping[str, "str | float | Summary | None"]


def run_study(
    out: Path, pool: Executor, count: int, refinements: Sequence[int], preset: Preset, progress: Progress
) -> Summary:
    """Search in `out` (`search.search`), and leave the tables and figures there; a summary for the terminal."""
    table, parts = search(out, pool, count, refinements, preset=preset, progress=progress)
    return write_summary(out, table, parts, count, progress)


def write_summary(out: Path, table: pd.DataFrame, parts: Sequence[Part], filling: int, progress: Progress) -> Summary:
    """Write claims.md, settings.md, numbers.md, numbers.csv and two figures from the judged `table`; a summary.

    `filling` of its settings fill the box.
    """
    best = ranking(table, parts)
    indices = sensitivities(table, progress=progress)
    write_text(out / "claims.md", claims_table(claim_shares(table, parts, filling)))
    write_text(out / "settings.md", settings_table(best.head(8)))
    write_text(out / "numbers.md", numbers_table(indices))
    write_text(out / "numbers.csv", indices.to_csv(index=False))
    draw_indices(indices).savefig(out / "methods-sensitivity.png", dpi=150)
    draw_statements(table).savefig(out / "methods-together.png", dpi=150)
    statements = statements_hold(table)
    return {
        "out": str(out),
        "settings judged": len(table),
        "claims held at the defaults": int(best["held"].loc[0]),
        "claims held at the best": int(best["held"].iloc[0]),
        "missing at the best": best["missing"].iloc[0],
        "settings where it holds": {name: int(column.sum()) for name, column in statements.items()},
        "settings where all of these hold": int(statements.all(axis=1).sum()),
        "R_max flat by geometry alone": flat_by_geometry(),
    }


def claims_table(shares: pd.DataFrame) -> str:
    """Markdown: where each claim holds."""
    lines = ["| id | claim | holds in % of the box | at the defaults | where it holds |", "|---|---|---|---|---|"]
    for claim, row in shares.iterrows():
        interval = f"{row['share']:.0%} ({row['low']:.0%} to {row['high']:.0%})"
        lines.append(f"| {claim} | {CLAIMS[str(claim)].title} | {interval} | {YES[row['defaults']]} | {row['where']} |")
    return "\n".join(lines) + "\n"


def settings_table(best: pd.DataFrame) -> str:
    """Markdown: the settings at which most claims hold."""
    names = [*BOX, *READINGS]
    lines = [
        "| held | not held | " + " | ".join(LABELS[name] for name in names) + " |",
        "|---" * (len(names) + 2) + "|",
    ]
    for _, row in best.iterrows():
        cells = [f"{row[name]:.3g}" if name == "stern_permittivity" else f"{row[name] * 1e9:.3g} nm" for name in BOX]
        cells += [str(row[name]) for name in READINGS]
        lines.append(f"| {row['held']} | {row['missing']} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def numbers_table(indices: pd.DataFrame) -> str:
    """Markdown: the largest three total indices of each number with 95 % half-widths."""
    lines = ["| number | R2 of the emulator | depends on |", "|---|---|---|"]
    for number, rows in indices.groupby("number", sort=False):
        r2 = rows["r2"].iloc[0]
        largest = rows.sort_values("total", ascending=False).head(3)
        words = [
            f"{LABELS[row['name']]} {row['total']:.2f} ± {row['total_half']:.2f}"
            for _, row in largest.iterrows()
            if row["total"] > 0.05
        ]
        if r2 < TRUSTED_R2:
            significant = rows[rows["main"] > rows["chance"]].sort_values("main", ascending=False)["name"]
            names = ", ".join(LABELS[name] for name in significant)
            words = [f"not emulated well enough; alone, beyond chance: {names}"]
        lines.append(f"| {number} | {r2:.2f} | {', '.join(words)} |")
    return "\n".join(lines) + "\n"
