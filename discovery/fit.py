"""Constants of a form by variable projection: QR for the linear ones, Levenberg-Marquardt for the inner ones.

The fit minimises  SSE(p) = min_a sum_r w_r^2 (y_r - sum_k a_k m_k(x_r, p))^2  with Kaufman's Jacobian
J_j = -(1 - Q Q^T) (d Phi / d p_j) a  of the projected residual.

Sources: G. Golub, V. Pereyra, Inverse Problems 19, R1 (2003), doi:10.1088/0266-5611/19/2/201;
L. Kaufman, BIT 15, 49 (1975), doi:10.1007/BF01932995.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from discovery import forms
from discovery.forms import Form

Array = np.ndarray
SMALLEST_PIVOT = 1e-5  # diagonal of R for terms of unit norm; below, the terms are linearly dependent
SMALLEST_SINGULAR_VALUE = 1e-4  # of a Jacobian with columns of unit norm; below, rows do not determine all constants
SMALLEST_BASE = 0.02  # of 1 + sum p m in a root, reciprocal or logarithm, so that no pole lies in the data
ROUND_OFF = 1e-20  # relative mean square misfit; smaller ones count as this
LARGEST_CONSTANT = 40.0  # inner constants, for inputs scaled to at most one
STARTS = (1.0, -0.7, 4.0, -4.0, 0.2)  # first guesses of an inner constant, of which those in the domain are used


@dataclass(frozen=True)
class Rows:
    """Scaled data: x (inputs, rows), y (rows,), w (rows,) with mean square 1."""

    x: Array
    y: Array
    w: Array

    def take(self, rows: Array) -> Rows:
        """Some of the rows."""
        return Rows(np.ascontiguousarray(self.x[:, rows]), self.y[rows], self.w[rows])


@dataclass(frozen=True)
class Fit:
    """Constants and error of one form; `loss` is the weighted mean square of y - f over that of y."""

    loss: float
    linear: tuple[float, ...]
    inner: tuple[float, ...]


def columns(form: Form, x: Array, inner: Array | tuple[float, ...]) -> Array | None:
    """Terms m_k, shape (rows, terms), or None where a base leaves its domain or a term is not finite."""
    terms, bases = forms.compiled(form, len(x))
    with np.errstate(all="ignore"):
        if any(not base.min() > SMALLEST_BASE for base in bases(x, inner)):
            return None
        phi = np.empty((x.shape[1], len(form)), order="F")
        for k, term in enumerate(terms(x, inner)):
            phi[:, k] = term
        return phi if np.isfinite(phi.sum()) else None


def predict(form: Form, fit: Fit, x: Array) -> Array | None:
    """f(x) in scaled units, shape (rows,), or None outside its domain."""
    phi = columns(form, x, fit.inner)
    return None if phi is None else phi @ np.array(fit.linear)


class _Projection:
    """Residual and Jacobian of the projected problem at one p."""

    def __init__(self, form: Form, rows: Rows, p: Array) -> None:
        self.valid = False
        phi = columns(form, rows.x, p)
        if phi is None:
            return
        phi *= rows.w[:, None]
        norms = np.sqrt(np.einsum("rk,rk->k", phi, phi))
        if not (norms.min() > 0 and norms.max() < np.inf):
            return
        # LAPACK itself: the matrices are narrow, and the wrappers of SciPy would take most of the time.
        packed, tau, _, _ = lapack.dgeqrf(phi / norms)
        if np.abs(packed.diagonal()).min() < SMALLEST_PIVOT:
            return
        self.q = lapack.dorgqr(packed, tau)[0]
        target = rows.w * rows.y
        projected = self.q.T @ target
        self.linear = lapack.dtrtrs(packed[: len(norms)], projected)[0].ravel() / norms
        self.residual = target - self.q @ projected
        self.sse = float(self.residual @ self.residual)
        self.phi = phi
        self.valid = bool(np.isfinite(self.sse))

    def jacobian(self, form: Form, rows: Rows, p: Array) -> Array | None:
        """Kaufman's J, shape (rows, inner constants), or None at the edge of the domain."""
        jacobian = np.empty((len(self.residual), len(p)))
        for j in range(len(p)):
            step = 1e-6 * max(1.0, abs(p[j]))
            moved = p.copy()
            moved[j] += step
            phi = columns(form, rows.x, moved)
            if phi is None:
                return None
            change = ((phi * rows.w[:, None] - self.phi) / step) @ self.linear
            jacobian[:, j] = -(change - self.q @ (self.q.T @ change))
        return jacobian


