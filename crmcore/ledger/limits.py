"""Limits on what an account may earn, spend, hold or move: per posting, per period of a wall clock, in all."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs

from crmcore.errors import OutOfRange, UnknownName
from crmcore.ledger.postings import Kind, Posting
from crmcore.ledger.refusals import LimitExceeded
from crmcore.ledger.units import Unit, unit_of
from crmcore.values import Money
from crmcore.values.words import word
from crmcore.zones import zone_of

__all__ = ["Above", "Limit", "Per", "Usage"]


class Per(enum.StrEnum):
    """The span over which amounts are added before they are held against a limit; weeks begin on Monday."""

    POSTING = "posting"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    TOTAL = "total"


class Above(enum.StrEnum):
    """What happens to a posting that would pass the limit."""

    REFUSE = "refuse"
    APPROVAL = "approval"
    """It needs an `approver` who is not its `actor`."""


_LIMITED = (Kind.EARN, Kind.SPEND, Kind.TRANSFER, Kind.RESERVE, Kind.ADJUST)


def _kind(kind: Kind | str) -> Kind:
    names = tuple(k.value for k in _LIMITED)
    if kind not in names:
        raise UnknownName("kind of posting with a limit", str(kind), names)
    return Kind(kind)


def _per(per: Per | str) -> Per:
    return word(Per, per, "period of a limit")


def _above(above: Above | str) -> Above:
    return word(Above, above, "answer to a passed limit")


@attrs.frozen(kw_only=True, init=False)
class Limit:
    """At most so much of one kind of posting, per account and period. What was refunded since still counts.

    Parameters
    ----------
    kind : Kind
        `"earn"`, `"spend"` (commits count as spending), `"transfer"`, `"reserve"`, or `"adjust"` in either direction.
    at_most : whole minor units, Decimal or Money
        The sum that is still allowed.
    unit : Unit
        Accounts of other units are left alone.
    per : Per
        `"posting"`, `"day"`, `"week"`, `"month"`, `"year"`, `"total"`.
    zone : zone
        Whose midnight ends a day.
    above : Above
        `"refuse"`, or `"approval"`: let through what a second person has approved.
    accounts : text
        Only accounts whose name starts so.

    Examples
    --------
    >>> from decimal import Decimal
    >>> Limit(kind="spend", at_most=Decimal("500"), unit="THB", per="day", zone="Asia/Bangkok").at_most
    50000
    """

    kind: Kind = attrs.field(converter=_kind)
    unit: Unit = attrs.field(converter=unit_of)
    at_most: int = attrs.field()
    per: Per = attrs.field(converter=_per)
    zone: ZoneInfo = attrs.field(converter=zone_of, default=ZoneInfo("UTC"))
    above: Above = attrs.field(default=Above.REFUSE, converter=_above)
    accounts: str = ""

    def __init__(
        self,
        *,
        kind: Kind | str,
        at_most: int | Decimal | Money,
        per: Per | str,
        unit: Unit | str = "point",
        zone: str | ZoneInfo = "UTC",
        above: Above | str = Above.REFUSE,
        accounts: str = "",
    ) -> None:
        known = unit_of(unit)
        most = known.minor(at_most, name="at_most")
        if most < 0:
            raise OutOfRange("at_most", most, "0 or more", "0 forbids the kind altogether")
        self.__attrs_init__(  # pyright: ignore[reportAttributeAccessIssue]
            kind=kind, unit=known, at_most=most, per=per, zone=zone, above=above, accounts=accounts
        )

    def concerns(self, kind: Kind, posting: Posting) -> bool:
        """Whether the limit counts a posting of this kind."""
        return kind is self.kind and posting.unit == self.unit and posting.account.startswith(self.accounts)

    def period(self, at: datetime) -> date | None:
        """First day of the period of an instant; None where all time is one."""
        day = at.astimezone(self.zone).date()
        if self.per is Per.DAY:
            return day
        if self.per is Per.WEEK:
            return day - timedelta(days=day.weekday())
        if self.per is Per.MONTH:
            return day.replace(day=1)
        return day.replace(month=1, day=1) if self.per is Per.YEAR else None


class Usage:
    """How much of each limit one account has used, period by period."""

    __slots__ = ("_limits", "_used")

    def __init__(self, limits: Iterable[Limit]) -> None:
        self._limits = tuple(limits)
        self._used: dict[tuple[int, date | None], int] = {}

    def count(self, posting: Posting, amount: int) -> None:
        """Add a posting that stands in the books."""
        if not self._limits:
            return
        for i, limit in self._those_of(posting):
            key = (i, limit.period(posting.at))
            self._used[key] = self._used.get(key, 0) + amount

    def check(self, posting: Posting, amount: int) -> None:
        """Refuse a posting that would pass a limit."""
        if not self._limits:
            return
        for i, limit in self._those_of(posting):
            used = 0 if limit.per is Per.POSTING else self._used.get((i, limit.period(posting.at)), 0)
            if used + amount <= limit.at_most:
                continue
            way_out = f"ask for at most {limit.unit.text(max(limit.at_most - used, 0))}"
            if limit.per in (Per.DAY, Per.WEEK, Per.MONTH, Per.YEAR):
                way_out += f", or wait for the next {limit.per.value}"
            if limit.above is Above.APPROVAL:
                if posting.actor and posting.approver and posting.approver != posting.actor:
                    continue
                way_out += ", or let a second person approve it: approver='...', not the actor"
                way_out += "" if posting.actor else ", who must be named too: actor='...'"
            raise LimitExceeded(
                posting.account, limit.kind.value, limit.per.value, limit.at_most, used, amount, limit.unit.name,
                way_out, limit.unit.digits,
            )  # fmt: skip

    def _those_of(self, posting: Posting) -> Iterable[tuple[int, Limit]]:
        kind = Kind.SPEND if posting.kind is Kind.COMMIT else posting.kind
        return ((i, limit) for i, limit in enumerate(self._limits) if limit.concerns(kind, posting))
