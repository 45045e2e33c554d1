"""Events per exposure: complaints per 1000 orders, mentions per day, contacts per customer and year."""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import OutOfRange
from crmcore.metrics.comparing import Comparison, check_alike, mover
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, warn_if_small
from crmcore.metrics.scalars import above, hold_counts, hold_reals, named

__all__ = ["Exposure", "exact_rate_interval", "rate", "rate_ratio", "score_rate_interval"]

Floats = NDArray[np.float64]
Interval = tuple[Floats, Floats]


def exact_rate_interval(events: ArrayLike, exposure: ArrayLike, /, *, level: float = 0.95) -> Interval:
    """Interval of a Poisson rate that covers at least `level` at any rate; from 0 to infinity without exposure.

    Parameters
    ----------
    events, exposure : (m,) counts and amounts
        Events are whole; exposure is what they arose from, in any unit.
    level : share
        In (0, 1).

    Returns
    -------
    low, high : (m,) events per unit of exposure
        χ² quantiles: Garwood (1936), Biometrika 28:437.

    Examples
    --------
    >>> low, high = exact_rate_interval([0, 10], [1, 1])
    >>> low.round(3), high.round(3)
    (array([0.   , 4.795]), array([ 3.689, 18.39 ]))
    """
    from scipy.special import gammaincinv

    check_level(level)
    k, t = np.broadcast_arrays(np.asarray(events, np.float64), np.asarray(exposure, np.float64))
    tail = (1 - level) / 2
    low = np.where(k > 0, gammaincinv(np.maximum(k, 1e-9), tail), 0.0)
    return _per(low, np.asarray(gammaincinv(k + 1, 1 - tail), np.float64), t)


def score_rate_interval(events: ArrayLike, exposure: ArrayLike, /, *, level: float = 0.95) -> Interval:
    """Interval of a Poisson rate whose coverage is right on average, narrower than the exact one.

    Parameters and returns as for `exact_rate_interval`: (k + z²/2 ± z √(k + z²/4))/t, Rao's score test inverted.

    Examples
    --------
    >>> low, high = score_rate_interval(10, 1)
    >>> float(low.round(3)), float(high.round(3))
    (5.432, 18.409)
    """
    from crmcore.metrics.intervals import normal_quantile

    k, t = np.broadcast_arrays(np.asarray(events, np.float64), np.asarray(exposure, np.float64))
    z = normal_quantile(level)
    half = z * np.sqrt(k + z * z / 4)
    return _per(np.where(k > 0, np.maximum(k + z * z / 2 - half, 0.0), 0.0), k + z * z / 2 + half, t)


def _per(low: Floats, high: Floats, exposure: Floats) -> Interval:
    safe = np.where(exposure > 0, exposure, 1.0)
    return np.where(exposure > 0, low / safe, 0.0), np.where(exposure > 0, high / safe, np.inf)


_METHODS = {"exact": exact_rate_interval, "score": score_rate_interval}
_TESTS = ("conditional exact", "score")


@attrs.frozen
class Exposure:
    """Events and what they arose from, addable: days, stores and shards add up before any rate.

    Parameters
    ----------
    events : count
    exposure : amount
        In the unit of the denominator: orders, customer years, open hours.

    Examples
    --------
    >>> Exposure(12, 3000) + Exposure(8, 1000)
    Exposure(events=20, exposure=4000)
    >>> print(Exposure(40, 8000).estimate(per=1000, rule="complaints / 1000 orders"))
    5 [3.57, 6.81] (95 %, n = 40, exact)
    """

    events: int = 0
    exposure: float = 0.0

    def __attrs_post_init__(self) -> None:
        hold_counts(self, "events", hint="sums of amounts: metrics.ratio")
        hint = "pass what the events arose from"
        hold_reals(self, "exposure", hint=hint)
        above("exposure", self.exposure, least=0, allowed="a finite amount from 0", hint=hint)
        if self.events and not self.exposure:
            raise OutOfRange("exposure", self.exposure, "more than 0 where events were seen", "count both alike")

    def __add__(self, other: Exposure) -> Exposure:
        return Exposure(self.events + other.events, self.exposure + other.exposure)

    @property
    def n(self) -> int:
        """Events: they, not the exposure, decide how well the rate is known."""
        return int(self.events)

    @property
    def value(self) -> float:
        """Events per unit of exposure; NaN without exposure."""
        return self.events / self.exposure if self.exposure else math.nan

    def estimate(
        self,
        *,
        level: float = 0.95,
        method: str = "exact",
        per: float = 1.0,
        rule: str = "events / exposure",
        small_sample_ok: bool = False,
    ) -> Estimate:
        """The rate with its interval; see `rate`."""
        warn_if_small(self.n, "the rate", ok=small_sample_ok)
        return _estimate(self, level=level, method=method, per=per, rule=rule)

    def minus(self, other: Exposure, /, *, level: float = 0.95, test: str = "conditional exact") -> Comparison:
        """Difference of two independent rates, per unit of exposure.

        Parameters
        ----------
        other : Exposure
            In the same unit of exposure.
        level : share
            Coverage aimed at.
        test : text
            `"conditional exact"` (default) or `"score"` of equal rates.

        Returns
        -------
        Comparison
            `comparing.mover` of the score limits of each rate. Given their sum, the first events are binomial with the
            first share of the exposure: Przyborowski & Wilenski (1940), Biometrika 31:313. n counts events.

        Examples
        --------
        >>> print(Exposure(60, 10_000).minus(Exposure(40, 10_000)))
        difference 0.002 [2.95e-05, 0.00402] (95 %, n = 100, mover score), p = 0.0569 (conditional exact)
        """
        check_level(level)
        test = named("test", test, _TESTS)
        first, second = (
            _estimate(e, level=level, method="score", per=1.0, rule="events / exposure") for e in (self, other)
        )
        difference = mover(first, second, method="mover score")
        p = _equal_rates(self, other, test)
        return Comparison(first=first, second=second, difference=difference, p_value=p, test=test)


