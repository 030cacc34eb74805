"""`validate`: run atoms, continuum, discovery and circuit at one slit width, judge them, and write the report."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from pydantic import Field

from transslit.errors import BadInput
from transslit.options import Options, Texts
from transslit.progress import Progress
from transslit.shell import JsonFlag, OutPath, command_app, with_options
from validation.commands.common import Judgement
from validation.commands.terminal import judged, summary
from validation.presets import STAGES, ValidateConfig
from validation.verdicts.verdict import exit_code
from validation.verdicts.words import FAMILIES


class Further(Judgement):
    """Options that are no fields of `ValidateConfig`."""

    stages: str | None = Field(
        None, description=f"comma-separated, of {','.join(STAGES)}; default: all, but claims with the paper preset only"
    )
    allow_charged: bool = Field(False, description="accept a salt that is not neutral (not physical)")


OPTIONS = Options(ValidateConfig, Further)
validate_app = command_app()


@validate_app.command(epilog="Example: validate --slit 0.59nm --electrolyte KCl --concentration 1M --out runs/first")
@with_options(OPTIONS)
def validate(texts: Texts, out: OutPath = None, as_json: JsonFlag = False) -> int:
    """Run atoms, continuum, discovery and circuit at one slit size, judge them, and write the report."""
    config, further = OPTIONS.build(ValidateConfig, texts), OPTIONS.build(Further, texts)
    config.check()
    wanted = config.stages
    if further.stages is not None:
        wanted = tuple(part.strip() for part in further.stages.split(",") if part.strip())
    if not wanted or set(wanted) - set(STAGES):
        raise BadInput("stages", further.stages, f"give one or more of {','.join(STAGES)}")
    # The chain loads the libraries of every simulation; bad input is refused without them.
    from validation.chain import validate as run_chain
    from validation.claims import CLAIMS

    folder = out or Path("runs") / f"validate-{config.electrolyte.name}-{config.slit * 1e9:g}nm-{config.preset}"
    result = run_chain(config, folder, wanted, Progress(), further.standards({*FAMILIES, *CLAIMS}))
    reply = judged("validate", result, exit_code(result.verdicts, further.strict))
    return reply.tell(as_json, partial(summary, result))
