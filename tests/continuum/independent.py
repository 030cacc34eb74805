"""A second solver of the slit network, by another discretisation, to be compared with `continuum`.

Galerkin finite elements (second-order triangles, scikit-fem) instead of finite volumes with exponential fluxes, psi and
u_k = ln c_k as unknowns, BDF2 of equal steps, Newton with a new factorisation at every iteration:

    int dc_k/dt w + D_k c_k grad(u_k + z_k psi + mu) . grad w = 0,   c_k = exp(u_k),   mu = -ln(1 - v sum c)
    int grad psi . grad w - kappa sum z_k c_k w = int_electrode (1 / h_S)(psi_m - psi) w

Lengths in nm, times in ns, potentials in kT/e, concentrations in those of the bulk. Nothing is taken from `continuum`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import skfem
from scipy import constants
from scipy.sparse import bmat
from scipy.sparse.linalg import splu
from skfem.helpers import dot, grad

MASS = skfem.BilinearForm(lambda u, w, p: p["r"] * u * w)
STIFFNESS = skfem.BilinearForm(lambda u, w, p: p["a"] * dot(grad(u), grad(w)))
CHANGE = skfem.BilinearForm(lambda u, w, p: p["r"] * u * w + dot(p["b"] * u + p["a"] * grad(u), grad(w)))
SOURCE = skfem.LinearForm(lambda w, p: p["r"] * w)
BALANCE = skfem.LinearForm(lambda w, p: p["r"] * w + dot(p["b"], grad(w)))


@dataclass(frozen=True)
class Setting:
    """A CV of a 1:1 salt: lengths in nm, concentration in mol/m^3, D in m^2/s, V_m in V, its rate in V/s."""

    slit: float
    layers: int
    length: float
    gap: float
    reservoir: float
    diffusion: tuple[float, float]
    concentration: float = 1000.0
    diameter: float = 0.5
    stern: float = 0.3
    sheet: float = 0.34
    permittivity: float = 78.4
    temperature: float = 298.15
    rate: float = 2e4
    window: float = 0.4
    steps: int = 100  # per cycle
    finest: float = 0.1  # element at a surface


def towards(length: float, finest: float, coarsest: float, growth: float = 1.5) -> np.ndarray:
    """Distances 0 ... length, `finest` apart at 0 and at most `coarsest` far off."""
    sizes = [finest]
    while sum(sizes) < length:
        sizes.append(min(sizes[-1] * growth, coarsest))
    return np.concatenate([[0.0], np.cumsum(sizes) * length / sum(sizes)])


def mirrored(half: np.ndarray) -> np.ndarray:
    return np.concatenate([half, 2 * half[-1] - half[-2::-1]])


class Network:
    """Mesh, slits and planes of a `Setting`; x from the closing wall outwards, slit 1 nearest the bulk."""

    def __init__(self, setting: Setting) -> None:
        s, slits = setting, setting.layers - 1
        pitch = s.slit + s.sheet
        across = mirrored(towards(s.slit / 2, s.finest, s.slit / 6))
        sheet = mirrored(towards(s.sheet / 2, s.finest, s.finest))
        cell = np.concatenate([across, s.slit + sheet[1:]])
        x = np.concatenate([np.zeros(1), *(n * pitch + cell[1:] for n in range(slits))])
        self.depth = slits * pitch
        x = np.concatenate([x, self.depth + towards(s.reservoir, s.finest, 2.0)[1:]])
        gap = s.gap - towards(s.gap, s.finest, s.gap / 5)[::-1]
        y = mirrored(np.concatenate([gap, s.gap + towards(s.length / 2 - s.gap, s.finest, 1.5)[1:]]))
        mesh = skfem.MeshTri.init_tensor(x, y)
        mx, my = mesh.p[:, mesh.t].mean(axis=1)
        self.planes = (slits - np.arange(slits)) * pitch - s.sheet / 2  # of sheet j = 0 (outermost), 1, ...
        self.centres = self.planes - pitch / 2
        solid = np.zeros(mx.size, dtype=bool)
        for j, plane in enumerate(self.planes):
            covered = my < s.length - s.gap if j % 2 == 0 else my > s.gap
            solid |= (np.abs(mx - plane) < s.sheet / 2) & covered
        self.mesh = mesh.remove_elements(np.flatnonzero(solid))
        self.middle = self.mesh.p[:, self.mesh.t].mean(axis=1)  # (2, elements)
        where = self.mesh.p[:, self.mesh.facets].mean(axis=1)  # (2, facets)
        edge = np.zeros(where.shape[1], dtype=bool)
        edge[self.mesh.boundary_facets()] = True
        far = np.isclose(where[0], x[-1])
        mirror = np.isclose(where[1], 0) | np.isclose(where[1], s.length)
        self.far, self.electrode = np.flatnonzero(edge & far), np.flatnonzero(edge & ~far & ~mirror)


class Cycle:
    """March of one `Setting`; `run()` gives a row per (time, slit)."""

    def __init__(self, setting: Setting) -> None:
        self.s, self.net = setting, Network(setting)
        mesh = self.net.mesh
        self.basis = skfem.Basis(mesh, skfem.ElementTriP2(), intorder=5)
        self.n = self.basis.N
        thermal = constants.k * setting.temperature / constants.e
        eps = constants.epsilon_0 * setting.permittivity
        faraday = constants.value("Faraday constant")
        self.thermal, self.z, self.D = thermal, np.array([1.0, -1.0]), np.array(setting.diffusion) * 1e9
        self.kappa = faraday * setting.concentration * 1e-18 / (eps * thermal)
        self.volume = (setting.diameter * 1e-9) ** 3 * constants.N_A * setting.concentration
        self.ampere = faraday * setting.concentration * 1e-9  # A/m of one unit of flux times length
        wall = skfem.FacetBasis(mesh, skfem.ElementTriP2(), facets=self.net.electrode, intorder=5)
        self.stern = MASS.assemble(wall, r=1 / setting.stern)
        self.driven = self.stern @ np.ones(self.n)
        self.laplace = STIFFNESS.assemble(self.basis, a=1.0)
        fixed = self.basis.get_dofs(self.net.far).flatten()
        held = np.concatenate([fixed + k * self.n for k in range(3)])
        self.free = np.setdiff1d(np.arange(3 * self.n), held)

    def fields(self, x: np.ndarray) -> tuple:
        """At quadrature points, per ion: c, grad u, grad of the electrochemical potential, dmu/du; and grad mu."""
        psi, *u = (self.basis.interpolate(part) for part in x.reshape(3, -1))
        c = [np.exp(np.asarray(k)) for k in u]
        crowding = [self.volume * k / (1 - self.volume * sum(c)) for k in c]
        steric = sum(m * k.grad for m, k in zip(crowding, u, strict=True))
        force = [k.grad + z * psi.grad + steric for k, z in zip(u, self.z, strict=True)]
        return c, [k.grad for k in u], force, crowding, steric

    def newton(self, x: np.ndarray, rate: float, history: list, psi_m: float) -> np.ndarray:
        """Solve rate * c - history = -div J at the wall's potential `psi_m`, from `x`."""
        basis, poisson = self.basis, self.laplace + self.stern
        for _ in range(25):
            c, grad_u, force, crowding, steric = self.fields(x)
            right = [poisson @ x[: self.n] - self.driven * psi_m - self.kappa * SOURCE.assemble(basis, r=c[0] - c[1])]
            blocks = [[poisson, *(-self.kappa * z * MASS.assemble(basis, r=k) for z, k in zip(self.z, c, strict=True))]]
            for k, (z, d) in enumerate(zip(self.z, self.D, strict=True)):
                mobile = d * c[k]
                right.append(BALANCE.assemble(basis, r=rate * c[k] - history[k], b=mobile * force[k]))
                blocks.append([STIFFNESS.assemble(basis, a=mobile * z)])
                for j in range(2):
                    own = float(j == k)
                    drift = mobile * (own * force[k] + crowding[j] * (grad_u[j] + steric))
                    entry = CHANGE.assemble(basis, r=own * rate * c[k], b=drift, a=mobile * (own + crowding[j]))
                    blocks[-1].append(entry)
            matrix = bmat(blocks, format="csr")[self.free][:, self.free].tocsc()
            delta = -splu(matrix, permc_spec="MMD_AT_PLUS_A").solve(np.concatenate(right)[self.free])
            x = x.copy()
            x[self.free] += delta * min(1.0, 2 / np.abs(delta).max())
            if np.abs(delta).max() < 1e-7:
                return x
        raise RuntimeError("no convergence")

    def run(self, until: int | None = None) -> pd.DataFrame:
        """One cycle, or its first `until` steps: time_s, i, phi_V, Q_C_per_m, I_A_per_m (from slit i + 1 to i)."""
        s = self.s
        half = s.window / s.rate * 1e9  # ns
        step = 2 * half / s.steps
        x = before = np.zeros(3 * self.n)
        rows: list[dict] = []
        then = now = self.fields(x)[0]
        for n in range(1, (until or s.steps) + 1):
            phi_m = s.rate / 2 * min(n * step, 2 * half - n * step) * 1e-9
            if n in (1, s.steps // 2 + 1):
                rate, history, guess = 1 / step, [k / step for k in now], x
            else:
                rate, guess = 1.5 / step, 2 * x - before
                history = [(2 * b - a / 2) / step for a, b in zip(then, now, strict=True)]
            before, x = x, self.newton(guess, rate, history, phi_m / self.thermal)
            then, now = now, self.fields(x)[0]
            rows += self._measure(n * step * 1e-9, x)
        return pd.DataFrame(rows)

    def _measure(self, time: float, x: np.ndarray) -> list[dict]:
        s, net = self.s, self.net
        c, _, force, _, _ = self.fields(x)
        weights = self.basis.dx  # (elements, points)
        content = ((c[0] - c[1]) * weights).sum(axis=1) * self.ampere * 1e-9
        current = -sum(z * d * k * f[0] for z, d, k, f in zip(self.z, self.D, c, force, strict=True))
        current = (current * weights).sum(axis=1) * self.ampere
        rows = []
        for i, centre in enumerate(net.centres, start=1):
            corner = np.argmin(np.abs(net.mesh.p[0] - centre) + np.abs(net.mesh.p[1] - s.length / 2))
            inner = net.planes[i] if i < net.planes.size else -1.0
            inside = (net.middle[0] < net.planes[i - 1]) & (net.middle[0] > inner)
            through = np.abs(net.middle[0] - inner) < s.sheet / 2  # the gap, mean over the sheet's thickness
            rows.append(
                {
                    "time_s": time,
                    "i": i,
                    "phi_V": x[self.basis.nodal_dofs[0, corner]] * self.thermal,
                    "Q_C_per_m": content[inside].sum(),
                    "I_A_per_m": current[through].sum() / s.sheet,
                }
            )
        return rows


def law(table: pd.DataFrame) -> tuple[float, float]:
    """R_c (ohm m) and gamma: means over the crossings of least squares of dphi = I R_c (1 - gamma |Q|/max|Q|)."""
    phi, charge, current = (
        table.pivot_table(index="time_s", columns="i", values=name).to_numpy()
        for name in ("phi_V", "Q_C_per_m", "I_A_per_m")
    )
    found = []
    for n in range(phi.shape[1] - 1):
        q = np.abs(charge[:, n]) / np.abs(charge[:, n]).max()
        design = current[:, n, None] * np.column_stack([np.ones_like(q), -q])
        a, b = np.linalg.lstsq(design, phi[:, n + 1] - phi[:, n], rcond=None)[0]
        found.append((a, b / a))
    return tuple(np.mean(found, axis=0))
