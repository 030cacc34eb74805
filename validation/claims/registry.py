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
import math
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from transslit.errors import BadInput
from validation.verdict import Estimate, Verdict, judge, worst

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from validation.claims.evidence import Evidence

Draw = Callable[[pd.DataFrame], "Figure"]


@dataclass(frozen=True)
class Need:
    """What a claim will ask for: `kind` is cv or atoms, `widths` the slit widths in m that it concerns.

    Known beforehand, so that progress can say how much is left. `inputs` says that the parameters which the paper
    leaves open are varied too; `drive` changes the default cyclic voltammetry.
    """

    kind: Literal["cv", "atoms"]
    widths: tuple[float, ...] = ()
    inputs: bool = False
    drive: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Finding:
    """What a claim's function returns: its parts, its setting and its tidy table."""

    parts: tuple[Verdict, ...]
    setting: str
    evidence: pd.DataFrame


@dataclass(frozen=True)
class Measured:
    """A number, its numerical half-width (95 %), and how far the unknown parameters take it down and up.

    `inputs` is None where none are varied; `variations` is what the number is under each, by label.
    """

    value: float
    u_numerical: float | None = None
    inputs: tuple[float, float] | None = None
    variations: Mapping[str, float] = field(default_factory=dict)

    @property
    def widened(self) -> tuple[float, float] | None:
        """The interval of both."""
        if self.inputs is None:
            return None
        down, up = (math.hypot(self.u_numerical or 0.0, part) for part in self.inputs)
        return self.value - down, self.value + up

    @property
    def range(self) -> str:
        """The ends of the variations in words, where the input matters at all."""
        if self.inputs is None or not self.variations or sum(self.inputs) < 0.02 * abs(self.value):
            return ""
        low, high = (pick(self.variations, key=self.variations.__getitem__) for pick in (min, max))
        return f"; {self.variations[low]:.3g} ({low}) to {self.variations[high]:.3g} ({high})"


def part(
    title: str,
    measured: Measured | Estimate | float,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    unit: str = "1",
    reason: str,
) -> Verdict:
    """One judged part of a claim; `Claim.verdict` gives it its id and setting."""
    if isinstance(measured, int | float):
        measured = Measured(float(measured))
    more: dict[str, Any] = {"low": low, "high": high, "unit": unit, "setting": "", "claim": True}
    if isinstance(measured, Estimate):
        return judge("", title, measured, reason=reason, u_statistical=measured.half_width, **more)
    u = measured.u_numerical or 0.0
    return judge(
        "",
        title,
        Estimate(measured.value, measured.value - u, measured.value + u),
        reason=reason + measured.range,
        widened=measured.widened,
        u_numerical=measured.u_numerical,
        u_input=None if measured.inputs is None else sum(measured.inputs) / 2,
        **more,
    )


@dataclass(frozen=True)
class ClaimVerdict(Verdict):
    """A judged claim: value, tolerance and reason are those of the part that decided; `figure` is the paper's.

    On disk a row of claims.json (and of verdicts.json), with `parts` as rows and the table as
    evidence/tables/<id>.parquet. `draw(evidence)` makes its figure.
    """

    figure: str = ""
    statement: str = ""
    parts: tuple[Verdict, ...] = ()

    def row(self) -> dict[str, Any]:
        """The verdict as JSON-able row, its parts as rows."""
        return super().row() | {"parts": [part.row() for part in self.parts]}

    def draw(self, table: pd.DataFrame | None = None) -> Figure:
        """The claim's figure, from its table (or from `table` in its place)."""
        return CLAIMS[self.id].draw(self.evidence if table is None else table)

    @property
    def see(self) -> str:
        """What to see in the figure."""
        return CLAIMS[self.id].see


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
        parts = tuple(
            replace(part, id=f"{self.id}.{letter}", setting=finding.setting)
            for letter, part in zip(string.ascii_lowercase, finding.parts, strict=False)
        )
        return assemble(self, parts, finding.setting, finding.evidence)


CLAIMS: dict[str, Claim] = {}


def claim(
    identity: str, *, figure: str, see: str, needs: Iterable[Need], draw: Draw
) -> Callable[[Callable[[Evidence], Finding]], Callable[[Evidence], Finding]]:
    """Register a claim's function under `identity`; `figure` is the paper's, `see` what to look for in ours."""

    def register(function: Callable[[Evidence], Finding]) -> Callable[[Evidence], Finding]:
        CLAIMS[identity] = Claim(identity, figure, tuple(needs), draw, function, see)
        return function

    return register


def assemble(known: Claim, parts: tuple[Verdict, ...], setting: str, evidence: pd.DataFrame) -> ClaimVerdict:
    """The verdict of a claim whose `parts` are judged: that of the worst one, whose number it takes."""
    outcome = worst([part.verdict for part in parts])
    decided = next(part for part in parts if part.verdict == outcome)
    fields = {name: getattr(decided, name) for name in Verdict.__dataclass_fields__}
    reason = f"{decided.title}: {decided.reason}" if len(parts) > 1 else decided.reason
    fields |= {"id": known.id, "title": known.title, "setting": setting, "reason": reason}
    fields |= {"required": any(part.required for part in parts), "evidence": evidence}
    return ClaimVerdict(**fields, figure=known.figure, statement=known.statement, parts=parts)


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
