"""Medians and other quantiles with intervals that assume no shape: waiting times, resolution times, basket values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import UnknownName
from crmcore.metrics.columns import observed
from crmcore.metrics.comparing import Comparison
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, warn_if_small
from crmcore.metrics.scalars import seeded, share_of

__all__ = ["difference_in_medians", "median", "price_bonett_error", "quantile", "quantile_ranks"]

Floats = NDArray[np.float64]

DRAWS = 2000  # resamples; the ends of a 95 % interval then wander by about 3 % of its width


def quantile_ranks(n: int, q: float, /, *, level: float = 0.95) -> tuple[int, int, float]:
    """Ranks of the ordered values that bound a quantile, and the coverage that they have exactly.

    Parameters
    ----------
    n : count
        Independent values.
    q : share
        In (0, 1).
    level : share
        In (0, 1).

    Returns
    -------
    low, high, coverage : rank, rank, share
        Ranks from 1; 0 and n + 1 stand for "no value bounds it". Coverage is exact for continuous values and no less
        with ties.

    Notes
    -----
    The number of values below the quantile is binomial (n, q); each tail holds at most (1 − level)/2. David & Nagaraja
    (2003), Order Statistics, section 7.1.

    Examples
    --------
    >>> low, high, coverage = quantile_ranks(20, 0.5)
    >>> low, high, round(coverage, 4)
    (6, 15, 0.9586)
    """
    from scipy.special import bdtr

    check_level(level)
    tail = (1 - level) / 2
    below = bdtr(np.arange(n), n, q) if n else np.zeros(0)  # P(B <= 0), ..., P(B <= n - 1)
    low = int(np.searchsorted(below, tail * (1 + 1e-12), side="right"))
    high = int(np.searchsorted(below, 1 - tail * (1 + 1e-12), side="left")) + 1
    over = 1.0 if high > n else float(below[high - 1])
    return low, high, over - (float(below[low - 1]) if low else 0.0)


def _ordered(values: ArrayLike, name: str = "values") -> Floats:
    return np.sort(observed(values, name))


def _quantile(x: Floats, q: float, *, level: float, rule: str) -> Estimate:
    low, high, coverage = quantile_ranks(len(x), q, level=level)
    padded = np.concatenate(([-math.inf], x, [math.inf]))
    value = float(np.quantile(x, q)) if len(x) else math.nan
    # Interpolation between ranks may step out of the ranks that bound an extreme quantile.
    ends = min(float(padded[low]), value), max(float(padded[high]), value)
    if not len(x):
        ends = -math.inf, math.inf
    how = f"order statistics, covers {100 * coverage:.3g} %"
    return estimate_of(value, *ends, level=level, n=len(x), rule=rule, method=how)


def quantile(
    values: ArrayLike, q: float, *, level: float = 0.95, rule: str = "", small_sample_ok: bool = False
) -> Estimate:
    """Value below which a share q of a population lies, with a distribution-free interval.

    Parameters
    ----------
    values : (n,) numbers
        NaN and None are left out; ties are fine.
    q : share
        In (0, 1): 0.9 for "nine of ten customers wait less than".
    level : share
        Coverage at least aimed at; what the ranks reach stands in the method.
    rule : text
        What was measured, kept in the result.
    small_sample_ok : truth
        Silences `SmallSample`, which warns below 30 values.

    Returns
    -------
    Estimate
        Linear interpolation of ranks (Hyndman & Fan 1996, type 7); ends are observed values, infinite where the sample
        is too small to bound that side.

    Examples
    --------
    >>> hours = [1, 2, 2, 3, 4, 4, 5, 6, 8, 9, 12, 15, 18, 24, 30, 36, 48, 50, 60, 72] * 2
    >>> print(quantile(hours, 0.9))
    51 [36, 72] (95 %, n = 40, order statistics, covers 97 %)
    """
    share_of("q", q, hint="write the 90th percentile as q=0.9")
    x = _ordered(values)
    warn_if_small(len(x), "the quantile", ok=small_sample_ok)
    return _quantile(x, q, level=level, rule=rule or f"{100 * q:g} % quantile")


def median(values: ArrayLike, *, level: float = 0.95, rule: str = "median", small_sample_ok: bool = False) -> Estimate:
    """Middle value of a population with a distribution-free interval; see `quantile`.

    Examples
    --------
    >>> print(median([3, 5, 2, 8, 13, 1, 4, 9, 7, 6] * 4))
    5.5 [4, 7] (95 %, n = 40, order statistics, covers 96.2 %)
    """
    x = _ordered(values)
    warn_if_small(len(x), "the median", ok=small_sample_ok)
    return _quantile(x, 0.5, level=level, rule=rule)


def price_bonett_error(x: ArrayLike, /) -> float:
    """Standard error of a median of values in rising order; NaN for fewer than five.

    Notes
    -----
    (x₍ₙ₋c₊₁₎ − x₍c₎)/2z with c = (n + 1)/2 − √n, rounded, and z the normal quantile of the exact level of those ranks.
    Price & Bonett (2001), J. Statistical Computation and Simulation 68:295.

    Examples
    --------
    >>> round(price_bonett_error([1, 2, 3, 4, 5, 6, 7, 8, 9]), 3)
    1.454
    """
    from scipy.special import bdtr, ndtri

    ordered = np.asarray(x, np.float64)
    n = len(ordered)
    if n < 5:
        return math.nan
    c = max(round((n + 1) / 2 - math.sqrt(n)), 1)
    z = -float(ndtri(bdtr(c - 1, n, 0.5)))
    return float(ordered[n - c] - ordered[c - 1]) / (2 * z)


def difference_in_medians(
    a: ArrayLike,
    b: ArrayLike,
    *,
    level: float = 0.95,
    method: str = "price-bonett",
    seed: int | np.random.Generator | None = None,
    small_sample_ok: bool = False,
) -> Comparison:
    """Median of one group minus that of another, such as resolution times after and before a change.

    Parameters
    ----------
    a, b : columns of numbers
        Independent groups (a case counts in one of them); NaN and None are left out. The same customers twice are
        `ranks.paired_shift`.
    level : share
        Coverage aimed at.
    method : text
        `"price-bonett"` (default; closed form) or `"bootstrap"` (percentiles of 2,000 resamples of each group; needs
        `seed`).
    seed : int or Generator
        Only for the bootstrap.
    small_sample_ok : truth
        Silences `SmallSample`, which warns when either group has fewer than 30 values.

    Returns
    -------
    Comparison
        Each group's own interval is that of `median`. The p-value is that of the same standard error; NaN where a group
        has fewer than five values or no spread. For "is one group larger, anywhere" see `ranks.shift`.

    Notes
    -----
    d ± z √(s₁² + s₂²) with `price_bonett_error`: Price & Bonett (2002), J. Statistical Computation and Simulation
    72:119. Chosen over the bootstrap because it needs no seed and covered no less (tests/quality).

    Examples
    --------
    >>> before = [30, 42, 55, 61, 48, 39, 72, 90, 51, 44] * 4
    >>> after = [22, 35, 41, 50, 33, 28, 60, 75, 37, 31] * 4
    >>> print(difference_in_medians(after, before))
    difference -13.5 [-19.9, -7.06] (95 %, n = 80, price-bonett), p < 0.0001 (price-bonett z)
    """
    from scipy.special import ndtr

    from crmcore.metrics.intervals import normal_quantile

    if method not in ("price-bonett", "bootstrap"):
        raise UnknownName("interval method", method, ("price-bonett", "bootstrap"))
    x, y = _ordered(a, "a"), _ordered(b, "b")
    warn_if_small(min(len(x), len(y)), "the smaller group", ok=small_sample_ok)
    first, second = (_quantile(g, 0.5, level=level, rule="median") for g in (x, y))
    gap = first.value - second.value
    error = math.hypot(price_bonett_error(x), price_bonett_error(y))
    if method == "bootstrap":
        low, high = _bootstrap(x, y, level=level, seed=seed)
    else:
        low, high = gap - normal_quantile(level) * error, gap + normal_quantile(level) * error
    z = gap / error if error > 0 else None
    p = math.nan if z is None else 2 * float(ndtr(-abs(z)))
    n = len(x) + len(y)
    difference = estimate_of(gap, low, high, level=level, n=n, rule="first - second", method=method)
    parts: dict[str, Any] = {"first": first, "second": second, "difference": difference}
    return Comparison(**parts, p_value=p, test="price-bonett z", statistic=z)


def _bootstrap(x: Floats, y: Floats, *, level: float, seed: int | np.random.Generator | None) -> tuple[float, float]:
    if not (len(x) and len(y)):
        return math.nan, math.nan
    drawn = [_medians(group, rng) for group, rng in zip((x, y), seeded(seed).spawn(2), strict=True)]
    low, high = np.quantile(drawn[0] - drawn[1], [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _medians(x: Floats, rng: np.random.Generator) -> Floats:
    """Medians of resamples of values in rising order, without drawing the resamples.

    The j-th smallest of n uniform numbers is Beta(j, n − j + 1); the value at rank ceil(n u) of the sample is the j-th
    smallest of the resample. For even n the middle two come from one gap: the larger is u + (1 − u) Beta(1, n − j).
    """
    n = len(x)
    j = (n + 1) // 2
    u = rng.beta(j, n - j + 1, DRAWS)
    lower = x[np.minimum((u * n).astype(np.intp), n - 1)]
    if n % 2:
        return lower
    v = u + (1 - u) * rng.beta(1, n - j, DRAWS)
    return (lower + x[np.minimum((v * n).astype(np.intp), n - 1)]) / 2
