"""Web measures from session columns: conversion, value per click, bounce rate, time on site.

What a session, a bounce and the time of the last page are differs from tool to tool, so every result names its rules.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import OutOfRange, UnknownName
from crmcore.metrics.columns import cells_of, codes_of, not_negative, numbers, refuse, same_length, some, truths
from crmcore.metrics.durations.survival import SurvivalTable, kaplan_meier
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, frame_of, warn_if_small
from crmcore.metrics.intervals import normal_quantile
from crmcore.metrics.means import Moments, mean
from crmcore.metrics.proportions import proportion
from crmcore.metrics.scalars import above, count_of, text_of
from crmcore.metrics.shares import ShareTable, share_table
from crmcore.tables import TextColumn

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = [
    "BOUNCES",
    "LAST_PAGES",
    "ClickValue",
    "bounce_rate",
    "click_value",
    "conversion",
    "page_dwell",
    "time_on_site",
    "time_on_site_by_page",
    "traffic",
]

Floats = NDArray[np.float64]
Bounce = Literal["single page", "not engaged", "short single page"]
LastPage = Literal["zero", "heartbeat", "censored"]

BOUNCES: Mapping[str, str] = MappingProxyType(
    {
        "single page": "one page view",
        "not engaged": "at most one page view, no key event, not longer than the engaged time",
        "short single page": "one page view that did not last the engaged time",
    }
)
"""What a bounce is, by name. "not engaged" with 10 s is what Google Analytics 4 documents."""

_SESSION_HINT = "name what cut the sessions: '30 minutes'"

LAST_PAGES: Mapping[str, str] = MappingProxyType(
    {
        "zero": "the last page counts 0: nobody saw how long it was read",
        "heartbeat": "the last page counts as long as heartbeats came",
        "censored": "the last page is censored: Kaplan-Meier over page dwell",
    }
)
"""What is done about the last page of a session, whose end leaves no trace."""


def conversion(
    orders: int, visits: int, *, level: float = 0.95, rule: str = "orders / visits", small_sample_ok: bool = False
) -> Estimate:
    """Share of visits that ended in an order (at most one a visit), with Wilson's interval.

    Parameters
    ----------
    orders, visits : counts
        ``0 <= orders <= visits``: visits with an order, not orders, where a visit can have several.
    rule : text
        What was counted over what, such as "buyers / visitors".

    Examples
    --------
    >>> print(conversion(30, 1000))
    0.03 [0.0211, 0.0425] (95 %, n = 1000, wilson)
    """
    return proportion(orders, visits, level=level, rule=rule, small_sample_ok=small_sample_ok)


def traffic(source: TextColumn | ArrayLike, *, level: float = 0.95, small_sample_ok: bool = False) -> ShareTable:
    """Share of sessions by where they came from, all intervals right together.

    Parameters
    ----------
    source : TextColumn or (n,) text
        Source of each session ("search", "social", "direct"); a missing cell of a `TextColumn` is "(unknown)".

    Returns
    -------
    ShareTable
        In sorted order of sources; see `share_table`. For the value of the clicks from one of them see `click_value`.

    Examples
    --------
    >>> print(traffic(["search"] * 60 + ["social"] * 30 + ["direct"] * 10)["social"])
    0.3 [0.204, 0.418] (95 %, n = 100, goodman)
    """
    if isinstance(source, TextColumn):
        codes, names = np.asarray(source.codes + 1, np.intp), ("(unknown)", *source.values)
    else:
        listed = cells_of("source", source)
        codes, names = codes_of(listed, len(listed), "source")
    counts = np.bincount(codes, minlength=len(names)).tolist()
    by = {name: n for name, n in sorted(zip(names, counts, strict=True)) if n}
    return share_table(by, level=level, small_sample_ok=small_sample_ok)


@attrs.frozen(kw_only=True)
class ClickValue:
    """What clicks from one source brought.

    Attributes
    ----------
    moments : Moments
        Of the value of every click, 0 where it brought none.
    orders : Moments
        Of the value of the orders alone.
    level : share
        Coverage that the three estimates aim at.
    """

    moments: Moments
    orders: Moments
    level: float = 0.95

    @property
    def conversion(self) -> Estimate:
        """Clicks with an order over clicks."""
        return proportion(
            self.orders.n, self.moments.n, level=self.level, rule="clicks with an order / clicks", small_sample_ok=True
        )

    @property
    def per_click(self) -> Estimate:
        """Value over clicks; Student's interval, so it is rough where few clicks have an order."""
        return self.moments.estimate(level=self.level, rule="value / clicks", small_sample_ok=True)

    @property
    def per_order(self) -> Estimate:
        """Value over orders."""
        return self.orders.estimate(level=self.level, rule="value / orders", small_sample_ok=True)

    def __add__(self, other: ClickValue) -> ClickValue:
        """Clicks of both."""
        moments, orders = self.moments + other.moments, self.orders + other.orders
        return ClickValue(moments=moments, orders=orders, level=self.level)

    def _parts(self) -> dict[str, Estimate]:
        return {"conversion": self.conversion, "per click": self.per_click, "per order": self.per_order}

    def __str__(self) -> str:
        return "\n".join(f"{name:10}  {e}" for name, e in self._parts().items())

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"moments": attrs.asdict(self.moments), "orders": attrs.asdict(self.orders), "level": self.level}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> ClickValue:
        """Read what `to_dict` wrote."""
        parts = {name: Moments(**fields[name]) for name in ("moments", "orders")}
        return cls(**parts, level=fields["level"])

    def to_frame(self, *, backend: Any = None) -> Any:
        """Three rows: conversion, per click, per order."""
        return frame_of([{"measure": k, **attrs.asdict(e)} for k, e in self._parts().items()], backend=backend)

    def chart(self) -> Chart:
        """Conversion with its interval; the other two have another unit."""
        from crmcore.charts import dot_interval

        return dot_interval(["conversion"], [self.conversion], title="Clicks with an order", percent=True)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def click_value(
    clicks: int, order_values: ArrayLike, *, level: float = 0.95, small_sample_ok: bool = False
) -> ClickValue:
    """Conversion and value per click of one source, from the number of clicks and the values of the orders they led to.

    Parameters
    ----------
    clicks : count
        At least as many as orders; each click leads to one order at most.
    order_values : (k,) numbers
        Value of every order, in one currency and unit.
    level : share
        Coverage aimed at.
    small_sample_ok : truth
        Silences `SmallSample`, which warns below 30 clicks.

    Returns
    -------
    ClickValue
        Value per click is the mean of one value a click, 0 for most: Student's interval over all clicks. For several
        clicks of one person use `ratio(values, clicks, clusters=person)`.

    Examples
    --------
    >>> print(click_value(100, [50, 50, 50, 50]))
    conversion  0.04 [0.0157, 0.0984] (95 %, n = 100, wilson)
    per click   2 [0.0461, 3.95] (95 %, n = 100, t)
    per order   50 [50, 50] (95 %, n = 4, t)
    """
    check_level(level)
    values = numbers("order_values", order_values)
    refuse("click_value", "drop orders without a value", order_values=(~np.isfinite(values), "not a finite number"))
    clicks = count_of("clicks", clicks, hint="each order has its click")
    if clicks < len(values):
        raise OutOfRange("clicks", clicks, f"a whole number from {len(values)}, the orders", "each order has its click")
    warn_if_small(clicks, "the value per click", ok=small_sample_ok)
    orders = Moments.of(values)
    return ClickValue(moments=orders + Moments(clicks - len(values)), orders=orders, level=level)


