"""Time zones as columns: the offset of every instant, its local date, minute and weekday, and the way back.

Instants are `datetime64[us]` in UTC; inside kernels they are int64 microseconds since 1970. Offsets come from
`zoneinfo`: an `OffsetTable` holds the few instants at which a zone changes its offset, so that a million instants cost
one binary search and no conversion of single datetimes.
"""

from __future__ import annotations

import enum
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import NaiveDatetime, OutOfRange, UnknownName, WrongType

__all__ = [
    "FoldPolicy",
    "GapPolicy",
    "LocalColumns",
    "OffsetTable",
    "from_us",
    "instants_of_local",
    "local",
    "local_columns",
    "offset_table",
    "offsets_of",
    "to_us",
    "zone_of",
]

Instants = NDArray[np.datetime64]
Micros = NDArray[np.int64]

NAT = int(np.iinfo(np.int64).min)
SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = 2, 9998
"""Years that may be asked for: one year inside what `datetime` can hold, because local time reaches past UTC."""


def year_us(year: int) -> int:
    """Microseconds from 1970 to the start of a year in UTC."""
    return int(np.datetime64(f"{year:04d}-01-01", "us").astype(np.int64))


EARLIEST, LATEST = year_us(FIRST_YEAR), year_us(LAST_YEAR)


class GapPolicy(enum.StrEnum):
    """What a local time means that the clock skips (02:30 on the night of the spring change)."""

    SHIFT = "shift"  # read with the offset before the change: 02:30 becomes 03:30, as PEP 495 does
    FIRST_INSTANT = "first instant"  # the moment of the change: 02:30 becomes 03:00
    SKIP = "skip"  # there is no such instant


class FoldPolicy(enum.StrEnum):
    """Which instant a local time means that the clock shows twice (02:30 on the night of the autumn change)."""

    FIRST = "first"
    SECOND = "second"


def zone_of(zone: str | ZoneInfo) -> ZoneInfo:
    """IANA zone by its name.

    Raises
    ------
    UnknownName
        No such zone; the error proposes the nearest names.

    Examples
    --------
    >>> zone_of("Asia/Bangkok")
    zoneinfo.ZoneInfo(key='Asia/Bangkok')
    >>> zone_of("Asia/Bankok")
    Traceback (most recent call last):
    crmcore.errors.UnknownName: unknown time zone 'Asia/Bankok': expected one of ['Asia/Bangkok', 'Asia/Baku'].
      hint: did you mean 'Asia/Bangkok'?
    """
    if isinstance(zone, ZoneInfo):
        return zone
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError, TypeError, AttributeError):  # not found, a folder such as "Europe", no text
        raise UnknownName("time zone", str(zone), _near_zones(str(zone))) from None


def _near_zones(name: str) -> tuple[str, ...]:
    """Few names instead of six hundred: those spelled alike, or those of the same place."""
    known = sorted(available_timezones())
    places = {k.rpartition("/")[2].casefold(): k for k in known}
    wanted = name.strip().replace(" ", "_").casefold()
    if wanted in places:
        return (places[wanted],)
    folded = {k.casefold(): k for k in known}
    near = [folded[k] for k in get_close_matches(wanted, list(folded), n=3, cutoff=0.8)]
    near += [places[k] for k in get_close_matches(wanted.rpartition("/")[2], list(places), n=3, cutoff=0.8)]
    return tuple(dict.fromkeys(near)) or ("UTC", "Asia/Bangkok", "Europe/Berlin", "America/New_York")


def local(
    year: int,
    month: int,
    day: int,
    hour: int = 0,
    minute: int = 0,
    second: int = 0,
    *,
    zone: str | ZoneInfo,
    fold: int = 0,
) -> datetime:
    """Instant that a wall clock showed; `fold=1` is the second of two equal times when clocks go back.

    A time that the clock skips is read with the offset before the change (PEP 495): 02:30 becomes 03:30. The result
    carries its offset as a fixed one, so that differences and comparisons are of real time.

    Raises
    ------
    OutOfRange, UnknownName
        No such date or time; no such zone.

    Examples
    --------
    >>> print(local(2026, 10, 25, 2, 30, zone="Europe/Berlin"))
    2026-10-25 02:30:00+02:00
    >>> print(local(2026, 10, 25, 2, 30, zone="Europe/Berlin", fold=1))
    2026-10-25 02:30:00+01:00
    """
    try:
        found = datetime(year, month, day, hour, minute, second, tzinfo=zone_of(zone), fold=fold)
    except ValueError as error:
        asked = f"{year}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{second:02d}"
        raise OutOfRange("local time", asked, "a date and a time of the day", str(error)) from None
    return from_us(to_us(found, "local time"), zone)


