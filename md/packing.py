"""Initial positions of water and ions: grid points that are clear of the sheets.

The grid has planes parallel to the sheets, evenly spaced by about 0.31 nm (the spacing of a cubic grid at the density
of liquid water) between 0.31 nm from one sheet and 0.31 nm from the next, and planes through the edge gaps. Ions take
random grid points, so that slits and reservoirs start at the same concentration, and both compartments are neutral.
Molecular ions take grid points far from one another and, of many orientations, the one furthest from the sheets;
`md.growth` then removes their overlaps.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from md.cell import Cell
from transslit.errors import BadInput, StageFailed

SPACING = 0.31e-9  # m, (molar mass / density / N_A)^(1/3) of water
CLEARANCE = 0.27e-9  # m, least distance of a grid point from a sheet atom, where the C-O potential is a few kT
OXYGEN_HYDROGEN = 0.1e-9  # m, SPC/E, Berendsen et al. 1987, doi:10.1021/j100308a038
ANGLE = np.deg2rad(109.47)


def sites(cell: Cell) -> np.ndarray:
    """Candidate positions of oxygens and ions in m, shape (n, 3)."""
    planes = np.unique(np.round(cell.sheet_atoms["positions"][:, 0], 15))
    following = np.append(planes[1:], planes[0] + cell.box[0])
    levels = []
    for left, right in zip(planes, following, strict=True):
        gaps = max(1, round((right - left - 2 * SPACING) / SPACING))
        levels.append(np.append(np.linspace(left + SPACING, right - SPACING, gaps + 1), right))
    x = np.concatenate(levels) % cell.box[0]
    y, z = ((np.arange(n) + 0.5) * length / n for length in cell.box[1:] for n in [max(1, round(length / SPACING))])
    grid = np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1).reshape(-1, 3)
    return grid[nearest(grid, cell.sheet_atoms["positions"], cell.box) > CLEARANCE]


def nearest(points: np.ndarray, others: np.ndarray, box: np.ndarray, rank: int = 1) -> np.ndarray:
    """Distance of each point to the nearest of `others` in the periodic box (rank 2: the second nearest)."""
    distance, _ = cKDTree(_wrapped(others, box), boxsize=box).query(_wrapped(points, box), k=[rank])
    return np.asarray(distance)[:, 0]


def _wrapped(place: np.ndarray, box: np.ndarray) -> np.ndarray:
    inside = place % box
    return np.where(inside < box, inside, 0.0)  # the modulo of a tiny negative number is the box length


def waters_at(oxygens: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """O, H, H of rigid waters in random orientations, shape (n, 3, 3), in m."""
    frame = np.linalg.qr(random.normal(size=(len(oxygens), 3, 3)))[0]
    half = ANGLE / 2
    arms = OXYGEN_HYDROGEN * np.array([[np.cos(half), np.sin(half)], [np.cos(half), -np.sin(half)]])
    hydrogens = np.einsum("ha,nad->nhd", arms, frame[:, :2]) + oxygens[:, None]
    return np.concatenate([oxygens[:, None], hydrogens], axis=1)


def pack(cell: Cell, seed: int, wanted: np.ndarray | None = None) -> tuple[np.ndarray, int]:
    """Positions (m) of all atoms, in the order sheet atoms, ions, waters, and the number of waters.

    Monatomic ions take random places, or those nearest to the ones that are `wanted` (m), shape (ions, 3).

    Raises
    ------
    BadInput : more ions than the cell has places for
    """
    random = np.random.default_rng(seed)
    places = random.permutation(sites(cell))
    ions, solvated = cell.ion_sites.ions, cell.electrolyte.solvent.model != "none"
    most = len(places) // 3 if solvated else len(places)
    if ions > most:
        raise BadInput(
            "concentration", f"{ions} ions", f"the cell has {len(places)} places, water included; ask for less"
        )
    if cell.ion_sites.molecular:
        centres, own = np.empty((ions, 3)), cell.compartments_of_ions(random)
        for side in (0, 1):
            there = places[cell.compartment(places[:, 0]) == side]
            centres[own == side] = random.permutation(spread(there, int((own == side).sum()), cell.box))
        salt = orient(cell, centres, random)
        free = places[nearest(places, salt, cell.box) > CLEARANCE]
    else:
        if wanted is not None:
            places = nearest_first(places, wanted, cell)
        else:
            places = by_compartment(cell, places, cell.compartments_of_ions(random))
        salt, free = places[:ions], places[ions:]
    oxygens = free if solvated else free[:0]
    positions = np.concatenate([cell.sheet_atoms["positions"], salt, waters_at(oxygens, random).reshape(-1, 3)])
    if not cell.ion_sites.molecular:
        check_overlaps(cell, positions)
    return positions, len(oxygens)


def by_compartment(cell: Cell, places: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The `places`, first one for each ion in its compartment `own`, shape (ions,)."""
    taken, side = np.empty(len(own), dtype=int), cell.compartment(places[:, 0])
    for number in (0, 1):
        taken[own == number] = np.flatnonzero(side == number)[: (own == number).sum()]
    return np.concatenate([places[taken], np.delete(places, taken, axis=0)])


