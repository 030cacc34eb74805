"""The answer of each source of a record to the question whether diffusion enhances migration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from validation.verdicts.verdict import Verdict

SOURCES = {
    "md": "Molecular dynamics",
    "step": "Continuum, charge step",
    "cv": "Continuum, CV",
    "continuum": "Continuum",
}
YES_NO = {"pass": "yes", "fail": "no", "inconclusive": "undecided"}


class Answer(NamedTuple):
    """A source, its verdict, yes, no or undecided, and the number in words."""

    source: str
    verdict: str
    word: str
    number: str


def answers(verdicts: Iterable[Verdict]) -> list[Answer]:
    """For each source: the verdict on its first pair of slits, and the number in words."""
    by_id = {verdict.id: verdict for verdict in verdicts}
    cards = []
    second = {f"{family}2": f"{name}, second" for family, name in SOURCES.items()}
    for family, name in (SOURCES | second).items():
        if (sign := by_id.get(f"{family}.pos.1.sign")) is not None:
            share = "undefined" if sign.value is None else f"{sign.value:.0%}"
            spread = f" ± {sign.uncertainty:.0%}" if sign.uncertainty else ""
            cards.append(Answer(name, sign.verdict, YES_NO[sign.verdict], f"{share}{spread}"))
    return cards
