"""How much each touchpoint matters for what customers think of the brand as a whole, derived from their answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.columns import numbers, same_length
from crmcore.metrics.estimate_tables import EstimateTable
from crmcore.metrics.estimates import Estimate, check_level, estimate_of
from crmcore.metrics.intervals import fisher_interval
from crmcore.metrics.scalars import count_of, named

__all__ = ["derived_importance"]

Floats = NDArray[np.float64]
Method = Literal["correlation", "shapley"]
MOST = 15  # touchpoints of the exact decomposition: 2^15 regressions from one correlation matrix


def derived_importance(
    performance: Mapping[str, ArrayLike],
    overall: ArrayLike,
    /,
    *,
    method: Method = "correlation",
    level: float = 0.95,
    draws: int = 500,
    seed: int | np.random.Generator = 0,
) -> EstimateTable:
    """Importance of touchpoints, from how answers about each go with the overall answer.

    Parameters
    ----------
    performance : touchpoint -> (n,) answers
        Row i of every column is the same customer; NaN and None where somebody did not meet the touchpoint.
    overall : (n,) answers
        Satisfaction with the whole, or the likelihood to recommend.
    method : text
        "correlation" (default): Pearson's, over those who answered both, with Fisher's z interval. Touchpoints that go
        together share their importance twice. "shapley": each touchpoint's share of the explained variance, averaged
        over all orders in which it can enter the regression (Lindeman, Merenda & Gold 1980); they add up to R squared.
        Complete rows only, at most 15 touchpoints, intervals by bootstrap over customers.
    level : share
    draws, seed
        Of the bootstrap.

    Returns
    -------
    EstimateTable
        The most important first; ties by name. NaN where fewer than four customers answered both, or all alike.

    Raises
    ------
    EmptyInput, OutOfRange
        No touchpoint; no complete row; columns of several lengths; too many touchpoints for "shapley".

    Examples
    --------
    >>> web, shop = [1, 2, 3, 4, 5, 5], [3, 1, 4, 2, 5, 3]
    >>> print(derived_importance({"web": web, "shop": shop}, [1, 2, 3, 4, 5, 5]).labels)
    ('web', 'shop')
    """
    check_level(level)
    named("method", method, ("correlation", "shapley"))
    if not performance:
        raise EmptyInput("performance", "pass the answers about at least one touchpoint")
    columns = {name: numbers(name, cells, infinite_ok=False) for name, cells in performance.items()}
    target = numbers("overall", overall, infinite_ok=False)
    same_length("derived_importance", **columns, overall=target)
    if method == "correlation":
        found = {name: _fisher(x, target, level) for name, x in columns.items()}
        about = "correlation of each touchpoint with the overall answer"
    else:
        found = _shapley(columns, target, level, count_of("draws", draws, least=2), np.random.default_rng(seed))
        about = "share of the variance of the overall answer that each touchpoint explains"
    order = sorted(found, key=lambda name: (math.isnan(found[name].value), -np.nan_to_num(found[name].value), name))
    return EstimateTable(labels=tuple(order), estimates=tuple(found[n] for n in order), what="touchpoint", about=about)


def _fisher(x: Floats, y: Floats, level: float) -> Estimate:
    both = ~np.isnan(x) & ~np.isnan(y)
    n, rule = int(both.sum()), "correlation with the overall answer"
    a, b = x[both], y[both]
    if n < 4 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return estimate_of(math.nan, math.nan, math.nan, level=level, n=n, rule=rule, method="fisher z")
    r = float(np.clip(np.corrcoef(a, b)[0, 1], -1, 1))
    low, high = fisher_interval(r, n, level=level)
    return estimate_of(r, low, high, level=level, n=n, rule=rule, method="fisher z")


def _shapley(
    columns: Mapping[str, Floats], target: Floats, level: float, draws: int, rng: np.random.Generator
) -> dict[str, Estimate]:
    if len(columns) > MOST:
        raise OutOfRange(
            "touchpoints", len(columns), f"at most {MOST}", "join touchpoints, or take method='correlation'"
        )
    rows = np.column_stack([*columns.values(), target])
    rows = rows[~np.isnan(rows).any(axis=1)]
    n, k = len(rows), len(columns)
    if n < k + 3:
        raise EmptyInput("rows with all answers", f"at least {k + 3} are needed; take method='correlation' otherwise")
    value = shares_of_variance(np.cov(rows.T))
    again = np.stack([shares_of_variance(np.cov(rows[rng.integers(n, size=n)].T)) for _ in range(draws)])
    low, high = np.nanquantile(again, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return {
        name: estimate_of(
            value[i], low[i], high[i], level=level, n=n, rule="share of explained variance", method="bootstrap"
        )
        for i, name in enumerate(columns)
    }


def shares_of_variance(covariance: Floats, /) -> Floats:
    """Shapley shares of R squared of the last variable on the others.

    Parameters
    ----------
    covariance : (k + 1, k + 1)

    Returns
    -------
    (k,) shares
        They add up to R squared; columns without variance explain nothing.

    Examples
    --------
    >>> shares_of_variance(np.array([[1, 0, 0.6], [0, 1, 0.3], [0.6, 0.3, 1.0]])).round(4).tolist()
    [0.36, 0.09]
    """
    k = len(covariance) - 1
    explained = np.zeros(2**k)
    within, across, whole = covariance[:k, :k], covariance[:k, k], covariance[k, k]
    for subset in range(1, 2**k):
        members = [i for i in range(k) if subset >> i & 1]
        inner = within[np.ix_(members, members)]
        # the pseudo-inverse leaves out columns that say the same
        explained[subset] = across[members] @ np.linalg.pinv(inner, hermitian=True) @ across[members]
    explained /= whole if whole > 0 else 1.0
    sizes = np.array([int(s).bit_count() for s in range(2**k)])
    weight = np.array([math.factorial(s) * math.factorial(k - s - 1) / math.factorial(k) for s in range(k)])
    without = [np.flatnonzero((np.arange(2**k) >> i & 1) == 0) for i in range(k)]
    return np.array([(weight[sizes[s]] * (explained[s | 1 << i] - explained[s])).sum() for i, s in enumerate(without)])
