"""Means with intervals: one group, two groups, the same customers twice, and ratios of two totals."""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import OutOfRange, UnknownName
from crmcore.metrics.columns import observed, pairs_observed
from crmcore.metrics.comparing import Comparison
from crmcore.metrics.design import Linearised, Population, linearised_mean, linearised_ratio
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, warn_if_small
from crmcore.metrics.intervals import t_interval
from crmcore.metrics.scalars import hold_counts, hold_reals, named
from crmcore.metrics.skewed import hall_interval

__all__ = ["Moments", "mean", "paired_difference", "ratio", "welch"]

Floats = NDArray[np.float64]

MEAN_METHODS = ("t", "hall")
LARGEST_VALUE = 1e150  # squares of larger values overflow


@attrs.frozen
class Moments:
    """n, mean and sum of squared deviations of numbers, addable: shards, days and stores add up before any estimate.

    Parameters
    ----------
    n : count
    mean : number
        0 where n = 0.
    m2 : number
        Sum of (value − mean)², at least 0.

    Notes
    -----
    The merge is that of Chan, Golub & LeVeque (1983), The American Statistician 37:242: no cancellation where the mean
    is large beside the spread.

    Examples
    --------
    >>> Moments.of([1, 2, 3]) + Moments.of([4, 5])
    Moments(n=5, mean=3.0, m2=10.0)
    >>> print(Moments.of([1, 2, 3, 4, 5] * 8).estimate())
    3 [2.54, 3.46] (95 %, n = 40, t)
    """

    n: int = 0
    mean: float = 0.0
    m2: float = 0.0

    def __attrs_post_init__(self) -> None:
        hold_counts(self, "n", hint="Moments.of(values) counts")
        hold_reals(self, "mean", "m2", hint="Moments.of(values) sums")
        if not (math.isfinite(self.mean) and math.isfinite(self.m2) and self.m2 >= 0):
            raise OutOfRange("mean, m2", (self.mean, self.m2), "finite numbers, m2 from 0", "Moments.of(values) sums")

    @classmethod
    def of(cls, values: ArrayLike, *, counts: ArrayLike | None = None) -> Moments:
        """Moments of a column; NaN and None are left out.

        Parameters
        ----------
        values : (n,) numbers
        counts : (n,) whole numbers, optional
            How often each value was seen. Weights of a survey are something else: `mean(values, weights=...)`.

        Examples
        --------
        >>> Moments.of([1, 5], counts=[3, 1]) == Moments.of([1, 1, 1, 5])
        True
        """
        if counts is None:
            column = observed(values)
            often = np.ones(len(column))
        else:
            column, often = pairs_observed(values, counts, names=("values", "counts"))
            if not ((often >= 0) & (often == np.floor(often))).all():
                hint = "survey weights: metrics.mean(values, weights=...)"
                raise OutOfRange("counts", float(often.min()), "whole numbers from 0", hint)
        n = float(often.sum())
        if not n:
            return cls()
        if len(column) and np.abs(column).max() > LARGEST_VALUE:
            raise OutOfRange("values", "beyond 1e150", "numbers whose squares can be held", "choose a larger unit")
        centre = float(often @ column) / n
        off = column - centre
        slip = float(often @ off) / n  # what rounding left in the mean
        return cls(int(n), centre + slip, max(float(often @ (off * off)) - n * slip * slip, 0.0))

    def __add__(self, other: Moments) -> Moments:
        if not (self.n and other.n):
            return self if self.n else other
        n = self.n + other.n
        gap = other.mean - self.mean
        mean = (self.n * self.mean + other.n * other.mean) / n
        return Moments(n, mean, self.m2 + other.m2 + gap * gap * self.n * (other.n / n))

    @property
    def variance(self) -> float:
        """Sample variance, m2/(n − 1); NaN for fewer than two values."""
        return self.m2 / (self.n - 1) if self.n > 1 else math.nan

    @property
    def standard_error(self) -> float:
        """Standard error of the mean; NaN for fewer than two values."""
        return math.sqrt(self.variance / self.n) if self.n > 1 else math.nan

    def estimate(self, *, level: float = 0.95, rule: str = "mean", small_sample_ok: bool = False) -> Estimate:
        """The mean with Student's interval; NaN ends for fewer than two values."""
        warn_if_small(int(self.n), "the mean", ok=small_sample_ok)
        return _estimate(self, level=level, rule=rule)

    def minus(self, other: Moments, /, *, level: float = 0.95) -> Comparison:
        """Difference of two independent means with Welch's interval and test.

        Returns
        -------
        Comparison
            d ± t s with s² = s₁²/n₁ + s₂²/n₂ and s⁴/Σ(sᵢ²/nᵢ)²/(nᵢ − 1) degrees of freedom: Welch (1947),
            Biometrika 34:28. NaN where a group has fewer than two values; the p-value too where neither varies.

        Examples
        --------
        >>> print(Moments.of([5, 6, 7, 8]).minus(Moments.of([1, 2, 3, 5, 2])))
        difference 3.9 [1.68, 6.12] (95 %, n = 9, welch), p = 0.0043 (welch t)
        """
        check_level(level)
        first, second = (_estimate(m, level=level, rule="mean") for m in (self, other))
        low, high, p = welch(self, other, level=level)
        gap = first.value - second.value
        error = math.hypot(self.standard_error, other.standard_error)
        t = gap / error if error > 0 else None
        difference = estimate_of(gap, low, high, level=level, n=self.n + other.n, rule="first - second", method="welch")
        return Comparison(first=first, second=second, difference=difference, p_value=p, test="welch t", statistic=t)


