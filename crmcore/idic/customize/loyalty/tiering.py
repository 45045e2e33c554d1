"""Where a customer stands in the tiers of a programme: what qualifies, in which period, and how far the next one is."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import attrs

from crmcore._base import check_aware
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.idic.customize.loyalty.validity import RoundUp, Validity
from crmcore.ledger import Kind, Posting
from crmcore.metrics import Estimate
from crmcore.metrics.intervals import normal_quantile
from crmcore.rules import Rule, Tiers, field
from crmcore.rules.changes import Change
from crmcore.rules.standings import Standing
from crmcore.rules.tiers import Assignment
from crmcore.values.words import word
from crmcore.zones import zone_of

__all__ = ["Period", "QualifyingPeriod", "TierStatus", "qualifying", "status"]


class Period(enum.StrEnum):
    """Over which time points qualify."""

    ROLLING = "rolling"
    CALENDAR_YEAR = "calendar year"


def _period(value: Period | str) -> Period:
    return word(Period, value, "qualifying period")


def _days(_instance: object, attribute: attrs.Attribute[int], value: int) -> None:
    if type(value) is not int or not 1 <= value <= 3650:
        raise OutOfRange(attribute.name, value, "a whole number of days from 1 to 3,650", "days=365")


def _zone(zone: ZoneInfo | str) -> str:
    return str(zone_of(zone))


@attrs.frozen(kw_only=True)
class QualifyingPeriod(Document):
    """What counts towards a tier: the last so many days, or the calendar year of the programme's zone.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> QualifyingPeriod(kind="calendar year", zone="Asia/Bangkok").starts(datetime(2026, 6, 1, tzinfo=UTC)).isoformat()
    '2026-01-01T00:00:00+07:00'
    """

    kind: Period = attrs.field(default=Period.ROLLING, converter=_period)
    days: int = attrs.field(default=365, validator=_days)
    zone: str = attrs.field(default="UTC", converter=_zone)

    def starts(self, now: datetime) -> datetime:
        """First instant that counts."""
        check_aware(now, "now")
        if self.kind is Period.ROLLING:
            return now - timedelta(days=self.days)
        where = ZoneInfo(self.zone)
        return datetime(now.astimezone(where).year, 1, 1, tzinfo=where)

    def ends(self, now: datetime) -> datetime:
        """First instant at which what counts now begins to lapse: the year's end, or now for a rolling period."""
        if self.kind is Period.ROLLING:
            return now
        end = Validity(to_end_of=RoundUp.YEAR).ends(now, zone=self.zone)
        assert end is not None
        return end


def qualifying(postings: Iterable[Posting], period: QualifyingPeriod, *, now: datetime) -> int:
    """Points earned in the period, less what was taken back of them; spending and expiry do not count against it.

    Parameters
    ----------
    postings : postings of one account
        `ledger.postings(club.points_account(customer))`.
    """
    since = period.starts(now)
    lots = {p.id: p for p in postings if p.kind is Kind.EARN and since <= p.at <= now}
    total = sum(p.amount or 0 for p in lots.values())
    taken = [p for p in postings if p.of in lots and p.at <= now and p.kind in (Kind.CLAW_BACK, Kind.CANCEL)]
    for lot in lots:
        back = [lots[lot].amount if p.amount is None else p.amount for p in taken if p.of == lot]
        total -= min(sum(x or 0 for x in back), lots[lot].amount or 0)
    return total


