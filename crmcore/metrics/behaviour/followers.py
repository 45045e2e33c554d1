"""Followers who are there: active shares, cohorts, and the flag for a count that is only a number."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.metrics.columns import instant, instants, refuse, same_length, some
from crmcore.metrics.days import Period, local_periods
from crmcore.metrics.estimates import Estimate, frame_of
from crmcore.metrics.proportions import proportion
from crmcore.metrics.scalars import above, share_of
from crmcore.metrics.series import RateSeries
from crmcore.zones import zone_of

__all__ = ["Vanity", "VanityFlag", "active_followers", "follower_cohorts", "vanity"]

_DAY_US = 86_400e6


def active_followers(
    last_active: ArrayLike,
    *,
    now: datetime | np.datetime64,
    within_days: float = 30.0,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> Estimate:
    """Share of followers who did something in the last days.

    Parameters
    ----------
    last_active : (n,) instants
        Latest interaction of every follower; None or NaT is never. Instants after `now` are bad rows.
    now : instant
        Of the look.
    within_days : number
        Length of the window, which includes its beginning.

    Examples
    --------
    >>> seen = np.array(["2026-03-20", "2026-03-01", "2026-01-01", "NaT"], "datetime64[us]")
    >>> print(active_followers(seen, now=np.datetime64("2026-03-31"), small_sample_ok=True))
    0.5 [0.15, 0.85] (95 %, n = 4, wilson)
    """
    active = _active(last_active, now, within_days)
    rule = f"active in {within_days:g} days / followers"
    return proportion(int(active.sum()), len(active), level=level, rule=rule, small_sample_ok=small_sample_ok)


def _active(last_active: ArrayLike, now: datetime | np.datetime64, within_days: float) -> NDArray[np.bool_]:
    within_days = above("within_days", within_days, allowed="above 0", hint="such as 30")
    seen, look = instants("last_active", last_active, missing_ok=True), instant("now", now)
    refuse("followers", "take the latest interaction before the look", last_active=(seen > look, "after now"))
    days = (look - seen).astype(np.float64)
    active: NDArray[np.bool_] = ~np.isnat(seen) & (days <= within_days * _DAY_US)
    return active


def follower_cohorts(
    joined: ArrayLike,
    last_active: ArrayLike,
    *,
    now: datetime | np.datetime64,
    within_days: float = 30.0,
    period: Period = "month",
    zone: str | ZoneInfo = "UTC",
) -> RateSeries:
    """Active share of followers by when they began to follow: whether old followers are still there.

    Parameters
    ----------
    joined : (n,) instants
        When each began to follow.
    last_active, now, within_days
        As for `active_followers`; cohorts younger than `within_days` are active by their joining alone.
    period, zone : text
        Of the cohorts.

    Examples
    --------
    >>> joined = np.array(["2026-01-05", "2026-01-09", "2026-02-01"], "datetime64[us]")
    >>> seen = np.array(["2026-01-05", "2026-03-20", "2026-03-30"], "datetime64[us]")
    >>> print(follower_cohorts(joined, seen, now=np.datetime64("2026-03-31")))
    2026-01-01  0.5 [0.0945, 0.905] (n = 2)
    2026-02-01  1 [0.207, 1] (n = 1)
    """
    began, place = instants("joined", joined), zone_of(zone)
    active = _active(last_active, now, within_days)
    some("followers", same_length("follower_cohorts", joined=began, last_active=active), "pass at least one follower")
    number = local_periods(began, place, period=period)
    cohort, row = np.unique(number, return_inverse=True)
    return RateSeries(
        number=cohort,
        k=np.bincount(row, weights=active, minlength=len(cohort)),
        n=np.bincount(row),
        rule=f"active in {within_days:g} days / began to follow",
        period=period,
        zone=place.key,
    )


class VanityFlag(enum.StrEnum):
    """Whether a follower count is only a number."""

    VANITY = "vanity"  # the whole interval of the engaged share lies below the limit
    ALIVE = "alive"  # the whole interval lies at or above it
    UNDECIDED = "undecided"


@attrs.frozen(kw_only=True)
class Vanity:
    """A count of followers beside the share of them that is engaged.

    Examples
    --------
    >>> print(vanity(followers=10_000, engaged=40))
    10,000 followers, 40 engaged: vanity (engaged 0.004 [0.00294, 0.00544], limit 0.01)
    """

    followers: int
    engaged: Estimate
    limit: float

    @property
    def flag(self) -> VanityFlag:
        """What the interval says about the limit."""
        if self.engaged.high < self.limit:
            return VanityFlag.VANITY
        return VanityFlag.ALIVE if self.engaged.low >= self.limit else VanityFlag.UNDECIDED

    def __str__(self) -> str:
        people = round(self.engaged.value * self.followers) if self.followers else 0
        share = str(self.engaged).partition(" (")[0]
        return f"{self.followers:,} followers, {people:,} engaged: {self.flag} (engaged {share}, limit {self.limit:g})"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"followers": self.followers, "engaged": self.engaged.to_dict(), "limit": self.limit}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Vanity:
        """Read what `to_dict` wrote."""
        return cls(**{**fields, "engaged": Estimate.from_dict(fields["engaged"])})

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row: followers, limit, flag, and the columns of the engaged share."""
        head = {"followers": self.followers, "limit": self.limit, "flag": str(self.flag)}
        return frame_of([{**head, **attrs.asdict(self.engaged)}], backend=backend)

    def _repr_html_(self) -> str:
        return f"<figure><b>{escape(self.flag)}</b> {escape(str(self))}</figure>"


def vanity(*, followers: int, engaged: int, limit: float = 0.01, level: float = 0.95) -> Vanity:
    """Flag a large number of followers of whom hardly any is engaged.

    Parameters
    ----------
    followers, engaged : counts
        Engaged followers did something in the window that you look at (say which).
    limit : share
        Below which a count is vanity, in (0, 1). What is normal depends on platform and trade, so set your own; 1 % is
        a start and no law.
    level : share
        Of the Wilson interval: the flag is raised when all of it lies below the limit, so small accounts with few
        engaged followers by chance stay undecided.
    """
    limit = share_of("limit", limit, hint="write 1 % as limit=0.01")
    share = proportion(engaged, followers, level=level, rule="engaged / followers", small_sample_ok=True)
    return Vanity(followers=int(followers), engaged=share, limit=limit)
