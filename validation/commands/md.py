"""`transslit md`: molecular dynamics."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import get_args

from pydantic import Field

import md
from md import MDConfig
from md.config import PRESETS, PRESETS_IN_WORDS, Imposed
from transslit.errors import BadInput
from transslit.executor import Inline, Parallel
from transslit.network import SlitNetwork
from transslit.options import Options, Texts, refuse_others
from transslit.progress import Progress
from transslit.record import TransSlitRecord
from transslit.reply import Reply
from transslit.runs import open_run
from transslit.shell import JsonFlag, OutPath, command_app, with_options
from validation.checks.mechanism import mechanism
from validation.checks.unexplained_charge import residual
from validation.commands.common import run_stage, say_record
from validation.presets import ValidateConfig, md_config
from validation.sweep import Stage, Work


class Further(Parallel):
    """Options that are no fields of a configuration."""

    allow_charged: bool = Field(False, description="accept a salt that is not neutral (not physical)")
    make_starts: Path | None = Field(
        None, description="only make the uncharged starts, one per replica, as PATH.npz and PATH.json; no charging"
    )


# The lattice of the sheets sets their thickness.
OPTIONS = Options(
    ValidateConfig, MDConfig, Further, without=("sheet_thickness",), told={"preset": PRESETS_IN_WORDS}, presets=PRESETS
)
TAKES = {  # by kind of drive, its options
    drive.model_fields["kind"].default: [
        "charge_per_carbon" if name == "sigma" else name for name in drive.model_fields
    ]
    for drive in get_args(Imposed)
}
app = command_app()


@app.command(
    epilog="Example: transslit md --slit 0.59nm --drive charge-ramp --ramp 20ps --duration 10ps --out runs/ramp"
)
@with_options(OPTIONS)
def md_command(texts: Texts, out: OutPath = None, as_json: JsonFlag = False) -> int:
    """Charge a graphene cell in molecular dynamics, and reduce it to a trans-slit record."""
    config, further = read(texts), OPTIONS.build(Further, texts)
    if further.make_starts is not None:
        if not further.make_starts.name:
            raise BadInput("make_starts", further.make_starts, "give a file's path without its ending")
        return _make_starts(config, further.make_starts, as_json)

    def run(config: MDConfig, folder: Path, progress: Progress) -> TransSlitRecord:
        with further.pool() as pool:
            return md.run(config, folder, progress, None if isinstance(pool, Inline) else pool)

    _, reply = run_stage("md", out or Path("runs/md"), config, run, config.seed)
    return reply.tell(as_json, partial(say_record, reply))


def read(texts: Texts) -> MDConfig:
    """The configuration that the options describe: the preset's, but for the options that are given.

    Raises
    ------
    BadInput : an option that cannot be used, or that the drive does not take
    """
    refuse_others(texts.get("drive", MDConfig.model_fields["drive"].default), TAKES, texts)
    config = OPTIONS.build(ValidateConfig, texts)
    config.check()
    values = OPTIONS.values(MDConfig, texts)
    network = SlitNetwork.read(**md_config(config).network.model_dump() | values.pop("network"))
    changes = {name: value for name, value in values.items() if name not in ValidateConfig.model_fields}
    return md_config(config, network=network, **changes)


def row(config: MDConfig, folder: Path) -> dict[str, object]:
    """Columns of a sweep: signs and slopes of diffusion against migration, and the unexplained share."""
    record = md.run(config, folder, Progress(quiet=True))
    values: dict[str, object] = {}
    for verdict in [*mechanism(record, "md", ""), residual(record, "md", "")]:
        name = verdict.id.removeprefix("md.").replace(".", "_")
        values |= {name: verdict.value, f"{name}_u95": verdict.uncertainty}
    return values


def _work(texts: Texts, arguments: Sequence[str]) -> Work:
    config = read(texts)
    return Work(config, partial(row, config))


STAGE = Stage(
    "md",
    _work,
    OPTIONS.known.keys() - Further.model_fields.keys() | {"allow_charged"},
    leaves_record=True,
    resumes=True,
)


def _make_starts(config: MDConfig, path: Path, as_json: bool) -> int:
    """Make the starts in a working folder beside `path`, from which a command that is killed continues."""
    with open_run(md.starts_work(path)) as opened:
        opened.claim(config)
        starts = md.make_starts(config, path, Progress())
    files = [str(path.with_name(path.name + suffix)) for suffix in (".npz", ".json")]
    reply = Reply(command="md", files=files, counts={"starts": len(starts.positions)})
    return reply.tell(as_json, lambda: print(f"{' and '.join(files)}: {len(starts.positions)} starts"))
