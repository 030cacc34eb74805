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
from transslit.errors import BadInput

PHASES = (np.arange(2000) + 0.5) / 2000  # of one sweep; midpoints, so that means are integrals to second order


def one_cycle(terminal: pd.DataFrame, config: CircuitConfig, cycle: int = -1) -> pd.DataFrame:
    """Rows of one cycle, both ends included; `cycle` counts from 0, or back from the last with -1.

    Raises
    ------
    BadInput : there is no such cycle
    """
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
    n = config.slits
    slowest = config.resistance * config.slit_capacitance * (2 * n / np.pi) ** 2
    slowest += config.open_resistance * (n * config.slit_capacitance + config.open_capacitance)
    return 1 + int(np.ceil(slowest * np.log(1 / remainder) / (2 * config.drive.half_period)))
