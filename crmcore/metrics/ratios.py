"""Ratios of two totals that add up and compare: average order value by shop, value per click by campaign."""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import ArrayLike

from crmcore.errors import OutOfRange
from crmcore.metrics.columns import pairs_observed
from crmcore.metrics.comparing import Comparison
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, warn_if_small
from crmcore.metrics.intervals import t_interval
from crmcore.metrics.scalars import hold_counts, hold_reals

__all__ = ["Totals"]


@attrs.frozen
class Totals:
    """n customers with a numerator and a denominator each (revenue and orders), addable.

    Parameters
    ----------
    n : count
    numerator, denominator : number
        Means over the customers; 0 where n = 0.
    spread_numerator, spread_denominator, joint : number
        Sums of squared deviations, and of their products.

    Notes
    -----
    The merge is that of `Moments`, for pairs. A customer belongs to one shard: shards by day need each customer's days
    added up first.

    Examples
    --------
    >>> north = Totals.of([40, 0, 30, 55, 20] * 8, [2, 0, 1, 2, 1] * 8)
    >>> south = Totals.of([80, 0, 30, 95, 20] * 8, [2, 0, 1, 2, 1] * 8)
    >>> print((north + south).estimate(rule="revenue / orders"))
    30.8 [28.1, 33.6] (95 %, n = 80, delta)
    >>> print(south.minus(north))
    difference 13.3 [9.64, 17] (95 %, n = 80, delta), p < 0.0001 (welch t of ratios)
    """

    n: int = 0
    numerator: float = 0.0
    denominator: float = 0.0
    spread_numerator: float = 0.0
    spread_denominator: float = 0.0
    joint: float = 0.0

    def __attrs_post_init__(self) -> None:
        hold_counts(self, "n", hint="Totals.of(numerators, denominators) counts")
        floats = ("numerator", "denominator", "spread_numerator", "spread_denominator", "joint")
        hold_reals(self, *floats, hint="Totals.of(...) sums")
        if not (
            self.spread_numerator >= 0 and self.spread_denominator >= 0 and all(map(math.isfinite, self._floats()))
        ):
            raise OutOfRange("totals", self._floats(), "finite numbers, spreads from 0", "Totals.of(...) sums")

    def _floats(self) -> tuple[float, ...]:
        return attrs.astuple(self)[1:]

    @classmethod
    def of(cls, numerators: ArrayLike, denominators: ArrayLike) -> Totals:
        """Count two columns: row i of both is one customer; rows where either is missing are left out.

        Examples
        --------
        >>> Totals.of([40, 20], [2, 1])
        Totals(n=2, numerator=30.0, denominator=1.5, spread_numerator=200.0, spread_denominator=0.5, joint=10.0)
        """
        y, x = pairs_observed(numerators, denominators, names=("numerators", "denominators"))
        if not len(y):
            return cls()
        dy, dx = y - y.mean(), x - x.mean()
        sums = (float(np.dot(a, b)) for a, b in ((dy, dy), (dx, dx), (dy, dx)))
        return cls(len(y), float(y.mean()), float(x.mean()), *sums)

    def __add__(self, other: Totals) -> Totals:
        if not (self.n and other.n):
            return self if self.n else other
        n = self.n + other.n
        y, x = other.numerator - self.numerator, other.denominator - self.denominator
        between = self.n * (other.n / n)
        return Totals(
            n,
            (self.n * self.numerator + other.n * other.numerator) / n,
            (self.n * self.denominator + other.n * other.denominator) / n,
            self.spread_numerator + other.spread_numerator + y * y * between,
            self.spread_denominator + other.spread_denominator + x * x * between,
            self.joint + other.joint + x * y * between,
        )

    @property
    def mean(self) -> float:
        """The ratio of the totals; NaN where the total below is 0."""
        return self.numerator / self.denominator if self.denominator else math.nan

    @property
    def variance(self) -> float:
        """Linearised sample variance of one customer: that of (y − R x)/x̄; NaN for fewer than two."""
        if self.n < 2 or not self.denominator:
            return math.nan
        r = self.mean
        off = self.spread_numerator - 2 * r * self.joint + r * r * self.spread_denominator
        return max(off, 0.0) / (self.n - 1) / self.denominator**2

    def estimate(
        self, *, level: float = 0.95, rule: str = "numerator / denominator", small_sample_ok: bool = False
    ) -> Estimate:
        """The ratio with the delta-method interval of `metrics.ratio`."""
        check_level(level)
        warn_if_small(self.n, "the ratio", ok=small_sample_ok)
        return self._estimate(level=level, rule=rule)

    def _estimate(self, *, level: float, rule: str) -> Estimate:
        error = math.sqrt(self.variance / self.n) if self.n else math.nan
        ends = t_interval(self.mean, error, self.n - 1, level=level)
        return estimate_of(self.mean, *ends, level=level, n=self.n, rule=rule, method="delta")

    def minus(self, other: Totals, /, *, level: float = 0.95) -> Comparison:
        """Difference of two ratios of independent groups of customers: Welch's interval and test of linearised values.

        Returns
        -------
        Comparison
            NaN where a ratio or its spread is not known.
        """
        from crmcore.metrics.means import Moments, welch

        check_level(level)
        first, second = (g._estimate(level=level, rule="numerator / denominator") for g in (self, other))
        low, high, p = math.nan, math.nan, math.nan
        known = [g for g in (self, other) if g.n > 1 and math.isfinite(g.variance)]
        if len(known) == 2:
            a, b = (Moments(g.n, g.mean, g.variance * (g.n - 1)) for g in known)
            low, high, p = welch(a, b, level=level)
        gap = first.value - second.value
        n = self.n + other.n
        difference = estimate_of(gap, low, high, level=level, n=n, rule="first - second", method="delta")
        return Comparison(first=first, second=second, difference=difference, p_value=p, test="welch t of ratios")
