"""How long points and coupons live: so many days or months, to the end of a day, month, quarter or year."""

from __future__ import annotations

import calendar
import enum
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs

from crmcore._base import check_aware
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.values.words import word
from crmcore.zones import zone_of

__all__ = ["FOREVER", "RoundUp", "Validity"]


class RoundUp(enum.StrEnum):
    """To the end of what a life is rounded up, by the programme's calendar."""

    NONE = "none"
    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


def _round_up(value: RoundUp | str) -> RoundUp:
    return word(RoundUp, value, "end of a validity")


def _span(_instance: object, attribute: attrs.Attribute[int], value: int) -> None:
    if type(value) is not int or not 0 <= value <= 36_500:
        raise OutOfRange(attribute.name, value, "a whole number from 0 to 36,500", "Validity(months=12)")


@attrs.frozen(kw_only=True)
class Validity(Document):
    """A length of life, counted on the wall clock of a zone.

    Parameters
    ----------
    months, days : counts
        Added in this order; a month later than 31 January is the last day of February. Both 0, no rounding: for ever.
    to_end_of : RoundUp
        The life then lasts to the end of that day, month, quarter or year.

    Examples
    --------
    >>> from crmcore.calendars import local
    >>> from zoneinfo import ZoneInfo
    >>> bangkok = ZoneInfo("Asia/Bangkok")
    >>> str(Validity(months=12, to_end_of="month").ends(local(2026, 6, 6, 12, zone="Asia/Bangkok"), zone=bangkok))
    '2027-07-01 00:00:00+07:00'
    >>> str(Validity(months=1).ends(local(2026, 1, 31, 9, 30, zone="Asia/Bangkok"), zone=bangkok))
    '2026-02-28 09:30:00+07:00'
    """

    months: int = attrs.field(default=0, validator=_span)
    days: int = attrs.field(default=0, validator=_span)
    to_end_of: RoundUp = attrs.field(default=RoundUp.NONE, converter=_round_up)

    @property
    def endless(self) -> bool:
        """Whether nothing ever ends."""
        return not self.months and not self.days and self.to_end_of is RoundUp.NONE

    def __str__(self) -> str:
        if self.endless:
            return "for ever"
        spans = [f"{n} {w}{'s' if n != 1 else ''}" for n, w in ((self.months, "month"), (self.days, "day")) if n]
        end = "" if self.to_end_of is RoundUp.NONE else f"to the end of the {self.to_end_of}"
        return " ".join(filter(None, [" and ".join(spans), end]))

    def ends(self, start: datetime, *, zone: ZoneInfo | str) -> datetime | None:
        """First instant at which it is over; None: never."""
        check_aware(start, "start")
        if self.endless:
            return None
        where = zone_of(zone)
        here = start.astimezone(where)
        day = _later(here.date(), self.months) + timedelta(days=self.days)
        if self.to_end_of is RoundUp.NONE:
            return datetime.combine(day, here.time(), where)
        return datetime.combine(_after(day, self.to_end_of), time(), where)


def _later(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _after(day: date, end: RoundUp) -> date:
    """First day after the day, month, quarter or year."""
    if end is RoundUp.DAY:
        return day + timedelta(days=1)
    if end is RoundUp.YEAR:
        return date(day.year + 1, 1, 1)
    first = day.replace(day=1)
    return _later(first, 1 if end is RoundUp.MONTH else 3 - (day.month - 1) % 3)


FOREVER = Validity()
