"""The command line: `validate`, and `transslit` with each stage as a command of its own.

Values come as text and meet their units in the configurations; every fault a user can make ends in one
line on standard error and exit code 2. With `--json`, standard output is one JSON object and nothing else.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import re
import sys
import unicodedata
import warnings
from collections.abc import Callable

from transslit.errors import BadInput, TransslitError, visible
from transslit.library import NameClash
from validation.commands import app
from validation.commands.validate import validate_app

INTERRUPTED = 130  # what typer makes of Ctrl-C


def run(program: Callable[..., object], name: str, arguments: list[str] | None = None) -> int:
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
        if text := " ".join(str(message()).split()):  # empty after the help that stands for a missing command
            print(f"{name}: error: {visible(text)}", file=sys.stderr)
        return BadInput.exit_code


def main() -> None:
    """Entry point of `transslit`."""
    sys.exit(run(app, "transslit"))


def validate_main() -> None:
    """Entry point of `validate`."""
    sys.exit(run(validate_app, "validate"))
