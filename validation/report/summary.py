"""What the numbers say, in sentences made from them: where the continuum holds beside the atoms, and where it does not.

Every sentence is a function of verdicts (and of the table of levels); nothing is said that no number carries. The
comparison is between two models: "agrees" means that the interval of the ratio lies within the tolerance of the check.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from validation.verdicts.verdict import Verdict
from validation.verdicts.words import listed

COMPARED = {  # statement of a check against.<slit>.<statement>: what it is about
    "course": "the course of filling",
    "t63": "how fast a slit fills (time to one level)",
    "charge": "the charge stored when the shorter run ends",
    "content": "the ion concentration then",
}
ADDRESSES = {"particles": "That ions are particles", "water": "That water is molecules"}
DIFFERENT = {
    "fail": "changes the charge stored in",
    "pass": "changes nothing beyond a quarter in",
    "inconclusive": "is not resolved in",
}
FACTOR = 3.0  # ratios beyond this are said as "so many times"


def paragraphs(verdicts: Iterable[Verdict], slit: float, levels: pd.DataFrame | None = None) -> list[str]:
    """What there is to say of molecular dynamics against continuum at a slit width in m: where it holds; the mechanism.

    Nothing where the two were not compared.
    """
    by_id = {verdict.id: verdict for verdict in verdicts}
    compared = {name: _by_slit(by_id, name) for name in COMPARED}
    if not any(compared.values()):
        return []
    sentences = [_score(compared, slit)]
    for outcome, opening in (
        ("pass", "It agrees with the atoms on"),
        ("fail", "It disagrees on"),
        ("inconclusive", "The data do not decide on"),
    ):
        result = [_clause(name, result, outcome) for name, result in compared.items() if _with_outcome(result, outcome)]
        if result:
            sentences.append(f"{opening} {'; '.join(result)}.")
    if levels is not None:
        sentences += _meanwhile(levels)
    return [" ".join(part) for part in (sentences, _mechanism(by_id)) if part]


def addresses(verdicts: Iterable[Verdict]) -> list[str]:
    """Where neighbouring levels of the small step differ: a sentence for each address that was judged."""
    known, sentences = list(verdicts), []
    for address, opening in ADDRESSES.items():
        own = {v.id.split(".")[1]: v for v in known if v.family == "levels" and v.id.endswith(f".{address}")}
        parts = []
        for outcome, words in DIFFERENT.items():
            chosen = {i: verdict for i, verdict in own.items() if verdict.verdict == outcome}
            if chosen:
                numbers = listed(f"{v.value or 0:+.0%} ± {v.uncertainty or 0:.0%}" for v in chosen.values())
                parts.append(f"{words} slit{'s' * (len(chosen) > 1)} {listed(chosen)} ({numbers})")
        sentences += [f"{opening} {listed(parts)}."] if parts else []
    return sentences


def in_short(verdicts: Iterable[Verdict], slit: float) -> str:
    """The first sentence of `paragraphs`, or nothing."""
    by_id = {verdict.id: verdict for verdict in verdicts}
    compared = {name: _by_slit(by_id, name) for name in COMPARED}
    return _score(compared, slit) if any(compared.values()) else ""


def _by_slit(by_id: dict[str, Verdict], statement: str) -> dict[int, Verdict]:
    """Verdicts against.<slit>.<statement> by slit."""
    ids = ((identity.split("."), verdict) for identity, verdict in by_id.items() if identity.startswith("against."))
    return {int(parts[1]): v for parts, v in ids if len(parts) == 3 and parts[1].isdigit() and parts[2] == statement}


def _with_outcome(result: dict[int, Verdict], outcome: str) -> dict[int, Verdict]:
    return {i: verdict for i, verdict in result.items() if verdict.verdict == outcome}


def _score(compared: dict[str, dict[int, Verdict]], slit: float) -> str:
    outcomes = [verdict.verdict for result in compared.values() for verdict in result.values()]
    passed, failed = outcomes.count("pass"), outcomes.count("fail")
    whole = (
        "holds"
        if passed == len(outcomes)
        else "does not hold"
        if failed == len(outcomes)
        else "holds in part"
        if passed
        else "is not confirmed anywhere"
    )
    open_ones = len(outcomes) - passed - failed
    return (
        f"At d = {slit * 1e9:g} nm the continuum (modified Poisson-Nernst-Planck) {whole}: of {len(outcomes)}"
        f" comparisons with molecular dynamics {passed} agree, {failed} disagree and {open_ones} stay open."
    )


def _clause(statement: str, result: dict[int, Verdict], outcome: str) -> str:
    chosen = _with_outcome(result, outcome)
    everywhere = len(chosen) == len(result) > 1
    where = "in every slit" if everywhere else f"in slit{'s' * (len(chosen) > 1)} {listed(chosen)}"
    return f"{COMPARED[statement]} {where} ({_numbers(statement, list(chosen.values()))})"


def _numbers(statement: str, verdicts: Sequence[Verdict]) -> str:
    known = [v.value for v in verdicts if v.value is not None]
    if len(known) < len(verdicts):
        return "no number"
    if statement == "course":
        return f"RMS difference {listed(f'{v:.0%}' for v in known)} of the final charge"
    if max(known) < 1 / FACTOR and min(known) > 0:
        low, high = 1 / max(known), 1 / min(known)
        much = f"{low:.2g} to {high:.2g}" if f"{low:.2g}" != f"{high:.2g}" else f"{low:.2g}"
        return f"the atoms' is {much} times smaller"
    if min(known) > FACTOR:
        return f"the atoms' is {min(known):.2g} to {max(known):.2g} times larger"
    return f"atoms over continuum {listed(_with_uncertainty(v) for v in verdicts)}"


def _with_uncertainty(verdict: Verdict) -> str:
    return f"{verdict.value:.2f}" + (f" ± {verdict.uncertainty:.2f}" if verdict.uncertainty else "")


def _meanwhile(levels: pd.DataFrame) -> list[str]:
    """Levels at one time, the end of the atoms' run: stored charge, and the voltage that still drives it."""
    sentences = []
    stored = levels[levels["quantity"] == "stored"]
    if len(stored) and (stored["continuum_then"] > 0).all():
        ratios = (stored["atoms"] / stored["continuum_then"]).map("{:.2g}".format)
        sentences.append(
            f"At the time at which the atoms' run ends, they store {listed(ratios)} times what the continuum does"
            f" then (slit{'s' * (len(stored) > 1)} {listed(stored['i'])})."
        )
    rows = levels[(levels["quantity"] == "dphi") & (levels["i"] == 1)]
    if len(rows):
        row = rows.iloc[0]
        atoms, low, high, then, end = (
            f"{row[name] / 1000:.3g} V" for name in ("atoms", "atoms_low", "atoms_high", "continuum_then", "continuum")
        )
        inside = row["atoms_low"] <= row["continuum_then"] <= row["atoms_high"]
        side = "within" if inside else "below" if row["continuum_then"] < row["atoms_low"] else "above"
        sentences.append(
            f"The voltage between slits 1 and 2 is then {atoms} ({low} to {high}) among atoms and {then}, {side} that"
            f" interval, in the continuum, where it ends at {end}."
        )
    return sentences