def nearest_first(places: np.ndarray, wanted: np.ndarray, cell: Cell) -> np.ndarray:
    """The `places`, first one of their own for each of `wanted`, in its compartment, by the least squared distances."""
    step = wanted[:, None] - places
    step -= cell.box * np.round(step / cell.box)
    beyond = cell.compartment(wanted[:, 0])[:, None] != cell.compartment(places[:, 0])
    _, taken = linear_sum_assignment((step**2).sum(axis=-1) + beyond * (cell.box**2).sum())
    return np.concatenate([places[taken], np.delete(places, taken, axis=0)])


def spread(places: np.ndarray, number: int, box: np.ndarray) -> np.ndarray:
    """`number` of the `places` (m), the first and then always the one furthest from those chosen; shape (number, 3)."""
    away = np.full(len(places), np.inf)
    taken = [0]
    for _ in range(number - 1):
        step = places - places[taken[-1]]
        away = np.minimum(away, ((step - box * np.round(step / box)) ** 2).sum(axis=1))
        taken.append(int(away.argmax()))
    return places[taken]


def orient(cell: Cell, centres: np.ndarray, random: np.random.Generator, trials: int = 30) -> np.ndarray:
    """Sites in m, shape (sites, 3), of ions with the given centres, in orientations that are clear of the sheets."""
    ions = cell.ion_sites
    parts = []
    for n, centre in enumerate(centres):
        turned = centre + np.einsum("si,nij->nsj", ions.arms[ions.owner == n], rotations(trials, random))
        clear = nearest(turned.reshape(-1, 3), cell.sheet_atoms["positions"], cell.box).reshape(trials, -1).min(axis=1)
        parts.append(turned[clear.argmax()])
    return np.concatenate(parts)


def rotations(number: int, random: np.random.Generator) -> np.ndarray:
    """Random rotation matrices, shape (number, 3, 3)."""
    turned = np.linalg.qr(random.normal(size=(number, 3, 3)))[0]
    return turned * np.sign(np.linalg.det(turned))[:, None, None]


def check_overlaps(cell: Cell, positions: np.ndarray, least: float = 0.2e-9) -> None:
    """Refuse positions in which an ion or oxygen overlaps with a sheet or with another one.

    Raises
    ------
    StageFailed : a distance is less than `least` (m), except between sites of one ion
    """
    sheet_atoms, salt = len(cell.sheet_atoms["sign"]), len(cell.ion_sites)
    heavy = np.concatenate([positions[sheet_atoms : sheet_atoms + salt], positions[sheet_atoms + salt :: 3]])
    near = nearest(heavy, cell.sheet_atoms["positions"], cell.box).min()
    if near < least:
        raise StageFailed("md", f"an ion or water lies {near * 1e9:.3f} nm from a sheet atom")
    owner = np.concatenate([cell.ion_sites.owner, cell.ion_sites.ions + np.arange(len(heavy) - salt)])
    wrapped = _wrapped(heavy, cell.box)
    found = cKDTree(wrapped, boxsize=cell.box).query(wrapped, k=int(np.bincount(owner).max()) + 1)
    distance, other = np.asarray(found[0]), np.asarray(found[1], dtype=int)
    apart = distance[owner[other] != owner[:, None]].min(initial=np.inf)
    if apart < least:
        raise StageFailed("md", f"two ions or waters overlap ({apart * 1e9:.3f} nm)")
