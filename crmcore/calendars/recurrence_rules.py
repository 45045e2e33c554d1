"""Rules of dates that come again: yearly, monthly, weekly, every n days, the nth weekday."""

from __future__ import annotations

import calendar as _months
import enum
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

import attrs

from crmcore.calendars.windows import WEEKDAYS, read_date, weekdays_of
from crmcore.errors import OutOfRange, WrongType
from crmcore.values.words import word

__all__ = ["EveryNDays", "LeapDay", "MonthEnd", "Monthly", "NthWeekday", "Weekly", "Yearly", "leap_day_policy"]


class LeapDay(enum.StrEnum):
    """On which day of a common year a date of 29 February comes round."""

    FEB_28 = "28 Feb"
    MARCH_1 = "1 March"
    LEAP_YEARS_ONLY = "leap years only"


class MonthEnd(enum.StrEnum):
    """What a day of the month means in a month that is too short for it."""

    LAST_DAY = "last day"
    NEXT_MONTH = "first of the next month"
    SKIP = "skip"


def leap_day_policy(value: LeapDay | str) -> LeapDay:
    """Policy by its word; the error proposes the nearest."""
    return word(LeapDay, value, "leap day policy")


def _month_end(value: MonthEnd | str) -> MonthEnd:
    return word(MonthEnd, value, "month end policy")


def _date(value: date | str) -> date:
    read = read_date(value)
    if read is None:
        raise WrongType("date", repr(value), "a date, or ISO text", "write the year, month and day in full")
    return read


