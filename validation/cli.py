"""The command line: `validate`, and `transslit` with each stage as a command of its own.

Values come as text and meet their units in the configurations; every fault a user can make ends in one
line on standard error and exit code 2. With `--json`, standard output is one JSON object and nothing else.
"""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import re
import sys
import unicodedata
import warnings
from pathlib import Path
from typing import Annotated

import typer

from transslit.errors import BadInput, TransslitError, visible
from transslit.library import NameClash
from transslit.progress import Progress
from validation.commands import app
from validation.commands.common import (
    ChargedFlag,
    JsonFlag,
    MolarText,
    OutPath,
    ReplicasInt,
    SaltText,
    SeedInt,
    SlitText,
    asked,
)
from validation.config import STAGES

INTERRUPTED = 130  # what typer makes of Ctrl-C

validate_app = typer.Typer(add_completion=False)


@validate_app.command(epilog="Example: validate --slit 0.59nm --electrolyte KCl --concentration 1M --out runs/first")
def validate(
    slit: SlitText,
    electrolyte: SaltText = "KCl",
    concentration: MolarText = None,
    preset: Annotated[
        str,
        typer.Option(
            help="quick (minutes on two cores) or paper (long, wants a GPU; slit length, ions and Stern layer at which"
            " most of the paper's claims hold)."
        ),
    ] = "quick",
    out: OutPath = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 on an inconclusive required check too.")
    ] = False,
    replicas: ReplicasInt = None,
    stages: Annotated[
        str | None,
        typer.Option(
            help=f"Comma-separated, of {','.join(STAGES)}. Default: all, but claims with the paper preset only."
        ),
    ] = None,
    tolerances: Annotated[
        Path | None, typer.Option(help="TOML file of your own tolerances, by the ids of verdicts.json.")
    ] = None,
    seed: SeedInt = 0,
    as_json: JsonFlag = False,
    allow_charged: ChargedFlag = False,
) -> int:
    """Run atoms, continuum, discovery and circuit at one slit size, judge them, and write the report."""
    config = asked(slit, electrolyte, concentration, preset, replicas, seed, allow_charged)
    wanted = config.stages if stages is None else tuple(part.strip() for part in stages.split(",") if part.strip())
    if not wanted or set(wanted) - set(STAGES):
        raise BadInput("stages", stages, f"give one or more of {','.join(STAGES)}")
    from validation.pipeline import validate as run_chain
    from validation.terminal import summary
    from validation.tolerances import read_tolerances
    from validation.verdict import exit_code

    standards = {} if tolerances is None else read_tolerances(tolerances)
    folder = out or Path("runs") / f"validate-{config.electrolyte.name}-{slit.replace(' ', '')}-{preset}"
    found = run_chain(config, folder, wanted, Progress(), standards)
    if as_json:
        print(json.dumps(found.summary))
    else:
        summary(found)
    return exit_code(found.verdicts, strict)


def run(program: typer.Typer, name: str, arguments: list[str] | None = None) -> int:
    """Run a command line (the process's own by default) and turn every fault into one line and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without ± or ✓ still shows the rest
    warnings.filterwarnings("ignore")
    warnings.filterwarnings("always", category=NameClash)
    warnings.formatwarning = lambda message, *_, **__: f"{name}: {message}\n"
    logging.getLogger().setLevel(logging.ERROR)
    try:
        for word in sys.argv[1:] if arguments is None else arguments:
            if not word.isprintable() and any(unicodedata.category(character) == "Cs" for character in word):
                raise BadInput("argument", word, "holds bytes that are no UTF-8 text")
            if re.match("(--[^=]*=)?~", word):
                raise BadInput("argument", word, "the shell left ~ as it is; write the folder out")
        code = program(arguments, standalone_mode=False, prog_name=name)
        if code == INTERRUPTED:
            print(f"{name}: interrupted; the same command resumes", file=sys.stderr)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except TransslitError as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        return 1
    except OSError as error:
        if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EIO):
            raise
        print(f"{name}: error: output: cannot be written ({error.strerror})", file=sys.stderr)
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - what is left of it cannot be written either
        return 3
    except Exception as error:
        message = getattr(error, "format_message", None)
        if message is None:
            raise
        print(f"{name}: error: {visible(' '.join(str(message()).split()))}", file=sys.stderr)
        return BadInput.exit_code


def main() -> None:
    """Entry point of `transslit`."""
    sys.exit(run(app, "transslit"))


def validate_main() -> None:
    """Entry point of `validate`."""
    sys.exit(run(validate_app, "validate"))
