"""Constants of a form by variable projection: linear ones eliminated by QR, inner ones by Levenberg-Marquardt.

Minimises  SSE(p) = min_a sum_r w_r^2 (y_r - sum_k a_k m_k(x_r, p))^2  with Kaufman's Jacobian
J_j = -(1 - Q Q^T) (d Phi / d p_j) a  of the projected residual.

Sources: G. Golub, V. Pereyra, Inverse Problems 19, R1 (2003), doi:10.1088/0266-5611/19/2/201;
L. Kaufman, BIT 15, 49 (1975), doi:10.1007/BF01932995.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.linalg import lapack

from discovery import forms
from discovery.forms import Form

Array = np.ndarray
RANK = 1e-5  # smallest diagonal of R for unit columns: terms closer than this cannot be told apart
TOLD_APART = 1e-4  # the same of all constants: smallest singular value of their unit columns
BASE = 0.02  # smallest base 1 + sum p m of a root, reciprocal or logarithm: poles stay outside the data
ROUND_OFF = 1e-20  # relative mean square misfit that is none
LARGEST = 40.0  # of an inner constant, inputs being scaled to at most one
STARTS = (1.0, -0.7, 4.0, -4.0, 0.2)  # of an inner constant; bases clip them to their domain
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "sinh": np.sinh,
    "sin": np.sin,
    "cos": np.cos,
    "Abs": np.abs,
}


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


@lru_cache(maxsize=4096)
def _compiled(form: Form, n_inputs: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    terms = forms.compile_source(forms.columns_source(form, n_inputs), FUNCTIONS)
    bases = forms.compile_source(forms.bases_source(form, n_inputs), FUNCTIONS)
    return terms, bases


def columns(form: Form, x: Array, inner: Array | tuple[float, ...]) -> Array | None:
    """Terms m_k, shape (rows, terms), or None where a base leaves its domain or a term is not finite."""
    terms, bases = _compiled(form, len(x))
    with np.errstate(all="ignore"):
        if any(not base.min() > BASE for base in bases(x, inner)):
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
        # LAPACK by its own names: the matrices are narrow, and the wrappers would take most of the time.
        packed, tau, _, _ = lapack.dgeqrf(phi / norms)
        if np.abs(packed.diagonal()).min() < RANK:
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


def _descend(
    form: Form, rows: Rows, p: Array, at: _Projection, steps: int, least_gain: float
) -> tuple[Array, _Projection]:
    damping = 1e-2
    for _ in range(steps):
        jacobian = at.jacobian(form, rows, p)
        if jacobian is None:
            break
        normal, gradient = jacobian.T @ jacobian, jacobian.T @ at.residual
        diagonal = np.diag(normal)
        if not diagonal.min() > 0:
            break
        accepted = False
        for _ in range(4):
            step = np.linalg.solve(normal + damping * np.diag(diagonal), -gradient)
            moved = p + step
            trial = _Projection(form, rows, moved) if np.abs(moved).max() < LARGEST else None
            if trial is not None and trial.valid and trial.sse < at.sse:
                gain = 1 - trial.sse / at.sse
                p, at, accepted = moved, trial, True
                damping = max(damping / 10, 1e-9)
                break
            damping *= 10
        if not accepted or gain < least_gain:
            break
    return p, at


def _starts(count: int) -> list[Array]:
    if count == 1:
        return [np.array([value]) for value in STARTS]
    alternating = np.where(np.arange(count) % 2, -1.0, 1.0)
    return [np.full(count, 1.0), np.full(count, -0.3), alternating, -0.5 * alternating, np.full(count, 4.0)]


def fit_form(form: Form, rows: Rows, start: tuple[float, ...] | None = None, precise: bool = False) -> Fit | None:
    """Best constants found, or None where the form cannot be fitted (domain, rank, too few rows).

    Parameters
    ----------
    start : inner constants to begin with, instead of the multi-start
    precise : descend until nothing is gained; else far enough to rank forms
    """
    count = len(forms.parameters(form))
    if len(form) + count >= rows.x.shape[1]:
        return None
    norm = float((rows.w * rows.y) @ (rows.w * rows.y))
    starts = [np.array(start)] if start is not None else _starts(count) if count else [np.empty(0)]
    tried = [(p, _Projection(form, rows, p)) for p in starts]
    valid = sorted((pair for pair in tried if pair[1].valid), key=lambda pair: pair[1].sse)
    if not valid:
        return None
    if count:
        steps, least_gain = (40, 1e-10) if precise else (8, 1e-4)
        found = [_descend(form, rows, p, at, steps, least_gain) for p, at in valid[:2]]
        p, at = min(found, key=lambda pair: pair[1].sse)
    else:
        p, at = valid[0]
    # Neither the search nor the choice may follow round-off, which differs from machine to machine.
    loss = max(float(f"{at.sse / norm:.8e}"), ROUND_OFF) if norm > 0 else ROUND_OFF
    return Fit(loss, tuple(at.linear.tolist()), tuple(p.tolist()))


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
        if ahead is None:  # at the edge of the domain: the other side
            moved[j] -= 2 * step
            ahead, step = columns(form, rows.x, moved), -step
        assert ahead is not None, "the domain is open"
        parts.append((((ahead - phi) / step) @ linear)[:, None])
    return rows.w * (rows.y - phi @ linear), rows.w[:, None] * np.hstack(parts)


def determined(form: Form, fit: Fit, rows: Rows) -> bool:
    """Whether the rows tell all constants apart: not those of c tanh(p x) with a p so small that it is c p x."""
    _, jacobian = full_jacobian(form, fit, rows)
    norms = np.sqrt(np.einsum("rk,rk->k", jacobian, jacobian))
    if not norms.min() > 0:
        return False
    return bool(np.linalg.svd(jacobian / norms, compute_uv=False)[-1] > TOLD_APART)
