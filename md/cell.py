"""The periodic cell: a positive and a negative electrode, each open on both sides of a closed wall.

Along x, the wall (a full sheet) of the positive electrode stands at a quarter of the box and that of the negative one
at three quarters; on both faces of each wall follow `layers - 1` staggered ribbons at the pitch d + t. A face of
an electrode, from its wall to the mid-plane of the reservoir, is a half-cell: four a box. The box is mirror-symmetric
about each wall, so its mean dipole vanishes and no field acts across periodic images. The mid-planes of the reservoirs
are x = 0 and x = half the box. Along y the network's mirror planes y = 0 and y = L unfold to a period of 2 L. The box
is periodic in all directions.

The walls divide the liquid into two compartments, between and behind them. Each must be neutral by itself: no ion can
pass a wall to make it so.

Number of ions. Charging takes ions out of the reservoirs: counter-ions enter the slits and adsorb at the outer faces
faster than co-ions leave the slits. The reservoirs therefore start above the target concentration c,

    c_start = c + f_uptake Q_e / (e N_A V_res),    N = N_A c_start (V_res + V_slits + V_gaps),

in formula units, with Q_e the charge of an electrode (over the cations' charge in a formula unit). Uncharged slits
hold about as many ions per volume as the reservoirs. f_uptake (`electrode_uptake_fraction`) is 0 at constant potential,
where few ions move. For fixed charge it comes from trial runs of the default cell (KCl, 0.59 nm, 10 ps after the step):
some 11 ions of each sign enter the slits at 44.6 e, and one or two more stay at the outer faces. `md.reservoir` reports
the concentration that the reservoirs reach.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy import constants

from md import sheet_sites
from md.config import MDConfig
from md.ions import IonSites
from md.lattice import nearest_lattice, sheet
from transslit.drive import ChargeStep, PotentialStep, TriangularCV
from transslit.network import SlitNetwork

ELECTRODES = ("positive", "negative")
FACES = ("left", "right")
# m, 1 / (1.979 per angstrom): Reed, Lanning & Madden 2007, doi:10.1063/1.2464084
GAUSSIAN_WIDTH = 0.0505e-9
INSTANT = 1e-21  # s, added to times at which a drive is evaluated, so that rounding delays no jump by a frame


class HalfCell(NamedTuple):
    """One face of one electrode: x of its `wall` in m, and the `direction` (sign of x) from it to the bulk."""

    electrode: str
    face: str
    wall: float
    direction: int


class Cell:
    """Geometry and composition of the box of a configuration; lengths in m.

    With `exchanged` electrodes the positive one is at three quarters of the box.
    """

    def __init__(self, config: MDConfig, *, exchanged: bool = False) -> None:
        self.config, self.exchanged = config, exchanged
        self.electrolyte = config.electrolyte
        self.sheet_lattice = config.sheet_lattice
        self.lattice = nearest_lattice(config.network, config.depth, self.sheet_lattice)

    def of_box(self, box: int) -> Cell:
        """The cell of a box: in every second box of `pairs` the electrodes are exchanged."""
        return Cell(self.config, exchanged=True) if self.config.pairs and box % 2 else self

    @property
    def electrodes(self) -> tuple[tuple[str, int], ...]:
        """Name and sign of the electrode of each of the `walls`."""
        both = tuple(zip(ELECTRODES, (1, -1), strict=True))
        return both[::-1] if self.exchanged else both

    @cached_property
    def network(self) -> SlitNetwork:
        """The network with the lattice's L, g and t."""
        return self.config.network.model_copy(
            update={
                "slit_length": self.lattice.period / 2,
                "edge_gap": self.lattice.edge_gap,
                "sheet_thickness": self.sheet_lattice.thickness,
            }
        )

    @property
    def depth(self) -> float:
        """Box length along z."""
        return self.lattice.depth

    @cached_property
    def half(self) -> float:
        """Distance of a wall's centre plane from the mid-plane of the reservoir: a quarter of the box."""
        return self.sheet_lattice.thickness / 2 + self.network.depth + self.network.reservoir_length

    @cached_property
    def box(self) -> np.ndarray:
        """Box lengths along x, y, z, shape (3,)."""
        return np.array([4 * self.half, self.lattice.period, self.lattice.depth])

    @cached_property
    def walls(self) -> np.ndarray:
        """x of the walls' centre planes, shape (2,)."""
        return np.array([self.half, 3 * self.half])

    def compartment(self, x: np.ndarray) -> np.ndarray:
        """Compartment of the box coordinates `x` in m: 0 between the two walls, 1 behind them."""
        return np.floor((np.asarray(x) / self.half - 1) / 2).astype(int) % 2

    def compartments_of_ions(self, random: np.random.Generator) -> np.ndarray:
        """Compartment of each ion, shape (ions,): of whole formula units, which are neutral, each has half.

        Of an odd number either one has one more.
        """
        each = [ion.stoichiometry for ion in self.electrolyte.ions]
        unit = np.concatenate([np.repeat(np.arange(self.formula_units), n) for n in each])
        return (unit + random.integers(2)) % 2

    @cached_property
    def half_cells(self) -> list[HalfCell]:
        """The four half-cells, in the order of their labels in a record: left and right face of each wall."""
        return [
            HalfCell(electrode, face, float(wall), direction)
            for (electrode, _), wall in zip(self.electrodes, self.walls, strict=True)
            for face, direction in zip(FACES, (-1, 1), strict=True)
        ]

    def to_box(self, half_cell: HalfCell, x: np.ndarray | float) -> np.ndarray:
        """Box coordinate of the network's `x` (from the wall's electrolyte face towards the bulk) in a half-cell."""
        return np.asarray(half_cell.wall + half_cell.direction * (self.sheet_lattice.thickness / 2 + np.asarray(x)))

    @cached_property
    def sheet_atoms(self) -> dict[str, np.ndarray]:
        """Sheet atoms: `positions` (n, 3) in m, `sign` of the electrode (+1 or -1), `sheet` (index of the sheet).

        In implicit water at constant potential they are the sites of `md.sheet_sites`.
        """
        lattice, length = self.lattice, self.lattice.period / 2
        if self.coarse:
            full, ribbon = (
                sheet_sites.grid(chains * self.sheet_lattice.chain_width, self.depth)
                for chains in (lattice.chains, lattice.ribbon)
            )
        else:
            full, ribbon = (
                sheet(self.sheet_lattice, chains, lattice.repeats) for chains in (lattice.chains, lattice.ribbon)
            )
        positions: list[np.ndarray] = []
        signs: list[np.ndarray] = []
        sheets: list[np.ndarray] = []

        def add(x: float, y: float, flat: np.ndarray, sign: int) -> None:
            positions.append(np.column_stack([np.full(len(flat), x), flat[:, 0] + y, flat[:, 1]]))
            signs.append(np.full(len(flat), sign))
            sheets.append(np.full(len(flat), len(sheets)))

        signs_of_walls = [sign for _, sign in self.electrodes]
        for wall, sign in zip(self.walls, signs_of_walls, strict=True):
            add(wall, 0.0, full, sign)
        for number, half_cell in enumerate(self.half_cells):
            for j, x in enumerate(self.to_box(half_cell, self.network.sheet_centres)):
                add(float(x), 0.0 if j % 2 == 0 else length, ribbon, signs_of_walls[number // 2])
        joined = np.concatenate(positions)
        joined[:, 1:] %= self.box[1:]
        return {"positions": joined, "sign": np.concatenate(signs), "sheet": np.concatenate(sheets)}

    @property
    def frozen(self) -> int:
        """Number of the sheets' atoms among the particles: none in implicit water at fixed charge, which is a field."""
        field = self.config.water == "implicit" and self.config.fixed_charge
        return 0 if field else len(self.sheet_atoms["sign"])

    @property
    def coarse(self) -> bool:
        """Whether sheets are sites of a grid (`md.sheet_sites`): in implicit water at constant potential."""
        return self.config.water == "implicit" and not self.config.fixed_charge

    @property
    def site_width(self) -> float:
        """w in m of the Gaussian charge q exp(-r^2 / w^2) / (pi^(3/2) w^3) of a sheet atom."""
        if self.coarse:
            return sheet_sites.width(self.box[1], self.depth)
        return GAUSSIAN_WIDTH

    @cached_property
    def electrode_area(self) -> float:
        """Area of the sheets of an electrode in m^2, each counted once: the wall, and the ribbons on both its faces."""
        network = self.network
        ribbons = 4 * network.slits * (network.slit_length - network.edge_gap)
        return float((self.box[1] + ribbons) * self.depth)

    @property
    def permittivity(self) -> float:
        """eps_r between the charges of the particles: of the electrolyte in implicit water, 1 where water is atoms."""
        return float(self.electrolyte.solvent.permittivity.value) if self.config.water == "implicit" else 1.0

    @property
    def sheet_charge(self) -> float:
        """Magnitude of the charge of a charged sheet per area (both faces together), C/m^2."""
        return float(self.sheet_lattice.atoms_per_area * self.config.charge_per_carbon * constants.e)

    def per_sheet_atom(self, time: np.ndarray | float) -> np.ndarray:
        """Charge of a sheet atom of the positive electrode in e at `time` (s) of a fixed-charge drive."""
        imposed = self.config.imposed
        if isinstance(imposed, PotentialStep | TriangularCV):
            raise TypeError("at constant potential the sheet atoms' charge is solved for")
        return imposed.sheet_charge(np.asarray(time) + INSTANT) / (self.sheet_lattice.atoms_per_area * constants.e)

    def voltage(self, time: np.ndarray | float) -> np.ndarray:
        """V_m in V at `time` (s) of a constant-potential drive; zero before its onset."""
        imposed = self.config.imposed
        if isinstance(imposed, ChargeStep):
            raise TypeError("at fixed charge no potential is imposed")
        after = np.asarray(time) + INSTANT
        return np.where(after >= 0, imposed.cell_voltage(np.maximum(after, 0.0)), 0.0)

    @cached_property
    def electrode_charge(self) -> float:
        """Charge of the positive electrode in e when every sheet atom carries `charge_per_carbon`."""
        return float((self.sheet_atoms["sign"] > 0).sum() * self.config.charge_per_carbon)

    @cached_property
    def volumes(self) -> dict[str, float]:
        """Volumes of the whole box in m^3, bounded by d, g and t as in the continuum.

        `slits` (free widths), `gaps` (edge gaps through the sheets), `reservoirs`.
        """
        network, area = self.network, self.box[1] * self.box[2]
        slits = 4.0 * network.slits * network.slit * area
        gaps = 4 * network.slits * network.sheet_thickness * area * network.edge_gap / network.slit_length
        return {"slits": slits, "gaps": gaps, "reservoirs": 4 * network.reservoir_length * area}

    @cached_property
    def formula_units(self) -> int:
        """Formula units of salt in the box, N of this module's docstring."""
        config, volumes = self.config, self.volumes
        cations = sum(ion.stoichiometry * ion.valence for ion in self.electrolyte.ions if ion.valence > 0)
        taken = config.electrode_uptake_fraction * self.electrode_charge / cations
        uptake = taken / constants.N_A / volumes["reservoirs"]  # mol/m^3
        return max(1, round(constants.N_A * (config.concentration + uptake) * sum(volumes.values())))

    @cached_property
    def ion_numbers(self) -> dict[str, int]:
        """Number of ions of each kind in the box."""
        return {ion.name: ion.stoichiometry * self.formula_units for ion in self.electrolyte.ions}

    @cached_property
    def ion_sites(self) -> IonSites:
        """Interaction sites of the ions, in the order of the atoms."""
        return IonSites(self.electrolyte, self.ion_numbers)

    @property
    def initial_concentration(self) -> float:
        """mol/m^3 of formula units: all of the salt over the volume of the matched continuum."""
        return float(self.formula_units / constants.N_A / sum(self.volumes.values()))

    @property
    def target_water_density(self) -> float:
        """kg of water per m^3 of uncharged reservoir: the solvent's, less what the salt displaces, plus `overfill`.

        Zero without a solvent.
        """
        if self.electrolyte.solvent.model == "none" or self.config.water == "implicit":
            return 0.0
        displaced = self.config.apparent_molar_volume * self.initial_concentration
        return float(self.electrolyte.solvent.density.value * (1 - displaced) * (1 + self.config.overfill))

    def summary(self) -> dict[str, object]:
        """Geometry and composition for `cell.json`."""
        return {
            "network": self.network.model_dump(mode="json"),
            "box_m": self.box.tolist(),
            "depth_m": self.depth,
            "carbons": len(self.sheet_atoms["sign"]),
            "carbons_per_sheet": int((self.sheet_atoms["sheet"] == 0).sum()),
            "carbons_per_ribbon": int((self.sheet_atoms["sheet"] == 2).sum()),
            "sheet_charge_C_per_m2": self.sheet_charge,
            "electrode_charge_e": self.electrode_charge,
            "ion_numbers": self.ion_numbers,
            "initial_concentration_mol_per_m3": self.initial_concentration,
            "asked_concentration_mol_per_m3": self.config.concentration,
            "target_water_kg_per_m3": self.target_water_density,
        }