def _estimate(moments: Moments, *, level: float, rule: str) -> Estimate:
    value = moments.mean if moments.n else math.nan
    low, high = t_interval(value, moments.standard_error, moments.n - 1, level=level)
    return estimate_of(value, low, high, level=level, n=moments.n, rule=rule, method="t")


def welch(a: Moments, b: Moments, /, *, level: float) -> tuple[float, float, float]:
    """Low and high end and two-sided p-value of Welch's test of equal means.

    Examples
    --------
    >>> low, high, p = welch(Moments(30, 5.0, 29.0), Moments(30, 4.0, 29.0), level=0.95)
    >>> round(low, 3), round(high, 3), round(p, 5)
    (0.483, 1.517, 0.00028)
    """
    from scipy.special import stdtr

    if min(a.n, b.n) < 2:
        return math.nan, math.nan, math.nan
    va, vb = a.variance / a.n, b.variance / b.n
    gap, error = a.mean - b.mean, math.sqrt(va + vb)
    if not error:
        return gap, gap, math.nan
    share = va / (va + vb)  # of the variance, so that tiny variances do not underflow when squared
    df = 1 / (share**2 / (a.n - 1) + (1 - share) ** 2 / (b.n - 1))
    low, high = t_interval(gap, error, df, level=level)
    return float(low), float(high), 2 * float(stdtr(df, -abs(gap) / error))


def mean(
    values: ArrayLike,
    *,
    level: float = 0.95,
    method: str = "t",
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    population: Population | None = None,
    rule: str = "mean",
    small_sample_ok: bool = False,
) -> Estimate:
    """Mean of a column with its interval, for one answer a customer or for weights, clusters, strata.

    Parameters
    ----------
    values : (n,) numbers
        NaN and None (no answer) are left out.
    level : share
        Coverage aimed at.
    method : text
        `"t"` (default) is right for scores and for large n; `"hall"` for skewed amounts such as spend, where "t"
        covers too little (see `skewed.hall_interval`).
    weights, clusters, strata, population
        What the sampling did; see `design.linearised_ratio`. With `clusters` the n that counts is that of customers.
    rule : text
        What was averaged, kept in the result.
    small_sample_ok : truth
        Silences `SmallSample`, which warns when fewer than 30 values (units, with clusters) were observed.

    Returns
    -------
    Estimate
        NaN where nothing was observed; NaN ends where one unit was.

    Notes
    -----
    "t": mean ± t s/√n; with a design, the linearised standard error and t of units minus strata degrees of freedom.

    Examples
    --------
    >>> scores = [4, 5, 3, 5, 4, 2, 5, 4] * 5
    >>> print(mean(scores))
    4 [3.68, 4.32] (95 %, n = 40, t)
    >>> print(mean(scores, clusters=[i // 4 for i in range(40)], small_sample_ok=True))
    4 [3.81, 4.19] (95 %, n = 40, t, 10 units, design effect 0.27)
    """
    check_level(level)
    method = named("interval method", method, MEAN_METHODS)
    design: dict[str, Any] = {"weights": weights, "clusters": clusters, "strata": strata, "population": population}
    if all(part is None for part in design.values()):
        column = observed(values)
        warn_if_small(len(column), "the mean", ok=small_sample_ok)
        made = _estimate(Moments.of(column), level=level, rule=rule)
        if method == "t":
            return made
        low, high = hall_interval(column, level=level)
        return attrs.evolve(made, low=low, high=high, method=method)
    if method != "t":
        raise UnknownName("interval method of a mean with a design", method, ("t",))
    got = linearised_mean(values, **design)
    warn_if_small(got.units, "the mean", ok=small_sample_ok)
    ends = t_interval(got.value, got.standard_error, got.degrees_of_freedom, level=level)
    return estimate_of(got.value, *ends, level=level, n=got.n, rule=rule, method=f"t, {_design_text(got)}")


