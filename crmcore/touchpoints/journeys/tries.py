"""Tries at a funnel: which rows of a journey make the deepest one, and whether another may still come.

One pass over the rows a step, for all journeys at once. For each row that matches step k only the latest valid row of
step k - 1 before it is looked at. That is exact: its time is the nearest and the entry behind it the latest, because
entries never fall along the rows of one step; so where it breaks a window or an exclusion, every earlier one does too.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["Limits", "Tries", "any_order_tries", "deadlines", "ordered_tries"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_NEVER = np.iinfo(np.int64).max


@attrs.frozen(kw_only=True)
class Limits:
    """What a try must keep to, in microseconds; None is no limit.

    `step_us[k]` is the longest time from step k to step k + 1, `until_us` the end of what was observed.
    """

    window_us: int | None = None
    step_us: tuple[int | None, ...] = ()
    until_us: int | None = None
    strict: bool = False


@attrs.frozen(kw_only=True, eq=False)
class Tries:
    """The deepest try of each journey.

    Attributes
    ----------
    depth : (m,) steps reached, 0 = never entered
    row : (m, k) row of each step of that try, -1 where it was not reached
    live : (m,) whether a try that is not over yet may still go deeper
    """

    depth: Ints
    row: Ints
    live: Bools


def ordered_tries(
    matches: Sequence[Bools], time: Ints, start: Ints, entries: Bools, excluded: Bools, limits: Limits, /
) -> Tries:
    """Deepest try in the order of the steps.

    Parameters
    ----------
    matches : k columns (n,)
        Whether each row is step k.
    time, start : (n,) microseconds, (m + 1,) rows of the journeys
    entries : (n,) rows that may begin a try
    excluded : (n,) rows that end every try begun before them
    limits : Limits

    Notes
    -----
    Of several tries that get equally deep the first to get there is kept, with the latest entry that leads there.
    """
    n, m, k = len(time), len(start) - 1, len(matches)
    rows, first = np.arange(n), np.repeat(start[:-1], np.diff(start))
    journey = np.repeat(np.arange(m), np.diff(start))
    barrier = np.maximum.accumulate(np.where(excluded, rows, -1)) if n else rows
    entry = np.where(entries & matches[0], rows, -1)
    entered, before = [entry], [np.full(n, -1)]
    for level in range(1, k):
        near = _previous(entry, rows, first, strict=limits.strict)
        found = np.where(near >= 0, entry[near], -1)
        ok = matches[level] & (found >= 0) & (barrier < found)
        ok &= _within(time - time[near], limits.step_us, level - 1)
        if limits.window_us is not None:
            ok &= time - time[found] <= limits.window_us
        entry = np.where(ok, found, -1)
        entered.append(entry)
        before.append(near)
    depth, row = _kept(entered, before, journey, m)
    live = _live(entered, time, start, journey, barrier, limits) & (depth < k)
    return Tries(depth=depth, row=row, live=live)


def _previous(entry: Ints, rows: Ints, first: Ints, *, strict: bool) -> Ints:
    """Latest row before each one, in its journey, that is valid: the very last one where `strict`."""
    if not len(rows):
        return rows
    valid = np.where(entry >= 0, rows, -1)
    near = np.concatenate([[-1], (valid if strict else np.maximum.accumulate(valid))[:-1]])
    return np.where(near >= first, near, -1)


def _within(gap: Ints, step_us: tuple[int | None, ...], level: int) -> Bools:
    limit = step_us[level] if step_us else None
    return np.ones(len(gap), np.bool_) if limit is None else gap <= limit


def _kept(entered: Sequence[Ints], before: Sequence[Ints], journey: Ints, m: int) -> tuple[Ints, Ints]:
    depth, last = np.zeros(m, np.int64), np.full(m, -1)
    for level, entry in enumerate(entered):
        valid = np.flatnonzero(entry >= 0)
        whose = journey[valid]
        head = np.flatnonzero(np.diff(whose, prepend=-1))  # the first valid row of each journey
        depth[whose[head]], last[whose[head]] = level + 1, valid[head]
    row = np.full((m, len(entered)), -1)
    for level in reversed(range(len(entered))):
        there = depth > level
        row[there, level] = last[there]
        last[there] = before[level][last[there]]
    return depth, row


def _live(entered: Sequence[Ints], time: Ints, start: Ints, journey: Ints, barrier: Ints, limits: Limits) -> Bools:
    """Whether a try was still open when observation ended."""
    live = np.zeros(len(start) - 1, np.bool_)
    if limits.until_us is None or not len(time):
        return live
    end = start[1:][journey] - 1
    for level, entry in enumerate(entered[:-1]):
        valid = np.flatnonzero((entry >= 0) & (barrier[end] < entry))
        if limits.strict:
            valid = valid[valid == end[valid]]
        due = deadlines(time[entry[valid]], time[valid], limits, level)
        live[journey[valid[due > limits.until_us]]] = True
    return live


def deadlines(entered_us: Ints, reached_us: Ints, limits: Limits, level: int, /) -> Ints:
    """Last instant at which the step after step `level` still counts."""
    step = limits.step_us[level] if limits.step_us else None
    whole = np.full(len(entered_us), _NEVER) if limits.window_us is None else entered_us + limits.window_us
    return whole if step is None else np.minimum(whole, reached_us + step)


def any_order_tries(
    matches: Sequence[Bools], time: Ints, start: Ints, excluded: Bools, limits: Limits, /, *, first_only: bool
) -> Tries:
    """Most different steps within one window, in whatever order.

    `first_only` looks only at the window that begins with the first row that is any of the steps; else the window may
    begin at any row. A row of `excluded` may not lie within a try. Of several windows with as many steps the one that
    is complete first is kept, with the latest row of each step.
    """
    n, m = len(time), len(start) - 1
    rows, journey = np.arange(n), np.repeat(np.arange(m), np.diff(start))
    first = np.repeat(start[:-1], np.diff(start))
    barrier = np.maximum.accumulate(np.where(excluded, rows, -1)) if n else rows
    member = np.logical_or.reduce(matches)
    opened = np.flatnonzero(member)
    opening = np.full(m, n)
    opening[journey[opened][::-1]] = opened[::-1]
    usable = np.ones(n, np.bool_)
    if first_only and n:
        entry = np.minimum(opening[journey], n - 1)
        usable = (rows >= entry) & (barrier <= entry)
        if limits.window_us is not None:
            usable &= time - time[entry] <= limits.window_us
    oldest = np.maximum(first, barrier)
    last = np.full((n, len(matches)), -1)
    for k, match in enumerate(matches):
        if not n:
            break
        near = np.maximum.accumulate(np.where(match & usable, rows, -1))
        ok = (near >= oldest) & usable & member
        if limits.window_us is not None:
            ok &= time - time[near] <= limits.window_us
        last[:, k] = np.where(ok, near, -1)
    reached = (last >= 0).sum(axis=1)
    depth = np.zeros(m, np.int64)
    at = np.full(m, -1)
    for level in range(1, len(matches) + 1):
        valid = np.flatnonzero(reached >= level)
        head = np.flatnonzero(np.diff(journey[valid], prepend=-1))
        depth[journey[valid[head]]], at[journey[valid[head]]] = level, valid[head]
    row = np.full((m, len(matches)), -1)
    some = np.flatnonzero(depth)
    row[some] = np.sort(np.where(last[at[some]] >= 0, last[at[some]], n), axis=1)
    row[row == n] = -1
    again = usable & member & (~np.bool_(first_only) | (rows == opening[journey]))
    live = _live_windows(again, time, start, journey, barrier, limits) & (depth < len(matches))
    return Tries(depth=depth, row=row, live=live)


def _live_windows(member: Bools, time: Ints, start: Ints, journey: Ints, barrier: Ints, limits: Limits) -> Bools:
    live = np.zeros(len(start) - 1, np.bool_)
    if limits.until_us is None or not len(time):
        return live
    valid = np.flatnonzero(member & (barrier[start[1:][journey] - 1] < np.arange(len(time))))
    due = deadlines(time[valid], time[valid], attrs.evolve(limits, step_us=()), 0)
    live[journey[valid[due > limits.until_us]]] = True
    return live
