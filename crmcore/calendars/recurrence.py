"""Dates that come again: birthdays, month days, weekdays and every n days, at a wall-clock time in a zone.

A rule yields local dates; a local time makes each an instant in the contact's zone, with a named policy for hours that
a clock change skips or repeats, and for 29 February and the 31st.
"""

from __future__ import annotations

import calendar as _months
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.calendars.errors import BadWindows, NoOccurrence
from crmcore.calendars.recurrence_rules import (
    EveryNDays,
    LeapDay,
    Monthly,
    NthWeekday,
    Weekly,
    Yearly,
    leap_day_policy,
)
from crmcore.calendars.windows import MIDNIGHT, clock_text, clock_us
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, OutOfRange, WrongType
from crmcore.values.words import word
from crmcore.zones import (
    DAY,
    EARLIEST,
    FoldPolicy,
    GapPolicy,
    from_us,
    instants_of_local,
    to_us,
    zone_of,
)

__all__ = ["DueDates", "Recurrence", "due_between"]


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


def _dates(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, Yearly | Monthly | Weekly | EveryNDays | NthWeekday):
        allowed = "Yearly, Monthly, Weekly, EveryNDays or NthWeekday"
        raise WrongType(
            attribute.name, f"a {type(value).__name__}", allowed, 'write Recurrence(Weekly(["mon"]), zone=...)'
        )


@attrs.frozen
class Recurrence(Document):
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

    rule: Yearly | Monthly | Weekly | EveryNDays | NthWeekday = attrs.field(validator=_dates)
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
        NoOccurrence
            None comes any more, as of a rule without weekdays.
        """
        low = to_us(at)
        for us in self._instants(from_us(low, self.zone).date() - timedelta(days=2)):
            if us > low:
                return from_us(us, self.zone)
        raise NoOccurrence(str(self.rule), str(from_us(low, self.zone)))


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
    policy = leap_day_policy(leap_day)
    days = np.asarray(dates if isinstance(dates, np.ndarray) else list(dates), "datetime64[D]")  # type: ignore[arg-type]
    low, high = to_us(since, "since"), to_us(until, "until")
    names = (zone,) if isinstance(zone, str) else tuple(zone)
    codes = np.zeros(len(days), np.intp) if zone_codes is None else np.asarray(zone_codes, np.intp)
    _check_codes(codes, len(days), len(names))
    years = range(from_us(low, "UTC").year - 1, from_us(high, "UTC").year + 2)
    clock = np.timedelta64(clock_us(_at(at)) or 0, "us")
    near = _maybe_due(days, low, high)
    parts = [_turns(days[near], year, low, high, policy) for year in years]
    rows = near[np.concatenate([rows for rows, _, _ in parts])]
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


def _maybe_due(days: NDArray[np.datetime64], low: int, high: int) -> NDArray[np.intp]:
    """Rows whose day of the year comes round in a span, for short spans: all the others need no arithmetic."""
    if high - low > 300 * DAY:
        return np.arange(len(days))
    span = np.arange(low // DAY - 3, high // DAY + 4).astype("datetime64[D]")
    wanted = np.zeros(12 * 31 + 1, np.bool_)
    wanted[_day_of_year(span)] = True
    wanted[31 + 28] |= wanted[31 + 27] or wanted[2 * 31]  # 29 February may come round on the day before or after
    return np.flatnonzero(wanted[_day_of_year(days)])


def _day_of_year(days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Month and day as one number, 31 a month; NaT has one of its own, which nobody wants."""
    month = days.astype("datetime64[M]")
    number = month.astype(np.int64) % 12 * 31 + (days - month).astype(np.int64)
    return np.where(np.isnat(days), 12 * 31, number)


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
