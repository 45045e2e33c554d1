"""Kernels of penalised logistic regression: Newton steps with weights, a ridge, and signs that are obeyed."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import NotConverged

__all__ = ["Fitted", "fit_logistic", "log_loss_of", "probabilities"]

Floats = NDArray[np.float64]
STEPS = 100
TOLERANCE = 1e-10  # of the projected gradient, as a share of the weight of all rows


@attrs.frozen(eq=False)
class Fitted:
    """Where the objective is least.

    Attributes
    ----------
    coefficients : (p + 1,) numbers
        The intercept first.
    covariance : (p + 1, p + 1)
        Inverse of the penalised information; 0 for a coefficient that rests on its bound.
    steps : count
        Newton steps.
    effective : count
        Effective number of parameters, the intercept included.
    """

    coefficients: Floats
    covariance: Floats
    steps: int
    effective: float


def probabilities(logit: Floats, /) -> Floats:
    """1 / (1 + exp(-logit)), without overflow.

    Examples
    --------
    >>> probabilities(np.array([-800.0, 0.0, 800.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    small = np.exp(-np.abs(logit))
    out: Floats = np.where(logit >= 0, 1.0, small) / (1.0 + small)
    return out


def log_loss_of(logit: Floats, happened: Floats, weight: Floats, /) -> float:
    """Weighted sum of -log likelihood.

    Examples
    --------
    >>> round(log_loss_of(np.zeros(2), np.array([0.0, 1.0]), np.ones(2)), 4)
    1.3863
    """
    return float(weight @ (np.logaddexp(0.0, logit) - happened * logit))


def fit_logistic(
    matrix: Floats,
    happened: Floats,
    weight: Floats,
    /,
    *,
    penalty: float,
    signs: NDArray[np.int64] | None = None,
    start: Floats | None = None,
    offset: Floats | None = None,
    tolerance: float = TOLERANCE,
) -> Fitted:
    """Minimise Σ w (log(1 + exp η) − y η) + penalty/2 · Σ β², η = offset + β₀ + Xβ, subject to signs of β.

    Projected Newton: coefficients that rest on 0 and are pushed against their sign leave the system, the others take
    a Newton step whose length is halved until the objective falls. Bertsekas (1982), SIAM J. Control 20:221.

    Parameters
    ----------
    matrix : (n, p)
        Without a column for the intercept, which is never penalised.
    happened, weight : (n,)
        0 or 1; 0 or more.
    signs : (p,) of -1, 0, +1, optional
        0 is free.
    start, offset : (p + 1,), (n,), optional
        First guess; a known part of the logit.
    tolerance : number
        Of the largest slope, a row.

    Raises
    ------
    NotConverged
        Without a penalty where a column tells the outcomes apart without error: the coefficient has no end.
    """
    n, p = matrix.shape
    x = np.concatenate([np.ones((n, 1)), matrix], axis=1)
    ridge = np.r_[0.0, np.full(p, penalty)]
    sign = np.zeros(p + 1) if signs is None else np.r_[0.0, signs]
    known = np.zeros(n) if offset is None else offset
    share = float(weight @ happened / weight.sum())
    beta = np.r_[np.log(share / (1 - share)), np.zeros(p)] if start is None else start.copy()
    beta[beta * sign < 0] = 0.0
    size = float(weight.sum())

    def objective(b: Floats) -> float:
        return log_loss_of(known + x @ b, happened, weight) + float(ridge @ b**2) / 2

    now, gap, step = objective(beta), np.inf, 0
    while (step := step + 1) <= STEPS:
        chance = probabilities(known + x @ beta)
        gradient = x.T @ (weight * (chance - happened)) + ridge * beta
        held = (sign != 0) & (beta == 0) & (gradient * sign > 0)
        gap = float(np.abs(np.where(held, 0.0, gradient)).max()) / size
        if gap < tolerance:
            break
        free = ~held
        move = np.zeros(p + 1)
        move[free] = -_solve(_information(x[:, free], weight, chance, ridge[free]), gradient[free])
        length = 1.0
        while True:
            trial = beta + length * move
            trial[trial * sign < 0] = 0.0
            then = objective(trial)
            if then <= now or length < 1e-10:
                break
            length /= 2
        beta, before, now = trial, now, then
        if before - now <= 1e-15 * abs(before) and gap < 1e-7:
            break
    else:
        if gap > 1e-7 or np.abs(beta).max() > 30:
            raise _endless(step, gap)
    if penalty == 0 and np.abs(x @ beta).max() > 30:
        raise _endless(step, gap)
    return _finished(x, weight, beta, ridge, sign, known, happened, step)


def _endless(step: int, gap: float) -> NotConverged:
    hint = "a column tells both outcomes apart without error: give a penalty above 0, or drop what knows the outcome"
    return NotConverged("logistic regression", step, gap, hint)


def _finished(
    x: Floats, weight: Floats, beta: Floats, ridge: Floats, sign: Floats, known: Floats, happened: Floats, steps: int
) -> Fitted:
    chance = probabilities(known + x @ beta)
    gradient = x.T @ (weight * (chance - happened)) + ridge * beta
    free = ~((sign != 0) & (beta == 0) & (gradient * sign > 0))
    information = _information(x[:, free], weight, chance, ridge[free])
    inverse = _inverse(information)
    covariance = np.zeros((len(beta), len(beta)))
    covariance[np.ix_(free, free)] = inverse
    effective = float(np.trace(inverse @ (information - np.diag(ridge[free]))))
    return Fitted(beta, covariance, steps, effective)


def _information(x: Floats, weight: Floats, chance: Floats, ridge: Floats) -> Floats:
    scaled = x * np.sqrt(weight * chance * (1 - chance))[:, None]
    found: Floats = scaled.T @ scaled + np.diag(ridge)  # of one array with itself: half the work
    return found


def _solve(information: Floats, gradient: Floats) -> Floats:
    """Newton direction; a singular system (columns that repeat each other without a penalty) takes the shortest."""
    try:
        lower = np.linalg.cholesky(information)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(information, gradient, rcond=1e-12)[0], np.float64)
    return np.asarray(np.linalg.solve(lower.T, np.linalg.solve(lower, gradient)), np.float64)


def _inverse(information: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.inv(information), np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(information, hermitian=True), np.float64)
