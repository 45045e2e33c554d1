"""Where sessions begin in sorted rows: in columns where a rule has no memory, else step by step."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.touchpoints.sessions.step import Cause, Limits, Walk

__all__ = ["Sorted", "cut"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.integer]
Bits = NDArray[np.uint8]


@attrs.define(eq=False, kw_only=True)
class Sorted:
    """Columns by visitor, time, position; what a rule does not look at is None."""

    visitor: Codes
    time_us: Ints
    local_day: Ints | None = None
    campaign: Codes | None = None
    referrer: Codes | None = None
    counted: Bools | None = None
    ended: Bools | None = None  # (n,) rows before which whatever was open had ended; made by `cut`

    def __len__(self) -> int:
        return len(self.visitor)

    def stops(self, first: Ints) -> Ints:
        """Place behind the last row of each session: the next session, or the end of what was open."""
        assert self.ended is not None  # `cut` has made it
        ends = np.append(np.flatnonzero(self.ended), len(self))
        return ends[np.searchsorted(ends, first, side="right")]


def cut(rows: Sorted, limits: Limits) -> tuple[Ints, Bits]:
    """Places at which sessions begin, and the causes of each; notes in `rows.ended` where whatever was open ended.

    Silence and midnight depend on two neighbours only, so they part the rows into segments at once. A change of
    campaign needs the last one known in the segment. A maximum length, a shorter silence after a single event, and
    campaign and referrer together depend on where the session began: segments in which they matter are walked.
    """
    n = len(rows)
    if not n:
        rows.ended = np.zeros(0, np.bool_)
        return np.zeros(0, np.int64), np.zeros(0, np.uint8)
    bits = _between_neighbours(rows, limits)
    heads = np.flatnonzero(bits)
    walked = _needs_walking(rows, limits, heads)
    begins = _first_counted(rows, heads)
    change = _changes(rows, limits, heads)
    if change is not None:
        keep = ~np.repeat(walked, np.diff(np.append(heads, n)))
        np.bitwise_or(bits, np.where(keep & ~begins, change, 0).astype(np.uint8), out=bits)
    rows.ended = ended = bits != 0
    starts = (ended | begins) if rows.counted is None else ((ended & rows.counted) | begins)
    causes = bits
    if rows.counted is not None:  # what ended the session before, where rows that open none stand first
        causes = np.where(starts & ~ended, np.repeat(bits[heads], np.diff(np.append(heads, n))), bits)
    for segment in np.flatnonzero(walked).tolist():
        low = int(heads[segment])
        high = int(heads[segment + 1]) if segment + 1 < len(heads) else n
        _walk(rows, limits, low, high, starts=starts, causes=causes)
    first = np.flatnonzero(starts)
    return first, causes[first]


def _between_neighbours(rows: Sorted, limits: Limits) -> Bits:
    """Causes that two neighbouring rows show."""
    bits = np.zeros(len(rows), np.uint8)
    if limits.gap_us is not None:
        bits[1:] |= np.where(np.diff(rows.time_us) >= limits.gap_us, Cause.TIMEOUT, 0).astype(np.uint8)
    if rows.local_day is not None:
        bits[1:] |= np.where(rows.local_day[1:] != rows.local_day[:-1], Cause.MIDNIGHT, 0).astype(np.uint8)
    fresh = np.flatnonzero(rows.visitor[1:] != rows.visitor[:-1]) + 1
    bits[fresh] = Cause.FIRST
    bits[0] = Cause.FIRST
    return bits


def _needs_walking(rows: Sorted, limits: Limits, heads: Ints) -> Bools:
    """(segments,) where the answer depends on where a session began."""
    n = len(rows)
    last = np.append(heads[1:], n) - 1
    walked = np.zeros(len(heads), np.bool_)
    if limits.length_us is not None:
        walked |= rows.time_us[last] - rows.time_us[heads] > limits.length_us
    if limits.single_gap_us is not None:
        soft = np.zeros(n, np.bool_)
        soft[1:] = np.diff(rows.time_us) >= limits.single_gap_us
        soft[heads] = False
        walked |= np.logical_or.reduceat(soft, heads)
    if rows.campaign is not None and rows.referrer is not None:
        told = np.logical_or.reduceat(rows.campaign >= 0, heads) & np.logical_or.reduceat(rows.referrer >= 0, heads)
        walked |= told
    return walked


def _first_counted(rows: Sorted, heads: Ints) -> Bools:
    """(n,) the first row of each segment that counts."""
    n = len(rows)
    out = np.zeros(n, np.bool_)
    if rows.counted is None:
        out[heads] = True
        return out
    places = np.append(np.flatnonzero(rows.counted), n)
    found = places[np.searchsorted(places, heads)]
    out[found[found < np.append(heads[1:], n)]] = True
    return out


def _changes(rows: Sorted, limits: Limits, heads: Ints) -> Bits | None:
    """(n,) causes that a change of campaign or of referrer gives, each for itself."""
    if rows.campaign is None and rows.referrer is None:
        return None
    bits = np.zeros(len(rows), np.uint8)
    for codes, cause in ((rows.campaign, Cause.CAMPAIGN), (rows.referrer, Cause.REFERRER)):
        if codes is None:
            continue
        known = np.flatnonzero((codes >= 0) if rows.counted is None else (codes >= 0) & rows.counted)
        segment = np.searchsorted(heads, known, side="right")
        same = np.zeros(len(known), np.bool_)
        same[1:] = (segment[1:] == segment[:-1]) & (codes[known][1:] == codes[known][:-1])
        bits[known[~same]] |= np.uint8(cause)
    return bits


def _walk(rows: Sorted, limits: Limits, low: int, high: int, *, starts: Bools, causes: Bits) -> None:
    """Sessions of one segment, event by event; the segment's first causes are known."""
    assert rows.ended is not None
    count = high - low

    def cells(column: NDArray[np.generic] | None, default: int) -> list[int]:
        return [default] * count if column is None else column[low:high].tolist()

    def known(codes: Codes | None) -> list[int | None]:
        return [c if c >= 0 else None for c in cells(codes, -1)]

    walk = Walk(limits, closed_by=int(causes[low]))
    columns = zip(
        cells(rows.time_us, 0), cells(rows.local_day, 0), cells(rows.counted, 1),
        known(rows.campaign), known(rows.referrer), strict=True,
    )  # fmt: skip
    head = int(causes[low])
    for place, (at, day, counted, campaign, referrer) in enumerate(columns, low):
        was_open = walk.open
        opens, why = walk.take(at, day=day, counted=bool(counted), campaign=campaign, referrer=referrer)
        why = head if why == Cause.FIRST else why
        starts[place] = opens
        causes[place] = why if opens else 0
        rows.ended[place] = place == low or opens or (was_open and not walk.open)
