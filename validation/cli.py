"""The command line: `validate`, and `transslit` with each stage as a command of its own.

Values come as text and meet their units in the configurations.
"""

from __future__ import annotations

import sys

from transslit.program import run
from validation.commands import app
from validation.commands.validate import validate_app


def main() -> None:
    """Entry point of `transslit`."""
    sys.exit(run(app, "transslit"))


def validate_main() -> None:
    """Entry point of `validate`."""
    sys.exit(run(validate_app, "validate"))
