"""The commands of `transslit`, one file each, which is imported when its command is called.

Atoms, continuum, search and circuit each load libraries that the others do without.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

import typer
from typer.core import TyperGroup

from transslit.shell import HELP, Completion, Schema, Version

SUMMARIES = {
    "md": "Run molecular dynamics of a charged graphene cell.",
    "continuum": "Run the modified Poisson-Nernst-Planck equations.",
    "discover": "Search for the law behind records or tables.",
    "circuit": "Predict voltammograms and impedance with a circuit model.",
    "judge": "Judge a record, or one against another.",
    "claims": "Judge the paper's claims.",
    "sweep": "Run a stage over a grid or list of its options.",
    "report": "Print a validation's verdicts; make its page again; compare two.",
    "electrolytes": "List, show and check electrolytes.",
}


class Commands(TyperGroup):
    """The commands by their summaries; one that is called is loaded."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Name and command that the words of the command line call, and the other words."""
        name, _, words = super().resolve_command(ctx, args)
        return name, typer.main.get_command(module(str(name)).app), words


def module(name: str) -> ModuleType:
    """The module of a command."""
    return import_module(f"validation.commands.{name}")


_root = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, context_settings=HELP)


@_root.callback()
def root(version: Version = False, schema: Schema = False, completion: Completion = None) -> None:
    """Nanoconfined ion transport, from atoms to circuits."""


for _name, _summary in SUMMARIES.items():
    _root.command(_name, help=_summary)(lambda: None)  # stands for the command until it is called
app = typer.main.get_command(_root)