def to_us(at: datetime, name: str = "at") -> int:
    """Microseconds since 1970 of an aware datetime.

    Raises
    ------
    NaiveDatetime, WrongType, OutOfRange
        No zone; no datetime; outside the years 2 to 9997.
    """
    try:
        delta = at - EPOCH
    except TypeError:
        given: object = at
        if not isinstance(given, datetime):
            hint = "read text with crmcore.zones.local, and leave out what is missing"
            raise WrongType(name, f"a {type(given).__name__}", "an aware datetime", hint) from None
        raise NaiveDatetime(name) from None
    us = (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds
    return us if EARLIEST <= us < LATEST else check_years(us, name)


def check_years(us: int, name: str) -> int:
    """Refuse instants too near to the ends of what `datetime` can hold."""
    if not EARLIEST <= us < LATEST:
        raise OutOfRange(name, str(np.datetime64(us, "us")), "the years 2 to 9997", "mark unknown times as missing")
    return us


def from_us(us: int, zone: str | ZoneInfo) -> datetime:
    """Aware datetime in the zone's offset of that instant.

    The offset is fixed, because two datetimes of one `ZoneInfo` are compared and subtracted by their wall clocks, which
    is wrong over a change.

    Examples
    --------
    >>> print(from_us(0, "Asia/Bangkok"))
    1970-01-01 07:00:00+07:00
    """
    return (EPOCH + timedelta(microseconds=us)).astimezone(_fixed(stretch_at(zone, us)[2]))


@lru_cache(maxsize=512)
def _fixed(offset_us: int) -> timezone:
    return timezone(timedelta(microseconds=offset_us))


def _offset(utc: datetime, zone: ZoneInfo) -> timedelta:
    return utc.astimezone(zone).utcoffset() or timedelta(0)


@attrs.frozen(eq=False, repr=False)
class OffsetTable:
    """Offsets of one zone over a span of UTC: from `starts[i]` on, local time is UTC plus `offsets[i]`."""

    zone: str
    starts: Micros  # (k,) increasing; the first is the start of the span
    offsets: Micros  # (k,) neighbours differ
    until: int

    def __repr__(self) -> str:
        return f"OffsetTable({self.zone}, {len(self.starts) - 1} changes)"

    def at(self, us: Micros, /) -> Micros:
        """Offset of each instant of the span."""
        return self.offsets[np.searchsorted(self.starts, us, side="right") - 1]


def offset_table(zone: str | ZoneInfo, since_us: int, until_us: int) -> OffsetTable:
    """Offsets of a zone that hold for every instant in [since, until), whole years at least.

    Parameters
    ----------
    zone : IANA name
    since_us, until_us : microseconds since 1970
        Within the years 2 to 9997.

    Examples
    --------
    >>> offset_table("Europe/Berlin", year_us(2026), year_us(2027))
    OffsetTable(Europe/Berlin, 2 changes)
    """
    return _years(zone_of(zone), _year_of(since_us), _year_of(max(until_us - 1, since_us)))


_DECADE = 3_652 * DAY


@lru_cache(maxsize=4096)
def _decade(zone: str | ZoneInfo, index: int) -> tuple[list[int], list[int], int]:
    low, high = index * _DECADE - 400 * DAY, (index + 1) * _DECADE + 400 * DAY
    table = offset_table(zone, max(low, EARLIEST), min(high, LATEST))
    return table.starts.tolist(), table.offsets.tolist(), table.until


def stretch_at(zone: str | ZoneInfo, us: int) -> tuple[int, int, int]:
    """Stretch of one offset that holds an instant: its start, its end, its offset, all in microseconds.

    Start and end may lie nearer than the changes themselves; between them the offset never changes.

    Examples
    --------
    >>> stretch_at("Asia/Bangkok", 0)[2] // 3_600_000_000
    7
    """
    starts, offsets, until = _decade(zone, us // _DECADE)
    i = bisect_right(starts, us) - 1
    return starts[i], starts[i + 1] if i + 1 < len(starts) else until, offsets[i]


_STEP = timedelta(hours=24)
"""How often offsets are compared before bisection; no two changes in the tz data are nearer than three days."""
_OLDEST = 1800
"""Before the first clock change in the tz data; earlier years have the offset of this one."""
_CYCLE = 400
_CYCLE_US = 146_097 * DAY
_NEWEST = 2500
"""Past every tabulated change: one yearly rule holds from here on, and repeats with the 400 years of the calendar."""


def _year_of(us: int) -> int:
    return int(np.datetime64(us, "us").astype("datetime64[Y]").astype(int)) + 1970


@lru_cache(maxsize=256)
def _years(zone: ZoneInfo, first: int, last: int) -> OffsetTable:
    """Offsets of whole years; neighbours that are equal are joined."""
    years = [_OLDEST] if first < _OLDEST else []  # stands for all before it
    starts: list[int] = []
    offsets: list[int] = []
    for year in (*years, *range(max(first, _OLDEST), last + 1)):
        for start, offset in _year(zone, year):
            if not offsets or offsets[-1] != offset:
                starts.append(start)
                offsets.append(offset)
    starts[0] = year_us(first)
    us, steps = np.array(starts, np.int64), np.array(offsets, np.int64)
    us.flags.writeable = steps.flags.writeable = False
    return OffsetTable(str(zone), us, steps, year_us(last + 1))


@lru_cache(maxsize=65_536)
def _year(zone: ZoneInfo, year: int) -> tuple[tuple[int, int], ...]:
    """Start of the year and its changes, each with the offset from then on, in microseconds."""
    if year >= _NEWEST:
        cycles = (year - _NEWEST) // _CYCLE + 1
        return tuple((start + cycles * _CYCLE_US, o) for start, o in _year(zone, year - cycles * _CYCLE))
    at, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    found = [(at, _offset(at, zone))]
    while at < end:
        later = min(at + _STEP, end - timedelta(seconds=1))
        if _offset(later, zone) != found[-1][1]:
            later = _change(zone, at, later)
            found.append((later, _offset(later, zone)))
        elif later == at:
            break
        at = later
    micro = timedelta(microseconds=1)
    return tuple(((start - EPOCH) // micro, offset // micro) for start, offset in found)


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """First whole second after `low` with another offset; tz data knows whole seconds only."""
    before = _offset(low, zone)
    floor, ceiling = 0, int((high - low).total_seconds())
    while ceiling - floor > 1:
        middle = (floor + ceiling) // 2
        if _offset(low + timedelta(seconds=middle), zone) == before:
            floor = middle
        else:
            ceiling = middle
    return low + timedelta(seconds=ceiling)


def as_instants(values: ArrayLike, name: str) -> Instants:
    """Column of instants: datetime64 in UTC as it is, aware datetimes converted, naive ones refused.

    Examples
    --------
    >>> as_instants([local(2026, 6, 2, 9, zone="Asia/Bangkok"), None], "starts")
    array(['2026-06-02T02:00:00.000000',                        'NaT'],
          dtype='datetime64[us]')
    """
    array = np.asarray(values)
    if array.dtype.kind == "M" or not array.size:
        return array.astype("datetime64[us]")
    if array.dtype != object and not (array.dtype.kind == "f" and np.isnan(array).all()):
        hint = "read text with its zone first; numbers of seconds are np.array(s, 'int64').astype('datetime64[s]')"
        raise WrongType(name, f"{array.dtype}", "datetime64 in UTC, or aware datetimes", hint)
    us = [_cell_us(value, name) for value in array.ravel().tolist()]
    return np.array(us, np.int64).reshape(array.shape).astype("datetime64[us]")


def _cell_us(value: object, name: str) -> int:
    if value is None or value != value:  # NaT and NaN differ from themselves
        return NAT
    if isinstance(value, datetime):
        return to_us(value, name)
    if not isinstance(value, np.datetime64):
        got = f"a column with a {type(value).__name__}"
        raise WrongType(
            name, got, "datetime64 in UTC, or aware datetimes", "read text and numbers with their zone first"
        )
    return int(value.astype("datetime64[us]").astype(np.int64))


def column_us(instants: ArrayLike, name: str) -> tuple[Micros, NDArray[np.bool_]]:
    """Instants as microseconds, and which of them are missing; missing ones read as 0."""
    us = as_instants(instants, name).astype(np.int64)
    missing = us == NAT
    if missing.any():
        us = np.where(missing, 0, us)
    if us.size:
        check_years(int(us.min()), name)
        check_years(int(us.max()), name)
    return us, missing


def offsets_of(instants: ArrayLike, zone: str | ZoneInfo) -> Micros:
    """Offset from UTC of each instant, in microseconds.

    Parameters
    ----------
    instants : (n,) datetime64 in UTC
        NaT reads as the smallest int64.
    zone : IANA name

    Examples
    --------
    >>> offsets_of(np.array(["2026-01-01", "2026-07-01"], "datetime64[us]"), "Europe/Berlin") // 60_000_000
    array([ 60, 120])
    """
    us, missing = column_us(instants, "instants")
    if not us.size:
        return us
    found = offset_table(zone, int(us.min()), int(us.max()) + 1).at(us)
    return np.where(missing, NAT, found) if missing.any() else found


@attrs.frozen(eq=False, repr=False)
class LocalColumns:
    """What the wall clock shows at each instant; rows without an instant have NaT, minute -1 and weekday 0."""

    date: NDArray[np.datetime64]  # (n,) datetime64[D]
    minute: NDArray[np.int16]  # (n,) minutes since midnight, 0 to 1439
    weekday: NDArray[np.int8]  # (n,) ISO: Monday 1 to Sunday 7
    wall: Instants  # (n,) datetime64[us] of the wall clock, without a zone

    def __len__(self) -> int:
        return len(self.wall)

    def __repr__(self) -> str:
        return f"LocalColumns({len(self)} instants)"


def local_columns(
    instants: ArrayLike, zone: str | Sequence[str], *, zone_codes: ArrayLike | None = None
) -> LocalColumns:
    """Local date, minute of the day and weekday of many instants.

    Parameters
    ----------
    instants : (n,) datetime64 in UTC
    zone : IANA name, or several
        Several where each row has its own zone.
    zone_codes : (n,) codes, optional
        Position in `zone` of each row's zone.

    Examples
    --------
    >>> rows = local_columns(np.array(["2026-06-01T20:30"], "datetime64[us]"), "Asia/Bangkok")
    >>> str(rows.date[0]), int(rows.minute[0]), int(rows.weekday[0])
    ('2026-06-02', 210, 2)
    """
    us, missing = column_us(instants, "instants")
    wall = us + offsets_by_zone(us, zone, zone_codes)
    days = wall // DAY
    minute = ((wall - days * DAY) // MINUTE).astype(np.int16)
    weekday = ((days + 3) % 7 + 1).astype(np.int8)
    return LocalColumns(
        np.where(missing, NAT, days).astype("datetime64[D]"),
        np.where(missing, np.int16(-1), minute),
        np.where(missing, np.int8(0), weekday),
        np.where(missing, NAT, wall).astype("datetime64[us]"),
    )


def offsets_by_zone(us: Micros, zone: str | Sequence[str], zone_codes: ArrayLike | None) -> Micros:
    """Offset of each instant, in one zone or in each row's own."""
    if not us.size:
        return us
    span = int(us.min()), int(us.max()) + 1
    if zone_codes is None:
        return offset_table(zone if isinstance(zone, str) else zone[0], *span).at(us)
    codes = np.asarray(zone_codes)
    out = np.empty_like(us)
    for code in np.unique(codes):
        rows = codes == code
        out[rows] = offset_table(zone[int(code)], *span).at(us[rows])
    return out


def instants_of_local(
    wall: ArrayLike,
    zone: str | ZoneInfo,
    *,
    gap: GapPolicy | str = GapPolicy.SHIFT,
    fold: FoldPolicy | str = FoldPolicy.FIRST,
) -> Instants:
    """Instants at which a wall clock shows the given times.

    Parameters
    ----------
    wall : (n,) datetime64 without a zone
        NaT stays NaT.
    zone : IANA name
    gap, fold : policy
        What times mean that the clock skips or shows twice.

    Returns
    -------
    (n,) datetime64[us] in UTC
        NaT where `gap="skip"` and there is no such instant.

    Examples
    --------
    >>> night = np.array(["2026-03-29T02:30"], "datetime64[us]")
    >>> [str(instants_of_local(night, "Europe/Berlin", gap=gap)[0])[11:16] for gap in ("shift", "first instant")]
    ['01:30', '01:00']
    """
    gaps, folds = GapPolicy(gap), FoldPolicy(fold)
    local_us, missing = column_us(wall, "wall")
    if not local_us.size:
        return local_us.astype("datetime64[us]")
    table = offset_table(zone, max(int(local_us.min()) - 2 * DAY, EARLIEST), min(int(local_us.max()) + 2 * DAY, LATEST))
    found, skipped = _resolve(
        table, local_us, second=folds is FoldPolicy.SECOND, at_change=gaps is GapPolicy.FIRST_INSTANT
    )
    missing = missing | skipped if gaps is GapPolicy.SKIP else missing
    return np.where(missing, NAT, found).astype("datetime64[us]")


def _resolve(table: OffsetTable, wall: Micros, *, second: bool, at_change: bool) -> tuple[Micros, NDArray[np.bool_]]:
    """UTC of wall times, and which of them the clock never showed."""
    begins = table.starts + table.offsets  # wall time at the start of each stretch of one offset
    ends = np.append(table.starts[1:], np.iinfo(np.int64).max // 2) + table.offsets
    first = np.minimum(np.searchsorted(ends, wall, side="right"), len(ends) - 1)
    last = np.maximum(np.searchsorted(begins, wall, side="right") - 1, 0)
    skipped = wall < begins[first]
    stretch = last if second else first
    before = np.where(skipped, np.maximum(first - 1, 0), stretch)
    found = wall - table.offsets[before]
    return (np.where(skipped, table.starts[first], found) if at_change else found), skipped
