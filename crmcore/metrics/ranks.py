"""Shifts by ranks: Mann-Whitney with the Hodges-Lehmann shift, and the signed-rank twin for pairs."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.metrics.columns import observed, pairs_observed
from crmcore.metrics.comparing import Comparison
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, warn_if_small

__all__ = ["mann_whitney", "paired_shift", "rank_sum_mass", "shift", "signed_rank", "signed_rank_mass"]

Floats = NDArray[np.float64]

EXACT_GROUP = 50  # without ties, groups up to this size get the exact distribution; above, the normal is as good


def rank_sum_mass(m: int, n: int, /) -> Floats:
    """Probabilities of the Mann-Whitney U = 0 ... mn of two groups without ties, if both are alike.

    Mann & Whitney (1947), Annals of Mathematical Statistics 18:50: the coefficients of a Gaussian binomial.

    Examples
    --------
    >>> (rank_sum_mass(2, 2) * 6).round(6)
    array([1., 1., 2., 1., 1.])
    """
    half = m * n // 2
    ways = np.zeros(half + 1)
    ways[0] = 1.0
    for i in range(1, m + 1):  # times (1 - x^(n + i)) / (1 - x^i)
        ways[n + i :] -= ways[: max(half + 1 - n - i, 0)].copy()
        for start in range(min(i, half + 1)):
            ways[start::i] = np.cumsum(ways[start::i])
    # The upper half is the mirror of the lower: computed, its small numbers would drown in rounding.
    whole = np.concatenate([ways, ways[: m * n - half][::-1]])
    mass: Floats = whole / whole.sum()
    return mass


def signed_rank_mass(n: int, /) -> Floats:
    """Probabilities of the signed-rank sum 0 ... n(n + 1)/2 of n changes without ties, if both signs are alike.

    Wilcoxon (1945), Biometrics Bulletin 1:80: each rank enters with probability 1/2.

    Examples
    --------
    >>> signed_rank_mass(2)
    array([0.25, 0.25, 0.25, 0.25])
    """
    mass = np.ones(1)
    for rank in range(1, n + 1):
        longer = np.zeros(len(mass) + rank)
        longer[: len(mass)] += mass / 2
        longer[rank:] += mass / 2
        mass = longer
    return mass


def _two_sided(mass: Floats, statistic: float) -> float:
    """Twice the smaller tail, the statistic included."""
    at = round(statistic)
    return float(min(1.0, 2 * min(mass[: at + 1].sum(), mass[at:].sum())))


def _normal(distance: float, variance: float) -> float:
    """Two-sided p-value with the continuity correction of 1/2."""
    from scipy.special import ndtr

    return 2 * float(ndtr(-max(abs(distance) - 0.5, 0.0) / math.sqrt(variance))) if variance > 0 else math.nan


def _mid_ranks(x: Floats) -> tuple[Floats, Floats]:
    """Average ranks of values, and how often each distinct one occurs."""
    _, where, often = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(often)
    return (last - (often - 1) / 2)[where], often.astype(np.float64)


def mann_whitney(a: ArrayLike, b: ArrayLike, /) -> tuple[float, float, str]:
    """U of the first group, its two-sided p-value, and whether that is exact or normal.

    Returns
    -------
    u, p, how : number, share, text
        U counts pairs in which the first is larger, ties as half. Exact without ties where both groups have at most 50
        values, else normal with continuity correction and the variance of tied ranks. NaN where a group is empty or
        all values are alike.

    Examples
    --------
    >>> u, p, how = mann_whitney([12, 15, 18, 22, 30], [7, 9, 10, 11, 14, 16])
    >>> u, round(p, 4), how
    (27.0, 0.0303, 'exact')
    """
    x, y = observed(a, "a"), observed(b, "b")
    m, n = len(x), len(y)
    if not (m and n):
        return math.nan, math.nan, "normal"
    ranks, often = _mid_ranks(np.concatenate([x, y]))
    u = float(ranks[:m].sum()) - m * (m + 1) / 2
    if len(often) == m + n and max(m, n) <= EXACT_GROUP:
        return u, _two_sided(rank_sum_mass(m, n), u), "exact"
    total = m + n
    tied = float((often**3 - often).sum()) / (total * (total - 1))
    return u, _normal(u - m * n / 2, m * n / 12 * (total + 1 - tied)), "normal"


def signed_rank(changes: ArrayLike, /) -> tuple[float, float, str]:
    """Sum of the ranks of positive changes, its two-sided p-value, and whether that is exact or normal.

    Returns
    -------
    w, p, how : number, share, text
        Changes of 0 are left out (Wilcoxon's rule). Exact without ties up to 50 changes, else normal with continuity
        correction and the variance of tied ranks. NaN where nothing changed.

    Examples
    --------
    >>> w, p, how = signed_rank([3, -1, 5, 4, 7, 2, 6])
    >>> w, p, how
    (27.0, 0.03125, 'exact')
    """
    d = observed(changes, "changes")
    d = d[d != 0]
    n = len(d)
    if not n:
        return math.nan, math.nan, "normal"
    ranks, often = _mid_ranks(np.abs(d))
    w = float(ranks[d > 0].sum())
    if len(often) == n <= EXACT_GROUP:
        return w, _two_sided(signed_rank_mass(n), w), "exact"
    variance = n * (n + 1) * (2 * n + 1) / 24 - float((often**3 - often).sum()) / 48
    return w, _normal(w - n * (n + 1) / 4, variance), "normal"


def _kth(count: Callable[[float], int], low: float, high: float, k: int) -> float:
    """Smallest number at which `count` (of items not above it) reaches k, by halving: no list of all pairs is made."""
    while True:
        middle = low + (high - low) / 2
        if not low < middle < high:
            return high
        low, high = (low, middle) if count(middle) >= k else (middle, high)


def _centre_and_ends(
    count: Callable[[float], int], low: float, high: float, total: int, outside: int
) -> tuple[float, float, float]:
    """Median of `total` items and the two that leave `outside` items beyond each end (open where that is none)."""
    below = math.nextafter(low, -math.inf)
    middle = [_kth(count, below, high, k) for k in ((total + 1) // 2, total // 2 + 1)]
    if outside < 1:
        return sum(middle) / 2, -math.inf, math.inf
    return sum(middle) / 2, _kth(count, below, high, outside), _kth(count, below, high, total - outside + 1)


def _outside(mass: Floats | None, mean: float, variance: float, level: float) -> int:
    """Largest c for which P(statistic < c) is at most (1 − level)/2: the c-th smallest and largest items bound."""
    from crmcore.metrics.intervals import normal_quantile

    check_level(level)
    if mass is None:
        return math.floor(mean - normal_quantile(level) * math.sqrt(variance))
    return int(np.searchsorted(np.cumsum(mass), (1 - level) / 2 * (1 + 1e-12), side="right"))


def shift(a: ArrayLike, b: ArrayLike, *, level: float = 0.95, small_sample_ok: bool = False) -> Comparison:
    """How far one group lies above another (Hodges-Lehmann), tested by ranks (Mann-Whitney).

    Parameters
    ----------
    a, b : columns of numbers
        Independent groups; NaN and None are left out.
    level : share
        Coverage aimed at.
    small_sample_ok : truth
        Silences `SmallSample`, which warns when either group has fewer than 30 values.

    Returns
    -------
    Comparison
        `first` and `second` are the medians; `difference` is the median of all differences of pairs, which is not the
        difference of medians unless one group is the other moved. NaN where a group is empty.

    Notes
    -----
    The interval holds the shifts that the rank test would not reject: Hodges & Lehmann (1963), Annals of Mathematical
    Statistics 34:598; Moses in Lehmann (1975), Nonparametrics, section 2.6.

    Examples
    --------
    >>> print(shift([12, 15, 18, 22, 30], [7, 9, 10, 11, 14, 16], small_sample_ok=True))
    difference 7.5 [1, 19] (95 %, n = 11, hodges-lehmann), p = 0.0303 (mann-whitney, exact)
    """
    from crmcore.metrics.quantiles import median

    x, y = np.sort(observed(a, "a")), np.sort(observed(b, "b"))
    m, n = len(x), len(y)
    warn_if_small(min(m, n), "the smaller group", ok=small_sample_ok)
    _, p, how = mann_whitney(x, y)
    first, second = (median(g, level=level, small_sample_ok=True) for g in (x, y))
    value = low = high = math.nan
    if m and n:
        mass = rank_sum_mass(m, n) if max(m, n) <= EXACT_GROUP else None
        outside = _outside(mass, m * n / 2, m * n * (m + n + 1) / 12, level)

        def count(t: float) -> int:
            return m * n - int(np.searchsorted(y, x - t, side="left").sum())

        value, low, high = _centre_and_ends(count, float(x[0] - y[-1]), float(x[-1] - y[0]), m * n, outside)
    moved = estimate_of(value, low, high, level=level, n=m + n, rule="first - second", method="hodges-lehmann")
    return Comparison(first=first, second=second, difference=moved, p_value=p, test=f"mann-whitney, {how}")


def paired_shift(
    before: ArrayLike, after: ArrayLike, *, level: float = 0.95, small_sample_ok: bool = False
) -> Comparison:
    """Typical change of the same customers, after minus before, tested by signed ranks.

    Parameters
    ----------
    before, after : (n,) numbers
        Row i of both is one customer; rows where either is missing are left out.
    level : share
        Coverage aimed at.
    small_sample_ok : truth
        Silences `SmallSample`, which warns below 30 pairs.

    Returns
    -------
    Comparison
        `first` and `second` are the medians after and before; `difference` is the pseudo-median, the median of the
        means of all pairs of changes, with the interval of the changes that the signed-rank test would not reject
        (Tukey 1949; Hollander, Wolfe & Chicken 2014, sections 3.2 and 3.3).

    Examples
    --------
    >>> print(paired_shift([9, 7, 8, 6, 9, 5, 8], [12, 6, 13, 10, 16, 7, 14], small_sample_ok=True))
    difference 4 [1, 6] (95 %, n = 7, pseudo-median), p = 0.0312 (signed rank, exact)
    """
    from crmcore.metrics.quantiles import median

    old, new = pairs_observed(before, after, names=("before", "after"))
    d = np.sort(new - old)
    n = len(d)
    warn_if_small(n, "the paired shift", ok=small_sample_ok)
    _, p, how = signed_rank(d)
    first, second = (median(g, level=level, small_sample_ok=True) for g in (new, old))
    change = (
        _pseudo_median(d, level=level)
        if n
        else estimate_of(math.nan, math.nan, math.nan, level=level, n=0, rule="after - before", method="pseudo-median")
    )
    return Comparison(first=first, second=second, difference=change, p_value=p, test=f"signed rank, {how}")


def _pseudo_median(d: Floats, *, level: float) -> Estimate:
    n = len(d)
    mass = signed_rank_mass(n) if n <= EXACT_GROUP else None
    outside = _outside(mass, n * (n + 1) / 4, n * (n + 1) * (2 * n + 1) / 24, level)

    def count(t: float) -> int:  # pairs i <= j with (d_i + d_j)/2 <= t
        ordered = int(np.searchsorted(d, 2 * t - d, side="right").sum())
        return (ordered + int(np.searchsorted(d, t, side="right"))) // 2

    value, low, high = _centre_and_ends(count, float(d[0]), float(d[-1]), n * (n + 1) // 2, outside)
    return estimate_of(value, low, high, level=level, n=n, rule="after - before", method="pseudo-median")
