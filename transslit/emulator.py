"""A Gaussian process through the numbers of a sample: what a number is between the places where it was computed.

    y = b0 + w.x + f(x) + e,   cov f(x), f(x') = s^2 exp(-sum_j (x_j - x'_j)^2 / (2 l_j^2)),   var e = s^2 n

A linear trend with a weak prior, one length l_j for each coordinate; lengths and noise n by the largest marginal
likelihood, s in closed form (C. E. Rasmussen & C. K. I. Williams, Gaussian Processes for Machine Learning, 2006, ch. 2
and 5). Errors of leaving one row out follow from the inverse of the covariance (ibid. eq. 5.12), at the same lengths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize

TREND = 100.0  # variance of a slope of the trend, in s^2: wide, so that the data decide
LENGTHS, NOISES = (0.1, 20.0), (1e-6, 1.0)


@dataclass(frozen=True)
class Emulator:
    """A fitted process; `r2` is that of predicting each row from all others."""

    x: np.ndarray  # (n, d)
    lengths: np.ndarray  # (d,)
    noise: float
    mean: float
    scale: float
    weights: np.ndarray  # (n,), in units of scale
    factor: np.ndarray  # (n, n) lower Cholesky factor of the covariance over s^2
    spread: float  # s, in units of scale
    r2: float
    missed: np.ndarray  # (n,) leave-one-out errors, in y's unit

    @classmethod
    def fit(cls, x: np.ndarray, y: np.ndarray, hyper: np.ndarray | None = None) -> Emulator:
        """The process through `y` (n,) at `x` (n, d); `hyper` keeps logarithms of lengths and noise known before."""
        x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        mean, scale = float(y.mean()), float(y.std())
        level = scale <= 1e-12 * abs(mean)
        target = np.zeros_like(y) if level else (y - mean) / scale
        if hyper is None and level:
            hyper = np.zeros(x.shape[1] + 1)
        elif hyper is None:
            bounds = [tuple(np.log(LENGTHS))] * x.shape[1] + [tuple(np.log(NOISES))]
            starts = [np.append(np.full(x.shape[1], np.log(length)), np.log(1e-2)) for length in (0.3, 0.7, 2.0)]
            found = [
                minimize(_cost, start, (x, target), jac=True, method="L-BFGS-B", bounds=bounds) for start in starts
            ]
            hyper = min(found, key=lambda result: result.fun).x
        lengths, noise = np.exp(hyper[:-1]), float(np.exp(hyper[-1]))
        factor = np.linalg.cholesky(_covariance(x, x, lengths) + noise * np.eye(len(x)))
        weights = cho_solve((factor, True), target)
        inverse = cho_solve((factor, True), np.eye(len(x)))
        missed = weights / np.diag(inverse)
        spread = float(np.sqrt(target @ weights / len(x)))
        r2 = float(1 - np.sum(missed**2) / np.sum(target**2)) if not level else 1.0
        return cls(x, lengths, noise, mean, scale, weights, factor, spread, r2, missed * scale)

    @property
    def hyper(self) -> np.ndarray:
        """Logarithms of lengths and noise, to fit other rows with the same."""
        return np.log(np.append(self.lengths, self.noise))

    def __call__(self, at: np.ndarray) -> np.ndarray:
        """Mean at `at` (m, d), shape (m,)."""
        return self.mean + self.scale * (_covariance(np.atleast_2d(at), self.x, self.lengths) @ self.weights)

    def std(self, at: np.ndarray) -> np.ndarray:
        """Standard error of a number that is run at `at` (m, d), its noise included, shape (m,)."""
        at = np.atleast_2d(at)
        known = solve_triangular(self.factor, _covariance(self.x, at, self.lengths), lower=True)
        own = 1 + TREND * (1 + np.sum((at - 0.5) ** 2, axis=1))
        variance = np.clip(own + self.noise - np.sum(known**2, axis=0), self.noise, None)
        return self.scale * self.spread * np.sqrt(variance)


def _squares(a: np.ndarray, b: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    a, b = a / lengths, b / lengths
    return np.clip(np.sum(a**2, 1)[:, None] + np.sum(b**2, 1)[None] - 2 * a @ b.T, 0.0, None)


def _smooth(a: np.ndarray, b: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Covariance of f over s^2; what is below 1e-100 is none."""
    far = _squares(a, b, lengths) / 2
    return np.where(far < 230, np.exp(-np.minimum(far, 230)), 0.0)


def _covariance(a: np.ndarray, b: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    return _smooth(a, b, lengths) + TREND * (1 + (a - 0.5) @ (b - 0.5).T)


def _cost(hyper: np.ndarray, x: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """Negative log marginal likelihood, less a constant, with s^2 at its best; and its gradient."""
    n, lengths, noise = len(x), np.exp(hyper[:-1]), np.exp(hyper[-1])
    smooth = _smooth(x, x, lengths)
    whole = smooth + TREND * (1 + (x - 0.5) @ (x - 0.5).T) + noise * np.eye(n)
    try:
        factor = cho_factor(whole, lower=True)
    except np.linalg.LinAlgError:
        return 1e25, np.zeros_like(hyper)
    weights = cho_solve(factor, target)
    inverse = cho_solve(factor, np.eye(n))
    explained = float(target @ weights)
    cost = 0.5 * n * np.log(explained / n) + np.log(np.diag(factor[0])).sum()
    sensitivity = 0.5 * (inverse - n / explained * np.outer(weights, weights))
    gradient = np.empty_like(hyper)
    shared = sensitivity * smooth
    for j, length in enumerate(lengths):
        gradient[j] = np.sum(shared * ((x[:, None, j] - x[None, :, j]) / length) ** 2)
    gradient[-1] = noise * np.trace(sensitivity)
    return float(cost), gradient
