"""The search, and what it leaves for a reader: claims.md, numbers.md and figures, from the table alone."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import pandas as pd

from studies.missing_methods.analysis import flat_by_geometry, ranking, sensitivities, where
from studies.missing_methods.figures import decides, together
from studies.missing_methods.judged import Part, asked_together
from studies.missing_methods.search import search
from studies.missing_methods.sensitivity import BELIEVED
from studies.missing_methods.setting import BOX, LABELS, READINGS, Preset
from transslit.files import write_text
from transslit.progress import Progress
from validation.claims import CLAIMS

YES = {True: "yes", False: "no"}


def searched_and_told(
    out: Path, pool: Executor, count: int, refinements: Sequence[int], preset: Preset
) -> dict[str, Any]:
    """Search (`validation.methods.search`), and leave in `out` what it says; a summary for the terminal."""
    progress = Progress()
    table, parts = search(out, pool, count, refinements, preset=preset, progress=progress)
    return told(out, table, parts, count, progress)


def told(
    out: Path, table: pd.DataFrame, parts: Sequence[Part], filling: int, progress: Progress | None = None
) -> dict[str, Any]:
    """claims.md, numbers.md, numbers.csv and two figures from the judged `table`, of which `filling` fill the box."""
    best = ranking(table, parts)
    found = sensitivities(table, progress=progress)
    write_text(out / "claims.md", claims_table(where(table, parts, filling)))
    write_text(out / "settings.md", settings_table(best.head(8)))
    write_text(out / "numbers.md", numbers_table(found))
    write_text(out / "numbers.csv", found.to_csv(index=False))
    decides(found).savefig(out / "methods-sensitivity.png", dpi=150)
    together(table).savefig(out / "methods-together.png", dpi=150)
    asked = asked_together(table)
    return {
        "out": str(out),
        "settings judged": len(table),
        "claims held at the defaults": int(best["held"].loc[0]),
        "claims held at the best": int(best["held"].iloc[0]),
        "missing at the best": best["missing"].iloc[0],
        "settings where it holds": {name: int(column.sum()) for name, column in asked.items()},
        "settings where all of these hold": int(asked.all(axis=1).sum()),
        "R_max flat by geometry alone": flat_by_geometry(),
    }


def claims_table(found: pd.DataFrame) -> str:
    """Markdown: where each claim holds."""
    lines = ["| id | claim | holds in % of the box | at the defaults | where it holds |", "|---|---|---|---|---|"]
    for claim, row in found.iterrows():
        interval = f"{row['share']:.0%} ({row['low']:.0%} to {row['high']:.0%})"
        lines.append(f"| {claim} | {CLAIMS[str(claim)].title} | {interval} | {YES[row['defaults']]} | {row['where']} |")
    return "\n".join(lines) + "\n"


def settings_table(best: pd.DataFrame) -> str:
    """Markdown: settings that hold most claims."""
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


def numbers_table(found: pd.DataFrame) -> str:
    """Markdown: what each number depends on, total indices with 95 % half-widths, the largest three."""
    lines = ["| number | R2 of the emulator | depends on |", "|---|---|---|"]
    for number, rows in found.groupby("number", sort=False):
        r2 = rows["r2"].iloc[0]
        largest = rows.sort_values("total", ascending=False).head(3)
        words = [
            f"{LABELS[row['name']]} {row['total']:.2f} ± {row['total_half']:.2f}"
            for _, row in largest.iterrows()
            if row["total"] > 0.05
        ]
        if r2 < BELIEVED:
            sure = rows[rows["main"] > rows["chance"]].sort_values("main", ascending=False)
            words = ["not emulated well enough; alone, beyond chance: " + ", ".join(LABELS[n] for n in sure["name"])]
        lines.append(f"| {number} | {r2:.2f} | {', '.join(words)} |")
    return "\n".join(lines) + "\n"
