"""From a half-cell per metre of depth to an electrode of a given area, thickness and sheet size.

An electrode of area A and thickness H, of which the share p is wide pores between stacks, holds columns of stacked
sheets of lateral size s. A column is as wide as its sheets, so that all columns together have the depth

    D = (1 - p) A / s,        n = 1 + round(H / (d + t)) layers of sheets

(slit width d, sheet thickness t). Charge and open space grow with the size of the sheets, and so does the way from slit
to slit. With elements per depth of a network of slit length L and geometric conductance G between two slits' centres
(Laplace),

    R_c    -> R_c [1 + (s - L) G / d] / D        C_slit -> C_slit (s / L) D
    R_open -> R_open (L / s) / D                 C_open -> C_open (s / L) D

R_open is that of the simulated reservoir; a separator adds to it. A sheet of graphene weighs two carbon atoms per cell
of its lattice, so that the carbon of an electrode weighs m = n (1 - p) A x 0.762 mg/m^2 unless a mass is given.

    electrode: C = Q / phi_m, C/m in F/g, C/(A H) in F/cm^3        cell of two: C/2, E / (2 m) in Wh/kg

with the charge Q and the energy E that are stored at rest at the largest voltage of the drive.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator
from scipy import constants

from circuit.config import CircuitConfig, HalfCell, Table
from circuit.measures import stored_energy
from circuit.simulate import at_rest, prepare
from transslit.config import Config
from transslit.errors import BadInput
from transslit.law import Constant, Law
from transslit.network import SlitNetwork
from transslit.units import Area, Length, Weight

LATTICE = 0.246e-9  # m, lattice constant of graphene
CARBON = 12.011 * constants.atomic_mass  # kg
SHEET = 2 * CARBON / (np.sqrt(3) / 2 * LATTICE**2)  # kg/m^2


class Electrode(Config):
    """Size and make of a real electrode."""

    electrode_area: Area = Field(description="area of the electrode, in m^2")
    thickness: Length = Field(description="thickness of the electrode, in m")
    sheet_size: Length | None = Field(
        default=None, description="lateral size of the sheets, in m; default: the network's slit length"
    )
    porosity: float = Field(
        default=0.0, ge=0, lt=1, description="share of the electrode's volume in wide pores between stacks of sheets"
    )
    mass: Weight | None = Field(default=None, description="mass of one electrode, in kg; default: that of its sheets")

    @model_validator(mode="after")
    def _thin(self) -> Self:
        if self.sheet_size is not None and self.sheet_size**2 > self.electrode_area:
            raise BadInput("sheet_size", f"{self.sheet_size:g} m", "is wider than the electrode")
        return self

    def layers(self, network: SlitNetwork) -> int:
        """Number of sheets in a stack.

        Raises
        ------
        BadInput : the electrode is thinner than two sheets
        """
        layers = 1 + round(self.thickness / network.pitch)
        if layers < 2:
            accepts = f"holds no slit; a sheet and its slit take {network.pitch:g} m"
            raise BadInput("thickness", f"{self.thickness:g} m", accepts)
        return layers

    def factors(self, network: SlitNetwork) -> tuple[float, float, float]:
        """Of R_c (1/m), of capacitances and charges (m), and of R_open (1/m): what is per depth, times this."""
        length = network.slit_length
        size = self.sheet_size or length
        depth = (1 - self.porosity) * self.electrode_area / size
        longer = 1 + (size - length) * network.geometric_conductance / network.slit
        if not longer > 0:
            raise BadInput("sheet_size", f"{size:g} m", f"is too much smaller than the network's slits, {length:g} m")
        return longer / depth, depth * size / length, length / size / depth

    def scaled(self, cell: HalfCell, network: SlitNetwork) -> dict[str, Any]:
        """Fields of the electrode's half-cell, from one per depth whose slits are alike."""
        across, stored, opened = self.factors(network)
        factors = dict.fromkeys(("resistance", "resistance_table"), across) | {"open_resistance": opened}
        capacitors = ("slit_capacitance", "capacitance_table", "open_capacitance", "open_capacitance_table")
        factors |= dict.fromkeys((*capacitors, "charge_max"), stored)
        values = {name: getattr(cell, name) for name in HalfCell.model_fields}
        known = {name: _times(value, factors[name]) if name in factors else value for name, value in values.items()}
        return {name: value for name, value in known.items() if value is not None} | {"layers": self.layers(network)}

    def law(self, law: Law, network: SlitNetwork) -> Law:
        """A law of ohm m as one of the electrode's ohm: with its factor as a constant, and a current in A."""
        current = next(name for name in law.inputs if name.startswith("I_"))
        factor, *_ = self.factors(network)
        return Law(
            law.target,
            ("I_A", *(name for name in law.inputs if name != current)),
            f"electrode*({law.expression.replace(current, 'I_A')})",
            {**law.constants, "electrode": Constant(factor, unit="1/m")},
            provenance=law.provenance,
        )

    def figures(self, config: CircuitConfig, law: Law | None) -> dict[str, float]:
        """Figures of merit of the electrode's circuit, names with units.

        Raises
        ------
        BadInput : the drive has no largest voltage
        """
        voltage = config.drive.largest_voltage or abs(config.initial_voltage)
        if not voltage:
            raise BadInput("drive", config.drive.kind, "has no largest voltage, of which the stored energy is")
        ladder = prepare(config, law)
        charge = float(at_rest(ladder, voltage)[ladder.first :].sum())
        capacitance = charge * ladder.half_cells / voltage
        mass = self.mass or config.layers * (1 - self.porosity) * self.electrode_area * SHEET
        energy = stored_energy(config, 0.0, voltage, law)
        return {
            "layers": float(config.layers),
            "electrode_mass_kg": mass,
            "electrode_capacitance_F": capacitance,
            "specific_capacitance_F_per_g": capacitance / mass / 1e3,
            "volumetric_capacitance_F_per_cm3": capacitance / (self.electrode_area * self.thickness) / 1e6,
            "cell_capacitance_F": capacitance / ladder.half_cells,
            "specific_energy_Wh_per_kg": energy / 3600 / (ladder.half_cells * mass),
        }


def _times(value: Any, factor: float) -> Any:
    """An element, a table of it, or one of each slit, times a factor."""
    if isinstance(value, tuple):
        return tuple(_times(each, factor) for each in value)
    if isinstance(value, Table):
        return value.model_copy(update={"value": tuple(factor * each for each in value.value)})
    return None if value is None else factor * value
