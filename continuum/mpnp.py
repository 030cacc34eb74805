"""The modified Poisson-Nernst-Planck equations: residual and Jacobian on the cells of a slit network.

    dc_k/dt = -div J_k,   J_k = -D_k [grad c_k + z_k c_k grad psi + c_k grad mu],   psi = e phi / kT,
    mu = -ln(1 - sum_j a_j^3 N_A c_j),   -div(eps grad phi) = F sum_k z_k c_k + charge of the sheets

with SEDAN fluxes between neighbouring cells, J_KL = (D/h)[B(v) c_K - B(-v) c_L], v = z dpsi + dmu, and
implicit time differences, V (rate c - history) + sum of outward fluxes = 0. Poisson's equation holds on all
cells, the ions' on those that ions may enter. Electrode faces: no ion flux, and the Stern layer in series
with half a cell, eps dphi/dn = (eps_S/h_S)(phi_m - phi). Mid-plane: phi = 0, c = bulk.

Sources: M. Kilic, M. Bazant, A. Ajdari, Phys. Rev. E 75, 021503 (2007), doi:10.1103/PhysRevE.75.021503;
C. Cances et al., IMA J. Numer. Anal. 41, 271 (2021), doi:10.1093/imanum/draa002.

Fields of hundreds of kT/e per cell press ions against a wall until mu is so large that the free volume exp(-mu) is
below the round-off of c. From a free volume of `LEAST_FREE` (mu = 27.6) on, mu therefore continues along its tangent,
-ln(LEAST_FREE) + (LEAST_FREE - free)/LEAST_FREE: c passes close packing by 1e-12 per kT of mu, and no ion is lost.

Inside, lengths are in nm, times in ns, potentials in kT/e and concentrations in the largest of the bulk, so
that all unknowns are of order one. Unknowns: psi on all cells, then c_1 ... c_K on the ions' cells.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import constants
from scipy.sparse import csc_array
from scipy.sparse.linalg import spsolve

from continuum.config import ContinuumConfig
from continuum.mesh import NM, Array, SlitMesh
from transslit.decomposition import bernoulli, bernoulli_derivative, steric_excess

NS = 1e-9  # s
LEAST_FREE = 1e-12  # of the volume; with less, mu continues along its tangent
MOST_EXCESS = 1e4  # kT, largest mu after an iteration
LEAST = 1e-200  # bulk concentrations, smallest c after an iteration: exp(-460)


class FaceState(NamedTuple):
    """Factors of the fluxes of all ions through all ion faces, arrays (ions, faces)."""

    forward: Array  # B(v)
    backward: Array  # B(-v)
    c_lower: Array
    c_upper: Array
    v: Array


class ModifiedPNP:
    """The discrete equations of one `ContinuumConfig` on its mesh."""

    def __init__(self, config: ContinuumConfig, mesh: SlitMesh | None = None) -> None:
        self.config = config
        self.mesh = mesh = mesh or SlitMesh(config)
        electrolyte = config.electrolyte
        bulk = electrolyte.bulk(config.concentration)
        self.c_unit = float(bulk.max())  # mol/m^3
        self.thermal_voltage = constants.k * config.temperature / constants.e  # V
        self.charge_unit = constants.epsilon_0 * self.thermal_voltage  # C/m, of relative permittivity times psi
        self.flux_unit = constants.value("Faraday constant") * self.c_unit * NM**2 / NS  # A/m
        self.bulk = bulk / self.c_unit
        self.z = electrolyte.valences
        self.D = electrolyte.diffusion_coefficients / NM**2 * NS
        self.occupancy = electrolyte.molar_volumes * self.c_unit
        self.volumes = mesh.volumes / NM**2
        self.ion_volumes = self.volumes[mesh.ion_cells]
        self.poisson_charge = constants.value("Faraday constant") * self.c_unit * NM**2 / self.charge_unit
        self.n, self.m, self.ions = mesh.cells, mesh.ion_cells.size, self.z.size
        self.size = self.n + self.ions * self.m
        self._permittances()
        self._ion_faces()
        self._pattern()

    # ------------------------------------------------------------------ geometry of the fluxes

    def _permittances(self) -> None:
        """Relative permittivity times area over distance, per face."""
        config, mesh = self.config, self.mesh
        eps = np.full(self.n, config.relative_permittivity)
        eps[mesh.solid] = config.sheet_permittivity
        eps[mesh.stern] = config.relative_stern_permittivity
        inner, electrode, far = mesh.inner, mesh.electrode, mesh.midplane
        self.between = inner.area / (inner.to_lower / eps[inner.lower] + inner.to_upper / eps[inner.upper])
        stern = 0.0 if config.resolved else config.stern_thickness / config.relative_stern_permittivity
        self.stern = electrode.area / (electrode.to_lower / eps[electrode.lower] + stern)
        self.far = far.area / (far.to_lower / eps[far.lower])
        self.sheet = mesh.sheet_area / self.charge_unit if mesh.full else np.zeros(self.n)  # times C/m^2
        self.pinned = int(np.argmin(np.abs(mesh.centres[0] - mesh.length / 2))) if mesh.full else -1

    def _ion_faces(self) -> None:
        """Faces that ions cross: between ion cells, then on the mid-plane (upper side is the bulk, index m)."""
        mesh = self.mesh
        open_ = (mesh.ion_number[mesh.inner.lower] >= 0) & (mesh.ion_number[mesh.inner.upper] >= 0)
        inner, far = mesh.inner[open_], mesh.midplane
        self.inner_ion_faces = inner
        self.lower = mesh.ion_number[np.concatenate([inner.lower, far.lower])]
        self.upper = np.concatenate([mesh.ion_number[inner.upper], np.full(len(far), self.m)])
        self.conductance = np.concatenate([inner.area / (inner.to_lower + inner.to_upper), far.area / far.to_lower])
        self.crossing = len(inner)  # faces before this one lie between two cells

    def _pattern(self) -> None:
        """Rows and columns of every Jacobian entry, and where in the compressed matrix each one goes."""
        n, m, mesh = self.n, self.m, self.mesh
        inner, electrode, far = mesh.inner, mesh.electrode, mesh.midplane
        a, b = inner.lower, inner.upper
        cells = mesh.ion_cells
        # The linear part: Poisson's operator and its charge term.
        rows = [a, b, a, b, electrode.lower, far.lower]
        columns = [a, b, b, a, electrode.lower, far.lower]
        values = [self.between, self.between, -self.between, -self.between, self.stern, self.far]
        for k in range(self.ions):
            rows.append(cells)
            columns.append(n + k * m + np.arange(m))
            values.append(-self.poisson_charge * self.z[k] * self.ion_volumes)
        if self.pinned >= 0:  # fixes the constant; in a neutral closed cell no flux passes through it
            rows.append(np.array([self.pinned]))
            columns.append(np.array([self.pinned]))
            values.append(np.array([self.between.mean()]))
        linear = len(np.concatenate(rows))
        # The ions: time difference on the diagonal, then each face's flux in both its cells.
        inside = np.arange(self.crossing)
        for k in range(self.ions):
            own = n + k * m + np.arange(m)
            rows.append(own)
            columns.append(own)
        for k in range(self.ions):
            for to_row in (self.lower, self.upper[inside]):
                chosen = np.arange(to_row.size)
                rows.append(n + k * m + to_row)
                columns.append(cells[self.lower[chosen]])
                rows.append(n + k * m + to_row[inside])
                columns.append(cells[self.upper[inside]])
                for j in range(self.ions):
                    rows.append(n + k * m + to_row)
                    columns.append(n + j * m + self.lower[chosen])
                    rows.append(n + k * m + to_row[inside])
                    columns.append(n + j * m + self.upper[inside])
        row, column = np.concatenate(rows).astype(np.int64), np.concatenate(columns).astype(np.int64)
        places, self.scatter = np.unique(column * self.size + row, return_inverse=True)
        self.indices = (places % self.size).astype(np.int32)
        counts = np.bincount(places // self.size, minlength=self.size)
        self.indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        self.linear = np.bincount(self.scatter[:linear], np.concatenate(values), places.size)
        self.scatter = self.scatter[linear:]
        self.poisson = csc_array((self.linear, self.indices, self.indptr), shape=(self.size, self.size)).tocsr()[:n]

    # ------------------------------------------------------------------ the equations

    def split(self, x: Array) -> tuple[Array, Array]:
        """Views psi (cells,) and c (ions, m) of the unknowns."""
        return x[: self.n], x[self.n :].reshape(self.ions, self.m)

    def occupied(self, c: Array) -> Array:
        """Occupied fraction of the volume, shape (m,)."""
        return self.occupancy @ c

    def excess(self, c: Array) -> Array:
        """Steric excess mu in kT, shape (m,), of `c` (ions, m); along its tangent beyond `LEAST_FREE`."""
        occupied, most = self.occupied(c), 1 - LEAST_FREE
        return np.asarray(steric_excess(np.minimum(occupied, most)) + np.maximum(occupied - most, 0.0) / LEAST_FREE)

    def faces(self, x: Array) -> FaceState:
        """State of all ion faces; beyond the mid-plane lies the bulk at psi = 0."""
        psi, c = self.split(x)
        everywhere = np.concatenate([c, self.bulk[:, None]], axis=1)
        potential = np.concatenate([psi[self.mesh.ion_cells], [0.0]])
        mu = self.excess(everywhere)
        v = np.outer(self.z, potential[self.upper] - potential[self.lower]) + (mu[self.upper] - mu[self.lower])
        forward = bernoulli(v)
        return FaceState(forward, forward + v, everywhere[:, self.lower], everywhere[:, self.upper], v)

    def fluxes(self, state: FaceState) -> Array:
        """J times area through each ion face from lower to upper cell, shape (ions, faces)."""
        g = self.D[:, None] * self.conductance
        return g * (state.forward * state.c_lower - state.backward * state.c_upper)

    def boundary_charge(self, drive: float) -> Array:
        """Right-hand side of Poisson's equation: `drive` is phi_m (V), or the sheet charge (C/m^2)."""
        if self.mesh.full:
            return self.sheet * drive
        source = np.zeros(self.n)
        np.add.at(source, self.mesh.electrode.lower, self.stern * (drive / self.thermal_voltage))
        return source

    def residual(self, x: Array, rate: float, history: Array, drive: float, state: FaceState | None = None) -> Array:
        """Residual (size,): charge missing per cell, then ions missing per ion, cell and ns.

        `rate` (1/ns) and `history` (ions, m) make the time difference rate * c - history.
        """
        _, c = self.split(x)
        flux = self.fluxes(state or self.faces(x))
        out = np.empty(self.size)
        out[: self.n] = self.poisson @ x - self.boundary_charge(drive)
        balance = out[self.n :].reshape(self.ions, self.m)
        balance[:] = self.ion_volumes * (rate * c - history)
        for k in range(self.ions):
            balance[k] += np.bincount(self.lower, flux[k], self.m)
            balance[k] -= np.bincount(self.upper[: self.crossing], flux[k, : self.crossing], self.m)
        return out

    def missing_ions(self, residual: Array, x: Array, rate: float, history: Array) -> float:
        """Ions that `residual` finds missing over those that change place in the step, both summed; at rest 0."""
        _, c = self.split(x)
        moved = float(np.abs(self.ion_volumes * (rate * c - history)).sum())
        return float(np.abs(residual[self.n :]).sum()) / moved if moved else 0.0

    def jacobian(self, x: Array, rate: float, state: FaceState | None = None) -> csc_array:
        """Derivative of the residual, (size, size) in compressed columns."""
        _, c = self.split(x)
        state = state or self.faces(x)
        inside = slice(self.crossing)
        derivative = bernoulli_derivative(state.v)
        # dJ/dv = B'(v) c_K + B'(-v) c_L, and B'(-v) = -1 - B'(v)
        g = self.D[:, None] * self.conductance
        slope = g * (derivative * state.c_lower - (1 + derivative) * state.c_upper)
        room = 1 / np.maximum(1 - self.occupied(c), LEAST_FREE)
        room = np.concatenate([room, [1 / (1 - self.occupancy @ self.bulk)]])
        values = [np.tile(rate * self.ion_volumes, self.ions)]
        for k in range(self.ions):
            for sign, chosen in ((1.0, slice(None)), (-1.0, inside)):
                values += [-sign * self.z[k] * slope[k, chosen], sign * self.z[k] * slope[k, inside]]
                for j in range(self.ions):
                    at_lower = -slope[k] * self.occupancy[j] * room[self.lower]
                    at_upper = slope[k] * self.occupancy[j] * room[self.upper]
                    if j == k:
                        at_lower = at_lower + g[k] * state.forward[k]
                        at_upper = at_upper - g[k] * state.backward[k]
                    values += [sign * at_lower[chosen], sign * at_upper[inside]]
        data = self.linear + np.bincount(self.scatter, np.concatenate(values), self.linear.size)
        return csc_array((data, self.indices, self.indptr), shape=(self.size, self.size))

    # ------------------------------------------------------------------ start, limits and measures

    def uniform(self, drive: float) -> Array:
        """Unknowns at t = 0: bulk concentrations everywhere, the potential of `drive` among fixed ions."""
        return self.polarised(np.concatenate([np.zeros(self.n), np.repeat(self.bulk, self.m)]), drive)

    def polarised(self, x: Array, drive: float) -> Array:
        """`x` just after a jump to `drive`: the same concentrations, and the solution of Poisson's equation."""
        out = x.copy()
        out[: self.n] = 0.0
        residual = self.poisson @ out - self.boundary_charge(drive)
        if np.any(residual):
            out[: self.n] = -spsolve(self.poisson[:, : self.n].tocsc(), residual)
        return out

    def updated(self, x: Array, delta: Array) -> tuple[Array, bool]:
        """`x + delta`, limited to positive concentrations and free volume; and whether the free volume limited it.

        A concentration that would fall below half of itself goes to c / (1 - dc/c) instead, which agrees with
        c + dc to first order; cells that would lose more than nine tenths of their free volume are scaled back to
        that or, where that is less than `LEAST_FREE`, to an excess of `MOST_EXCESS`.
        """
        out = x + delta
        _, c = self.split(x)
        _, dc = self.split(delta)
        _, new = self.split(out)
        falling = dc < -0.5 * c
        new[falling] = np.maximum(c[falling] / (1 - dc[falling] / c[falling]), LEAST)
        most, occupied = 1 - 0.1 * (1 - self.occupied(c)), self.occupied(new)
        most[most > 1 - LEAST_FREE] = 1 + MOST_EXCESS * LEAST_FREE
        crowded = occupied > most
        new[:, crowded] *= most[crowded] / occupied[crowded]
        return out, bool(crowded.any())

    def electrode_charge(self, x: Array, drive: float) -> float:
        """Charge of the electrode in C/m per depth: what its faces send into the electrolyte (half cell)."""
        psi, _ = self.split(x)
        return float(self.stern @ (drive / self.thermal_voltage - psi[self.mesh.electrode.lower])) * self.charge_unit

    def terminal_current(self, x: Array, change: Array, drive_change: float) -> float:
        """Charging current in A/m, from `change` = d psi/dt (cells,) in kT/e per s and d phi_m/dt in V/s.

        Half cell: volume form of Ramo and Shockley, with W = 1 in the electrode, falling to 0 at the mid-plane:
        I_m = sum_f (W_K - W_L)(F sum z J + dD/dt) over all faces, electrode faces with W_K - 1 and dD/dt alone.
        Full cell: the ionic current through the reservoir's mid-plane, from the positive electrode.
        """
        mesh = self.mesh
        current = (self.z @ self.fluxes(self.faces(x))) * self.flux_unit
        inner_current, far_current = current[: self.crossing], current[self.crossing :]
        inner, ion, electrode, far = mesh.inner, self.inner_ion_faces, mesh.electrode, mesh.midplane
        if mesh.full:
            there = (ion.axis == 0) & (np.abs(ion.position[0] - mesh.length / 2) < 1e-6 * NM)
            return float(inner_current[there].sum())
        weight = np.clip((mesh.length - mesh.centres[0]) / self.config.network.reservoir_length, 0, 1)
        displaced = self.between * (change[inner.lower] - change[inner.upper])
        at_wall = self.stern * (drive_change / self.thermal_voltage - change[electrode.lower])
        total = (weight[inner.lower] - weight[inner.upper]) @ displaced
        total += weight[far.lower] @ (self.far * change[far.lower])
        total += (1 - weight[electrode.lower]) @ at_wall
        ionic = (weight[ion.lower] - weight[ion.upper]) @ inner_current + weight[far.lower] @ far_current
        return float(total * self.charge_unit + ionic)

    def gauge(self, x: Array) -> Array:
        """`x` with zero mean potential on the reservoir's mid-plane (full cell; the half cell has it by itself)."""
        if not self.mesh.full:
            return x
        faces = self.mesh.inner
        there = faces[(faces.axis == 0) & (np.abs(faces.position[0] - self.mesh.length / 2) < 1e-6 * NM)]
        mean = there.area @ (x[there.lower] + x[there.upper]) / (2 * there.area.sum())
        out = x.copy()
        out[: self.n] -= mean
        return out

    def to_si(self, x: Array) -> tuple[Array, Array]:
        """Potential (cells,) in V and concentrations (ions, m) in mol/m^3."""
        psi, c = self.split(x)
        return psi * self.thermal_voltage, c * self.c_unit

    def current_density(self, phi: Array, c: Array) -> Array:
        """Ionic current in A/m^2 from lower to upper cell through `inner_ion_faces`, of fields in V and mol/m^3."""
        current = (self.z @ self.fluxes(self.faces(self.from_si(phi, c))))[: self.crossing]
        return np.asarray(current * self.flux_unit / self.inner_ion_faces.area)

    def from_si(self, phi: Array, c: Array) -> Array:
        """Unknowns of a potential in V and concentrations in mol/m^3."""
        return np.concatenate([phi / self.thermal_voltage, (c / self.c_unit).ravel()])
