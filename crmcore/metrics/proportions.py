"""One proportion with its interval, and two compared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import attrs

from crmcore.errors import OutOfRange, UnknownName
from crmcore.metrics.estimates import Estimate, check_level, frame_of, warn_if_small

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Comparison", "Counts", "compare", "proportion"]


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
        if not self.n >= 0:
            raise OutOfRange("n", self.n, "0 or more trials", "pass counts, not shares")
        if not 0 <= self.k <= self.n:
            raise OutOfRange("k", self.k, f"0 to n = {self.n}", "k counts a part of the n trials")
        if self.k != int(self.k) or self.n != int(self.n):
            raise OutOfRange("k, n", (self.k, self.n), "whole numbers", "weighted shares: metrics.stratified_share")

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.k + other.k, self.n + other.n)

    def estimate(
        self, *, level: float = 0.95, method: str = "wilson", rule: str = "k / n", small_sample_ok: bool = False
    ) -> Estimate:
        """The proportion with its interval; see `proportion`."""
        warn_if_small(int(self.n), "the proportion", ok=small_sample_ok)
        return _estimate(self, level=level, method=method, rule=rule)


def _estimate(counts: Counts, *, level: float, method: str, rule: str) -> Estimate:
    from crmcore.metrics.intervals import METHODS

    if method not in METHODS:
        raise UnknownName("interval method", method, tuple(METHODS))
    low, high = METHODS[method](counts.k, counts.n, level=level)
    value = counts.k / counts.n if counts.n else math.nan
    return Estimate(
        value=float(value), low=float(low), high=float(high), level=level, n=int(counts.n), rule=rule, method=method
    )


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
        `"wilson"` (default), `"wilson-cc"`, `"jeffreys"`, `"clopper-pearson"`, `"agresti-coull"`, `"wald"`.
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


@attrs.frozen(kw_only=True)
class Comparison:
    """Two proportions and their difference, first minus second.

    `p_value` is that of the two-sided score test of equal shares (pooled variance, no continuity correction), NaN
    where all or none succeeded. It ignores that several pairs may have been compared.
    """

    first: Estimate
    second: Estimate
    difference: Estimate
    p_value: float

    def __str__(self) -> str:
        return f"difference {self.difference}, p = {self.p_value:.3g}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        parts = {"first": self.first, "second": self.second, "difference": self.difference}
        p = None if math.isnan(self.p_value) else self.p_value
        return {**{name: part.to_dict() for name, part in parts.items()}, "p_value": p}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Comparison:
        """Read what `to_dict` wrote."""
        parts = {name: Estimate.from_dict(fields[name]) for name in ("first", "second", "difference")}
        p = fields["p_value"]
        return cls(**parts, p_value=math.nan if p is None else p)

    def to_frame(self, *, backend: Any = None) -> Any:
        """Three rows: first, second, difference."""
        parts = {"first": self.first, "second": self.second, "difference": self.difference}
        return frame_of([{"part": name, **attrs.asdict(part)} for name, part in parts.items()], backend=backend)

    def chart(self) -> Chart:
        """The two shares with their intervals."""
        from crmcore.charts import dot_interval

        return dot_interval(["first", "second"], [self.first, self.second], title="Two shares", description=str(self))

    def _repr_html_(self) -> str:
        return f"<figure><b>{escape(str(self))}</b></figure>"


def compare(a: Counts, b: Counts, *, level: float = 0.95, small_sample_ok: bool = False) -> Comparison:
    """Difference of two independent proportions, a minus b, with Newcombe's hybrid score interval.

    Parameters
    ----------
    a, b : Counts
        Independent groups: a trial counts in one of them.
    level : share
        Coverage aimed at.
    small_sample_ok : truth
        Silences `SmallSample`, which warns when either n is below 30.

    Returns
    -------
    Comparison
        Its interval is d − √((p₁−l₁)² + (u₂−p₂)²) to d + √((u₁−p₁)² + (p₂−l₂)²) with Wilson limits l, u of each group:
        Newcombe (1998), Statistics in Medicine 17:873, method 10.

    Examples
    --------
    >>> print(compare(Counts(56, 70), Counts(48, 80)))
    difference 0.2 [0.0524, 0.334] (95 %, n = 150, newcombe), p = 0.00805
    """
    from scipy.special import ndtr

    check_level(level)
    warn_if_small(int(min(a.n, b.n)), "the smaller group", ok=small_sample_ok)
    first, second = (_estimate(c, level=level, method="wilson", rule="k / n") for c in (a, b))
    gap = first.value - second.value
    p_value = math.nan
    low, high = -1.0, 1.0
    if a.n and b.n:
        low = gap - math.hypot(first.value - first.low, second.high - second.value)
        high = gap + math.hypot(first.high - first.value, second.value - second.low)
        pooled = (a.k + b.k) / (a.n + b.n)
        error = math.sqrt(pooled * (1 - pooled) * (1 / a.n + 1 / b.n))
        p_value = 2 * float(ndtr(-abs(gap) / error)) if error else math.nan
    difference = Estimate(
        value=gap, low=low, high=high, level=level, n=int(a.n + b.n), rule="first - second", method="newcombe"
    )
    return Comparison(first=first, second=second, difference=difference, p_value=p_value)
