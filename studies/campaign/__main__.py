"""`python -m studies.campaign`: the chain at points all over what users may ask for (README.md)."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from pydantic import Field

from studies.campaign.chain import chain
from studies.campaign.figures import draw
from studies.campaign.points import Point, points
from transslit.executor import Parallel
from transslit.options import Options, Texts
from transslit.progress import Progress
from transslit.reply import Reply
from transslit.shell import JsonFlag, command_app, with_options
from validation.cli import run


class Campaign(Parallel):
    """Size of the campaign, and its workers."""

    points: int = Field(200, ge=1, le=2**14, description="number of points; a larger campaign begins with these")
    layers: int = Field(50, ge=3, description="leave out points of more sheets, which take longest")


OPTIONS = Options(Campaign)
app = command_app()


@app.command(epilog="Example: python -m studies.campaign --points 200 --workers 2 --out runs/campaign")
@with_options(OPTIONS)
def command(
    texts: Texts,
    out: Annotated[Path, typer.Option(help="Folder. The same command resumes there.")] = Path("runs/campaign"),
    as_json: JsonFlag = False,
) -> int:
    """Run continuum, search and circuit at each point; leave campaign.csv and campaign.png."""
    config = OPTIONS.build(Campaign, texts)
    numbered = [(n, point) for n, point in enumerate(points(config.points)) if point.layers <= config.layers]
    rows = []
    with config.pool() as pool, Progress().task("Campaign", len(numbered)) as advance:
        for (n, _), row in zip(numbered, pool.map(partial(_row, out), numbered), strict=True):
            rows.append({"point": n, **row})
            advance(len(rows))
    table = pd.DataFrame(rows)
    out.mkdir(parents=True, exist_ok=True)
    table.to_csv(out / "campaign.csv", index=False, float_format="%.6g")
    draw(table).savefig(out / "campaign.png", dpi=150)
    counts = {name: int(count) for name, count in table["reached"].value_counts().items()}
    reply = Reply(command="campaign", counts=counts, files=[str(out / "campaign.csv"), str(out / "campaign.png")])
    return reply.tell(as_json, lambda: print("\n".join(f"{count} reached {name}" for name, count in counts.items())))


def _row(out: Path, numbered: tuple[int, Point]) -> dict[str, object]:
    number, point = numbered
    return chain(point, out / f"{number:03d}")


if __name__ == "__main__":
    sys.exit(run(app, "python -m studies.campaign"))
