"""The claims of the continuum at one setting: a pure function of it, by the claims' own functions.

A part is a number of a claim with its tolerance. Claims ask for numerical companions of their runs
(`validation.claims.uncertainty`) and for the equation search (C11, C27); both are run only if `searched`, which is how
a setting is confirmed. Otherwise the numbers have no uncertainty, and equation 1 is fitted in place of the search.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from continuum import ContinuumConfig, Run
from continuum.measures import agreement
from discovery import DiscoveryConfig, table_from_records
from studies.missing_methods.setting import Setting
from transslit import Law, load_electrolyte
from transslit.errors import TransslitError
from transslit.progress import Progress
from transslit.runs import RunFolder
from validation.claims import CLAIMS
from validation.claims.uncertainty import AS_SET, Evidence, Measure
from validation.presets import ClaimsConfig
from validation.verdicts.verdict import Measured

LEFT_OUT = {
    "C04": "about atoms",
    **dict.fromkeys(("C22", "C23", "C24", "C25"), "about a circuit whose elements the paper gives"),
    "C26": "the time that the continuum takes, which does not depend on the setting",
}
JUDGED = tuple(
    identity
    for identity, known in sorted(CLAIMS.items())
    if any(need.kind == "cv" for need in known.needs) and identity not in LEFT_OUT
)
# C20 and C21 simulate circuits too, and are judged at single settings.
SAMPLED_CLAIMS = tuple(identity for identity in JUDGED if identity not in ("C20", "C21"))
COARSER = "coarser mesh"  # the claims' numerical companion, whose cells are 1.5 times as long


class JudgedPart(BaseModel):
    """A number of a claim, its verdict and its tolerance from `low` to `high`; None is an open end.

    `u` is the 95 % half-width of the numerical error, or None.
    """

    id: str
    title: str
    value: float | None
    verdict: str = ""
    low: float | None = None
    high: float | None = None
    u: float | None = None


class JudgedSetting(BaseModel):
    """The claims at a setting.

    `laws` are R_c in ohm m and gamma by slit width in nm; `steric` is the least share over the crossings of the charge
    that moves while the steric flux has the sign of migration, by width in nm; `failed` gives the reason for each
    claim that could not be judged.
    """

    setting: Setting
    parts: list[JudgedPart]
    failed: dict[str, str]
    laws: dict[str, list[float]]
    steric: dict[str, float]
    cpu_s: float


class SettingEvidence(Evidence):
    """Evidence of one setting, with the numerical companions and the search only if `searched`."""

    def __init__(self, setting: Setting, folder: Path, searched: bool = False) -> None:
        salt = load_electrolyte("KCl")
        preset = "quick" if setting.preset == "coarse" else setting.preset
        config = ClaimsConfig(electrolyte=salt, concentration=1000.0, preset=preset)
        self.parameters, self.searched = setting, searched
        super().__init__(config, RunFolder(folder), Progress(quiet=True))

    def cv_config(self, d: float, variation: str = AS_SET, **drive: Any) -> ContinuumConfig:
        """The continuum CV of a slit width in m, at this setting."""
        if variation == AS_SET and self.parameters.preset == "coarse":
            variation = COARSER
        return self.parameters.applied(super().cv_config(d, variation, **drive))

    def variations(self, inputs: bool) -> list[str]:
        """None of the parameters that this sample varies."""
        return super().variations(False) if self.searched else [AS_SET]

    def measure(
        self, function: Measure, widths: Sequence[float], inputs: bool = True, **drive: Any
    ) -> dict[str, Measured]:
        """`function` of the runs at `widths`, with its numerical uncertainty only if `searched`."""
        if self.searched:
            return super().measure(function, widths, inputs=False, **drive)
        values = function({d: self.cv(d, **drive) for d in widths})
        return {name: Measured(value) for name, value in values.items()}

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
        fitted = table["i"].to_numpy() != table["i"].max() if table["i"].nunique() > 1 else np.ones(len(table), bool)
        (a, b), *_ = np.linalg.lstsq((design / scale)[fitted], drop[fitted], rcond=None)
        a, b = a / scale[0], b / scale[1]
        residual = drop - design @ [a, b]

        def r2(rows: np.ndarray) -> float:
            return float(1 - np.sum(residual[rows] ** 2) / np.sum((drop[rows] - drop[rows].mean()) ** 2))

        held_out = r2(~fitted) if (~fitted).any() else r2(fitted)
        return Law.paper(float(a), float(b / a), metrics={"r2": r2(fitted), "r2_held_out": held_out})


def judge(
    setting: Setting, folder: Path, searched: bool = False, claims: Sequence[str] = SAMPLED_CLAIMS
) -> JudgedSetting:
    """Judge `claims` at `setting`, with the runs left in `folder`.

    Raises
    ------
    BadInput : ions that do not fit, singly or together
    StageFailed : the equations could not be solved
    """
    began = time.process_time()
    evidence = SettingEvidence(setting, folder, searched)
    widths = {d for identity in claims for need in CLAIMS[identity].needs for d in need.widths}
    runs = {f"{d * 1e9:g}": evidence.cv(d) for d in sorted(widths)}
    laws = {width: list(run.law) for width, run in runs.items()}
    steric = {width: _steric_share(run) for width, run in runs.items()}
    parts: list[JudgedPart] = []
    failed = {}
    for identity in claims:
        try:
            with np.errstate(invalid="ignore", divide="ignore"):
                verdict = CLAIMS[identity].verdict(CLAIMS[identity].judge(evidence))
        except (TransslitError, ArithmeticError, ValueError, IndexError) as error:
            failed[identity] = traceback.format_exception_only(error)[-1].strip()
            continue
        for part in verdict.parts:
            fields = {name: getattr(part, name) for name in ("id", "title", "value", "verdict")}
            parts.append(JudgedPart(**fields, low=part.limits[0], high=part.limits[1], u=part.u_numerical))
    return JudgedSetting(
        setting=setting, parts=parts, failed=failed, laws=laws, steric=steric, cpu_s=time.process_time() - began
    )


def _steric_share(run: Run) -> float:
    table = agreement(run)
    return float(table[table["part"] == "steric"]["charge"].min())
