"""Local days, weeks and months of a zone for whole columns of instants, right through every change of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import UnknownName
from crmcore.metrics._doors import instants

__all__ = ["PERIODS", "Period", "local_clock", "local_periods", "period_ends", "period_starts", "zone_of"]

Ints = NDArray[np.int64]
Instants = NDArray[np.datetime64]
Period = Literal["day", "week", "month"]

PERIODS: tuple[Period, ...] = ("day", "week", "month")
"""Lengths of time that people count in; weeks begin on Monday (ISO 8601)."""

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_QUARTER = 900 * _SECOND
_TWO_DAYS = np.timedelta64(2, "D")


def zone_of(zone: str | ZoneInfo) -> ZoneInfo:
    """Zone of a name; an unknown one proposes the nearest.

    Examples
    --------
    >>> zone_of("Asia/Bangkok").key
    'Asia/Bangkok'
    """
    if isinstance(zone, ZoneInfo):
        return zone
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        from zoneinfo import available_timezones

        raise UnknownName("time zone", zone, tuple(sorted(available_timezones()))) from None


def check_period(period: str) -> None:
    """Refuse a period that nobody knows."""
    if period not in PERIODS:
        raise UnknownName("period", period, PERIODS)


def _offset(second: int, zone: ZoneInfo) -> int:
    found = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).astimezone(zone).utcoffset()
    return 0 if found is None else int(found.total_seconds())


def _pieces(first: np.datetime64, last: np.datetime64, zone: ZoneInfo) -> tuple[Ints, Ints]:
    """UTC starts and offsets, in microseconds, of the stretches of one offset from `first` to `last`.

    One look a day finds that the clock changed, bisection finds the second: no zone ever changed its offset forth and
    back within a day.
    """
    begin, end = (int(t.astype("datetime64[s]").astype(np.int64)) for t in (first, last))
    starts, offsets = [begin], [_offset(begin, zone)]
    for look in range(begin + 86_400, end + 86_400, 86_400):
        if (found := _offset(look, zone)) != offsets[-1]:
            before, after = look - 86_400, look
            while after - before > 1:
                middle = (before + after) // 2
                before, after = (middle, after) if _offset(middle, zone) == offsets[-1] else (before, middle)
            starts.append(after)
            offsets.append(found)
    return np.array(starts, np.int64) * _SECOND, np.array(offsets, np.int64) * _SECOND


def local_clock(time: ArrayLike, zone: str | ZoneInfo, /) -> Instants:
    """What the wall clock of a zone shows at each instant.

    Parameters
    ----------
    time : (n,) instants
        `datetime64` in UTC or aware datetimes.
    zone : text or ZoneInfo
        Such as "Asia/Bangkok".

    Examples
    --------
    >>> local_clock(np.array(["2026-03-29T00:59:59", "2026-03-29T01:00:00"], "datetime64[us]"), "Europe/Berlin")
    array(['2026-03-29T01:59:59.000000', '2026-03-29T03:00:00.000000'],
          dtype='datetime64[us]')
    """
    column = instants("time", time)
    where = zone_of(zone)
    if len(column) == 0:
        return column
    starts, offsets = _pieces(column.min(), column.max(), where)
    since = column.view(np.int64)
    ahead = offsets[0] if len(starts) == 1 else offsets[np.searchsorted(starts, since, side="right") - 1]
    wall: Instants = (since + ahead).view("datetime64[us]")
    return wall


def local_periods(time: ArrayLike, zone: str | ZoneInfo, /, *, period: Period = "day") -> Ints:
    """Number of the local day, week or month of each instant, counted from that of 1 January 1970.

    Examples
    --------
    >>> night = np.array(["2026-02-28T16:59", "2026-02-28T17:00"], "datetime64[us]")
    >>> local_periods(night, "Asia/Bangkok"), local_periods(night, "Asia/Bangkok", period="month")
    (array([20512, 20513]), array([673, 674]))
    """
    check_period(period)
    column, where = instants("time", time), zone_of(zone)
    since = column.view(np.int64)
    if len(column) == 0:
        return np.zeros(0, np.int64)
    quarter = np.floor_divide(since, _QUARTER)
    first, last = int(quarter.min()), int(quarter.max())
    if last - first > len(column):
        return _numbers(local_clock(column, where), period)
    starts, offsets = _pieces(column.min(), column.max(), where)
    if (starts[1:] % _QUARTER).any() or (offsets % _QUARTER).any():  # local mean times before about 1920
        return _numbers(local_clock(column, where), period)
    # midnights and changes of the clock fall on quarters of an hour: look up each quarter once
    table: Ints = _numbers(local_clock((np.arange(first, last + 1) * _QUARTER).view("datetime64[us]"), where), period)
    number: Ints = table[quarter - first]
    return number


def _numbers(wall: Instants, period: Period) -> Ints:
    """Number of the period that a wall clock stands in."""
    if period == "month":
        return wall.astype("datetime64[M]").astype(np.int64)
    day = np.floor_divide(wall.view(np.int64), _DAY)
    return day if period == "day" else np.floor_divide(day + 3, 7)  # 1 January 1970 was a Thursday


def _first_day(number: Ints, period: Period) -> NDArray[np.datetime64]:
    if period == "month":
        return number.astype("datetime64[M]").astype("datetime64[D]")
    return (number if period == "day" else 7 * number - 3).astype("datetime64[D]")


def period_starts(number: ArrayLike, /, *, period: Period = "day") -> list[date]:
    """First local day of each period.

    Examples
    --------
    >>> period_starts([674], period="month"), period_starts([0], period="week")
    ([datetime.date(2026, 3, 1)], [datetime.date(1969, 12, 29)])
    """
    check_period(period)
    days: list[date] = _first_day(np.asarray(number, np.int64), period).tolist()
    return days


def period_ends(number: ArrayLike, zone: str | ZoneInfo, /, *, period: Period = "day") -> Instants:
    """Instant from which each local period is over for good, in UTC.

    Examples
    --------
    >>> period_ends([20512], "Asia/Bangkok")
    array(['2026-02-28T17:00:00.000000'], dtype='datetime64[us]')
    """
    check_period(period)
    column = np.asarray(number, np.int64)
    where = zone_of(zone)
    midnight = _first_day(column + 1, period).astype("datetime64[us]")
    if len(column) == 0:
        return midnight
    starts, offsets = _pieces(midnight.min() - _TWO_DAYS, midnight.max() + _TWO_DAYS, where)
    wall = midnight.astype(np.int64)
    piece = np.searchsorted(starts + offsets, wall, side="left") - 1  # the last that begins before that midnight
    until = np.append(starts[1:], np.iinfo(np.int64).max)[piece]
    over: Instants = np.minimum(until, wall - offsets[piece]).astype("datetime64[us]")
    return over