def _design_text(made: Linearised) -> str:
    units = f"{made.units} units, " if made.units != made.n else ""
    return f"{units}design effect {made.design_effect:.2f}"


def ratio(
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    level: float = 0.95,
    method: str = "delta",
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    population: Population | None = None,
    rule: str = "numerator / denominator",
    small_sample_ok: bool = False,
) -> Estimate:
    """Ratio of two totals over customers: value per click, average order value, orders per visit.

    Parameters
    ----------
    numerators, denominators : (n,) numbers
        One row a customer (what was sampled), such as revenue and orders; rows where either is NaN are left out.
    level : share
        Coverage aimed at.
    method : text
        `"delta"` (default) or `"fieller"`, which stays right where the total below is itself uncertain (its relative
        error above 10 %), and answers with open (NaN) ends where the data cannot bound the ratio.
    weights, clusters, strata, population
        What the sampling did; see `design.linearised_ratio`. Rows of one customer: `clusters=customer_ids`.
    rule : text
        What was divided by what.
    small_sample_ok : truth
        Silences `SmallSample`, which warns when fewer than 30 units were observed.

    Returns
    -------
    Estimate
        Σ numerators / Σ denominators, never the average of ratios; NaN where the total below is 0.

    Notes
    -----
    Delta: see `design.linearised_ratio`. Fieller (1954), JRSS B 16:175: all r with (y − r x)² ≤ t² Var(y − r x).

    Examples
    --------
    >>> revenue, orders = [40, 0, 30, 55, 20] * 8, [2, 0, 1, 2, 1] * 8
    >>> print(ratio(revenue, orders, rule="revenue / orders"))
    24.2 [22.6, 25.7] (95 %, n = 40, delta)
    """
    check_level(level)
    if method not in ("delta", "fieller"):
        raise UnknownName("interval method", method, ("delta", "fieller"))
    made = linearised_ratio(
        numerators, denominators, weights=weights, clusters=clusters, strata=strata, population=population
    )
    warn_if_small(made.units, "the ratio", ok=small_sample_ok)
    if method == "delta":
        low, high = map(float, t_interval(made.value, made.standard_error, made.degrees_of_freedom, level=level))
    else:
        low, high = _fieller(made, level=level)
    how = method if made.units == made.n else f"{method}, {made.units} units"
    return estimate_of(made.value, low, high, level=level, n=made.n, rule=rule, method=how)


def _fieller(made: Linearised, *, level: float) -> tuple[float, float]:
    from scipy.special import stdtrit

    if made.degrees_of_freedom < 1:
        return math.nan, math.nan
    t2 = float(stdtrit(made.degrees_of_freedom, (1 + level) / 2)) ** 2
    y, x = made.numerator, made.denominator
    (vyy, vxy), (_, vxx) = made.covariance
    a, b, c = x * x - t2 * vxx, x * y - t2 * vxy, y * y - t2 * vyy
    if not a > 0:  # the total below may be 0: no ratio is ruled out
        return math.nan, math.nan
    root = math.sqrt(max(b * b - a * c, 0.0))
    return (b - root) / a, (b + root) / a


def paired_difference(
    before: ArrayLike, after: ArrayLike, *, level: float = 0.95, small_sample_ok: bool = False
) -> Comparison:
    """Mean change of the same customers, after minus before, with Student's paired interval and test.

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
        `first` is after, `second` before; n counts pairs. For two separate groups of customers use
        `compare(Moments.of(a), Moments.of(b))`.

    Raises
    ------
    OutOfRange
        Columns of two lengths.

    Examples
    --------
    >>> print(paired_difference([3, 4, 2, 5, 4], [4, 4, 4, 5, 5], small_sample_ok=True))
    difference 0.8 [-0.239, 1.84] (95 %, n = 5, paired t), p = 0.0993 (paired t)
    """
    from scipy.special import stdtr

    check_level(level)
    old, new = pairs_observed(before, after, names=("before", "after"))
    warn_if_small(len(old), "the paired difference", ok=small_sample_ok)
    moved = Moments.of(new - old)
    change = attrs.evolve(_estimate(moved, level=level, rule="after - before"), method="paired t")
    error = moved.standard_error
    t = moved.mean / error if error > 0 else None
    p = math.nan if t is None else 2 * float(stdtr(moved.n - 1, -abs(t)))
    first, second = (_estimate(Moments.of(c), level=level, rule=r) for c, r in ((new, "after"), (old, "before")))
    return Comparison(first=first, second=second, difference=change, p_value=p, test="paired t", statistic=t)
