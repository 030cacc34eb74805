"""Measures of a cyclic voltammogram: of a terminal table (`time_s`, `V_m_V`, `I_m_A`) of one cycle.

With I_up(v) and I_down(v) the current on the two sweeps, v = V_m / window in [0, 1]:

    area           closed integral of I_m dV_m, in W
    asymmetry      rms of I_up(v) + I_down(1 - v), over the rms of I_m
    peak / plateau largest I_up over the mean of I_up at 0.4 < v < 0.6
    distance       rms of the difference of two currents at equal times, over the largest |I_m| of the second

A linear network (TLM) that has forgotten its start obeys I(t + half a period) = -I(t), so that its asymmetry is zero
whatever its resistances: only the start and a charge-dependent resistance make it differ. `settled_cycle` is free of
the start. Source: the paper's Fig. 4d-e and Extended Data Figs. 12 and 13.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from circuit.config import CircuitConfig
from circuit.result import CircuitResult
from circuit.simulate import at_rest, prepare, simulate
from transslit.drive import ConstantPower, Galvanostatic, PotentialStep, TriangularCV
from transslit.errors import BadInput
from transslit.law import Law

PHASES = (np.arange(2000) + 0.5) / 2000  # of one sweep; midpoints, so that means are integrals to second order
ROUND_OFF = 1e-6  # of the reference's duration, by which its times may lie outside those of the other table


def one_cycle(terminal: pd.DataFrame, config: CircuitConfig, cycle: int = -1) -> pd.DataFrame:
    """Rows of one cycle, both ends included; `cycle` counts from 0, or back from the last with -1.

    Raises
    ------
    BadInput : there is no such cycle
    """
    if not isinstance(config.drive, TriangularCV):
        raise BadInput("drive", config.drive.kind, "only a cyclic voltammetry has cycles")
    count = config.drive.cycles
    if not -count <= cycle < count:
        raise BadInput("cycle", cycle, f"the run has {count}, counted from 0")
    period = 2 * config.drive.half_period
    time = terminal["time_s"].to_numpy() - (cycle % count) * period
    slack = 1e-9 * period
    return terminal[(time >= -slack) & (time <= period + slack)].reset_index(drop=True)


def sweeps(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """I_up and I_down in A at equal times from the start of their sweep, each of the shape of `PHASES`.

    The corner is where |V_m| is largest.
    """
    time, current = table["time_s"].to_numpy(), table["I_m_A"].to_numpy()
    corner = int(np.argmax(np.abs(table["V_m_V"].to_numpy())))
    if not 0 < corner < len(time) - 1:
        raise BadInput("terminal table", f"{len(time)} rows", "needs one cycle: a sweep away from 0 V and one back")
    up = np.interp(time[0] + PHASES * (time[corner] - time[0]), time, current)
    down = np.interp(time[corner] + PHASES * (time[-1] - time[corner]), time, current)
    return up, down


def cv_area(table: pd.DataFrame) -> float:
    """Closed integral of I_m dV_m over one cycle, in W (or W/m); positive for any passive cell that has settled."""
    voltage, current = table["V_m_V"].to_numpy(), table["I_m_A"].to_numpy()
    return float(np.trapezoid(current, voltage))


def asymmetry(table: pd.DataFrame) -> float:
    """Rms of I_up + I_down at equal times into their sweeps, over the rms of I_m; 0 is a point-symmetric CV."""
    up, down = sweeps(table)
    return float(np.sqrt(np.mean((up + down) ** 2) / np.mean((up**2 + down**2) / 2)))


def peak_over_plateau(table: pd.DataFrame) -> float:
    """Largest charging current over its mean in the middle fifth of the charging sweep; 1 is a flat sweep."""
    up, _ = sweeps(table)
    plateau = up[(PHASES > 0.4) & (PHASES < 0.6)].mean()
    direction = np.sign(plateau)
    return float((direction * up).max() / (direction * plateau))


def cv_distance(table: pd.DataFrame, reference: pd.DataFrame) -> float:
    """Distance of two voltammograms, dimensionless: sqrt(mean (I - I_ref)^2) / max |I_ref| over the reference's times.

    Both tables hold `time_s` in s and `I_m_A` in A (or A/m). I is linear between the rows of `table`.

    Raises
    ------
    BadInput : times of `reference` lie outside those of `table`
    """
    times, ends = reference["time_s"].to_numpy(), (table["time_s"].min(), table["time_s"].max())
    slack = ROUND_OFF * np.ptp(times)
    if times.min() < ends[0] - slack or times.max() > ends[1] + slack:
        span = f"{ends[0]:g} to {ends[1]:g} s"
        raise BadInput("time_s", span, f"must include the reference's times, {times.min():g} to {times.max():g} s")
    current = np.interp(times, table["time_s"], table["I_m_A"])
    return float(np.sqrt(np.mean((current - reference["I_m_A"]) ** 2)) / reference["I_m_A"].abs().max())


def cycles_to_settle(config: CircuitConfig, remainder: float = 1e-3) -> int:
    """Cycles after which the slowest mode of the uncharged ladder has decayed to `remainder` of its start.

    Its time constant is at most R_c C_slit (2 n / pi)^2 + R_open (n C_slit + C_open) for n slits.

    Raises
    ------
    BadInput : no resistance, no constant slit capacitance, or another drive than a cyclic voltammetry
    """
    if config.resistance is None:
        raise BadInput("resistance", "missing", "give the resistance of an uncharged slit")
    if not isinstance(config.drive, TriangularCV) or config.slit_capacitance is None:
        raise BadInput("drive", config.drive.kind, "needs a cyclic voltammetry of constant capacitors")
    n, capacitance = config.slits, float(np.max(config.slit_capacitance))
    slowest = float(np.max(config.resistance)) * capacitance * (2 * n / np.pi) ** 2
    slowest += config.open_resistance * (n * capacitance + config.open_capacitance)
    return 1 + int(np.ceil(slowest * np.log(1 / remainder) / (2 * config.drive.half_period)))


def last_cycle(config: CircuitConfig) -> pd.DataFrame:
    """Terminal table of the last cycle of a simulated cyclic voltammetry; raises as `simulate` and `one_cycle`."""
    return one_cycle(simulate(config).terminal, config)


def settled_cycle(config: CircuitConfig) -> pd.DataFrame:
    """Terminal table (some 2000 rows) of the cycle in which the start is forgotten: the second, or later if needed.

    The drive's number of cycles and the number of points are replaced; raises as `simulate` and `cycles_to_settle`.
    """
    cycles = max(2, cycles_to_settle(config))
    drive = config.drive.model_copy(update={"cycles": cycles})
    return last_cycle(config.model_copy(update={"drive": drive, "points": 2000 * cycles}))


def half_cycles(result: CircuitResult) -> pd.DataFrame:
    """Charge, energy and power at the terminals, segment by segment of the drive (a sweep, a charge, a discharge).

    One row per segment: start_s, duration_s, charge_C, energy_J (of the cell; negative is delivered),
    mean_power_W, V_start_V, V_end_V, drop_V (the jump of V_m as the segment begins). Integrals by three-point
    Gauss quadrature of the integrator's own polynomials.
    """
    steps, ladder, corners = result.trajectory, result.ladder, result.trajectory.corners
    charge, energy = np.zeros(len(steps.t)), np.zeros(len(steps.t))
    for node, weight in zip(*np.polynomial.legendre.leggauss(3), strict=True):
        voltage, current = result.terminals(steps.t + 0.5 * (1 + node) * steps.h)
        charge += 0.5 * weight * steps.h * current
        energy += 0.5 * weight * steps.h * ladder.half_cells * voltage * current
    which = np.clip(np.searchsorted(corners, steps.t, side="right") - 1, 0, len(corners) - 2)
    duration = np.diff(corners)
    start = ladder.half_cells * result.terminals(corners[:-1])[0]
    before = ladder.half_cells * result.terminals(corners, before=True)[0]
    total = np.bincount(which, energy, len(duration))
    return pd.DataFrame(
        {
            "start_s": corners[:-1],
            "duration_s": duration,
            "charge_C": np.bincount(which, charge, len(duration)),
            "energy_J": total,
            "mean_power_W": total / duration,
            "V_start_V": start,
            "V_end_V": before[1:],
            "drop_V": start - np.concatenate([[result.config.initial_voltage], before[1:-1]]),
        }
    )


def ragone(
    config: CircuitConfig, powers: np.ndarray, law: Law | None = None, counter_law: Law | None = None
) -> pd.DataFrame:
    """Energy that the cell delivers against the power at which it is discharged, from V_m = `upper` to `lower`.

    The cell rests at the upper limit of `config.drive` (constant power or galvanostatic) and is discharged at each of
    `powers` (W of the cell). One row per power: power_W, energy_J, duration_s, efficiency (delivered over stored at
    rest between the two limits). A power that the cell cannot deliver at all has energy 0.

    Raises
    ------
    BadInput : the drive has no limits, or as `simulate`
    """
    drive = config.drive
    if not isinstance(drive, ConstantPower | Galvanostatic):
        raise BadInput("drive", drive.kind, "a Ragone plot needs limits of V_m: a power or galvanostatic drive")
    rows = []
    for power in np.asarray(powers, dtype=float):
        cycle = ConstantPower.read(power=power, upper=drive.upper, lower=drive.lower)
        discharge = config.model_copy(update={"drive": cycle, "initial_voltage": drive.upper})
        try:
            result = simulate(discharge, law, counter_law=counter_law, discharge_only=True)
            energy = -float(half_cycles(result)["energy_J"].iloc[0])
            duration = float(result.trajectory.corners[-1])
        except BadInput as error:
            if error.field != "drive":
                raise
            energy = duration = 0.0
        rows.append({"power_W": power, "energy_J": energy, "duration_s": duration})
    table = pd.DataFrame(rows)
    table["efficiency"] = table["energy_J"] / stored_energy(config, drive.lower, drive.upper, law, counter_law)
    return table


def stored_energy(
    config: CircuitConfig, lower: float, upper: float, law: Law | None = None, counter_law: Law | None = None
) -> float:
    """Energy in J that the cell at rest stores between the cell voltages `lower` and `upper` (V)."""
    update = {"drive": PotentialStep(voltage=upper, duration=1.0)}
    ladder = prepare(config.model_copy(update=update), law, counter_law)
    states = [at_rest(ladder, voltage)[ladder.first :] for voltage in (lower, upper)]
    return ladder.half_cells * float(ladder.energy(states[1]).sum() - ladder.energy(states[0]).sum())


def peak_measures(table: pd.DataFrame) -> dict[str, float]:
    """Measures of one cycle: peak_current_A and its peak_voltage_V, area_W, asymmetry and peak_over_plateau (1)."""
    largest = int(np.argmax(np.abs(table["I_m_A"].to_numpy())))
    return {
        "peak_current_A": float(table["I_m_A"].iloc[largest]),
        "peak_voltage_V": float(table["V_m_V"].iloc[largest]),
        "area_W": cv_area(table),
        "asymmetry": asymmetry(table),
        "peak_over_plateau": peak_over_plateau(table),
    }


def summary(result: CircuitResult) -> dict[str, float]:
    """Largest |I_m|, largest |Q| and smallest R of a slit over a run, and measures of the last cycle of a CV."""
    ladder = result.ladder
    charge = result.trajectory.end[:, ladder.first :]
    resistance = ladder.link_resistances(ladder.filling(charge))
    values = {
        "peak_current_A": float(result.terminal["I_m_A"].abs().max()),
        "largest_charge_C": float(np.abs(np.delete(charge, ladder.entrance, axis=1)).max(initial=0.0)),
        "smallest_resistance_ohm": float(resistance.min()) if resistance.size else 0.0,
    }
    if result.config.drive.kind == "cv":
        measures = peak_measures(one_cycle(result.terminal, result.config))
        values |= {name: measures[name] for name in ("area_W", "asymmetry", "peak_over_plateau")}
    return values
