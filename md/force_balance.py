"""Balance of momentum of the ions along the path from slit to slit, without assuming Nernst-Planck.

Each ion obeys m dv/dt = F - m Gamma v + noise. Weighted by the field w of the path (`md.path_field`) and summed over
the ions of a kind, exactly,

    d/dt sum m v.w = sum F.w - Gamma sum m v.w + sum m v v:grad w + noise,

and with equipartition at the temperature T(t) of the liquid, sum m v v:grad w = kT sum div w, which is the difference
of the concentrations in the middles of the slits: the thermal force, -kT grad c. For each ion therefore

    0 = mean field + local field + water + ions + carbon + thermal + friction + inertia - residual:

- mean field: z e times -grad phi of the potential averaged over z, boxes and equivalent places in an interval of time,
  the migration of Nernst-Planck;
- local field: the rest of the electrostatic force on the ions at their positions, mostly that of the hydration water;
- water, ions, carbon (sheet atoms): Lennard-Jones forces by partner. The drag of the water is in local field + water,
  steric repulsion in ions + carbon;
- thermal: kT sum div w; friction: the thermostat's -m Gamma v; inertia: -d/dt sum m v.w.

The residual is noise of the thermostat and of forces, which fluctuate with every molecular collision and are sampled at
few frames (mean field, density and velocity are far smoother). Velocities are displacements between frames over their
time. Nothing is fitted.

In Nernst-Planck the total drag is -(kT / D) v, so that a force F along the path drives the current

    I = z e (D / kT) sum F.w / (2 Lz)     (per depth, one network half),

and mean field, thermal and ions + carbon can be compared with the migration, diffusion and steric part of
`md.reduction`. `I_path_A_per_m` = z e sum v.w / (2 Lz) needs no D.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from MDAnalysis.analysis.results import Results
from scipy import constants

from md.atoms import step_between
from md.cell import Cell
from md.ion_forces import INTERVAL, KINDS, interval_of
from md.legs import replica_legs
from md.path_field import Paths
from md.poisson import ChargeMap

PARTS = ("mean_field", "local_field", "water", "ions", "carbon", "thermal", "friction", "inertia", "residual")
KEYS = ["replica", "time_s", "i", "ion"]


def force_balance(results: Sequence[Results], cell: Cell, temperature: pd.DataFrame | None = None) -> pd.DataFrame:
    """Forces along the paths by half-cell, interval of time, crossing and ion.

    Parameters
    ----------
    results : `.results` of `md.ion_forces.IonForces`, one per box
    temperature : `box`, `time_s`, `T_K` of the liquid; the configuration's temperature if None

    Returns
    -------
    `replica` (4 box + half-cell, as in the record), `time_s` (middle of the interval), `i`, `ion`, `ions` (mean number
    on the path), `I_path_A_per_m`, and for each of `PARTS` `<part>_pN` (sum over the ions on the path; towards the bulk
    is positive; all but the residual add up to it) and `<part>_error_pN` (standard error from the scatter of frames
    about the means of their intervals, pooled over the run, as if frames were independent: adequate for noise, too
    small for forces that persist; the errors of `mean_forces` are those over half-cells)
    """
    paths = Paths(cell)
    numbers = sorted({number for r in results for number in r.phi})
    fields = {number: _field(cell, [r.phi[number] for r in results if number in r.phi]) for number in numbers}
    masses = np.array([ion.mass for ion in cell.electrolyte.ions]) * constants.atomic_mass
    valences = np.array([ion.charge for ion in cell.electrolyte.ions])
    kinds = cell.ion_sites.kind
    mass, charge = masses[kinds], valences[kinds] * constants.e
    tables = []
    for of_box in results:
        time, place = of_box.time, of_box.positions
        friction = friction_at(cell, time)
        thermal = constants.k * _temperature(temperature, of_box.box, time, cell)
        number = interval_of(time)
        velocity = _velocity(time, place, cell)
        mean = np.stack([fields[n](at) for n, at in zip(number, place, strict=True)]) * charge[:, None]
        pairs = {kind: of_box.forces[:, k, :, :2].astype(float) for k, kind in enumerate(KINDS)}
        pairs = {"mean_field": mean, "local_field": pairs.pop("electrostatic") - mean, **pairs}
        for h in range(len(cell.half_cells)):
            for i in range(1, cell.network.slits):
                w, divergence = paths.at(h, i, place)
                moved = (velocity * w).sum(axis=-1)
                along = {name: (force * w).sum(axis=-1) for name, force in pairs.items()}
                along["thermal"] = thermal[:, None] * divergence
                along["friction"] = -friction[:, None] * mass * moved
                for k, name in enumerate(cell.electrolyte.names):
                    own = kinds == k
                    total = {part: values[:, own].sum(axis=1) for part, values in along.items()}
                    total["inertia"] = -np.gradient((mass * moved)[:, own].sum(axis=1), time)
                    tables.append(
                        _rows(
                            {"replica": 4 * of_box.box + h, "i": i, "ion": name},
                            (number + 0.5) * INTERVAL,
                            paths.field.length,
                            total,
                            np.linalg.norm(w, axis=-1)[:, own].sum(axis=1),
                            valences[k] * constants.e * moved[:, own].sum(axis=1) / (2 * cell.depth),
                        )
                    )
    return pd.concat(tables, ignore_index=True).sort_values(KEYS, ignore_index=True)


def mean_forces(table: pd.DataFrame, by: Sequence[str] = ("electrode", "i", "ion")) -> pd.DataFrame:
    """Mean force on an ion of the path in pN: sums over ions, half-cells and times over the number of ions.

    `<part>_error_pN` is the standard error over half-cells. Rows by `by`, columns of the table or `electrode`
    ("positive" or "negative").
    """
    named = table.assign(electrode=np.where(table["replica"] % 4 < 2, "positive", "negative"))
    columns = ["ions", *(f"{part}_pN" for part in PARTS)]
    of_half_cells = named.groupby([*by, "replica"])[columns].mean()
    mean = of_half_cells.groupby(level=list(by)).mean()
    error = of_half_cells.groupby(level=list(by)).sem()
    forces = mean.drop(columns="ions").div(mean["ions"], axis=0)
    errors = error.drop(columns="ions").div(mean["ions"], axis=0)
    return forces.join(errors.rename(columns=lambda name: name.replace("_pN", "_error_pN"))).assign(ions=mean["ions"])


def force_currents(table: pd.DataFrame, cell: Cell, diffusion: np.ndarray) -> pd.DataFrame:
    """Currents that the forces drive at the mobility D / kT, and the actual one, by half-cell, time and crossing.

    `diffusion` is D_k in m^2/s, shape (ions,). Columns: `I_path_A_per_m` (actual), `I_mean_field_A_per_m` (migration),
    `I_thermal_A_per_m` (diffusion), `I_contact_A_per_m` (ions + carbon: steric).
    """
    length = Paths(cell).field.length
    thermal = constants.k * cell.config.temperature
    mobility = {
        ion.name: ion.charge * constants.e * d / thermal / length / (2 * cell.depth) * 1e-12
        for ion, d in zip(cell.electrolyte.ions, diffusion, strict=True)
    }
    scale = table["ion"].map(mobility)
    found = table[["replica", "time_s", "i", "I_path_A_per_m"]].assign(
        I_mean_field_A_per_m=scale * table["mean_field_pN"],
        I_thermal_A_per_m=scale * table["thermal_pN"],
        I_contact_A_per_m=scale * (table["ions_pN"] + table["carbon_pN"]),
    )
    return found.groupby(["replica", "time_s", "i"], as_index=False).sum()


def friction_at(cell: Cell, time: np.ndarray) -> np.ndarray:
    """Langevin friction in 1/s of the leg that contains or ends at each `time` (s after the onset of the drive)."""
    legs = replica_legs(cell.config)
    ends = np.cumsum([leg.steps * leg.timestep for leg in legs]) - legs[0].steps * legs[0].timestep
    leg = np.minimum(np.searchsorted(ends, np.asarray(time) - 1e-16), len(legs) - 1)
    return np.array([leg.friction for leg in legs])[leg] * 1e12


def _rows(
    keys: dict[str, int | str],
    middle: np.ndarray,
    length: float,
    total: dict[str, np.ndarray],
    weight: np.ndarray,
    current: np.ndarray,
) -> pd.DataFrame:
    """Means of one half-cell, crossing and ion over the frames of each interval."""
    frames = pd.DataFrame({f"{part}_pN": values * length * 1e12 for part, values in total.items()})
    frames["residual_pN"] = frames.sum(axis=1, skipna=False)
    frames["ions"], frames["I_path_A_per_m"] = weight * length, current
    grouped = frames.groupby(middle)
    means = grouped.mean()
    means["residual_pN"] = means[[f"{part}_pN" for part in total]].sum(axis=1)  # parts differ in their frames
    forces = grouped[[f"{part}_pN" for part in PARTS]]
    count = forces.count()
    free = (count - 1).clip(lower=0)
    pooled = ((forces.var().fillna(0.0) * free).sum() / free.sum().clip(lower=1)) ** 0.5  # an interval has few frames
    errors = (pooled / count.clip(lower=1) ** 0.5).rename(columns=lambda name: name.replace("_pN", "_error_pN"))
    table = means.join(errors).rename_axis("time_s").reset_index()
    return table.assign(**keys)[[*KEYS, *table.columns.drop("time_s")]]


def _velocity(time: np.ndarray, place: np.ndarray, cell: Cell) -> np.ndarray:
    """(x, y) velocities in m/s from displacements over two frame intervals (one at the ends)."""
    step = step_between(place[:-1, :, :2], place[1:, :, :2], cell.box[:2])
    track = np.concatenate([np.zeros((1, *step.shape[1:])), np.cumsum(step, axis=0)])
    return np.gradient(track, time, axis=0)


def _temperature(table: pd.DataFrame | None, box: int, time: np.ndarray, cell: Cell) -> np.ndarray:
    """Temperature in K of the liquid of a box at `time` (s)."""
    if table is None:
        return np.full(len(time), cell.config.temperature)
    own = table[table["box"] == box].sort_values("time_s")
    return np.interp(time, own["time_s"], own["T_K"])


def _field(cell: Cell, maps: list[np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """-grad of the mean of potentials (V) over boxes and mirror images, as a function of positions, in V/m."""
    grid = ChargeMap(cell.box)
    phi = np.mean(maps, axis=0)
    phi = (phi + np.roll(phi[:, ::-1], 1, axis=1)) / 2  # y -> -y
    x, y = (np.arange(count) * step for count, step in zip(grid.shape, grid.spacing, strict=True))
    phi = (phi + grid.at(phi, (2 * cell.walls[0] - x)[:, None], y[None, :])) / 2  # the wall's other face
    slopes = [(np.roll(phi, 1, axis) - np.roll(phi, -1, axis)) / (2 * step) for axis, step in enumerate(grid.spacing)]
    return lambda place: np.stack([grid.at(slope, place[:, 0], place[:, 1]) for slope in slopes], axis=-1)
