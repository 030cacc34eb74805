"""Claims on the circuit of the continuum's own network: every element from its record at d = 1.5 nm."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd

from circuit import CircuitConfig, simulate
from circuit.measures import cv_distance, last_cycle
from circuit.prescribed import prescribed_line
from continuum import Run
from transslit import TriangularCV
from transslit.plot import Axis, plot
from validation.checks.circuit_cv import cell_voltammogram
from validation.claims.circuits import V_M, grows
from validation.claims.registry import Finding, claim
from validation.claims.uncertainty import Evidence, Need
from validation.simulations.circuit import extracted_circuit
from validation.verdicts.verdict import part

WIDTH = 1.5e-9
FAST: dict[str, Any] = {"scan_rate": 4e5}  # V/s: twenty times the paper's, where a constant resistance is 5 % off
LAYERS, RATES = (6, 10, 20, 50), {"4 mV/us": 4e3, "20 mV/us": 2e4}
MINUTE, DAY = 60.0, 86400.0  # s


def circuit_of(
    run: Run, voltage_dependent: bool = True, drive: TriangularCV | None = None, **changes: Any
) -> CircuitConfig:
    """The circuit of a run, every element from its record; `voltage_dependent` lets capacitors follow the voltage."""
    return extracted_circuit(run.raw, drive or run.config.drive, run.ladder, voltage_dependent, **changes)


def _curves(run: Run) -> dict[str, pd.DataFrame]:
    config = circuit_of(run)
    tlm = config.model_copy(update={"model": "tlm"})
    return {"NCM": simulate(config).terminal, "TLM": simulate(tlm).terminal, "mPNP": cell_voltammogram(run.record)}


def _distances(run: Run) -> dict[str, float]:
    curves = _curves(run)
    ncm, tlm = (cv_distance(curves[name], curves["mPNP"]) for name in ("NCM", "TLM"))
    return {"ncm": ncm, "tlm": tlm, "ratio": ncm / tlm}


def _sources_of_charge(run: Run) -> dict[str, float]:
    """Distance of the CVs whose R follows the charges of mPNP, or of the TLM, from the one that follows its own."""
    config = circuit_of(run, voltage_dependent=False)
    own = simulate(config).terminal
    slits = run.record.slits.pivot_table(index="time_s", columns="i", values="Q_C_per_m").abs()
    line = simulate(config.model_copy(update={"model": "tlm"})).slits
    line = line.pivot_table(index="time_s", columns="slit", values="q_C").abs()
    result = {}
    for name, charge in (("mPNP", slits), ("TLM", line)):
        current = prescribed_line(config, own["time_s"].to_numpy(), charge)
        result[name] = float(np.sqrt(np.mean((current - own["I_m_A"]) ** 2)) / own["I_m_A"].abs().max())
    return result


@claim(
    "C20",
    figure="4c, ED11d",
    see=(
        "The circuit (NCM) and the continuum (mPNP) lie on one another; the line with constant resistance (TLM) "
        "leaves them as the scan gets fast."
    ),
    needs=[Need("cv", (WIDTH,)), Need("cv", (WIDTH,), drive=tuple(FAST.items()))],
    draw=plot(V_M, Axis("I_m_A", "$I_m$ / mA m$^{-1}$", 1e3), hue="model", panel="rate", marks="-", free=True),
)
def against_continuum(evidence: Evidence) -> Finding:
    """The nano-circuitry model's voltammogram is the continuum's, whichever charges set its resistance.

    Root mean square over the cycle of the difference in I_m, over the largest, for 6 layers at 1.5 nm and 20 mV/us, and
    at 400 mV/us, where the transmission line (constant resistance) is off and the comparison can tell the two apart.
    And the distance of the CVs whose resistance follows the charges of mPNP, or of the TLM, from that which follows its
    own.
    """
    slow = evidence.at(_distances, WIDTH, inputs=False)
    fast = evidence.at(_distances, WIDTH, inputs=False, **FAST)
    source = evidence.at(_sources_of_charge, WIDTH, inputs=False)
    close, same = "3 %: curves that meet in a figure", "1 %: identical in a figure"
    off = f"{close}; the TLM is off by {slow['tlm'].value:.1%} at the paper's rate"
    halved = "the varying resistance halves it"
    parts = (
        part("Distance from mPNP at 20 mV/us", slow["ncm"], high=0.03, reason=off),
        part("Distance from mPNP at 400 mV/us", fast["ncm"], high=0.03, reason=close),
        part("Distance of the TLM at 400 mV/us", fast["tlm"], low=0.05, reason="else the comparison proves nothing"),
        part("Distance over the TLM's at 400 mV/us", fast["ratio"], high=0.5, reason=halved),
        part("Change of the CV with Q from mPNP", source["mPNP"], high=0.01, reason=same),
        part("Change of the CV with Q from the TLM", source["TLM"], high=0.01, reason=same),
    )
    tables = [
        curve[["V_m_V", "I_m_A"]].assign(model=name, rate=rate)
        for rate, run in (("20 mV/us", evidence.cv(WIDTH)), ("400 mV/us", evidence.cv(WIDTH, **FAST)))
        for name, curve in _curves(run).items()
    ]
    return Finding(parts, evidence.setting("d = 1.5 nm, 6 layers"), pd.concat(tables, ignore_index=True))


@claim(
    "C21",
    figure="ED12",
    see=(
        "Both lines rise with the number of layers, the faster scan's above the slower's, up to where the last "
        "slits are no longer reached."
    ),
    needs=[Need("cv", (WIDTH,))],
    draw=plot(Axis("layers", "layers"), Axis("distance", "distance of NCM from TLM"), hue="rate"),
)
def departure(evidence: Evidence) -> Finding:
    """The nano-circuitry model departs from the transmission line the more, the more layers and the faster the scan.

    Distance of the two voltammograms (second cycle, as in the paper) for 6, 10, 20 and 50 layers at 4 and 20 mV/us,
    with gamma = 0.9 and the elements of the continuum at 1.5 nm: the least gain from one number of layers to the next,
    and from the slow scan to the fast.
    """
    run = evidence.cv(WIDTH)
    rows = []
    for layers in LAYERS:
        for name, rate in RATES.items():
            drive = TriangularCV(scan_rate=rate, cycles=2)
            ncm = circuit_of(run, voltage_dependent=False, layers=layers, gamma=0.9, drive=drive)
            tlm = ncm.model_copy(update={"model": "tlm"})
            rows.append((layers, name, cv_distance(last_cycle(ncm), last_cycle(tlm))))
    table = pd.DataFrame(rows, columns=["layers", "rate", "distance"])
    wide = table.pivot_table(index="layers", columns="rate", values="distance")
    gains, faster = wide.diff().iloc[1:].min(), wide["20 mV/us"] - wide["4 mV/us"]
    others = f"{faster[20]:.3f} for 20 layers, {faster[50]:.3f} for 50, where a sweep no longer reaches the last slit"
    compared = f"as the paper's figure compares; {others}"
    parts = [
        *(grows(f"Least gain by layers at {name}", gains[name]) for name in RATES),
        *(grows(f"Gain by scan rate, {layers} layers", faster[layers], compared) for layers in (6, 10)),
    ]
    return Finding(parts, evidence.setting("elements of d = 1.5 nm, gamma = 0.9"), table)


@claim(
    "C26",
    figure="text",
    see="The one point of mPNP against the lines of the circuits, on a logarithmic scale.",
    needs=[Need("cv", (WIDTH,))],
    draw=plot(Axis("layers", "layers"), Axis("cpu_s", "processor time / s", log=True), hue="what"),
)
def cost(evidence: Evidence) -> Finding:
    """The nano-circuitry model takes within a minute what mPNP takes days or weeks for.

    Times of one processor, which a busy machine does not stretch, measured here: NCM and TLM of 6 to 50 layers, two
    cycles; the continuum's CV of 6 layers at 1.5 nm. The equations solved are the paper's; an implicit Newton on some
    four thousand cells needs no days.
    """
    run = evidence.cv(WIDTH)
    continuum = float(run.manifest["cpu_s"])
    rows = [("mPNP", run.config.network.layers, continuum)]
    for layers in LAYERS:
        for model in ("ncm", "tlm"):
            config = circuit_of(run, voltage_dependent=False, layers=layers, model=model, drive=TriangularCV(cycles=2))
            began = time.process_time()
            simulate(config)
            rows.append((model.upper(), layers, time.process_time() - began))
    table = pd.DataFrame(rows, columns=["what", "layers", "cpu_s"])
    slowest = float(table.loc[table["what"] != "mPNP", "cpu_s"].max())
    same = float(table.loc[(table["what"] == "NCM") & (table["layers"] == run.config.network.layers), "cpu_s"].iloc[0])
    parts = (
        part("Time of the circuit", slowest, high=MINUTE, unit="s", reason="'within a minute', 50 layers"),
        part("Time of mPNP", continuum, low=DAY, unit="s", reason="'days or weeks': a day at least"),
        part("mPNP over the circuit", continuum / same, low=10.0, reason="the point of the claim: ten times"),
    )
    return Finding(parts, evidence.setting("d = 1.5 nm, this machine"), table)
