"""The claims of the continuum at one setting: a pure function of it, by the claims' own functions.

    judge(setting, folder) -> {"setting": ..., "cpu_s": ..., "parts": [...], "laws": {d: [R_c, gamma]}, ...}

A part is a number of a claim with its tolerance. Where claims ask for companions (`validation.claims.evidence`), a
sampled setting has none, and its numbers are single ones; `searched` runs the equation search for C11 and C27 and the
numerical companions, which is how a setting is confirmed. Without it equation 1 is fitted in place of the search.
C26, the time that the continuum takes, is no matter of the setting, and C22 to C25 are about a circuit whose elements
the paper gives.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from continuum import ContinuumConfig
from discovery import DiscoveryConfig, table_from_records
from studies.missing_methods.setting import Setting
from transslit import Law, load_electrolyte
from transslit.errors import TransslitError
from transslit.progress import Progress
from transslit.runs import RunFolder
from validation.claims import CLAIMS
from validation.claims.measures import agreement
from validation.claims.uncertainty import AS_SET, Evidence, Measure
from validation.presets import ClaimsConfig
from validation.simulations.runs import Run
from validation.verdicts.verdict import Measured

JUDGED = tuple(
    identity
    for identity, known in sorted(CLAIMS.items())
    if any(need.kind == "cv" for need in known.needs) and identity != "C26"
)
SAMPLED = tuple(identity for identity in JUDGED if identity not in ("C20", "C21"))  # without circuits of their own
COARSER = "coarser mesh"  # the claims' numerical companion, whose cells are 1.5 times as long


class SettingEvidence(Evidence):
    """Evidence of one setting, with the numerical companions and the search only if `searched`."""

    def __init__(self, setting: Setting, folder: Path, searched: bool = False) -> None:
        salt = load_electrolyte("KCl")
        preset = "quick" if setting.preset == "coarse" else setting.preset
        config = ClaimsConfig(electrolyte=salt, concentration=1000.0, preset=preset)
        self.point, self.searched = setting, searched
        super().__init__(config, RunFolder(folder), Progress(quiet=True))

    def cv_config(self, d: float, variation: str = AS_SET, **drive: Any) -> ContinuumConfig:
        """The continuum CV of a slit width in m, at this setting."""
        if variation == AS_SET and self.point.preset == "coarse":
            variation = COARSER
        return self.point.applied(super().cv_config(d, variation, **drive))

    def variations(self, inputs: bool) -> list[str]:
        """None of the parameters that this sample varies."""
        return super().variations(False) if self.searched else [AS_SET]

    def measure(
        self, function: Measure, widths: Sequence[float], inputs: bool = True, **drive: Any
    ) -> dict[str, Measured]:
        """`function` of the runs at `widths`, with its numerical uncertainty only if `searched`."""
        if self.searched:
            return super().measure(function, widths, inputs=False, **drive)
        found = function({d: self.cv(d, **drive) for d in widths})
        return {name: Measured(value) for name, value in found.items()}

    def search(self, run: Run, settings: DiscoveryConfig, crossings: Sequence[int] = ()) -> Law:
        """Equation 1 by least squares, unless `searched`; the last of several crossings is held out."""
        if self.searched:
            return super().search(run, settings, crossings)
        table = table_from_records([run.record])
        if crossings:
            table = table[table["i"].isin(crossings)]
        current, filling = (table[name].to_numpy() for name in settings.inputs)
        design = np.column_stack([current, -current * filling])
        scale = np.abs(design).max(axis=0)
        drop = table["dphi_V"].to_numpy()
        seen = table["i"].to_numpy() != table["i"].max() if table["i"].nunique() > 1 else np.ones(len(table), bool)
        (a, b), *_ = np.linalg.lstsq((design / scale)[seen], drop[seen], rcond=None)
        a, b = a / scale[0], b / scale[1]
        missed = drop - design @ [a, b]

        def r2(rows: np.ndarray) -> float:
            return float(1 - np.sum(missed[rows] ** 2) / np.sum((drop[rows] - drop[rows].mean()) ** 2))

        held_out = r2(~seen) if (~seen).any() else r2(seen)
        return Law.paper(float(a), float(b / a), metrics={"r2": r2(seen), "r2_held_out": held_out})


def judge(setting: Setting, folder: Path, searched: bool = False, claims: Sequence[str] = SAMPLED) -> dict[str, Any]:
    """Judge `claims` at `setting`, with the runs left in `folder`; JSON-able.

    Returns
    -------
    row : `setting`; `parts`, each with id, title, value, verdict, low and high
        (of its tolerance; None is an open end) and u (95 % half-width of the numerical error, or None); `failed`,
        claims that could not be judged, with the reason; `laws`, R_c in ohm m and gamma by width in nm; `steric`, the
        least share over the crossings of the charge that moves while the steric flux has migration's sign, by width
        in nm; `cpu_s`

    Raises
    ------
    BadInput : ions that do not fit, singly or together
    StageFailed : the equations could not be solved
    """
    began = time.process_time()
    row: dict[str, Any] = {"setting": setting.model_dump(mode="json"), "parts": [], "failed": {}}
    evidence = SettingEvidence(setting, folder, searched)
    widths = {d for identity in claims for need in CLAIMS[identity].needs for d in need.widths}
    runs = {d: evidence.cv(d) for d in sorted(widths)}
    row["laws"] = {f"{d * 1e9:g}": list(run.law) for d, run in runs.items()}
    row["steric"] = {f"{d * 1e9:g}": _steric(run) for d, run in runs.items()}
    for identity in claims:
        try:
            with np.errstate(invalid="ignore", divide="ignore"):
                verdict = CLAIMS[identity].verdict(CLAIMS[identity].judge(evidence))
        except (TransslitError, ArithmeticError, ValueError, IndexError) as error:
            row["failed"][identity] = traceback.format_exception_only(error)[-1].strip()
            continue
        for part in verdict.parts:
            kept = {name: getattr(part, name) for name in ("id", "title", "value", "verdict")}
            row["parts"].append(kept | {"low": part.limits[0], "high": part.limits[1], "u": part.u_numerical})
    row["cpu_s"] = time.process_time() - began
    return row


def _steric(run: Run) -> float:
    table = agreement(run)
    return float(table[table["part"] == "steric"]["charge"].min())
