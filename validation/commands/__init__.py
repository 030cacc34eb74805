"""The commands of `transslit`, one file each; `app` gathers them."""

from validation.commands import circuit, claims, continuum, discover, electrolytes, md, report, sweep
from validation.commands.common import app

__all__ = ["app", "circuit", "claims", "continuum", "discover", "electrolytes", "md", "report", "sweep"]
