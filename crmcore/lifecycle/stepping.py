"""The kernel of a replay: states of a whole population, event by event, in numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["states_before"]

DIRECT = 1024
"""Longest case that is stepped as it is; longer ones are cut: a million events of one case would be a million calls."""

Codes = NDArray[np.int32]
Places = NDArray[np.int64]


def states_before(
    table: Codes, activity: Codes, first: Places, length: Places, start: Codes, /, *, direct: int = DIRECT
) -> Codes:
    """State in which each event finds its case.

    Parameters
    ----------
    table : (states, activities) codes
        State that an activity leads to; the state itself where it leads nowhere.
    activity : (n,) codes
        Of the events, those of one case side by side in their order.
    first, length : (cases,) positions and counts
        Where the events of each case begin, and how many there are (0 is allowed).
    start : (cases,) codes
        State before the first event.
    direct : count
        Longest case that is not cut.

    Returns
    -------
    (n,) codes
        Events of no case keep 0.

    Notes
    -----
    All cases take their k-th event in one call, so there are as many calls as the longest case has events. Longer cases
    are cut into pieces; each piece is first run from every state at once, which gives its function state -> state, then
    these functions are chained, then the pieces are run from the states where they really begin.

    Examples
    --------
    >>> table = np.array([[1, 0], [1, 0]], np.int32)
    >>> activity = np.array([0, 0, 1, 0], np.int32)
    >>> states_before(table, activity, np.array([0, 3]), np.array([3, 1]), np.array([0, 0], np.int32)).tolist()
    [0, 1, 1, 0]
    """
    longest = int(length.max(initial=0))
    if longest <= direct:
        return _stepped(table, activity, first, length, start)
    size = max(direct // 4, int(longest**0.5), 1)
    pieces = -(-length // size)
    owner = np.repeat(np.arange(len(length)), pieces)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)  # of the piece within its case
    begin = first[owner] + place * size
    count = np.minimum(size, length[owner] - place * size)
    leads = _composed(table, activity, begin, count)
    entry = np.empty(len(owner), np.int32)
    state = start.astype(np.int32, copy=True)
    by_place = np.argsort(place, kind="stable")
    for rows in np.split(by_place, np.cumsum(np.bincount(place))[:-1]):
        cases = owner[rows]
        entry[rows] = state[cases]
        state[cases] = leads[rows, state[cases]]
    return _stepped(table, activity, begin, count, entry)


def _rounds(length: Places) -> tuple[Places, Places]:
    """Cases from the longest to the shortest, and how many of them have a k-th event."""
    order = np.argsort(-length, kind="stable")
    ascending = length[order][::-1]
    n_active = len(length) - np.searchsorted(ascending, np.arange(int(length.max(initial=0))), side="right")
    return order, n_active


def _stepped(table: Codes, activity: Codes, first: Places, length: Places, start: Codes) -> Codes:
    before = np.zeros(len(activity), np.int32)
    order, n_active = _rounds(length)
    rows, state = first[order], start[order].astype(np.int32)
    width = table.shape[1]
    flat = table.ravel()
    for m in n_active.tolist():
        at = rows[:m]
        now = state[:m]
        before[at] = now
        state[:m] = flat[now * width + activity[at]]
        at += 1
    return before


def _composed(table: Codes, activity: Codes, first: Places, length: Places) -> Codes:
    """(pieces, states) where each piece leads from every state."""
    order, n_active = _rounds(length)
    rows = first[order]
    state = np.tile(np.arange(len(table), dtype=np.int32), (len(first), 1))
    for m in n_active.tolist():
        at = rows[:m]
        state[:m] = table[state[:m], activity[at][:, None]]
        at += 1
    leads = np.empty_like(state)
    leads[order] = state
    return leads
