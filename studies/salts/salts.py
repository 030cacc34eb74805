"""One half-cell with one electrolyte after another: gamma, R_c, C_slit, and the charge that diffusion carries.

Every cycle has the window of the default voltammogram and a scan rate in proportion to the electrolyte's
Nernst-Einstein conductivity (20 mV/us at 15 S/m), so that each has the same time to charge in units of its own time
constant: R_c times the conductivity is then nearly one number, and gamma depends on the mobility of the ions that fill
a slit.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from continuum import ContinuumConfig, Run
from transslit import Electrolyte, SlitNetwork, TransSlitRecord, TriangularCV, load_electrolyte
from transslit.progress import Progress
from transslit.runs import open_run
from transslit.style import COLOURS, panels, styled
from validation.simulations.runs import Simulations

CONDUCTIVITY = 15.0  # S/m, about that of a molar salt, at which the scan rate is the default one
THIN = 0.1e-9  # m, a Debye length that only ionic liquids have


def configuration(salt: Electrolyte, network: SlitNetwork) -> ContinuumConfig:
    """The salt's voltammogram at a scan rate in proportion to its conductivity."""
    default = TriangularCV()
    scan_rate = default.scan_rate * salt.conductivity() / CONDUCTIVITY
    return ContinuumConfig(
        network=network,
        electrolyte=salt,
        concentration=salt.concentration,
        drive=TriangularCV(scan_rate=scan_rate, window=default.window),
        # Double layers of an ionic liquid form in a millionth of its cycle, which adaptive steps would resolve.
        stepping="adaptive" if salt.debye_length() > THIN else "fixed",
    )


def diffusion_share(record: TransSlitRecord) -> float:
    """Charge that diffusion carries from slit to slit over all that crosses, both along the current.

    The times of the record are evenly spaced.
    """
    crossings = record.crossings
    along = np.sign(crossings["I_A_per_m"])
    return float((along * crossings["I_diffusion_A_per_m"]).sum() / crossings["I_A_per_m"].abs().sum())


def measures(run: Run) -> dict[str, float]:
    """One row of the comparison."""
    ladder, electrolyte = run.ladder, run.config.electrolyte
    conductivity = electrolyte.conductivity()
    return {
        "scan_rate_V_per_s": run.config.drive.scan_rate,  # type: ignore[union-attr]
        "conductivity_S_per_m": conductivity,
        "debye_length_m": electrolyte.debye_length(),
        "gamma": ladder.gamma,
        "gamma_std": ladder.gamma_std,
        "R_c_ohm_m": ladder.resistance,
        "R_c_conductivity": ladder.resistance * conductivity,
        "C_slit_F_per_m": ladder.slit_capacitance,
        "diffusion_share": diffusion_share(run.record),
    }


def compare(names: list[str], network: SlitNetwork, folder: Path, progress: Progress) -> pd.DataFrame:
    """A row per electrolyte; finished runs in `folder` are reused.

    Raises
    ------
    BadInput : an electrolyte is unknown, or its ions do not fit the slit
    """
    salts = {name: load_electrolyte(name) for name in names}
    for salt in salts.values():
        network.admits(salt)
    rows = {}
    with open_run(folder) as opened:
        simulations = Simulations(opened, progress)
        for name, salt in salts.items():
            rows[name] = measures(simulations.continuum(salt.name, configuration(salt, network)))
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("electrolyte").reset_index()


@styled
def draw(table: pd.DataFrame, slit: float) -> Figure:
    """gamma, R_c, C_slit and the charge that diffusion carries by electrolyte, at one slit width (m)."""
    figure, axes = panels(4, width=3.0, height=0.35 * len(table) + 1.2, sharey=True)
    quantities = (
        ("gamma", 1.0, "$\\gamma$"),
        ("R_c_ohm_m", 1.0, "$R_c$ / $\\Omega$ m"),
        ("C_slit_F_per_m", 1e9, "$C_{slit}$ / nF m$^{-1}$"),
        ("diffusion_share", 1.0, "charge that diffusion carries"),
    )
    for ax, (column, factor, label), colour in zip(axes[0], quantities, COLOURS, strict=False):
        sns.barplot(x=table[column] * factor, y=table["electrolyte"], color=colour, ax=ax)
        ax.set(xlabel=label, ylabel="")
    if table["R_c_ohm_m"].max() > 10 * table["R_c_ohm_m"].min():
        axes[0, 1].set_xscale("log")
    axes[0, 0].set_title(f"d = {slit * 1e9:g} nm", loc="left")
    return figure
