"""Adoption of a system by the staff that should use it: who used it each week, and where that is going."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import ArrayLike

from crmcore.errors import OutOfRange
from crmcore.metrics.columns import instant, instants, people, refuse, same_length
from crmcore.metrics.days import Period, check_period, local_periods, period_ends
from crmcore.metrics.estimates import Estimate, check_level, warn_if_small
from crmcore.metrics.means import Moments
from crmcore.metrics.scalars import count_of
from crmcore.metrics.series import RateSeries
from crmcore.zones import zone_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Adoption", "adoption"]


@attrs.frozen(kw_only=True)
class Adoption:
    """Share of staff that used a system in each week, and the change of that share a week.

    Attributes
    ----------
    weeks : RateSeries
        Active over all staff, for every week (or other period) that is over.
    trend : Estimate
        Change of the share a period: mean of the slopes of all users.
    """

    weeks: RateSeries
    trend: Estimate

    def latest(self, *, level: float = 0.95) -> Estimate:
        """Share of the last period that is over."""
        return self.weeks.estimates(level=level)[-1]

    def __str__(self) -> str:
        return f"latest  {self.latest()}\ntrend   {self.trend}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"weeks": self.weeks.to_dict(), "trend": self.trend.to_dict()}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Adoption:
        """Read what `to_dict` wrote."""
        return cls(weeks=RateSeries.from_dict(fields["weeks"]), trend=Estimate.from_dict(fields["trend"]))

    def to_frame(self, *, level: float = 0.95, backend: Any = None) -> Any:
        """One row a period; see `RateSeries.to_frame`."""
        return self.weeks.to_frame(level=level, backend=backend)

    def chart(self, *, title: str = "Staff who used the system") -> Chart:
        """The share a period as a line with its band."""
        return self.weeks.chart(title=title)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def adoption(
    user: ArrayLike,
    time: ArrayLike,
    *,
    n_users: int,
    since: datetime | np.datetime64,
    until: datetime | np.datetime64,
    at_least: int = 1,
    period: Period = "week",
    zone: str | ZoneInfo = "UTC",
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> Adoption:
    """Share of users who did enough in each period, and its trend.

    Parameters
    ----------
    user : (n,) codes or names
        Of each logged action, in ``[0, n_users)``.
    time : (n,) instants
        Actions outside `since` to `until` are left out.
    n_users : count
        Everybody who should use the system: who never logged in counts most.
    since, until : instants
        Periods that lie wholly between them are counted; a week that runs is not.
    at_least : count
        Actions a period that make a user active.
    period, zone : text
        "week" (default, from Monday), "day" or "month" on the clock of `zone`.

    Returns
    -------
    Adoption
        Wilson intervals of each period. The trend is the mean of each user's least-squares slope with Student's
        interval over users, since one user's weeks resemble each other (a summary-measures analysis: Matthews et al.
        1990, BMJ 300:230); NaN for one period.

    Examples
    --------
    >>> monday = np.datetime64("2026-03-02T09:00", "us")
    >>> weeks = monday + np.timedelta64(7, "D") * np.array([0] * 4 + [1] * 6)
    >>> users = [0, 1, 2, 3, 0, 1, 2, 3, 4, 5]
    >>> got = adoption(users, weeks, n_users=10, since=np.datetime64("2026-03-02"), until=np.datetime64("2026-03-16"),
    ...                small_sample_ok=True)
    >>> print(got)
    latest  0.6 [0.313, 0.832] (95 %, n = 10, wilson)
    trend   0.2 [-0.102, 0.502] (95 %, n = 10, t over users)
    """
    check_level(level)
    check_period(period)
    n_users = count_of("n_users", n_users, least=1, hint="count everybody who should use the system")
    at_least = count_of("at_least", at_least, least=1, hint="who did nothing is never active")
    place, code, at = zone_of(zone), people("user", user), instants("time", time)
    begin, end = instant("since", since), instant("until", until)
    same_length("adoption", user=code, time=at)
    refuse("adoption", "raise n_users or drop them", user=((code < 0) | (code >= n_users), "no code of a user"))
    first, last = _whole_periods(begin, end, place, period)
    if last < first:
        raise OutOfRange(
            "since, until", f"{begin} to {end}", f"at least one whole {period} between them", "look longer"
        )
    number = local_periods(at, place, period=period)
    inside = (number >= first) & (number <= last)
    width = last - first + 1
    cells = np.bincount(code[inside] * width + number[inside] - first, minlength=n_users * width)
    active = (cells >= at_least).reshape(n_users, width)
    enough = f"at least {at_least} actions" if at_least > 1 else "at least 1 action"
    weeks = RateSeries(
        number=np.arange(first, last + 1),
        k=active.sum(axis=0),
        n=np.full(width, n_users),
        rule=f"users with {enough} / users",
        period=period,
        zone=place.key,
    )
    warn_if_small(int(n_users), "the adoption", ok=small_sample_ok)
    step = np.arange(width) - (width - 1) / 2
    slopes = active @ step / float(step @ step) if width > 1 else np.full(n_users, np.nan)
    trend = Moments.of(slopes).estimate(level=level, rule=f"change of the share a {period}", small_sample_ok=True)
    return Adoption(weeks=weeks, trend=attrs.evolve(trend, method="t over users"))


def _whole_periods(begin: np.datetime64, end: np.datetime64, zone: ZoneInfo, period: Period) -> tuple[int, int]:
    """Numbers of the first and the last period that lie wholly between two instants."""
    first, last = (int(x) for x in local_periods(np.array([begin, end]), zone, period=period))
    before, here = period_ends([first - 1, last], zone, period=period)
    first += bool(before < begin)
    return first, last if here <= end else last - 1
