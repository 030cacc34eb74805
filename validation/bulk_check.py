"""A small box of an electrolyte at 1 bar, for about a minute: is it a liquid, and do its ions stand as they should?

Distances of ions from the oxygens of their first shell, by diffraction: Y. Marcus, Chem. Rev. 88, 1475 (1988),
doi:10.1021/cr00090a003. Fixed-charge models are made for them, or for energies, and come within 7 % of them; a box this
small adds 2 %.
"""

from __future__ import annotations

from typing import NamedTuple

from transslit.electrolyte import Electrolyte

WATERS = 250  # or sites
PRESSED, WATCHED, STEP = 15e-12, 20e-12, 4e-15  # s: at 1 bar, then at that volume; the latter's step
DISTANCE = {  # m
    "Li": 0.208e-9, "Na": 0.236e-9, "K": 0.280e-9, "Rb": 0.289e-9, "Cs": 0.314e-9,
    "Mg": 0.209e-9, "Ca": 0.242e-9, "Sr": 0.264e-9, "Ba": 0.275e-9,
    "F": 0.263e-9, "Cl": 0.319e-9, "Br": 0.337e-9, "I": 0.365e-9,
}  # fmt: skip
NEAR = 0.1  # relative


class Seen(NamedTuple):
    """Lines for a person, by what they tell, and what is wrong."""

    shown: dict[str, str]
    wrong: list[str]


def check_bulk(salt: Electrolyte, concentration: float | None = None, seed: int = 0) -> Seen:
    """Density, temperature and first peaks of g(ion-O), or without a solvent of each ion around its counter-ions.

    Raises
    ------
    StageFailed : it blew up
    """
    from md.bulk import at_pressure, bulk_box, bulk_properties

    kelvin = salt.temperature
    start = bulk_box(salt, concentration, WATERS, seed=seed)
    box, error = at_pressure(start, PRESSED, temperature=kelvin, seed=seed)
    seen = bulk_properties(box, WATCHED, density_error=error, temperature=kelvin, timestep=STEP, heavy=True, seed=seed)
    around = "counter-ion" if salt.solvent.model == "none" else "O"
    shown = {"density": f"{seen.density:.0f} +- {seen.density_error:.0f} kg/m^3 at {seen.concentration / 1000:.2f} M"}
    for name, place in seen.first_peak.items():
        shown[f"first peak {name}-{around}"] = f"{place * 1e9:.3f} nm, {seen.peak_height[name]:.1f} high"
    shown["temperature"] = f"{seen.temperature:.0f} K"

    wrong = []
    ratio = seen.density / salt.solvent.density.value
    if not 0.85 < ratio < 1.5:
        wrong.append(f"its density is {ratio:.2f} of the solvent's")
    if abs(seen.temperature / kelvin - 1) > 0.05:
        wrong.append(f"it should be at {kelvin:g} K")
    for name, place in seen.first_peak.items() if around == "O" else ():
        known = DISTANCE.get(name)
        if known is not None and abs(place / known - 1) > NEAR:
            wrong.append(f"{name} stands {place * 1e9:.3f} nm from O, measured are {known * 1e9:g} nm: is sigma right?")
    return Seen(shown, wrong)
