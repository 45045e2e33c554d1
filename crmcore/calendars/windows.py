"""Opening windows: read from text or times, split at midnight, united, and checked all at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time

import numpy as np

from crmcore.calendars.errors import BadWindows
from crmcore.errors import nearest

__all__ = ["WEEKDAYS", "Span", "Window", "clock_text", "read_date", "read_day", "read_week", "to_spans", "weekdays_of"]

Window = tuple[str, str]
"""Open and close as local wall-clock text: `("09:00", "17:00")`."""
Span = tuple[int, int]
"""Open and close in microseconds since local midnight."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?")
_SECOND = 1_000_000
MIDNIGHT = 86_400 * _SECOND


def clock_us(value: str | time) -> int | None:
    """Microseconds since midnight of a wall-clock time, None where it is none; 24:00 is the end of the day."""
    if isinstance(value, time):
        value = value.replace(tzinfo=None).isoformat()
    match = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    hour, minute, second = (int(g or 0) for g in match.groups()[:3])
    us = (hour * 3600 + minute * 60 + second) * _SECOND + int((match[4] or "0").ljust(6, "0"))
    return us if minute < 60 and second < 60 and us <= MIDNIGHT else None


def clock_text(us: int) -> str:
    """Text of a wall-clock time: `09:00`, with seconds only where there are some, `24:00` at the end of the day.

    Examples
    --------
    >>> clock_text(34_200_000_000), clock_text(86_400_000_000)
    ('09:30', '24:00')
    """
    seconds, fraction = divmod(us, _SECOND)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"
    if seconds % 60 or fraction:
        text += f":{seconds % 60:02d}"
    return text + (f".{fraction:06d}" if fraction else "")


def read_date(value: object) -> date | None:
    """Date of a date, a datetime or ISO text; None where it is none."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def read_week(schedule: Mapping[str, Iterable[Sequence[str | time]]]) -> dict[str, tuple[Window, ...]]:
    """Canonical weekly schedule: short weekday names, windows in order, united, none over midnight.

    Raises
    ------
    BadWindows
        Every unknown weekday and every impossible window.

    Examples
    --------
    >>> read_week({"mon-tue": [("09:00", "12:00")], "Sunday": [("22:00", "06:00")]})
    {'mon': (('00:00', '06:00'), ('09:00', '12:00')), 'tue': (('09:00', '12:00'),), 'sun': (('22:00', '24:00'),)}
    """
    given: object = schedule
    if not isinstance(given, Mapping):
        raise BadWindows("the weekly schedule", (f"{type(given).__name__} is no mapping of weekdays to windows",))
    problems: list[str] = []
    week: dict[int, list[Span]] = {i: [] for i in range(7)}
    for name, windows in schedule.items():
        days = _weekdays(name, problems)
        for opened, closed in _spans(str(name), windows, problems):
            for day in days:
                week[day].append((opened, min(closed, MIDNIGHT)))
                if closed > MIDNIGHT:
                    week[(day + 1) % 7].append((0, closed - MIDNIGHT))
    if problems:
        raise BadWindows("the weekly schedule", tuple(problems))
    return {WEEKDAYS[i]: _text(united(spans)) for i, spans in week.items() if spans}


def read_day(day: date, windows: Iterable[Sequence[str | time]], problems: list[str]) -> tuple[Window, ...]:
    """Canonical windows of one special day; a window over midnight is a problem, because the next date has its own."""
    spans = _spans(day.isoformat(), windows, problems)
    for opened, closed in spans:
        if closed > MIDNIGHT:
            problems.append(
                f"{day}: {clock_text(opened)} to {clock_text(closed - MIDNIGHT)} runs into the next date: "
                'end it at "24:00" and give the next date its own windows'
            )
    return _text(united(spans)) if not problems else ()


def to_spans(windows: Iterable[Window]) -> tuple[Span, ...]:
    """Microseconds of canonical windows."""
    return tuple((clock_us(opened) or 0, clock_us(closed) or 0) for opened, closed in windows)


def united(spans: Iterable[Span]) -> list[Span]:
    """Union of spans in order; spans that overlap or touch become one."""
    out: list[Span] = []
    for opened, closed in sorted(spans):
        if out and opened <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], closed))
        else:
            out.append((opened, closed))
    return out


def _text(spans: Iterable[Span]) -> tuple[Window, ...]:
    return tuple((clock_text(opened), clock_text(closed)) for opened, closed in spans)


def _spans(where: str, windows: Iterable[Sequence[str | time]], problems: list[str]) -> list[Span]:
    """Spans of windows as they are written; a close after midnight is counted on past 24:00."""
    out: list[Span] = []
    given: object = windows
    if isinstance(given, str) or not isinstance(given, Iterable):
        problems.append(f"{where}: {given!r} is not a list of windows: [] is closed")
        return out
    for window in windows:
        if isinstance(window, str) or not isinstance(window, Sequence) or len(window) != 2:
            problems.append(f"{where}: {window!r} is not a pair of open and close")
            continue
        opened, closed = clock_us(window[0]), clock_us(window[1])
        odd = [str(w) for w, us in zip(window, (opened, closed), strict=True) if us is None]
        if opened is None or closed is None:
            problems.append(f"{where}: {', '.join(odd)}: expected a time from 00:00 to 24:00")
        elif opened in (closed, MIDNIGHT):
            problems.append(f'{where}: {window[0]} to {window[1]} has no length: a whole day is ("00:00", "24:00")')
        else:
            out.append((opened, closed if closed > opened else closed + MIDNIGHT))
    return out


def _weekdays(name: object, problems: list[str]) -> list[int]:
    """Weekdays of "mon", "Monday" or "mon-fri"."""
    ends = [_weekday(part) for part in str(name).split("-")]
    if len(ends) > 2 or None in ends:
        near = nearest(str(name), (*WEEKDAYS, *_LONG))
        problems.append(f"{name!r} is no weekday" + (f": did you mean {near!r}?" if near else f": one of {WEEKDAYS}"))
        return []
    first, last = ends[0] or 0, ends[-1] or 0
    return [(first + i) % 7 for i in range((last - first) % 7 + 1)]


def weekdays_of(days: Iterable[str | int]) -> tuple[str, ...]:
    """Short names, in order and once each, of weekday names, ranges ("mon-fri") and ISO numbers (Monday is 1).

    Examples
    --------
    >>> weekdays_of([7, "mon-wed"])
    ('mon', 'tue', 'wed', 'sun')
    """
    problems: list[str] = []
    found: set[int] = set()
    given: object = days
    for day in days if isinstance(given, Iterable) and not isinstance(given, str) else [days]:
        if isinstance(day, int | np.integer) and not isinstance(day, bool) and 1 <= day <= 7:
            found.add(int(day) - 1)
        else:
            found.update(_weekdays(day, problems))
    if problems:
        raise BadWindows("weekdays", tuple(problems), 'name them "mon" to "sun", or by ISO number: Monday is 1')
    return tuple(WEEKDAYS[i] for i in sorted(found))


def _weekday(part: str) -> int | None:
    word = part.strip().casefold()
    return next((i for i in range(7) if word in (WEEKDAYS[i], _LONG[i])), None)