def _equal_rates(a: Exposure, b: Exposure, test: str) -> float:
    from scipy.special import ndtr

    from crmcore.metrics.exact import binomial_exact

    n = a.n + b.n
    if not (a.exposure and b.exposure and n):
        return math.nan
    share = a.exposure / (a.exposure + b.exposure)
    if test == "score":
        return float(2 * ndtr(-abs(a.events - n * share) / math.sqrt(n * share * (1 - share))))
    return float(binomial_exact(a.events, n, share))


def _estimate(counts: Exposure, *, level: float, method: str, per: float, rule: str) -> Estimate:
    method = named("interval method", method, _METHODS)
    per = above("per", per, hint="complaints per 1000 orders: per=1000")
    low, high = _METHODS[method](counts.events, counts.exposure, level=level)
    return estimate_of(counts.value * per, low * per, high * per, level=level, n=counts.n, rule=rule, method=method)


def rate(
    events: int,
    exposure: float,
    *,
    level: float = 0.95,
    method: str = "exact",
    per: float = 1.0,
    rule: str = "events / exposure",
    small_sample_ok: bool = False,
) -> Estimate:
    """Events per exposure with its interval, where one unit may have several events.

    Parameters
    ----------
    events : count
        Independent of each other; bursts (one angry customer, ten complaints) are `ratio` with `clusters`.
    exposure : amount
        What they arose from. 0 is legal: the value is NaN and the interval 0 to infinity.
    level : share
        Coverage aimed at.
    method : text
        `"exact"` (default, Garwood) or `"score"`.
    per : amount
        Unit of the result: 1000 for a rate per 1000 orders.
    rule : text
        What was counted over what.
    small_sample_ok : truth
        Silences `SmallSample`, which warns below 30 events.

    Returns
    -------
    Estimate
        Its n counts events.

    Raises
    ------
    OutOfRange, UnknownName
        Negative or fractional events, negative exposure, no such method.

    Examples
    --------
    >>> print(rate(40, 8000, per=1000, rule="complaints / 1000 orders"))
    5 [3.57, 6.81] (95 %, n = 40, exact)
    """
    counts = Exposure(events, exposure)
    warn_if_small(counts.n, "the rate", ok=small_sample_ok)
    return _estimate(counts, level=level, method=method, per=per, rule=rule)


def rate_ratio(
    a: Exposure, b: Exposure, *, level: float = 0.95, method: str = "clopper-pearson", small_sample_ok: bool = False
) -> Estimate:
    """How many times as often events arise in the first group as in the second.

    Parameters
    ----------
    a, b : Exposure
        Independent, in one unit of exposure.
    level : share
        Coverage aimed at.
    method : text
        Interval of the share of first events, an interval of `proportion`: `"clopper-pearson"` (default, exact) or
        `"wilson"`, narrower.
    small_sample_ok : truth
        Silences `SmallSample`, which warns below 30 events in either group.

    Returns
    -------
    Estimate
        Open (infinite) high end where the second group had no event; NaN where neither had.

    Notes
    -----
    Given k₁ + k₂, k₁ is binomial with share π = θ t₁/(θ t₁ + t₂): limits of π give those of θ.

    Examples
    --------
    >>> print(rate_ratio(Exposure(60, 10_000), Exposure(40, 10_000)))
    1.5 [0.989, 2.3] (95 %, n = 100, conditional clopper-pearson)
    """
    from crmcore.metrics.intervals import METHODS

    check_level(level)
    method = named("interval method", method, METHODS)
    check_alike({"a": a, "b": b})
    warn_if_small(min(a.n, b.n), "the smaller group", ok=small_sample_ok)
    n = a.n + b.n
    low, high = (float(x) for x in METHODS[method](a.n, n, level=level))
    scale = b.exposure / a.exposure if a.exposure else math.nan
    value = scale * a.n / b.n if b.n else (math.inf if a.n else math.nan)

    def odds(share: float) -> float:
        return share / (1 - share) if share < 1 else math.inf

    known = math.isfinite(scale) and scale > 0
    ends = (odds(low) * scale, odds(high) * scale) if known else (0.0, math.inf)
    how = f"conditional {method}"
    return estimate_of(value, *ends, level=level, n=n, rule="first rate / second rate", method=how)
