"""Churn by three named definitions: who lapsed, who was lost from one period to the next, how long customers stay."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import number_text
from crmcore.metrics.columns import instant, instants, people, same_length, some
from crmcore.metrics.days import Period, check_period, local_periods, period_ends
from crmcore.metrics.durations.survival import SurvivalTable, kaplan_meier
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.proportions import proportion
from crmcore.metrics.scalars import above
from crmcore.metrics.series import RateSeries
from crmcore.zones import zone_of

__all__ = ["churn_by_period", "churn_rate", "customer_lifetimes", "lapsed_share"]

Ints = NDArray[np.int64]
Instants = NDArray[np.datetime64]

_DAY = np.timedelta64(1, "D") / np.timedelta64(1, "us")


def churn_rate(lost: int, at_start: int, *, level: float = 0.95, small_sample_ok: bool = False) -> Estimate:
    """Customers lost over customers at the start of a period: the definition for contracts and subscriptions.

    Retention is its complement. Customers won during the period count in neither number.

    Examples
    --------
    >>> print(churn_rate(12, 240))
    0.05 [0.0288, 0.0853] (95 %, n = 240, wilson)
    """
    rule = "lost in the period / customers at its start"
    return proportion(lost, at_start, level=level, rule=rule, small_sample_ok=small_sample_ok)


def _known(customer: ArrayLike, time: ArrayLike, last: np.datetime64, where: str) -> tuple[Ints, Instants]:
    """Codes and times of events of known customers before `last`."""
    code, at = people("customer", customer), instants("time", time)
    some("events", same_length(where, customer=code, time=at), "pass at least one order or event")
    kept = (code >= 0) & (at < last)
    some("events before the look", int(kept.sum()), "nobody known was active before it")
    return code[kept], at[kept]


def _first_and_last(code: Ints, at: Instants) -> tuple[Ints, Ints]:
    """First and last event of each customer who has one, in microseconds."""
    since = at.astype(np.int64)
    first = np.full(int(code.max()) + 1, np.iinfo(np.int64).max)
    last = np.full(len(first), np.iinfo(np.int64).min)
    np.minimum.at(first, code, since)
    np.maximum.at(last, code, since)
    there = last >= first
    return first[there], last[there]


def lapsed_share(
    customer: ArrayLike,
    time: ArrayLike,
    *,
    now: datetime | np.datetime64,
    silence_days: float,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> Estimate:
    """Share of customers who have been silent for `silence_days` or more: the definition without a contract.

    Parameters
    ----------
    customer : (n,) codes or names
        Of orders or events; -1 is left out.
    time : (n,) instants
        Events from `now` on are left out.
    now : instant
        Of the look.
    silence_days : number
        Above 0. Customers who began less than that ago cannot have lapsed yet: they are not counted at all.

    Examples
    --------
    >>> orders = np.array(["2026-01-01", "2026-01-01", "2026-03-01", "2026-03-20"], "datetime64[us]")
    >>> april = np.datetime64("2026-04-01")
    >>> print(lapsed_share([0, 1, 1, 2], orders, now=april, silence_days=60, small_sample_ok=True))
    0.5 [0.0945, 0.905] (95 %, n = 2, wilson)
    """
    hint = "such as 90, or twice the usual gap between orders"
    silence_days = above("silence_days", silence_days, allowed="above 0", hint=hint)
    look = instant("now", now)
    first, last = _first_and_last(*_known(customer, time, look, "lapsed_share"))
    since = look.astype(np.int64)
    old = (since - first) >= silence_days * _DAY
    silent = old & ((since - last) >= silence_days * _DAY)
    rule = f"silent for {number_text(silence_days)} days or more / began as long ago"
    return proportion(int(silent.sum()), int(old.sum()), level=level, rule=rule, small_sample_ok=small_sample_ok)


def churn_by_period(
    customer: ArrayLike,
    time: ArrayLike,
    *,
    until: datetime | np.datetime64,
    period: Period = "month",
    zone: str | ZoneInfo = "UTC",
) -> RateSeries:
    """Of those active in one period, the share that was not active in the next, for every period that is over.

    Parameters
    ----------
    customer, time
        As for `lapsed_share`.
    until : instant
        Up to when events are known; the period that runs then is left out.
    period, zone : text
        As for `retention.retention`.

    Returns
    -------
    RateSeries
        Each share stands at the period in which the customers were missing. They may come back: pick a period in which
        nearly all who stay are active.

    Examples
    --------
    >>> orders = np.array(["2026-01-05", "2026-01-09", "2026-02-05", "2026-03-05"], "datetime64[us]")
    >>> print(churn_by_period([0, 1, 0, 1], orders, until=np.datetime64("2026-03-01")))
    2026-02-01  0.5 [0.0945, 0.905] (n = 2)
    """
    check_period(period)
    place, last = zone_of(zone), instant("until", until)
    code, at = _known(customer, time, last, "churn_by_period")
    number = local_periods(at, place, period=period)
    first = int(number.min())
    now = int(local_periods(np.array([last]) - np.timedelta64(1, "us"), place, period=period)[0])
    over = now if period_ends([now], place, period=period)[0] <= last else now - 1
    width = now - first + 1
    once = np.unique(code * width + (number - first))
    column = once % width
    stayed = np.concatenate([np.diff(once) == 1, [False]]) & (column < width - 1)
    active = np.bincount(column, minlength=width)
    kept = np.bincount(column[stayed], minlength=width)
    shown = max(over - first, 0)
    return RateSeries(
        number=np.arange(first + 1, first + 1 + shown),
        k=(active - kept)[:shown],
        n=active[:shown],
        rule=f"not active / active the {period} before",
        period=period,
        zone=place.key,
    )


def customer_lifetimes(
    customer: ArrayLike, time: ArrayLike, *, now: datetime | np.datetime64, silence_days: float
) -> SurvivalTable:
    """Days from the first to the last event of each customer; those who are not silent yet are censored at `now`.

    A customer has ended, at the last event, when `silence_days` have passed without another one.

    Examples
    --------
    >>> orders = np.array(["2026-01-01", "2026-01-31", "2026-01-01", "2026-03-30"], "datetime64[us]")
    >>> customer_lifetimes([0, 0, 1, 1], orders, now=np.datetime64("2026-04-01"), silence_days=45).to_dict()["time"]
    [30.0, 90.0]
    """
    hint = "such as 90, or twice the usual gap between orders"
    silence_days = above("silence_days", silence_days, allowed="above 0", hint=hint)
    look = instant("now", now)
    first, last = _first_and_last(*_known(customer, time, look, "customer_lifetimes"))
    since = look.astype(np.int64)
    ended = (since - last) >= silence_days * _DAY
    return kaplan_meier((np.where(ended, last, since) - first) / _DAY, ended, unit="days")
