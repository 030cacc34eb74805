"""Reductions of a trans-slit record: resistances, conductivities, the law of migration and capacitances.

R_i = dphi_i / I_i,   r_i = R_i G,   G the geometric conductance between two slits' centres (Laplace)
R_c (1 - gamma q_i), the resistance that the stored charge predicts
I_migration = theta c_i dphi_i, with one constant theta per crossing
C_i = |Q_i| / |phi_m - phi_i|
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from continuum.extract import LadderParameters
from transslit import SlitNetwork, TransSlitRecord

SMALLEST = 0.5  # of the median current; below it, at starts and turns, dphi and I vanish at different times


def resistances(record: TransSlitRecord, ladder: LadderParameters | None = None) -> pd.DataFrame:
    """Resistances of the crossings, in the rows whose current follows the sweep.

    Currents below `SMALLEST` of their median are left out, and those that run against the sweep after a turn.

    Returns
    -------
    table : replica, time_s, i, q, I_A_per_m, dphi_V, R_ohm_m, resistivity_ohm_m, conductance_S_per_m,
        conductivity_S_per_m and, with `ladder`, R_law_ohm_m
    """
    record = record.resampled()
    table = record.joined().merge(_sweeps(record), on=["replica", "time_s"], validate="many_to_one")
    size = table["I_A_per_m"].abs()
    median = size.groupby([table["replica"], table["i"]]).transform("median")
    kept = (size > SMALLEST * median) & (table["sweep"] * table["I_A_per_m"] >= 0)
    table = table.loc[kept, ["replica", "time_s", "i", "q", "I_A_per_m", "dphi_V"]].copy()
    geometry = SlitNetwork.model_validate(record.metadata["network"]).geometric_conductance
    table["R_ohm_m"] = table["dphi_V"] / table["I_A_per_m"]
    table["resistivity_ohm_m"] = table["R_ohm_m"] * geometry
    table["conductance_S_per_m"] = 1 / table["R_ohm_m"]
    table["conductivity_S_per_m"] = 1 / table["resistivity_ohm_m"]
    if ladder is not None:
        table["R_law_ohm_m"] = ladder.resistance * (1 - ladder.gamma * table["q"])
    return table.reset_index(drop=True)


def _sweeps(record: TransSlitRecord) -> pd.DataFrame:
    """`sweep` of each replica and time: 1 while phi_m rises, -1 while it falls, 0 where it turns or rests."""
    rows = [
        part[["replica", "time_s"]].assign(sweep=np.sign(np.gradient(part["phi_m_V"], part["time_s"])))
        for _, part in record.terminal.sort_values("time_s").groupby("replica")
    ]
    return pd.concat(rows)


def migration_laws(record: TransSlitRecord) -> pd.DataFrame:
    """Fits of I_migration = theta c_i dphi_i through the origin, crossing by crossing.

    Returns
    -------
    table : replica, i, theta_A_m2_per_V_mol, r_squared
    """
    rows = []
    for (replica, i), part in record.resampled().joined().groupby(["replica", "i"]):
        x = (part["c_mol_per_m3"] * part["dphi_V"]).to_numpy()
        y = part["I_migration_A_per_m"].to_numpy()
        theta = (x @ y) / (x @ x)
        residual = y - theta * x
        rows.append((replica, i, theta, 1 - (residual @ residual) / np.sum((y - y.mean()) ** 2)))
    return pd.DataFrame(rows, columns=["replica", "i", "theta_A_m2_per_V_mol", "r_squared"])


def capacitances(record: TransSlitRecord) -> pd.DataFrame:
    """Charge of each slit over the voltage across its double layers, where this exceeds a twentieth of its maximum.

    Returns
    -------
    table : replica, time_s, i, q_C_per_m (|Q_i|), u_V (|phi_m - phi_i|), C_F_per_m
    """
    drive = record.terminal[["replica", "time_s", "phi_m_V"]]
    table = record.slits.merge(drive, on=["replica", "time_s"], validate="many_to_one")
    table["q_C_per_m"] = table["Q_C_per_m"].abs()
    table["u_V"] = (table["phi_m_V"] - table["phi_V"]).abs()
    table = table[table["u_V"] > table["u_V"].max() / 20].copy()
    table["C_F_per_m"] = table["q_C_per_m"] / table["u_V"]
    return table[["replica", "time_s", "i", "q_C_per_m", "u_V", "C_F_per_m"]].reset_index(drop=True)