def bounce_rate(
    pages: ArrayLike,
    *,
    session_rule: str,
    bounce: Bounce = "single page",
    duration_s: ArrayLike | None = None,
    key_events: ArrayLike | None = None,
    engaged_s: float = 10.0,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> Estimate:
    """Share of sessions in which the visitor left at once.

    Parameters
    ----------
    pages : (n,) counts
        Page views of each session, from 0.
    session_rule : text
        Name of the rule that cut the sessions ("ga4", "matomo"): rates under two rules cannot be compared.
    bounce : text
        "single page" (default), "not engaged" or "short single page": see `BOUNCES`.
    duration_s, key_events : (n,) numbers, optional
        Seconds and key events (orders, sign-ups) of each session, for the two rules that look at them.
    engaged_s : seconds
        A session that lasts longer is engaged.

    Examples
    --------
    >>> got = bounce_rate([1, 3, 1, 2, 5], session_rule="30 minutes", small_sample_ok=True)
    >>> print(got, got.rule, sep="; ")
    0.4 [0.118, 0.769] (95 %, n = 5, wilson); bounces (single page) / sessions (30 minutes)
    """
    if bounce not in tuple(BOUNCES):
        raise UnknownName("bounce", bounce, tuple(BOUNCES))
    engaged_s = above("engaged_s", engaged_s, least=0, allowed="seconds from 0", hint="such as 10")
    views = numbers("pages", pages)
    session_rule = text_of("session_rule", session_rule, hint=_SESSION_HINT)
    not_negative("bounce_rate", pages=views)
    long = None if duration_s is None else numbers("duration_s", duration_s)
    keys = None if key_events is None else numbers("key_events", key_events)
    same_length("bounce_rate", pages=views, duration_s=long, key_events=keys)
    if keys is not None:
        not_negative("bounce_rate", key_events=keys)
    note: str = bounce
    if bounce == "single page":
        left = views == 1
    else:
        if long is None:
            raise OutOfRange("duration_s", None, f"seconds of each session for {bounce!r}", "pass duration_s=...")
        not_negative("bounce_rate", duration_s=long)
        note = f"{bounce}, {engaged_s:g} s"
        if bounce == "not engaged":
            left = (views < 2) & (long <= engaged_s) & (True if keys is None else keys == 0)
        else:
            left = (views == 1) & (long < engaged_s)
    rule = f"bounces ({note}) / sessions ({session_rule})"
    return proportion(int(left.sum()), len(views), level=level, rule=rule, small_sample_ok=small_sample_ok)


def time_on_site(
    duration_s: ArrayLike,
    *,
    session_rule: str,
    last_page: LastPage = "zero",
    last_page_s: ArrayLike | None = None,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> Estimate:
    """Mean seconds of a session, from session columns.

    Parameters
    ----------
    duration_s : (n,) seconds
        From the first to the last page view of each session.
    session_rule : text
        Name of the rule that cut the sessions.
    last_page : text
        "zero" (default) adds nothing, which is too short by one page; "heartbeat" adds `last_page_s`. "censored" needs
        pages: `time_on_site_by_page`.
    last_page_s : (n,) seconds, only with "heartbeat"
        How long heartbeats came from the last page.

    Examples
    --------
    >>> got = time_on_site([60, 120, 0], session_rule="30 minutes", small_sample_ok=True)
    >>> print(got, got.rule, sep="; ")
    60 [-89, 209] (95 %, n = 3, t); seconds / sessions (30 minutes), last page zero
    """
    if last_page not in LAST_PAGES:
        raise UnknownName("last page", last_page, tuple(LAST_PAGES))
    if last_page == "censored":
        raise OutOfRange("last_page", last_page, "'zero' or 'heartbeat' for sessions", "use time_on_site_by_page")
    if (last_page == "heartbeat") != (last_page_s is not None):
        raise OutOfRange("last_page_s", last_page_s, "given with 'heartbeat' and only then", "pass both or neither")
    session_rule = text_of("session_rule", session_rule, hint=_SESSION_HINT)
    seconds = numbers("duration_s", duration_s)
    not_negative("time_on_site", duration_s=seconds)
    if last_page_s is not None:
        more = numbers("last_page_s", last_page_s)
        same_length("time_on_site", duration_s=seconds, last_page_s=more)
        not_negative("time_on_site", last_page_s=more)
        seconds = seconds + more
    rule = f"seconds / sessions ({session_rule}), last page {last_page}"
    return mean(seconds, level=level, rule=rule, small_sample_ok=small_sample_ok)


def page_dwell(dwell_s: ArrayLike, last: ArrayLike) -> SurvivalTable:
    """How long pages are read, the last one of each session censored.

    Parameters
    ----------
    dwell_s : (n,) seconds
        Until the next page view; for a last page the time that is known (heartbeats), else 0.
    last : (n,) truths
        Whether a page was the last of its session.

    Examples
    --------
    >>> page_dwell([30, 0, 20, 40, 0], [False, True, False, False, True]).median(small_sample_ok=True).value
    30.0
    """
    return kaplan_meier(dwell_s, ~truths("last", last), unit="seconds")


def time_on_site_by_page(
    session: ArrayLike,
    dwell_s: ArrayLike,
    last: ArrayLike,
    *,
    session_rule: str,
    horizon_s: float,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> Estimate:
    """Mean seconds of a session when the last page is censored: pages per session times mean dwell of a page.

    Parameters
    ----------
    session : (n,) codes or ids
        Session of each page view.
    dwell_s, last
        As for `page_dwell`; each session has one last page.
    session_rule : text
        Name of the rule that cut the sessions.
    horizon_s : seconds
        The most that one page counts, at most the longest dwell seen; the time-out of the session rule is natural.

    Returns
    -------
    Estimate
        Valid where the last page is read like the others. Its interval is normal, with the influence function of the
        restricted Kaplan-Meier mean (Andersen, Hansen & Klein 2004, Lifetime Data Analysis 10:335) summed by session,
        so pages of one session may resemble each other.

    Examples
    --------
    >>> pages = {"session": [0, 0, 1, 1, 1, 2] * 10, "dwell_s": [30, 0, 20, 40, 0, 0] * 10}
    >>> codes = [10 * i + c for i in range(10) for c in [0, 0, 1, 1, 1, 2]]
    >>> got = time_on_site_by_page(codes, pages["dwell_s"], [0, 1, 0, 0, 1, 1] * 10, session_rule="ga4", horizon_s=40)
    >>> print(got)
    60 [51.3, 68.7] (95 %, n = 30, kaplan-meier, by session)
    """
    check_level(level)
    session_rule = text_of("session_rule", session_rule, hint=_SESSION_HINT)
    horizon_s = above("horizon_s", horizon_s, hint="the longest that a page is read, in seconds")
    seconds, final = numbers("dwell_s", dwell_s), truths("last", last)
    n = same_length("time_on_site_by_page", session=cells_of("session", session), dwell_s=seconds, last=final)
    some("pages", n, "pass at least one page view")
    codes, names = codes_of(session, n, "session")
    lasts = np.bincount(codes, weights=final, minlength=len(names))
    refuse("time_on_site_by_page", "mark one page a session", last=((lasts != 1)[codes], "not one last page"))
    table = page_dwell(seconds, final)
    dwell = table.restricted_mean(horizon_s, level=level, small_sample_ok=True).value
    sessions = len(names)
    warn_if_small(sessions, "the time on site", ok=small_sample_ok)
    per_session = n / sessions
    influence = n * _dwell_influence(table, seconds, ~final, horizon=horizon_s)  # of one page on the mean dwell
    pages = np.bincount(codes, minlength=sessions)
    summed = np.bincount(codes, weights=influence, minlength=sessions)
    # total = pages per session * mean dwell; influence of one session on each, by the product rule
    moved = dwell * (pages - per_session) + summed / n * sessions * per_session
    error = math.sqrt(float((moved**2).sum()) / sessions / (sessions - 1)) if sessions > 1 else math.nan
    value, half = per_session * dwell, normal_quantile(level) * error
    rule = f"seconds / sessions ({session_rule}), last page censored, at most {horizon_s:g} s a page"
    low = 0.0 if half > value else value - half  # NaN stays NaN
    how = "kaplan-meier, by session"
    return estimate_of(value, low, value + half, level=level, n=sessions, rule=rule, method=how)


def _dwell_influence(table: SurvivalTable, seconds: Floats, seen: NDArray[np.bool_], *, horizon: float) -> Floats:
    """(n,) influence of each page, over n, on the restricted mean: −∫ A(t)/Y(t) dMᵢ(t), A the area beyond t."""
    time, inside = table.time, table.time < horizon
    widths = np.diff(np.append(np.minimum(time, horizon), horizon))
    area = np.cumsum((table.survival * widths)[::-1])[::-1]  # from each time to the horizon
    rate = np.where(inside, area / table.at_risk, 0.0)
    drift = np.cumsum(rate * table.events / table.at_risk)
    at = np.searchsorted(time, seconds)
    jump = np.where(seen, rate[at], 0.0)
    lost: Floats = drift[at] - jump
    return lost