def _levenberg_marquardt(
    form: Form, rows: Rows, p: Array, current: _Projection, steps: int, least_gain: float
) -> tuple[Array, _Projection]:
    damping = 1e-2
    for _ in range(steps):
        jacobian = current.jacobian(form, rows, p)
        if jacobian is None:
            break
        normal, gradient = jacobian.T @ jacobian, jacobian.T @ current.residual
        diagonal = np.diag(normal)
        if not diagonal.min() > 0:
            break
        accepted = False
        for _ in range(4):
            step = np.linalg.solve(normal + damping * np.diag(diagonal), -gradient)
            moved = p + step
            trial = _Projection(form, rows, moved) if np.abs(moved).max() < LARGEST_CONSTANT else None
            if trial is not None and trial.valid and trial.sse < current.sse:
                gain = 1 - trial.sse / current.sse
                p, current, accepted = moved, trial, True
                damping = max(damping / 10, 1e-9)
                break
            damping *= 10
        if not accepted or gain < least_gain:
            break
    return p, current


def _starts(count: int) -> list[Array]:
    if count == 1:
        return [np.array([value]) for value in STARTS]
    alternating = np.where(np.arange(count) % 2, -1.0, 1.0)
    return [np.full(count, 1.0), np.full(count, -0.3), alternating, -0.5 * alternating, np.full(count, 4.0)]


def fit_form(form: Form, rows: Rows, start: tuple[float, ...] | None = None, precise: bool = False) -> Fit | None:
    """Best constants of several starts, or None where the form cannot be fitted (domain, rank, too few rows).

    Parameters
    ----------
    start : inner constants of a single start
    precise : iterate to convergence; otherwise only as far as the ranking of forms needs
    """
    count = len(forms.parameters(form))
    if len(form) + count >= rows.x.shape[1]:
        return None
    norm = float((rows.w * rows.y) @ (rows.w * rows.y))
    starts = [np.array(start)] if start is not None else _starts(count) if count else [np.empty(0)]
    projections = [(p, _Projection(form, rows, p)) for p in starts]
    valid = sorted((pair for pair in projections if pair[1].valid), key=lambda pair: pair[1].sse)
    if not valid:
        return None
    if count:
        steps, least_gain = (40, 1e-10) if precise else (8, 1e-4)
        minima = [_levenberg_marquardt(form, rows, *pair, steps, least_gain) for pair in valid[:2]]
        p, best = min(minima, key=lambda pair: pair[1].sse)
    else:
        p, best = valid[0]
    # Rounded, so that neither search nor selection depends on round-off, which differs from machine to machine.
    loss = max(float(f"{best.sse / norm:.8e}"), ROUND_OFF) if norm > 0 else ROUND_OFF
    return Fit(loss, tuple(best.linear.tolist()), tuple(p.tolist()))


def full_jacobian(form: Form, fit: Fit, rows: Rows) -> tuple[Array, Array]:
    """Weighted residual w (y - f), shape (rows,), and d(w f)/d(a, p), shape (rows, constants)."""
    p, linear = np.array(fit.inner), np.array(fit.linear)
    phi = columns(form, rows.x, p)
    assert phi is not None, "the fit was made on these rows"
    parts = [phi]
    for j in range(len(p)):
        step = 1e-6 * max(1.0, abs(p[j]))
        moved = p.copy()
        moved[j] += step
        ahead = columns(form, rows.x, moved)
        if ahead is None:  # at the edge of the domain the difference is taken backward
            moved[j] -= 2 * step
            ahead, step = columns(form, rows.x, moved), -step
        assert ahead is not None, "the domain is open"
        parts.append((((ahead - phi) / step) @ linear)[:, None])
    return rows.w * (rows.y - phi @ linear), rows.w[:, None] * np.hstack(parts)


def identifiable(form: Form, fit: Fit, rows: Rows) -> bool:
    """Whether the rows determine every constant: not those of c tanh(p x) if p is so small that it equals c p x."""
    _, jacobian = full_jacobian(form, fit, rows)
    norms = np.sqrt(np.einsum("rk,rk->k", jacobian, jacobian))
    if not norms.min() > 0:
        return False
    return bool(np.linalg.svd(jacobian / norms, compute_uv=False)[-1] > SMALLEST_SINGULAR_VALUE)
