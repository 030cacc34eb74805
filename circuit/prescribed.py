"""A half-cell ladder whose resistances follow prescribed charges instead of its own.

    C_open du_0/dt = (phi_m - u_0) / R_open - I_1,   C du_k/dt = I_k - I_{k+1},   I_k = (u_{k-1} - u_k) / R_k(t)
    R_k(t) = R_c (1 - gamma |Q_k(t)| / max |Q_k|), the first one halved where the configuration says so

u_k are the voltages on the capacitors, as in `circuit.ladder`. The paper's ED11d takes Q_k from mPNP or from the TLM.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from circuit.config import CircuitConfig
from transslit.drive import TriangularCV
from transslit.errors import BadInput


def prescribed_line(config: CircuitConfig, time: np.ndarray, charge: pd.DataFrame) -> np.ndarray:
    """I_m in A (A/m) at `time` of an uncharged cell, by the trapezoidal rule on these times (second order).

    Parameters
    ----------
    time : increasing times in s, shape (k,), which include the corners of the drive
    charge : |Q| in C (C/m), one column per slit from the bulk inwards, by time in s; interpolated linearly

    Raises
    ------
    BadInput : the drive is not a cyclic voltammetry, or the counter electrode differs
    """
    if not isinstance(config.drive, TriangularCV):
        raise BadInput("drive", config.drive.kind, "prescribed charges need a cyclic voltammetry")
    if config.counter is not None:
        raise BadInput("counter", "given", "prescribed charges need two equal half-cells")
    phi_m = config.polarity * config.drive.cell_voltage(time) / config.half_cells
    q = np.stack([np.interp(time, charge.index, charge[slit]) for slit in charge.columns], axis=1)
    q /= q.max(axis=0)
    resistance = config.per_slit("resistance") * (1 - config.per_slit("gamma") * q)  # (k, slits)
    if config.half_entrance_resistor:
        resistance[:, 0] /= 2
    capacitance = np.concatenate([[config.open_capacitance], config.per_slit("slit_capacitance")])
    nodes = capacitance.size
    links, conductance = np.arange(nodes - 1), 1 / resistance
    matrix = np.zeros((time.size, nodes, nodes))  # C du/dt = matrix u + source
    matrix[:, links, links] -= conductance
    matrix[:, links + 1, links + 1] -= conductance
    matrix[:, links, links + 1] = matrix[:, links + 1, links] = conductance
    matrix[:, 0, 0] -= 1 / config.open_resistance
    source = np.zeros((time.size, nodes))
    source[:, 0] = phi_m / config.open_resistance
    half_step = np.diff(time)[:, None, None] / 2
    implicit = np.diag(capacitance) - half_step * matrix[1:]
    explicit = np.diag(capacitance) + half_step * matrix[:-1]
    forcing = half_step[:, :, 0] * (source[1:] + source[:-1])
    u = np.zeros((time.size, nodes))
    for k in range(time.size - 1):
        u[k + 1] = np.linalg.solve(implicit[k], explicit[k] @ u[k] + forcing[k])
    return (phi_m - u[:, 0]) / config.open_resistance
