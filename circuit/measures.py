"""Measures of a cyclic voltammogram on a terminal table (`V_m_V`, `I_m_A`, `time_s`) that holds one cycle.

With I_up(v) and I_down(v) the current on the two sweeps, v = V_m / window in [0, 1]:

    area           closed integral of I_m dV_m, in W
    asymmetry      rms of I_up(v) + I_down(1 - v), over the rms of I_m
    peak / plateau largest I_up over the mean of I_up at 0.4 < v < 0.6
    distance       rms of the difference of two cycles at equal phase, over the largest |I_m| of the second

A linear network (TLM) that has forgotten its start obeys I(t + half a period) = -I(t), so that its asymmetry is zero
whatever its resistances: only the start-up and a charge-dependent resistance make it differ. Take the last of several
cycles where the ladder is slow. Source: the paper's Fig. 4d-e and Extended Data Figs. 12 and 13.
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
    """Rms over one cycle of the difference in I_m at equal phase, over the largest |I_m| of `reference`."""
    mine, other = np.concatenate(sweeps(table)), np.concatenate(sweeps(reference))
    return float(np.sqrt(np.mean((mine - other) ** 2)) / np.abs(reference["I_m_A"]).max())


def cycles_to_settle(config: CircuitConfig, remainder: float = 1e-3) -> int:
    """Cycles after which the slowest mode of the uncharged ladder has decayed to `remainder` of its start.

    Its time constant is at most R_c C_slit (2 n / pi)^2 + R_open (n C_slit + C_open) for n slits. Run that many
    cycles and take the last: it is a settled one.

    Raises
    ------
    BadInput : the configuration holds no resistance
    """
    if config.resistance is None:
        raise BadInput("resistance", "missing", "give the resistance of an uncharged slit")
    if not isinstance(config.drive, TriangularCV) or config.slit_capacitance is None:
        raise BadInput("drive", config.drive.kind, "needs a cyclic voltammetry of constant capacitors")
    n, capacitance = config.slits, float(np.max(config.slit_capacitance))
    slowest = float(np.max(config.resistance)) * capacitance * (2 * n / np.pi) ** 2
    slowest += config.open_resistance * (n * capacitance + config.open_capacitance)
    return 1 + int(np.ceil(slowest * np.log(1 / remainder) / (2 * config.drive.half_period)))


def half_cycles(result: CircuitResult) -> pd.DataFrame:
    """Charge, energy and power at the terminals, segment by segment of the drive (a sweep, a charge, a discharge).

    One row per segment: start_s, duration_s, charge_C, energy_J (of the cell; negative is given back),
    mean_power_W, V_start_V, V_end_V, drop_V (the jump of V_m as the segment begins). Integrals by three-point
    Gauss quadrature of the integrator's own polynomials.
    """
    steps, ladder, corners = result.trajectory, result.ladder, result.trajectory.corners
    charge, energy = np.zeros(len(steps.t)), np.zeros(len(steps.t))
    for node, weight in zip(*np.polynomial.legendre.leggauss(3), strict=True):
        voltage, current = result.terminals(steps.t + 0.5 * (1 + node) * steps.h)
        charge += 0.5 * weight * steps.h * current
        energy += 0.5 * weight * steps.h * ladder.share * voltage * current
    which = np.clip(np.searchsorted(corners, steps.t, side="right") - 1, 0, len(corners) - 2)
    duration = np.diff(corners)
    start, before = ladder.share * result.terminals(corners[:-1])[0], ladder.share * result.terminals(corners, True)[0]
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
    """Energy that the cell gives back against the power that is asked of it, from V = `upper` to `lower`.

    The cell rests at the upper limit of `config.drive` (constant power or galvanostatic) and is discharged at each of
    `powers` (W of the cell). One row per power: power_W, energy_J, duration_s, efficiency (given back over held at
    rest between the two limits). A power that the cell cannot give at all has energy 0.
    """
    drive = config.drive
    if not isinstance(drive, ConstantPower | Galvanostatic):
        raise BadInput("drive", drive.kind, "a Ragone plot needs limits of V_m: a power or galvanostatic drive")
    rows = []
    for power in np.asarray(powers, dtype=float):
        cycle = ConstantPower.read(power=power, upper=drive.upper, lower=drive.lower)
        asked = config.model_copy(update={"drive": cycle, "initial_voltage": drive.upper})
        try:
            result = simulate(asked, law, counter_law=counter_law, discharge_only=True)
            given = -float(half_cycles(result)["energy_J"].iloc[0])
            duration = float(result.trajectory.corners[-1])
        except BadInput as error:
            if error.field != "drive":
                raise
            given = duration = 0.0
        rows.append({"power_W": power, "energy_J": given, "duration_s": duration})
    table = pd.DataFrame(rows)
    table["efficiency"] = table["energy_J"] / held_between(config, drive.lower, drive.upper, law, counter_law)
    return table


def held_between(
    config: CircuitConfig, lower: float, upper: float, law: Law | None = None, counter_law: Law | None = None
) -> float:
    """Energy in J that the cell at rest at `upper` holds beyond that at `lower` (V of V_m)."""
    update = {"drive": PotentialStep(voltage=upper, duration=1.0)}
    ladder = prepare(config.model_copy(update=update), law, counter_law)
    states = [at_rest(ladder, voltage)[ladder.first :] for voltage in (lower, upper)]
    return ladder.share * float(ladder.energy(states[1]).sum() - ladder.energy(states[0]).sum())


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
    """A run in a few numbers: largest |I_m|, largest |Q| and least R of a slit, and the last cycle of a CV."""
    ladder = result.ladder
    charge = result.trajectory.end[:, ladder.first :]
    resistance = ladder.link_resistances(ladder.filling(charge))
    found = {
        "peak_current_A": float(result.terminal["I_m_A"].abs().max()),
        "largest_charge_C": float(np.abs(np.delete(charge, ladder.entrance, axis=1)).max(initial=0.0)),
        "smallest_resistance_ohm": float(resistance.min()) if resistance.size else 0.0,
    }
    if result.config.drive.kind == "cv":
        measures = peak_measures(one_cycle(result.terminal, result.config))
        found |= {name: measures[name] for name in ("area_W", "asymmetry", "peak_over_plateau")}
    return found
