"""Newton iteration that keeps its factorisation while it still converges (chord iteration).

    J(x_0) delta = -r(x),   x <- x + delta,

limited to positive concentrations and free volume cell by cell. It has converged when the update is below `TOLERANCE`
of the unknowns: of the largest psi for potentials, of the largest c for concentrations, neither taken as less than
`FLOOR`; and when the ions that the residual leaves missing are below `BALANCE` of those that change place in the step,
or no longer become fewer. Currents are small differences of fluxes at the scan rates of a laboratory: at 1 mV/s an
update of 1e-11 still leaves half of the current missing. Round-off leaves 1e-13 of the largest psi in every update, so
that a tolerance in kT/e alone cannot be met where potentials are thousands of kT/e. The factorisation is renewed when
an iteration shrinks the update by less than `CONTRACTION`, so that a smooth run needs one every few time steps.
Where the electrode's charge is imposed, phi_m is one more unknown, in which residual and charge are linear.
Source: C. T. Kelley, Iterative Methods for Linear and Nonlinear Equations (SIAM 1995), section 5.4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse.linalg import splu

from continuum.mesh import Array
from continuum.mpnp import ModifiedPNP

TOLERANCE = 1e-11  # of the last update, relative to the largest unknown of its kind
FLOOR = 10.0  # kT/e and bulk concentrations that the largest counts as at least
CONTRACTION = 0.2  # of the update per iteration; slower than this, a new factorisation pays
BALANCE = 1e-6  # of the ions that change place, those missing
STAGNATION = 0.5  # of the ions missing, from one iteration to the next; slower than this, round-off is left
ITERATIONS = 40


class NewtonFailed(Exception):
    """No convergence; `cell` is where the update was worst."""

    def __init__(self, reason: str, cell: int) -> None:
        self.reason, self.cell = reason, cell
        super().__init__(reason, cell)


def factorise(matrix: Any) -> Any:
    """SuperLU factors by minimum degree on A + A^T, whose fill stays small only while pivots stay on the diagonal.

    Newton's iteration notices what that costs in accuracy, since its residual does not come from the factors.
    """
    return splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})


class Newton:
    """Solver of one `ModifiedPNP`; `factorisations` and `iterations` count its work."""

    def __init__(self, equations: ModifiedPNP) -> None:
        self.equations = equations
        self.factors: Any = None
        self.response: Array | None = None  # J^-1 of the right-hand side per volt of phi_m
        self.rate = 0.0
        self.factorisations = self.iterations = 0

    def forget(self) -> None:
        """Drop the factorisation, so that later steps do not depend on earlier ones."""
        self.factors = None

    def solve(
        self, guess: Array, rate: float, history: Array, drive: float, charge: float | None = None
    ) -> tuple[Array, float]:
        """Unknowns at which the residual vanishes, and the drive.

        Parameters
        ----------
        guess : (size,) with positive concentrations and free volume
        rate, history, drive : as in `ModifiedPNP.residual`
        charge : of the electrode in C/m, if it is imposed; phi_m (V) is then solved for, and guessed as `drive`

        Raises
        ------
        NewtonFailed : singular, not finite or not converged; the caller may try a shorter step
        """
        equations, x = self.equations, guess.copy()
        if self.factors is None or not 0.5 < rate / self.rate < 2:
            self.factors = None
        fresh, before = self.factors is None, np.inf
        settled, missing = False, np.inf
        worst = 0
        for _ in range(ITERATIONS):
            state = equations.faces(x)
            residual = equations.residual(x, rate, history, drive, state)
            if not np.all(np.isfinite(residual)):
                raise NewtonFailed("the residual is not finite", self._cell(residual))
            if settled:
                left = equations.missing_ions(residual, x, rate, history)
                if left <= BALANCE or left > STAGNATION * missing:
                    return x, drive
                missing = left
            if self.factors is None:
                self._factorise(x, rate, state)
                fresh = True
            delta = -self.factors.solve(residual)
            rise = 0.0
            if charge is not None:
                delta, rise = self._charged(x, delta, drive, charge)
            if not np.all(np.isfinite(delta)):
                self.factors = None
                raise NewtonFailed("the linear system is singular", self._cell(delta))
            self.iterations += 1
            relative = self._relative(delta, x)
            worst = int(np.argmax(relative))
            size = float(relative[worst])
            following, limited = equations.updated(x, delta)
            slow = limited or size > CONTRACTION * before
            if not fresh and slow and size > TOLERANCE:
                # The factorisation is too old: the update is discarded.
                self.factors, before = None, np.inf
                continue
            x, drive = following, drive + rise
            settled = not limited and size <= TOLERANCE
            if slow and not settled:
                self.factors = None
            fresh, before = False, size
        self.factors = None
        reason = f"no convergence in {ITERATIONS} iterations, last relative update {size:.2g}"
        raise NewtonFailed(reason, self._place(worst))

    def _relative(self, delta: Array, x: Array) -> Array:
        """Size of the update `delta` of each unknown over the largest unknown of its kind in `x`, or over `FLOOR`."""
        n, out = self.equations.n, np.abs(delta)
        out[:n] /= max(FLOOR, np.abs(x[:n]).max())
        out[n:] /= max(FLOOR, x[n:].max())
        return out

    def _charged(self, x: Array, delta: Array, drive: float, charge: float) -> tuple[Array, float]:
        """Update with the rise of phi_m (V) that gives the electrode `charge`, by elimination of the border."""
        equations = self.equations
        if self.response is None:
            right = np.zeros(equations.size)
            right[: equations.n] = equations.boundary_charge(1.0)
            self.response = self.factors.solve(right)
        missing = charge - equations.electrode_charge(x, drive) - equations.electrode_charge(delta, 0.0)
        rise = missing / equations.electrode_charge(self.response, 1.0)
        return delta + rise * self.response, rise

    def _factorise(self, x: Array, rate: float, state: Any) -> None:
        matrix = self.equations.jacobian(x, rate, state)
        try:
            self.factors = factorise(matrix)
        except RuntimeError:
            empty = int(np.argmin(abs(matrix).sum(axis=1)))  # the row of the smallest entries
            raise NewtonFailed("the Jacobian is singular", self._place(empty)) from None
        self.rate, self.response = rate, None
        self.factorisations += 1

    def _cell(self, values: Array) -> int:
        return self._place(int(np.argmin(np.isfinite(values))))

    def _place(self, unknown: int) -> int:
        equations = self.equations
        if unknown < equations.n:
            return unknown
        return int(equations.mesh.ion_cells[(unknown - equations.n) % equations.m])
