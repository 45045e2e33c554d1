"""Exact two-sided tests of counts: the sum of all probabilities that are not larger than that of what was seen."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["binomial_exact", "fisher_exact", "multinomial_exact", "splits"]

Floats = NDArray[np.float64]

TIED = 1e-7  # equal probabilities differ by rounding; this relative tolerance is that of R and scipy


def fisher_exact(k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike, /) -> Floats:
    """Two-sided p-value of Fisher's exact test of equal shares; 1 where a group or an outcome is empty.

    Parameters
    ----------
    k1, n1, k2, n2 : (m,) whole counts
        Successes and trials of two independent groups.

    Returns
    -------
    (m,) shares
        Sum of the hypergeometric probabilities that are not larger than that of what was seen.

    Examples
    --------
    >>> fisher_exact([9, 19], [10, 20], [3, 49], [10, 60]).round(4)
    array([0.0198, 0.2767])
    """
    columns = np.broadcast_arrays(*(np.asarray(x, np.float64) for x in (k1, n1, k2, n2)))
    flat = [_fisher(*map(int, row)) for row in zip(*(c.ravel() for c in columns), strict=True)]
    return np.array(flat, np.float64).reshape(columns[0].shape)


def _fisher(k1: int, n1: int, k2: int, n2: int) -> float:
    from scipy.special import gammaln

    k = k1 + k2
    x = np.arange(max(0, k - n2), min(k, n1) + 1, dtype=np.float64)
    log = -(gammaln(x + 1) + gammaln(n1 - x + 1) + gammaln(k - x + 1) + gammaln(n2 - k + x + 1))
    return _not_larger(log, int(k1 - x[0]))


def _not_larger(log_mass: Floats, seen: int) -> float:
    mass = np.exp(log_mass - log_mass.max())
    rare = log_mass <= log_mass[seen] + TIED
    return float(min(mass[rare].sum() / mass.sum(), 1.0))


def binomial_exact(k: ArrayLike, n: ArrayLike, p: ArrayLike, /) -> Floats:
    """Two-sided p-value of k successes in n trials where each succeeds with probability p; 1 without trials.

    Parameters
    ----------
    k, n : (m,) whole counts
    p : (m,) shares
        Under the hypothesis, within (0, 1).

    Returns
    -------
    (m,) shares

    Examples
    --------
    >>> binomial_exact([9, 5], [10, 10], 0.5).round(4)
    array([0.0215, 1.    ])
    """
    columns = np.broadcast_arrays(*(np.asarray(x, np.float64) for x in (k, n, p)))
    flat = [_binomial(*row) for row in zip(*(c.ravel().tolist() for c in columns), strict=True)]
    return np.array(flat, np.float64).reshape(columns[0].shape)


def _binomial(k: float, n: float, p: float) -> float:
    from scipy.special import gammaln, xlog1py, xlogy

    x = np.arange(int(n) + 1, dtype=np.float64)
    log = xlogy(x, p) + xlog1py(n - x, -p) - gammaln(x + 1) - gammaln(n - x + 1)
    return _not_larger(log, int(k))


def splits(total: int, parts: int, /) -> int:
    """In how many ways `total` customers can fall into `parts` arms.

    Examples
    --------
    >>> splits(10, 3)
    66
    """
    return math.comb(total + parts - 1, parts - 1)


def multinomial_exact(counts: ArrayLike, shares: ArrayLike, /) -> float:
    """Two-sided p-value of a split, by listing all splits (see `splits` for how many).

    Parameters
    ----------
    counts : (k,) whole counts
    shares : (k,) shares
        Under the hypothesis, above 0, of sum 1.

    Examples
    --------
    >>> round(multinomial_exact([7, 1, 2], [0.5, 0.25, 0.25]), 4)
    0.5065
    """
    from scipy.special import gammaln

    seen = np.asarray(counts, np.float64)
    p = np.asarray(shares, np.float64)
    total = int(seen.sum())
    # A split is a choice of k - 1 bars among total + k - 1 places; the gaps are the counts.
    places = np.array(list(combinations(range(total + len(seen) - 1), len(seen) - 1)), np.int64)
    fence = np.pad(places, ((0, 0), (1, 1)), constant_values=((0, 0), (-1, total + len(seen) - 1)))
    every = (np.diff(fence, axis=1) - 1).astype(np.float64)
    log = every @ np.log(p) - gammaln(every + 1).sum(axis=1)
    at = int(np.flatnonzero((every == seen).all(axis=1))[0])
    return _not_larger(log, at)
