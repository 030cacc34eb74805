"""One record against another that was driven alike: the filling of each slit, or the voltammogram.

The comparison of molecular dynamics with the matched continuum run (same geometry, same charge step, same ion numbers)
is one of two models: a disagreement says where the continuum fails at this slit, not that either code is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from transslit import TransSlitRecord
from transslit.resampling import LINEAR, POSITIVE, Scale
from transslit.series import Series, as_table, final_level, first_passage, layout, same_level, series, stored
from transslit.units import show
from validation.verdicts.verdict import Estimate, Verdict, judge

Statistic = Callable[[np.ndarray, np.ndarray], float]  # of times and values
ALIKE = 0.01  # relative difference of a charge, window or rate up to which two drives are the same
SAME = {  # kinds of quantity in which two drives must be the same, and of a potential step too
    "kind": "", "sigma": "surface charge", "ramp": "time", "voltage": "voltage", "window": "voltage",
    "scan_rate": "scan rate", "smoothing": "", "current": "current per depth", "upper": "voltage", "lower": "voltage",
}  # fmt: skip
STEP = {"duration": "time", "rest": "time"}
STATE = {"temperature_K": "temperature", "concentration_mol_per_m3": "concentration"}
NAMES = {"md": "atoms", "continuum": "continuum"}


class Pairing(NamedTuple):
    """Two records, what each is called, and the setting in words."""

    first: TransSlitRecord
    second: TransSlitRecord
    names: tuple[str, str]
    setting: str

    @property
    def words(self) -> str:
        """Which over which."""
        return f"{self.names[0]} over {self.names[1]}"

    def evidence(self, column: str, first: Series, second: Series) -> pd.DataFrame:
        """One quantity of both records, told apart by `source`."""
        tables = [
            as_table(**{column: data}).assign(source=name)
            for name, data in zip(self.names, (first, second), strict=True)
        ]
        return pd.concat(tables, ignore_index=True)

    def ratio(self, first: Series, second: Series, statistic: Statistic) -> Estimate:
        """A statistic of the first over that of the second."""
        return self._estimate(lambda a, b: statistic(first.time, a) / statistic(second.time, b), first, second)

    def passage(self, first: Series, second: Series) -> Estimate:
        """Time in which the first reaches a level that both reach (`series.same_level`) over that of the second."""

        def ratio(a: np.ndarray, b: np.ndarray) -> float:
            level = same_level((first.time, a), (second.time, b))
            return first_passage(first.time, a, level) / first_passage(second.time, b, level)

        return self._estimate(ratio, first, second)

    def misfit(self, first: Series, second: Series, scale: float) -> Estimate:
        """RMS difference of the two courses at the first's times as far as the second goes, over `scale`."""
        both = first.time <= second.time[-1] * (1 + 1e-9)

        def rms(a: np.ndarray, b: np.ndarray) -> float:
            difference = a[both] - np.interp(first.time[both], second.time, b)
            return float(np.sqrt(np.mean(difference**2)) / abs(scale))

        return self._estimate(rms, first, second, POSITIVE)

    def _estimate(
        self, value: Callable[[np.ndarray, np.ndarray], float], first: Series, second: Series, scale: Scale = LINEAR
    ) -> Estimate:
        """`value` of both means; a continuum run is exact, and the intervals of two samples add in quadrature."""
        result = Estimate.exact(value(first.mean, second.mean))
        parts = (
            (self.first, first, lambda mean: value(mean, second.mean)),
            (self.second, second, lambda mean: value(first.mean, mean)),
        )
        for record, data, of in parts:
            if record.metadata["source"] != "continuum":
                result = result.joined(Estimate.of(of, data.blocks, layout=data.layout, scale=scale))
        return result


def named(first: TransSlitRecord, second: TransSlitRecord) -> tuple[str, str]:
    """What two records are called: by their sources where these differ."""
    names = [NAMES.get(record.metadata["source"], record.metadata["source"]) for record in (first, second)]
    return (names[0], names[1]) if names[0] != names[1] else ("first", "second")


def unlike(first: TransSlitRecord, second: TransSlitRecord) -> str:
    """Why two records cannot be compared, in words; empty where they can."""
    about = [first.metadata, second.metadata]
    drives = [each.get("drive", {}) for each in about]
    steps = STEP if drives[0].get("kind") == "potential-step" else {}
    if found := _differs(drives, SAME | steps):
        return f"they are driven differently ({found})"
    if first.metadata["electrolyte"] != second.metadata["electrolyte"]:
        return f"their electrolytes differ ({first.metadata['electrolyte']} and {second.metadata['electrolyte']})"
    if found := _differs([each.get("network") or {} for each in about], {"slit": "length"}, known=True):
        return f"their networks differ ({found})"
    # That of atoms holds after charging, that of a closed continuum cell before.
    if about[0]["source"] == about[1]["source"] and (found := _differs(about, STATE, known=True)):
        return f"their electrolytes differ ({found})"
    if not set(first.slits["i"]) & set(second.slits["i"]):
        return "they have no slit in common"
    return ""


