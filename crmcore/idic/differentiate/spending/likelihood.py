"""Log-likelihood of Gamma-Gamma with its gradient and Hessian, in log parameters."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, polygamma, psi

__all__ = ["Fit", "Sample", "log_likelihood", "maximise"]

Floats = NDArray[np.float64]
_LIMIT = 14.0  # of log parameters: spend is scaled to mean 1 before, so that beyond it nothing varies


@attrs.frozen(kw_only=True, eq=False)
class Sample:
    """What the likelihood needs: distinct frequencies with their weights, and total spend a row."""

    distinct: Floats  # (k,) frequencies
    mass: Floats  # (k,) customers of each
    log_total: Floats  # (k,) weighted sum of log(x z) of each
    starts: NDArray[np.intp]  # (k,) first row of each, rows sorted by frequency
    total: Floats  # (n,) x z
    weight: Floats  # (n,)
    constant: float  # -sum w log z

    @classmethod
    def of(cls, x: Floats, z: Floats, w: Floats, /) -> Sample:
        """Sample of positive frequencies, mean spend and weights; identical rows need not be merged before."""
        if np.all(x == np.floor(x)) and x.max() < 1e6:
            whole = x.astype(np.int64)
            there = np.flatnonzero(np.bincount(whole))
            place = np.zeros(int(whole.max()) + 1, np.intp)
            place[there] = np.arange(len(there))
            distinct, code = there.astype(np.float64), place[whole]
        else:
            distinct, code = np.unique(x, return_inverse=True)
        order = np.argsort(code, kind="stable")
        x, z, w, code = x[order], z[order], w[order], code[order]
        log_z = np.log(z)
        k = len(distinct)
        mass = np.bincount(code, w, k).astype(np.float64)
        log_total = np.bincount(code, w * log_z, k).astype(np.float64) + mass * np.log(distinct)
        return cls(
            distinct=distinct,
            mass=mass,
            log_total=log_total,
            starts=np.searchsorted(code, np.arange(k)),
            total=x * z,
            weight=w,
            constant=-float(w @ log_z),
        )


@attrs.frozen(kw_only=True, eq=False)
class Fit:
    """Where the likelihood is largest."""

    parameters: Floats
    covariance: Floats | None
    log_likelihood: float
    boundary: bool


def log_likelihood(theta: Floats, sample: Sample, /) -> tuple[float, Floats, Floats]:
    """Value, gradient (3,) and Hessian (3, 3) in theta = log (p, q, gamma).

    Examples
    --------
    >>> one = Sample.of(np.array([1.0]), np.array([1.0]), np.array([1.0]))
    >>> round(log_likelihood(np.zeros(3), one)[0], 4)    # density 1 / (1 + z)^2 at z = 1
    -1.3863
    """
    p, q, g = np.exp(theta)
    x, m, starts = sample.distinct, sample.mass, sample.starts
    below = g + sample.total
    logs = np.add.reduceat(sample.weight * np.log(below), starts)
    ratio = sample.weight / below
    inverse = np.add.reduceat(ratio, starts)
    squares = np.add.reduceat(ratio / below, starts)
    px = p * x
    a = px + q
    value = m @ (gammaln(a) - gammaln(px) - gammaln(q) + q * theta[2]) + p * (x @ sample.log_total) - a @ logs
    psi_a, tri_a = psi(a), polygamma(1, a)
    slope = np.array(
        [
            x @ (m * (psi_a - psi(px)) + sample.log_total - logs),
            m @ (psi_a - psi(q) + theta[2]) - logs.sum(),
            q / g * m.sum() - a @ inverse,
        ]
    )
    bend = np.empty((3, 3))
    bend[0, 0] = (x * x * m) @ (tri_a - polygamma(1, px))
    bend[0, 1] = bend[1, 0] = (x * m) @ tri_a
    bend[0, 2] = bend[2, 0] = -(x @ inverse)
    bend[1, 1] = m @ (tri_a - polygamma(1, q))
    bend[1, 2] = bend[2, 1] = m.sum() / g - inverse.sum()
    bend[2, 2] = -q / g**2 * m.sum() + a @ squares
    size = np.array([p, q, g])
    return (
        float(value) + sample.constant,
        slope * size,
        bend * np.outer(size, size) + np.diag(slope * size),
    )


def maximise(sample: Sample, /) -> Fit:
    """Bounded quasi-Newton from two starts in turn, then Newton steps with the exact Hessian."""
    from scipy.optimize import minimize

    scale = float(sample.mass.sum())

    def loss(theta: Floats) -> tuple[float, Floats]:
        value, slope, _ = log_likelihood(theta, sample)
        return -value / scale, -slope / scale

    start = np.log([2.0, 3.0, 1.0])
    found = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-_LIMIT, _LIMIT)] * 3,
        options={"ftol": 1e-13, "gtol": 1e-7, "maxiter": 500},
    )
    theta = np.asarray(found.x, np.float64)
    value, slope, bend = log_likelihood(theta, sample)
    for _ in range(20):
        if np.abs(slope).max() <= 1e-9 * scale:
            break
        try:
            step = np.linalg.solve(bend, slope)
        except np.linalg.LinAlgError:
            break
        trial = theta - step * min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-300))
        if np.abs(trial).max() > _LIMIT:
            break
        better, slope_there, bend_there = log_likelihood(trial, sample)
        if not better >= value - 1e-12 * abs(value):
            break
        theta, value, slope, bend = trial, better, slope_there, bend_there
    covariance = _inverse(-bend)
    boundary = covariance is None or bool(np.abs(theta).max() > _LIMIT - 2)
    return Fit(
        parameters=np.exp(theta),
        covariance=None if boundary else covariance,
        log_likelihood=value,
        boundary=boundary,
    )


def _inverse(information: Floats) -> Floats | None:
    try:
        np.linalg.cholesky(information)
    except np.linalg.LinAlgError:
        return None
    covariance = np.linalg.inv(information).astype(np.float64)
    return covariance if bool(np.isfinite(covariance).all() and np.diag(covariance).max() < 100.0) else None