def _whole(low: int, high: int) -> Any:
    def check(_instance: Any, attribute: Any, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high or value == 0:
            raise OutOfRange(attribute.name, value, f"a whole number from {low} to {high}", "count days from 1")

    return check


@attrs.frozen
class Yearly:
    """Every year on the month and day of a date, from that date on: birthdays, renewals, anniversaries.

    Parameters
    ----------
    first : date
        The first occurrence; a date of birth counts itself.
    leap_day : LeapDay
        Where a date of 29 February goes in a common year. Laws differ (England: 1 March; New Zealand: 28 February), so
        there is no default.

    Examples
    --------
    >>> from itertools import islice
    >>> born = Yearly(date(2000, 2, 29), leap_day="28 Feb")
    >>> [str(d) for d in islice(born.dates(date(2026, 1, 1)), 3)]
    ['2026-02-28', '2027-02-28', '2028-02-29']
    """

    first: date = attrs.field(converter=_date)
    leap_day: LeapDay = attrs.field(kw_only=True, converter=leap_day_policy)

    def dates(self, since: date) -> Iterator[date]:
        """Occurrences from a date on."""
        for year in range(max(since.year - 1, self.first.year), 9999):
            found = _in_year(self.first, year, self.leap_day)
            if found is not None and found >= since:
                yield found


def _in_year(day: date, year: int, policy: LeapDay) -> date | None:
    if (day.month, day.day) != (2, 29) or _months.isleap(year):
        return day.replace(year=year)
    if policy is LeapDay.LEAP_YEARS_ONLY:
        return None
    return date(year, 2, 28) if policy is LeapDay.FEB_28 else date(year, 3, 1)


@attrs.frozen
class Monthly:
    """Every month, or every n months, on one day of it; -1 is the last day.

    Examples
    --------
    >>> from itertools import islice
    >>> [str(d) for d in islice(Monthly(31, short_months="last day").dates(date(2026, 1, 31)), 3)]
    ['2026-01-31', '2026-02-28', '2026-03-31']
    """

    day: int = attrs.field(validator=_whole(-31, 31))
    short_months: MonthEnd = attrs.field(kw_only=True, converter=_month_end)
    every: int = attrs.field(default=1, kw_only=True, validator=_whole(1, 1200))
    start: date = attrs.field(default=date(1970, 1, 1), kw_only=True, converter=_date)

    def dates(self, since: date) -> Iterator[date]:
        """Occurrences from a date on, never before `start`."""
        since = max(since, self.start)
        first = self.start.year * 12 + self.start.month - 1
        month = max(since.year * 12 + since.month - 2, first)
        month += -(month - first) % self.every
        while month < 9998 * 12:
            found = self._in_month(*divmod(month, 12))
            if found is not None and found >= since:
                yield found
            month += self.every

    def _in_month(self, year: int, month: int) -> date | None:
        length = _months.monthrange(year, month + 1)[1]
        day = self.day if self.day > 0 else length + 1 + self.day
        if 1 <= day <= length:
            return date(year, month + 1, day)
        if self.short_months is MonthEnd.SKIP:
            return None
        last = date(year, month + 1, length if day > 0 else 1)
        return last + timedelta(days=1) if self.short_months is MonthEnd.NEXT_MONTH and day > 0 else last


@attrs.frozen
class Weekly:
    """Every week, or every n weeks, on some weekdays; weeks begin on Monday.

    Examples
    --------
    >>> from itertools import islice
    >>> [str(d) for d in islice(Weekly(["mon", "thu"], every=2, start="2026-06-01").dates(date(2026, 6, 3)), 3)]
    ['2026-06-04', '2026-06-15', '2026-06-18']
    """

    weekdays: tuple[str, ...] = attrs.field(converter=weekdays_of)
    every: int = attrs.field(default=1, kw_only=True, validator=_whole(1, 520))
    start: date = attrs.field(default=date(1970, 1, 1), kw_only=True, converter=_date)

    def dates(self, since: date) -> Iterator[date]:
        """Occurrences from a date on, never before `start`; none at all without weekdays."""
        since = max(since, self.start)
        anchor = self.start.toordinal() - self.start.weekday()
        week = anchor + (since.toordinal() - anchor) // (7 * self.every) * 7 * self.every
        days = [WEEKDAYS.index(day) for day in self.weekdays]
        while days and week < _LAST_DAY:
            for day in days:
                if (found := date.fromordinal(week + day)) >= since:
                    yield found
            week += 7 * self.every


_LAST_DAY = date(9998, 12, 1).toordinal()


@attrs.frozen
class EveryNDays:
    """Every n days from a first date on.

    Examples
    --------
    >>> from itertools import islice
    >>> [str(d) for d in islice(EveryNDays(90, start="2026-01-01").dates(date(2026, 2, 1)), 2)]
    ['2026-04-01', '2026-06-30']
    """

    days: int = attrs.field(validator=_whole(1, 36_600))
    start: date = attrs.field(kw_only=True, converter=_date)

    def dates(self, since: date) -> Iterator[date]:
        """Occurrences from a date on, never before `start`."""
        first = self.start.toordinal()
        day = first + max(-(-(since.toordinal() - first) // self.days), 0) * self.days
        while day < _LAST_DAY:
            yield date.fromordinal(day)
            day += self.days


def _one_day(day: str | int) -> str:
    found = weekdays_of([day])
    if len(found) != 1:
        raise OutOfRange("weekday", day, "one weekday", "use Weekly for several")
    return found[0]


def _month_numbers(months: Iterable[int]) -> tuple[int, ...]:
    given: object = months
    if not isinstance(given, Iterable):
        raise OutOfRange("months", given, "numbers from 1 to 12, at least one", "list them: months=[1]")
    found = tuple(sorted(set(months)))
    odd = [month for month in found if month not in range(1, 13)]
    if odd or not found:
        raise OutOfRange("months", odd, "numbers from 1 to 12, at least one", "January is 1")
    return found


@attrs.frozen
class NthWeekday:
    """The nth weekday of every month: `NthWeekday(2, "tue")`; -1 is the last. Months without a fifth one are skipped.

    Examples
    --------
    >>> from itertools import islice
    >>> [str(d) for d in islice(NthWeekday(-1, "fri").dates(date(2026, 6, 1)), 2)]
    ['2026-06-26', '2026-07-31']
    """

    nth: int = attrs.field(validator=_whole(-5, 5))
    weekday: str = attrs.field(converter=_one_day)
    months: tuple[int, ...] = attrs.field(default=tuple(range(1, 13)), kw_only=True, converter=_month_numbers)

    def dates(self, since: date) -> Iterator[date]:
        """Occurrences from a date on."""
        for month in range(since.year * 12 + since.month - 1, 9998 * 12):
            found = self._in_month(*divmod(month, 12))
            if found is not None and found >= since:
                yield found

    def _in_month(self, year: int, month: int) -> date | None:
        if month + 1 not in self.months:
            return None
        first, length = _months.monthrange(year, month + 1)
        days = range((WEEKDAYS.index(self.weekday) - first) % 7 + 1, length + 1, 7)
        place = self.nth - 1 if self.nth > 0 else len(days) + self.nth
        return date(year, month + 1, days[place]) if 0 <= place < len(days) else None
