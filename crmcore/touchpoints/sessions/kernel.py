"""Sessions of coded events: pure functions over arrays, without frames, rules or names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import one_of
from crmcore.errors import BadRow, BadRows, OutOfRange
from crmcore.touchpoints.sessions.breaks import Sorted, cut
from crmcore.touchpoints.sessions.ordering import group_order
from crmcore.touchpoints.sessions.step import Cause, Limits

__all__ = ["SessionCodes", "session_codes"]

Ints = NDArray[np.int64]
Codes = NDArray[np.integer]
_BLOCK = 1 << 17
"""Rows whose times and flags are made at once: what fits in the cache of one core."""


@attrs.frozen(eq=False, repr=False)
class SessionCodes:
    """Sessions in the order of visitor and start; session i holds the rows ``order[first[i]:stop[i]]``, by time.

    Examples
    --------
    >>> codes = session_codes(np.array([0, 0, 1]), np.array([0, 9_000_000, 5_000_000]), timeout_s=5)
    >>> codes, codes.of_event().tolist(), codes.duration_us.tolist()
    (SessionCodes(3 sessions of 3 events), [0, 1, 2], [0, 0, 0])
    """

    order: Ints  # (n,) rows by visitor, time, position
    first: Ints  # (m,) place in order
    stop: Ints  # (m,) place in order
    start_us: Ints  # (m,) of the first event that counts
    end_us: Ints  # (m,) of the last event that counts
    events: Ints  # (m,) events that count
    causes: NDArray[np.uint8]  # (m,) bits of `Cause`

    def __len__(self) -> int:
        return len(self.first)

    def __repr__(self) -> str:
        return f"SessionCodes({len(self)} sessions of {len(self.order)} events)"

    @property
    def duration_us(self) -> Ints:
        """(m,) from the first to the last event that counts."""
        return self.end_us - self.start_us

    def of_event(self) -> Ints:
        """(n,) session of each row, -1 where it is in none."""
        n, m = len(self.order), len(self)
        out = np.empty(n, np.int64)
        sizes = self.stop - self.first
        if m and int(sizes.sum()) == n and bool((self.first[1:] == self.stop[:-1]).all()):
            out[self.order] = np.repeat(np.arange(m), sizes)
            return out
        out.fill(-1)
        shift = np.repeat(self.first - np.cumsum(sizes) + sizes, sizes)
        out[self.order[shift + np.arange(len(shift))]] = np.repeat(np.arange(m), sizes)
        return out


def gap_us(seconds: float | None, boundary: str) -> int | None:
    """Shortest silence that cuts, in whole microseconds: ">=" includes the stated one, ">" begins just after it."""
    if seconds is None:
        return None
    whole = round(seconds * 1e6)
    return whole if boundary == ">=" else whole + 1


def session_codes(
    visitor: Codes,
    time_us: Ints,
    /,
    *,
    timeout_s: float | None = 1800.0,
    boundary: str = ">",
    single_event_timeout_s: float | None = None,
    max_length_s: float | None = None,
    local_day: Ints | None = None,
    campaign: Codes | None = None,
    referrer: Codes | None = None,
    counted: NDArray[np.bool_] | None = None,
) -> SessionCodes:
    """Cut the events of each visitor into sessions.

    Parameters
    ----------
    visitor : (n,) codes
        From 0; -1 is in no session.
    time_us : (n,) microseconds
        In any order; ties keep the order of rows. No NaT.
    timeout_s : seconds, optional
        Silence that ends a session.
    boundary : ">" or ">="
        Whether a silence of exactly the timeout ends it.
    single_event_timeout_s : seconds, optional
        Shorter silence that ends a session of one event.
    max_length_s : seconds, optional
        An event later than start + this opens a new session.
    local_day : (n,) days, optional
        Another day opens a new session.
    campaign, referrer : (n,) codes, optional
        A code from 0 that differs from the session's current one opens a new session; -1 never does.
    counted : (n,) truths, optional
        False prolongs a session and counts for nothing: it opens none, and stands outside where none is open.

    Returns
    -------
    SessionCodes

    Raises
    ------
    BadRows
        Missing times.
    OutOfRange
        Columns of two lengths.

    Examples
    --------
    >>> codes = session_codes(np.array([0, 0, 0]), np.array([0, 1800, 3601]) * 1_000_000)
    >>> codes.of_event().tolist(), codes.events.tolist(), codes.end_us.tolist()
    ([0, 0, 1], [2, 1], [1800000000, 3601000000])
    """
    visitor = np.asarray(visitor)
    time_us = np.asarray(time_us).view(np.int64)
    others = {"local_day": local_day, "campaign": campaign, "referrer": referrer, "counted": counted}
    _check(len(visitor), time_us, others)
    one_of((">", ">="), what="boundary")(None, None, boundary)
    limits = Limits(
        gap_us=gap_us(timeout_s, boundary),
        single_gap_us=gap_us(single_event_timeout_s, boundary),
        length_us=None if max_length_s is None else round(max_length_s * 1e6),
        campaign=campaign is not None,
        referrer=referrer is not None,
    )
    order, outside = _order(visitor, time_us)
    if single_event_timeout_s is None and max_length_s is None and all(c is None for c in others.values()):
        return _cut_by_gap(order, outside, visitor, time_us, limits.gap_us)
    inside = order[outside:]
    rows = Sorted(
        visitor=visitor[inside],
        time_us=time_us[inside],
        local_day=None if local_day is None else np.asarray(local_day, np.int64)[inside],
        campaign=None if campaign is None else np.asarray(campaign)[inside],
        referrer=None if referrer is None else np.asarray(referrer)[inside],
        counted=None if counted is None else np.asarray(counted, np.bool_)[inside],
    )
    first, causes = cut(rows, limits)
    return _whole(order, outside, rows, first, causes)


def _check(n: int, time: Ints, others: Mapping[str, NDArray[Any] | None]) -> None:
    for name, column in {"time_us": time, **others}.items():
        if column is not None and len(column) != n:
            raise OutOfRange(name, f"{len(column)} rows", f"{n} rows", "give every column one cell per row")
    if n and int(time.min()) == np.iinfo(np.int64).min:
        lost = np.flatnonzero(time == np.iinfo(np.int64).min)
        problem = BadRow("time", "missing", tuple(lost.tolist()))
        raise BadRows("session_codes", (problem,), "drop the rows, or give them a time")


def _order(visitor: Codes, time_us: Ints) -> tuple[Ints, int]:
    """Rows by visitor, time, position, those without visitor first, and how many these are."""
    lowest = int(visitor.min()) if len(visitor) else 0
    if lowest >= 0:
        return group_order(visitor, time_us), 0
    shifted = np.maximum(visitor.astype(np.int64), -1) + 1
    return group_order(shifted, time_us), int((visitor < 0).sum())


def _cut_by_gap(order: Ints, outside: int, visitor: Codes, time_us: Ints, gap: int | None) -> SessionCodes:
    """Sessions by silence alone, block by block: no array of n rows but the order itself."""
    n = len(order)
    limit = np.iinfo(np.int64).max if gap is None else gap
    places: list[Ints] = []
    bits: list[NDArray[np.uint8]] = []
    starts: list[Ints] = []
    ends: list[Ints] = []
    last_visitor, last_us = -1, 0
    for low in range(outside, n, _BLOCK):
        rows = order[low : low + _BLOCK]
        who, at = visitor[rows], time_us[rows]
        fresh, late = np.empty(len(rows), np.bool_), np.empty(len(rows), np.bool_)
        np.not_equal(who[1:], who[:-1], out=fresh[1:])
        np.greater_equal(at[1:] - at[:-1], limit, out=late[1:])
        fresh[0] = int(who[0]) != last_visitor
        late[0] = int(at[0]) - last_us >= limit
        found = np.flatnonzero(fresh | late)
        before = at[found - 1]
        if len(found) and found[0] == 0:
            before[0] = last_us
        places.append(found + low)
        bits.append(np.where(fresh[found], np.uint8(Cause.FIRST), np.uint8(Cause.TIMEOUT)))
        starts.append(at[found])
        ends.append(before)
        last_visitor, last_us = int(who[-1]), int(at[-1])
    if not places:
        empty = np.zeros(0, np.int64)
        return SessionCodes(order, empty, empty, empty, empty, empty, np.zeros(0, np.uint8))
    first = np.concatenate(places)
    stop = np.append(first[1:], n)
    end_us = np.append(np.concatenate(ends)[1:], last_us)
    return SessionCodes(order, first, stop, np.concatenate(starts), end_us, stop - first, np.concatenate(bits))


def _whole(order: Ints, outside: int, rows: Sorted, first: Ints, causes: NDArray[np.uint8]) -> SessionCodes:
    """Sessions from their first rows: a session stops where its segment does."""
    stop = rows.stops(first)
    if rows.counted is None:
        last, events = stop - 1, stop - first
    else:
        places = np.where(rows.counted, np.arange(len(rows.counted)), 0)
        last = np.maximum.accumulate(places)[stop - 1] if len(first) else stop
        summed = np.append(0, np.cumsum(rows.counted))
        events = summed[stop] - summed[first]
    return SessionCodes(order, first + outside, stop + outside, rows.time_us[first], rows.time_us[last], events, causes)
