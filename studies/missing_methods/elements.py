"""The circuit's elements over slit width, concentration, window and scan rate: the runs behind `circuit.surrogate`.

One voltammogram of the default network each, reduced by `continuum.extract`; the design fills the logarithms of the
four evenly (scrambled Sobol points); a second one, of another seed, is held out of the fit and measures its error.
"""

from __future__ import annotations

import time
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from scipy.optimize import curve_fit
from scipy.special import expit
from scipy.stats import qmc

from circuit.surrogate import ELEMENTS, Surrogate
from continuum import ContinuumConfig, extract, run
from studies.missing_methods.figures import draw_gamma
from transslit import SlitNetwork, TriangularCV, load_electrolyte
from transslit.config import Config
from transslit.errors import TransslitError
from transslit.progress import Progress
from transslit.resampling import STANDARD_ERRORS
from transslit.runs import Results, versions
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
STEEP = 0.95  # gamma above which equation 1 no longer describes a run (R2 below 0.95)
Row = dict[str, float | str]  # of the table of runs


class Operation(Config):
    """Slit width, concentration and voltammetry; the network is the default one otherwise."""

    slit: Length
    concentration: Concentration = 1000.0
    window: Voltage = 0.4
    scan_rate: ScanRate = 2e4

    @property
    def continuum(self) -> ContinuumConfig:
        """The voltammogram, with the time steps of the quick claims."""
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
    sample = qmc.Sobol(len(DOMAIN), scramble=True, rng=np.random.default_rng(seed)).random(count)
    low, high = np.log(list(DOMAIN.values())).T
    values = np.exp(low + (high - low) * sample)
    return [Operation(**{name: float(f"{v:.5g}") for name, v in zip(DOMAIN, row, strict=True)}) for row in values]


def measure(operation: Operation, folder: Path) -> Row:
    """The elements of one operation, per metre of depth in SI.

    Returns
    -------
    row : the operation's fields; `ELEMENTS`; `r_squared`, the smallest of the crossings' fits of equation 1; `error`,
        the reason if there are none, or ""; `cpu_s`
    """
    began = time.process_time()
    row: Row = {**operation.model_dump(), "error": ""}
    try:
        ladder = extract(run(operation.continuum, folder, Progress(quiet=True)))
        row |= {name: float(getattr(ladder, name)) for name in ELEMENTS} | {"r_squared": min(ladder.r_squared)}
    except TransslitError as error:
        row["error"] = str(error)
    return row | {"cpu_s": time.process_time() - began}


def fit_elements(
    folder: Path, pool: Executor, progress: Progress, count: int = 128, held_out: int = 32
) -> dict[str, str | float | dict[str, float]]:
    """Run both designs in `folder`, with finished runs reused, and write elements.json there; a summary.

    The file is the content of `circuit/elements.json`.
    """
    (folder / "points").mkdir(parents=True, exist_ok=True)
    designs = design(count, 1), design(held_out, 2)
    operations = [operation for part in designs for operation in part]
    rows: dict[Operation, Row] = {}
    with progress.task("Elements", len(operations)) as advance:
        measured = pool.map(partial(_stored, folder.resolve()), operations)
        for operation, row in zip(operations, measured, strict=True):
            rows[operation] = row
            advance(len(rows))
    runs, unseen = (pd.DataFrame([rows[operation] for operation in part]) for part in designs)
    surrogate = fit(runs, unseen)
    surrogate.write(folder / "elements.json")
    draw_gamma(surrogate).savefig(folder / "methods-gamma.png", dpi=150)
    return {
        "out": str(folder / "elements.json"),
        "failed": sum(bool(row["error"]) for row in rows.values()),
        "held out": dict(surrogate.held_out),
        "gamma / (1 - gamma)": power_law(runs, unseen),
    }


def power_law(runs: pd.DataFrame, held_out: pd.DataFrame) -> dict[str, float]:
    """gamma / (1 - gamma) as a product of powers, by least squares in gamma.

    Returns
    -------
    numbers : `at` `REFERENCE`, the power of each input, each with its 95 % half-width (`_u95`), and the root mean
        square residual of gamma, in the runs (`rms`) and in those held out of the fit (`rms_kept`)
    """
    runs, held_out = (table[(table["error"] == "") & (table["gamma"] < STEEP)] for table in (runs, held_out))
    reference = np.array([REFERENCE[name] for name in DOMAIN])

    def model(inputs: np.ndarray, *constants: float) -> np.ndarray:
        return expit(constants[0] + np.log(inputs / reference) @ np.array(constants[1:]))

    inputs, gamma = runs[list(DOMAIN)].to_numpy(float), runs["gamma"].to_numpy(float)
    constants, covariance = curve_fit(model, inputs, gamma, np.zeros(5))

    def rms(table: pd.DataFrame) -> float:
        residual = model(table[list(DOMAIN)].to_numpy(float), *constants) - table["gamma"].to_numpy(float)
        return float(np.sqrt(np.mean(residual**2)))

    half = STANDARD_ERRORS * np.sqrt(np.diag(covariance))
    numbers = {"at": float(np.exp(constants[0])), "at_u95": float(np.exp(constants[0]) * half[0])}
    for name, power, u in zip(DOMAIN, constants[1:], half[1:], strict=True):
        numbers |= {name: float(power), f"{name}_u95": float(u)}
    return numbers | {"rms": rms(runs), "rms_kept": rms(held_out)}


def _stored(folder: Path, operation: Operation) -> Row:
    """The row of one operation from `folder`, measured if it is not there."""
    results = Results(folder / "points", Row, "elements")
    key = operation.digest[:16]
    row = results.read(key)
    if row is None:
        with TemporaryDirectory(dir=folder) as run_folder:
            row = measure(operation, Path(run_folder) / "run")
        results.write(key, row)
    return row


def fit(runs: pd.DataFrame, held_out: pd.DataFrame) -> Surrogate:
    """The surrogate through `runs`, with its errors at `held_out`; rows as of `measure`, failed ones left out."""
    runs, held_out = (table[table["error"] == ""] for table in (runs, held_out))
    held_out = held_out[held_out["gamma"] < STEEP]
    provenance = {
        "made by": "python -m studies.missing_methods --elements",
        "what": "default network, KCl, first cycle from rest, continuum.extract",
        "runs": len(runs),
        "kept from the fit": len(held_out),
        "versions": versions(),
    }
    inputs = runs[list(DOMAIN)].to_numpy(float)
    surrogate = Surrogate(DOMAIN, inputs, runs[list(ELEMENTS)].to_numpy(float), None, {}, provenance)
    predicted = pd.DataFrame([surrogate.at(*row)[0] for row in held_out[list(DOMAIN)].to_numpy(float)])
    truth = held_out[list(ELEMENTS)].reset_index(drop=True)
    error = (predicted - truth) / truth.assign(gamma=1.0)
    rms = np.sqrt((error**2).mean())
    return replace(surrogate, held_out={name: float(f"{value:.3g}") for name, value in rms.items()})
