"""Business calendars: opening hours in a zone, holidays, special days, and how they changed over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from types import MappingProxyType
from typing import Any

import attrs
import numpy as np

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.calendars.business_time import BusinessTime
from crmcore.calendars.errors import BadWindows
from crmcore.calendars.table import OpenTable, TableBook, cut_spans, local_spans, open_table, utc_spans
from crmcore.calendars.windows import WEEKDAYS, Span, Window, read_date, read_day, read_week, to_spans
from crmcore.documents import Document, from_dict, to_dict
from crmcore.errors import WrongType
from crmcore.zones import DAY, EARLIEST, LATEST, instants_of_local, offset_table, zone_of

__all__ = ["BusinessCalendar", "CalendarChange", "CalendarHistory"]

Schedule = Mapping[str, Iterable[Sequence[str | time]]]
Micros = Any


def _zone_name(zone: object) -> str:
    return str(zone_of(zone))  # type: ignore[arg-type]


def _week(schedule: Schedule) -> Mapping[str, tuple[Window, ...]]:
    return MappingProxyType(read_week(schedule))


def _holidays(days: Mapping[Any, str] | Iterable[Any]) -> Mapping[date, str]:
    """Dates in order with their names; plain dates are called "holiday"."""
    if isinstance(days, str) or not isinstance(days, Iterable):
        raise WrongType("holidays", repr(days), "a list of dates, or a mapping of date to name", "[] is no holiday")
    named = dict(days) if isinstance(days, Mapping) else dict.fromkeys(days, "holiday")
    return MappingProxyType(dict(sorted((day, str(name)) for day, name in _dated(named, "holidays").items())))


def _special(days: Mapping[Any, Iterable[Sequence[str | time]]]) -> Mapping[date, tuple[Window, ...]]:
    given: object = days
    if not isinstance(given, Mapping):
        got = type(given).__name__
        raise WrongType(
            "special_days", got, "a mapping of date to windows", 'write {"2026-12-24": [("09:00", "12:00")]}'
        )
    problems: list[str] = []
    dated = _dated(dict(days), "special_days")
    read = {day: read_day(day, dated[day], problems) for day in sorted(dated)}
    if problems:
        raise BadWindows("special_days", tuple(problems))
    return MappingProxyType(read)


def _dated(days: dict[Any, Any], name: str) -> dict[date, Any]:
    read = {key: read_date(key) for key in days}
    odd = [key for key, day in read.items() if day is None]
    if odd:
        shown = ", ".join(repr(key) for key in odd[:5])
        raise WrongType(name, shown, "dates, or ISO text such as '2026-12-24'", "write the year, month and day in full")
    return {day: days[key] for key, day in read.items() if day is not None}


@attrs.frozen(repr=False)
class BusinessCalendar(BusinessTime):
    """When a desk is open: weekly hours on the wall clock of a zone, holidays, and days with hours of their own.

    Parameters
    ----------
    zone : IANA name
        Never guessed.
    schedule : mapping
        Weekday ("mon", "Monday", "mon-fri") to windows `[open, close)` in local time. Several a day; overlapping ones
        are united; "24:00" ends a day; ("22:00", "06:00") runs into the next weekday and is kept as two windows.
    holidays : dates, or mapping of date to name
        Closed all day, also the early hours that a night window of the day before would reach.
    special_days : mapping
        Date to windows that replace everything on that date, also a holiday; no windows close it.
    name : text
        Used in errors and explanations.

    Raises
    ------
    UnknownName, BadWindows, WrongType
        An unknown zone; weekdays and windows that cannot be, all at once; keys that are no dates.

    Notes
    -----
    Business time is real elapsed time while the wall clock is inside a window, so a day of 23 or 25 hours counts fewer
    or more minutes, and a local date that a zone skipped counts none.

    Examples
    --------
    >>> desk = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]}, holidays={"2026-04-13": "Songkran"})
    >>> desk
    BusinessCalendar(Asia/Bangkok, 40 h a week, 1 holiday, 0 special days)
    """

    zone: str = attrs.field(converter=_zone_name)
    schedule: Mapping[str, tuple[Window, ...]] = attrs.field(converter=_week, hash=False)
    holidays: Mapping[date, str] = attrs.field(factory=dict, converter=_holidays, hash=False)
    special_days: Mapping[date, tuple[Window, ...]] = attrs.field(factory=dict, converter=_special, hash=False)
    name: str = ""
    _book: TableBook = attrs.field(init=False, factory=TableBook, eq=False)

    @classmethod
    def always(cls, zone: str, *, name: str = "") -> BusinessCalendar:
        """Calendar that never closes.

        Examples
        --------
        >>> BusinessCalendar.always("UTC")
        BusinessCalendar(UTC, 168 h a week, 0 holidays, 0 special days)
        """
        return cls(zone, {"mon-sun": [("00:00", "24:00")]}, name=name)

    def __repr__(self) -> str:
        week_us = sum(closed - opened for w in self.schedule.values() for opened, closed in to_spans(w))
        counts = f"{_counted(len(self.holidays), 'holiday')}, {_counted(len(self.special_days), 'special day')}"
        title = f"{self.name!r}, " if self.name else ""
        return f"BusinessCalendar({title}{self.zone}, {week_us / 3_600_000_000:g} h a week, {counts})"

    def __str__(self) -> str:
        lines = [f"{row['day']:<12} {row['hours']}" for row in self._rows()]
        return "\n".join([f"{self.name or 'open'} ({self.zone})", *(f"  {line}" for line in lines)])

    def _rows(self) -> list[dict[str, str]]:
        """Weekdays, then the dates that differ, each with its hours in words."""
        rows = [(day, _hours(self.schedule.get(day, ()))) for day in WEEKDAYS]
        special = {day: _hours(windows) for day, windows in self.special_days.items()}
        dated = {**{day: f"closed: {name}" for day, name in self.holidays.items()}, **special}
        rows += [(day.isoformat(), dated[day]) for day in sorted(dated)]
        return [{"day": day, "hours": hours} for day, hours in rows]

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=f"{self.name or 'open'} ({self.zone})", limit=40)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a weekday and a date that differs: day, hours."""
        rows = self._rows()
        return write_frame({name: [row[name] for row in rows] for name in ("day", "hours")}, backend=backend)

    def __reduce__(self) -> tuple[Any, ...]:
        fields = (self.zone, dict(self.schedule), dict(self.holidays), dict(self.special_days), self.name)
        return BusinessCalendar, fields

    def _make_table(self, since: int, until: int) -> OpenTable:
        return open_table(*self._spans(since, until), since=since, until=until)

    def _spans(self, since: int, until: int) -> tuple[Micros, Micros]:
        """Open spans of [since, until) in UTC."""
        week = tuple(to_spans(self.schedule.get(day, ())) for day in WEEKDAYS)
        closed: dict[int, tuple[Span, ...]] = {_day(d): () for d in self.holidays}
        exceptions = {**closed, **{_day(d): to_spans(w) for d, w in self.special_days.items()}}
        wall = local_spans(since // DAY - 2, until // DAY + 3, week=week, exceptions=exceptions)
        return utc_spans(*wall, offsets=offset_table(self.zone, since, until), since=since, until=until)

    def _versions(self, low: int, high: int) -> list[tuple[BusinessCalendar, int, int]]:
        return [(self, low, high)]

    def _settled(self) -> int:
        days = [_day(d) for d in (*self.holidays, *self.special_days)]
        return min((max(days) + 3) * DAY, LATEST) if days else EARLIEST

    def _opens_weekly(self) -> bool:
        return bool(self.schedule)

    def from_date(self, day: date | str, calendar: BusinessCalendar) -> CalendarHistory:
        """Hold this calendar until a date, and another from its first local instant on.

        Examples
        --------
        >>> old = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})
        >>> old.from_date("2026-07-01", BusinessCalendar.always("Asia/Bangkok"))
        CalendarHistory(2 versions, the last from 2026-07-01)
        """
        return CalendarHistory(self).from_date(day, calendar)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON.

        Examples
        --------
        >>> BusinessCalendar("UTC", {"mon": [("09:00", "17:00")]}).to_dict()["schedule"]
        {'mon': [('09:00', '17:00')]}
        """
        found: dict[str, Any] = to_dict(self)
        return found

    @classmethod
    def from_dict(cls, document: object) -> BusinessCalendar:
        """Calendar that `to_dict` wrote.

        Examples
        --------
        >>> desk = BusinessCalendar("UTC", {"mon": [("09:00", "17:00")]})
        >>> BusinessCalendar.from_dict(desk.to_dict()) == desk
        True
        """
        return from_dict(cls, document)


def _hours(windows: Iterable[Window]) -> str:
    return ", ".join(f"{opened}-{closed}" for opened, closed in windows) or "closed"


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _day(day: date) -> int:
    return day.toordinal() - _FIRST_ORDINAL


_FIRST_ORDINAL = date(1970, 1, 1).toordinal()


@attrs.frozen
class CalendarChange:
    """A calendar that holds from the first instant of a local date on (in its own zone)."""

    from_date: date
    calendar: BusinessCalendar


def _in_order(changes: Iterable[CalendarChange]) -> tuple[CalendarChange, ...]:
    return tuple(sorted(changes, key=lambda change: change.from_date))


@attrs.frozen(repr=False)
class CalendarHistory(BusinessTime, Document):
    """Versions of a calendar over time; a later version never moves minutes before its date.

    Parameters
    ----------
    first : BusinessCalendar
        Holds since ever.
    changes : tuple of CalendarChange
        In order of their dates; of two with the same date the later one in the tuple holds.

    Examples
    --------
    >>> from crmcore.calendars import local
    >>> old = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})
    >>> desk = old.from_date("2026-07-01", BusinessCalendar("Asia/Bangkok", {"mon-fri": [("08:00", "12:00")]}))
    >>> print(desk.deadline(local(2026, 6, 30, 16, zone="Asia/Bangkok"), minutes=120))
    2026-07-01 09:00:00+07:00
    """

    first: BusinessCalendar
    changes: tuple[CalendarChange, ...] = attrs.field(default=(), converter=_in_order)
    _book: TableBook = attrs.field(init=False, factory=TableBook, eq=False, repr=False)

    def __repr__(self) -> str:
        last = f", the last from {self.changes[-1].from_date}" if self.changes else ""
        return f"CalendarHistory({_counted(len(self.changes) + 1, 'version')}{last})"

    def _repr_html_(self) -> str:
        since = ["ever", *(change.from_date.isoformat() for change in self.changes)]
        calendars = (self.first, *(change.calendar for change in self.changes))
        rows = [{"since": day, "calendar": repr(calendar)} for day, calendar in zip(since, calendars, strict=True)]
        return html_table(rows, caption=repr(self))

    @property
    def last(self) -> BusinessCalendar:
        """Calendar that holds in the end."""
        return self.changes[-1].calendar if self.changes else self.first

    @property
    def zone(self) -> str:  # type: ignore[override]
        """Zone in which results are shown: that of the last version."""
        return self.last.zone

    @property
    def name(self) -> str:  # type: ignore[override]
        """Name of the last version."""
        return self.last.name

    def from_date(self, day: date | str, calendar: BusinessCalendar) -> CalendarHistory:
        """Add a version that holds from a date on."""
        read = read_date(day)
        if read is None:
            raise WrongType("day", repr(day), "a date, or ISO text", "write the year, month and day in full")
        return CalendarHistory(self.first, (*self.changes, CalendarChange(read, calendar)))

    def version_at(self, day: date) -> BusinessCalendar:
        """Calendar that holds on a local date."""
        held = [c.calendar for c in self.changes if c.from_date <= day]
        return held[-1] if held else self.first

    def _bounds(self) -> list[int]:
        """Instants at which the versions begin."""
        return [_first_instant(c.from_date, c.calendar.zone) for c in self.changes]

    def _make_table(self, since: int, until: int) -> OpenTable:
        inner = np.clip(np.array(self._bounds(), np.int64), since, until).tolist()
        bounds = np.maximum.accumulate([since, *inner, until]).tolist()  # zones may put two dates in another order
        parts = [c._spans(since, until) for c in (self.first, *(c.calendar for c in self.changes))]
        return open_table(*cut_spans(parts, bounds), since=since, until=until)

    def _versions(self, low: int, high: int) -> list[tuple[BusinessCalendar, int, int]]:
        bounds = np.maximum.accumulate([low, *np.clip(self._bounds(), low, high), high]).tolist()
        calendars = (self.first, *(c.calendar for c in self.changes))
        held = zip(calendars, bounds, bounds[1:], strict=False)
        return [(calendar, a, b) for calendar, a, b in held if a < b]

    def _settled(self) -> int:
        calendars = (self.first, *(c.calendar for c in self.changes))
        return max([*(c._settled() for c in calendars), *self._bounds()])

    def _opens_weekly(self) -> bool:
        return self.last._opens_weekly()


def _first_instant(day: date, zone: str) -> int:
    """First instant of a local date; of a date that the zone skipped, the moment of the skip."""
    midnight = np.array([day], "datetime64[us]")
    return int(instants_of_local(midnight, zone, gap="first instant").astype(np.int64)[0])
