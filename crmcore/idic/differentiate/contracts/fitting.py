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
NEWTON = 12  # steps


@attrs.frozen(kw_only=True, eq=False)
class Found:
    """The optimum, and what is known about it."""

    theta: Floats
    covariance: tuple[tuple[float, ...], ...] | None
    log_likelihood: float


def fit_log(likelihood: Likelihood, start: Floats, /, *, sample: Likelihood | None = None, share: float = 1.0) -> Found:
    """Largest likelihood over log parameters in [-12, 12]; no covariance where the optimum is at a bound.

    L-BFGS-B comes near, Newton's steps with one Hessian end it; where these do not help, L-BFGS-B goes on alone.

    Parameters
    ----------
    likelihood : theta -> value, gradient
    start : log parameters
    sample : likelihood of some of the data, optional
        Where data are many: it finds the way and gives the Hessian, and all data correct the end.
    share : share of the weight of all data that the sample has

    Examples
    --------
    >>> found = fit_log(lambda t: (-float((t[0] - 1) ** 2), -2 * (t - 1)), np.zeros(1))
    >>> round(float(found.theta[0]), 6), round(found.covariance[0][0], 4)
    (1.0, 0.5)
    """
    few = likelihood if sample is None else sample
    theta, value = _climbed(few, start, rough=True)
    bend = _information(few, theta) / share
    done = _newton(likelihood, theta, bend) if np.abs(theta).max() < LIMIT - 1 else None
    if done is None:
        theta, value = _climbed(likelihood, theta, rough=False)
        bend = _information(few, theta) / share
        return Found(theta=theta, covariance=_inverse(bend, theta), log_likelihood=value)
    theta, value = done
    return Found(theta=theta, covariance=_inverse(bend, theta), log_likelihood=value)


def _climbed(likelihood: Likelihood, start: Floats, *, rough: bool) -> tuple[Floats, float]:
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
        options={"ftol": 1e-9, "maxiter": 200} if rough else {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 500},
    )
    return np.asarray(found.x, np.float64), -float(found.fun) * scale


def _newton(likelihood: Likelihood, theta: Floats, bend: Floats) -> tuple[Floats, float] | None:
    """Steps with one Hessian until they are nothing; None where it is no good or they do not settle."""
    try:
        root = np.linalg.cholesky(bend)
    except np.linalg.LinAlgError:
        return None
    best = -np.inf
    for _ in range(NEWTON):
        value, slope = likelihood(theta)
        if not value >= best - 1e-9 * abs(best):
            return None
        best = value
        step = np.linalg.solve(root.T, np.linalg.solve(root, slope))
        if not np.abs(step).max() < 1.0 or np.abs(theta + step).max() > LIMIT - 1:
            return None
        theta = theta + step
        if float(slope @ step) < 1e-10 or np.abs(step).max() < 1e-9:
            return theta, value + 0.5 * float(slope @ step)
    return None


def _information(likelihood: Likelihood, theta: Floats) -> Floats:
    """Negative Hessian by central differences of the gradient."""
    h = 1e-4
    bend = np.array(
        [(likelihood(theta + h * e)[1] - likelihood(theta - h * e)[1]) / (2 * h) for e in np.eye(len(theta))]
    )
    return np.asarray(-(bend + bend.T) / 2, np.float64)


def _inverse(information: Floats, theta: Floats) -> tuple[tuple[float, ...], ...] | None:
    if np.abs(theta).max() > LIMIT - 1 or not np.isfinite(information).all():
        return None
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