@attrs.frozen(kw_only=True)
class TierStatus(Document):
    """Tier of a customer and what is between them and the next.

    Parameters
    ----------
    assignment : Assignment
        Tier, since when, grace, entitlements, and what changed now.
    points : count
        That qualify now.
    next_tier : name, optional
        None at the top.
    missing : points, optional
        That the next tier still asks for; None where it is entered by other facts.
    needed : sentences
        All that would have to change to enter the next tier.
    projected : Estimate, optional
        Points at the end of a calendar year if purchases go on as they have: mean and prediction interval of a compound
        Poisson process, total so far times the time ahead over the time passed, variance `sum of squares` times
        `h / T + (h / T)²` (both the future and the rate are uncertain). None for a rolling period, which has no end,
        and before two purchases.
    """

    assignment: Assignment
    points: int
    next_tier: str | None
    missing: int | None
    needed: tuple[str, ...]
    projected: Estimate | None

    @property
    def standing(self) -> Standing:
        """To hand over the next time."""
        return self.assignment.standing

    def __str__(self) -> str:
        lines = [str(self.assignment), f"{self.points} points qualify"]
        if self.next_tier is not None:
            lines.append(f"for {self.next_tier}: {'; '.join(self.needed)}")
        if self.projected is not None:
            lines.append(f"at this pace {self.projected} at the end of the year")
        return "\n".join(lines)


def status(
    tiers: Tiers,
    postings: Iterable[Posting],
    *,
    now: datetime,
    period: QualifyingPeriod | None = None,
    previous: Standing | None = None,
    facts: Mapping[str, object] | None = None,
    level: float = 0.95,
) -> TierStatus:
    """Say where a customer stands; grace, shortest stays and steps down are those of the tiers.

    Parameters
    ----------
    tiers : Tiers
        Conditions over the fact `points`, and others that `facts` tells.
    postings : postings of one account
    period : QualifyingPeriod, optional
        None: the last 365 days.
    previous : Standing, optional
        Where the customer stood; None: new.
    level : share
        Of the interval of the projection.

    Examples
    --------
    >>> from crmcore.calendars import local
    >>> from crmcore.ledger import earn
    >>> from crmcore.rules import Tier, field
    >>> silver, gold = Tier("silver", field("points") >= 100, grace_days=60), Tier("gold", field("points") >= 500)
    >>> day = lambda month: local(2026, month, 1, zone="Asia/Bangkok")
    >>> books = [earn("a", "club:point:7", 150, at=day(2)), earn("b", "club:point:7", 90, at=day(4))]
    >>> print(status(Tiers("club", [silver, gold]), books, now=day(6),
    ...              period=QualifyingPeriod(kind="calendar year", zone="Asia/Bangkok")))
    silver since 2026-05-31: enters silver: points is at least 100 (240)
    240 points qualify
    for gold: points must rise by 260 to at least 500
    at this pace 580 [240, 1,215] (95 %, n = 2, compound poisson) at the end of the year
    """
    span, listed, known = period or QualifyingPeriod(), list(postings), dict(facts or {})
    points = qualifying(listed, span, now=now)
    assignment = tiers.assign(previous, {**known, "points": points}, now=now)
    above = tiers.tiers[tiers.code(assignment.standing.tier) :]
    changes: tuple[Change, ...] = ()
    if above:
        rule = Rule(above[0].name, above[0].enter, vocabulary=tiers.vocabulary)
        changes = rule.decide({**known, "points": points}, now=now).needed or ()
    missing = [c.by for c in changes if str(c.term) == str(field("points")) and isinstance(c.by, int | float)]
    return TierStatus(
        assignment=assignment,
        points=points,
        next_tier=above[0].name if above else None,
        missing=math.ceil(missing[0]) if missing else None,
        needed=tuple(map(str, changes)),
        projected=_projected(listed, span, points, now, level),
    )


def _projected(
    postings: list[Posting], span: QualifyingPeriod, points: int, now: datetime, level: float
) -> Estimate | None:
    if span.kind is Period.ROLLING:
        return None
    since = span.starts(now)
    earned = [p.amount or 0 for p in postings if p.kind is Kind.EARN and since <= p.at <= now]
    ahead = (span.ends(now) - now) / max(now - since, timedelta(days=1))
    if len(earned) < 2:
        return None
    spread = math.sqrt(sum(x * x for x in earned) * (ahead + ahead * ahead))
    value, wide = points * (1 + ahead), normal_quantile(level) * spread
    return Estimate(
        value=value, low=max(value - wide, points), high=value + wide, level=level, n=len(earned),
        rule="points at the end of the year", method="compound poisson",
    )  # fmt: skip
