"""All faults of an electrolyte's file at once: errors and warnings.

With an error the file cannot be used (`load_electrolyte` stops at the first). A warning concerns a value outside the
range of known liquids, or an omission that limits the use of the file.
"""

from __future__ import annotations

import contextlib
import math
from typing import Any, NamedTuple

from pydantic import ValidationError

from transslit.config import Config, faults
from transslit.electrolyte import Electrolyte
from transslit.errors import BadInput
from transslit.ions import Ion, MDParameters, MolecularParameters
from transslit.library import field_location, find, named
from transslit.units import WRITTEN, parse, show

# Kind of quantity, and the range of the values of known liquids and ions; outside it a wrong unit is likely.
USUAL: dict[str, tuple[str, float, float]] = {
    "diffusion_coefficient": ("diffusion coefficient", 1e-13, 1e-8),  # ionic liquid when cold; H+ in water is 9.3e-9
    "diameter": ("length", 1e-10, 2e-9),
    "mass": ("mass", 1.0, 1000.0),
    "molar_mass": ("mass", 1.0, 1000.0),
    "sigma": ("length", 0.5e-10, 1e-9),
    "epsilon": ("molar energy", 0.0, 10.0),
    "density": ("density", 500.0, 3000.0),
}
PERMITTIVITY = (2.0, 200.0)
SCALED = (0.6, 1.01)  # charge over valence: from scaled charges to full ones


class Fault(NamedTuple):
    """A fault as one line of text; `error` if the file cannot be used as it is."""

    text: str
    error: bool


def find_faults(
    name: str, *, concentration: float | None = None, surface_charge: float | None = None, slit: float | None = None
) -> tuple[Electrolyte | None, list[Fault]]:
    """The electrolyte, if it can be read, and all faults of its file.

    Parameters
    ----------
    name : path of a TOML file, or a known name
    concentration : mol/m^3 of formula units, the file's own if None
    surface_charge : C/m^2 of each wall, of either sign, that the ions must balance
    slit : m, width of the slit between two such walls; None for one wall

    Raises
    ------
    BadInput : there is no such file or name, or the file is not TOML
    """
    path = find(name)
    content = named(path)
    try:
        salt = Electrolyte.model_validate(content, context=WRITTEN)
    except ValidationError as error:
        return None, [
            *(Fault(field_location(str(fault), content), True) for fault in faults(error, str(path))),
            *_rest(content),
        ]
    except BadInput as error:
        return None, [Fault(str(error), True), *_charged(content)]
    return salt, [
        *(fault for ion in salt.ions for fault in _ion(ion)),
        *_solvent(salt),
        *_packing(salt, concentration, surface_charge, slit),
    ]


def _rest(content: dict[str, Any]) -> list[Fault]:
    """Further faults of a file that cannot be read as a whole: values out of range, valences that do not add up."""
    listed = content.get("ions")
    ions = [ion for ion in listed if isinstance(ion, dict)] if isinstance(listed, list) else []
    groups = [
        (f"ions.{ion.get('name')}.{inner}", found)
        for ion in ions
        for inner, found in (("", ion), ("md.", ion.get("md")))
    ]
    found = []
    for place, group in [*groups, ("solvent.", content.get("solvent"))]:
        for name, (kind, *_) in USUAL.items():
            entry = group.get(name) if isinstance(group, dict) else None
            value = entry.get("value") if isinstance(entry, dict) else None
            with contextlib.suppress(ValueError):  # a value without its unit is among the faults already
                found += _usual(place + name, parse(value, kind)) if isinstance(value, str) else []
    numbers = [(ion.get("stoichiometry", 1), ion.get("valence")) for ion in ions]
    if ions and all(isinstance(number, int) for pair in numbers for number in pair):
        net = sum(count * valence for count, valence in numbers)
        found += (
            [Fault(f"ions.valence: times stoichiometries they add up to {net:+d}, not to zero", True)] if net else []
        )
    return found


def _charged(content: dict[str, Any]) -> list[Fault]:
    """Further faults of an electrolyte that is refused because its charges do not add up to zero."""
    try:
        salt = Electrolyte.model_validate(content | {"allow_charged": True}, context=WRITTEN)
    except (ValidationError, BadInput):
        return []
    return [fault for ion in salt.ions for fault in _ion(ion)] + _solvent(salt)


def _ion(ion: Ion) -> list[Fault]:
    found = _unusual(ion, f"ions.{ion.name}.")
    if isinstance(ion.md, MDParameters):
        found += _unusual(ion.md, f"ions.{ion.name}.md.")
    try:
        ratio = ion.charge / ion.valence
    except BadInput as error:  # without a force field it can be used by the continuum
        return [*found, Fault(str(error), False)]
    least, most = SCALED
    if ratio <= 0:
        found.append(Fault(f"ions.{ion.name}: charge {ion.charge:+g} e against valence {ion.valence:+d}", True))
    elif not least <= ratio <= most:
        usual = f"scaled charges are {least:g} to 1 of it"
        found.append(Fault(f"ions.{ion.name}: charge {ion.charge:+g} e for valence {ion.valence:+d}; {usual}", False))
    if isinstance(ion.md, MolecularParameters) and len(ion.sites) > 1 and not ion.bonds:
        found.append(Fault(f"ions.{ion.name}.md.forcefield: {len(ion.sites)} sites without a bond fall apart", True))
    return found


def _solvent(salt: Electrolyte) -> list[Fault]:
    solvent = salt.solvent
    found = _unusual(solvent, "solvent.")
    least, most = PERMITTIVITY
    if not least <= solvent.permittivity.value <= most:
        found.append(
            Fault(f"solvent.permittivity: {solvent.permittivity.value:g}: usual are {least:g} to {most:g}", False)
        )
    if solvent.temperature_range is None:
        found.append(Fault("solvent.temperature_range: missing: say where its values are of use", False))
    return found


def _packing(salt: Electrolyte, concentration: float | None, charge: float | None, slit: float | None) -> list[Fault]:
    found = []
    try:
        salt.bulk(concentration)
    except BadInput as error:
        found.append(Fault(str(error), True))
    if charge:
        sign = int(math.copysign(1, charge))
        most = salt.most_surface_charge(sign, slit)
        if abs(charge) > most:
            where = "a layer of counter-ions" if slit is None else f"counter-ions that fill {show(slit, 'length')}"
            text = f"surface_charge: {charge:g} C/m^2: {where} can balance {most:.3g} C/m^2, close-packed"
            found.append(Fault(text, True))
    return found


def _unusual(part: Config, place: str) -> list[Fault]:
    """Warnings about the values of an ion, a force field or the solvent."""
    values = {name: getattr(part, name) for name in type(part).model_fields if name in USUAL}
    return [fault for name, value in values.items() if value for fault in _usual(place + name, value.value)]


def _usual(field: str, value: float) -> list[Fault]:
    kind, least, most = USUAL[field.rsplit(".", 1)[-1]]
    if least <= value <= most:
        return []
    text = f"{field}: {show(value, kind)}: usual are {show(least, kind)} to {show(most, kind)}; is the unit right?"
    return [Fault(text, False)]