def _differs(pair: Sequence[Mapping[str, Any]], kinds: Mapping[str, str], known: bool = False) -> str:
    """The first quantity that is not `ALIKE` in two mappings, with its values; with `known`, of those in both."""
    for name, kind in kinds.items():
        values = [each.get(name) for each in pair]
        numbers = [value for value in values if isinstance(value, int | float)]
        alike = values[0] == values[1] or (len(numbers) == 2 and math.isclose(*numbers, rel_tol=ALIKE))
        if not alike and not (known and None in values):
            texts = (show(value, kind) if kind and value in numbers else str(value or "none") for value in values)
            return f"{name.split('_mol')[0].removesuffix('_K').replace('_', ' ')} {' and '.join(texts)}"
    return ""


def against(first: TransSlitRecord, second: TransSlitRecord, setting: str) -> list[Verdict]:
    """Verdicts on the slits that both records have; they must be alike (`unlike`)."""
    pairing = Pairing(first, second, named(first, second), setting)
    swept = "scan_rate" in first.metadata.get("drive", {})
    both = set(first.slits["i"]) & set(second.slits["i"])
    verdicts = _voltammogram(pairing) if swept and both == set(first.slits["i"]) | set(second.slits["i"]) else []
    for i in sorted(both):
        verdicts += _course(pairing, int(i), swept) + ([] if swept else _levels(pairing, int(i)))
    return verdicts


def _together(first: Series, second: Series) -> tuple[Series, Series]:
    """Both over the time that both have: a run that has not arrived has no final level of its own."""
    end = float(min(first.time[-1], second.time[-1]))
    return first.until(end), second.until(end)


def _course(pairing: Pairing, i: int, swept: bool) -> list[Verdict]:
    first, second = _together(*(stored(record, i) for record in pairing[:2]))
    scale = float(np.abs(second.mean).max()) if swept else final_level(second.time, second.mean)
    return [
        judge(
            f"against.{i}.course",
            f"Filling of the slit over time, {pairing.names[0]} against {pairing.names[1]}",
            pairing.misfit(first, second, scale),
            high=0.03 if swept else 0.2,
            reason="RMS difference over the largest charge; 3 %: curves that coincide in a figure"
            if swept
            else "RMS difference over the charge when the shorter run ends; 20 % is one ion in a slit of five",
            setting=f"{pairing.setting}, slit {i}, both electrodes",
            evidence=pairing.evidence("stored_C_per_m", first, second),
        )
    ]


def _levels(pairing: Pairing, i: int) -> list[Verdict]:
    """Rise time, charge and concentration over the time that both have; both electrodes pooled."""
    where = f"{pairing.setting}, slit {i}, both electrodes"
    first, second = _together(*(stored(record, i) for record in pairing[:2]))
    held, content = _together(
        *(series(record, "c_mol_per_m3", i, "both", signed=False).after(0.0) for record in pairing[:2])
    )
    then = f"{show(float(first.time[-1]), 'time')} after the onset"
    filling = pairing.evidence("stored_C_per_m", first, second)
    return [
        judge(
            f"against.{i}.t63",
            f"Time in which the slit fills to one level, {pairing.words}",
            pairing.passage(first, second),
            low=0.5,
            high=2.0,
            reason="63 % of the lower of both charges when the shorter run ends; within a factor of two",
            setting=where,
            evidence=filling,
        ),
        judge(
            f"against.{i}.charge",
            f"Ionic charge {then}, {pairing.words}",
            pairing.ratio(first, second, final_level),
            low=0.9,
            high=1.1,
            reason="over the last quarter of the time; 10 % is what the choice of a slit's boundary can shift",
            setting=where,
            evidence=filling,
        ),
        judge(
            f"against.{i}.content",
            f"Ion concentration {then}, {pairing.words}",
            pairing.ratio(held, content, final_level),
            low=0.8,
            high=1.25,
            reason="co-ions left in the slit decide; a quarter is one co-ion in a slit of some four counter-ions",
            setting=where,
            evidence=pairing.evidence("c_mol_per_m3", held, content),
        ),
    ]


def _voltammogram(pairing: Pairing) -> list[Verdict]:
    """Distance of the terminal currents at equal times."""
    first, second = (_terminal(record) for record in pairing[:2])
    scale = float(np.abs(second.mean).max())
    return [
        judge(
            "against.current",
            f"Terminal current, {pairing.names[0]} against {pairing.names[1]}",
            pairing.misfit(first, second, scale),
            high=0.03,
            reason="RMS difference over the largest current; 3 %: curves that coincide in a figure",
            setting=pairing.setting,
            evidence=pairing.evidence("I_m_A_per_m", first, second),
        )
    ]


def _terminal(record: TransSlitRecord) -> Series:
    """I_m of the positive electrode's half-cells."""
    known = record.metadata.get("half_cells", {})
    table = record.terminal.pivot_table(index="replica", columns="time_s", values="I_m_A_per_m")
    wanted = [
        label for label in table.index if known.get(str(label), {"electrode": "positive"})["electrode"] == "positive"
    ]
    return Series(table.columns.to_numpy(dtype=float), table.loc[wanted].to_numpy(), *layout(record, wanted)).after(0.0)
