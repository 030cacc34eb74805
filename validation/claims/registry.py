"""The registry of claims: one function each, with its docstring as title and definition.

    @claim("C27", figure="ED15", see="...", needs=[Need("cv", (2e-9,))], draw=...)
    def integrated_law(evidence: Evidence) -> Finding:
        \"\"\"The law also describes the passed charge against the trans-slit voltage.

        Measured as ...
        \"\"\"

A claim asks `Evidence` for runs and returns a `Finding`: parts, each a number against a tolerance, and one tidy table
from which its figure is drawn. The claim's verdict is that of its worst part.
"""

from __future__ import annotations

import inspect
import string
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from transslit.errors import BadInput
from transslit.plot import Draw
from validation.claims.uncertainty import Evidence, Need
from validation.verdicts.verdict import ClaimVerdict, Verdict


@dataclass(frozen=True)
class Finding:
    """What a claim's function returns: its parts, its setting and its tidy table."""

    parts: Sequence[Verdict]
    setting: str
    evidence: pd.DataFrame


@dataclass(frozen=True)
class Claim:
    """A registered claim."""

    id: str
    figure: str
    needs: tuple[Need, ...]
    draw: Draw
    judge: Callable[[Evidence], Finding]
    see: str = ""

    @property
    def title(self) -> str:
        """First paragraph of the docstring."""
        return self._paragraphs[0].rstrip(".")

    @property
    def statement(self) -> str:
        """The rest of the docstring: what is measured."""
        return " ".join(self._paragraphs[1:])

    @property
    def _paragraphs(self) -> list[str]:
        return [" ".join(text.split()) for text in (inspect.getdoc(self.judge) or "").split("\n\n")]

    def verdict(self, finding: Finding) -> ClaimVerdict:
        """The claim's verdict from those of its parts, which become `C01.a`, `C01.b`, ..."""
        parts = [
            part.changed(id=f"{self.id}.{letter}", setting=finding.setting)
            for letter, part in zip(string.ascii_lowercase, finding.parts, strict=False)
        ]
        own = {"id": self.id, "title": self.title, "figure": self.figure, "statement": self.statement}
        return ClaimVerdict.assemble(parts, finding.evidence, setting=finding.setting, **own)


CLAIMS: dict[str, Claim] = {}


def claim(
    identity: str, *, figure: str, see: str, needs: Iterable[Need], draw: Draw
) -> Callable[[Callable[[Evidence], Finding]], Callable[[Evidence], Finding]]:
    """Register a claim's function under `identity`; `figure` is the paper's, `see` what to look for in ours."""

    def register(function: Callable[[Evidence], Finding]) -> Callable[[Evidence], Finding]:
        CLAIMS[identity] = Claim(identity, figure, tuple(needs), draw, function, see)
        return function

    return register


def chosen(text: str | None) -> list[str]:
    """Ids of a comma-separated list, or all of them.

    Raises
    ------
    BadInput : an unknown id
    """
    if text is None:
        return sorted(CLAIMS)
    ids = list(dict.fromkeys(part.strip().upper() for part in text.split(",") if part.strip()))
    unknown = [identity for identity in ids if identity not in CLAIMS]
    if unknown or not ids:
        raise BadInput("claims", ", ".join(unknown) or text, f"give some of {min(CLAIMS)} to {max(CLAIMS)}, as C02,C11")
    return ids
