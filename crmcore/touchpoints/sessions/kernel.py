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
from crmcore.touchpoints.sessions.ordering import BLOCK, group_order, in_time_order, visitor_keys
from crmcore.touchpoints.sessions.step import Cause, Limits

__all__ = ["SessionCodes", "session_codes"]

Ints = NDArray[np.int64]
Codes = NDArray[np.integer]


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
    if single_event_timeout_s is None and max_length_s is None and all(c is None for c in others.values()):
        return _cut_by_gap(visitor, time_us, limits.gap_us)
    order, outside = _order(visitor, time_us)
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
    known, outside = _from_zero(visitor)
    return group_order(known, time_us), outside


def _from_zero(visitor: Codes) -> tuple[Codes, int]:
    """Codes from 0, which is nobody where there is one, and how many rows are of nobody."""
    if not len(visitor) or int(visitor.min()) >= 0:
        return visitor, 0
    return np.maximum(visitor.astype(np.int64), -1) + 1, int((visitor < 0).sum())


def _cut_by_gap(visitor: Codes, time_us: Ints, gap: int | None) -> SessionCodes:
    """Sessions by silence alone, block by block: no array of n rows is made but the order itself."""
    known, outside = _from_zero(visitor)
    packed = visitor_keys(known) if in_time_order(time_us) else None
    order = group_order(known, time_us) if packed is None else packed[0].view(np.int64)
    keys, bits = packed if packed is not None else (None, 0)
    n = len(order)
    limit = np.iinfo(np.int64).max if gap is None else gap
    if keys is not None:
        keys[:outside] &= np.uint64((1 << bits) - 1)
    who, at = np.empty(BLOCK + 1, np.uint64), np.empty(BLOCK + 1, np.int64)  # the first cell is the row before
    who[0], at[0] = np.iinfo(np.uint64).max, 0
    fresh, cuts, gaps = np.empty(BLOCK, np.bool_), np.empty(BLOCK, np.bool_), np.empty(BLOCK, np.int64)
    found: list[tuple[Ints, Ints, Ints, NDArray[np.bool_]]] = []
    for low in range(outside, n, BLOCK):
        rows = order[low : low + BLOCK]
        m = len(rows)
        if keys is None:
            who[1 : m + 1] = known[rows]
        else:
            part = keys[low : low + BLOCK]
            np.right_shift(part, np.uint64(bits), out=who[1 : m + 1])
            part &= np.uint64((1 << bits) - 1)  # what is left is the row
        np.take(time_us, rows, out=at[1 : m + 1], mode="clip")  # rows are in range; "raise" would copy
        np.not_equal(who[1 : m + 1], who[:m], out=fresh[:m])
        np.subtract(at[1 : m + 1], at[:m], out=gaps[:m])
        np.greater_equal(gaps[:m], limit, out=cuts[:m])
        cuts[:m] |= fresh[:m]
        places = np.flatnonzero(cuts[:m])
        found.append((places + low, at[1:][places], at[places], fresh[places]))
        who[0], at[0] = who[m], at[m]
    if not found:
        empty = np.zeros(0, np.int64)
        return SessionCodes(order, empty, empty, empty, empty, empty, np.zeros(0, np.uint8))
    first, start_us, before, new = (np.concatenate(column) for column in zip(*found, strict=True))
    stop = np.append(first[1:], n)
    causes = np.where(new, np.uint8(Cause.FIRST), np.uint8(Cause.TIMEOUT))
    return SessionCodes(order, first, stop, start_us, np.append(before[1:], at[0]), stop - first, causes)


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
