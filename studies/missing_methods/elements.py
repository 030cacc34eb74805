"""The circuit's elements over slit width, concentration, window and scan rate: the runs behind `circuit.surrogate`.

One voltammogram of the default network each, reduced by `continuum.extract`; the design fills the logarithms of the
four evenly (scrambled Sobol points), and a second one, of another seed, is kept to judge the fit by.
"""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import curve_fit
from scipy.special import expit
from scipy.stats import qmc

from circuit.surrogate import ELEMENTS, Surrogate
from continuum import ContinuumConfig, extract, run
from studies.missing_methods.figures import gamma_of
from transslit import SlitNetwork, TriangularCV, load_electrolyte
from transslit.config import Config
from transslit.errors import TransslitError
from transslit.files import read_object, write_json
from transslit.progress import Progress
from transslit.runs import versions
from transslit.units import Concentration, Length, ScanRate, Voltage
from validation.claims.uncertainty import STEP

# Low, high; SI. V_m throughout.
DOMAIN = {
    "slit": (1e-9, 5e-9),
    "concentration": (100.0, 2000.0),
    "window": (0.1, 0.8),
    "scan_rate": (2e3, 2e5),
}


REFERENCE = {"slit": 2e-9, "concentration": 1e3, "window": 0.4, "scan_rate": 2e4}
STEEP = 0.95  # gamma, above which equation 1 describes a run no longer (R2 below 0.95)


class Operation(Config):
    """A slit width and how it is operated; the network is the default one otherwise."""

    slit: Length
    concentration: Concentration = 1000.0
    window: Voltage = 0.4
    scan_rate: ScanRate = 2e4

    @property
    def continuum(self) -> ContinuumConfig:
        """Its voltammogram, with the time steps of the quick claims."""
        return ContinuumConfig(
            network=SlitNetwork(slit=self.slit),
            electrolyte=load_electrolyte("KCl"),
            concentration=self.concentration,
            drive=TriangularCV(window=self.window, scan_rate=self.scan_rate),
            stepping="adaptive",
            scheme="bdf2",
            step_tolerance=STEP,
        )


def design(count: int, seed: int) -> list[Operation]:
    """`count` (a power of two) operations that fill the domain."""
    places = qmc.Sobol(len(DOMAIN), scramble=True, rng=np.random.default_rng(seed)).random(count)
    low, high = np.log(list(DOMAIN.values())).T
    values = np.exp(low + (high - low) * places)
    return [Operation(**{name: float(f"{v:.5g}") for name, v in zip(DOMAIN, row, strict=True)}) for row in values]


def measure(operation: Operation, folder: Path) -> dict[str, Any]:
    """The elements of one operation, per metre of depth in SI; JSON-able.

    Returns
    -------
    row : the operation's fields; `ELEMENTS`; `r_squared`, the least of the crossings' fits of equation 1; `error`, why
        there are none, or ""; `cpu_s`
    """
    began = time.process_time()
    row: dict[str, Any] = {**operation.model_dump(), "error": ""}
    try:
        ladder = extract(run(operation.continuum, folder, Progress(quiet=True)))
        row |= {name: float(getattr(ladder, name)) for name in ELEMENTS} | {"r_squared": min(ladder.r_squared)}
    except TransslitError as error:
        row["error"] = str(error)
    return row | {"cpu_s": time.process_time() - began}


def remake(
    folder: Path, pool: Executor, count: int = 128, kept: int = 32, progress: Progress | None = None
) -> dict[str, Any]:
    """Run the design and the voltammograms kept from it in `folder`, resuming, and leave elements.json there.

    It is the content of `circuit/elements.json`.
    """
    (folder / "points").mkdir(parents=True, exist_ok=True)
    designs = {"fit": design(count, 1), "kept": design(kept, 2)}
    operations = [operation for some in designs.values() for operation in some]
    rows: dict[Operation, dict[str, Any]] = {}
    with (progress or Progress(quiet=True)).task("Elements", len(operations)) as advance:
        found = pool.map(partial(_point, folder.resolve()), operations)
        for operation, row in zip(operations, found, strict=True):
            rows[operation] = row
            advance(len(rows))
    tables = [pd.DataFrame([rows[one] for one in some]) for some in designs.values()]
    surrogate = fitted(*tables)
    surrogate.write(folder / "elements.json")
    gamma_of(surrogate).savefig(folder / "methods-gamma.png", dpi=150)
    return {
        "out": str(folder / "elements.json"),
        "failed": sum(bool(row["error"]) for row in rows.values()),
        "held out": dict(surrogate.held_out),
        "gamma / (1 - gamma)": power_law(*tables),
    }


def power_law(runs: pd.DataFrame, kept: pd.DataFrame) -> dict[str, float]:
    """gamma / (1 - gamma) as a product of powers, by least squares in gamma; what the fit of `fitted` comes to.

    Returns
    -------
    numbers : `at` `REFERENCE`, the power of each input, each with its 95 % half-width (`_u95`), and the root mean
        square of what it misses gamma by, in the runs (`rms`) and in those kept from the fit (`rms_kept`)
    """
    runs, kept = (table[(table["error"] == "") & (table["gamma"] < STEEP)] for table in (runs, kept))
    reference = np.array([REFERENCE[name] for name in DOMAIN])

    def model(inputs: np.ndarray, *constants: float) -> np.ndarray:
        return expit(constants[0] + np.log(inputs / reference) @ np.array(constants[1:]))

    def missed(table: pd.DataFrame) -> float:
        gamma = table["gamma"].to_numpy(float)
        return float(np.sqrt(np.mean((model(table[list(DOMAIN)].to_numpy(float), *found) - gamma) ** 2)))

    found, covariance = curve_fit(model, runs[list(DOMAIN)].to_numpy(float), runs["gamma"].to_numpy(float), np.zeros(5))
    half = 1.96 * np.sqrt(np.diag(covariance))
    numbers = {"at": float(np.exp(found[0])), "at_u95": float(np.exp(found[0]) * half[0])}
    for name, power, u in zip(DOMAIN, found[1:], half[1:], strict=True):
        numbers |= {name: float(power), f"{name}_u95": float(u)}
    return numbers | {"rms": missed(runs), "rms_kept": missed(kept)}


def _point(folder: Path, operation: Operation) -> dict[str, Any]:
    path = folder / "points" / f"{operation.digest[:16]}.json"
    row = read_object(path, "out")
    if not row:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            row = measure(operation, Path(place) / "run")
        write_json(path, row)
    return dict(row)


def fitted(runs: pd.DataFrame, kept: pd.DataFrame) -> Surrogate:
    """The surrogate through `runs`, and its errors at `kept`; rows as of `measure`, failed ones left out."""
    runs, kept = (table[table["error"] == ""] for table in (runs, kept))
    kept = kept[kept["gamma"] < STEEP]
    provenance = {
        "made by": "transslit methods --elements",
        "what": "default network, KCl, first cycle from rest, continuum.extract",
        "runs": len(runs),
        "kept from the fit": len(kept),
        "versions": versions(),
    }
    inputs = runs[list(DOMAIN)].to_numpy(float)
    found = Surrogate(DOMAIN, inputs, runs[list(ELEMENTS)].to_numpy(float), None, {}, provenance)
    predicted = pd.DataFrame([found.at(*row)[0] for row in kept[list(DOMAIN)].to_numpy(float)])
    truth = kept[list(ELEMENTS)].reset_index(drop=True)
    error = (predicted - truth) / truth.assign(gamma=1.0)
    held_out = np.sqrt((error**2).mean())
    return replace(found, held_out={name: float(f"{value:.3g}") for name, value in held_out.items()})
