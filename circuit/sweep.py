"""Many circuits at once: every combination of some parameters' values, on all cores, as one tidy table.

Each row is one run, measured by `circuit.measures.summary`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from typing import Any

import pandas as pd

from circuit.config import CircuitConfig
from circuit.measures import summary
from circuit.simulate import simulate
from transslit.errors import BadInput
from transslit.law import Law
from transslit.progress import Progress

UNITS = {  # what may be swept, and how its column is called
    "layers": "layers",
    "resistance": "resistance_ohm",
    "gamma": "gamma",
    "slit_capacitance": "slit_capacitance_F",
    "open_resistance": "open_resistance_ohm",
    "open_capacitance": "open_capacitance_F",
    "charge_max": "charge_max_C",
    "scan_rate": "scan_rate_V_per_s",
    "window": "window_V",
}


def sweep(
    config: CircuitConfig,
    axes: Mapping[str, Sequence[float]],
    law: Law | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> pd.DataFrame:
    """Run `config` at every combination of the values of `axes` (SI, by name as in `UNITS`).

    Parameters
    ----------
    progress : where to show how many are done and the time left
    workers : processes; default: all cores that this one may use

    Returns
    -------
    table of one row per set, the last axis quickest: its parameters, `summary`, and `refused`, which holds what was
    wrong with a set that cannot be run (a resistance that reaches zero), and "" elsewhere

    Raises
    ------
    BadInput : a parameter that cannot be swept
    """
    for name in axes:
        if name not in UNITS or (name in ("scan_rate", "window") and not hasattr(config.drive, name)):
            raise BadInput("sweep", name, f"of a {config.drive.kind} drive, give one of {', '.join(UNITS)}")
    sets = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    workers = min(workers or len(os.sched_getaffinity(0)), len(sets))
    rows = []
    with (
        (progress or Progress(quiet=True)).task("circuits", total=len(sets)) as advance,
        ProcessPoolExecutor(workers) as pool,
    ):
        chunk = max(1, min(20, len(sets) // (4 * workers)))
        for row in pool.map(partial(_row, config, law), sets, chunksize=chunk):
            rows.append(row)
            advance(len(rows))
    table = pd.DataFrame(rows)
    first = [*(UNITS[name] for name in axes), "refused"]
    return table[[*first, *(name for name in table if name not in first)]]


def _row(config: CircuitConfig, law: Law | None, parameters: Mapping[str, float]) -> dict[str, Any]:
    row: dict[str, Any] = {UNITS[name]: value for name, value in parameters.items()}
    try:
        return {**row, "refused": "", **summary(simulate(_changed(config, parameters), law))}
    except BadInput as refusal:
        return {**row, "refused": str(refusal)}


def _changed(config: CircuitConfig, parameters: Mapping[str, float]) -> CircuitConfig:
    changes: dict[str, Any] = dict(parameters)
    drive = {name: changes.pop(name) for name in ("scan_rate", "window") if name in changes}
    if "layers" in changes:
        changes["layers"] = round(changes["layers"])
    if drive:
        changes["drive"] = {**config.drive.model_dump(), **drive}
    return CircuitConfig.read(**{**config.model_dump(), **changes})
