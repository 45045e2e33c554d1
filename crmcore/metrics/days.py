"""Local days, weeks and months of a zone for whole columns of instants, right through every change of the clock."""

from __future__ import annotations

from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import UnknownName
from crmcore.metrics.columns import instants
from crmcore.zones import offset_table, zone_of

__all__ = ["PERIODS", "Period", "local_clock", "local_periods", "period_ends", "period_starts"]

Ints = NDArray[np.int64]
Instants = NDArray[np.datetime64]
Period = Literal["day", "week", "month", "quarter", "year"]

PERIODS: tuple[Period, ...] = ("day", "week", "month", "quarter", "year")
"""Lengths of time that people count in; weeks begin on Monday (ISO 8601)."""

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_QUARTER = 900 * _SECOND
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_TWO_DAYS = np.timedelta64(2, "D")


def check_period(period: str) -> None:
    """Refuse a period that nobody knows."""
    if period not in PERIODS:
        raise UnknownName("period", period, PERIODS)


def _pieces(first: np.datetime64, last: np.datetime64, zone: ZoneInfo) -> tuple[Ints, Ints]:
    """UTC starts and offsets, in microseconds, of the stretches of one offset from `first` to `last`."""
    begin, end = (int(t.astype("datetime64[us]").astype(np.int64)) for t in (first, last))
    table = offset_table(zone, begin, end + 1)
    lead = np.searchsorted(table.starts, begin, side="right") - 1
    return table.starts[lead:], table.offsets[lead:]


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
    """Number of the local day, week, month, quarter or year of each instant, counted from that of 1 January 1970.

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
    if period in _MONTHS:
        months: Ints = wall.astype("datetime64[M]").astype(np.int64)
        return np.floor_divide(months, _MONTHS[period])
    day = np.floor_divide(wall.view(np.int64), _DAY)
    return day if period == "day" else np.floor_divide(day + 3, 7)  # 1 January 1970 was a Thursday


def _first_day(number: Ints, period: Period) -> NDArray[np.datetime64]:
    if period in _MONTHS:
        return (number * _MONTHS[period]).astype("datetime64[M]").astype("datetime64[D]")
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