def _mechanism(by_id: dict[str, Verdict]) -> list[str]:
    """Whether the two sources say the same about diffusion and migration, and what the slow drive adds."""
    sentences = []
    atoms, step, cv = (by_id.get(f"{prefix}.pos.1.sign") for prefix in ("md", "step", "cv"))
    if atoms is not None and step is not None and atoms.value is not None and step.value is not None:
        spread = f" ± {atoms.uncertainty:.0%}" if atoms.uncertainty else ""
        both = (
            "the two agree that diffusion does not enhance migration under this drive"
            if atoms.verdict == step.verdict == "fail"
            else "the two agree that diffusion enhances migration under this drive"
            if atoms.verdict == step.verdict == "pass"
            else "the atoms leave open whether the two agree"
            if "inconclusive" in (atoms.verdict, step.verdict)
            else "the two contradict each other"
        )
        sentences.append(
            f"On the mechanism (charge step, positive electrode, slits 1 and 2): {atoms.value:.0%}{spread} of the"
            f" charge crosses while migration and diffusion point the same way among atoms, {step.value:.0%} in the"
            f" continuum; {both}."
        )
    if cv is not None and cv.value is not None and step is not None:
        same = cv.verdict == step.verdict
        sentences.append(
            f"In the continuum's slow voltammogram that share is {cv.value:.0%}"
            + (", as under the step." if same else ": the answer depends on the drive.")
        )
    left = by_id.get("md.residual")
    if left is not None and left.value is not None:
        spread = f" ± {left.uncertainty:.0%}" if left.uncertainty else ""
        off = "less" if left.value > 0 else "more"
        sentences.append(
            f"Nernst-Planck between slit centres makes {abs(left.value):.0%}{spread} {off} charge cross than is counted"
            " among atoms."
        )
    return sentences
