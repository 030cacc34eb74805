"""How a program runs: every fault that a user can make ends in one line on standard error, and an exit code.

With `--json`, standard output is one JSON object and nothing else, also then.
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
from collections.abc import Callable, Sequence

import typer.completion

from transslit.errors import BadInput, StageFailed, TransslitError, visible
from transslit.library import NameClash
from transslit.reply import Reply, fault_of

CLOSED_PIPE = 141  # as of a program that the signal of a closed pipe ends
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
    words = sys.argv[1:] if arguments is None else arguments
    if f"_{name.upper()}_COMPLETE" in os.environ:
        typer.completion.completion_init()
    try:
        for word in words:
            if not word.isprintable() and any(unicodedata.category(character) == "Cs" for character in word):
                raise BadInput("argument", word, "holds bytes that are no UTF-8 text")
            if re.match("(--[^=]*=)?~", word):
                raise BadInput("argument", word, "the shell left ~ as it is; write the folder out")
        code = program(arguments, standalone_mode=False, prog_name=name)
        if code == INTERRUPTED:
            return _failed(name, words, KeyboardInterrupt(), INTERRUPTED)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except TransslitError as error:
        return _failed(name, words, error, error.exit_code)
    except (BrokenPipeError, SystemExit) as end:  # typer exits with 1 on a closed pipe, with 0 after a completion
        if isinstance(end, SystemExit) and not end.code:
            return 0
        _discard_output()
        return CLOSED_PIPE
    except OSError as error:
        if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EIO):
            raise
        print(f"{name}: error: output: cannot be written ({error.strerror})", file=sys.stderr)
        _discard_output()
        return StageFailed.exit_code
    except Exception as error:
        message = getattr(error, "format_message", None)
        if message is None:
            raise
        text = visible(" ".join(str(message()).split()))  # empty after the help that stands for missing words
        return _failed(name, words, ValueError(text), BadInput.exit_code) if text else 0


def _failed(name: str, words: Sequence[str], error: BaseException, code: int) -> int:
    """Tell why a command failed, in a line on standard error and, with --json, in an object on standard output."""
    fault = fault_of(error)
    kind = "" if fault.kind == "interrupted" else "error: "
    print(f"{name}: {kind}{fault.message}", file=sys.stderr)
    if "--json" in words:
        command = next((word for word in words if not word.startswith("-")), "") if name == "transslit" else name
        Reply(command=command, exit_code=code, error=fault).tell(True, lambda: None)
    return code


def _discard_output() -> None:
    """Standard output that cannot be written any more leads nowhere, also for what Python has buffered."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the process ends
