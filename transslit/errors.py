"""The one exception family: raised where the fault is known, shown by the command line as one line."""

from __future__ import annotations

import unicodedata

LONGEST = 300  # characters of a value that a message repeats


def visible(text: str) -> str:
    """`text` on one line, with whatever steers a terminal, or is no character, as TOML would escape it."""
    return "".join(each if each.isprintable() or unicodedata.category(each) == "Zs" else _escape(each) for each in text)


def first_line(error: Exception) -> str:
    """What an exception says, or its kind, without what follows in further lines."""
    return (str(error) or type(error).__name__).splitlines()[0]


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class TransslitError(Exception):
    """Base of every error that a user can meet; `exit_code` is what the command line returns."""

    exit_code = 3


class BadInput(TransslitError):
    """What the user gave cannot be used.

    Parameters
    ----------
    field : name of the offending option, key or file
    value : what was given
    accepts : what would do
    """

    exit_code = 2

    def __init__(self, field: str, value: object, accepts: str) -> None:
        self.field, self.value, self.accepts = field, value, accepts
        super().__init__(field, value, accepts)  # all three, so that it pickles

    def __str__(self) -> str:
        value = str(self.value)
        if len(value) > LONGEST:
            value = f"{value[:LONGEST]}… ({len(value)} characters)"
        return visible(f"{self.field}: {value}: {self.accepts}")


class StageFailed(TransslitError):
    """A stage could not finish; what it had reached is kept in its folder.

    Parameters
    ----------
    stage : name of the stage
    reason : what happened, where and when
    """

    def __init__(self, stage: str, reason: str) -> None:
        self.stage, self.reason = stage, reason
        super().__init__(stage, reason)

    def __str__(self) -> str:
        return visible(f"{self.stage}: {self.reason}")
