"""Test of an electrolyte in a small periodic box at 1 bar: density, ion-oxygen distances, temperature (a minute).

Measured distances of ions from the oxygens of their first shell, by diffraction: Y. Marcus, Chem. Rev. 88, 1475 (1988),
doi:10.1021/cr00090a003. Fixed-charge models are fitted to them, or to energies, and agree with them within 7 %; a box
this small adds 2 %.
"""

from __future__ import annotations

from typing import NamedTuple

import md.bulk as bulk
from transslit.electrolyte import Electrolyte

WATERS = 250  # or interaction sites, without a solvent
PRESSURE_TIME, VOLUME_TIME = 15e-12, 20e-12  # s: at 1 bar, then at constant volume
TIMESTEP = 4e-15  # s, at constant volume
DISTANCE = {  # m
    "Li": 0.208e-9, "Na": 0.236e-9, "K": 0.280e-9, "Rb": 0.289e-9, "Cs": 0.314e-9,
    "Mg": 0.209e-9, "Ca": 0.242e-9, "Sr": 0.264e-9, "Ba": 0.275e-9,
    "F": 0.263e-9, "Cl": 0.319e-9, "Br": 0.337e-9, "I": 0.365e-9,
}  # fmt: skip
NEAR = 0.1  # relative


class BulkCheck(NamedTuple):
    """Measured quantities as text, by name, and the faults that they show."""

    shown: dict[str, str]
    wrong: list[str]


def check_bulk(salt: Electrolyte, concentration: float | None = None, seed: int = 0) -> BulkCheck:
    """Density, temperature and first peaks of g(ion-O), or without a solvent of g(ion-counter-ion).

    Raises
    ------
    BadInput : an ion has no force field
    StageFailed : the simulation blew up
    """
    kelvin = salt.temperature
    start = bulk.bulk_box(salt, concentration, WATERS, seed=seed)
    box, error = bulk.at_pressure(start, PRESSURE_TIME, temperature=kelvin, seed=seed)
    settings = bulk.BulkSettings(VOLUME_TIME, temperature=kelvin, timestep=TIMESTEP, heavy_hydrogens=True, seed=seed)
    measured = bulk.bulk_properties(box, settings, density_error=error)
    molar = measured.concentration / 1000
    shown = {"density": f"{measured.density:.0f} +- {measured.density_error:.0f} kg/m^3 at {molar:.2f} M"}
    partner = "counter-ion" if salt.solvent.model == "none" else "O"
    for name, distance in measured.first_peak.items():
        shown[f"first peak {name}-{partner}"] = f"{distance * 1e9:.3f} nm, {measured.peak_height[name]:.1f} high"
    shown["temperature"] = f"{measured.temperature:.0f} K"

    wrong = []
    ratio = measured.density / salt.solvent.density.value
    if not 0.85 < ratio < 1.5:
        wrong.append(f"its density is {ratio:.2f} of the solvent's")
    if abs(measured.temperature / kelvin - 1) > 0.05:
        wrong.append(f"it should be at {kelvin:g} K")
    for name, distance in measured.first_peak.items() if partner == "O" else ():
        known = DISTANCE.get(name)
        if known is not None and abs(distance / known - 1) > NEAR:
            values = f"{distance * 1e9:.3f} nm from O, measured are {known * 1e9:g} nm"
            wrong.append(f"{name} stands {values}: is sigma right?")
    return BulkCheck(shown, wrong)
