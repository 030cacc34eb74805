"""A half-cell ladder whose resistances follow charges that are given in time, not its own.

    C_open du_0/dt = (phi_m - u_0) / R_open - I_1,   C du_k/dt = I_k - I_{k+1},   I_k = (u_{k-1} - u_k) / R_k(t)
    R_k(t) = R_c (1 - gamma |Q_k(t)| / max |Q_k|), the first one halved where the configuration says so

u_k are the voltages on the capacitors, as in `circuit`. The paper's ED11d takes Q_k from mPNP or from the TLM.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from circuit.config import CircuitConfig


def prescribed_line(config: CircuitConfig, time: np.ndarray, charge: pd.DataFrame) -> np.ndarray:
    """I_m in A (A/m) at `time` (s), with R by the `charge` of each slit: |Q| in C, a column per slit, by time in s.

    Trapezoidal rule on the given times, which must hold the drive's corners; second order.
    """
    filling = np.stack([np.interp(time, charge.index, charge[slit]) for slit in charge.columns], axis=1)
    filling /= filling.max(axis=0)
    resistance = config.per_slit("resistance") * (1 - config.per_slit("gamma") * filling)  # (times, slits)
    if config.half_entrance_resistor:
        resistance[:, 0] /= 2
    capacitance = np.concatenate([[config.open_capacitance], config.per_slit("slit_capacitance")])
    drive = config.drive.electrode_potential(time)  # type: ignore[union-attr]
    n = capacitance.size
    laplacian = np.zeros((time.size, n, n))
    links, conductance = np.arange(n - 1), 1 / resistance
    laplacian[:, links, links] -= conductance
    laplacian[:, links + 1, links + 1] -= conductance
    laplacian[:, links, links + 1] = laplacian[:, links + 1, links] = conductance
    laplacian[:, 0, 0] -= 1 / config.open_resistance
    u, source = np.zeros((time.size, n)), np.zeros((time.size, n))
    source[:, 0] = drive / config.open_resistance
    half = np.diff(time)[:, None, None] / 2
    left = np.diag(capacitance) - half * laplacian[1:]
    right = np.diag(capacitance) + half * laplacian[:-1]
    given = half[:, :, 0] * (source[1:] + source[:-1])
    for k in range(time.size - 1):
        u[k + 1] = np.linalg.solve(left[k], right[k] @ u[k] + given[k])
    return (drive - u[:, 0]) / config.open_resistance
