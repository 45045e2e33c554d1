"""Proportions: addable counts, one with its interval, two compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import attrs

from crmcore.errors import OutOfRange
from crmcore.metrics.comparing import Comparison, check_alike, mover
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, warn_if_small
from crmcore.metrics.scalars import hold_counts, named

__all__ = ["PROPORTION_TESTS", "Counts", "odds_ratio", "proportion", "risk_ratio"]

PROPORTION_TESTS = ("pooled z", "fisher exact")


@attrs.frozen
class Counts:
    """k successes of n trials, addable: shards, days and stores add up before anything is estimated.

    Examples
    --------
    >>> Counts(20, 700) + Counts(10, 300)
    Counts(k=30, n=1000)
    >>> print(sum([Counts(20, 700), Counts(10, 300)], Counts()).estimate())
    0.03 [0.0211, 0.0425] (95 %, n = 1000, wilson)
    """

    k: int = 0
    n: int = 0

    def __attrs_post_init__(self) -> None:
        hold_counts(self, "n", "k", hint="pass counts; weighted shares: metrics.proportion_of(values, weights=...)")
        if self.k > self.n:
            raise OutOfRange("k", self.k, f"0 to n = {self.n}", "k counts a part of the n trials")

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.k + other.k, self.n + other.n)

    def estimate(
        self, *, level: float = 0.95, method: str = "wilson", rule: str = "k / n", small_sample_ok: bool = False
    ) -> Estimate:
        """The proportion with its interval; see `proportion`."""
        warn_if_small(int(self.n), "the proportion", ok=small_sample_ok)
        return _estimate(self, level=level, method=method, rule=rule)

    @property
    def mean(self) -> float:
        """The share, k/n; NaN without trials."""
        return self.k / self.n if self.n else math.nan

    @property
    def variance(self) -> float:
        """Sample variance of one trial (0 or 1), with n − 1; NaN for fewer than two."""
        return self.k * (self.n - self.k) / (self.n * (self.n - 1)) if self.n > 1 else math.nan

    def minus(self, other: Counts, /, *, level: float = 0.95, test: str = "pooled z") -> Comparison:
        """Difference of two independent proportions with Newcombe's hybrid score interval.

        Parameters
        ----------
        other : Counts
            Another group: a trial counts in one of the two.
        level : share
            Coverage aimed at.
        test : text
            `"pooled z"` (default; no continuity correction) or `"fisher exact"`, which never rejects too often and is
            the one for small counts.

        Returns
        -------
        Comparison
            Its interval is `comparing.mover` of the Wilson limits of each group: Newcombe (1998), Statistics in
            Medicine 17:873, method 10 (by the column: `two_by_two.newcombe_difference`).

        Examples
        --------
        >>> print(Counts(9, 10).minus(Counts(3, 10), test="fisher exact"))
        difference 0.6 [0.171, 0.809] (95 %, n = 20, newcombe), p = 0.0198 (fisher exact)
        """
        from crmcore.metrics.exact import fisher_exact
        from crmcore.metrics.two_by_two import pooled_z

        check_level(level)
        test = named("test", test, PROPORTION_TESTS)
        first, second = _estimates((self, other), level=level, method="wilson", rule="k / n")
        difference = mover(first, second, method="newcombe")
        if not (self.n and other.n):
            difference = attrs.evolve(difference, low=-1.0, high=1.0)
        four = self.k, self.n, other.k, other.n
        parts: dict[str, Any] = {"first": first, "second": second, "difference": difference, "test": test}
        if test == "fisher exact":
            return Comparison(**parts, p_value=float(fisher_exact(*four)))
        z, p = map(float, pooled_z(*four))
        return Comparison(**parts, p_value=p, statistic=None if math.isnan(z) else z)


def _estimates(groups: Sequence[Counts], *, level: float, method: str, rule: str) -> list[Estimate]:
    from crmcore.metrics.intervals import METHODS

    method = named("interval method", method, METHODS)
    low, high = METHODS[method]([c.k for c in groups], [c.n for c in groups], level=level)
    return [
        estimate_of(c.mean, lo, hi, level=level, n=c.n, rule=rule, method=method)
        for c, lo, hi in zip(groups, low.tolist(), high.tolist(), strict=True)
    ]


def _estimate(counts: Counts, *, level: float, method: str, rule: str) -> Estimate:
    return _estimates([counts], level=level, method=method, rule=rule)[0]


def proportion(
    k: int, n: int, *, level: float = 0.95, method: str = "wilson", rule: str = "k / n", small_sample_ok: bool = False
) -> Estimate:
    """Share of n trials that succeeded, with its interval.

    Parameters
    ----------
    k, n : counts
        ``0 <= k <= n``. n = 0 is legal: the value is NaN and the interval [0, 1].
    level : share
        Coverage aimed at.
    method : text
        `"wilson"` (default), `"wilson-cc"`, `"jeffreys"`, `"jeffreys-closed"`, `"clopper-pearson"`,
        `"agresti-coull"`, `"wald"`.
    rule : text
        What k and n count, kept in the result.
    small_sample_ok : truth
        Silences `SmallSample`, which warns below n = 30.

    Returns
    -------
    Estimate

    Raises
    ------
    OutOfRange
        k is not within 0 to n, or a count is not whole, or the level is not a share.
    UnknownName
        No such method.

    Examples
    --------
    >>> print(proportion(30, 1000))
    0.03 [0.0211, 0.0425] (95 %, n = 1000, wilson)
    >>> print(proportion(80, 100, method="clopper-pearson", rule="linked visits / visits"))
    0.8 [0.708, 0.873] (95 %, n = 100, clopper-pearson)
    """
    counts = Counts(k, n)
    warn_if_small(int(n), "the proportion", ok=small_sample_ok)
    return _estimate(counts, level=level, method=method, rule=rule)


def risk_ratio(a: Counts, b: Counts, *, level: float = 0.95, small_sample_ok: bool = False) -> Estimate:
    """How many times as large the first share is as the second: the lift of a campaign is this minus 1.

    Parameters
    ----------
    a, b : Counts
        Independent groups.
    level : share
        Coverage aimed at.
    small_sample_ok : truth
        Silences `SmallSample`, which warns when either n is below 30.

    Returns
    -------
    Estimate
        Interval of `two_by_two.risk_ratio_interval`. Infinite where only the second share is 0, NaN where both are or a
        group is empty.

    Examples
    --------
    >>> print(risk_ratio(Counts(60, 1000), Counts(30, 1000)))
    2 [1.3, 3.06] (95 %, n = 2000, mover-r wilson)
    """
    from crmcore.metrics.two_by_two import risk_ratio_interval

    check_alike({"a": a, "b": b})
    warn_if_small(int(min(a.n, b.n)), "the smaller group", ok=small_sample_ok)
    low, high = risk_ratio_interval(a.k, a.n, b.k, b.n, level=level)
    above = math.inf if a.k and b.n else math.nan
    value = a.mean / b.mean if b.k else above
    rule = "first share / second share"
    return estimate_of(value, low, high, level=level, n=a.n + b.n, rule=rule, method="mover-r wilson")


def odds_ratio(a: Counts, b: Counts, *, level: float = 0.95, small_sample_ok: bool = False) -> Estimate:
    """Ratio of the odds k/(n − k) of two independent groups, with 1/2 added to each cell.

    Parameters and warnings as for `risk_ratio`; interval of `two_by_two.odds_ratio_interval`.

    Examples
    --------
    >>> print(odds_ratio(Counts(60, 1000), Counts(30, 1000)))
    2.05 [1.31, 3.19] (95 %, n = 2000, gart)
    """
    from crmcore.metrics.two_by_two import odds_ratio_interval

    check_alike({"a": a, "b": b})
    warn_if_small(int(min(a.n, b.n)), "the smaller group", ok=small_sample_ok)
    ends = odds_ratio_interval(a.k, a.n, b.k, b.n, level=level)
    return estimate_of(*ends, level=level, n=a.n + b.n, rule="first odds / second odds", method="gart")
