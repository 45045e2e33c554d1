"""Empirical Bayes: estimates of many groups pulled towards each other, the more the less is known of one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["beta_prior", "shrink_means"]

Floats = NDArray[np.float64]
_LARGEST = 1e6  # prior observations: groups that differ no more than chance are one


def shrink_means(means: Floats, variances: Floats, /) -> tuple[Floats, Floats, float]:
    """Posterior means and variances of groups under a normal prior whose spread is estimated.

    The variance between groups is Paule & Mandel's (1982): the one at which the weighted sum of squares about the mean
    equals its degrees of freedom; 0 where the groups differ no more than their errors say. Uncertainty of the common
    mean is carried into the posterior variances.

    Parameters
    ----------
    means, variances : (k,)
        Estimates and their squared standard errors, above 0; k of at least 1.

    Returns
    -------
    (k,) means, (k,) variances, variance between groups

    Examples
    --------
    >>> mean, variance, between = shrink_means(np.array([0.0, 10.0]), np.array([1.0, 1.0]))
    >>> mean.round(2).tolist(), round(between, 6)
    ([0.1, 9.9], 49.0)
    """
    between = _paule_mandel(means, variances)
    weight = 1 / (variances + between)
    centre = float((weight * means).sum() / weight.sum())
    pull = variances / (variances + between)
    posterior = (1 - pull) * means + pull * centre
    return posterior, (1 - pull) * variances + pull**2 / weight.sum(), between


def _paule_mandel(means: Floats, variances: Floats) -> float:
    def excess(between: float) -> float:
        weight = 1 / (variances + between)
        centre = (weight * means).sum() / weight.sum()
        return float((weight * (means - centre) ** 2).sum() - (len(means) - 1))

    if len(means) < 2 or excess(0.0) <= 0:
        return 0.0
    low, high = 0.0, float(np.var(means)) * 2 + 1e-12
    while excess(high) > 0:
        high *= 2
    for _ in range(200):  # the sum of squares falls with the variance: bisection cannot fail
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return (low + high) / 2


def beta_prior(successes: Floats, trials: Floats, /) -> tuple[float, float]:
    """Parameters of the beta prior that rates of groups were drawn from, by moments.

    The mean is the pooled rate; the spread is Kleinman's (1973) moment estimate. Groups that differ no more than chance
    get a prior so strong that all rates become the pooled one.

    Parameters
    ----------
    successes, trials : (k,)
        Trials above 0.

    Returns
    -------
    (a, b)

    Examples
    --------
    >>> a, b = beta_prior(np.array([10.0, 50.0, 90.0]), np.array([100.0, 100.0, 100.0]))
    >>> round(a / (a + b), 3), a + b < 3
    (0.5, True)
    """
    n, k = float(trials.sum()), len(trials)
    rate = float(successes.sum() + 0.5) / (n + 1)
    spread = float((trials * (successes / trials - rate) ** 2).sum())
    room = rate * (1 - rate)
    informative = n - float((trials**2).sum()) / n - (k - 1)  # 0 where every group was tried once
    correlation = (spread - room * (k - 1)) / (room * informative) if informative > 0 else 0.0
    size = _LARGEST if not correlation > 1 / (_LARGEST + 1) else max(1 / correlation - 1, 1e-3)
    return rate * size, (1 - rate) * size
