"""When to ask again: surveys some days after a case was closed, once each, and not while it is open again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs

from crmcore._base import check_aware, listed, mask
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.scalars import count_of
from crmcore.zones import zone_of

__all__ = ["FollowUp", "FollowUpPlan"]


@attrs.frozen(kw_only=True)
class FollowUp(Document):
    """One survey of one case.

    Parameters
    ----------
    id : text
        Case and day: the same for every run, so that nobody is asked twice.
    case, customer : text
    day : count
        Days after closing.
    due_at : aware datetime
    """

    id: str
    case: str
    customer: str = attrs.field(repr=mask)
    day: int
    due_at: datetime


def _days(value: Iterable[int]) -> tuple[int, ...]:
    days = tuple(sorted({count_of("days", d, hint="whole days after closing") for d in listed(
        value, "days", int, what="whole numbers", hint="days=[2, 30]")}))  # fmt: skip
    if not days:
        raise EmptyInput("days", "such as days=[2, 30]: at once for the feeling, later for what lasted")
    return days


@attrs.frozen(kw_only=True)
class FollowUpPlan:
    """Surveys at t days after closing, at one time of the day.

    Parameters
    ----------
    days : whole numbers
        Of days on the wall clock after the day of closing; 0 is the same day, never before the closing.
    at : "HH:MM"
        When to ask.
    zone : zone
    expires_days : count
        After so many days a survey that was not sent is left out: an answer would be about something else.

    Examples
    --------
    >>> from datetime import UTC
    >>> plan = FollowUpPlan(days=[2, 30], zone="Asia/Bangkok")
    >>> [f.due_at.isoformat() for f in plan.of("c1", "ann", closed_at=datetime(2026, 6, 1, 20, tzinfo=UTC))]
    ['2026-06-04T10:00:00+07:00', '2026-07-02T10:00:00+07:00']
    """

    days: tuple[int, ...] = attrs.field(default=(2, 30), converter=_days)
    at: str = "10:00"
    zone: ZoneInfo = attrs.field(converter=zone_of, default=ZoneInfo("UTC"))
    expires_days: int = 14

    def __attrs_post_init__(self) -> None:
        try:
            time.fromisoformat(self.at)
        except (TypeError, ValueError):
            raise OutOfRange("at", self.at, "a time of the day", "'10:00'") from None
        count_of("expires_days", self.expires_days, least=1)

    def of(self, case: str, customer: str, *, closed_at: datetime) -> tuple[FollowUp, ...]:
        """All surveys of one case."""
        check_aware(closed_at, "closed_at")
        day = closed_at.astimezone(self.zone).date()
        clock = time.fromisoformat(self.at)
        return tuple(
            FollowUp(
                id=f"{case}:day {d}", case=case, customer=customer, day=d,
                due_at=max(datetime.combine(day + timedelta(days=d), clock, tzinfo=self.zone), closed_at),
            )
            for d in self.days
        )  # fmt: skip

    def due(
        self,
        closed: Mapping[str, tuple[str, datetime]],
        *,
        now: datetime,
        sent: Iterable[str] = (),
        open_again: Iterable[str] = (),
        not_asked: Iterable[str] = (),
    ) -> tuple[FollowUp, ...]:
        """What to send now, by due time and id.

        Parameters
        ----------
        closed : case -> (customer, closed_at)
        sent : ids of surveys that were sent
        open_again : cases
            Reopened: closing them again starts a new count.
        not_asked : customers
            Who want no surveys, or were asked lately: the contact policy knows.
        """
        check_aware(now, "now")
        done, reopened, quiet = set(sent), set(open_again), set(not_asked)
        found = [
            f
            for case, (customer, closed_at) in closed.items()
            if case not in reopened and customer not in quiet
            for f in self.of(case, customer, closed_at=closed_at)
            if f.id not in done and f.due_at <= now < f.due_at + timedelta(days=self.expires_days)
        ]
        return tuple(sorted(found, key=lambda f: (f.due_at, f.id)))
