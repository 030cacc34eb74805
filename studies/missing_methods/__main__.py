"""`python -m studies.missing_methods`: the continuum's claims where the paper's text leaves parameters open."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

import typer
from pydantic import Field, model_validator

from studies.missing_methods.elements import fit_elements
from studies.missing_methods.judge import JUDGED, judge
from studies.missing_methods.report import Summary, run_study
from studies.missing_methods.setting import Setting
from transslit.errors import BadInput
from transslit.executor import Parallel
from transslit.files import write_json
from transslit.options import Options, Texts, whole
from transslit.progress import Progress
from transslit.runs import open_run
from transslit.shell import JsonFlag, command_app, with_options
from validation.cli import run

MOST = 2**14  # settings of a sample


class Mode(Parallel):
    """Whether one setting is judged, or a sample of the box, or the circuit's elements are fitted; and the workers."""

    searched: bool = Field(False, description="also search for the law, and run the numerical companions")
    sample: Annotated[int, Field(ge=32, le=MOST)] | None = Field(
        None, description="number of settings that fill the box, to be judged instead of one"
    )
    refine: str = Field(
        "", description="number of further settings where most claims should hold, round by round, such as 32,32"
    )
    elements: bool = Field(False, description="fit the circuit's elements over slit width and operation instead")
    workers: int | None = Field(
        None, description="processes of this machine that share the work; default: one per core"
    )

    @property
    def rounds(self) -> tuple[int, ...]:
        """Number of settings in each round of refinement."""
        return tuple(whole(part) for part in self.refine.split(",") if part.strip())

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.sample and (self.searched or self.elements):
            raise BadInput("sample", self.sample, "goes without --searched and --elements")
        try:
            possible = all(1 <= count <= MOST for count in self.rounds)
        except ValueError:
            possible = False
        if not possible:
            raise BadInput("refine", self.refine, f"give 1 to {MOST} settings a round, such as 32 or 32,32")
        return self


OPTIONS = Options(Setting, Mode)
app = command_app()


@app.command(
    epilog="""Examples:

python -m studies.missing_methods --slit-length 10nm --edge-gap 0.7nm --out runs/setting

python -m studies.missing_methods --sample 128 --refine 32,32 --out runs/methods"""
)
@with_options(OPTIONS)
def command(
    texts: Texts,
    out: Annotated[Path, typer.Option(help="Folder. The same command resumes there.")] = Path("runs/methods"),
    as_json: JsonFlag = False,
) -> int:
    """Judge the continuum's claims at one setting of what the paper's text leaves open, or all over its box.

    Without --preset the settings of a sample have the coarse one.
    """
    mode = OPTIONS.build(Mode, texts)
    setting = OPTIONS.build(Setting, {"preset": "coarse" if mode.sample else "quick", **texts})
    if mode.sample or mode.elements:
        with mode.pool() as pool:
            if mode.sample:
                summary: Summary = run_study(out, pool, mode.sample, mode.rounds, setting.preset, Progress())
            else:
                summary = fit_elements(out, pool, Progress())
    else:
        summary = judge_one(setting, out, mode.searched)
    print(json.dumps(summary) if as_json else "\n".join(_lines(summary)))
    return 0


def judge_one(setting: Setting, folder: Path, searched: bool) -> Summary:
    """Judge one setting and write methods.json in `folder`; the parts of claims that do not hold."""
    with open_run(folder):
        judged = judge(setting, folder, searched, JUDGED)
        write_json(folder / "methods.json", judged.model_dump(mode="json"))
    missing = {f"{part.id} {part.title}": part.value for part in judged.parts if part.verdict != "reproduced"}
    return {"out": str(folder), "not held": {**missing, **judged.failed}}


def _lines(summary: Summary) -> list[str]:
    """A summary as lines, its inner summaries indented."""
    lines = []
    for name, value in summary.items():
        if isinstance(value, Mapping):
            lines += [f"{name}:", *(f"  {line}" for line in _lines(value))]
        else:
            lines.append(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")
    return lines


if __name__ == "__main__":
    sys.exit(run(app, "python -m studies.missing_methods"))
