"""The table behind business time: open spans in UTC with their running sum, searched for deadlines and elapsed time.

All numbers are int64 microseconds. A zone's offset is constant between two changes, so the local windows of a stretch
are shifted by one number and cut at its ends: skipped hours, repeated hours, half-hour shifts and skipped dates need
no case of their own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from itertools import pairwise

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.calendars.windows import Span
from crmcore.zones import DAY, EARLIEST, LATEST, OffsetTable, year_us

__all__ = ["OpenTable", "TableBook", "business_us", "due_us", "local_spans", "open_table", "utc_spans"]

Micros = NDArray[np.int64]


@attrs.frozen(eq=False, repr=False)
class OpenTable:
    """Open spans [starts, ends) of UTC in order, none touching, with the open time before each."""

    since: int
    until: int
    starts: Micros  # (k,)
    ends: Micros  # (k,)
    before: Micros  # (k,) open microseconds from `since` to starts[i]
    through: Micros  # (k,) open microseconds from `since` to ends[i]

    def __repr__(self) -> str:
        return f"OpenTable({len(self.starts)} spans)"

    def business_of(self, at: int) -> int:
        """Open time from the start of the table to one instant: `business_us` without arrays."""
        i = bisect_right(self.starts.data, at) - 1
        return 0 if i < 0 else int(self.before[i]) + min(at, int(self.ends[i])) - int(self.starts[i])

    def due_of(self, start: int, target: int) -> int | None:
        """Deadline of one start, None past the end of the table: `due_us` without arrays."""
        wanted = self.business_of(start) + target
        i = bisect_left(self.through.data, wanted)
        return None if i == len(self.through) else int(self.starts[i]) + wanted - int(self.before[i])


def open_table(starts: Micros, ends: Micros, /, *, since: int, until: int) -> OpenTable:
    """Table of spans that are in order and do not overlap; those that touch are joined."""
    if len(starts):
        joint = starts[1:] == ends[:-1]
        starts = starts[np.concatenate(([True], ~joint))]
        ends = ends[np.concatenate((~joint, [True]))]
    through = np.cumsum(ends - starts)
    before = through - (ends - starts)
    for column in (starts, ends, before, through):
        column.flags.writeable = False
    return OpenTable(since, until, starts, ends, before, through)


def business_us(at: Micros, /, *, table: OpenTable) -> Micros:
    """Open time from the start of the table to each instant.

    Parameters
    ----------
    at : (n,) microseconds
        Within the table's span.
    """
    if not len(table.starts):
        return np.zeros(np.shape(at), np.int64)
    i = np.searchsorted(table.starts, at, side="right") - 1
    held = np.maximum(i, 0)
    inside = np.minimum(at, table.ends[held]) - table.starts[held]
    return np.where(i < 0, 0, table.before[held] + inside)


def due_us(start: Micros, target: Micros, /, *, table: OpenTable) -> Micros:
    """Earliest instant from `start` on by which `target` open time has passed; the close where it ends exactly there.

    Parameters
    ----------
    start, target : (n,) microseconds
        Targets from 0, and reached within the table.
    """
    wanted = business_us(start, table=table) + target
    if not len(table.starts):
        return start
    i = np.minimum(np.searchsorted(table.through, wanted, side="left"), len(table.starts) - 1)
    return np.where(target == 0, start, table.starts[i] + (wanted - table.before[i]))


def local_spans(
    first_day: int, last_day: int, /, *, week: tuple[tuple[Span, ...], ...], exceptions: Mapping[int, tuple[Span, ...]]
) -> tuple[Micros, Micros]:
    """Windows of every local date in [first, last), in microseconds of the wall clock, in order.

    Parameters
    ----------
    first_day, last_day : days since 1970-01-01
    week : seven tuples of spans, Monday first
    exceptions : mapping
        Day to its own spans; none is a closed day.
    """
    days = np.arange(first_day, last_day, dtype=np.int64)
    weekday = (days + 3) % 7
    own = np.array([d for d in exceptions if first_day <= d < last_day], np.int64)
    regular = np.ones(len(days), bool)
    regular[own - first_day] = False
    opens: list[Micros] = []
    closes: list[Micros] = []
    for i, spans in enumerate(week):
        midnight = days[regular & (weekday == i)] * DAY
        for opened, closed in spans:
            opens.append(midnight + opened)
            closes.append(midnight + closed)
    extra = [(d * DAY + a, d * DAY + b) for d in own.tolist() for a, b in exceptions[d]]
    opens.append(np.array([a for a, _ in extra], np.int64))
    closes.append(np.array([b for _, b in extra], np.int64))
    starts, ends = np.concatenate(opens), np.concatenate(closes)
    order = np.argsort(starts, kind="stable")
    return starts[order], ends[order]


def utc_spans(
    starts: Micros, ends: Micros, /, *, offsets: OffsetTable, since: int, until: int
) -> tuple[Micros, Micros]:
    """Real time during which the wall clock is inside a local span, cut to [since, until)."""
    bounds = [*offsets.starts[1:].tolist(), offsets.until]
    lows, highs = [], []
    for low, high, offset in zip(offsets.starts.tolist(), bounds, offsets.offsets.tolist(), strict=True):
        low, high = max(low, since), min(high, until)
        if low >= high:
            continue
        first = int(np.searchsorted(ends, low + offset, side="right"))
        last = int(np.searchsorted(starts, high + offset, side="left"))
        lows.append(np.maximum(starts[first:last] - offset, low))
        highs.append(np.minimum(ends[first:last] - offset, high))
    if not lows:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate(lows), np.concatenate(highs)


def cut_spans(parts: list[tuple[Micros, Micros]], bounds: list[int], /) -> tuple[Micros, Micros]:
    """Join spans of consecutive calendars: part i counts in [bounds[i], bounds[i + 1])."""
    lows, highs = [], []
    for (starts, ends), (low, high) in zip(parts, pairwise(bounds), strict=True):
        keep = (ends > low) & (starts < high)
        lows.append(np.maximum(starts[keep], low))
        highs.append(np.minimum(ends[keep], high))
    return np.concatenate(lows), np.concatenate(highs)


class TableBook:
    """Tables made so far; grows by years, forgets nothing it needs, and is never part of what a calendar is."""

    __slots__ = ("_table",)

    def __init__(self) -> None:
        self._table: OpenTable | None = None

    def __reduce__(self) -> tuple[type[TableBook], tuple[()]]:
        return TableBook, ()

    def covering(self, since: int, until: int, make: Callable[[int, int], OpenTable]) -> OpenTable:
        """Table of whole years that covers [since, until]."""
        held = self._table
        if held is not None and held.since <= since and until <= held.until:
            return held
        low, high = max(year_floor(since), EARLIEST), min(year_ceiling(until), LATEST)
        if held is not None:
            low, high = min(low, held.since), max(high, held.until)
        made = make(low, high)
        self._table = made  # one assignment: a reader in another thread sees the old table or the new one
        return made


def year_floor(us: int) -> int:
    """Start of the year, in UTC, that holds an instant."""
    return int(np.datetime64(us, "us").astype("datetime64[Y]").astype("datetime64[us]").astype(np.int64))


def year_ceiling(us: int) -> int:
    """Start of the next year, in UTC."""
    return year_us(int(np.datetime64(us, "us").astype("datetime64[Y]").astype(int)) + 1971)
