"""The commands of `transslit`, one file each, which is imported when its command is called.

Atoms, continuum, search and circuit each load libraries that the others do without.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

NAMES = ("md", "continuum", "discover", "circuit", "judge", "claims", "sweep", "report", "electrolytes")


class Commands(TyperGroup):
    """A command for each of `NAMES`."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the help page."""
        return list(NAMES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name; None if there is none."""
        return typer.main.get_command(module(cmd_name).app) if cmd_name in NAMES else None


def module(name: str) -> Any:
    """The module of a command."""
    return import_module(f"validation.commands.{name}")


app = Commands(name="transslit", help="Nanoconfined ion transport, from atoms to circuits.", no_args_is_help=True)
