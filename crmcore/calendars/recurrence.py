"""Dates that come again: birthdays, month days, weekdays and every n days, at a wall-clock time in a zone.

A rule yields local dates; a local time makes each an instant in the contact's zone, with a named policy for hours that
a clock change skips or repeats, and for 29 February and the 31st.
"""

from __future__ import annotations

import calendar as _months
import enum
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore._json import from_dict, to_dict
from crmcore.calendars.errors import BadWindows, NoOpening
from crmcore.calendars.windows import MIDNIGHT, WEEKDAYS, clock_text, clock_us, read_date, weekdays_of
from crmcore.calendars.zones import (
    DAY,
    EARLIEST,
    FoldPolicy,
    GapPolicy,
    from_us,
    instants_of_local,
    to_us,
    zone_of,
)
from crmcore.errors import BadRow, BadRows, OutOfRange, WrongType
from crmcore.values.words import word

__all__ = [
    "DueDates",
    "EveryNDays",
    "LeapDay",
    "Monthly",
    "MonthEnd",
    "NthWeekday",
    "Recurrence",
    "Weekly",
    "Yearly",
    "due_between",
]


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


def _leap_day(value: LeapDay | str) -> LeapDay:
    return word(LeapDay, value, "leap day policy")


def _month_end(value: MonthEnd | str) -> MonthEnd:
    return word(MonthEnd, value, "month end policy")


def _gap(value: GapPolicy | str) -> GapPolicy:
    return word(GapPolicy, value, "gap policy")


def _fold(value: FoldPolicy | str) -> FoldPolicy:
    return word(FoldPolicy, value, "fold policy")


def _zone(value: str) -> str:
    return str(zone_of(value))


def _at(value: str | time) -> str:
    us = clock_us(value)
    if us is None or us >= MIDNIGHT:
        raise BadWindows("at", (f"{value!r}: expected a time from 00:00 to 23:59",), 'write it as "09:00"')
    return clock_text(us)


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
    leap_day: LeapDay = attrs.field(kw_only=True, converter=_leap_day)

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


