"""Maximum likelihood in log parameters with bounds, and a covariance from differences of the exact gradient."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["Found", "draws", "fit_log"]

Floats = NDArray[np.float64]
Likelihood = Callable[[Floats], tuple[float, Floats]]
LIMIT = 12.0


@attrs.frozen(kw_only=True, eq=False)
class Found:
    """The optimum, and what is known about it."""

    theta: Floats
    covariance: tuple[tuple[float, ...], ...] | None
    log_likelihood: float


def fit_log(likelihood: Likelihood, start: Floats, /) -> Found:
    """Largest likelihood over log parameters in [-12, 12]; no covariance where the optimum is at a bound.

    Examples
    --------
    >>> found = fit_log(lambda t: (-float((t[0] - 1) ** 2), -2 * (t - 1)), np.zeros(1))
    >>> round(float(found.theta[0]), 6), round(found.covariance[0][0], 4)
    (1.0, 0.5)
    """
    from scipy.optimize import minimize

    scale = max(abs(likelihood(start)[0]), 1.0)

    def loss(theta: Floats) -> tuple[float, Floats]:
        value, slope = likelihood(theta)
        return -value / scale, -slope / scale

    found = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-LIMIT, LIMIT)] * len(start),
        options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 500},
    )
    theta = np.asarray(found.x, np.float64)
    return Found(theta=theta, covariance=_covariance(likelihood, theta), log_likelihood=likelihood(theta)[0])


def _covariance(likelihood: Likelihood, theta: Floats) -> tuple[tuple[float, ...], ...] | None:
    if np.abs(theta).max() > LIMIT - 1:
        return None
    h = 1e-5
    bend = np.array(
        [(likelihood(theta + h * e)[1] - likelihood(theta - h * e)[1]) / (2 * h) for e in np.eye(len(theta))]
    )
    information = -(bend + bend.T) / 2
    try:
        np.linalg.cholesky(information)
    except np.linalg.LinAlgError:
        return None
    covariance = np.linalg.inv(information)
    return tuple(map(tuple, covariance.tolist())) if np.diag(covariance).max() < 25.0 else None


def draws(
    theta: Floats, covariance: tuple[tuple[float, ...], ...] | None, /, *, n: int, rng: np.random.Generator
) -> Floats | None:
    """(n, k) draws of log parameters from their Laplace posterior; None where there is no covariance."""
    if covariance is None:
        return None
    root = np.linalg.cholesky(np.array(covariance))
    return theta + rng.standard_normal((n, len(theta))) @ root.T