@attrs.frozen
class Recurrence:
    """A rule of dates at one local time in one zone.

    Parameters
    ----------
    rule : Yearly, Monthly, Weekly, EveryNDays or NthWeekday
    at : local time
    zone : IANA name
    gap, fold : policy
        What the time means on a day whose clock change skips or repeats it. A local date that the zone skipped
        altogether has no time of its own: its occurrence follows the same gap policy.

    Examples
    --------
    >>> from crmcore.calendars import local
    >>> born = Recurrence(Yearly("2000-02-29", leap_day="1 March"), at="09:00", zone="Asia/Bangkok")
    >>> print(born.next_after(local(2027, 1, 1, zone="Asia/Bangkok")))
    2027-03-01 09:00:00+07:00
    """

    rule: Yearly | Monthly | Weekly | EveryNDays | NthWeekday
    at: str = attrs.field(default="09:00", kw_only=True, converter=_at)
    zone: str = attrs.field(kw_only=True, converter=_zone)
    gap: GapPolicy = attrs.field(default=GapPolicy.SHIFT, kw_only=True, converter=_gap)
    fold: FoldPolicy = attrs.field(default=FoldPolicy.FIRST, kw_only=True, converter=_fold)

    def _instants(self, since: date) -> Iterator[int]:
        """Instants of the occurrences from a local date on, in order, in blocks that grow."""
        dates = self.rule.dates(since)
        size, last = 4, EARLIEST
        while days := list(islice(dates, size)):
            wall = np.array(days, "datetime64[us]") + np.timedelta64(clock_us(self.at) or 0, "us")
            found = instants_of_local(wall, self.zone, gap=self.gap, fold=self.fold)
            for us in found[~np.isnat(found)].astype(np.int64).tolist():
                if us > last:  # a date that the zone skipped may fall on the next one's instant
                    yield us
                    last = us
            size = min(size * 4, 1024)

    def occurrences(self, start: datetime, until: datetime) -> tuple[datetime, ...]:
        """Instants in [start, until).

        Examples
        --------
        >>> from crmcore.calendars import local
        >>> mondays = Recurrence(Weekly("mon"), at="08:30", zone="Europe/Berlin")
        >>> for at in mondays.occurrences(*(local(2026, 3, d, zone="Europe/Berlin") for d in (20, 31))):
        ...     print(at)
        2026-03-23 08:30:00+01:00
        2026-03-30 08:30:00+02:00
        """
        low, high = to_us(start, "start"), to_us(until, "until")
        found = []
        for us in self._instants(from_us(low, self.zone).date() - timedelta(days=2)):
            if us >= high:
                break
            if us >= low:
                found.append(from_us(us, self.zone))
        return tuple(found)

    def next_after(self, at: datetime) -> datetime:
        """First occurrence later than an instant.

        Raises
        ------
        NoOpening
            None comes any more.
        """
        low = to_us(at)
        for us in self._instants(from_us(low, self.zone).date() - timedelta(days=2)):
            if us > low:
                return from_us(us, self.zone)
        raise NoOpening("the recurrence", str(from_us(low, self.zone)), 0.0, 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = to_dict(self)
        return found

    @classmethod
    def from_dict(cls, document: object) -> Recurrence:
        """Recurrence that `to_dict` wrote."""
        return from_dict(cls, document)


@attrs.frozen(eq=False, repr=False)
class DueDates:
    """Who is due when: one row an occurrence, in order of the instants, ties by row."""

    row: NDArray[np.intp]  # (k,) position of the person in what was passed
    at: NDArray[np.datetime64]  # (k,) instant in UTC
    date: NDArray[np.datetime64]  # (k,) local date on which it is observed
    years: NDArray[np.int64]  # (k,) how many years after the first date: the age, for a birthday

    def __len__(self) -> int:
        return len(self.row)

    def __repr__(self) -> str:
        return f"DueDates({len(self)} due)"

    def _repr_html_(self) -> str:
        shown = zip(self.row[:20].tolist(), self.at[:20], self.date[:20], self.years[:20].tolist(), strict=True)
        rows = [{"row": r, "at (UTC)": str(at)[:16], "date": str(day)[:10], "years": n} for r, at, day, n in shown]
        return html_table(rows, caption=f"{len(self)} due")

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an occurrence: row, at, date, years."""
        from crmcore._frames import write_frame

        dates = self.date.astype("datetime64[D]").tolist()
        columns: dict[str, Any] = {"row": self.row, "at": self.at, "date": dates, "years": self.years}
        return write_frame(columns, backend=backend)


def due_between(
    dates: ArrayLike | Iterable[date | None],
    since: datetime,
    until: datetime,
    *,
    zone: str | Sequence[str],
    leap_day: LeapDay | str,
    zone_codes: ArrayLike | None = None,
    at: str | time = "09:00",
    gap: GapPolicy | str = GapPolicy.SHIFT,
    fold: FoldPolicy | str = FoldPolicy.FIRST,
) -> DueDates:
    """Yearly occurrences of many dates, such as the birthdays of all customers, in [since, until).

    Parameters
    ----------
    dates : (n,) datetime64[D], or dates
        NaT or None is nobody's turn; occurrences start with the date itself.
    since, until : aware datetimes
    zone : IANA name, or several
        Several with `zone_codes`, where each row has its own.
    leap_day : LeapDay
        Where 29 February goes in a common year.
    at, gap, fold
        As in `Recurrence`.

    Examples
    --------
    >>> from crmcore.calendars import local
    >>> born = np.array(["2000-02-29", "1990-07-01", "NaT"], "datetime64[D]")
    >>> year = (local(y, 1, 1, zone="Asia/Bangkok") for y in (2027, 2028))
    >>> due = due_between(born, *year, zone="Asia/Bangkok", leap_day="28 Feb")
    >>> due.row, due.at.astype("datetime64[m]")
    (array([0, 1]), array(['2027-02-28T02:00', '2027-07-01T02:00'], dtype='datetime64[m]'))
    """
    policy = _leap_day(leap_day)
    days = np.asarray(dates if isinstance(dates, np.ndarray) else list(dates), "datetime64[D]")  # type: ignore[arg-type]
    low, high = to_us(since, "since"), to_us(until, "until")
    names = (zone,) if isinstance(zone, str) else tuple(zone)
    codes = np.zeros(len(days), np.intp) if zone_codes is None else np.asarray(zone_codes, np.intp)
    _check_codes(codes, len(days), len(names))
    years = range(from_us(low, "UTC").year - 1, from_us(high, "UTC").year + 2)
    clock = np.timedelta64(clock_us(_at(at)) or 0, "us")
    parts = [_turns(days, year, low, high, policy) for year in years]
    rows = np.concatenate([rows for rows, _, _ in parts])
    local_day = np.concatenate([found for _, found, _ in parts])
    ages = np.concatenate([age for _, _, age in parts])
    instants = np.full(len(rows), np.datetime64("NaT"), "datetime64[us]")
    for code, name in enumerate(names):
        mine = codes[rows] == code
        instants[mine] = instants_of_local(local_day[mine] + clock, name, gap=gap, fold=fold)
    us = instants.astype(np.int64)
    keep = ~np.isnat(instants) & (us >= low) & (us < high)
    order = np.flatnonzero(keep)[np.lexsort((rows[keep], us[keep]))]
    return DueDates(rows[order], instants[order], local_day[order], ages[order])


def _turns(
    days: NDArray[np.datetime64], year: int, low: int, high: int, policy: LeapDay
) -> tuple[NDArray[np.intp], NDArray[np.datetime64], NDArray[np.int64]]:
    """Rows whose turn in a year may lie in the span, the local date, and the years since the first date."""
    first = days.astype("datetime64[M]")
    day_of_month = (days - first).astype(np.int64)
    age = year - 1970 - days.astype("datetime64[Y]").astype(np.int64)
    month = first + (age * 12).astype("timedelta64[M]")
    found = month.astype("datetime64[D]") + day_of_month.astype("timedelta64[D]")
    leap = ~np.isnat(days) & (day_of_month == 28) & (first.astype(np.int64) % 12 == 1)
    if not _months.isleap(year):
        found = np.where(leap & (policy is LeapDay.FEB_28), found - np.timedelta64(1, "D"), found)
        if policy is LeapDay.LEAP_YEARS_ONLY:
            found = np.where(leap, np.datetime64("NaT"), found)
    near = found.astype("datetime64[us]").astype(np.int64)
    rows = np.flatnonzero(~np.isnat(found) & (age >= 0) & (near > low - 3 * DAY) & (near < high + 3 * DAY))
    return rows, found[rows], age[rows]


def _check_codes(codes: NDArray[np.intp], n: int, n_zones: int) -> None:
    if len(codes) != n:
        raise OutOfRange("zone_codes", f"{len(codes)} rows", f"{n} rows", "give every date one code")
    odd = np.flatnonzero((codes < 0) | (codes >= n_zones))
    if len(odd):
        problem = BadRow("zone_codes", f"not from 0 to {n_zones - 1}", tuple(odd.tolist()))
        raise BadRows("due_between", (problem,), "number the zones as they stand in zone=")
